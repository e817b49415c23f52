//! Backups, restoring and new keys through the desk's own commands; a damaged, swapped or older vault at the real start.

use std::path::{Path, PathBuf};

use menka::app::command::StaffCommand;
use menka::app::event::Failure;
use menka::app::keep::{KeepCommand, KeepFailure, KeepTold, KeepView, RestoreReport};
use menka::domain::role::LookWhy;
use menka::face::{self, EngineKind};
use menka::practice::drive::Drive;
use menka::practice::people;
use menka::secret::Typed;

use crate::day::{gate_program, models, pictures};

pub fn drive_in(folder: &Path) -> Drive {
    let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    Drive::new(folder, engine, people(&pictures()).expect("make pictures fetches them"))
}

pub fn keep(drive: &mut Drive, command: KeepCommand) {
    drive.staff(StaffCommand::Keep(command));
}

/// Makes a backup key and puts it away; what is on the sheet.
pub fn backup_key(drive: &mut Drive) -> Typed {
    keep(drive, KeepCommand::NewKey);
    let key = drive.keep.iter().rev().find_map(|told| match told {
        KeepTold::Sheet(key) => Some(key.clone()),
        _ => None,
    });
    keep(drive, KeepCommand::SheetKept);
    key.unwrap_or_else(|| panic!("no key: {:?}", drive.failures))
}

/// Makes a backup below a folder; where it lies.
pub fn back_up(drive: &mut Drive, into: &Path) -> PathBuf {
    std::fs::create_dir_all(into).unwrap();
    keep(drive, KeepCommand::BackUp(into.to_owned()));
    let name = drive.keep.iter().rev().find_map(|told| match told {
        KeepTold::BackedUp(report) => Some(report.name.clone()),
        _ => None,
    });
    into.join(name.unwrap_or_else(|| panic!("no backup: {:?}", drive.failures)))
}

/// What restoring said last.
pub fn restored(drive: &Drive) -> RestoreReport {
    let found = drive.keep.iter().rev().find_map(|told| match told {
        KeepTold::Restored(report) | KeepTold::Drilled(report) => Some(report.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("nothing was restored: {:?}", drive.failures))
}

fn view(drive: &mut Drive) -> KeepView {
    keep(drive, KeepCommand::Show);
    let found = drive.keep.iter().rev().find_map(|told| match told {
        KeepTold::View(view) => Some((**view).clone()),
        _ => None,
    });
    found.expect("the page is told")
}

#[test]
fn a_backup_needs_a_key_a_gate_and_is_not_restored_over_an_open_desk() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    drive.create();
    assert_eq!(view(&mut drive).key_made_at, None);
    keep(&mut drive, KeepCommand::BackUp(folder.path().into()));
    assert_eq!(drive.failures.pop(), Some(Failure::Keep(KeepFailure::NoGate)));
    let key = backup_key(&mut drive);
    assert!(view(&mut drive).key_made_at.is_some());
    drive.restore(folder.path(), &key);
    assert_eq!(drive.failures.pop(), Some(Failure::Keep(KeepFailure::NotLocked)));
    keep(&mut drive, KeepCommand::Drill(folder.path().into(), key));
    assert_eq!(drive.failures.pop(), Some(Failure::Keep(KeepFailure::NotABackup)));
    keep(&mut drive, KeepCommand::Drill(folder.path().into(), Typed::new("0000".into())));
    assert!(matches!(drive.failures.pop(), Some(Failure::Keep(KeepFailure::Key(_)))));
    // Another key takes a second person from now on.
    keep(&mut drive, KeepCommand::NewKey);
    assert!(matches!(drive.failures.pop(), Some(Failure::Operators(_))), "nobody is there to approve");
}

#[test]
fn p51_4_the_keys_are_changed_by_two_people_and_everybody_logs_in_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    drive.create();
    let resident = drive.add("欧阳暖暖", "9-1909").unwrap();
    drive.staff(StaffCommand::CloseResident);
    keep(&mut drive, KeepCommand::ChangeKeys);
    assert!(matches!(drive.failures.pop(), Some(Failure::Operators(_))), "nobody is there to approve");
    drive.add_colleague();
    let before = std::fs::read(drive.data().join("vault.db")).unwrap();
    keep(&mut drive, KeepCommand::ChangeKeys);
    assert!(!drive.keep.iter().any(|told| matches!(told, KeepTold::Changing)), "not before the second person");
    drive.approve();
    // The courier of the session has a connection of its own: the keys wait for it.
    for _ in 0..3 {
        drive.tick();
    }
    assert!(drive.keep.iter().any(|told| matches!(told, KeepTold::Changed(2))), "{:?}", drive.failures);
    assert_ne!(std::fs::read(drive.data().join("vault.db")).unwrap()[..64], before[..64]);
    drive.failures.clear();
    drive.unlock();
    drive.staff(StaffCommand::OpenResident(resident, LookWhy::Request));
    assert_eq!(drive.opened.as_ref().map(|v| v.resident.name.as_str().to_owned()).as_deref(), Some("欧阳暖暖"));
    assert!(view(&mut drive).keys_changed_at.is_some());
    assert_eq!(drive.failures, vec![]);
}

#[test]
fn a_changed_page_a_swapped_file_and_a_missing_one_are_refused_and_said_at_the_start() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut other = drive_in(two.path());
    other.create();
    other.staff(StaffCommand::Lock);
    let mut drive = drive_in(one.path());
    drive.create();
    drive.staff(StaffCommand::Lock);
    let data = drive.data().to_owned();
    let mut refused = |what: &str, file: &str, change: &dyn Fn(&Path)| {
        let whole = std::fs::read(data.join(file)).unwrap();
        change(&data.join(file));
        drive.failures.clear();
        // As after a start of the program.
        drive.unlock();
        assert!(drive.is_locked(), "{what}");
        let said = drive.failures.iter().any(|failure| match failure {
            Failure::VaultDamaged(named) => ["vault.db", "keys.db", "epoch.key", "slots"].contains(&named.as_str()),
            Failure::WrongPassphrase { .. } => file == "slots",
            _ => false,
        });
        assert!(said, "{what}: {:?}", drive.failures);
        std::fs::write(data.join(file), whole).unwrap();
    };
    for file in ["vault.db", "keys.db"] {
        let pages = std::fs::metadata(one.path().join("desk").join(file)).unwrap().len() / 4096;
        for page in [1, pages / 2, pages - 1] {
            refused(&format!("page {page} of {file}"), file, &|path| {
                let mut bytes = std::fs::read(path).unwrap();
                bytes[usize::try_from(page).unwrap() * 4096 + 77] ^= 1;
                std::fs::write(path, bytes).unwrap();
            });
        }
        refused(&format!("two pages of {file} swapped"), file, &|path| {
            let mut bytes = std::fs::read(path).unwrap();
            let (front, back) = bytes.split_at_mut(2 * 4096);
            front[4096..].swap_with_slice(&mut back[..4096]);
            std::fs::write(path, bytes).unwrap();
        });
        refused(&format!("{file} of another site"), file, &|path| {
            std::fs::copy(two.path().join("desk").join(file), path).unwrap();
        });
        refused(&format!("{file} is empty"), file, &|path| std::fs::write(path, b"").unwrap());
    }
    refused("epoch.key of another site", "epoch.key", &|path| {
        std::fs::copy(two.path().join("desk/epoch.key"), path).unwrap();
    });
    refused("epoch.key cut in half", "epoch.key", &|path| {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    });
    refused("the slots of another site", "slots", &|path| {
        std::fs::copy(two.path().join("desk/slots"), path).unwrap();
    });
    drive.failures.clear();
    drive.unlock();
    if drive.is_locked() {
        // The pause after the refusals above.
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        drive.unlock();
    }
    assert!(!drive.is_locked(), "whole again it opens: {:?}", drive.failures);
}

#[test]
fn p51_the_desk_binds_the_vault_to_its_computer_and_says_on_another_why_it_does_not_open() {
    use crate::chip::Swtpm;
    use menka::app::keep::ComputerView;
    let (Some(here), Some(there)) = (Swtpm::start(), Swtpm::start()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let on = |chip: &Swtpm| {
        let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
        Drive::with_chip(folder.path(), engine, people(&pictures()).unwrap(), chip.chip())
    };
    let mut drive = on(&here);
    drive.create();
    drive.add_colleague();
    assert_eq!(view(&mut drive).computer, ComputerView::Free);
    keep(&mut drive, KeepCommand::BindComputer);
    assert!(!drive.keep.iter().any(|told| matches!(told, KeepTold::Changing)), "not before the second person");
    drive.approve();
    for _ in 0..3 {
        drive.tick();
    }
    assert!(drive.keep.contains(&KeepTold::Bound), "{:?}", drive.failures);
    drive.unlock();
    assert_eq!(view(&mut drive).computer, ComputerView::Bound);
    drive.staff(StaffCommand::Lock);
    assert_eq!(drive.failures, vec![]);
    drop(drive);

    let mut stolen = on(&there);
    stolen.unlock();
    assert!(stolen.is_locked());
    assert_eq!(stolen.failures, vec![Failure::Keep(KeepFailure::ChipOther)]);
    drop(stolen);

    let mut drive = on(&here);
    drive.unlock();
    keep(&mut drive, KeepCommand::ReleaseComputer);
    drive.approve();
    for _ in 0..3 {
        drive.tick();
    }
    assert!(drive.keep.contains(&KeepTold::Released), "{:?}", drive.failures);
    drop(drive);
    // Without a chip there is nothing to bind to; what was released opens.
    let mut drive = drive_in(folder.path());
    drive.unlock();
    assert_eq!(view(&mut drive).computer, ComputerView::NoChip);
    keep(&mut drive, KeepCommand::BindComputer);
    assert_eq!(drive.failures, vec![Failure::Keep(KeepFailure::ChipMissing)]);
}
