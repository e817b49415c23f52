//! What is due at a gate, when, and in which order: a queue with every kind of operation in it, queued the wrong way round, and the comparison that
//! comes by the clock alone. The desk's own courier over the real line, with the test's clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use menka::app::command::StaffCommand;
use menka::app::courier::{Courier, Shared};
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::consent::EraseReason;
use menka::domain::gate::GateRecord;
use menka::domain::id::GateId;
use menka::domain::relay::DriftKind;
use menka::domain::time::Timestamp;
use menka::gate::place::Place;
use menka::lan::TlsLink;
use menka::ports::only_asked::{Answers, OnlyAsked};
use menka::ports::{Clock, GateLink, LinkError};
use menka::practice::practice_card;
use menka::practice::site::PASSPHRASE;
use menka::secret::Passphrase;
use menka::vault::Vault;
use menka::wire::batch::Step;
use menka::wire::keys::IdentityKeys;
use menka::wire::message::{Apply, Refusal, Reply, Request, What};

use super::relay::{Site, site};

const MINUTE: i64 = 60_000;

/// A link that writes down what the gate is told to do. A gate of the first revisions takes no batch.
struct Written {
    inner: TlsLink,
    takes_batches: bool,
    told: Arc<Mutex<Vec<([u8; 16], &'static str)>>>,
}

impl Answers for Written {
    fn answer(&mut self, gate: &GateRecord, request: &Request, limit: Duration) -> Result<Reply, LinkError> {
        let one = |apply: &Apply| self.told.lock().unwrap().push((apply.op, name(&apply.what)));
        match request {
            Request::Batch(_) | Request::Orders(_) if !self.takes_batches => {
                return Ok(Reply::Refused(Refusal::Malformed));
            }
            Request::Batch(steps) | Request::Orders(steps) => {
                for step in steps {
                    if let Step::Apply(apply) = step {
                        one(apply);
                    }
                }
            }
            Request::Apply(apply) => one(apply),
            _ => {}
        }
        self.inner.ask(gate, request, limit)
    }
}

fn name(what: &What) -> &'static str {
    match what {
        What::StopFaces => "stop all faces",
        What::EraseFace(_) => "erase",
        What::FreezeFace(_) => "freeze",
        What::RemoveCard(_) => "remove a card",
        What::PutCard(..) => "put a card",
        _ => "other",
    }
}

/// The vault of a locked desk, and a courier on it over the real line that says what it tells gates.
fn courier(site: &Site, takes_batches: bool) -> (Vault, Courier, Arc<Mutex<Vec<([u8; 16], &'static str)>>>) {
    let passphrase = Passphrase::new(PASSPHRASE.into());
    let vault = Vault::unlock(site.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap();
    let keys = IdentityKeys::from_bytes(&vault.identity_bytes().unwrap().unwrap()).unwrap();
    let told = Arc::new(Mutex::new(vec![]));
    let inner = TlsLink::new(Arc::new(keys), vault.site());
    let link = OnlyAsked(Written { inner, takes_batches, told: Arc::clone(&told) });
    let beside = vault.second_connection().unwrap();
    let courier = Courier::new(beside, Box::new(link), menka::boards::links()(), Arc::new(Shared::default()));
    (vault, courier, told)
}

#[test]
fn stops_go_first_then_erasures_pauses_cards_taken_back_and_new_ones_whatever_was_said_first() {
    for takes_batches in [true, false] {
        let mut site = site(1);
        let (withdraws, pauses) = (site.enrolled(0), site.enrolled(1));
        let card = |site: &mut Site, n: usize| {
            let resident = site.drive.add(&format!("住户{n}"), &format!("8-{n}")).unwrap();
            site.drive.issue(resident, n).unwrap();
            site.drive.staff(StaffCommand::CloseResident);
            resident
        };
        let leaves = card(&mut site, 2);
        site.until("all in step", |s| s.drive.gates.iter().all(|g| g.in_step == Some(true) && g.pending == 0));
        let address = site.gates[0].address.clone();
        site.gates[0].kill();
        site.until("the gate to be away", |s| s.drive.gates.iter().any(|g| !g.reachable));

        // The new card is first said, and tried in vain; the stop comes last.
        card(&mut site, 3);
        site.passes(2);
        let gate = site.id_of(0);
        site.drive.staff(StaffCommand::Lock);
        let now = SystemClock.now();
        let (mut vault, mut courier, told) = courier(&site, takes_batches);
        let by = vault.who();
        vault.end_card(leaves, now).unwrap();
        vault.pause_face(pauses, by, now).unwrap();
        vault.end_consent(withdraws, EraseReason::Withdrawn, now).unwrap();
        vault.stop_faces(None, by, now).unwrap();

        site.gates[0].restart(&address).unwrap();
        // What was tried in vain rests a while.
        for round in 1..4 {
            courier.pass(now.plus_ms(round * 70_000)).unwrap();
        }
        let mut first: Vec<([u8; 16], &str)> = vec![];
        for (op, what) in told.lock().unwrap().iter() {
            if first.iter().all(|(known, _)| known != op) {
                first.push((*op, what));
            }
        }
        let order: Vec<&str> = first.into_iter().map(|(_, what)| what).collect();
        assert_eq!(order, ["stop all faces", "erase", "freeze", "remove a card", "put a card"], "{takes_batches}");
        assert!(!vault.something_waits(gate).unwrap(), "and all of it was signed for");
        assert_eq!(site.gates[0].faces().unwrap(), 1);
        assert!(!site.gates[0].opens_for(&practice_card(2).unwrap()).unwrap());
        assert!(site.gates[0].opens_for(&practice_card(3).unwrap()).unwrap());
    }
}

#[test]
fn a_gate_is_compared_every_hour_though_nobody_said_that_anything_changed() {
    let mut site = site(1);
    site.enrolled(0);
    site.until("in step", |s| s.drive.gates.iter().all(|g| g.in_step == Some(true) && g.pending == 0));
    site.drive.staff(StaffCommand::Lock);
    let (vault, mut courier, told) = courier(&site, true);
    let gate = vault.gates().unwrap()[0].id;
    let drift = |courier: &Courier, gate: GateId| -> Vec<DriftKind> {
        let (gates, _) = courier.shared().gates();
        gates.iter().filter(|seen| seen.id == gate).flat_map(|seen| &seen.drift).map(|line| line.kind).collect()
    };
    let begun = SystemClock.now();
    courier.pass(begun).unwrap();
    assert_eq!(drift(&courier, gate), vec![]);

    // The owner of the machine takes the row away from under the program: nothing is logged, and the gate says what it always said.
    assert_eq!(vault.edit_unnoticed("DELETE FROM held").unwrap(), 1);
    let at = |minutes: i64| -> Timestamp { begun.plus_ms(minutes * MINUTE) };
    for minutes in [1, 20, 40, 59] {
        courier.pass(at(minutes)).unwrap();
        assert_eq!(drift(&courier, gate), vec![], "after {minutes} minutes nothing says that anything changed");
    }
    courier.pass(at(61)).unwrap();
    assert_eq!(drift(&courier, gate), [DriftKind::FaceLeftOver], "an alarm, with what it is");
    let place = Place::new(&site.gates[0].folder, None);
    let faces = || place.open_beside(Realm::Practice).unwrap().faces().unwrap();
    // What must not be there is erased without a press.
    courier.pass(at(62)).unwrap();
    courier.pass(at(63)).unwrap();
    assert_eq!(faces(), 0);
    assert!(told.lock().unwrap().iter().any(|(_, what)| *what == "erase"));
    assert_eq!(drift(&courier, gate), vec![]);
}
