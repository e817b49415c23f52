//! A gate that was replaced comes back: met where it is now, whoever stands in its place, it erases everybody, signs, and is forgotten. Real
//! gate processes.

use std::time::{Duration, Instant};

use menka::app::command::StaffCommand;
use menka::app::deletion::DeletionCommand;
use menka::app::event::Failure;
use menka::app::pairing::{PairingCommand, PairingFailure};
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::id::{GateId, ResidentId};
use menka::gate::place::Place;
use menka::ports::{Clock, LinkError, PairError};
use menka::practice::practice_card;
use menka::practice::site::GateProcess;
use menka::wire::frame::decode;
use menka::wire::message::{Outcome, Receipt};

use super::relay::{Site, site};

/// A site of two gates with one face at both; a newcomer has taken address and place of the second one, which is switched off.
struct Replaced {
    site: Site,
    former: GateProcess,
    id: GateId,
    address: String,
    resident: ResidentId,
}

impl Replaced {
    fn new() -> Self {
        let mut site = site(2);
        let resident = site.enrolled(0);
        let id = site.id_of(1);
        let address = site.gates[1].address.clone();
        site.gates[1].kill();
        let mut new = site.new_gate();
        new.restart(&address).unwrap();
        // The desk has seen another key there before anybody pressed "replace".
        site.until("a changed key", |s| s.drive.gates.iter().any(|gate| gate.id == id && gate.key_changed));
        site.replace(1, &new);
        site.drive.approve();
        assert_eq!(site.drive.failures, vec![]);
        let former = std::mem::replace(&mut site.gates[1], new);
        site.until("the newcomer's face", |s| s.gates[1].faces().unwrap() == 1);
        assert_eq!(site.vault(|v| v.gates_to_meet().unwrap().iter().map(|gate| gate.id).collect::<Vec<_>>()), [id]);
        Self { site, former, id, address, resident }
    }

    fn meet(&mut self, address: &str) {
        let command = DeletionCommand::MeetFormer { gate: self.id, address: address.into() };
        self.site.drive.staff(StaffCommand::Deletion(command));
    }

    /// Waits until the old gate holds nobody, and looks at what is kept of that.
    fn erased(&mut self) {
        let former = &mut self.former;
        let id = self.id;
        self.site.until("the old gate to hold nobody", |_| former.faces().unwrap() == 0);
        assert!(!former.opens_for(&practice_card(0).unwrap()).unwrap(), "no card either");
        self.site.until("its last signature", |s| {
            s.drive
                .told
                .iter()
                .rev()
                .find(|told| told.contains("Deletion(Site("))
                .is_some_and(|t| t.contains("unmet: []"))
        });
        let (kept, record, unmet) = self.site.vault(|v| {
            let record = v.gates_ever().unwrap().into_iter().find(|gate| gate.id == id).unwrap();
            (v.unpairings(id).unwrap(), record, v.gates_to_meet().unwrap())
        });
        let receipt: Receipt = decode(kept[0].receipt.as_deref().expect("signed")).unwrap();
        assert_eq!((kept.len(), receipt.outcome, receipt.op), (1, Outcome::Unpaired, *kept[0].op.bytes()));
        assert!(receipt.is_signed_by(&record.sign_key));
        assert_eq!(unmet, vec![]);
        assert_eq!(self.site.gates.iter_mut().map(|gate| gate.faces().unwrap()).collect::<Vec<_>>(), [1, 1]);
    }
}

#[test]
fn p47_a_replaced_gate_is_met_where_staff_say_it_is_and_nothing_goes_to_another_gate_there() {
    let mut place = Replaced::new();
    place.former.restart("127.0.0.1:0").unwrap();
    place.site.passes(6);
    assert_eq!(place.former.faces().unwrap(), 1, "nobody knows where it is");
    for (address, why) in [
        (place.site.gates[0].address.clone(), PairingFailure::OtherGate("2号门".into())),
        (place.site.gates[1].address.clone(), PairingFailure::OtherGate("2号门".into())),
        ("127.0.0.1:9".into(), PairingFailure::Gate("2号门".into(), PairError::Link(LinkError::Away))),
        ("8.8.8.8:7443".into(), PairingFailure::Gate("2号门".into(), PairError::Link(LinkError::NotLan))),
    ] {
        place.meet(&address);
        assert_eq!(std::mem::take(&mut place.site.drive.failures), vec![Failure::Pairing(why)], "{address}");
    }
    let address = place.former.address.clone();
    place.meet(&address);
    assert_eq!(place.site.drive.failures, vec![]);
    place.erased();
    place.meet(&address);
    assert_eq!(place.site.drive.failures.len(), 1, "there is nothing to be met any more");
}

#[test]
fn p47_a_replaced_gate_at_its_old_address_is_erased_and_the_one_in_its_place_is_not_said_to_have_changed() {
    let mut place = Replaced::new();
    // A withdrawal names the old gate as open until it has signed.
    place.site.gates[1].kill();
    place.former.restart(&place.address.clone()).unwrap();
    let (former, id) = (&mut place.former, place.id);
    place.site.until("the old gate to hold nobody", |_| former.faces().unwrap() == 0);
    place.site.until("its receipt", |s| s.vault(|v| v.gates_to_meet().unwrap().is_empty()));
    // It stays there for a while, forgotten.
    place.site.passes(12);
    assert!(place.site.drive.gates.iter().all(|gate| !gate.key_changed), "{:?}", place.site.drive.gates);
    assert!(place.site.drive.gates.iter().all(|gate| gate.id != id));
    place.former.kill();
    place.site.gates[1].restart(&place.address.clone()).unwrap();
    place.site.until("the newcomer", |s| s.drive.gates.iter().all(|gate| gate.reachable));
    place.erased_and_named_nowhere();
}

impl Replaced {
    /// The person's withdrawal is complete with the two gates in use.
    fn erased_and_named_nowhere(&mut self) {
        self.site.drive.staff(StaffCommand::WithdrawFor(self.resident));
        let resident = self.resident;
        self.site.until("two faces less", |s| s.gates.iter_mut().all(|gate| gate.faces().unwrap() == 0));
        self.site.until("the whole withdrawal", |s| s.vault(|v| v.endings_of(resident).unwrap()[0].pending.is_empty()));
    }
}

#[test]
fn p47_a_replaced_gate_that_announces_itself_is_known_by_its_keys_while_the_pairing_page_is_open() {
    let mut place = Replaced::new();
    place.former.restart("127.0.0.1:0").unwrap();
    let code = place.former.show_code().unwrap();
    let choose = PairingCommand::ChooseLan("127.0.0.1".into());
    place.site.drive.staff(StaffCommand::Pairing(choose));
    let begun = Instant::now();
    while !place.site.drive.told.iter().any(|told| told.contains("Deletion(Met(")) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", place.site.drive.told.last());
        place.site.drive.staff(StaffCommand::Pairing(PairingCommand::Look));
        place.site.drive.tick();
        std::thread::sleep(Duration::from_millis(200));
    }
    drop(code);
    place.erased();
}

// Shows: P19
#[test]
fn p19_a_replaced_gate_that_nobody_meets_knows_no_face_once_its_lease_is_over() {
    let mut place = Replaced::new();
    place.former.restart("127.0.0.1:0").unwrap();
    assert_eq!(
        place.former.ask("look 0").unwrap(),
        "FacesOff(NoContact)",
        "after a start nobody, until a station is heard"
    );
    place.former.kill();
    std::fs::write(place.former.folder.join("gate.toml"), "[faces]\nclock_kept = true\n").unwrap();
    place.former.restart("127.0.0.1:0").unwrap();
    assert_eq!(
        place.former.ask("look 0").unwrap(),
        "recognised",
        "as long as its lease runs: so the desk says until when"
    );
    place.former.kill();
    let files = menka::gate::place::Place::new(&place.former.folder, None);
    let hours = site_hours(&files) + 1;
    let earlier = format!("UPDATE settings SET last_contact = last_contact - {}", hours * 3_600_000);
    assert!(files.open_beside(Realm::Practice).unwrap().execute_for_a_test(&earlier));
    place.former.restart("127.0.0.1:0").unwrap();
    assert_eq!(place.former.ask("look 0").unwrap(), "FacesOff(NoContact)");
    assert_eq!(place.former.faces().unwrap(), 1, "held, and matched with nobody");
    let stops_at = place.site.vault(|v| v.stops_at(place.id, None, SystemClock.now()).unwrap().unwrap());
    assert!(stops_at <= SystemClock.now().plus_ms((hours + 1) * 3_600_000), "the desk names an end");
}

fn site_hours(files: &Place) -> i64 {
    i64::from(files.open_beside(Realm::Practice).unwrap().setup().unwrap().offline_hours)
}
