//! Cards, the door, and the gate's own camera with an engine double. The real engine is joined in `tests/it`.

use super::support::*;
use crate::domain::Realm;
use crate::domain::card::CardUid;
use crate::domain::consent::Warrant;
use crate::domain::quality::{FaceBox, Look};
use crate::gate::daemon::Gate;
use crate::gate::door::{Act, Door, DoorOpens};
use crate::gate::place::Place;
use crate::gate::settings::FacePlan;
use crate::gate::store::Setup;
use crate::gate::watch::Answer;
use crate::ports::{Clock, FaceEngine, FaceError};
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

/// Makes this person's template of any picture.
pub struct Strange {
    pub person: u32,
    pub look: Look,
}

impl FaceEngine for Strange {
    fn engine(&self) -> EngineId {
        EngineId::sface()
    }
    fn wake(&mut self) -> Result<(), FaceError> {
        Ok(())
    }
    fn locate(&mut self, _: Warrant<'_>, _: &Frame) -> Result<Look, FaceError> {
        Ok(self.look.clone())
    }
    fn extract(&mut self, _: Warrant<'_>, _: Frame, _: &FaceBox) -> Result<FaceTemplate, FaceError> {
        Ok(person(self.person))
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

// Shows: J10a, F10a
#[test]
fn a_gate_at_which_no_card_was_ever_seen_to_open_takes_no_face() {
    let mut site = Site::new();
    site.with_gate(|gate, _| gate.store().connection().execute("DELETE FROM card_way", []).unwrap());
    let put = Request::PutFace(site.sealed(1, &person(1), "2027-01-31"));
    assert_eq!(site.refused(&put), Refusal::CardWay);
    let card = vec![4, 0xa1, 0xb2, 0xc3];
    site.apply(What::PutCard(card.clone(), LAST_DAY));
    assert_eq!(site.refused(&put), Refusal::CardWay, "held is not tested");
    assert_eq!(site.ask(&Request::TestCard(vec![9, 9, 9, 9])), Reply::CardTested(false));
    assert_eq!(site.refused(&put), Refusal::CardWay);
    assert_eq!(site.ask(&Request::TestCard(card)), Reply::CardTested(true));
    site.restart();
    site.done(&put);
}

#[test]
fn card_and_face_both_open_and_whatever_stops_faces_leaves_the_card() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    let card = CardUid::from_bytes(&[4, 0xa1, 0xb2, 0xc3]).unwrap();
    site.apply(What::PutCard(card.bytes().to_vec(), LAST_DAY));
    let open = |site: &Site| site.with_gate(|gate, now| gate.open_for_card(&card, now)).unwrap();
    assert_eq!((shown(&site, 1), open(&site)), (Answer::Recognised(DoorOpens::Yes), Some(DoorOpens::Yes)));
    // A stranger, nobody, a crowd, an engine that fails: the card opens after each.
    for who in [2, 0, 255, 254] {
        assert!(!matches!(shown(&site, who), Answer::Recognised(_)));
        assert_eq!(open(&site), Some(DoorOpens::Yes), "{who}");
    }
    site.apply(What::StopFaces);
    assert!(matches!(shown(&site, 1), Answer::FacesOff(_)));
    assert_eq!(open(&site), Some(DoorOpens::Yes));
    site.done(&apply(2, What::ResumeFaces));
    site.clock.set(NOON.plus_ms(30 * 24 * HOUR));
    assert!(matches!(shown(&site, 1), Answer::FacesOff(_)), "no contact for a month");
    assert_eq!(open(&site), Some(DoorOpens::Yes));
}

/// What a picture shows is so similar to person 1.
struct Like(f32);

impl FaceEngine for Like {
    fn engine(&self) -> EngineId {
        EngineId::sface()
    }
    fn wake(&mut self) -> Result<(), FaceError> {
        Ok(())
    }
    fn locate(&mut self, warrant: Warrant<'_>, frame: &Frame) -> Result<Look, FaceError> {
        ByFirstPixel.locate(warrant, frame)
    }
    fn extract(&mut self, _: Warrant<'_>, _: Frame, _: &FaceBox) -> Result<FaceTemplate, FaceError> {
        Ok(likeness(1, self.0))
    }
    fn rest(&mut self) {}
}

/// The measured false-match rates of one comparison are 1 in 10,000, 100,000 and 200,000 at similarities of 0.4716, 0.5 and 0.5488.
#[test]
fn the_more_people_a_gate_holds_the_more_alike_a_face_must_be() {
    let mut site = Site::new();
    let enter = |site: &mut Site, n: u8| site.put(n, &person(u32::from(n)), "2027-01-31");
    let limit = |site: &Site| {
        site.with_gate(|gate, _| gate.limit_faces(FacePlan { strangers_in_max: 0.000_1, ..FacePlan::default() }));
    };
    let known = |site: &mut Site, similarity: f32| {
        // Tries are few within a while.
        site.clock.set(site.clock.now().plus_ms(2_000));
        let door = site.with_gate(|gate, now| {
            let act = gate.acted(Act::ButtonPressed);
            gate.recognise_frame(&mut Like(similarity), frame(1), act, now)
        });
        let tried = site.probe(&likeness(1, similarity)).template.is_some();
        assert_eq!(tried, matches!(door, Answer::Recognised(_)), "{similarity}: a try and the door say the same");
        tried
    };
    let all = [0.46, 0.48, 0.52, 0.56];
    enter(&mut site, 1);
    limit(&site);
    assert_eq!(all.map(|s| known(&mut site, s)), [false, true, true, true], "alone");
    enter(&mut site, 2);
    assert_eq!(all.map(|s| known(&mut site, s)), [false, false, true, true], "two: 1 in 10,000 each is too often");
    (3..=10).for_each(|n| drop(enter(&mut site, n)));
    assert_eq!(all.map(|s| known(&mut site, s)), [false, false, true, true], "ten");
    enter(&mut site, 11);
    assert_eq!(all.map(|s| known(&mut site, s)), [false, false, false, true], "eleven");
}

#[test]
fn beyond_the_sites_limit_a_card_comes_first_and_the_face_is_compared_with_its_template_only() {
    let mut site = Site::new();
    for n in 1..=3u8 {
        site.put(n, &person(u32::from(n)), "2027-01-31");
    }
    let limit = |site: &Site, strangers_in_max| {
        site.with_gate(|gate, _| gate.limit_faces(FacePlan { strangers_in_max, ..FacePlan::default() }));
    };
    // One in ten thousand a comparison: three people are three in ten thousand.
    limit(&site, 0.000_3);
    assert_eq!(shown(&site, 1), Answer::Recognised(DoorOpens::Yes), "met exactly");
    // A tenth and a twentieth of that at stricter thresholds.
    limit(&site, 0.000_015);
    assert_eq!(shown(&site, 1), Answer::Recognised(DoorOpens::Yes), "met exactly, at the strictest");
    limit(&site, 0.000_014);
    assert_eq!(shown(&site, 1), Answer::CardFirst);
    let probe = site.probe_request(&person(1));
    assert_eq!(site.refused(&probe), Refusal::CardFirst);
    let Reply::Health(health) = site.ask(&Request::Health) else { panic!("no health") };
    assert_eq!(health.faces_off, Some(crate::wire::message::FacesOff::CardFirst), "said to the station");

    // The station's try names the template.
    let one = |site: &Site, who: u32, template: u8| {
        let Request::Probe(probe) = site.probe_request(&person(who)) else { panic!("no probe") };
        Request::ProbeOne(crate::wire::message::ProbeOne { probe, template: [template; 16] })
    };
    let own = one(&site, 2, 2);
    let Reply::Probed(probed) = site.ask(&own) else { panic!("no answer") };
    assert_eq!(probed.template, Some([2; 16]));
    let others = one(&site, 2, 3);
    let Reply::Probed(probed) = site.ask(&others) else { panic!("no answer") };
    assert_eq!(probed.template, None, "a face is not looked up among the others");

    // At the door: the card, then the face of its holder and of nobody else.
    let card = CardUid::from_bytes(&[4, 0xa1, 0xb2, 0xc3]).unwrap();
    let look = |site: &Site, who: u8| {
        site.with_gate(|gate, now| {
            let act = gate.acted(Act::CardShown);
            gate.recognise_card_holder(&mut ByFirstPixel, frame(who), act, &card, now)
        })
    };
    assert_eq!(look(&site, 1), Answer::Unknown, "an unknown card stands for nobody");
    site.apply(What::PutCard(card.bytes().to_vec(), LAST_DAY));
    let bind = |template| {
        let card = vec![4, 0xa1, 0xb2, 0xc3];
        Request::BindCard(crate::wire::message::BindCard { template, card })
    };
    assert_eq!(site.ask(&bind([9; 16])), Reply::Bound(false), "nothing is held under this number");
    assert_eq!(site.ask(&bind([1; 16])), Reply::Bound(true));
    assert_eq!(look(&site, 1), Answer::Recognised(DoorOpens::Yes));
    assert_eq!(look(&site, 2), Answer::Unknown, "another enrolled person with this card");
    site.restart();
    site.ask(&Request::Health);
    assert_eq!(look(&site, 1), Answer::Recognised(DoorOpens::Yes));
    let opens = site.with_gate(|gate, now| gate.open_for_card(&card, now)).unwrap();
    assert_eq!(opens, Some(DoorOpens::Yes), "the card alone opens all the same");
    site.apply(What::EraseFace([1; 16]));
    assert_eq!(look(&site, 1), Answer::Unknown);
    let left = site.with_gate(|gate, _| {
        gate.store().connection().query_row("SELECT count(*) FROM bound", [], |row| row.get::<_, i64>(0)).unwrap()
    });
    assert_eq!(left, 0, "what the card stood for went with the face");
}
