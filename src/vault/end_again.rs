//! What a restored vault does again because the gates' note says that it was done since the backup was made: faces, places, cards and records
//! end, what rests goes on resting. Where the note's lists do not reach back to the backup, the safe side is taken and the report says so.
//! Rules: P47, P56, P44, K2-9.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::account::AccountEvent;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::EraseReason;
use crate::domain::id::{CardId, ConsentId, GateId, ResidentId, StaffId};
use crate::domain::role::Role;
use crate::domain::time::Timestamp;

use super::Vault;
use super::epoch::{Note, OLD_LIST};
use super::epoch_lists::{Paper, Short, Told, short};
use super::error::VaultError;
use super::restore::{Cut, RestoreReport, Restoring};
use super::slots::Slots;

/// Where a restored vault keeps the day of its backup when the gates could not say which of its cards have ended since.
const CARDS_DOUBTED: &str = "cards-doubted";

/// What a note says ended, of whichever shape.
struct Since {
    faces: BTreeMap<Short, Option<Told>>,
    oldest_consent: i64,
    places: Vec<(Short, Short, Told)>,
    doors: Vec<(Short, i64)>,
    cards: BTreeSet<Short>,
    oldest_card: i64,
    closed: Vec<(Short, Timestamp, String)>,
    refusing: BTreeSet<Short>,
    resting: BTreeSet<Short>,
    stopped: Vec<Option<GateId>>,
    cut: Cut,
}

impl Since {
    /// Reads a note beside the vault of a backup that was made at this instant.
    fn of(note: &Note, view: &Connection, made_at: Timestamp) -> Result<Self, VaultError> {
        let Some(lists) = &note.lists else { return Self::of_old(note, view) };
        let after = |from: i64| from > made_at.ms();
        Ok(Self {
            faces: lists.faces(),
            oldest_consent: lists.oldest_consent,
            places: lists.places(),
            doors: lists.doors(),
            cards: lists.cards().into_iter().collect(),
            oldest_card: lists.oldest_card,
            closed: lists.closed().into_iter().map(|(who, at, why)| (who, at, why.to_owned())).collect(),
            refusing: lists.refusing().into_iter().collect(),
            resting: lists.resting().into_iter().collect(),
            stopped: lists.stopped().into_iter().map(|gate| gate.map(GateId::from_bytes)).collect(),
            cut: Cut {
                faces: after(lists.faces_from),
                // Who took which door out is not known: what rests opens none.
                resting: after(lists.resting_from) || after(lists.places_from),
                cards: after(lists.cards_from),
                records: after(lists.closed_from) || after(lists.refusing_from),
            },
        })
    }

    /// Of an earlier version: four lists of the newest, without instants. A full one reaches back when it names something that had ended in
    /// the backup already.
    fn of_old(note: &Note, view: &Connection) -> Result<Self, VaultError> {
        let ids = |list: &[u8]| list.as_chunks::<16>().0.to_vec();
        let cut = |list: Vec<[u8; 16]>, sql: &str| -> Result<bool, VaultError> {
            let mut statement = view.prepare(sql)?;
            let mut reaches = list.len() < OLD_LIST;
            for id in &list {
                reaches = reaches || statement.exists([id])?;
            }
            Ok(!reaches)
        };
        let closed: Vec<[u8; 16]> = note.closed.iter().map(|closed| closed.resident).collect();
        let refusing =
            cut(ids(&note.refusing), "SELECT 1 FROM restrictions WHERE resident = ?1 AND lifted_at IS NULL")?;
        let cut = Cut {
            faces: cut(ids(&note.faces), "SELECT 1 FROM consents WHERE link = ?1 AND ended_at IS NOT NULL")?,
            resting: false,
            cards: cut(ids(&note.cards), "SELECT 1 FROM cards WHERE id = ?1 AND ended_at IS NOT NULL")?,
            records: refusing || cut(closed, "SELECT 1 FROM residents WHERE id = ?1 AND closed_at IS NOT NULL")?,
        };
        let closed = |closed: &super::epoch::Closed| {
            (short(&closed.resident), Timestamp::from_ms(closed.at), closed.reason.clone())
        };
        Ok(Self {
            faces: ids(&note.faces).iter().map(|link| (short(link), None)).collect(),
            oldest_consent: i64::MIN,
            places: vec![],
            doors: vec![],
            cards: ids(&note.cards).iter().map(short).collect(),
            oldest_card: i64::MIN,
            closed: note.closed.iter().map(closed).collect(),
            refusing: ids(&note.refusing).iter().map(short).collect(),
            resting: BTreeSet::new(),
            stopped: vec![],
            cut,
        })
    }
}

impl Since {
    /// Only what nobody takes back: an ending, a place that was left, a card. What rests, refuses, is stopped or closed may have been taken up
    /// again in what was written later, and a list that is cut says nothing beside a newer one.
    fn lasting(self) -> Self {
        let Self { faces, oldest_consent, places, mut doors, cards, oldest_card, .. } = self;
        // An earlier version wrote the end of time where none was left: true of what there was then, and it says nothing of what came after.
        let known = |oldest: i64| if oldest == i64::MAX { i64::MIN } else { oldest };
        let (oldest_consent, oldest_card) = (known(oldest_consent), known(oldest_card));
        doors.retain(|(_, age)| *age != i64::MAX);
        let (closed, refusing, resting, stopped) = (vec![], BTreeSet::new(), BTreeSet::new(), vec![]);
        let cut = Cut::default();
        Self { faces, oldest_consent, places, doors, cards, oldest_card, closed, refusing, resting, stopped, cut }
    }
}

/// A consent that is in force in the backup.
struct Current {
    consent: ConsentId,
    resident: ResidentId,
    signed_at: i64,
}

impl Vault {
    /// Whether it is not known if a card has ended: it was issued before the backup that this vault was restored from, and what the gates
    /// list did not reach back that far. Such a card is issued anew, and never written to a gate that lacks it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn card_is_doubted(&self, card: CardId) -> Result<bool, VaultError> {
        let Some(bytes) = self.read_station(CARDS_DOUBTED)?.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()) else {
            return Ok(false);
        };
        let sql = "SELECT EXISTS (SELECT 1 FROM cards WHERE id = ?1 AND issued_at <= ?2)";
        let of = params![card.bytes(), i64::from_be_bytes(bytes)];
        Ok(self.main.prepare_cached(sql)?.query_row(of, |row| row.get(0))?)
    }
}

fn consents_in_force(view: &Connection) -> Result<BTreeMap<Short, Current>, VaultError> {
    let sql = "SELECT substr(link, 1, 8), id, resident, signed_at FROM consents WHERE ended_at IS NULL";
    let mut statement = view.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let (consent, resident) = (ConsentId::from_bytes(row.get(1)?), ResidentId::from_bytes(row.get(2)?));
        Ok((row.get::<_, Short>(0)?, Current { consent, resident, signed_at: row.get(3)? }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Restoring {
    /// Does again what was done since the backup was made.
    pub(super) fn end_again(
        &mut self,
        note: &Note,
        gone: &[(ResidentId, u32)],
        erased: &[ResidentId],
        report: &mut RestoreReport,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        self.begin_again(gone, now)?;
        let (vault, slots, made_at) = (&mut self.vault, &mut self.slots, self.made_at);
        Again { vault, slots, made_at, until: None, all: true }.run(note, (gone, erased), report, now)
    }

    /// What comes before everything else: no number that a gate has seen, and keys for the moment in which the end of a person's evidence is
    /// written down; they go with the rest.
    fn begin_again(&self, gone: &[(ResidentId, u32)], now: Timestamp) -> Result<(), VaultError> {
        let vault = &self.vault;
        let work = vault.begin()?;
        work.execute_batch("DELETE FROM gate_heads; DELETE FROM gate_epochs;")?;
        work.commit()?;
        for (resident, _) in gone {
            vault.make_person_key(*resident, now)?;
        }
        Ok(())
    }
}

/// A vault in which what a note lists is ended again.
pub(super) struct Again<'a> {
    pub(super) vault: &'a mut Vault,
    pub(super) slots: &'a mut Slots,
    /// When the backup was made that it was restored from.
    pub(super) made_at: Timestamp,
    /// What came into being after this instant is none of the note's; nothing did while the backup is being restored.
    pub(super) until: Option<Timestamp>,
    /// Everything. Otherwise what ended for good: the note may be older than what was lifted since.
    pub(super) all: bool,
}

impl Again<'_> {
    /// Ends it. Every step may be done twice.
    pub(super) fn run(
        &mut self,
        note: &Note,
        (gone, erased): (&[(ResidentId, u32)], &[ResidentId]),
        report: &mut RestoreReport,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let mut since = Since::of(note, &self.vault.main, self.made_at)?;
        if !self.all {
            since = since.lasting();
        }
        report.cut = report.cut.or(since.cut);
        if !since.cut.is_none() {
            tracing::warn!(cut = ?since.cut, "what the gates list does not reach back to this backup");
        }
        self.go_on_above(note)?;
        self.close_gone(gone, now)?;
        self.end_faces(&since, (gone, erased), report, now)?;
        self.close_again(&since, gone, report, now)?;
        self.end_cards(&since, report, now)?;
        let vault = &*self.vault;
        let work = vault.begin()?;
        for who in &since.refusing {
            // Who has said yes since has taken the refusal back.
            work.execute(
                "INSERT INTO restrictions (resident, since) SELECT id, ?2 FROM residents WHERE substr(id, 1, 8) = ?1
                     AND NOT EXISTS (SELECT 1 FROM restrictions AS r WHERE r.resident = residents.id AND lifted_at IS NULL)
                     AND NOT EXISTS (SELECT 1 FROM consents AS c WHERE c.resident = residents.id AND signed_at > ?3)",
                params![who, now.ms(), self.until.map_or(i64::MAX, Timestamp::ms)],
            )?;
        }
        for (link, current) in consents_in_force(&work)? {
            let rests = since.cut.resting && self.concerns(current.signed_at) || since.resting.contains(&link);
            if rests && vault.rest_in(&work, current.consent, Actor::Station, now)? {
                report.resting += 1;
            }
        }
        for gate in &since.stopped {
            match vault.stop_in(&work, *gate, Actor::Station, now) {
                // A gate that was paired after the backup, or has been taken out of use.
                Ok(_) | Err(VaultError::Unknown) => {}
                Err(error) => return Err(error),
            }
        }
        work.commit()?;
        self.erase_again(gone, erased, report, now)?;
        let off = note.accounts.as_chunks::<16>().0.iter().copied().map(StaffId::from_bytes);
        report.accounts += switch_off(self.vault, self.slots, &off.collect::<Vec<_>>(), now)?;
        Ok(())
    }

    /// No operation goes to a gate with a number that it has seen.
    fn go_on_above(&self, note: &Note) -> Result<(), VaultError> {
        let work = self.vault.begin()?;
        let sql = "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'outbox'";
        if work.execute(sql, [note.sequence])? == 0 {
            work.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', ?1)", [note.sequence])?;
        }
        Ok(work.commit()?)
    }

    fn close_gone(&self, gone: &[(ResidentId, u32)], now: Timestamp) -> Result<(), VaultError> {
        for (resident, _) in gone {
            let work = self.vault.begin()?;
            let sql = "UPDATE residents SET closed_at = coalesce(closed_at, ?2) WHERE id = ?1";
            work.execute(sql, params![resident.bytes(), self.made_at.ms()])?;
            let sql = "UPDATE cards SET ended_at = ?2 WHERE resident = ?1 AND ended_at IS NULL";
            work.execute(sql, params![resident.bytes(), now.ms()])?;
            work.commit()?;
        }
        Ok(())
    }

    /// Whether something that came into being then is any of the note's.
    fn concerns(&self, at: i64) -> bool {
        self.until.is_none_or(|until| at <= until.ms())
    }

    /// Places and faces, as they ended and when, with the number of the paper that was given out about it.
    fn end_faces(
        &self,
        since: &Since,
        (gone, erased): (&[(ResidentId, u32)], &[ResidentId]),
        report: &mut RestoreReport,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let vault = &*self.vault;
        let closed: BTreeSet<Short> = since.closed.iter().map(|(who, ..)| *who).collect();
        let mut none: BTreeSet<ResidentId> = erased.iter().copied().collect();
        none.extend(gone.iter().map(|(resident, _)| *resident));
        let gates: BTreeMap<Short, GateId> =
            vault.gates_ever()?.into_iter().map(|gate| (short(gate.id.bytes()), gate.id)).collect();
        let found = EraseReason::FoundErased;
        let work = vault.begin()?;
        let current = consents_in_force(&work)?;
        for (link, gate, told) in &since.places {
            let (Some(of), Some(gate)) = (current.get(link), gates.get(gate)) else { continue };
            let reason = EraseReason::from_label(told.reason).unwrap_or(found);
            match vault.drop_in(&work, (of.resident, of.consent), *gate, reason, Actor::Station, now) {
                Ok(_) => {}
                // It was out in the backup already.
                Err(VaultError::GateNotNamed) => continue,
                Err(error) => return Err(error),
            }
            let sql = "UPDATE dropped_doors SET dropped_at = ?3 WHERE consent = ?1 AND gate = ?2";
            work.execute(sql, params![of.consent.bytes(), gate.bytes(), told.at.ms()])?;
            write_paper(&work, (of.consent, Some(*gate)), told.paper)?;
            report.places += 1;
        }
        for (link, of) in consents_in_force(&work)? {
            let listed = since.faces.get(&link);
            let unlisted = since.cut.faces || of.signed_at < since.oldest_consent;
            let ended = listed.is_some() || unlisted && self.concerns(of.signed_at);
            if !ended && !none.contains(&of.resident) {
                continue;
            }
            let told = listed.copied().flatten();
            let (reason, at) = told.map_or((found.label(), now), |told| (told.reason, told.at));
            vault.end_current_at(&work, of.resident, reason, Actor::Station, (at, now))?;
            if let Some(told) = told {
                write_paper(&work, (of.consent, None), told.paper)?;
            }
            // Those of closed and erased records are counted with them.
            if ended && !closed.contains(&short(of.resident.bytes())) {
                report.faces += 1;
            }
        }
        for (gate, age) in &since.doors {
            let Some(gate) = gates.get(gate) else { continue };
            let older = |of: &Current| of.signed_at < *age && self.concerns(of.signed_at);
            for of in consents_in_force(&work)?.into_values().filter(older) {
                match vault.drop_in(&work, (of.resident, of.consent), *gate, found, Actor::Station, now) {
                    Ok(_) => report.places += 1,
                    Err(VaultError::GateNotNamed) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(work.commit()?)
    }

    fn close_again(
        &mut self,
        since: &Since,
        gone: &[(ResidentId, u32)],
        report: &mut RestoreReport,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let vault = &mut *self.vault;
        for (who, at, reason) in &since.closed {
            let sql = "SELECT id FROM residents WHERE substr(id, 1, 8) = ?1";
            let known = vault.main.query_row(sql, [who], |row| row.get(0).map(ResidentId::from_bytes)).optional()?;
            let Some(resident) = known.filter(|known| gone.iter().all(|(id, _)| id != known)) else { continue };
            if vault.close_record(resident, EraseReason::Closed, Actor::Station, now)? {
                // As it was closed the first time: the terms count from then.
                let sql = "UPDATE residents SET closed_at = ?2, close_reason = ?3 WHERE id = ?1";
                vault.main.execute(sql, params![resident.bytes(), at.ms(), reason])?;
                report.closed += 1;
            }
        }
        Ok(())
    }

    fn end_cards(&self, since: &Since, report: &mut RestoreReport, now: Timestamp) -> Result<(), VaultError> {
        let vault = &*self.vault;
        let work = vault.begin()?;
        let cards: Vec<(Short, ResidentId, i64)> = {
            let sql = "SELECT substr(id, 1, 8), resident, issued_at FROM cards WHERE ended_at IS NULL ORDER BY id";
            let mut statement = work.prepare(sql)?;
            let rows =
                statement.query_map([], |row| Ok((row.get(0)?, ResidentId::from_bytes(row.get(1)?), row.get(2)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        for (card, resident, issued_at) in cards {
            if issued_at < since.oldest_card && self.concerns(issued_at) || since.cards.contains(&card) {
                vault.end_card_in(&work, resident, Actor::Station, now)?;
                report.cards += 1;
            }
        }
        if since.cut.cards {
            vault.write_station(&work, CARDS_DOUBTED, &self.made_at.ms().to_be_bytes())?;
        }
        Ok(work.commit()?)
    }

    /// Identities and evidence of whom the tree opens no more.
    fn erase_again(
        &self,
        gone: &[(ResidentId, u32)],
        erased: &[ResidentId],
        report: &mut RestoreReport,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let vault = &*self.vault;
        let mut identities = vec![];
        for resident in erased.iter().chain(gone.iter().map(|(id, _)| id)) {
            let sql = "SELECT identity_ended_at IS NULL FROM residents WHERE id = ?1";
            if vault.main.query_row(sql, [resident.bytes()], |row| row.get(0))? {
                let sql = "UPDATE residents SET closed_at = coalesce(closed_at, ?2) WHERE id = ?1";
                vault.main.execute(sql, params![resident.bytes(), now.ms()])?;
                let sql = "UPDATE cards SET ended_at = ?2 WHERE resident = ?1 AND ended_at IS NULL";
                vault.main.execute(sql, params![resident.bytes(), now.ms()])?;
                identities.push(*resident);
            }
        }
        vault.erase_identities(&identities, now)?;
        vault.erase_evidences(&gone.iter().map(|(resident, _)| *resident).collect::<Vec<_>>(), now)?;
        let all: BTreeSet<&ResidentId> = erased.iter().chain(gone.iter().map(|(id, _)| id)).collect();
        report.erased += all.len() as u64;
        Ok(())
    }
}

/// The number of a certificate that was given out before: what is issued now is its supplement. Its statement is gone with the disk.
fn write_paper(
    work: &Connection,
    (consent, gate): (ConsentId, Option<GateId>),
    paper: Option<Paper>,
) -> Result<(), VaultError> {
    let Some(paper) = paper else { return Ok(()) };
    let handed_at = paper.waits.then_some(paper.issued_at.ms());
    work.execute(
        "INSERT OR IGNORE INTO certificates (id, consent, gate, complete, issued_at, handed_at, says, statement)
         VALUES (?1, ?2, ?3, 0, ?4, ?5, zeroblob(32), x'')",
        params![paper.id, consent.bytes(), gate.map(|gate| *gate.bytes()), paper.issued_at.ms(), handed_at],
    )?;
    Ok(())
}

/// Switches off again who was switched off since. One supervisor stays in any case: nobody could ever get in otherwise.
fn switch_off(vault: &mut Vault, slots: &mut Slots, off: &[StaffId], now: Timestamp) -> Result<u64, VaultError> {
    let mut count = 0;
    for id in off {
        let role = |id: StaffId| vault.read_staff(id).ok().map(|(_, role)| role);
        let others = slots.accounts().any(|slot| slot.id != *id && role(slot.id) == Some(Role::Supervisor));
        if slots.slot(*id).is_none() || !others {
            continue;
        }
        let work = vault.begin()?;
        let sql = "UPDATE staff SET disabled_at = ?2 WHERE id = ?1 AND disabled_at IS NULL";
        if work.execute(sql, params![id.bytes(), now.ms()])? == 1 {
            vault.append(&work, Actor::Station, &AuditEvent::Account(AccountEvent::Disabled(*id)), now)?;
        }
        work.commit()?;
        slots.remove(*id);
        count += 1;
    }
    Ok(count)
}
