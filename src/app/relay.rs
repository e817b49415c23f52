//! Gates as the staff see them beside each other: what differs and is put right by a press, and a gate that takes the place of another at the
//! same door. Rules: P47, P51-4.
//!
//! Deliberately absent: any command that gives a face to a door which a consent does not name.

use super::command::StaffCommand;
use super::desk::{Desk, failure_of};
use super::event::{Failure, FieldFault, ResidentRow, StaffEvent};
use crate::domain::approval::Act;
use crate::domain::gate::GateRecord;
use crate::domain::id::{CardId, GateId};
use crate::domain::relay::{Replacement, Wedged};
use crate::domain::role::JoinWhy;
use crate::domain::time::Timestamp;
use crate::secret::PairingCode;
use crate::vault::FoundRow;
use crate::vault::VaultError;

/// From the staff window.
#[derive(Debug)]
pub enum RelayCommand {
    /// Asks for the page again.
    Show,
    /// Has what a gate holds put right.
    Repair(GateId),
    /// Sets a gate's clock to the desk's.
    SetClock(GateId),
    /// Puts a new gate in the place of an old one. Needs a second person.
    Replace {
        /// The old gate.
        old: GateId,
        /// `ip:port` of the new one.
        address: String,
        /// The code that it shows, as typed; `None` when it is not eight digits.
        code: Option<PairingCode>,
    },
    /// Goes on with a new gate that has proved its code, once a second person approved that it replaces this one.
    ReplaceProved(GateId),
    /// Shows who must be asked anew after a replacement: this page of the list, from 0.
    Invited(GateId, u32),
    /// Sends what a gate refused again, after somebody acted.
    Retry(GateId),
    /// Shows whose card or face a gate lacks or holds otherwise.
    Concerned(GateId),
    /// Whose face a gate knows under the number of which the page shows the first eight digits: with a reason, and a second person.
    WhoseNumber {
        /// As typed.
        digits: String,
        /// Why.
        why: JoinWhy,
    },
}

/// To the staff window.
#[derive(Clone, Debug, PartialEq)]
pub enum RelayEvent {
    /// Replacements, the newest first.
    Replacements(Vec<Replacement>),
    /// A gate took the place of another.
    Replaced(GateId),
    /// What gates refused, by reason.
    Wedged(Vec<Wedged>),
    /// People whose face was on the replaced gate only: which page of the list, and its rows, masked.
    Invited(GateId, u32, Vec<ResidentRow>),
    /// People whose card or face a gate lacks or holds otherwise: masked, at most fifty.
    Concerned(GateId, Vec<ResidentRow>),
    /// Whose number it is: the number, and the name with the unit.
    Joined(Vec<JoinedView>),
}

/// As a search shows people.
fn rows(found: Vec<FoundRow>) -> Vec<ResidentRow> {
    let row = |row: FoundRow| ResidentRow {
        id: row.id,
        masked_name: row.masked_name,
        unit: row.unit.as_str().to_owned(),
        has_card: row.has_card,
    };
    found.into_iter().map(row).collect()
}

/// A gate's number beside a name. Does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinedView {
    /// The random number.
    pub number: String,
    /// Whose.
    pub name: String,
    /// Where.
    pub unit: String,
}

impl std::fmt::Debug for JoinedView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JoinedView([REDACTED])")
    }
}

impl Desk {
    pub(super) fn handle_relay(&mut self, command: RelayCommand, now: Timestamp) {
        match command {
            RelayCommand::Show => {
                if let Some(open) = self.open.as_mut() {
                    open.replacements_shown = None;
                    open.shared.ring();
                }
            }
            RelayCommand::Repair(gate) => {
                if let Some(open) = self.open.as_ref() {
                    open.shared.ask_repair(gate, open.vault.operator().0);
                }
            }
            RelayCommand::SetClock(gate) => self.set_gate_clock(gate, now),
            RelayCommand::Retry(gate) => {
                if self.vault(|v| v.retry_wedged(gate, now)).is_some_and(|count| count > 0)
                    && let Some(open) = self.open.as_ref()
                {
                    open.shared.ring();
                }
            }
            RelayCommand::WhoseNumber { digits, why } => self.whose_number(&digits, why, now),
            RelayCommand::Replace { old, address, code } => self.replace(old, &address, code, now),
            RelayCommand::ReplaceProved(old) => self.replace_proved(old, now),
            RelayCommand::Invited(gate, page) => {
                if let Some(found) = self.vault(|v| {
                    v.record_searched(now)?;
                    v.to_invite(gate, page)
                }) {
                    self.say(StaffEvent::Relay(RelayEvent::Invited(gate, page, rows(found))));
                }
            }
            RelayCommand::Concerned(gate) => {
                let Some(differs) = self.open.as_ref().map(|open| open.shared.differs(gate)) else { return };
                let cards: Vec<CardId> = differs.cards.into_keys().collect();
                if let Some(found) = self.vault(|v| {
                    v.record_searched(now)?;
                    v.concerned(gate, &cards)
                }) {
                    self.say(StaffEvent::Relay(RelayEvent::Concerned(gate, rows(found))));
                }
            }
        }
        self.show_replacements(now);
    }

    /// A name beside a gate's number: never without a second person.
    fn whose_number(&mut self, digits: &str, why: JoinWhy, now: Timestamp) {
        let digits: String = digits.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let first = digits.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(first) = first else { return self.fail(Failure::Field(FieldFault::Number)) };
        let again = StaffCommand::Relay(RelayCommand::WhoseNumber { digits, why });
        let Some((Some(approval), _)) = self.approved(Act::JoinNumber(first), again, now) else { return };
        let Some(open) = self.open.as_mut() else { return };
        match open.vault.join_number(first, why, approval, now) {
            Ok(found) => {
                let rows = found.into_iter().map(|one| JoinedView {
                    number: one.template.to_string(),
                    name: one.resident.name.as_str().to_owned(),
                    unit: one.resident.unit.as_str().to_owned(),
                });
                self.say(StaffEvent::Relay(RelayEvent::Joined(rows.collect())));
            }
            Err(VaultError::Unknown) => self.fail(Failure::Field(FieldFault::Number)),
            Err(error) => self.fail(failure_of(error)),
        }
        self.tell_joins();
    }

    /// The new gate proves the code that was typed, as at any pairing; then a second person is asked.
    fn replace(&mut self, old: GateId, address: &str, code: Option<PairingCode>, now: Timestamp) {
        let address = address.trim();
        if address.is_empty() {
            return self.fail(Failure::Field(FieldFault::Gate));
        }
        let gates = self.vault(|v| v.gates()).unwrap_or_default();
        let Some(door) = gates.into_iter().find(|gate| gate.id == old) else {
            return self.fail(Failure::Field(FieldFault::Gate));
        };
        let Some((hello, tls_pin)) = self.meet_gate(&door.name, address, code) else { return };
        let new = GateRecord {
            id: GateId::from_bytes(hello.id),
            address: address.to_owned(),
            tls_pin,
            seal_key: hello.seal_key,
            sign_key: hello.sign_key,
            // No card was seen to open it yet: until one was, it gets no face.
            card_way_tested_at: None,
            takes_faces: hello.takes_faces,
            ..door
        };
        if let Some(open) = self.open.as_mut() {
            open.newcomer = Some((old, new));
        }
        self.replace_proved(old, now);
    }

    /// Puts the gate that has proved its code in the place of the old one: with a second person's approval only.
    fn replace_proved(&mut self, old: GateId, now: Timestamp) {
        let again = StaffCommand::Relay(RelayCommand::ReplaceProved(old));
        let Some((Some(approval), _)) = self.approved(Act::ReplaceGate(old), again, now) else { return };
        let proved = self.open.as_mut().and_then(|open| open.newcomer.take());
        let Some((_, new)) = proved.filter(|(proved_for, _)| *proved_for == old) else { return };
        if self.vault(|v| v.replace_gate(old, &new, approval, now)).is_some() {
            if let Some(open) = self.open.as_mut() {
                open.mark_stale();
                open.shared.ring();
            }
            self.say(StaffEvent::Relay(RelayEvent::Replaced(new.id)));
            self.show_deletions(now);
            self.show_opened(now);
        }
    }

    /// Tells the staff window how replacements stand and what gates refused, when that has changed.
    pub(super) fn show_replacements(&mut self, now: Timestamp) {
        if let Some(wedged) = self.vault(|v| v.wedged())
            && let Some(open) = self.open.as_mut()
            && open.wedged_shown.as_ref() != Some(&wedged)
        {
            open.wedged_shown = Some(wedged.clone());
            self.say(StaffEvent::Relay(RelayEvent::Wedged(wedged)));
        }
        let Some(all) = self.vault(|v| v.replacements(now)) else { return };
        let Some(open) = self.open.as_mut() else { return };
        if open.replacements_shown.as_ref() == Some(&all) {
            return;
        }
        open.replacements_shown = Some(all.clone());
        self.say(StaffEvent::Relay(RelayEvent::Replacements(all)));
    }
}
