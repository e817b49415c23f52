//! Clocks that jump, days that end, and what an idle desk costs.

use std::time::{Duration, Instant};

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::event::{Failure, ResidentScene, StaffEvent};

use super::*;

/// Ticks at a clock that is `behind_ms` behind the machine's, and counts pictures.
fn ticks(drive: &mut Drive, behind_ms: i64, lasting: Duration) -> (Vec<Event>, usize) {
    let (mut events, start) = (vec![], Instant::now());
    while start.elapsed() < lasting {
        events.extend(drive.desk.tick(SystemClock.now().plus_ms(-behind_ms)));
        std::thread::sleep(Duration::from_millis(10));
    }
    let pictures = events.iter().filter(|e| matches!(e, Event::Preview(_))).count();
    (events, pictures)
}

const HOUR: i64 = 3_600_000;

#[test]
fn f08b_a_clock_that_is_set_back_keeps_no_camera_on() {
    let mut site = site(1);
    site.resident("周", 0);
    site.camera_on_nobody(0);
    // Somebody sits there: pictures are taken although the clock went back an hour.
    let start = Instant::now();
    let mut taken = 0;
    while taken < 2 {
        assert!(start.elapsed() < Duration::from_secs(30), "no picture is taken after the clock went back");
        let (events, _) = ticks(&mut site.drive, HOUR, Duration::from_millis(100));
        taken = events
            .iter()
            .filter_map(|e| if let Event::Guide { taken, .. } = e { Some(*taken) } else { None })
            .max()
            .unwrap_or(taken);
    }
    site.drive.controls.act(PracticeAct::Nobody);
    ticks(&mut site.drive, HOUR, Duration::from_millis(100));
    // A minute of that clock later it is over.
    let events = site.drive.desk.tick(SystemClock.now().plus_ms(61_000 - HOUR));
    assert_eq!(scene_of(&events).as_ref().and_then(ended), Some((Some(Failure::TooLong), true)));
    let (_, pictures) = ticks(&mut site.drive, HOUR, Duration::from_millis(300));
    assert_eq!(pictures, 0);
    assert!(site.drive.tap.lock().unwrap().is_empty());
}

#[test]
fn f08b_a_try_at_the_gate_that_sees_nobody_ends_within_a_minute() {
    let mut site = site(1);
    site.resident("周", 0);
    site.drive.ask_for_face(0).unwrap();
    site.drive.read_and_consent().unwrap();
    let tries = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { looking: false, .. });
    site.drive.until("the try", Duration::from_secs(40), tries).unwrap();
    site.drive.controls.act(PracticeAct::Nobody);
    site.drive.resident(ResidentCommand::TryGate);
    let before = site.drive.previews;
    site.drive.until("a picture", Duration::from_secs(10), |d| d.previews > before).unwrap();
    let late = SystemClock.now().plus_ms(61_000);
    awake_at(&mut site.drive, late);
    let mut events = vec![];
    for _ in 0..5 {
        events.extend(site.drive.desk.tick(late));
    }
    assert!(matches!(scene_of(&events), Some(ResidentScene::TryGate { looking: false, .. })), "{events:?}");
    assert!(events.contains(&Event::Staff(StaffEvent::Failed(Failure::TooLong))));
    assert!(!site.drive.desk.is_lively() || ticks(&mut site.drive, -61_000, Duration::from_millis(300)).1 == 0);
    assert_eq!(site.gates[0].faces().unwrap(), 1, "the gate holds the face; only the try is open");
}

// Shows: N8-13
#[test]
fn p19_a_consent_ends_on_its_day_although_the_desk_is_never_locked() {
    let mut site = site(1);
    site.resident("周", 0);
    assert!(site.drive.enroll(0).unwrap());
    assert_eq!(site.gates[0].faces().unwrap(), 1);
    // Day by day, as a desk runs: a jump of a year would be asked about first.
    for day in (5..301).step_by(5).chain([301]) {
        awake_at(&mut site.drive, in_days(day));
        site.drive.desk.tick(in_days(day));
    }
    let after = in_days(301);
    awake_at(&mut site.drive, after);
    site.drive.courier.as_mut().unwrap().pass(after).unwrap();
    assert_eq!(site.gates[0].faces().unwrap(), 0);
}

#[test]
fn p15_an_erasure_queued_under_a_wrong_clock_does_not_wait_for_that_year() {
    let mut site = site(1);
    site.resident("周", 0);
    assert!(site.drive.enroll(0).unwrap());
    let resident = {
        site.drive.staff(StaffCommand::WedgeTyped(typed(0)));
        site.drive.opened.as_ref().unwrap().resident.id
    };
    site.drive.desk.handle(Command::Staff(StaffCommand::WithdrawFor(resident)), in_days(200));
    site.assert_faces_gone();
    site.assert_card_opens(0);
}

#[test]
fn an_idle_desk_costs_less_than_a_hundredth_of_a_processor() {
    let mut site = site(2);
    site.resident("周", 0);
    // Fifty seconds: then the desk would say that it is about to lock.
    let (ticks, mut now) = (990u32, SystemClock.now());
    awake_at(&mut site.drive, now);
    let mut events = 0;
    let start = Instant::now();
    for _ in 0..ticks {
        now = now.plus_ms(50);
        events += site.drive.desk.tick(now).len();
    }
    let each = start.elapsed() / ticks;
    println!("an idle tick: {each:?}");
    assert!(each < Duration::from_micros(500), "an idle tick takes {each:?}");
    assert_eq!(events, 0, "an idle desk says nothing");
}
