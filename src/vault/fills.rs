//! Filling a gate from another gate of the same consent: who is due, what went out, what came of it. The face itself never passes through
//! here. Rules: F08a, P29, P15.
//!
//! A gate that was away at enrolment is filled by itself. A gate that lost what it signed for is filled only when staff ask for it, and
//! while such a loss stands no other gate is filled under that consent: the loss may be an erasure that this vault does not know of.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::EraseReason;
use crate::domain::delivery::pause_ms;
use crate::domain::gate::GateRecord;
use crate::domain::id::{ConsentId, GateId, OpId, ResidentId, TemplateId};
use crate::domain::relay::FillGranted;
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::introduction::{self, Introduction};

use super::Vault;
use super::consents::row_is_current;
use super::error::VaultError;
use super::outbox::{self, Queued};
use super::versions::live_gates;

/// A face that went out to a gate and whose answer is not in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FillSent {
    /// Under which consent.
    pub consent: ConsentId,
    /// The operation.
    pub op: OpId,
    /// SHA-256 of the request.
    pub request_digest: [u8; 32],
}

/// A face that a gate signed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Under which consent.
    pub consent: ConsentId,
    /// Digest at the gate's read-back.
    pub digest: [u8; 32],
    /// The signed receipt.
    pub receipt: Vec<u8>,
}

impl Vault {
    /// Faces that a gate should hold by a current consent, does not, and that another gate has: at most `max`.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn fills_due(&self, gate: GateId, max: usize, now: Timestamp) -> Result<Vec<FillGranted>, VaultError> {
        let mut due = vec![];
        // A gate that lost a face is filled when staff asked for it only; and before any other.
        let mut statement = self.main.prepare_cached(
            "SELECT c.id, c.resident, c.link, c.ends_on, c.evidence FROM consents AS c
             JOIN consent_gates AS named ON named.consent = c.id
             LEFT JOIN fills ON fills.consent = c.id AND fills.gate = ?1
             WHERE coalesce(named.taken_over_by, named.gate) = ?1 AND c.ended_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM held WHERE held.consent = c.id AND held.gate = ?1
                     AND (erased_at IS NULL OR coalesce(fills.state, '') <> 'asked'))
                 AND (fills.state IS NULL OR (fills.state IN ('waits', 'asked') AND fills.not_before <= ?2))
                 AND NOT EXISTS (SELECT 1 FROM held AS lost JOIN consent_gates AS door
                     ON door.consent = c.id AND coalesce(door.taken_over_by, door.gate) = lost.gate
                     WHERE lost.consent = c.id AND lost.gate <> ?1 AND lost.erased_at IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM dropped_doors AS d WHERE d.consent = c.id AND d.gate = lost.gate)
                     AND NOT EXISTS (SELECT 1 FROM fills AS f WHERE f.consent = c.id AND f.gate = lost.gate
                         AND f.state = 'closed'))
                 AND NOT EXISTS (SELECT 1 FROM pauses WHERE pauses.consent = c.id AND resumed_at IS NULL)
                 AND NOT EXISTS (SELECT 1 FROM captures WHERE captures.consent = c.id AND over_at IS NULL
                     AND lost_at IS NULL)
             ORDER BY c.id",
        )?;
        let mut rows = statement.query(params![gate.bytes(), now.ms()])?;
        while let Some(row) = rows.next()? {
            let (consent, resident) = (ConsentId::from_bytes(row.get(0)?), ResidentId::from_bytes(row.get(1)?));
            let link = TemplateId::from_bytes(row.get(2)?);
            if !self.may_fill(&self.main, (consent, resident, link), gate, now)? {
                continue;
            }
            let sources = sources(&self.main, consent, gate)?;
            if sources.is_empty() {
                continue;
            }
            let ends_on = CivilDate::from_epoch_days(row.get(3)?);
            due.push(FillGranted::assert_current(consent, link, gate, ends_on, sources, row.get(4)?));
            if due.len() >= max {
                break;
            }
        }
        Ok(due)
    }

    fn may_fill(
        &self,
        view: &Connection,
        (consent, resident, link): (ConsentId, ResidentId, TemplateId),
        gate: GateId,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        Ok(live_gates(view, consent)?.contains(&gate) && row_is_current(view, consent, resident, link, now)?)
    }

    /// The station's signed word on who a gate is, for a gate that passes these consents' faces on to it: of those that stood at its door before,
    /// the ones that a consent names.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn introduce(&self, gate: &GateRecord, to: &[ConsentId], now: Timestamp) -> Result<Vec<u8>, VaultError> {
        let before = super::replace::predecessors(&self.main, gate.id)?;
        let mut names = self.main.prepare_cached("SELECT 1 FROM consent_gates WHERE consent = ?1 AND gate = ?2")?;
        let mut replaces = vec![];
        for one in before {
            for consent in to {
                if names.exists(params![consent.bytes(), one.bytes()])? {
                    replaces.push(one);
                    break;
                }
            }
        }
        drop(names);
        let states = Introduction { realm: self.realm, gate: gate.id, seal_key: gate.seal_key, replaces, at: now };
        Ok(introduction::sign(&self.signer, &states)?)
    }

    /// Records that faces go to a gate now, before they go: each consent is asked for again. Returns those that may go.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_fills_sent(
        &mut self,
        gate: GateId,
        fills: &[(&FillGranted, OpId, [u8; 32])],
        now: Timestamp,
    ) -> Result<Vec<ConsentId>, VaultError> {
        let work = self.begin()?;
        let mut may = vec![];
        for (granted, op, digest) in fills {
            let sql = "SELECT resident FROM consents WHERE id = ?1 AND ended_at IS NULL";
            let found: Option<[u8; 16]> =
                work.query_row(sql, [granted.consent().bytes()], |row| row.get(0)).optional()?;
            let Some(resident) = found.map(ResidentId::from_bytes) else { continue };
            let ids = (granted.consent(), resident, granted.template());
            let paused: bool = work.query_row(
                "SELECT EXISTS (SELECT 1 FROM pauses WHERE consent = ?1 AND resumed_at IS NULL)",
                [granted.consent().bytes()],
                |row| row.get(0),
            )?;
            if paused || granted.gate() != gate || !self.may_fill(&work, ids, gate, now)? {
                continue;
            }
            sent(&work, granted.consent(), gate, (*op, *digest), now)?;
            let event = AuditEvent::FaceSent(granted.template(), gate);
            self.append_with(&work, Actor::Station, &event, Some("relay"), None, now)?;
            may.push(granted.consent());
        }
        work.commit()?;
        Ok(may)
    }

    /// Faces that went out to a gate and whose answer is not in: after a crash, the gate is asked for the receipts.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn fills_sent(&self, gate: GateId) -> Result<Vec<FillSent>, VaultError> {
        // One that the desk hands over just now is the desk's to record.
        let sql = "SELECT consent, op, request_digest FROM fills WHERE gate = ?1 AND state = 'sent' AND NOT EXISTS (
                 SELECT 1 FROM captures WHERE captures.consent = fills.consent AND over_at IS NULL AND lost_at IS NULL)
             ORDER BY consent";
        let mut statement = self.main.prepare_cached(sql)?;
        let rows = statement.query_map([gate.bytes()], |row| {
            Ok(FillSent {
                consent: ConsentId::from_bytes(row.get(0)?),
                op: OpId::from_bytes(row.get(1)?),
                request_digest: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records that a gate signed for faces that another gate passed on. Where the consent ended in the meantime the truth is recorded all
    /// the same, and an erasure is queued for that gate.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_filled(&mut self, gate: GateId, filled: &[Filled], now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        for one in filled {
            let consent = one.consent;
            let sql = "SELECT resident, link, ended_at IS NULL FROM consents WHERE id = ?1";
            let (resident, link, open): ([u8; 16], [u8; 16], bool) =
                work.query_row(sql, [consent.bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let (resident, link) = (ResidentId::from_bytes(resident), TemplateId::from_bytes(link));
            work.execute(
                "INSERT INTO held (consent, gate, digest, receipt, since) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (consent, gate) DO UPDATE SET digest = ?3, receipt = ?4, since = ?5, erased_at = NULL",
                params![consent.bytes(), gate.bytes(), one.digest, one.receipt, now.ms()],
            )?;
            answered(&work, consent, gate)?;
            let (event, digest) = (AuditEvent::FaceHeld(link, gate), Sha256::digest(&one.receipt).into());
            self.append_with(&work, Actor::Gate(gate), &event, Some("relay"), Some(digest), now)?;
            let current = open && self.may_fill(&work, (consent, resident, link), gate, now)?;
            if !current && erasure_is_due(&work, consent, gate, open)? {
                outbox::queue(&work, gate, Queued::Erase(consent), now)?;
            } else if paused(&work, consent)? {
                outbox::queue(&work, gate, Queued::Freeze(consent), now)?;
            }
        }
        Ok(work.commit()?)
    }

    /// Records that a fill did not come about; it is tried again later.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_fill_failed(&mut self, consent: ConsentId, gate: GateId, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "SELECT attempts FROM fills WHERE consent = ?1 AND gate = ?2";
        let before: Option<u32> =
            work.query_row(sql, params![consent.bytes(), gate.bytes()], |row| row.get(0)).optional()?;
        let attempts = before.unwrap_or(0).saturating_add(1);
        let lost = lost(&work, consent, gate)?;
        work.execute(
            "INSERT INTO fills (consent, gate, state, attempts, not_before) VALUES (?1, ?2, ?5, ?3, ?4)
             ON CONFLICT (consent, gate) DO UPDATE SET state = ?5, op = NULL, request_digest = NULL, attempts = ?3,
                 not_before = ?4",
            params![
                consent.bytes(),
                gate.bytes(),
                attempts,
                now.plus_ms(pause_ms(attempts)).ms(),
                if lost { "asked" } else { "waits" },
            ],
        )?;
        Ok(work.commit()?)
    }

    /// Records that a gate will never take a face under this number. Returns `true` when that shows that the number was erased there by an
    /// order that this vault does not know of (a backup was put back): then the consent has ended everywhere.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_fill_refused(
        &mut self,
        consent: ConsentId,
        gate: GateId,
        reason: FillRefused,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        let work = self.begin()?;
        let label = match reason {
            FillRefused::Spent => "spent",
            FillRefused::CannotTake => "cannot-take",
        };
        work.execute(
            "INSERT INTO fills (consent, gate, state, not_before, reason) VALUES (?1, ?2, 'closed', ?3, ?4)
             ON CONFLICT (consent, gate) DO UPDATE SET state = 'closed', op = NULL, request_digest = NULL, reason = ?4",
            params![consent.bytes(), gate.bytes(), now.ms(), label],
        )?;
        // Known here: an erasure of our own, and a pause that reached the gate before the face (gates of earlier versions spend the number
        // then too).
        let (erased_here, frozen_first): (bool, bool) = work.query_row(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE consent = ?1 AND gate = ?2 AND kind = 'erase'
                 AND state = 'delivered'),
             EXISTS (SELECT 1 FROM outbox WHERE consent = ?1 AND gate = ?2 AND kind = 'freeze'
                 AND state = 'delivered')",
            params![consent.bytes(), gate.bytes()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let unexplained = lost(&work, consent, gate)? || !frozen_first;
        let erased = reason == FillRefused::Spent && !erased_here && unexplained;
        if erased {
            let sql = "SELECT resident FROM consents WHERE id = ?1 AND ended_at IS NULL";
            let resident: Option<[u8; 16]> = work.query_row(sql, [consent.bytes()], |row| row.get(0)).optional()?;
            if let Some(resident) = resident.map(ResidentId::from_bytes) {
                self.end_current(&work, resident, EraseReason::FoundErased.label(), Actor::Station, now)?;
            }
        }
        work.commit()?;
        Ok(erased)
    }

    /// Faces that a gate signed for and lost, under consents in force.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn faces_lost(&self, gate: GateId) -> Result<Vec<TemplateId>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT link FROM held JOIN consents ON consents.id = held.consent
             JOIN consent_gates AS named ON named.consent = held.consent
                 AND coalesce(named.taken_over_by, named.gate) = held.gate
             WHERE held.gate = ?1 AND erased_at IS NOT NULL AND ended_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM dropped_doors AS d WHERE d.consent = held.consent AND d.gate = ?1)
                 AND NOT EXISTS (SELECT 1 FROM notice_stopped AS s WHERE s.consent = held.consent AND s.gate = ?1
                     AND s.ended_at IS NOT NULL)
                 AND NOT EXISTS (SELECT 1 FROM fills WHERE fills.consent = held.consent AND fills.gate = ?1
                     AND state = 'closed') ORDER BY link",
        )?;
        let rows = statement.query_map([gate.bytes()], |row| row.get(0).map(TemplateId::from_bytes))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Staff want a gate put right: what it lost is filled again from another gate. Returns how many faces that is.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn ask_refill(&mut self, gate: GateId, now: Timestamp) -> Result<usize, VaultError> {
        let lost = self.faces_lost(gate)?;
        let work = self.begin()?;
        for link in &lost {
            work.execute(
                "INSERT INTO fills (consent, gate, state, not_before)
                 SELECT id, ?2, 'asked', ?3 FROM consents WHERE link = ?1
                 ON CONFLICT (consent, gate) DO UPDATE SET state = 'asked', not_before = ?3 WHERE state = 'waits'",
                params![link.bytes(), gate.bytes(), now.ms()],
            )?;
        }
        work.commit()?;
        Ok(lost.len())
    }
}

/// Why a gate will never take a face under a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FillRefused {
    /// The number was erased or frozen there.
    Spent,
    /// It matches another engine, or cards only.
    CannotTake,
}

/// Gates in use that hold the face for a door that the consent still allows, other than this one, and whether each shows its own keys. A copy that
/// waits to be erased is nobody's.
fn holders(view: &Connection, consent: ConsentId, but: GateId) -> Result<Vec<(GateId, bool)>, VaultError> {
    let mut statement = view.prepare_cached(
        "SELECT held.gate, key_changed_at IS NULL FROM held JOIN gates ON gates.id = held.gate
         WHERE consent = ?1 AND held.gate <> ?2 AND erased_at IS NULL AND retired_at IS NULL ORDER BY since, held.gate",
    )?;
    let rows = statement
        .query_map(params![consent.bytes(), but.bytes()], |row| Ok((GateId::from_bytes(row.get(0)?), row.get(1)?)))?;
    let mut holders: Vec<(GateId, bool)> = rows.collect::<Result<_, _>>()?;
    if !holders.is_empty() {
        let live = live_gates(view, consent)?;
        holders.retain(|(holder, _)| live.contains(holder));
    }
    Ok(holders)
}

/// Whether another gate than this one holds the face, for a door that the consent still allows.
pub(super) fn is_elsewhere(view: &Connection, consent: ConsentId, gate: GateId) -> Result<bool, VaultError> {
    Ok(!holders(view, consent, gate)?.is_empty())
}

/// Gates that may pass the face on to the one to be filled.
fn sources(view: &Connection, consent: ConsentId, gate: GateId) -> Result<Vec<GateId>, VaultError> {
    let all = holders(view, consent, gate)?;
    Ok(all.into_iter().filter_map(|(holder, same_keys)| same_keys.then_some(holder)).collect())
}

/// Notes that a face goes to a gate now.
pub(super) fn sent(
    work: &Connection,
    consent: ConsentId,
    gate: GateId,
    (op, request_digest): (OpId, [u8; 32]),
    now: Timestamp,
) -> Result<(), VaultError> {
    work.execute(
        "INSERT INTO fills (consent, gate, state, op, request_digest, not_before) VALUES (?1, ?2, 'sent', ?3, ?4, ?5)
         ON CONFLICT (consent, gate) DO UPDATE SET state = 'sent', op = ?3, request_digest = ?4",
        params![consent.bytes(), gate.bytes(), op.bytes(), request_digest, now.ms()],
    )?;
    Ok(())
}

/// The gate's answer is in.
pub(super) fn answered(work: &Connection, consent: ConsentId, gate: GateId) -> Result<(), VaultError> {
    work.execute("DELETE FROM fills WHERE consent = ?1 AND gate = ?2", params![consent.bytes(), gate.bytes()])?;
    Ok(())
}

/// Whether the gate signed for the face once and does not hold it.
fn lost(view: &Connection, consent: ConsentId, gate: GateId) -> Result<bool, VaultError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM held WHERE consent = ?1 AND gate = ?2 AND erased_at IS NOT NULL)";
    Ok(view.query_row(sql, params![consent.bytes(), gate.bytes()], |row| row.get(0))?)
}

fn paused(view: &Connection, consent: ConsentId) -> Result<bool, VaultError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pauses WHERE consent = ?1 AND resumed_at IS NULL)";
    Ok(view.query_row(sql, [consent.bytes()], |row| row.get(0))?)
}

/// Whether a face that arrived late must go again: the consent ended, or its door was taken out.
fn erasure_is_due(view: &Connection, consent: ConsentId, gate: GateId, open: bool) -> Result<bool, VaultError> {
    Ok(!open || !live_gates(view, consent)?.contains(&gate))
}
