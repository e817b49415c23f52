//! What ends by rule, at a whole desk with a real gate and a clock of the test's own: at start, at midnight in China while the desk stays
//! open, and never before the page has said what would be done.

use menka::app::command::{Command, StaffCommand};
use menka::app::deletion::{DeletionCommand, DeletionEvent, SiteView};
use menka::app::event::{Event, StaffEvent};
use menka::app::operators::OperatorsCommand;
use menka::app::runner::SystemClock;
use menka::domain::id::ResidentId;
use menka::domain::resident::AgeBand;
use menka::domain::role::LookWhy;
use menka::domain::time::{CivilDate, Timestamp};
use menka::ports::Clock;
use menka::practice::practice_card;
use menka::practice::site::PASSPHRASE;
use menka::secret::Passphrase;

use super::deletion::{NAME, Site, UNIT, enrolled};

const HOUR: i64 = 3_600_000;

/// A resident whose last day is tomorrow, and the instant at which that day is over in China.
fn until_tomorrow() -> (Site, ResidentId, Timestamp) {
    let (mut site, resident) = enrolled(1);
    let last: CivilDate = SystemClock.now().date().plus_days(1);
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Here));
    site.drive.staff(StaffCommand::SaveResident {
        id: Some(resident),
        name: NAME.into(),
        unit: UNIT.into(),
        age_band: AgeBand::Adult,
        next_band_on: String::new(),
        ends_on: last.to_string(),
    });
    site.drive.staff(StaffCommand::CloseResident);
    assert_eq!(site.drive.failures, vec![]);
    (site, resident, last.end())
}

/// What the desk's page of endings said, in order.
fn heard(site: &mut Site, events: Vec<Event>) -> Vec<SiteView> {
    let page = |event: &Event| match event {
        Event::Staff(StaffEvent::Deletion(DeletionEvent::Site(view))) => Some((**view).clone()),
        _ => None,
    };
    let pages = events.iter().filter_map(page).collect();
    site.drive.hear(events);
    pages
}

fn staff(site: &mut Site, command: StaffCommand, now: Timestamp) -> Vec<SiteView> {
    let events = site.drive.desk.handle(Command::Staff(command), now);
    heard(site, events)
}

/// Somebody moves the mouse, and the desk ticks.
fn tick(site: &mut Site, now: Timestamp) -> Vec<SiteView> {
    let mut pages = staff(site, StaffCommand::Operators(OperatorsCommand::Awake), now);
    let events = site.drive.desk.tick(now);
    pages.extend(heard(site, events));
    pages
}

fn page(site: &mut Site, now: Timestamp) -> SiteView {
    staff(site, StaffCommand::Deletion(DeletionCommand::Show), now).pop().expect("the page was asked for")
}

/// The gate has heard of it: nobody is held there.
fn gate_is_empty(site: &mut Site, now: Timestamp) {
    for round in 0..5 {
        site.drive.courier.as_mut().unwrap().pass(now.plus_ms(round * 61_000)).unwrap();
    }
    assert_eq!(site.gates[0].faces().unwrap(), 0);
    assert!(!site.gates[0].opens_for(&practice_card(0).unwrap()).unwrap());
}

// Shows: P19
#[test]
fn l3_a_desk_that_stays_open_over_midnight_in_china_shows_what_is_due_and_then_does_it() {
    let (mut site, resident, midnight) = until_tomorrow();
    tick(&mut site, midnight.plus_ms(-60_000));
    let before = page(&mut site, midnight.plus_ms(-50_000));
    assert!(before.plan.is_empty() && before.reports.is_empty(), "{before:?}");
    assert_eq!(
        before.ran_at,
        Some(midnight.plus_ms(-60_000)),
        "the last day is a day like any other: looked at, nothing due"
    );
    tick(&mut site, midnight.plus_ms(-1));
    assert_eq!(page(&mut site, midnight.plus_ms(-1)).ran_at, before.ran_at, "once a day");

    // The page says what would be done, and nothing is done by looking.
    let dry = page(&mut site, midnight.plus_ms(1));
    assert_eq!((dry.plan.faces.clone(), dry.plan.records.clone()), (vec![resident], vec![resident]));
    assert!(dry.reports.is_empty() && dry.open.is_empty());
    assert_eq!(site.gates[0].faces().unwrap(), 1);

    let then = midnight.plus_ms(10_000);
    let after = tick(&mut site, then).pop().expect("the page follows by itself");
    assert!(after.plan.is_empty(), "{:?}", after.plan);
    let [report] = &after.reports[..] else { panic!("{:?}", after.reports) };
    let done = (report.run_at, report.faces, report.records, report.identities, report.evidence);
    assert_eq!(done, (then, 1, 1, 0, 0), "what the dry run said");
    assert_eq!((after.ran_at, after.open.len()), (Some(then), 1), "one ending, which the gate has not signed for yet");
    gate_is_empty(&mut site, then.plus_ms(1_000));

    // The rest of the day nothing more; the next midnight leaves a trace and no report.
    for hour in [1, 9, 23] {
        tick(&mut site, midnight.plus_ms(hour * HOUR));
    }
    assert_eq!(page(&mut site, midnight.plus_ms(23 * HOUR + 1)).ran_at, Some(then));
    let next = midnight.plus_ms(24 * HOUR + 5_000);
    tick(&mut site, next);
    let next_page = page(&mut site, next.plus_ms(1));
    assert_eq!((next_page.ran_at, next_page.reports), (Some(next), after.reports));
}

// Shows: P19
#[test]
fn l3_what_became_due_while_the_desk_was_locked_is_done_at_its_start() {
    let (mut site, _, midnight) = until_tomorrow();
    let unlock = || StaffCommand::Unlock { account: None, passphrase: Passphrase::new(PASSPHRASE.into()) };
    site.drive.staff(StaffCommand::Lock);
    // Still the day before: looked at, nothing done.
    let early = midnight.plus_ms(-2 * HOUR);
    let pages = staff(&mut site, unlock(), early);
    let first = pages.last().expect("told at the start");
    assert_eq!((first.ran_at, first.reports.len(), first.plan.is_empty()), (Some(early), 0, true));
    staff(&mut site, StaffCommand::Lock, early.plus_ms(1_000));
    assert_eq!(site.gates[0].faces().unwrap(), 1);

    let start = midnight.plus_ms(8 * HOUR);
    let pages = staff(&mut site, unlock(), start);
    assert_eq!(site.drive.failures, vec![]);
    let page = pages.last().expect("told at the start");
    let [report] = &page.reports[..] else { panic!("{:?}", page.reports) };
    let done = (report.run_at, report.faces, report.records, report.identities, report.evidence);
    assert_eq!((done, page.ran_at), ((start, 1, 1, 0, 0), Some(start)));
    assert!(page.plan.is_empty());
    gate_is_empty(&mut site, start.plus_ms(1_000));
}
