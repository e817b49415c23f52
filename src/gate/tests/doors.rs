//! Cards, the door, and the gate's own camera with an engine double. The real engine is joined in `tests/it`.

use super::support::*;
use crate::domain::Realm;
use crate::domain::card::CardUid;
use crate::domain::consent::Warrant;
use crate::domain::quality::{FaceBox, Look};
use crate::gate::daemon::Gate;
use crate::gate::door::{Act, Door, DoorOpens};
use crate::gate::place::Place;
use crate::gate::store::Setup;
use crate::gate::watch::Answer;
use crate::ports::{FaceEngine, FaceError};
use crate::secret::{EngineId, FaceTemplate, Frame};
use crate::wire::message::{Outcome, Refusal, Reply, Request, What};

const LAST_DAY: i64 = 20_849;

/// A frame whose first bytes say which persons are in it.
pub fn frame(who: u8) -> Frame {
    Frame::new(2, 2, vec![who; 12]).unwrap()
}

/// Sees the person that the frame names: 0 nobody, 255 a crowd.
struct ByFirstPixel;

impl FaceEngine for ByFirstPixel {
    fn engine(&self) -> EngineId {
        EngineId::sface()
    }
    fn wake(&mut self) -> Result<(), FaceError> {
        Ok(())
    }
    fn locate(&mut self, warrant: Warrant<'_>, frame: &Frame) -> Result<Look, FaceError> {
        assert!(matches!(warrant, Warrant::Door(_)));
        let face = FaceBox { x: 0.0, y: 0.0, width: 1.0, height: 1.0, score: 1.0, landmarks: [(0.0, 0.0); 5] };
        let count = match frame.rgb()[0] {
            0 => 0,
            255 => 2,
            _ => 1,
        };
        Ok(Look { frame: (2, 2), faces: vec![face; count], luma: 100.0, contrast: 40.0, sharpness: 100.0 })
    }
    fn extract(&mut self, _: Warrant<'_>, frame: Frame, _: &FaceBox) -> Result<FaceTemplate, FaceError> {
        if frame.rgb()[0] == 254 { Err(FaceError::Restarted) } else { Ok(person_again(u32::from(frame.rgb()[0]))) }
    }
    fn rest(&mut self) {}
}

fn shown(site: &Site, who: u8) -> Answer {
    site.with_gate(|gate, now| {
        let act = gate.acted(Act::ButtonPressed);
        gate.recognise_frame(&mut ByFirstPixel, frame(who), act, now)
    })
}

// Shows: NDR24
#[test]
fn the_gate_opens_for_the_enrolled_person_and_for_nobody_else() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    assert_eq!(shown(&site, 1), Answer::Recognised(DoorOpens::Yes));
    assert_eq!(shown(&site, 2), Answer::Unknown);
    assert_eq!(shown(&site, 0), Answer::NoFace);
    assert_eq!(shown(&site, 255), Answer::OnePersonOnly);
    assert_eq!(shown(&site, 254), Answer::Engine(FaceError::Restarted));
    assert_eq!(site.with_gate(|gate, _| gate.store().openings()).unwrap(), 1, "only openings are written down");
    site.apply(What::EraseFace([1; 16]));
    assert_eq!(shown(&site, 1), Answer::Unknown);
}

#[test]
fn m10_a_card_opens_until_its_last_day_and_not_after_it_was_removed() {
    let mut site = Site::new();
    let card = CardUid::from_bytes(&[4, 0xa1, 0xb2, 0xc3]).unwrap();
    let open = |site: &Site| site.with_gate(|gate, now| gate.open_for_card(&card, now)).unwrap();
    assert_eq!(open(&site), None);
    let receipt = site.apply(What::PutCard(card.bytes().to_vec(), 20_779));
    assert_eq!(receipt.outcome, Outcome::CardStored);
    assert_eq!(open(&site), Some(DoorOpens::Yes));
    site.clock.set(NOON.date().end());
    assert_eq!(open(&site), None);
    site.apply(What::PutCard(card.bytes().to_vec(), LAST_DAY));
    assert_eq!(open(&site), Some(DoorOpens::Yes), "a new day can be set");
    assert_eq!(site.apply(What::RemoveCard(card.bytes().to_vec())).outcome, Outcome::CardRemoved);
    assert_eq!(open(&site), None);
    assert_eq!(site.ask(&Request::TestCard(card.bytes().to_vec())), Reply::CardTested(false));
    assert_eq!(site.refused(&Request::TestCard(vec![1])), Refusal::Malformed);
}

#[test]
fn a_removal_that_overtook_the_issue_of_the_same_card_wins() {
    let mut site = Site::new();
    let uid = vec![4, 0xa1, 0xb2, 0xc3];
    let (issue, removal) = (apply(5, What::PutCard(uid.clone(), LAST_DAY)), apply(6, What::RemoveCard(uid.clone())));
    site.done(&removal);
    let overtaken = site.done(&issue);
    assert!(overtaken.was_overtaken(&issue));
    assert_eq!(site.ask(&Request::TestCard(uid.clone())), Reply::CardTested(false));
    let later = apply(7, What::PutCard(uid.clone(), LAST_DAY));
    assert!(!site.done(&later).was_overtaken(&later));
    assert_eq!(site.ask(&Request::TestCard(uid.clone())), Reply::CardTested(true));
    let other = apply(1, What::PutCard(vec![9, 9, 9, 9], LAST_DAY));
    assert!(!site.done(&other).was_overtaken(&other), "the order is kept card by card");
}

/// A relay whose board does not answer.
struct StuckDoor;

impl Door for StuckDoor {
    fn release(&mut self) -> DoorOpens {
        DoorOpens::Failed
    }
}

#[test]
fn a_door_that_does_not_answer_is_written_down_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(&folder.path().join("gate"), None);
    place.init(&Setup::default(), LIGHT, NOON).unwrap();
    let mut gate = Gate::open(&place, Realm::Real, Box::new(StuckDoor)).unwrap();
    let card = CardUid::from_bytes(&[1, 2, 3, 4]).unwrap();
    let add = "INSERT INTO cards (uid, ends_on) VALUES (?1, ?2)";
    gate.store().connection().execute(add, rusqlite::params![card.bytes(), LAST_DAY]).unwrap();
    assert_eq!(gate.open_for_card(&card, NOON).unwrap(), Some(DoorOpens::Failed));
    let row: (String, String, i64) = gate
        .store()
        .connection()
        .query_row("SELECT way, door, at FROM openings", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    assert_eq!(row, ("card".into(), "failed".into(), NOON.ms()));
}
