//! Duties that come when something has happened: an incident, and the report of it.

use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::ports::Clock;
use menka::practice::site;
use menka::secret::Passphrase;
use menka::vault::{IncidentRow, Vault};

use super::desk::Said;
use super::duties::Site;
use super::report::Break;

/// What the vault keeps of incidents, read beside the ended desk.
fn incidents(site: &mut Site<'_>) -> Vec<IncidentRow> {
    site.world.must("lock");
    site.world.desk = None;
    let (folder, passphrase) = (site.world.folder.join("desk"), Passphrase::new(site::PASSPHRASE.into()));
    let vault = Vault::unlock(&folder, Realm::Practice, &passphrase, SystemClock.now());
    match vault.and_then(|vault| vault.incident_cases()) {
        Ok(rows) => rows,
        Err(error) => {
            site.broke(Break::Unsound, &format!("incidents: {error}"));
            vec![]
        }
    }
}

/// What was confirmed is there; what was not can be done again; neither is there twice.
fn once(site: &mut Site<'_>, said: &Said, what: &str, again: &str, count: impl Fn(&[IncidentRow]) -> usize) {
    site.quiet();
    match count(&incidents(site)) {
        1 => {}
        0 if said.is_ok() => site.broke(Break::Lost, &format!("{what} was confirmed and is not there")),
        0 => {
            site.world.must(again);
            if count(&incidents(site)) != 1 {
                site.broke(Break::Lost, &format!("{what} cannot be entered again"));
            }
        }
        many => site.broke(Break::Doubled, &format!("{what}: {many} times")),
    }
}

pub fn to_enter_an_incident(site: &mut Site<'_>) -> String {
    site.count += 1;
    format!("incident {}", site.count)
}

/// With it faces have stopped at every gate, and it concerns whoever has a card there.
pub fn incident_entered(site: &mut Site<'_>, said: &Said) {
    let (line, end) = (format!("incident {}", site.count), format!("第{}次", site.count));
    once(site, said, "an incident", &line, |rows| {
        rows.iter().filter(|row| row.incident.answers[0].ends_with(&end)).count()
    });
    if incidents(site).iter().any(|row| row.people == 0) {
        site.broke(Break::Unsound, "an incident that concerns nobody");
    }
    for number in 0..site.world.gates.len() {
        match site.world.gates[number].ask("look 0") {
            Ok(answer) if answer == "recognised" => {
                site.broke(Break::Zombie, &format!("gate {number} matches faces after an incident"));
            }
            Ok(_) => {}
            Err(error) => site.broke(Break::Unsound, &format!("gate {number}: {error}")),
        }
    }
}

/// One incident; another report of it each time.
pub fn to_report_an_incident(site: &mut Site<'_>) -> String {
    if site.count == 0 {
        site.world.must("incident 0");
    }
    site.count += 1;
    format!("report 1 网信办{}", site.count)
}

pub fn incident_reported(site: &mut Site<'_>, said: &Said) {
    let (line, to) = (format!("report 1 网信办{}", site.count), format!("网信办{}", site.count));
    once(site, said, "a report", &line, |rows| {
        rows.iter().flat_map(|row| &row.reports).filter(|(_, reported)| *reported == to).count()
    });
}
