//! What a visit may be cut short by: a kill, staff, a lock, a resident who walks away; and who may not begin one.

use std::time::Duration;

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::event::{FaceState, Failure, ResidentScene};
use menka::domain::consent::EraseReason;
use menka::domain::notice::Language;
use menka::domain::role::LookWhy;
use menka::domain::site::Fact;

use super::*;

fn is_idle(scene: &ResidentScene) -> bool {
    matches!(scene, ResidentScene::Idle { .. })
}

#[test]
fn p13_a_kill_in_the_middle_of_a_capture_loses_the_capture_and_nothing_else() {
    let mut site = site(2);
    let resident = site.resident("周", 0);
    site.camera_on_nobody(0);
    // As a power cut: nothing is closed, nothing is said.
    let Site { drive, gates, folder } = site;
    drop(drive);
    let mut drive = drive_in(folder.path());
    drive.unlock();
    assert_eq!(drive.failures, vec![Failure::CaptureLost]);
    let mut site = Site { drive, gates, folder };
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Here));
    let face = |d: &Drive| d.opened.as_ref().map(|v| v.face.clone());
    assert!(matches!(face(&site.drive), Some(FaceState::Erasing { pending }) if pending.len() == 2));
    let start = std::time::Instant::now();
    while face(&site.drive) != Some(FaceState::None) {
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", face(&site.drive));
        site.drive.deliver().unwrap();
        site.drive.tick();
    }
    site.drive.staff(StaffCommand::CloseResident);
    site.assert_card_opens(0);
    site.drive.failures.clear();
    site.assert_enrolls(0);
    // Told once.
    site.drive.staff(StaffCommand::Lock);
    site.drive.unlock();
    assert_eq!(site.drive.failures, vec![]);
}

#[test]
fn a_kill_while_a_consent_rests_leaves_no_consent_that_nobody_stands_behind() {
    let mut site = site(1);
    let resident = site.resident("周", 0);
    site.drive.controls.act(PracticeAct::UnplugCamera);
    site.drive.ask_for_face(0).unwrap();
    site.drive.read_and_consent().unwrap();
    assert!(matches!(ended(&site.drive.scene), Some((Some(_), true))));
    let Site { drive, gates, folder } = site;
    drop(drive);
    let mut drive = drive_in(folder.path());
    drive.unlock();
    assert_eq!(drive.failures, vec![Failure::CaptureLost]);
    let mut site = Site { drive, gates, folder };
    assert_eq!(site.vault().current_consent(resident).unwrap(), None);
    site.drive.unlock();
    site.drive.failures.clear();
    site.drive.deliver().unwrap();
    site.drive.tick();
    site.assert_enrolls(0);
}

#[test]
fn staff_may_stop_a_capture_and_the_resident_may_begin_anew() {
    let mut site = site(1);
    let resident = site.resident("周", 0);
    site.camera_on_nobody(0);
    site.drive.staff(StaffCommand::StopFace);
    assert_eq!(ended(&site.drive.scene), Some((None, false)));
    site.assert_dark();
    assert_eq!(site.drive.failures, vec![]);
    site.assert_faces_gone();
    site.assert_card_opens(0);
    assert_eq!(site.vault().current_consent(resident).unwrap(), None);
    site.drive.unlock();
    assert_eq!(site.drive.failures, vec![], "a capture that was stopped is not a lost one");
    site.drive.deliver().unwrap();
    site.drive.tick();
    site.assert_enrolls(0);
}

#[test]
fn locking_in_a_capture_turns_the_camera_off_and_is_no_crash() {
    let mut site = site(1);
    let resident = site.resident("周", 0);
    site.camera_on_nobody(0);
    site.drive.staff(StaffCommand::Lock);
    assert_eq!(site.drive.scene, ResidentScene::Closed);
    site.assert_dark();
    site.drive.unlock();
    assert_eq!(site.drive.failures, vec![], "a capture that was locked away is not a lost one");
    let vault = site.vault();
    assert_eq!(vault.current_consent(resident).unwrap(), None);
    let log: Vec<String> = vault.log_records(0, 1_000).unwrap().into_iter().map(|r| r.what).collect();
    let count = |what: &str| log.iter().filter(|w| *w == what).count();
    assert_eq!((count("camera-opened"), count("camera-closed")), (1, 1), "{log:?}");
    drop(vault);
    site.drive.unlock();
    site.assert_faces_gone();
    site.assert_card_opens(0);
    site.assert_enrolls(0);
}

#[test]
fn p15_a_withdrawal_by_phone_in_a_capture_is_recorded_as_one_and_fails_nothing() {
    let mut site = site(1);
    let resident = site.resident("周", 0);
    site.camera_on_nobody(0);
    site.drive.staff(StaffCommand::WithdrawFor(resident));
    assert_eq!(ended(&site.drive.scene), Some((None, false)));
    assert_eq!(site.drive.failures, vec![]);
    site.assert_dark();
    site.assert_faces_gone();
    // There is nothing to withdraw twice.
    site.drive.staff(StaffCommand::WithdrawFor(resident));
    assert_eq!(site.drive.failures, vec![Failure::NothingToWithdraw]);
    let vault = site.vault();
    let log = vault.log_records(0, 1_000).unwrap();
    let word = EraseReason::Withdrawn.label();
    let ended: Vec<_> = log.iter().filter(|r| r.what == "consent-ended").collect();
    assert!(ended.len() == 1 && format!("{:?}", ended[0]).contains(word), "{ended:?}");
}

#[test]
fn p31_minors_and_expired_cards_keep_their_card_and_begin_no_face() {
    let mut site = site(1);
    for (card, band, next) in [(0, AgeBand::From14To17, 400), (1, AgeBand::Under14, 900)] {
        let child = add_minor(&mut site.drive, "小周", &format!("9-{card}"), band, next);
        site.drive.issue(child, card).unwrap();
        site.drive.staff(StaffCommand::CloseResident);
        site.drive.resident(ResidentCommand::AskFace);
        site.drive.resident(ResidentCommand::WedgeTyped(typed(card)));
        assert_eq!(tap_failure(&site.drive.scene), Some(Failure::GuardianNotChecked));
        site.assert_card_opens(card);
        site.drive.resident(ResidentCommand::Back);
    }
    site.resident("周", 2);
    let late = in_days(301);
    resident_at(&mut site.drive, ResidentCommand::AskFace, late);
    let events = resident_at(&mut site.drive, ResidentCommand::WedgeTyped(typed(2)), late);
    assert_eq!(scene_of(&events).as_ref().and_then(tap_failure), Some(Failure::CardExpired));
    assert_eq!(site.drive.previews, 0);
}

#[test]
fn p31_an_age_band_that_staff_correct_in_the_middle_of_a_visit_keeps_the_camera_dark() {
    let mut site = site(1);
    let resident = site.resident("周", 0);
    site.drive.controls.act(PracticeAct::UnplugCamera);
    site.drive.ask_for_face(0).unwrap();
    site.drive.read_and_consent().unwrap();
    assert!(matches!(ended(&site.drive.scene), Some((Some(_), true))));
    site.drive.staff(StaffCommand::SaveResident {
        id: Some(resident),
        name: "周".into(),
        unit: "1-101".into(),
        age_band: AgeBand::From14To17,
        next_band_on: in_days(400).date().to_string(),
        ends_on: in_days(300).date().to_string(),
    });
    assert_eq!(site.drive.failures, vec![]);
    site.drive.controls.act(PracticeAct::PlugCamera);
    site.drive.resident(ResidentCommand::TryAgain);
    assert_eq!(ended(&site.drive.scene), Some((Some(Failure::DeciderChanged), false)));
    site.assert_dark();
    assert_eq!(site.drive.previews, 0);
    assert_eq!(site.vault().current_consent(resident).unwrap(), None);
}

#[test]
fn somebody_who_is_enrolled_is_told_so_and_stays_enrolled() {
    let mut site = site(1);
    site.resident("周", 0);
    assert!(site.drive.enroll(0).unwrap());
    site.drive.resident(ResidentCommand::AskFace);
    site.drive.tap_card(0).unwrap();
    assert_eq!(tap_failure(&site.drive.scene), Some(Failure::AlreadyEnrolled));
    assert!(site.gates[0].knows(0).unwrap());
    // Withdrawn first, it works again.
    site.drive.resident(ResidentCommand::AskWithdraw);
    site.drive.tap_card(0).unwrap();
    site.drive.resident(ResidentCommand::ConfirmWithdraw);
    site.assert_faces_gone();
    site.drive.resident(ResidentCommand::AskWithdraw);
    site.drive.resident(ResidentCommand::Back);
    site.drive.resident(ResidentCommand::AskWithdraw);
    site.drive.tap_card(0).unwrap();
    assert_eq!(tap_failure(&site.drive.scene), Some(Failure::NothingToWithdraw));
    site.assert_enrolls(0);
}

#[test]
fn p17_each_language_of_the_notice_is_read_to_its_own_end() {
    let mut site = site(1);
    let resident = site.resident("周", 0);
    site.drive.ask_for_face(0).unwrap();
    let notice = |d: &Drive| match &d.scene {
        ResidentScene::Notice { text, reached_end, .. } => Some((text.reference.language, *reached_end)),
        _ => None,
    };
    site.drive.resident(ResidentCommand::NoticeReachedEnd);
    assert_eq!(notice(&site.drive), Some((Language::Chinese, true)));
    site.drive.resident(ResidentCommand::Language(Language::English));
    assert_eq!(notice(&site.drive), Some((Language::English, false)));
    site.drive.resident(ResidentCommand::GoToConsent);
    assert_eq!(notice(&site.drive), Some((Language::English, false)), "the English text was not read");
    site.drive.resident(ResidentCommand::Language(Language::Chinese));
    assert_eq!(notice(&site.drive), Some((Language::Chinese, true)), "what was read stays read");
    site.drive.resident(ResidentCommand::Language(Language::English));
    site.drive.read_and_consent().unwrap();
    assert!(matches!(site.drive.scene, ResidentScene::Camera { .. }));
    let tries = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { .. });
    site.drive.until("the try", Duration::from_secs(40), tries).unwrap();
    site.drive.resident(ResidentCommand::Finish);
    let consent = site.vault().current_consent(resident).unwrap().expect("current");
    assert_eq!(consent.notice.language, Language::English);
}

#[test]
fn p14_a_notice_that_staff_change_while_it_is_read_must_be_read_again() {
    let mut site = site(1);
    site.resident("周", 0);
    site.drive.ask_for_face(0).unwrap();
    site.drive.resident(ResidentCommand::NoticeReachedEnd);
    site.drive.resident(ResidentCommand::GoToConsent);
    let mut facts = menka::practice::site::facts();
    facts.set(Fact::ContactPhone, "000-0000-0099");
    site.drive.staff(StaffCommand::SaveFacts(facts));
    let signature = menka::domain::consent::Signature::TypedName("本人".into());
    site.drive.resident(ResidentCommand::Consent { signature });
    let ResidentScene::Notice { text, reached_end: false, .. } = &site.drive.scene else {
        panic!("{:?}", site.drive.scene)
    };
    assert!(text.markdown.contains("000-0000-0099"));
    assert_eq!(site.drive.previews, 0);
    site.drive.read_and_consent().unwrap();
    assert!(matches!(site.drive.scene, ResidentScene::Camera { .. }), "{:?}", site.drive.scene);
}

#[test]
fn a_resident_who_walks_away_leaves_nothing_to_the_next_one() {
    let mut site = site(1);
    let resident = site.resident("周", 0);
    // In the middle of the notice.
    site.drive.ask_for_face(0).unwrap();
    let minutes = |m: i64| SystemClock.now().plus_ms(m * 60_000);
    awake_at(&mut site.drive, minutes(16));
    let events = site.drive.desk.tick(minutes(16));
    assert!(scene_of(&events).as_ref().is_some_and(is_idle), "{events:?}");
    // The clock of this desk is 16 minutes ahead now; what follows is measured from there.
    let events = resident_at(&mut site.drive, ResidentCommand::AskFace, minutes(16));
    assert!(matches!(scene_of(&events), Some(ResidentScene::TapCard { .. })));
    resident_at(&mut site.drive, ResidentCommand::WedgeTyped(typed(0)), minutes(16));
    site.drive.controls.act(PracticeAct::UnplugCamera);
    resident_at(&mut site.drive, ResidentCommand::NoticeReachedEnd, minutes(16));
    resident_at(&mut site.drive, ResidentCommand::GoToConsent, minutes(16));
    let signature = menka::domain::consent::Signature::TypedName("本人".into());
    let events = resident_at(&mut site.drive, ResidentCommand::Consent { signature }, minutes(16));
    assert!(matches!(scene_of(&events).as_ref().and_then(ended), Some((Some(_), true))), "{events:?}");
    // After camera trouble: the consent ends, nobody else can go on with it.
    awake_at(&mut site.drive, minutes(18));
    let events = site.drive.desk.tick(minutes(18));
    assert_eq!(scene_of(&events), None, "not yet");
    awake_at(&mut site.drive, minutes(20));
    let events = site.drive.desk.tick(minutes(20));
    assert_eq!(scene_of(&events).as_ref().and_then(ended), Some((None, false)));
    site.drive.controls.act(PracticeAct::PlugCamera);
    let events = resident_at(&mut site.drive, ResidentCommand::TryAgain, minutes(20));
    assert_eq!(scene_of(&events), None, "there is nothing to try again");
    awake_at(&mut site.drive, minutes(22));
    let events = site.drive.desk.tick(minutes(22));
    assert!(scene_of(&events).as_ref().is_some_and(is_idle), "{events:?}");
    assert_eq!(site.vault().current_consent(resident).unwrap(), None);
}

#[test]
fn names_of_one_and_of_two_hundred_rare_characters_are_kept_found_and_masked() {
    let mut site = site(1);
    let rare: String = "𠮷龘㐂𪚥䶮".chars().cycle().take(200).collect();
    for (card, name) in ["𠮷", rare.as_str()].into_iter().enumerate() {
        site.resident(name, card);
        let unit = format!("{}-101", card + 1);
        site.drive.staff(StaffCommand::Find { query: unit.clone() });
        let found = site.drive.told.last().unwrap();
        assert!(found.contains("Found") && found.contains("𠮷*") && found.contains(&unit), "{found}");
        site.drive.ask_for_face(card).unwrap();
        let ResidentScene::Notice { masked_name, .. } = &site.drive.scene else { panic!("{:?}", site.drive.scene) };
        assert_eq!(masked_name, if card == 0 { "𠮷*" } else { "𠮷***" });
        site.drive.resident(ResidentCommand::Back);
    }
    site.drive.staff(StaffCommand::Find { query: "𠮷 2-101".into() });
    assert!(site.drive.told.last().unwrap().contains("𠮷***"));
    let too_long = "龘".repeat(201);
    assert!(site.drive.add(&too_long, "3-1").is_err());
    let field = menka::app::event::FieldFault::Name(menka::domain::resident::ResidentError::NameTooLong);
    assert_eq!(site.drive.failures, vec![Failure::Field(field)]);
}
