//! What a gate asks for before it seals a template to another gate, and what the other gate takes.

use ed25519_dalek::SigningKey;
use tlog_tiles::{Hash, HashReader, stored_hashes, tree_hash};

use super::support::*;
use crate::domain::Realm;
use crate::domain::consent::{ConsentDraft, Signature};
use crate::domain::guardian::Party;
use crate::domain::id::{ConsentId, GateId, ResidentId, SiteId, TemplateId};
use crate::domain::notice::{Language, NoticeRef};
use crate::domain::site::SiteFacts;
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::checkpoint::{self, Head};
use crate::evidence::consent::{ConsentFacts, consent_json};
use crate::evidence::introduction::{self, Introduction};
use crate::evidence::{Kind, statement};
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{KeepHead, Outcome, Refusal, Reply, Request, What};
use crate::wire::relay::{PassOn, PutPassed, Want};

const SITE: SiteId = SiteId::from_bytes([0x51; 16]);

struct OneRecord(Vec<Hash>);

impl HashReader for OneRecord {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|i| self.0[usize::try_from(*i).unwrap()]).collect())
    }
}

/// The gate keeps a head of the station's log, and with it the log's key.
fn keep_head(site: &mut Site, key: &SigningKey) {
    keep_head_of(site, key, format!("menka.real/{SITE}"));
}

fn keep_head_of(site: &mut Site, key: &SigningKey, origin: String) {
    let log = OneRecord(stored_hashes(0, b"a", &OneRecord(vec![])).unwrap());
    let root = tree_hash(1, &log).unwrap().0;
    let head = Head { origin, size: 1, root };
    let note = checkpoint::sign(key, &head).unwrap();
    let offer = KeepHead { note, key: key.verifying_key().to_bytes(), proof: vec![] };
    assert!(matches!(site.ask(&Request::KeepHead(offer)), Reply::Head(Some(_))));
}

/// A signed consent record for a template, naming gates.
fn record_of(key: &SigningKey, template: [u8; 16], gates: &[GateId]) -> Vec<u8> {
    let resident = ResidentId::from_bytes([5; 16]);
    let notice = NoticeRef { id: "x".into(), version: "1".into(), language: Language::Chinese, sha256: [1; 32] };
    let draft = ConsentDraft {
        resident,
        notice,
        sentence: "同意".into(),
        gates: gates.to_vec(),
        ends_on: CivilDate::parse("2027-01-31").unwrap(),
        signature: Signature::TypedName("本人".into()),
        signed_at: NOON,
        party: Party::Own,
        reading: None,
    };
    let facts = SiteFacts::default();
    let json = consent_json(&ConsentFacts {
        consent: ConsentId::from_bytes([6; 16]),
        template: TemplateId::from_bytes(template),
        draft: &draft,
        facts: &facts,
        site: SITE,
        realm: Realm::Real,
    });
    statement::sign(key, Kind::Consent, &json).unwrap()
}

fn introduce(key: &SigningKey, gate: GateId, seal_key: [u8; 32], replaces: Vec<GateId>, at: Timestamp) -> Vec<u8> {
    introduction::sign(key, &Introduction { realm: Realm::Real, gate, seal_key, replaces, at }).unwrap()
}

fn ask(introduction: Vec<u8>, consent: Vec<u8>, op: u8) -> Request {
    Request::PassOn(PassOn { introduction, wants: vec![Want { op: [op; 16], template: [1; 16], consent }] })
}

#[test]
fn l2_6_a_gate_that_was_paired_after_a_restore_knows_the_logs_key_by_the_head_that_it_has() {
    let (key, stranger) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
    let (mut from, to) = (Site::new(), Site::new());
    from.put(1, &person(1), "2027-01-31");
    let (here, there) = (from.record.id, to.record.id);
    let named = record_of(&key, [1; 16], &[here, there]);
    let word = introduce(&key, there, to.record.seal_key, vec![], NOON);
    // Of another site, whose name begins alike.
    keep_head_of(&mut from, &key, format!("menka.real/{SITE}0"));
    assert_eq!(from.refused(&ask(word.clone(), named.clone(), 1)), Refusal::NotAuthorised);
    keep_head_of(&mut from, &key, format!("menka.real/{SITE}/1"));
    let Reply::PassedOn(passed) = from.ask(&ask(word.clone(), named.clone(), 1)) else { panic!("not passed on") };
    assert!(passed[0].put.is_some());
    keep_head_of(&mut from, &key, format!("menka.real/{SITE}/2"));
    assert!(matches!(from.ask(&ask(word.clone(), named.clone(), 2)), Reply::PassedOn(_)));
    // A head of the same site under another key: one of the two is not the station's.
    keep_head_of(&mut from, &stranger, format!("menka.real/{SITE}/3"));
    assert_eq!(from.refused(&ask(word, named.clone(), 3)), Refusal::NotAuthorised);
    let theirs = introduce(&stranger, there, to.record.seal_key, vec![], NOON);
    assert_eq!(from.refused(&ask(theirs, record_of(&stranger, [1; 16], &[here, there]), 4)), Refusal::NotAuthorised);
}

#[test]
fn l2_6_a_template_is_passed_on_only_by_the_logs_own_word_and_only_to_a_gate_that_its_consent_names() {
    let (key, stranger) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
    let mut from = Site::new();
    let mut to = Site::new();
    from.put(1, &person(1), "2027-01-31");
    let (here, there) = (from.record.id, to.record.id);
    let seal = to.record.seal_key;
    let good = || introduce(&key, there, seal, vec![], NOON);
    let named = record_of(&key, [1; 16], &[here, there]);
    // Before the gate knows the log's key nothing is believed.
    assert_eq!(from.refused(&ask(good(), named.clone(), 1)), Refusal::NotAuthorised);
    keep_head(&mut from, &key);
    for (why, introduction) in [
        ("signed by another key", introduce(&stranger, there, seal, vec![], NOON)),
        ("too old", introduce(&key, there, seal, vec![], NOON.plus_ms(-HOUR))),
        ("from the future", introduce(&key, there, seal, vec![], NOON.plus_ms(HOUR))),
        ("of itself", introduce(&key, here, seal, vec![], NOON)),
        ("of one that replaces it", introduce(&key, there, seal, vec![here], NOON)),
        ("a consent record in its place", named.clone()),
        ("nothing", vec![]),
    ] {
        assert_eq!(from.refused(&ask(introduction, named.clone(), 1)), Refusal::NotAuthorised, "{why}");
    }
    let pass = |site: &mut Site, introduction, consent, op| match site.ask(&ask(introduction, consent, op)) {
        Reply::PassedOn(mut passed) => passed.pop().unwrap(),
        other => panic!("no answer: {other:?}"),
    };
    for (why, consent) in [
        ("names only this gate", record_of(&key, [1; 16], &[here])),
        ("for another template", record_of(&key, [2; 16], &[here, there])),
        ("signed by another key", record_of(&stranger, [1; 16], &[here, there])),
        ("nothing", vec![]),
    ] {
        assert_eq!(pass(&mut from, good(), consent, 1).put, None, "{why}");
    }
    // The gate that it replaces is named: that is its door.
    let old = GateId::from_bytes([0x77; 16]);
    let replaces = introduce(&key, there, seal, vec![old], NOON);
    let for_old = record_of(&key, [1; 16], &[here, old]);
    assert!(pass(&mut from, replaces, for_old.clone(), 2).put.is_some());
    assert_eq!(pass(&mut from, good(), for_old, 2).put, None, "and only while it is said to replace it");

    let passed = pass(&mut from, good(), named.clone(), 3);
    let put = passed.put.unwrap();
    let (sender, record) = (from.record.seal_key, to.record.clone());
    let good_put = PutPassed { put: put.clone(), from: *here.bytes(), from_seal: sender };
    // Nobody else's word for it, and for nobody else.
    let mut forged = good_put.clone();
    forged.from_seal = IdentityKeys::make(Realm::Real).unwrap().seal_public();
    assert_eq!(to.refused(&Request::PutPassed(forged)), Refusal::Envelope);
    let mut moved = good_put.clone();
    moved.from = [0x66; 16];
    assert_eq!(to.refused(&Request::PutPassed(moved)), Refusal::Envelope);
    assert_eq!(to.refused(&Request::PutFace(put.clone())), Refusal::Envelope, "it is not the station's");
    let mut longer = good_put.clone();
    longer.put.ends_on += 1;
    assert_eq!(to.refused(&Request::PutPassed(longer)), Refusal::Envelope);
    // Nor before a card was seen to open there.
    to.with_gate(|gate, _| gate.store().connection().execute("DELETE FROM card_way", []).unwrap());
    assert_eq!(to.refused(&Request::PutPassed(good_put.clone())), Refusal::CardWay);
    to.with_gate(|gate, _| gate.store().note_card_way(NOON).unwrap());
    let receipt = to.done(&Request::PutPassed(good_put.clone()));
    assert_eq!((receipt.outcome, receipt.stored_digest), (Outcome::FaceStored, passed.digest));
    assert_eq!(to.done(&Request::PutPassed(good_put.clone())), receipt, "the same receipt again");
    assert_eq!(to.probe(&person_again(1)).template, Some([1; 16]));
    assert_eq!(to.record, record);
    // Sealed anew it is another operation, under a number that is held.
    let again = pass(&mut from, good(), named.clone(), 4).put.unwrap();
    let again = PutPassed { put: again, ..good_put.clone() };
    let said = to.done(&Request::PutPassed(again.clone()));
    assert_eq!((said.outcome, said.stored_digest), (Outcome::FaceStored, passed.digest), "it is held already");
    let again = pass(&mut from, good(), named.clone(), 7).put.unwrap();
    let again = PutPassed { put: again, ..good_put.clone() };

    // A face that rests stays where it is; one that is erased is nowhere.
    from.apply(What::FreezeFace([1; 16]));
    assert_eq!(pass(&mut from, good(), named.clone(), 5).put, None);
    from.apply(What::EraseFace([1; 16]));
    assert_eq!(pass(&mut from, good(), named, 6).put, None);
    to.apply(What::EraseFace([1; 16]));
    assert_eq!(to.refused(&Request::PutPassed(again)), Refusal::Spent, "nor does it come back");
    assert_eq!(to.done(&Request::PutPassed(PutPassed { put, ..good_put })), receipt, "a repeat gets its old receipt");
    assert_eq!(to.probe(&person_again(1)).template, None, "and stores nothing");
}
