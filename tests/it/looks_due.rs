//! The supervisor is reminded of the oldest weekly sheet of looks until a supervisor has looked at it. Nobody else's look counts for that.

use menka::app::command::StaffCommand;
use menka::app::event::StaffEvent;
use menka::app::operators::{LooksWeek, OperatorsCommand, OperatorsEvent};
use menka::domain::notice::Language;
use menka::domain::role::Role;

use super::operators::Station;

const WEEK_MS: i64 = 7 * 86_400_000;

/// How many weeks ago the week is that waits, as told last.
fn due(station: &Station) -> Option<u8> {
    let told = |event: &StaffEvent| match event {
        StaffEvent::Operators(OperatorsEvent::LooksDue(due)) => Some(*due),
        _ => None,
    };
    let due: Option<LooksWeek> = station.told.iter().rev().find_map(told).expect("told");
    due.map(|week| week.weeks)
}

fn looked(station: &mut Station, weeks: u8) -> Option<u8> {
    station.operators(OperatorsCommand::ShowLooks(weeks));
    due(station)
}

// Shows: F14a
#[test]
fn f14_only_a_supervisors_look_ends_the_reminder_and_a_week_that_was_left_out_stays_due() {
    let (mut station, _) = Station::new();
    let second = station.add_second();
    station.add_approved("审计戊", Role::Auditor, second);
    station.staff(StaffCommand::Lock);
    station.now = station.now.plus_ms(2 * WEEK_MS);
    station.enter("审计戊");
    for weeks in [0, 1, 2] {
        assert_eq!(looked(&mut station, weeks), Some(2), "an auditor's look is the auditor's");
    }
    let paper = station.folder.path().join("looks.pdf");
    station.operators(OperatorsCommand::SaveLooks(2, paper, Language::Chinese));
    assert_eq!(due(&station), Some(2));
    station.hand_over("主管甲");
    assert_eq!(due(&station), Some(2), "the oldest one");
    assert_eq!(looked(&mut station, 0), Some(2), "a week that is not over is not done with");
    assert_eq!(looked(&mut station, 1), Some(2), "the older one was left out");
    station.hand_over("主管乙");
    assert_eq!(due(&station), Some(2));
    assert_eq!(looked(&mut station, 2), None);
    // A week later that week alone waits, on paper as well as on the screen.
    station.staff(StaffCommand::Lock);
    station.now = station.now.plus_ms(WEEK_MS);
    station.enter("主管甲");
    assert_eq!(due(&station), Some(1));
    let paper = station.folder.path().join("last.pdf");
    station.operators(OperatorsCommand::SaveLooks(1, paper, Language::Chinese));
    assert_eq!(due(&station), None);
    let seen = station.log().iter().filter(|record| record.what == "looks-sheet-seen").count();
    assert_eq!(seen, 3 + 3, "the auditor's looks at weeks that were over, and the supervisors'");
}
