//! Gates that fill, match and replace each other, over real gate processes: a gate that was away at enrolment, a gate that lost a face, a card
//! that nobody issued, a new door, a replaced gate, and a desk that is cut off at every step.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::courier::{Courier, Shared};
use menka::app::deletion::{DeletionCommand, DoorChange};
use menka::app::event::{FaceState, Failure, GatePlace, ResidentScene};
use menka::app::relay::RelayCommand;
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::audit::Actor;
use menka::domain::gate::GateRecord;
use menka::domain::id::{GateId, ResidentId};
use menka::domain::relay::{DriftKind, Place as Stands, Replacement};
use menka::domain::role::LookWhy;
use menka::face::{self, EngineKind};
use menka::gate::place::Place;
use menka::lan::TlsLink;
use menka::ports::only_asked::{Answers, OnlyAsked};
use menka::ports::{Clock, GateLink, LinkError};
use menka::practice::drive::Drive;
use menka::practice::site::{COLLEAGUE, GateProcess, PASSPHRASE};
use menka::practice::{PracticeAct, people, practice_card};
use menka::secret::{PairingCode, Passphrase};
use menka::vault::Vault;
use menka::wire::frame::decode;
use menka::wire::keys::IdentityKeys;
use menka::wire::message::{Outcome, Receipt, Refusal, Reply, Request};

use super::day::{gate_program, models, pictures};
use super::keep;

const LIMIT: Duration = Duration::from_secs(60);

pub(super) struct Site {
    pub(super) drive: Drive,
    pub(super) gates: Vec<GateProcess>,
    pub(super) folder: tempfile::TempDir,
}

pub(super) fn drive_in(folder: &Path) -> Drive {
    let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    Drive::new(folder, engine, people(&pictures()).expect("make pictures fetches them"))
}

fn name_of(n: usize) -> String {
    format!("{}号门", n + 1)
}

/// A desk with two supervisors and so many gates.
pub(super) fn site(count: usize) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    drive.create();
    drive.add_colleague();
    let mut site = Site { drive, gates: vec![], folder };
    for _ in 0..count {
        let gate = site.new_gate();
        site.gates.push(gate);
        let n = site.gates.len() - 1;
        site.drive.pair(&site.gates[n], &name_of(n));
    }
    site.drive.deliver().unwrap();
    site.drive.tick();
    assert_eq!(site.drive.failures, vec![]);
    site
}

impl Site {
    pub(super) fn new_gate(&mut self) -> GateProcess {
        let number = std::fs::read_dir(self.folder.path()).unwrap().count();
        let data = self.folder.path().join(format!("gate{number}"));
        GateProcess::start(&gate_program(), &data, number).unwrap()
    }

    /// A resident with practice card `card` whose face the answering gates take.
    pub(super) fn enrolled(&mut self, card: usize) -> ResidentId {
        let resident = self.drive.add(&format!("住户{card}"), &format!("9-{card}")).unwrap();
        self.drive.issue(resident, card).unwrap();
        self.drive.staff(StaffCommand::CloseResident);
        self.drive.controls.act(PracticeAct::Seat(card));
        assert!(self.drive.enroll(card).unwrap(), "{:?}", self.drive.failures);
        resident
    }

    pub(super) fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) -> Duration {
        let start = Instant::now();
        loop {
            self.drive.deliver().unwrap();
            self.drive.tick();
            if holds(self) {
                return start.elapsed();
            }
            let gates: Vec<_> = self.drive.gates.iter().map(|g| (&g.name, g.reachable, g.pending, &g.drift)).collect();
            assert!(start.elapsed() < LIMIT, "waited in vain for {what}: {:?} {gates:?}", self.drive.failures);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(super) fn passes(&mut self, seconds: u64) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(seconds) {
            self.drive.deliver().unwrap();
            self.drive.tick();
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The vault behind the desk, while the desk is locked.
    pub(super) fn vault<T>(&mut self, act: impl FnOnce(&mut Vault) -> T) -> T {
        self.drive.staff(StaffCommand::Lock);
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let mut vault = Vault::unlock(self.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap();
        let value = act(&mut vault);
        drop(vault);
        self.drive.unlock();
        value
    }

    pub(super) fn id_of(&self, n: usize) -> GateId {
        self.drive.gates.iter().find(|gate| gate.name == name_of(n)).unwrap().id
    }

    /// Templates that a gate holds, as bytes.
    pub(super) fn vectors(&self, gate: usize) -> Vec<Vec<f32>> {
        let store = Place::new(&self.gates[gate].folder, None).open_beside(Realm::Practice).unwrap();
        let kept = store.live_faces().unwrap();
        // As handed over: each gate keeps it under a transform of its own.
        let plain = kept.iter().map(|live| store.handed_over(live.template.bytes()).unwrap().unwrap());
        plain.map(|live| live.face.expose().to_vec()).collect()
    }

    pub(super) fn replace(&mut self, old: usize, new: &GateProcess) {
        let old = self.id_of(old);
        let code = PairingCode::parse(&new.show_code().unwrap().code);
        let command = RelayCommand::Replace { old, address: new.address.clone(), code };
        self.drive.staff(StaffCommand::Relay(command));
    }

    pub(super) fn replacements(&mut self) -> Vec<Replacement> {
        self.vault(|v| v.replacements(SystemClock.now()).unwrap())
    }
}

/// Writes into a gate's file as no station would.
pub(super) fn tamper(gate: &GateProcess, sql: &str) {
    assert!(Place::new(&gate.folder, None).open_beside(Realm::Practice).unwrap().execute_for_a_test(sql));
}

#[test]
fn f08a_a_gate_that_was_away_at_enrolment_is_filled_by_another_through_the_desk() {
    let mut site = site(3);
    let address = site.gates[2].address.clone();
    site.gates[2].kill();
    site.until("the third gate to be away", |s| s.drive.gates.iter().any(|g| !g.reachable));
    let resident = site.enrolled(0);
    assert_eq!([0, 1].map(|n| site.gates[n].faces().unwrap()), [1, 1]);
    let tapped = site.drive.tap.lock().unwrap().len();

    site.gates[2].restart(&address).unwrap();
    let took = site.until("the face at the third gate", |s| s.gates[2].faces().unwrap() == 1);
    println!("a gate that was away: filled {took:.1?} after it came back");
    assert_eq!(site.gates[2].ask("look 0").unwrap(), "recognised");
    let (there, here) = (site.vectors(2), site.vectors(0));
    let cosine: f32 = there[0].iter().zip(&here[0]).map(|(a, b)| a * b).sum();
    assert!((there.len(), here.len()) == (1, 1) && cosine > 0.999_99, "the very same template: {cosine}");
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Request));
    let FaceState::Held { gates, .. } = site.drive.opened.clone().unwrap().face else { panic!("not held") };
    assert_eq!(gates.len(), 3);
    site.drive.staff(StaffCommand::CloseResident);

    // What went through the desk opens with no key of the desk, and nothing of it was written.
    let relayed: Vec<Vec<u8>> = site.drive.tap.lock().unwrap()[tapped..].to_vec();
    assert!(!relayed.is_empty(), "it went through this desk");
    let pages = site.vault(|v| {
        assert!(v.check_no_face().unwrap().is_clean());
        v.decrypted_pages()
    });
    for sealed in &relayed {
        assert!(!pages.windows(16).any(|w| w == &sealed[..16]), "sealed bytes are not kept");
    }
    for vector in site.vectors(2) {
        let bytes: Vec<u8> = vector.iter().flat_map(|v| v.to_le_bytes()).collect();
        assert!(!pages.windows(16).any(|w| w == &bytes[..16]));
    }
    // And the withdrawal reaches all three.
    site.drive.staff(StaffCommand::WithdrawFor(resident));
    site.until("three erasures", |s| s.gates.iter_mut().all(|gate| gate.faces().unwrap() == 0));
}

#[test]
fn f08a_a_gate_that_was_paired_again_after_a_restore_fills_another() {
    let mut site = site(2);
    let key = keep::backup_key(&mut site.drive);
    let backup = keep::back_up(&mut site.drive, &site.folder.path().join("stick"));
    site.drive.staff(StaffCommand::Lock);
    std::fs::remove_dir_all(site.drive.data()).unwrap();
    site.drive.restore(&backup, &key);
    assert!(keep::restored(&site.drive).sound);
    site.drive.unlock();
    // Whatever it kept of the log before the restore is set aside.
    site.drive.pair(&site.gates[0], &name_of(0));
    let address = site.gates[1].address.clone();
    site.until("both gates", |s| s.drive.gates.iter().filter(|g| g.reachable).count() == 2);
    site.gates[1].kill();
    site.until("the second gate to be away", |s| s.drive.gates.iter().any(|g| !g.reachable));
    site.enrolled(0);
    assert_eq!(site.gates[0].faces().unwrap(), 1, "{:?}", site.drive.failures);
    site.gates[1].restart(&address).unwrap();
    site.until("the face at the second gate", |s| s.gates[1].faces().unwrap() == 1);
    assert_eq!(site.gates[1].ask("look 0").unwrap(), "recognised");
}

#[test]
fn f08a_where_one_gate_does_not_give_a_face_the_next_one_is_asked() {
    let mut site = site(3);
    let address = site.gates[2].address.clone();
    site.gates[2].kill();
    site.until("the third gate to be away", |s| s.drive.gates.iter().any(|g| !g.reachable));
    let resident = site.enrolled(0);
    // The one that is asked first does not know the log's key any more: it passes nothing on.
    let ids = [0, 1].map(|n| site.id_of(n));
    let first = site.vault(|v| v.faces_held(resident).unwrap()[0].gate);
    let at = ids.iter().position(|id| *id == first).unwrap();
    tamper(&site.gates[at], "UPDATE heads SET key = zeroblob(32)");
    site.gates[2].restart(&address).unwrap();
    site.until("the face at the third gate", |s| s.gates[2].faces().unwrap() == 1);
    assert_eq!(site.gates[2].ask("look 0").unwrap(), "recognised");
}

#[test]
fn p29_a_new_door_gets_cards_only() {
    let mut site = site(2);
    let resident = site.enrolled(0);
    let gate = site.new_gate();
    site.gates.push(gate);
    site.drive.pair(&site.gates[2], &name_of(2));
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Card));
    site.drive.issue(resident, 0).unwrap();
    site.drive.staff(StaffCommand::CloseResident);
    site.passes(20);
    assert!(site.gates[2].opens_for(&practice_card(0).unwrap()).unwrap(), "the card");
    assert_eq!(site.gates[2].faces().unwrap(), 0, "and no face");
    assert!(
        site.vault(|v| v.gates().unwrap().iter().all(|g| v.fills_due(g.id, 9, SystemClock.now()).unwrap().is_empty()))
    );

    // A new consent, which names the new door too: only then does the face go there.
    site.drive.resident(ResidentCommand::AskWithdraw);
    site.drive.tap_card(0).unwrap();
    site.drive.resident(ResidentCommand::ConfirmWithdraw);
    site.drive.resident(ResidentCommand::Back);
    site.until("the first face erased", |s| (0..2).all(|gate| s.gates[gate].faces().unwrap() == 0));
    site.drive.controls.act(PracticeAct::Seat(0));
    assert!(site.drive.enroll(0).unwrap(), "{:?}", site.drive.failures);
    let named = site.vault(|v| v.current_consent(resident).unwrap().unwrap().gates.len());
    assert_eq!(named, 3, "doors that were read out and agreed to");
    assert_eq!(site.gates[2].faces().unwrap(), 1);
    assert_eq!(site.gates[2].ask("look 0").unwrap(), "recognised");
}

#[test]
fn a_paused_face_is_passed_on_only_after_it_is_taken_up_again() {
    let mut site = site(2);
    let address = site.gates[1].address.clone();
    site.gates[1].kill();
    site.until("the second gate to be away", |s| s.drive.gates.iter().any(|g| !g.reachable));
    let resident = site.enrolled(0);
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::PauseFor(resident)));
    site.gates[1].restart(&address).unwrap();
    site.passes(12);
    assert_eq!(site.gates[1].faces().unwrap(), 0);
    // Once the person has taken it up again, and not before, the second gate gets it too.
    site.drive.resident(ResidentCommand::AskWithdraw);
    site.drive.tap_card(0).unwrap();
    site.drive.resident(ResidentCommand::AskDoors);
    site.drive.resident(ResidentCommand::ChangeDoors(DoorChange::Resume));
    site.drive.resident(ResidentCommand::Back);
    site.until("the face at the second gate", |s| s.gates[1].faces().unwrap() == 1);
    for gate in &mut site.gates {
        assert_eq!(gate.ask("look 0").unwrap(), "recognised");
    }
    assert!(site.vault(|v| v.current_consent(resident).unwrap().is_some()), "the consent stands");
}

#[test]
fn k2_9_what_a_gate_lost_or_has_too_much_is_an_alarm_within_a_minute_and_put_right_by_a_press() {
    let mut site = site(2);
    let resident = site.enrolled(0);
    site.until("both in step", |s| s.drive.gates.iter().all(|g| g.in_step == Some(true)));
    // A face and a card are gone, and there is a card that nobody issued.
    tamper(&site.gates[1], "DELETE FROM faces; DELETE FROM cards; INSERT INTO cards VALUES (x'DEADBEEF', 99999)");
    let took = site.until("the alarm", |s| s.drive.gates.iter().any(|g| g.drift.len() == 3));
    println!("a difference is an alarm after {took:.1?}");
    assert!(took < Duration::from_secs(60));
    let gate = site.drive.gates.iter().find(|g| !g.drift.is_empty()).unwrap().clone();
    assert_eq!((gate.name.clone(), gate.in_step), (name_of(1), Some(false)));
    let kinds: Vec<DriftKind> = gate.drift.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, [DriftKind::FaceMissing, DriftKind::CardLeftOver, DriftKind::CardMissing]);
    // Nothing of this is put right behind anybody's back.
    site.passes(8);
    assert_eq!(site.gates[1].faces().unwrap(), 0);
    // The person's page says at which door what is missing, and the difference leads there.
    site.drive.staff(StaffCommand::Relay(RelayCommand::Concerned(gate.id)));
    assert!(site.drive.told.iter().any(|told| told.contains("Concerned(") && told.contains("9-0")), "leads to 9-0");
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Other));
    let places = |site: &Site, n: usize| {
        let view = site.drive.opened.clone().unwrap();
        let of = |all: &[GatePlace]| all.iter().find(|at| at.label == name_of(n)).unwrap().place.clone();
        (of(&view.places.card), of(&view.places.face))
    };
    assert_eq!(places(&site, 0), (Stands::Synced, Stands::Synced));
    assert!(matches!(places(&site, 1), (Stands::Missing(_), Stands::Missing(_))), "{:?}", places(&site, 1));
    // The next shift takes over a shut window, and puts it right: in their own name, though the courier began under the first one's.
    site.drive.staff(StaffCommand::Shut);
    let accounts = Vault::accounts_at_the_door(site.drive.data(), SystemClock.now()).unwrap();
    let colleague = accounts.into_iter().find(|account| account.name == COLLEAGUE).unwrap().id;
    let passphrase = Passphrase::new(PASSPHRASE.into());
    site.drive.staff(StaffCommand::Unlock { account: Some(colleague), passphrase });
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Other));
    site.drive.staff(StaffCommand::Relay(RelayCommand::Repair(gate.id)));
    site.until("both in step again", |s| s.drive.gates.iter().all(|g| g.in_step == Some(true)));
    assert_eq!(site.gates[1].faces().unwrap(), 1);
    assert_eq!(site.gates[1].ask("look 0").unwrap(), "recognised");
    assert!(site.gates[1].opens_for(&practice_card(0).unwrap()).unwrap());
    assert_eq!(site.gates[1].ask("card 0xDEADBEEF").unwrap(), "shut");
    assert_eq!(places(&site, 1), (Stands::Synced, Stands::Synced), "the open record says so by itself");
    site.drive.staff(StaffCommand::CloseResident);

    // A face too many is erased without a press: withdrawal beats enrolment.
    tamper(
        &site.gates[0],
        "INSERT INTO faces SELECT randomblob(16), engine, vector, ends_on, 0, randomblob(16), randomblob(32), randomblob(32) FROM faces",
    );
    let place = Place::new(&site.gates[0].folder, None);
    let count = || place.open_beside(Realm::Practice).unwrap().faces().unwrap();
    assert_eq!(count(), 2);
    site.until("the stranger's erasure", |s| count() == 1 && s.drive.gates.iter().all(|g| g.in_step == Some(true)));
    let log = site.vault(|v| v.log_records(0, 10_000).unwrap());
    let who = |what: &str| log.iter().filter(|r| r.what == what).map(|r| r.who.as_str()).collect::<Vec<_>>();
    assert_eq!(who("gate-repaired"), [format!("staff:{colleague}")]);
    // Nobody asked for these: the courier tried the card after a delivery, and the program made the receipt.
    for what in ["card-way-tested", "receipt-issued"] {
        assert!(!who(what).is_empty() && who(what).iter().all(|who| *who == "station"), "{what}: {:?}", who(what));
    }
}

#[test]
fn a_gate_whose_clock_is_off_gets_the_desks_time_by_a_press_and_the_log_says_so() {
    let mut site = site(1);
    let drift = |s: &Site| s.drive.gates[0].clock_drift_ms.unwrap_or(0);
    site.until("a clock that is right", |s| drift(s).abs() < 5_000);
    // Its clock loses an hour while it is off.
    let address = site.gates[0].address.clone();
    site.gates[0].kill();
    tamper(&site.gates[0], "INSERT INTO clock_set (one, offset_ms, set_at) VALUES (1, -3600000, 0)");
    site.gates[0].restart(&address).unwrap();
    site.until("the drift", |s| (-3_660_000..-3_540_000).contains(&drift(s)));
    let gate = site.id_of(0);
    site.drive.staff(StaffCommand::Relay(RelayCommand::SetClock(gate)));
    assert_eq!(site.drive.failures, vec![]);
    site.drive.tick();
    assert!(drift(&site).abs() < 5_000, "at once: {}", drift(&site));
    site.passes(6);
    assert!(drift(&site).abs() < 5_000, "and at the next question: {}", drift(&site));
    let logged = site.vault(|v| v.log_records(0, 10_000).unwrap());
    let set = logged.iter().filter(|r| r.what == "gate-repaired" && r.label.as_deref() == Some("clock-set"));
    assert_eq!(set.count(), 1);

    // A gate that has seen tomorrow does not go back.
    site.gates[0].kill();
    tamper(&site.gates[0], "UPDATE settings SET last_instant = last_instant + 86400000");
    site.gates[0].restart(&address).unwrap();
    site.until("the gate", |s| s.drive.gates[0].reachable);
    site.drive.staff(StaffCommand::Relay(RelayCommand::SetClock(gate)));
    assert_eq!(site.drive.failures, vec![Failure::Refused(name_of(0), Refusal::ClockBack)]);
}

#[test]
fn p47_a_number_that_was_erased_elsewhere_is_not_filled_again_but_ends_everywhere() {
    let mut site = site(2);
    let resident = site.enrolled(0);
    site.until("both in step", |s| s.drive.gates.iter().all(|g| g.in_step == Some(true)));
    // As after a backup was put back: one gate had the order to erase, this desk does not know of it.
    let link = site.vault(|v| v.current_consent(resident).unwrap().unwrap().template);
    let hex: String = link.bytes().iter().map(|b| format!("{b:02x}")).collect();
    tamper(&site.gates[1], &format!("DELETE FROM faces; INSERT INTO spent VALUES (x'{hex}')"));
    site.until("the alarm", |s| s.drive.gates.iter().any(|g| !g.drift.is_empty()));
    let gate = site.id_of(1);
    site.drive.staff(StaffCommand::Relay(RelayCommand::Repair(gate)));
    site.until("the end at the other gate", |s| s.gates[0].faces().unwrap() == 0);
    assert!(site.vault(|v| v.current_consent(resident).unwrap().is_none()));
    assert!(site.drive.told.join("\n").contains("found-erased"));
}

#[test]
fn p51_4_a_replaced_gate_is_filled_for_its_own_door_only_and_nobody_else_is_touched() {
    let mut site = site(3);
    // Two people at all doors; one whose face is at the third gate alone.
    let (both, dropped) = (site.enrolled(0), site.enrolled(1));
    for n in [0, 1] {
        site.gates[n].kill();
    }
    site.until("two gates away", |s| s.drive.gates.iter().filter(|g| !g.reachable).count() == 2);
    let alone = site.enrolled(2);
    let addresses = [0, 1].map(|n| site.gates[n].address.clone());
    // The third gate burns before another could take that face over.
    site.gates[2].kill();
    for n in [0, 1] {
        site.gates[n].restart(&addresses[n]).unwrap();
    }
    site.until("two gates back", |s| s.drive.gates.iter().filter(|g| g.reachable).count() == 2);
    // One of the two takes the third door out of the consent.
    site.drive.staff(StaffCommand::OpenResident(dropped, LookWhy::Request));
    let door = site.id_of(2);
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::DropDoorFor { resident: dropped, gate: door }));
    site.drive.staff(StaffCommand::CloseResident);
    let version = site.vault(|v| v.notice_version().unwrap().unwrap().version);

    let new = site.new_gate();
    site.replace(2, &new);
    assert!(site.drive.asked.is_some(), "a second person is asked");
    assert!(site.replacements().is_empty(), "and nothing is done before");
    site.drive.failures.clear();
    site.replace(2, &new);
    site.drive.approve();
    assert_eq!(site.drive.failures, vec![]);
    site.gates[2] = new;
    site.until("the face of the one who named the door", |s| s.gates[2].faces().unwrap() == 1);
    site.until("the end of the replacement", |s| {
        s.drive.told.iter().rev().any(|t| t.contains("Replacements") && t.contains("done_at: Some"))
    });
    for card in 0..3 {
        assert!(site.gates[2].opens_for(&practice_card(card).unwrap()).unwrap(), "card {card} at once");
    }
    assert_eq!(site.gates[2].ask("look 0").unwrap(), "recognised");
    assert_eq!(site.gates[2].ask("look 1").unwrap(), "unknown", "took this door out");
    assert_eq!(site.gates[2].ask("look 2").unwrap(), "unknown", "was on the old gate only");
    let all = site.replacements();
    assert_eq!((all.len(), all[0].faces, all[0].waiting, all[0].to_invite), (1, 1, 0, 1));
    assert_eq!((all[0].resting, all[0].not_taken, all[0].signed), (0, 0, true));
    let (invited, current) = site.vault(|v| {
        let invited: Vec<ResidentId> = v.to_invite(all[0].gate, 0).unwrap().iter().map(|row| row.id).collect();
        (invited, [both, dropped, alone].map(|r| v.current_consent(r).unwrap().is_some()))
    });
    assert_eq!((invited, current), (vec![alone], [true, true, false]));
    // Same door, same place: nobody is asked about a changed notice.
    assert_eq!(site.vault(|v| v.notice_version().unwrap().unwrap().version), version);
    // The one who lost the face may enrol anew, and is off the list then.
    site.until("face entry to be offered again", |s| {
        matches!(s.drive.scene, ResidentScene::Idle { face_offered: true, .. })
    });
    site.drive.controls.act(PracticeAct::Seat(2));
    assert!(site.drive.enroll(2).unwrap(), "{:?}", site.drive.failures);
    assert_eq!(site.replacements()[0].to_invite, 0);
    // The withdrawal is signed by the new gate; the old one, which never answers again, is named as not erased.
    // On the resident's own window, where it is never called done before.
    site.drive.resident(ResidentCommand::Back);
    site.drive.resident(ResidentCommand::AskWithdraw);
    site.drive.tap_card(0).unwrap();
    site.drive.resident(ResidentCommand::ConfirmWithdraw);
    site.until("two faces less", |s| s.gates.iter_mut().all(|gate| gate.faces().unwrap() <= 2));
    site.until("the signatures of the gates that stand there", |s| {
        matches!(&s.drive.scene, ResidentScene::Withdrawn { erased, pending, stops_at, .. }
            if erased.len() == 3 && pending == &[name_of(2)] && stops_at.len() == 1)
    });
    let pending = site.vault(|v| v.endings_of(both).unwrap()[0].pending.clone());
    assert_eq!(pending, [door], "stated, not hidden");
}

#[test]
fn p51_4_a_replacement_is_done_by_the_new_gates_signed_list_and_a_paused_face_comes_when_its_person_takes_it_up() {
    let mut site = site(2);
    let (goes, rests) = (site.enrolled(0), site.enrolled(1));
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::PauseFor(rests)));
    site.until("the pause at both", |s| s.drive.gates.iter().all(|gate| gate.pending == 0));
    site.gates[1].kill();
    let new = site.new_gate();
    site.replace(1, &new);
    site.drive.approve();
    assert_eq!(site.drive.failures, vec![]);
    site.gates[1] = new;
    site.until("the end of the replacement", |s| {
        s.drive.told.iter().rev().any(|t| t.contains("Replacements") && t.contains("done_at: Some"))
    });
    // As the new gate's own file says.
    let listed = |site: &Site| {
        let store = Place::new(&site.gates[1].folder, None).open_beside(Realm::Practice).unwrap();
        store.holdings().unwrap()
    };
    let held = listed(&site);
    assert_eq!((held.faces.len(), held.cards.len()), (1, 2), "one face; the paused one is not there yet, its card is");
    let [one] = &site.replacements()[..] else { panic!("one replacement") };
    assert_eq!((one.faces, one.waiting, one.resting, one.not_taken, one.signed), (1, 0, 1, 0, true));
    assert_eq!(one.digest, Some(held.digest()));
    let (id, digest) = (one.gate, held.digest());
    let (receipt, key, log) = site.vault(|v| {
        let gate = v.gates().unwrap().into_iter().find(|gate| gate.id == id).unwrap();
        (v.replacement_receipt(id).unwrap().unwrap(), gate.sign_key, v.log_records(0, 10_000).unwrap())
    });
    let receipt: Receipt = decode(&receipt).unwrap();
    assert!(receipt.is_signed_by(&key) && receipt.outcome == Outcome::HeldAttested && receipt.stored_digest == digest);
    let done: Vec<_> = log.iter().filter(|record| record.what == "replacement-done").collect();
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].label.as_deref(), Some("1 resting:1 not-taken:0"));
    assert_eq!(done[0].digest, Some(menka::evidence::hex(&digest)));
    assert_eq!(site.gates[1].ask("look 0").unwrap(), "recognised");
    for gate in 0..2 {
        assert_eq!(site.gates[gate].ask("look 1").unwrap(), "unknown", "paused, gate {gate}");
    }
    // Only the person takes it up; then it comes by itself.
    site.vault(|v| assert!(v.resume_face(rests, Actor::Resident(rests), SystemClock.now()).unwrap()));
    site.until("the face that rested", |s| s.gates[1].faces().unwrap() == 2);
    let stands = |g: &&menka::domain::gate::GateStatus| g.reachable;
    site.until("both in step", |s| {
        let mut there = s.drive.gates.iter().filter(stands);
        there.all(|g| g.in_step == Some(true) && g.pending == 0)
    });
    for (gate, person) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        assert_eq!(site.gates[gate].ask(&format!("look {person}")).unwrap(), "recognised", "gate {gate}");
    }
    let [one] = &site.replacements()[..] else { panic!("one replacement") };
    assert_eq!((one.faces, one.resting, one.waiting), (1, 0, 0), "what was signed at the end stays what it was");
    // A withdrawal of the other goes on as ever.
    site.drive.staff(StaffCommand::WithdrawFor(goes));
    site.until("one face each", |s| s.gates.iter_mut().all(|gate| gate.faces().unwrap() == 1));
}

/// A link that fails for ever after so many questions, as a desk that is killed there would.
struct Cut {
    inner: TlsLink,
    left: Arc<AtomicI64>,
}

impl Answers for Cut {
    fn answer(&mut self, gate: &GateRecord, request: &Request, limit: Duration) -> Result<Reply, LinkError> {
        // The question is heard and the answer lost, every second time.
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left < 0 {
            return Err(LinkError::Away);
        }
        let reply = self.inner.ask(gate, request, limit);
        if left == 0 { Err(LinkError::Away) } else { reply }
    }
}

#[test]
fn a_fill_that_is_cut_off_after_any_question_is_finished_by_the_next_run_and_stored_once() {
    let mut site = site(2);
    let address = site.gates[1].address.clone();
    site.gates[1].kill();
    site.until("the second gate to be away", |s| s.drive.gates.iter().any(|g| !g.reachable));
    let resident = site.enrolled(0);
    site.gates[1].restart(&address).unwrap();
    let second = site.id_of(1);
    site.drive.staff(StaffCommand::Lock);
    let passphrase = Passphrase::new(PASSPHRASE.into());
    let unlock = |at| Vault::unlock(site.drive.data(), Realm::Practice, &passphrase, at).unwrap();
    let (mut cuts, mut stored_at) = (0, None);
    for n in 0..40 {
        // Each run begins as after a kill: a new desk, a new courier, nothing in memory.
        // What failed in the last run rests a minute: each run begins somewhat later, within what the gates' own clocks accept.
        let now = SystemClock.now().plus_ms(n * 8_000);
        let vault = unlock(now);
        let keys = Arc::new(IdentityKeys::from_bytes(&vault.identity_bytes().unwrap().unwrap()).unwrap());
        let inner = TlsLink::new(keys, vault.site());
        let left = Arc::new(AtomicI64::new(n));
        let shared = Arc::new(Shared::default());
        let link = Box::new(OnlyAsked(Cut { inner, left: Arc::clone(&left) }));
        let mut courier = Courier::new(vault, link, menka::boards::links()(), shared);
        // Health is asked every five seconds, and what failed rests a while: the clock of this test moves on.
        for round in 0..4 {
            courier.pass(now.plus_ms(round * 70_000)).unwrap();
        }
        drop(courier);
        if left.load(Ordering::SeqCst) < 0 {
            cuts += 1;
        }
        let vault = unlock(SystemClock.now());
        let held = vault.faces_held(resident).unwrap().iter().any(|held| held.gate == second);
        drop(vault);
        if held && stored_at.is_none() {
            stored_at = Some(n);
        }
        let there = site.gates[1].faces().unwrap();
        assert!(there <= 1, "stored once");
        assert!(!held || there == 1, "nothing is believed that is not there");
    }
    println!("cut off in {cuts} of 40 runs; recorded in run {stored_at:?}");
    assert!(cuts > 8 && stored_at.is_some());
    assert_eq!(site.gates[1].ask("look 0").unwrap(), "recognised");
    site.drive.unlock();
    site.until("both in step", |s| s.drive.gates.iter().all(|g| g.in_step == Some(true)));
}

#[test]
fn a_gate_that_belongs_to_the_site_cannot_replace_another() {
    let mut site = site(2);
    let second = site.gates.pop().unwrap();
    site.replace(0, &second);
    site.drive.approve();
    assert!(matches!(site.drive.failures.as_slice(), [Failure::UsedAlready]), "{:?}", site.drive.failures);
    assert!(site.replacements().is_empty());
    assert!(!matches!(site.drive.scene, ResidentScene::Closed));
}
