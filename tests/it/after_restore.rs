//! A withdrawal that nothing knows of but the paper in the resident's hand: every gate was away, and the desk's disk was lost before one came back.

use std::time::Duration;

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::deletion::DeletionCommand;
use menka::app::event::ResidentScene;
use menka::domain::role::LookWhy;
use menka::practice::practice_card;

use crate::deletion::{Site, drive_in, enrolled};
use crate::keep;

const LIMIT: Duration = Duration::from_secs(30);

fn passes(site: &mut Site) {
    for _ in 0..30 {
        site.drive.deliver().unwrap();
        site.drive.tick();
        std::thread::sleep(Duration::from_millis(100));
    }
}

// Shows: N8-14
#[test]
fn n8_14_no_face_comes_back_with_a_backup_though_only_a_paper_knows_that_it_was_withdrawn() {
    let (mut site, resident) = enrolled(2);
    assert!(site.knows(0) && site.knows(1));
    let key = keep::backup_key(&mut site.drive);
    let backup = keep::back_up(&mut site.drive, &site.folder.path().join("stick"));
    let addresses: Vec<String> = site.gates.iter().map(|gate| gate.address.clone()).collect();
    site.gates.iter_mut().for_each(menka::practice::site::GateProcess::kill);
    site.deliver_until("both to be away", LIMIT, |s| s.drive.gates.iter().all(|gate| !gate.reachable));
    site.ask_withdraw();
    site.drive.resident(ResidentCommand::ConfirmWithdraw);
    assert!(matches!(&site.drive.scene, ResidentScene::Withdrawn { pending, .. } if pending.len() == 2));

    // The disk is lost; then the gates come back, with the face, to a desk that never heard of the withdrawal.
    let data = site.drive.data().to_owned();
    site.drive = drive_in(site.folder.path());
    std::fs::remove_dir_all(data).unwrap();
    for (gate, address) in site.gates.iter_mut().zip(&addresses) {
        gate.restart(address).unwrap();
    }
    site.drive.restore(&backup, &key);
    let report = keep::restored(&site.drive);
    assert!(report.sound && report.stopped, "{report:?}");
    site.drive.unlock();
    passes(&mut site);
    for gate in &mut site.gates {
        assert_eq!(gate.faces().unwrap(), 1);
        assert_eq!(gate.ask("look 0").unwrap(), "FacesOff(Stopped)", "heard by its station, and still nobody");
        assert!(gate.opens_for(&practice_card(0).unwrap()).unwrap(), "the card goes on");
    }
    // Nor after a lock, or another start of the desk.
    site.drive.staff(StaffCommand::Lock);
    site.drive.unlock();
    passes(&mut site);
    assert!(site.gates.iter_mut().all(|gate| gate.ask("look 0").unwrap() == "FacesOff(Stopped)"));

    site.drive.staff(StaffCommand::Deletion(DeletionCommand::Show));
    let page = site.drive.told.iter().rev().find(|told| told.contains("Deletion(Site(")).unwrap();
    assert!(page.contains("restored_at: Some("), "the page says why: {page}");

    // Staff enter what the paper says; then a supervisor takes faces up again, and this one is gone.
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Request));
    site.drive.staff(StaffCommand::WithdrawFor(resident));
    site.deliver_until("the erasures", LIMIT, |s| s.gates.iter_mut().all(|gate| gate.faces().unwrap() == 0));
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::ResumeFaces(None)));
    site.deliver_until("what is resumed", LIMIT, |s| s.drive.gates.iter().all(|gate| gate.pending == 0));
    assert!(!site.knows(0) && !site.knows(1));
}

#[test]
fn a_restored_site_without_faces_stops_nothing() {
    let (mut site, _) = crate::deletion::with_card(1);
    let key = keep::backup_key(&mut site.drive);
    let backup = keep::back_up(&mut site.drive, &site.folder.path().join("stick"));
    site.drive.staff(StaffCommand::Lock);
    site.drive.restore(&backup, &key);
    assert!(!keep::restored(&site.drive).stopped);
    site.drive.unlock();
    passes(&mut site);
    assert!(site.drive.enroll(0).unwrap(), "{:?}", site.drive.failures);
}
