//! Somebody who comes without the card withdraws on the same screen: staff check who it is, the person reads and confirms.

use std::time::Duration;

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::deletion::DoorChange;
use menka::app::event::{Failure, ResidentScene};
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::id::ResidentId;
use menka::domain::role::LookWhy;
use menka::ports::Clock;
use menka::practice::practice_card;
use menka::practice::site::PASSPHRASE;
use menka::secret::Passphrase;
use menka::vault::Vault;

use crate::deletion::{Site, enrolled};

const LIMIT: Duration = Duration::from_secs(30);

fn staff_let_them(site: &mut Site, resident: ResidentId) {
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Request));
    site.drive.staff(StaffCommand::WithdrawAtScreen(resident));
}

/// The vault behind the desk, while the desk is locked.
fn look<T>(site: &mut Site, act: impl FnOnce(&mut Vault) -> T) -> T {
    site.drive.staff(StaffCommand::Lock);
    let passphrase = Passphrase::new(PASSPHRASE.into());
    let mut vault = Vault::unlock(site.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap();
    let value = act(&mut vault);
    drop(vault);
    site.drive.unlock();
    value
}

fn current(site: &mut Site, resident: ResidentId) -> bool {
    look(site, |vault| vault.current_consent(resident).unwrap().is_some())
}

// Shows: P15a
#[test]
fn p15a_who_has_no_card_along_withdraws_on_their_own_screen_in_three_steps_once_staff_checked_who_it_is() {
    let (mut site, resident) = enrolled(2);
    // One: "Withdraw and delete" on the idle screen.
    site.drive.resident(ResidentCommand::AskWithdraw);
    assert!(matches!(site.drive.scene, ResidentScene::TapCard { withdraw: true, .. }));
    // Two: no card, so staff look at the identity card instead. Nothing is decided by that.
    staff_let_them(&mut site, resident);
    assert_eq!(site.drive.failures, vec![]);
    let ResidentScene::WithdrawConfirm { masked_name, gates, .. } = site.drive.scene.clone() else {
        panic!("{:?}", site.drive.scene)
    };
    assert_eq!((masked_name.as_str(), gates.len()), ("欧***", 2), "whose face it is about, for the person to see");
    site.drive.resident(ResidentCommand::Back);
    assert!(matches!(site.drive.scene, ResidentScene::Idle { .. }));
    assert!(current(&mut site, resident), "going back withdraws nothing");

    // From the idle screen as well. Pausing is the same page's smaller way, and is staff's word too.
    staff_let_them(&mut site, resident);
    site.drive.resident(ResidentCommand::AskDoors);
    site.drive.resident(ResidentCommand::ChangeDoors(DoorChange::Pause));
    site.deliver_until("the pause", LIMIT, |s| !s.knows(0) && !s.knows(1));
    site.drive.resident(ResidentCommand::Back);
    staff_let_them(&mut site, resident);
    // Three: the person confirms.
    site.drive.resident(ResidentCommand::ConfirmWithdraw);
    site.deliver_until(
        "both gates' signatures",
        LIMIT,
        |s| matches!(&s.drive.scene, ResidentScene::Withdrawn { pending, .. } if pending.is_empty()),
    );
    assert!(site.gates.iter_mut().all(|gate| gate.faces().unwrap() == 0));
    assert!(site.gates[0].opens_for(&practice_card(0).unwrap()).unwrap(), "the card is untouched");
    assert!(!current(&mut site, resident));
    // Nobody could say who stood there but the one who looked at the identity card: it is that person's act in the log.
    let (staff, log) = look(&mut site, |vault| (vault.operator().0, vault.log_records(0, 10_000).unwrap()));
    let who: Vec<&str> =
        log.iter().filter(|r| r.what == "consent-ended" || r.what == "face-paused").map(|r| r.who.as_str()).collect();
    assert_eq!(who, [format!("staff:{staff}"), format!("staff:{staff}")]);
}

// Shows: P15a
#[test]
fn p15a_who_is_being_served_is_not_sent_away_for_somebody_without_a_card_and_nothing_is_withdrawn_of_who_has_no_face() {
    let (mut site, resident) = enrolled(1);
    let other = site.drive.add("王小明", "1-101").unwrap();
    site.drive.issue(other, 1).unwrap();
    staff_let_them(&mut site, other);
    assert_eq!(std::mem::take(&mut site.drive.failures), [Failure::NothingToWithdraw]);
    assert!(matches!(site.drive.scene, ResidentScene::Idle { .. }));
    site.drive.staff(StaffCommand::CloseResident);
    site.drive.ask_for_face(1).unwrap();
    assert!(matches!(site.drive.scene, ResidentScene::Notice { .. }), "{:?}", site.drive.scene);
    staff_let_them(&mut site, resident);
    assert_eq!(std::mem::take(&mut site.drive.failures), [Failure::ScreenInUse]);
    assert!(matches!(site.drive.scene, ResidentScene::Notice { .. }), "who reads goes on reading");
    assert!(current(&mut site, resident));
}
