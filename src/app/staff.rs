//! What the staff window may do: find, write, issue a card, withdraw for somebody who called. Nothing of a face begins here.

use std::time::Duration;

use super::command::{StaffCommand, parse_date};
use super::courier::Shared;
use super::desk::{Desk, failure_of};
use super::enroll::Flow;
use super::event::{CardRead, CardView, Event, FaceState, Failure, FieldFault, ResidentRow, ResidentView, StaffEvent};
use super::orders;
use super::pairing::PairingCommand;
use crate::domain::approval::{Act, Approval};
use crate::domain::audit::Actor;
use crate::domain::card::CardUid;
use crate::domain::consent::EraseReason;
use crate::domain::gate::GateRecord;
use crate::domain::id::{GateId, ResidentId};
use crate::domain::resident::{AgeBand, ResidentDraft, ResidentError};
use crate::domain::role::LookWhy;
use crate::domain::time::Timestamp;
use crate::secret::random_bytes;
use crate::vault::{OpenWhy, VaultError};
use crate::wire::message::{Reply, Request};

/// Longest wait for a gate that staff ask directly.
const ASK_LIMIT: Duration = Duration::from_millis(2_000);

impl Desk {
    pub(super) fn handle_staff(&mut self, command: StaffCommand, now: Timestamp) {
        // A page that looks for gates is nobody at the desk.
        if !matches!(command, StaffCommand::Pairing(PairingCommand::Look)) {
            self.staff_acted();
        }
        let Some(command) = self.through_curtain(command, now) else { return };
        if !self.is_allowed(&command, now) {
            return;
        }
        match command {
            StaffCommand::CreateVault { operator, passphrase, facts } => {
                self.create(&operator, &passphrase, &facts, now);
            }
            StaffCommand::Unlock { account, passphrase } => self.unlock(account, &passphrase, now),
            StaffCommand::Lock => self.lock(now),
            // Done at the door, or nothing to shut.
            StaffCommand::Shut => {}
            StaffCommand::Find { query } => {
                // What is not on disk as looked for is not shown.
                if self.vault(|v| v.record_searched(now)).is_some() {
                    self.find(&query);
                }
            }
            StaffCommand::OpenResident(id, why) => self.open_record(id, OpenWhy::Staff(why), now),
            StaffCommand::CloseResident => {
                if let Some(open) = self.open.as_mut() {
                    open.close_record();
                }
                self.say(StaffEvent::Closed);
            }
            StaffCommand::SaveResident { id, name, unit, age_band, next_band_on, ends_on } => {
                self.save_resident(id, &name, &unit, age_band, (&next_band_on, &ends_on), now);
            }
            StaffCommand::WedgeTyped(text) => match CardUid::from_wedge(&text) {
                Some(uid) => self.wedge_card(uid, &text, now),
                None => self.fail(Failure::CardTextUnreadable),
            },
            StaffCommand::IssueCard { resident, uid, gates } => {
                let again = StaffCommand::IssueCard { resident, uid, gates };
                if let Some(StaffCommand::IssueCard { resident, uid, gates }) =
                    self.with_minor(resident, LookWhy::Card, again, now)
                {
                    self.issue_card(resident, uid, &gates, now);
                }
            }
            StaffCommand::SaveFacts(facts) => self.save_facts(facts, now),
            StaffCommand::Pairing(command) => self.handle_pairing(command, now),
            StaffCommand::TestCardWay(gate) => self.test_card_way(gate, now),
            StaffCommand::ShowGates => {
                if let Some(open) = self.open.as_ref() {
                    let gates = open.shared.gates().0;
                    open.shared.ring();
                    self.say(StaffEvent::Gates(gates));
                }
            }
            StaffCommand::Rights(command) => self.handle_rights(command, now),
            StaffCommand::Evidence(command) => self.handle_evidence(command, now),
            StaffCommand::StopFace => self.stop_visit(None, now),
            StaffCommand::Deletion(command) => self.handle_deletion(command, now),
            StaffCommand::Operators(command) => self.handle_operators(command, now),
            StaffCommand::Posture(command) => self.handle_posture(command, now),
            StaffCommand::Relay(command) => self.handle_relay(command, now),
            StaffCommand::Boards(command) => self.handle_boards(command, now),
            StaffCommand::Keep(command) => self.handle_keep(command, now),
            StaffCommand::Duties(command) => self.handle_duties(command, now),
            StaffCommand::WithdrawFor(resident) => {
                self.note_minor_look(resident, LookWhy::Request, now);
                if let Some((staff, _)) = self.open.as_ref().map(|o| o.vault.operator()) {
                    match self.end_face(resident, EraseReason::Withdrawn, Actor::Staff(staff), now) {
                        Ok(true) => {}
                        Ok(false) => self.fail(Failure::NothingToWithdraw),
                        Err(failure) => self.fail(failure),
                    }
                }
                self.show_opened(now);
            }
            StaffCommand::WithdrawAtScreen(resident) => self.withdraw_at_screen(resident, now),
            StaffCommand::Notice(command) => self.handle_notice(command, now),
            StaffCommand::Guardian(command) => self.handle_guardian_desk(command, now),
            StaffCommand::Form(command) => self.handle_form(command, now),
        }
    }

    fn find(&mut self, query: &str) {
        let Some(open) = self.open.as_mut() else { return };
        match open.vault.find(query) {
            Ok(found) => {
                let rows = found
                    .rows
                    .into_iter()
                    .map(|row| ResidentRow {
                        id: row.id,
                        masked_name: row.masked_name,
                        unit: row.unit.as_str().to_owned(),
                        has_card: row.has_card,
                    })
                    .collect();
                self.say(StaffEvent::Found { rows, more: found.more });
            }
            Err(VaultError::NeedsUnit) => self.say(StaffEvent::Found { rows: vec![], more: true }),
            Err(error) => self.fail(failure_of(error)),
        }
    }

    /// What a keyboard-wedge reader typed may also be a unit of eight or ten digits: an unknown card is looked for as a unit.
    fn wedge_card(&mut self, uid: CardUid, text: &str, now: Timestamp) {
        let known = self.vault(|v| v.resident_by_card(&uid)).flatten().is_some();
        let record_open = self.open.as_ref().is_some_and(|o| o.opened.is_some());
        let found = self.open.as_ref().and_then(|o| o.vault.find(text).ok()).is_some_and(|f| !f.rows.is_empty());
        if !known && !record_open && found {
            if self.vault(|v| v.record_searched(now)).is_some() {
                self.find(text);
            }
        } else {
            self.staff_card(uid, now);
        }
    }

    /// A card tapped or typed at the staff window: read it into the open record, or open the record it belongs to.
    pub(super) fn staff_card(&mut self, uid: CardUid, now: Timestamp) {
        let Some(owner) = self.vault(|v| v.resident_by_card(&uid)) else { return };
        let opened = self.open.as_ref().and_then(|o| o.opened);
        match (opened, owner) {
            (Some(opened), owner) => {
                let taken = owner.is_some_and(|o| o != opened);
                let last4 = uid.last4();
                self.say(StaffEvent::CardRead(CardRead { uid, last4, taken }));
            }
            (None, Some(owner)) => self.open_record(owner, OpenWhy::CardTap, now),
            (None, None) => self.fail(Failure::CardUnknown),
        }
    }

    pub(super) fn open_record(&mut self, id: ResidentId, why: OpenWhy, now: Timestamp) {
        let again = StaffCommand::OpenResident(id, why_again(why));
        if self.look_at(id, why, again, now).is_some() {
            if let Some(open) = self.open.as_mut() {
                open.opened = Some(id);
            }
            self.show_opened(now);
        }
    }

    /// What every command goes through that gives out something of one person: the record is the one that is open, or is opened now (logged).
    /// A minor's opens with a second person only; the command is kept and given again once they approved. Returns the command when it may go
    /// on. Rules: F14, M6.
    pub(super) fn with_record(
        &mut self,
        id: ResidentId,
        why: LookWhy,
        command: StaffCommand,
        now: Timestamp,
    ) -> Option<StaffCommand> {
        let open = self.open.as_ref()?;
        if open.opened == Some(id) {
            return Some(command);
        }
        let command = self.look_at(id, OpenWhy::Staff(why), command, now)?;
        self.open.as_mut()?.opened = Some(id);
        self.show_opened(now);
        Some(command)
    }

    /// The same for a command that writes about a person and gives nothing out: a minor's record is open, with a second person, before anything
    /// is written about them. For anybody else the command goes on as it is. Rule M6.
    pub(super) fn with_minor(
        &mut self,
        id: ResidentId,
        why: LookWhy,
        command: StaffCommand,
        now: Timestamp,
    ) -> Option<StaffCommand> {
        if self.is_shut_minor(id, now)? { self.with_record(id, why, command, now) } else { Some(command) }
    }

    /// Before a command that only stops, erases or takes in about a minor whose record is shut: that waits for nobody, and is logged as a look.
    pub(super) fn note_minor_look(&mut self, id: ResidentId, why: LookWhy, now: Timestamp) {
        if self.is_shut_minor(id, now) == Some(true) {
            self.vault(|v| v.record_look(id, why, now));
        }
    }

    /// Of somebody who is not there: no; the act itself says so.
    fn is_shut_minor(&mut self, id: ResidentId, now: Timestamp) -> Option<bool> {
        let open = self.open.as_ref()?;
        if open.opened == Some(id) {
            return Some(false);
        }
        match open.vault.needs_second_person(id, now) {
            Ok(minor) => Some(minor),
            Err(VaultError::Unknown) => Some(false),
            Err(error) => {
                self.fail(failure_of(error));
                None
            }
        }
    }

    /// The same for a paper that is taken out of a record without opening its page: what is open stays open.
    pub(super) fn glance(&mut self, id: ResidentId, why: LookWhy, command: StaffCommand, now: Timestamp) -> Option<()> {
        if self.open.as_ref()?.opened == Some(id) {
            return Some(());
        }
        let (approval, _) = self.second_for(id, command, now)?;
        self.vault(|v| v.glance(id, OpenWhy::Staff(why), approval, now))
    }

    /// One look at a record, logged. `command` is what is given again once a second person approved; it comes back when the look was taken.
    fn look_at(&mut self, id: ResidentId, why: OpenWhy, command: StaffCommand, now: Timestamp) -> Option<StaffCommand> {
        let (approval, command) = self.second_for(id, command, now)?;
        match approval {
            Some(approval) => self.vault(|v| v.open_minor(id, why, approval, now))?,
            None => self.vault(|v| v.open_resident(id, why, now))?,
        };
        Some(command)
    }

    /// The approval that a minor's record takes (M6); none for anybody else's.
    fn second_for(
        &mut self,
        id: ResidentId,
        command: StaffCommand,
        now: Timestamp,
    ) -> Option<(Option<Approval>, StaffCommand)> {
        if self.vault(|v| v.needs_second_person(id, now))? {
            return self.approved(Act::MinorRecord(id), command, now);
        }
        Some((None, command))
    }

    /// Tells the staff window what the open record looks like now. Not a new look at it, so not logged again.
    pub(super) fn show_opened(&mut self, now: Timestamp) {
        let Some(id) = self.open.as_ref().and_then(|o| o.opened) else { return };
        if let Some(view) = self.view_of(id) {
            if let Some(open) = self.open.as_mut() {
                open.opened_shown = Some(view.clone());
            }
            self.say(StaffEvent::Opened(Box::new(view)));
            self.show_person(id);
            self.show_guardian(id, now);
        }
    }

    /// The same after news from a gate: most news change nothing on this page.
    pub(super) fn show_opened_if_changed(&mut self) {
        let Some(id) = self.open.as_ref().and_then(|o| o.opened) else { return };
        let Some(view) = self.view_of(id) else { return };
        let Some(open) = self.open.as_mut() else { return };
        if open.opened_shown.as_ref() != Some(&view) {
            open.opened_shown = Some(view.clone());
            self.say(StaffEvent::Opened(Box::new(view)));
        }
        self.show_person(id);
    }

    fn view_of(&mut self, id: ResidentId) -> Option<ResidentView> {
        let shared = std::sync::Arc::clone(&self.open.as_ref()?.shared);
        self.vault(|v| view_of(v, &shared, id))
    }

    fn save_resident(
        &mut self,
        id: Option<ResidentId>,
        name: &str,
        unit: &str,
        age_band: AgeBand,
        (next_band_on, ends_on): (&str, &str),
        now: Timestamp,
    ) {
        // A record is changed only while it is open, and a minor's opens with a second person (M6).
        if let Some(id) = id
            && self.open.as_ref().is_some_and(|o| o.opened != Some(id))
        {
            match self.vault(|v| v.needs_second_person(id, now)) {
                // What was typed is shown against the record as it is, before anything is changed.
                Some(true) => return self.open_record(id, OpenWhy::Staff(LookWhy::Other), now),
                Some(false) => self.open_record(id, OpenWhy::Staff(LookWhy::Other), now),
                None => return,
            }
        }
        let Some(ends_on) = parse_date(ends_on) else { return self.fail(Failure::Field(FieldFault::EndDate)) };
        let next = match (age_band, next_band_on.trim()) {
            (AgeBand::Adult, _) => None,
            (_, "") => None,
            (_, text) => match parse_date(text) {
                Some(day) => Some(day),
                None => return self.fail(Failure::Field(FieldFault::NextBandDate)),
            },
        };
        let draft = match ResidentDraft::parse(id, name, unit, age_band, next, ends_on, now) {
            Ok(draft) => draft,
            Err(ResidentError::EndPast) => return self.fail(Failure::Field(FieldFault::EndDate)),
            Err(ResidentError::NextBandMissing | ResidentError::NextBandWrong) => {
                return self.fail(Failure::Field(FieldFault::NextBandDate));
            }
            Err(error) => return self.fail(Failure::Field(FieldFault::Name(error))),
        };
        let new_id = ResidentId::from_bytes(random_bytes());
        if let Some(id) = self.vault(|v| v.record_resident(&draft, new_id, now)) {
            if let Some(open) = self.open.as_mut() {
                open.opened = Some(id);
                open.shared.ring();
            }
            self.say(StaffEvent::Saved(id));
            self.show_opened(now);
        }
    }

    fn issue_card(&mut self, resident: ResidentId, uid: CardUid, gates: &[GateId], now: Timestamp) {
        if gates.is_empty() {
            return self.fail(Failure::NoGateChosen);
        }
        let issued = self.vault(|v| {
            let ends_on = v.resident(resident)?.ends_on;
            v.issue_card(resident, &uid, gates, ends_on, now)
        });
        if issued.is_some() {
            if let Some(open) = self.open.as_mut() {
                open.last_issued = Some(uid);
                open.shared.ring();
            }
            self.say(StaffEvent::CardIssued(resident));
            self.show_opened(now);
        }
    }

    fn test_card_way(&mut self, gate: GateId, now: Timestamp) {
        let Some(open) = self.open.as_mut() else { return };
        let uid = match (&open.last_issued, open.opened) {
            (Some(uid), _) => Some(uid.clone()),
            (None, Some(resident)) => open.vault.current_card(resident).ok().flatten().map(|c| c.uid),
            (None, None) => None,
        };
        let Some(uid) = uid else { return self.say(StaffEvent::CardWay(gate, false)) };
        if let Some(opens) = self.board_card_way(gate, &uid, now) {
            return self.say(StaffEvent::CardWay(gate, opens));
        }
        let Some(open) = self.open.as_mut() else { return };
        let Some(record) = open.vault.gates().unwrap_or_default().into_iter().find(|g| g.id == gate) else { return };
        let told = orders::tell(&open.vault, open.link.as_mut(), &record, ASK_LIMIT);
        let request = Request::TestCard(uid.bytes().to_vec());
        let opens = match told.and_then(|()| open.link.ask(&record, &request, ASK_LIMIT)) {
            Ok(Reply::CardTested(opens)) => opens,
            Ok(Reply::Refused(refusal)) => return self.fail(Failure::Refused(record.name, refusal)),
            Ok(_) => false,
            Err(error) => return self.fail(Failure::Link(record.name, error)),
        };
        if opens {
            self.vault(|v| v.record_card_way_test(gate, v.who(), now));
        }
        self.say(StaffEvent::CardWay(gate, opens));
        if let Some(open) = self.open.as_ref() {
            open.shared.ring();
        }
    }

    /// Ends a consent and lets the courier erase at once; `false` when there is none. Also stops a visit that stands on it, so that the
    /// ending is recorded for what it is.
    pub(super) fn end_face(
        &mut self,
        resident: ResidentId,
        reason: EraseReason,
        by: Actor,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let stands_on_it = self.open.as_ref().and_then(|o| o.flow.consent()).is_some_and(|c| c.resident() == resident);
        if stands_on_it {
            self.wipe(now);
            self.ended(None);
        }
        self.end_consent(resident, reason, by, now)
    }

    /// A withdrawal is on the resident window: tell it which gates have signed since.
    pub(super) fn refresh_withdrawn(&mut self) {
        let Some(Flow::Withdrawn { resident, gates }) = self.open.as_ref().map(|o| &o.flow) else { return };
        let (resident, named) = (*resident, gates.clone());
        let split = self.vault(|v| {
            let pending = v.erase_pending(resident)?;
            let endings = v.endings_of(resident)?;
            let last = endings.first().map(|e| e.consent);
            let ended = endings.first().map(|e| e.ended_at).unwrap_or_default();
            let label = |gate: &GateRecord| gate.name.clone();
            let gates = v.gates_ever()?;
            let named: Vec<&GateRecord> = gates.iter().filter(|g| named.contains(&g.id)).collect();
            let waiting = named.iter().filter(|g| pending.contains(&g.id)).map(|g| label(g)).collect();
            let erased = named.iter().filter(|g| !pending.contains(&g.id)).map(|g| label(g)).collect();
            let away = named.iter().filter(|g| pending.contains(&g.id));
            let stops_at = away.map(|g| v.stops_at(g.id, last, ended)).collect::<Result<_, _>>()?;
            Ok((erased, waiting, stops_at))
        });
        if let Some((erased, pending, stops_at)) = split {
            let scene = super::event::ResidentScene::Withdrawn { erased, pending, stops_at, saved_to: None };
            self.out.push(Event::Resident(scene));
        }
    }
}

/// Why a look is taken that waited for a second person: what is typed again has no card on the reader.
fn why_again(why: OpenWhy) -> LookWhy {
    match why {
        OpenWhy::Staff(look) => look,
        OpenWhy::CardTap | OpenWhy::Duty => LookWhy::Here,
    }
}

fn view_of(vault: &mut crate::vault::Vault, shared: &Shared, id: ResidentId) -> Result<ResidentView, VaultError> {
    let resident = vault.resident(id)?;
    let gates = vault.doors_ever()?;
    let label =
        |gate: &GateId| gates.iter().find(|g| g.id() == *gate).map_or_else(|| gate.short(), |g| g.name().to_owned());
    let card = match vault.current_card(id)? {
        None => None,
        Some(card) => {
            let delivered = vault.card_delivered_at(card.id)?;
            Some(CardView {
                last4: card.uid.last4(),
                ends_on: card.ends_on,
                gates: delivered.into_iter().map(|(gate, there)| (gate, label(&gate), there)).collect(),
            })
        }
    };
    let pending = vault.erase_pending(id)?;
    let held = vault.faces_held(id)?;
    let face = match vault.current_consent(id)? {
        Some(consent) if !held.is_empty() => {
            FaceState::Held { gates: held.iter().map(|f| (f.gate, label(&f.gate))).collect(), ends_on: consent.ends_on }
        }
        _ if !pending.is_empty() => FaceState::Erasing { pending: pending.iter().map(label).collect() },
        _ => FaceState::None,
    };
    let places = super::places::of(vault, shared, id, &gates)?;
    Ok(ResidentView { resident, card, face, places })
}
