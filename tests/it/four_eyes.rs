//! Four eyes that hold: the second person knows whom it is about, nobody approves what is done to themselves, and editing the slots file takes
//! nobody's eyes away.

use menka::app::command::StaffCommand;
use menka::app::event::{Failure, StaffEvent};
use menka::app::operators::{AccountView, Concerned, OperatorsCommand, OperatorsEvent, OperatorsFailure};
use menka::domain::Realm;
use menka::domain::approval::Act;
use menka::domain::id::StaffId;
use menka::domain::notice::{Language, NoticeRef};
use menka::domain::role::Role;
use menka::secret::Passphrase;
use menka::vault::{Vault, VaultError};
use sha2::{Digest, Sha256};

use crate::operators::{Station, operators, passphrase};

fn about(station: &Station) -> Option<(Act, Vec<StaffId>, Concerned)> {
    station.told.iter().rev().find_map(|event| match event {
        StaffEvent::Operators(OperatorsEvent::ApprovalAsked { act, by, about }) => {
            Some((*act, by.iter().map(|(id, _)| *id).collect(), about.clone()))
        }
        _ => None,
    })
}

fn account(name: &str, role: Role) -> Concerned {
    Concerned::Account { name: name.into(), role }
}

/// Names of accounts whose slot is gone, as last told.
fn missing(station: &Station) -> Option<Vec<String>> {
    station.told.iter().rev().find_map(|event| match event {
        StaffEvent::Operators(OperatorsEvent::SlotsMissing(names)) => Some(names.clone()),
        _ => None,
    })
}

fn list(station: &mut Station) -> Vec<AccountView> {
    station.told.clear();
    station.operators(OperatorsCommand::Show);
    let told = |event: &StaffEvent| match event {
        StaffEvent::Operators(OperatorsEvent::Accounts(list, _)) => Some(list.clone()),
        _ => None,
    };
    station.told.iter().find_map(told).unwrap()
}

/// Takes one account's entry out of the slots file, as somebody with an editor would.
fn take_out_slot(station: &Station, id: StaffId) {
    let path = station.folder.path().join("slots");
    let mut file: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let slots = file["slots"].as_array_mut().unwrap();
    let before = slots.len();
    slots.retain(|slot| slot["operator"] != id.to_string());
    assert_eq!(slots.len() + 1, before);
    std::fs::write(&path, serde_json::to_vec_pretty(&file).unwrap()).unwrap();
}

// Shows: F14a, N8-16
#[test]
fn p51_4_the_second_person_is_told_whose_account_it_is() {
    let (mut station, _) = Station::new();
    let second = station.add_second();
    station.add("前台丙", Role::FrontDesk);
    let (act, by, told) = about(&station).unwrap();
    assert_eq!((act, by, told), (Act::AddAccount(Role::FrontDesk), vec![second], account("前台丙", Role::FrontDesk)));
    station.operators(OperatorsCommand::Approve(second, passphrase("主管乙")));
    let front = station.account("前台丙");
    for act in [Act::ResetPassphrase(front), Act::DisableAccount(front)] {
        station.told.clear();
        station.operators(match act {
            Act::DisableAccount(id) => OperatorsCommand::Disable(id),
            _ => OperatorsCommand::Reset(front, passphrase("another")),
        });
        assert_eq!(about(&station), Some((act, vec![second], account("前台丙", Role::FrontDesk))));
        assert!(!format!("{:?}", about(&station)).contains("前台丙"), "and no log of this program says it");
        station.operators(OperatorsCommand::ApproveNot);
    }
    // Of an account that is not there nobody is asked.
    station.told.clear();
    station.operators(OperatorsCommand::Disable(StaffId::from_bytes([3; 16])));
    assert!(about(&station).is_none() && !station.failures().is_empty());
}

#[test]
fn p51_4_nobody_approves_what_is_done_to_their_own_account() {
    let (mut station, _) = Station::new();
    let second = station.add_second();
    // Two supervisors: the only other one is the one whom it would be done to.
    for reset in [true, false] {
        station.told.clear();
        station.operators(match reset {
            true => OperatorsCommand::Reset(second, passphrase("chosen by 甲")),
            false => OperatorsCommand::Disable(second),
        });
        assert_eq!(station.failures(), vec![operators(OperatorsFailure::OnlyTheOneConcerned)]);
        station.operators(OperatorsCommand::Approve(second, passphrase("主管乙")));
        assert!(about(&station).is_none(), "nothing waits");
    }
    station.add_approved("主管丙", Role::Supervisor, second);
    let third = station.account("主管丙");
    for reset in [true, false] {
        let ask = |station: &mut Station| {
            station.told.clear();
            station.operators(match reset {
                true => OperatorsCommand::Reset(second, passphrase("chosen by 甲")),
                false => OperatorsCommand::Disable(second),
            });
            let (_, by, told) = about(station).unwrap();
            assert_eq!((by, told), (vec![third], account("主管乙", Role::Supervisor)));
        };
        ask(&mut station);
        // Their passphrase, typed for what they took for something else, does nothing.
        station.operators(OperatorsCommand::Approve(second, passphrase("主管乙")));
        assert_eq!(station.failures(), vec![operators(OperatorsFailure::NotAnApprover)]);
        station.hand_over("主管乙");
        station.hand_over("主管甲");
        ask(&mut station);
        station.operators(OperatorsCommand::Approve(third, passphrase("主管丙")));
        assert_eq!(station.failures(), vec![]);
        if reset {
            station.staff(StaffCommand::Lock);
            station.enter_with("主管乙", passphrase("chosen by 甲"));
            assert!(!station.desk.is_locked());
            station.hand_over("主管甲");
            // Back to the old one for the second round.
            station.operators(OperatorsCommand::Reset(second, passphrase("主管乙")));
            station.operators(OperatorsCommand::Approve(third, passphrase("主管丙")));
        }
    }
    assert!(list(&mut station).iter().any(|row| row.id == second && row.disabled));
}

#[test]
fn p51_4_taking_a_slot_out_of_the_file_takes_nobodys_eyes_away() {
    let (mut station, _) = Station::new();
    let second = station.add_second();
    station.add_approved("前台丙", Role::FrontDesk, second);
    station.staff(StaffCommand::Lock);
    let kept = std::fs::read(station.folder.path().join("slots")).unwrap();
    take_out_slot(&station, second);
    station.told.clear();
    station.enter("主管甲");
    // Said aloud at once, to whoever enters, and on the page of accounts.
    assert_eq!(missing(&station), Some(vec!["主管乙".to_owned()]));
    assert!(list(&mut station).iter().any(|row| row.id == second && row.slot_missing && !row.disabled));
    // Nothing that took two takes one now.
    let door = |station: &Station| Vault::accounts_at_the_door(station.folder.path(), station.now).unwrap().len();
    station.told.clear();
    station.add("主管丁", Role::Supervisor);
    let front = station.account("前台丙");
    station.operators(OperatorsCommand::Reset(front, passphrase("chosen by 甲")));
    station.operators(OperatorsCommand::Reset(second, passphrase("chosen by 甲")));
    station.operators(OperatorsCommand::NewRecoveryKey);
    assert_eq!(station.failures(), vec![operators(OperatorsFailure::NobodyToApprove); 4]);
    assert_eq!((about(&station), door(&station)), (None, 2));
    station.staff(StaffCommand::Lock);
    let unlock = |station: &Station| {
        Vault::unlock(station.folder.path(), Realm::Real, &passphrase("主管甲"), station.now).unwrap()
    };
    let mut vault = unlock(&station);
    for act in [Act::AddAccount(Role::Supervisor), Act::ChangeSite, Act::ExportLog, Act::ResumeFaces(None)] {
        assert_eq!(vault.may_act_alone(act), Ok(false), "{act:?}");
        assert_eq!(vault.second_person(act, None, station.now), Err(VaultError::ApprovalNeeded), "{act:?}");
    }
    let refused = vault.approve(Act::ChangeSite, second, &passphrase("主管乙"), station.now);
    assert_eq!(refused.err(), Some(VaultError::NotAnApprover));
    drop(vault);
    // The file put back: everything is as it was.
    std::fs::write(station.folder.path().join("slots"), kept).unwrap();
    station.enter("主管甲");
    assert_eq!(missing(&station), Some(vec![]));
    station.add_approved("主管丁", Role::Supervisor, second);
    let fourth = station.account("主管丁");

    // With a third supervisor an account gets its slot back, under a passphrase that its holder types.
    station.staff(StaffCommand::Lock);
    take_out_slot(&station, second);
    station.enter("主管甲");
    station.operators(OperatorsCommand::Reset(second, passphrase("乙 anew")));
    station.operators(OperatorsCommand::Approve(fourth, passphrase("主管丁")));
    assert_eq!(missing(&station), Some(vec![]));
    station.staff(StaffCommand::Lock);
    station.enter_with("主管乙", passphrase("乙 anew"));
    assert!(!station.desk.is_locked(), "{:?}", station.failures());
}

/// The program ended between the slots file and the vault while an account was added.
#[test]
fn an_account_that_was_half_added_opens_nothing_and_is_swept_up() {
    let (mut station, _) = Station::new();
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        for entry in std::fs::read_dir(from).unwrap().flatten().filter(|entry| entry.path().is_file()) {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    };
    station.staff(StaffCommand::Lock);
    let before = tempfile::tempdir().unwrap();
    copy(station.folder.path(), before.path());
    station.enter("主管甲");
    station.add("主管乙", Role::Supervisor);
    station.staff(StaffCommand::Lock);
    let half = std::fs::read(station.folder.path().join("slots")).unwrap();
    copy(before.path(), station.folder.path());
    std::fs::write(station.folder.path().join("slots"), half).unwrap();
    station.told.clear();
    station.enter_with("主管乙", passphrase("主管乙"));
    assert_eq!(station.failures(), vec![operators(OperatorsFailure::AccountOff)]);
    station.enter("主管甲");
    assert_eq!(missing(&station), Some(vec![]));
    assert_eq!(Vault::accounts_at_the_door(station.folder.path(), station.now).unwrap().len(), 1, "swept up");
    // And is not in the way.
    let second = station.add_second();
    station.add_approved("前台丙", Role::FrontDesk, second);
    assert_eq!(list(&mut station).len(), 3);
}

#[test]
fn p51_1_who_signed_earlier_rules_does_not_approve() {
    let (mut station, _) = Station::new();
    let second = station.add_second();
    station.staff(StaffCommand::Lock);
    // The rules had another version when the second one signed them last.
    let dir = station.folder.path();
    let mut vault = Vault::unlock_as(dir, Realm::Real, second, &passphrase("主管乙"), station.now).unwrap();
    let text = "an earlier text of the rules";
    let earlier = NoticeRef {
        id: "MK-R1".into(),
        version: "0.9".into(),
        language: Language::Chinese,
        sha256: Sha256::digest(text.as_bytes()).into(),
    };
    vault.record_undertaking(&earlier, text, "乙", station.now).unwrap();
    drop(vault);
    station.enter("主管甲");
    station.told.clear();
    station.add("前台丙", Role::FrontDesk);
    assert_eq!(station.failures(), vec![operators(OperatorsFailure::NobodyToApprove)]);
    let row = list(&mut station).into_iter().find(|row| row.id == second).unwrap();
    assert!(!row.standing.works(), "{row:?}");
    // Signed again, they approve again.
    station.hand_over("主管乙");
    station.sign("主管乙");
    station.hand_over("主管甲");
    station.told.clear();
    station.add("前台丙", Role::FrontDesk);
    assert!(about(&station).is_some(), "{:?}", station.failures());
}

#[test]
fn f14_a_search_by_the_card_field_is_a_search_in_the_log() {
    let (mut station, _) = Station::new();
    station.add_resident("王小明", "12031201");
    station.staff(StaffCommand::CloseResident);
    station.told.clear();
    station.staff(StaffCommand::WedgeTyped("12031201".into()));
    let found = station.told.iter().any(|event| matches!(event, StaffEvent::Found { rows, .. } if rows.len() == 1));
    assert!(found, "{:?}", station.told);
    // A card that nobody has shows nobody, and is none.
    station.staff(StaffCommand::WedgeTyped("12031202".into()));
    assert_eq!(station.failures(), vec![Failure::CardUnknown]);
    assert_eq!(station.log().iter().filter(|record| record.what == "searched").count(), 1);
}

/// A passphrase of one's own is changed as ever, also by whoever has no other supervisor.
#[test]
fn ones_own_passphrase_needs_nobody() {
    let (mut station, _) = Station::new();
    station.add_second();
    let own = OperatorsCommand::ChangePassphrase(passphrase("主管甲"), Passphrase::new("a long enough new one".into()));
    station.operators(own);
    assert!(station.failures().is_empty() && about(&station).is_none());
}

// Shows: P51-4
#[test]
fn p51_4_wrong_passphrases_at_an_approval_are_in_the_log_as_those_at_the_door() {
    let (mut station, _) = Station::new();
    let second = station.add_second();
    let refused = |station: &mut Station| station.log().iter().filter(|r| r.what == "unlock-refused").count();
    let ask = |station: &mut Station| station.operators(OperatorsCommand::NewRecoveryKey);
    let wrong = |station: &mut Station, times: usize| {
        for _ in 0..times {
            station.operators(OperatorsCommand::Approve(second, passphrase("nobody")));
        }
    };
    ask(&mut station);
    wrong(&mut station, 2);
    station.operators(OperatorsCommand::Approve(second, passphrase("主管乙")));
    assert_eq!(refused(&mut station), 2);
    let log = station.log();
    let at = |what: &str| log.iter().rposition(|r| r.what == what).unwrap_or_else(|| panic!("{what}: {log:?}"));
    assert!(at("unlock-refused") < at("approved"), "{log:?}");
    // Reading the log closed the desk.
    station.enter("主管甲");
    station.operators(OperatorsCommand::RecoveryKept);
    // Given up: the count stays, and the next right passphrase brings it into the log.
    ask(&mut station);
    wrong(&mut station, 2);
    station.operators(OperatorsCommand::ApproveNot);
    station.staff(StaffCommand::Lock);
    station.enter("主管乙");
    assert_eq!(refused(&mut station), 4);
    // One's own, at a change.
    station.enter("主管乙");
    station.operators(OperatorsCommand::ChangePassphrase(passphrase("nobody"), passphrase("anew")));
    station.operators(OperatorsCommand::ChangePassphrase(passphrase("主管乙"), passphrase("anew")));
    assert_eq!(refused(&mut station), 5);
}
