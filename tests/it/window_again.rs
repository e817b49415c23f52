//! A staff window that was shut and is opened again knows what it knew after logging in, and so does the window of whoever takes over.

use menka::app::command::StaffCommand;
use menka::app::event::StaffEvent;
use menka::app::evidence::EvidenceEvent;
use menka::app::notice::SignState;
use menka::domain::Realm;
use menka::domain::role::{JoinWhy, Role};
use menka::domain::time::Timestamp;
use menka::ui::staff::{Known, Staff};
use menka::vault::Vault;

use super::operators::{Station, passphrase};

const WEEK_MS: i64 = 7 * 86_400_000;

/// The station's events, taken in by a real window.
struct Window {
    station: Station,
    staff: Staff,
}

impl Window {
    fn new(mut station: Station) -> Self {
        station.told.clear();
        Self { station, staff: Staff::new(Realm::Real) }
    }

    fn hear(&mut self) {
        for mut event in std::mem::take(&mut self.station.told) {
            // How long the log is grows with each way in.
            if let StaffEvent::Evidence(EvidenceEvent::Chain(chain)) = &mut event {
                (chain.records, chain.start_read) = (0, 0);
            }
            self.staff.apply(event);
        }
    }

    /// Through `out`, and in again as this account, with a moment for what the desk tells by itself.
    fn again(&mut self, out: StaffCommand, name: &str) -> Known {
        self.station.staff(out);
        self.hear();
        assert_eq!(self.staff.known(), &Known::default(), "nothing of anybody stays on a window that is shut");
        self.station.enter(name);
        // At the same instant each time: what is told holds when retention ran, too.
        self.station.tick_after(0);
        self.hear();
        self.staff.known().clone()
    }
}

/// A join, a sign that is missing, last week's sheet unread; a second supervisor and one of the front desk.
fn station() -> Station {
    let (mut station, _) = Station::new();
    let second = station.add_second();
    station.add_approved("前台丙", Role::FrontDesk, second);
    let resident = station.add_resident("王小明", "3-1201");
    station.staff(StaffCommand::Lock);
    join(&station, resident, station.now);
    station.now = station.now.plus_ms(WEEK_MS);
    station
}

fn join(station: &Station, resident: menka::domain::id::ResidentId, now: Timestamp) {
    let dir = station.folder.path();
    let account = Vault::accounts_at_the_door(dir, now).unwrap()[0].id;
    let mut vault = Vault::unlock_as(dir, Realm::Real, account, &passphrase("主管甲"), now).unwrap();
    vault.record_join(resident, JoinWhy::Certificate, now).unwrap();
    vault.lock(now).unwrap();
}

#[test]
fn p25_a_window_that_was_shut_knows_all_that_one_knows_that_was_locked() {
    let mut window = Window::new(station());
    window.station.enter("主管甲");
    let locked = window.again(StaffCommand::Lock, "主管甲");
    let notice = locked.notice.as_ref().expect("the notice");
    assert!(notice.signs.iter().any(|sign| sign.state == SignState::Missing), "{:?}", notice.signs);
    assert_eq!(locked.joins.map(|(count, _)| count), Some(1));
    assert_ne!(locked.looks_due, Known::default().looks_due);
    assert_eq!(window.again(StaffCommand::Shut, "主管甲"), locked);
    assert_eq!(window.again(StaffCommand::Shut, "主管甲"), locked, "and as often as it is shut");
}

#[test]
fn k2_8_whoever_takes_over_a_shut_window_is_told_what_they_are_told_at_the_door() {
    for (before, after) in [("前台丙", "主管乙"), ("主管乙", "前台丙"), ("主管乙", "主管甲")] {
        let mut window = Window::new(station());
        window.station.enter(before);
        let locked = window.again(StaffCommand::Lock, after);
        window.again(StaffCommand::Lock, before);
        assert_eq!(window.again(StaffCommand::Shut, after), locked, "{before} to {after}");
    }
}
