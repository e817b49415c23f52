//! The test vectors of `docs/evidence.md`: made here from fixed keys, compared byte for byte with the document and with
//! the files under `tests/vectors`. `MENKA_BLESS=1 cargo test --features practice --lib evidence::vector_tests` writes them
//! anew.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};
use tlog_tiles::{Hash, HashReader, prove_record, prove_tree, record_hash, stored_hashes, tree_hash};

use super::bundle::{self, Bundle};
use super::checkpoint::{self, Head};
use super::consent::{ConsentFacts, consent_json};
use super::export::{self, Elsewhere, Footer, Header, Kept, Witnessed};
use super::head::{self, Short};
use super::opening::{Entry, Opening};
use super::record::Draft;
use super::showing::Showing;
use super::statement::{self, Kind};
use super::step::{Failed, Step};
use super::{hex, unhex};
use crate::domain::Realm;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::{ConsentDraft, Signature};
use crate::domain::id::{ConsentId, GateId, ResidentId, ShowingId, SiteId, StaffId, TemplateId};
use crate::domain::notice::{Language, NoticeRef, NoticeShown};
use crate::domain::site::SiteFacts;
use crate::domain::time::{CivilDate, Timestamp};

const BEGIN: &str = "<!-- vectors: begin -->\n";
const END: &str = "<!-- vectors: end -->";
const AT: i64 = 1_795_276_800_000;
const ORIGIN: &str = "menka.real/06060606-0606-0606-0606-060606060606";
const TEXT: &str = "# 告知书\n\n不录人脸也能进门。\n";

#[derive(Default)]
struct Tree(Vec<Hash>);

impl HashReader for Tree {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|i| self.0[usize::try_from(*i).unwrap()]).collect())
    }
}

/// Everything there is, made from fixed keys.
struct Made {
    station: SigningKey,
    gate: SigningKey,
    records: Vec<(Vec<u8>, Option<Opening>)>,
    tree: Tree,
    showing: Vec<u8>,
    cose: Vec<u8>,
}

fn make() -> Made {
    let (station, gate) = (SigningKey::from_bytes(&[7; 32]), SigningKey::from_bytes(&[8; 32]));
    let (resident, staff) = (ResidentId::from_bytes([1; 16]), StaffId::from_bytes([2; 16]));
    let (showing_id, gate_id) = (ShowingId::from_bytes([3; 16]), GateId::from_bytes([4; 16]));
    let sha256 = Sha256::digest(TEXT.as_bytes()).into();
    let notice = NoticeRef { id: "MK-N1".into(), version: "1.0".into(), language: Language::Chinese, sha256 };
    let opened_at = Timestamp::from_ms(AT + 2_000);
    let shown = NoticeShown { id: showing_id, resident, notice: notice.clone(), opened_at, reached_end_at: None };
    let inputs = BTreeMap::from([("site_name".to_owned(), "安和家园".to_owned())]);
    let showing = Showing::new(&shown, Some(150), &inputs).to_bytes();
    let (consent, template) = (ConsentId::from_bytes([5; 16]), TemplateId::from_bytes([9; 16]));
    let draft = ConsentDraft {
        resident,
        notice,
        sentence: "我同意".into(),
        gates: vec![gate_id],
        ends_on: CivilDate::from_epoch_days(20_900),
        signature: Signature::TypedName("王小明".into()),
        signed_at: Timestamp::from_ms(AT + 4_000),
        party: crate::domain::guardian::Party::Own,
        reading: None,
    };
    let (facts, site) = (SiteFacts::default(), SiteId::from_bytes([6; 16]));
    let json =
        consent_json(&ConsentFacts { consent, template, draft: &draft, facts: &facts, site, realm: Realm::Real });
    let cose = statement::sign(&station, Kind::Consent, &json).unwrap();
    let digest = |bytes: &[u8]| Some(Sha256::digest(bytes).into());
    let events = [
        (Actor::Station, AuditEvent::VaultCreated, None),
        (Actor::Staff(staff), AuditEvent::GatePaired(gate_id), None),
        (Actor::Resident(resident), AuditEvent::NoticeOpened(showing_id), digest(&showing)),
        (Actor::Resident(resident), AuditEvent::NoticeReachedEnd(showing_id), None),
        (Actor::Resident(resident), AuditEvent::Consented(consent), digest(&cose)),
    ];
    let mut made = Made { station, gate, records: vec![], tree: Tree::default(), showing, cose };
    for (n, (who, event, digest)) in (0u64..).zip(events) {
        let at = Timestamp::from_ms(AT + i64::try_from(n).unwrap() * 1_000);
        let salt = [0xA0 + u8::try_from(n).unwrap(); 32];
        let public = |id: &str| id == gate_id.to_string() || id == staff.to_string();
        let (record, opening) = Draft::new(who, &event, None, digest).seal(n, at, salt, public);
        let bytes = record.to_bytes();
        let hashes = stored_hashes(n, &bytes, &made.tree).unwrap();
        made.tree.0.extend(hashes);
        made.records.push((bytes, opening));
    }
    made
}

impl Made {
    fn key(&self) -> [u8; 32] {
        self.station.verifying_key().to_bytes()
    }

    fn head(&self, size: u64) -> Head {
        Head { origin: ORIGIN.into(), size, root: tree_hash(size, &self.tree).unwrap().0 }
    }

    fn note(&self, size: u64) -> String {
        checkpoint::sign(&self.station, &self.head(size)).unwrap()
    }

    fn cosigned(&self, size: u64) -> String {
        let public = self.gate.verifying_key().to_bytes();
        let gate = GateId::from_bytes([4; 16]).to_string();
        head::cosign(&self.note(size), &gate, &public, 1_795_276_860, |m| self.gate.sign(m).to_bytes()).unwrap()
    }

    fn entry(&self, n: usize) -> Entry {
        let (bytes, opening) = &self.records[n];
        let proof = prove_record(5, n as u64, &self.tree).unwrap();
        Entry::new(bytes, opening.as_ref().unwrap(), &proof.iter().map(|h| h.0).collect::<Vec<_>>()).unwrap()
    }

    fn bundle(&self) -> Vec<u8> {
        let bundle = Bundle {
            schema: bundle::SCHEMA.into(),
            made_at: AT + 60_000,
            station_key: hex(&self.key()),
            text: TEXT.into(),
            showing: String::from_utf8(self.showing.clone()).unwrap(),
            shown: self.entry(2),
            read: Some(self.entry(3)),
            consent: Some(hex(&self.cose)),
            consented: Some(self.entry(4)),
            head: self.note(5),
            signature: String::new(),
        };
        bundle.sign(&self.station).to_bytes()
    }

    fn export(&self) -> String {
        let records: Vec<Vec<u8>> = self.records.iter().map(|(bytes, _)| bytes.clone()).collect();
        let header = Header {
            schema: export::SCHEMA.into(),
            origin: ORIGIN.into(),
            station_key: hex(&self.key()),
            size: 5,
            made_at: AT + 70_000,
            authority: "××区公安分局".into(),
            case_number: "2026-17".into(),
        };
        let gate = GateId::from_bytes([4; 16]).to_string();
        let kept = Kept { gate, gate_key: hex(&self.gate.verifying_key().to_bytes()), note: self.cosigned(3) };
        let footer = Footer {
            leaves: records.iter().map(|r| hex(&record_hash(r).0)).collect(),
            heads: vec![self.note(3)],
            kept: vec![kept],
            head: self.note(5),
            signature: String::new(),
        };
        export::write(&header, &records, footer, &self.station)
    }

    fn text(&self) -> String {
        let mut out = String::from("\n```text\n");
        let mut line = |name: &str, value: &str| writeln!(out, "{name} = {value}").unwrap();
        line("station: Ed25519 seed", &hex(&[7; 32]));
        line("station: public key", &hex(&self.key()));
        line("gate: Ed25519 seed", &hex(&[8; 32]));
        line("gate: public key", &hex(&self.gate.verifying_key().to_bytes()));
        for (n, (bytes, opening)) in self.records.iter().enumerate() {
            line(&format!("record {n}"), std::str::from_utf8(bytes).unwrap());
            if let Some(opening) = opening {
                let bytes = opening.to_bytes();
                line(&format!("record {n}: salt"), &hex(&bytes[..32]));
                line(&format!("record {n}: detail"), std::str::from_utf8(&bytes[32..]).unwrap());
            }
            line(&format!("record {n}: leaf hash"), &hex(&record_hash(bytes).0));
        }
        line("root of 3", &hex(&self.head(3).root));
        line("root of 5", &hex(&self.head(5).root));
        let proof: Vec<String> = prove_tree(5, 3, &self.tree).unwrap().iter().map(|h| hex(&h.0)).collect();
        line("consistency proof 3 to 5", &proof.join(" "));
        line("head of 5 in one line", &head::line(&self.note(5), &self.key()).unwrap());
        line("head of 5, short", &Short::of(&self.head(5)).to_string());
        writeln!(out, "```\n\nThe head of 5 as a signed note:\n\n```text\n{}```", self.note(5)).unwrap();
        writeln!(out, "\nThe head of 3, kept by the gate since 1795276860:\n\n```text\n{}```", self.cosigned(3))
            .unwrap();
        out
    }
}

#[test]
fn p69_the_vectors_in_the_document_are_those_of_the_code() {
    let made = make();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let document = format!("{root}docs/evidence.md");
    let written = std::fs::read_to_string(&document).unwrap();
    let (before, rest) = written.split_once(BEGIN).unwrap();
    let (vectors, after) = rest.split_once(END).unwrap();
    let files = [
        ("replay.json", made.bundle()),
        ("log.jsonl", made.export().into_bytes()),
        ("station.key", format!("{}\n", hex(&made.key())).into_bytes()),
        ("consent.cose", made.cose.clone()),
    ];
    if std::env::var_os("MENKA_BLESS").is_some() {
        std::fs::write(&document, [before, BEGIN, &made.text(), END, after].concat()).unwrap();
        for (name, bytes) in &files {
            std::fs::write(format!("{root}tests/vectors/{name}"), bytes).unwrap();
        }
        return;
    }
    assert_eq!(vectors, made.text());
    for (name, bytes) in files {
        assert!(std::fs::read(format!("{root}tests/vectors/{name}")).unwrap() == bytes, "{name}");
    }
}

#[test]
fn p14_one_changed_character_anywhere_in_a_replay_file_is_refused_and_the_step_is_named() {
    let made = make();
    let (bytes, key) = (made.bundle(), made.key());
    let read = bundle::verify(&bytes, &key).unwrap();
    assert_eq!((read.text.as_str(), read.head.size), (TEXT, 5));
    let mut steps = std::collections::BTreeSet::new();
    // Every fifth byte: all of them take half a minute without optimisation.
    for at in (0..bytes.len()).step_by(5) {
        let mut changed = bytes.clone();
        changed[at] ^= if changed[at] == b'1' { 2 } else { 1 };
        steps.insert(bundle::verify(&changed, &key).map(|_| at).unwrap_err().0);
    }
    use Step as S;
    for step in [S::Shape, S::Key, S::Text, S::Showing, S::ReadToEnd, S::Consent, S::Head, S::Inclusion, S::Seal] {
        assert!(steps.contains(&step), "{step:?} was never the one: {steps:?}");
    }
    for cut in (0..bytes.len()).step_by(97) {
        assert_eq!(bundle::verify(&bytes[..cut], &key), Err(Failed(S::Shape)));
    }
    // Parts of two genuine files do not go together.
    let text = String::from_utf8(bytes).unwrap();
    let mut mixed: Bundle = serde_json::from_str(&text).unwrap();
    (mixed.consent, mixed.consented) = (None, mixed.consented);
    assert_eq!(bundle::verify(&mixed.sign(&made.station).to_bytes(), &key), Err(Failed(S::ConsentFits)));
    let mut other: Bundle = serde_json::from_str(&text).unwrap();
    other.read = Some(made.entry(2));
    assert_eq!(bundle::verify(&other.sign(&made.station).to_bytes(), &key), Err(Failed(S::ReadToEnd)));
}

#[test]
fn p63_one_changed_byte_anywhere_in_an_exported_log_is_refused() {
    let made = make();
    let (text, key) = (made.export(), made.key());
    let read = export::verify(text.as_bytes(), &key, &[]).unwrap();
    assert_eq!((read.head, read.kept.len(), read.witnessed_to), (made.head(5), 1, None));
    let bytes = text.as_bytes();
    for at in (0..bytes.len()).step_by(3) {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        assert!(export::verify(&changed, &key, &[]).is_err(), "byte {at}");
    }
    // A record that was edited, removed, or put in another place is told by its position.
    let lines: Vec<&str> = text.lines().collect();
    let with = |lines: Vec<&str>| format!("{}\n", lines.join("\n"));
    let mut edited = lines.clone();
    let other = lines[2].replace("gate-paired", "gate-retried");
    edited[2] = &other;
    let refused = export::verify(with(edited).as_bytes(), &key, &[]).unwrap_err();
    assert_eq!((refused.step, refused.at), (Step::Hashes, vec![1]));
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    assert_eq!(export::verify(with(swapped).as_bytes(), &key, &[]).unwrap_err().at, [2, 3]);
    let mut shorter = lines;
    shorter.remove(3);
    assert_eq!(export::verify(with(shorter).as_bytes(), &key, &[]).unwrap_err().step, Step::Records);
}

#[test]
fn p69_heads_from_elsewhere_are_read_in_every_form() {
    let made = make();
    let key = made.key();
    let at = |size| (size <= 5).then(|| made.head(size));
    let short = Short::of(&made.head(3)).to_string();
    let line = head::line(&made.note(3), &key).unwrap();
    assert_eq!(head::note_of(&line, &key).unwrap(), made.note(3));
    for text in [short.clone(), short.to_lowercase().replace('-', " "), line.clone(), made.note(3), made.cosigned(3)] {
        let read = Elsewhere::parse(&text, &key).unwrap();
        assert_eq!(read.judge(5, at), Witnessed::Fits { size: 3 }, "{text}");
        assert_eq!(read.judge(2, at), Witnessed::Ahead { kept: 3, here: 2 });
        assert_eq!(read.judge(5, |size| at(size + 1)), Witnessed::Differs { kept: 3 });
    }
    // A slip of the hand is told from a log that does not fit.
    for (n, letter) in short.char_indices().skip(6).filter(|(_, c)| *c != '-') {
        let mut typed = short.clone();
        typed.replace_range(n..=n, if letter == '7' { "8" } else { "7" });
        assert!(Short::parse(&typed).is_err(), "{typed}");
    }
    for junk in ["", "MK1", "MK1-3", "MK1-3-", "MK2-3-AAAAA", "menka-head-1", "menka-head-1 a b c d", "号"] {
        assert!(Elsewhere::parse(junk, &key).is_err(), "{junk}");
    }
    let other = SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes();
    assert!(Elsewhere::parse(&line, &other).is_err());
    let gate = GateId::from_bytes([4; 16]).to_string();
    let gate_key = made.gate.verifying_key().to_bytes();
    assert_eq!(head::cosigned_at(&made.cosigned(3), &gate, &gate_key), Ok(1_795_276_860));
    assert!(head::cosigned_at(&made.note(3), &gate, &gate_key).is_err());
    assert!(head::cosigned_at(&made.cosigned(3), &gate, &key).is_err());
    assert_eq!(unhex("0g"), None);
}
