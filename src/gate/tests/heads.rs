//! The gate as a witness of the station's log, over real TLS.

use ed25519_dalek::SigningKey;
use tlog_tiles::{Hash, HashReader, prove_tree, stored_hashes, tree_hash};

use super::support::*;
use crate::evidence::checkpoint::{self, Head};
use crate::evidence::head::cosigned_at;
use crate::gate::heads;
use crate::wire::message::{KeepHead, Refusal, Reply, Request};

/// A log of numbered records.
#[derive(Default)]
struct Log(Vec<Hash>);

impl HashReader for Log {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|i| self.0[usize::try_from(*i).unwrap()]).collect())
    }
}

impl Log {
    fn of(words: &[&str]) -> Self {
        let mut log = Self::default();
        for (n, word) in (0..).zip(words) {
            let hashes = stored_hashes(n, word.as_bytes(), &log).unwrap();
            log.0.extend(hashes);
        }
        log
    }

    fn offer(&self, key: &SigningKey, size: u64, from: u64) -> KeepHead {
        let root = tree_hash(size, self).unwrap().0;
        let note = checkpoint::sign(key, &Head { origin: ORIGIN.into(), size, root }).unwrap();
        let proof = if from == 0 { vec![] } else { prove_tree(size, from, self).unwrap() };
        KeepHead { note, key: key.verifying_key().to_bytes(), proof: proof.iter().flat_map(|h| h.0).collect() }
    }
}

const ORIGIN: &str = "menka.real/0102";

fn kept(site: &mut Site, offer: KeepHead) -> Head {
    let key = offer.key;
    let Reply::Head(Some(note)) = site.ask(&Request::KeepHead(offer)) else { panic!("no head") };
    cosigned_at(&note, &site.record.id.to_string(), &site.record.sign_key).unwrap();
    checkpoint::verify(&note, &key).unwrap()
}

#[test]
fn p69_a_gate_lets_a_head_be_replaced_only_by_one_that_continues_it() {
    let mut site = Site::new();
    let key = SigningKey::from_bytes(&[1; 32]);
    let log = Log::of(&["a", "b", "c", "d", "e"]);
    assert_eq!(site.ask(&Request::HeadOf(ORIGIN.into())), Reply::Head(None));
    assert_eq!(kept(&mut site, log.offer(&key, 3, 0)).size, 3);
    assert_eq!(kept(&mut site, log.offer(&key, 5, 3)).size, 5);
    // An older one, one without a proof, another log of more records, another key: the gate keeps what it has.
    let anew = Log::of(&["a", "b", "X", "d", "e", "f"]);
    let other = SigningKey::from_bytes(&[2; 32]);
    let grown = Log::of(&["a", "b", "c", "d", "e", "f"]);
    for offer in [log.offer(&key, 3, 0), grown.offer(&key, 6, 0), anew.offer(&key, 6, 5)] {
        assert_eq!(kept(&mut site, offer).size, 5);
    }
    let Reply::Head(Some(note)) = site.ask(&Request::KeepHead(grown.offer(&other, 6, 5))) else { panic!("no head") };
    assert_eq!(checkpoint::verify(&note, &key.verifying_key().to_bytes()).unwrap().size, 5);
    assert_eq!(kept(&mut site, grown.offer(&key, 6, 5)).size, 6);
    // Not signed as it says, of the other realm, too long, a proof that is cut: nothing is kept.
    let mut wrong = grown.offer(&key, 6, 5);
    wrong.key = other.verifying_key().to_bytes();
    assert_eq!(site.refused(&Request::KeepHead(wrong)), Refusal::Malformed);
    let mut wrong = grown.offer(&key, 6, 5);
    wrong.proof.pop();
    assert_eq!(site.refused(&Request::KeepHead(wrong)), Refusal::Malformed);
    let practice = Head { origin: "menka.practice/0102".into(), size: 1, root: [0; 32] };
    let note = checkpoint::sign(&key, &practice).unwrap();
    let offer = KeepHead { note, key: key.verifying_key().to_bytes(), proof: vec![] };
    assert_eq!(site.refused(&Request::KeepHead(offer)), Refusal::Realm);
}

#[test]
fn p69_a_kept_head_outlives_a_restart_and_is_set_aside_by_a_pairing_only() {
    let mut site = Site::new();
    let key = SigningKey::from_bytes(&[1; 32]);
    let log = Log::of(&["a", "b", "c"]);
    assert_eq!(kept(&mut site, log.offer(&key, 3, 0)).size, 3);
    site.restart();
    assert_eq!(kept(&mut site, log.offer(&key, 2, 0)).size, 3);
    site.pair_again();
    // A new connection: the station says hello again.
    site.restart();
    assert_eq!(site.ask(&Request::HeadOf(ORIGIN.into())), Reply::Head(None));
    assert_eq!(kept(&mut site, log.offer(&key, 2, 0)).size, 2);
    let all = site.with_gate(|gate, _| heads::all(gate.store())).unwrap();
    let list: Vec<(u64, bool)> =
        all.iter().map(|head| (checkpoint::verify(&head.note, &head.key).unwrap().size, head.aside)).collect();
    assert_eq!(list, [(2, false), (3, true)], "the earlier one can still be read at the gate");
}
