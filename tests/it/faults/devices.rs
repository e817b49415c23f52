//! Reader, cards and camera.

use std::time::Duration;

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::event::{Failure, ResidentScene};
use menka::domain::role::LookWhy;
use menka::ports::ReaderError;
use menka::practice::PracticeAct;

use super::*;

#[test]
fn an_unplugged_reader_is_told_on_both_sides_and_goes_on_when_plugged_in() {
    let mut site = site(1);
    site.resident("周", 0);
    site.drive.resident(ResidentCommand::AskFace);
    site.drive.controls.act(PracticeAct::UnplugReader);
    site.drive.until("the reader's trouble", Duration::from_secs(5), |d| tap_failure(&d.scene).is_some()).unwrap();
    assert_eq!(tap_failure(&site.drive.scene), Some(Failure::Reader(ReaderError::None)));
    assert_eq!(site.drive.told.iter().filter(|t| *t == "Staff(Reader(Some(None)))").count(), 1, "told once");
    site.drive.controls.act(PracticeAct::PlugReader);
    let back = |d: &Drive| d.told.iter().any(|t| t == "Staff(Reader(None))");
    site.drive.until("the reader", Duration::from_secs(5), back).unwrap();
    site.drive.tap_card(0).unwrap();
    assert!(matches!(site.drive.scene, ResidentScene::Notice { .. }), "{:?}", site.drive.scene);
}

#[test]
fn a_card_that_is_pulled_too_early_is_asked_for_again() {
    let mut site = site(1);
    site.resident("周", 0);
    site.drive.resident(ResidentCommand::AskFace);
    site.drive.controls.act(PracticeAct::PullCard);
    site.drive.until("the pulled card", Duration::from_secs(5), |d| tap_failure(&d.scene).is_some()).unwrap();
    assert_eq!(tap_failure(&site.drive.scene), Some(Failure::Reader(ReaderError::CardPulled)));
    site.drive.tap_card(0).unwrap();
    assert!(matches!(site.drive.scene, ResidentScene::Notice { .. }), "{:?}", site.drive.scene);
}

#[test]
fn an_unknown_card_and_unreadable_text_are_told_where_they_were_read() {
    let mut site = site(1);
    site.resident("周", 0);
    site.drive.resident(ResidentCommand::AskFace);
    site.drive.tap_card(7).unwrap();
    assert_eq!(tap_failure(&site.drive.scene), Some(Failure::CardUnknown));
    site.drive.resident(ResidentCommand::WedgeTyped("not a card".into()));
    assert_eq!(tap_failure(&site.drive.scene), Some(Failure::CardTextUnreadable));
    assert_eq!(site.drive.failures, vec![], "the staff window is not told of a resident's card");
    // The same two at the staff window.
    site.drive.resident(ResidentCommand::Back);
    site.drive.staff(StaffCommand::WedgeTyped(typed(7)));
    site.drive.staff(StaffCommand::WedgeTyped("not a card".into()));
    assert_eq!(site.drive.failures, vec![Failure::CardUnknown, Failure::CardTextUnreadable]);
    // The right card, typed.
    site.drive.resident(ResidentCommand::AskFace);
    site.drive.resident(ResidentCommand::WedgeTyped(typed(0)));
    assert!(matches!(site.drive.scene, ResidentScene::Notice { .. }), "{:?}", site.drive.scene);
}

#[test]
fn a_card_is_issued_once_and_never_to_two_people() {
    let mut site = site(1);
    let zhou = site.resident("周一", 0);
    let wu = site.resident("吴二", 1);
    let gates = site.drive.paired();
    site.drive.staff(StaffCommand::IssueCard { resident: zhou, uid: uid(0), gates: gates.clone() });
    assert_eq!(site.drive.failures.last(), Some(&Failure::CardSame));
    site.drive.staff(StaffCommand::OpenResident(wu, LookWhy::Here));
    site.drive.staff(StaffCommand::WedgeTyped(typed(0)));
    assert!(site.drive.told.last().is_some_and(|t| t.contains("CardRead") && t.contains("taken: true")));
    site.drive.staff(StaffCommand::IssueCard { resident: wu, uid: uid(0), gates: gates.clone() });
    assert_eq!(site.drive.failures.last(), Some(&Failure::CardTaken));
    site.drive.staff(StaffCommand::IssueCard { resident: wu, uid: uid(2), gates: vec![] });
    assert_eq!(site.drive.failures.last(), Some(&Failure::NoGateChosen));
    assert_eq!(site.drive.failures.len(), 3);
    // Both cards are what they were; a new number is accepted.
    site.assert_card_opens(0);
    site.assert_card_opens(1);
    site.drive.staff(StaffCommand::IssueCard { resident: wu, uid: uid(2), gates });
    site.drive.deliver().unwrap();
    site.assert_card_opens(2);
    assert!(!site.gates[0].opens_for(&uid(1)).unwrap(), "the old card is shut");
    assert_eq!(site.drive.failures.len(), 3);
}

#[test]
fn an_issue_after_the_residents_last_day_names_the_field() {
    let mut site = site(1);
    let zhou = site.resident("周一", 0);
    let (gates, late) = (site.drive.paired(), in_days(330));
    let command = Command::Staff(StaffCommand::IssueCard { resident: zhou, uid: uid(1), gates });
    let events = site.drive.desk.handle(command, late);
    let field = Failure::Field(menka::app::event::FieldFault::EndDate);
    assert!(events.contains(&Event::Staff(menka::app::event::StaffEvent::Failed(field))), "{events:?}");
}
