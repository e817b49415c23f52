//! What a gate takes in: pure decisions over facts that the daemon looked up. No store, no clock, no keys.

use crate::domain::card::CardUid;
use crate::domain::id::GateId;
use crate::domain::time::{CivilDate, Timestamp};
use crate::secret::EngineId;
use crate::wire::message::{FACES_MAX, Hello, PROTOCOL, Probe, PutFace, Refusal};

/// Oldest and newest accepted probe, in milliseconds from the gate's clock.
pub const PROBE_AGE_MAX_MS: i64 = 30_000;

/// Latest accepted last day, in days from today: no consent runs for half a lifetime.
pub const ENDS_IN_DAYS_MAX: i64 = 366 * 20;

/// What is known of this gate when something arrives.
#[derive(Clone, Debug)]
pub struct Facts {
    /// This gate.
    pub gate: GateId,
    /// The engine whose templates it matches.
    pub engine: EngineId,
    /// `false` for a card-only gate.
    pub takes_faces: bool,
    /// Today in China, by the gate's clock.
    pub today: CivilDate,
    /// Templates held.
    pub faces: u64,
}

/// Whether a card finds a place. One that is held already always does: a full gate can still change its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is a place.
    Free,
    /// There is none.
    Full,
}

/// What is known of the random number of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Never erased. Where a template is held under it, the same content is answered and other content refused.
    Free,
    /// It was erased.
    Spent,
}

/// A card whose number and day may be stored.
#[derive(Debug)]
pub struct AdmittedCard {
    /// Its number.
    pub uid: CardUid,
    /// Last day.
    pub ends_on: CivilDate,
}

/// Judges a hello: same protocol, same realm.
///
/// # Errors
/// The refusal.
pub fn hello(hello: &Hello, realm: &str) -> Result<(), Refusal> {
    if hello.protocol != PROTOCOL {
        return Err(Refusal::Version);
    }
    if hello.realm != realm {
        return Err(Refusal::Realm);
    }
    Ok(())
}

/// Judges the header of a template. The seal is tried only after this.
///
/// # Errors
/// The refusal.
pub fn face(put: &PutFace, number: Number, facts: &Facts) -> Result<(), Refusal> {
    face_way(&put.gate, &put.engine, facts)?;
    if number != Number::Free {
        return Err(Refusal::Spent);
    }
    ends_on(put.ends_on, facts.today)?;
    if facts.faces >= FACES_MAX {
        return Err(Refusal::Full);
    }
    Ok(())
}

/// Judges the header of a probe.
///
/// # Errors
/// The refusal.
pub fn probe(probe: &Probe, seen: bool, facts: &Facts, now: Timestamp) -> Result<(), Refusal> {
    face_way(&probe.gate, &probe.engine, facts)?;
    let age = now.since(Timestamp::from_ms(probe.sent_at));
    if seen || !(-PROBE_AGE_MAX_MS..=PROBE_AGE_MAX_MS).contains(&age) {
        return Err(Refusal::Stale);
    }
    Ok(())
}

/// Judges a card.
///
/// # Errors
/// The refusal.
pub fn card(uid: &[u8], days: i64, room: Room, today: CivilDate) -> Result<AdmittedCard, Refusal> {
    let uid = CardUid::from_bytes(uid).ok_or(Refusal::Malformed)?;
    let ends_on = ends_on(days, today)?;
    if room == Room::Full {
        return Err(Refusal::Full);
    }
    Ok(AdmittedCard { uid, ends_on })
}

fn face_way(gate: &[u8; 16], engine: &str, facts: &Facts) -> Result<(), Refusal> {
    if !facts.takes_faces {
        return Err(Refusal::CardsOnly);
    }
    if gate != facts.gate.bytes() {
        return Err(Refusal::Envelope);
    }
    if engine != facts.engine.as_str() {
        return Err(Refusal::Engine);
    }
    Ok(())
}

fn ends_on(days: i64, today: CivilDate) -> Result<CivilDate, Refusal> {
    let first = today.epoch_days();
    if days < first {
        return Err(Refusal::Expired);
    }
    if days > first.saturating_add(ENDS_IN_DAYS_MAX) {
        return Err(Refusal::Malformed);
    }
    Ok(CivilDate::from_epoch_days(days))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::REVISION;

    const TODAY: i64 = 20_779;

    fn facts() -> Facts {
        Facts {
            gate: GateId::from_bytes([9; 16]),
            engine: EngineId::sface(),
            takes_faces: true,
            today: CivilDate::from_epoch_days(TODAY),
            faces: 0,
        }
    }

    fn put() -> PutFace {
        let engine = EngineId::sface().as_str().into();
        PutFace { op: [1; 16], gate: [9; 16], template: [2; 16], engine, ends_on: TODAY, sealed: vec![] }
    }

    #[test]
    fn p19_the_last_day_is_included_and_the_day_after_is_not() {
        assert_eq!(face(&put(), Number::Free, &facts()), Ok(()));
        let yesterday = PutFace { ends_on: TODAY - 1, ..put() };
        assert_eq!(face(&yesterday, Number::Free, &facts()), Err(Refusal::Expired));
        for far in [TODAY + ENDS_IN_DAYS_MAX + 1, i64::MAX] {
            assert_eq!(face(&PutFace { ends_on: far, ..put() }, Number::Free, &facts()), Err(Refusal::Malformed));
        }
        assert_eq!(face(&PutFace { ends_on: i64::MIN, ..put() }, Number::Free, &facts()), Err(Refusal::Expired));
    }

    #[test]
    fn p47_a_number_that_was_erased_never_returns() {
        assert_eq!(face(&put(), Number::Spent, &facts()), Err(Refusal::Spent));
    }

    #[test]
    fn a_template_of_another_gate_or_engine_is_refused() {
        assert_eq!(face(&PutFace { gate: [8; 16], ..put() }, Number::Free, &facts()), Err(Refusal::Envelope));
        let other = PutFace { engine: EngineId::dlib().as_str().into(), ..put() };
        assert_eq!(face(&other, Number::Free, &facts()), Err(Refusal::Engine));
        let cards_only = Facts { takes_faces: false, ..facts() };
        assert_eq!(face(&put(), Number::Free, &cards_only), Err(Refusal::CardsOnly));
        let full = Facts { faces: FACES_MAX, ..facts() };
        assert_eq!(face(&put(), Number::Free, &full), Err(Refusal::Full));
    }

    #[test]
    fn a_probe_is_fresh_and_new() {
        let now = Timestamp::from_ms(1_795_000_000_000);
        let at = |ms: i64| Probe {
            op: [1; 16],
            gate: [9; 16],
            engine: EngineId::sface().as_str().into(),
            sent_at: now.ms().saturating_add(ms),
            sealed: vec![],
        };
        for fresh in [0, -30_000, 30_000] {
            assert_eq!(probe(&at(fresh), false, &facts(), now), Ok(()));
        }
        for stale in [-30_001, 30_001, i64::MIN, i64::MAX] {
            assert_eq!(probe(&at(stale), false, &facts(), now), Err(Refusal::Stale));
        }
        assert_eq!(probe(&at(0), true, &facts(), now), Err(Refusal::Stale));
    }

    #[test]
    fn a_card_has_a_number_a_day_and_a_place() {
        let today = CivilDate::from_epoch_days(TODAY);
        let judged = |uid: &[u8], days, room| card(uid, days, room, today).map(|c| (c.uid.last4(), c.ends_on));
        assert_eq!(judged(&[1, 2, 3, 4], TODAY, Room::Free), Ok(("0304".into(), today)));
        assert_eq!(judged(&[1, 2, 3, 4], TODAY, Room::Full), Err(Refusal::Full));
        assert_eq!(judged(&[1, 2, 3], TODAY, Room::Free), Err(Refusal::Malformed));
        assert_eq!(judged(&[0; 4], TODAY, Room::Free), Err(Refusal::Malformed));
        assert_eq!(judged(&[1, 2, 3, 4], TODAY - 1, Room::Free), Err(Refusal::Expired));
    }

    #[test]
    fn practice_and_real_and_other_versions_are_refused_at_the_hello() {
        let said = |protocol, realm: &str| Hello {
            protocol,
            realm: realm.into(),
            id: [0; 16],
            seal_key: [0; 32],
            sign_key: [0; 32],
            version: String::new(),
            takes_faces: false,
            revision: Some(REVISION),
        };
        assert_eq!(hello(&said(1, "real"), "real"), Ok(()));
        assert_eq!(hello(&said(1, "practice"), "real"), Err(Refusal::Realm));
        assert_eq!(hello(&said(2, "real"), "real"), Err(Refusal::Version));
    }
}
