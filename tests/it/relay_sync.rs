//! What a lost answer, a crash and a pause in the wrong order may cost a person: nothing. Over real gate processes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use menka::app::command::StaffCommand;
use menka::app::courier::{Courier, Shared};
use menka::app::event::FaceState;
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::audit::Actor;
use menka::domain::gate::GateRecord;
use menka::domain::id::{GateId, OpId};
use menka::domain::role::LookWhy;
use menka::gate::place::Place;
use menka::lan::TlsLink;
use menka::ports::only_asked::{Answers, OnlyAsked};
use menka::ports::{Clock, GateLink, LinkError};
use menka::secret::random_bytes;
use menka::wire::envelope::seal_face;
use menka::wire::keys::IdentityKeys;
use menka::wire::message::{Health, Holdings, Refusal, Reply, Request};
use menka::wire::receipt::request_digest;

use super::relay::site;
use super::vault::site::{NOW, new_vault};

const LIMIT: Duration = Duration::from_secs(5);

#[test]
fn a_face_that_a_gate_took_while_the_desk_died_is_recorded_by_its_receipt_and_not_erased() {
    let mut site = site(2);
    // No gate takes a face before a card was seen to open there.
    let first = site.drive.add("先到", "9-8").unwrap();
    site.drive.issue(first, 5).unwrap();
    site.drive.staff(StaffCommand::CloseResident);
    site.until("the card way", |s| s.drive.gates.iter().all(|g| g.card_way_tested && g.pending == 0));
    let address = site.gates[1].address.clone();
    site.gates[1].kill();
    site.until("the second gate to be away", |s| s.drive.gates.iter().any(|g| !g.reachable));
    let resident = site.enrolled(0);
    site.gates[1].restart(&address).unwrap();
    let second = site.id_of(1);
    // By hand, what a desk does that dies after the gate has answered.
    let store = Place::new(&site.gates[0].folder, None).open_beside(Realm::Practice).unwrap();
    site.vault(|vault| {
        let now = SystemClock.now();
        let granted = vault.granted_now(resident, now).unwrap().unwrap();
        let face = store.handed_over(granted.template().bytes()).unwrap().unwrap().face;
        let keys = Arc::new(IdentityKeys::from_bytes(&vault.identity_bytes().unwrap().unwrap()).unwrap());
        let gate = vault.gates().unwrap().into_iter().find(|gate| gate.id == second).unwrap();
        let op = OpId::from_bytes(random_bytes());
        let request = Request::PutFace(seal_face(&granted, &face, &gate, &keys, op).unwrap());
        vault.record_face_sent(&granted, second, (op, request_digest(&request)), now).unwrap();
        let mut link = TlsLink::new(keys, vault.site());
        let reply = link.ask(&gate, &request, LIMIT).unwrap();
        assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
        assert_eq!(vault.faces_held(resident).unwrap().len(), 1, "not recorded");
    });
    site.until("the receipt", |s| s.vault(|v| v.faces_held(resident).unwrap().len() == 2));
    site.until("both in step", |s| s.drive.gates.iter().all(|g| g.in_step == Some(true)));
    assert_eq!(site.gates[1].ask("look 0").unwrap(), "recognised");
    site.vault(|v| {
        assert!(v.granted_now(resident, SystemClock.now()).unwrap().is_some(), "the person need not begin anew");
        assert_eq!(v.erasures_pending().unwrap(), vec![]);
        assert!(v.faces_lost(second).unwrap().is_empty());
    });
}

#[test]
fn a_pause_that_reaches_a_gate_before_the_face_does_costs_the_person_nothing() {
    let mut site = site(2);
    let address = site.gates[1].address.clone();
    site.gates[1].kill();
    site.until("the second gate to be away", |s| s.drive.gates.iter().any(|g| !g.reachable));
    let resident = site.enrolled(0);
    site.vault(|v| assert!(v.pause_face(resident, Actor::Station, SystemClock.now()).unwrap()));
    site.gates[1].restart(&address).unwrap();
    site.until("the pause at both gates", |s| s.drive.gates.iter().all(|g| g.reachable && g.pending == 0));
    assert_eq!([0, 1].map(|n| site.gates[n].faces().unwrap()), [1, 0]);
    assert_eq!(site.gates[0].ask("look 0").unwrap(), "unknown", "paused");
    site.vault(|v| assert!(v.resume_face(resident, Actor::Station, SystemClock.now()).unwrap()));
    site.until("the face at both gates", |s| s.gates[1].faces().unwrap() == 1);
    site.until("both in step", |s| s.drive.gates.iter().all(|g| g.in_step == Some(true) && g.pending == 0));
    for gate in 0..2 {
        assert_eq!(site.gates[gate].ask("look 0").unwrap(), "recognised", "gate {gate}");
    }
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Request));
    let FaceState::Held { gates, .. } = site.drive.opened.clone().unwrap().face else { panic!("not held") };
    assert_eq!(gates.len(), 2);
}

/// Gates of which one answers; counts the questions to each.
struct OneAnswers {
    there: GateId,
    asked: Arc<Mutex<BTreeMap<GateId, u32>>>,
}

impl Answers for OneAnswers {
    fn answer(&mut self, gate: &GateRecord, request: &Request, _: Duration) -> Result<Reply, LinkError> {
        *self.asked.lock().unwrap().entry(gate.id).or_default() += 1;
        match request {
            Request::Health if gate.id == self.there => {
                let (digest, clock) = (Holdings { faces: vec![], cards: vec![] }.digest(), 0);
                let version = "menka-gate test".into();
                Ok(Reply::Health(Health {
                    clock,
                    faces: 0,
                    cards: 0,
                    version,
                    digest,
                    faces_off: None,
                    offline_hours: None,
                    passlog_days: None,
                    people_max: None,
                    strangers_in_ppm: None,
                    clock_offset_ms: None,
                }))
            }
            _ if gate.id == self.there => Ok(Reply::Refused(Refusal::Malformed)),
            _ => Err(LinkError::Away),
        }
    }
}

#[test]
fn thirty_gates_that_are_away_keep_no_pass_from_the_one_that_answers() {
    let (_folder, mut vault) = new_vault(Realm::Practice);
    let ids: Vec<GateId> = (0..31).map(|n| super::vault::site::gate(&mut vault, &format!("{n}号门"))).collect();
    let asked = Arc::<Mutex<BTreeMap<GateId, u32>>>::default();
    let link = Box::new(OnlyAsked(OneAnswers { there: ids[30], asked: Arc::clone(&asked) }));
    let mut courier = Courier::new(vault, link, menka::boards::links()(), Arc::new(Shared::default()));
    let at = |pass: i64| NOW.plus_ms(60_000 + pass * 6_000);
    courier.pass(at(0)).unwrap();
    let mut every = BTreeMap::<GateId, u32>::new();
    for pass in 1..=16 {
        asked.lock().unwrap().clear();
        courier.pass(at(pass)).unwrap();
        let asked = asked.lock().unwrap();
        assert!(asked.contains_key(&ids[30]), "the one that answers is asked in every pass");
        // Two seconds for each of these, by the longest wait for an answer: a pass stays well below a minute.
        let away = asked.keys().filter(|id| **id != ids[30]).count();
        assert!((1..=2).contains(&away), "pass {pass}: {away}");
        asked.keys().for_each(|id| *every.entry(*id).or_default() += 1);
    }
    assert_eq!(every.len(), 31, "and each of the others is tried in its turn");
}
