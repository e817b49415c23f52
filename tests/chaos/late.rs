//! Duties that come when something has happened: an incident, and the report of it; and when a day has passed: what ends by rule.

use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::id::ResidentId;
use menka::ports::Clock;
use menka::practice::site;
use menka::secret::Passphrase;
use menka::vault::{IncidentRow, Vault, VaultError};

use super::desk::Said;
use super::duties::{self, Site};
use super::report::Break;
use super::world::Known;

/// The vault, beside the ended desk.
fn beside<T>(site: &mut Site<'_>, what: &str, read: impl FnOnce(&Vault) -> Result<T, VaultError>) -> Option<T> {
    site.world.must("lock");
    site.world.desk = None;
    let (folder, passphrase) = (site.world.folder.join("desk"), Passphrase::new(site::PASSPHRASE.into()));
    let vault = Vault::unlock(&folder, Realm::Practice, &passphrase, SystemClock.now());
    match vault.and_then(|vault| read(&vault)) {
        Ok(read) => Some(read),
        Err(error) => {
            site.broke(Break::Unsound, &format!("{what}: {error}"));
            None
        }
    }
}

/// What the vault keeps of incidents.
fn incidents(site: &mut Site<'_>) -> Vec<IncidentRow> {
    beside(site, "incidents", Vault::incident_cases).unwrap_or_default()
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

/// Longest that a name stays after a record was closed, in days, and one more.
const AFTER_THE_TERM_DAYS: i64 = 31;

/// A face whose last day was yesterday, and somebody who has been gone for longer than names are kept: a start of the desk ends the one and
/// erases the other.
pub fn to_end_by_rule(site: &mut Site<'_>) -> String {
    duties::once_more(site);
    let person = site.world.with_face();
    site.person = person;
    let gone = site.world.must(&format!("add 前住户 9-{}", site.count % 900 + 100));
    site.world.must(&format!("close {gone}"));
    site.world.must("settle 30");
    site.former = ResidentId::parse(&gone).map(|gone| (gone, vec![]));
    let (Some((gone, _)), Some(here)) = (site.former.clone(), ResidentId::parse(&site.world.people[person].id)) else {
        site.broke(Break::Unsound, "no record");
        return "unlock".into();
    };
    let sql = |what: &str, of: ResidentId| {
        let id: String = of.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("UPDATE residents SET {what} WHERE id = x'{id}'")
    };
    let yesterday = SystemClock.now().date().plus_days(-1).epoch_days();
    let name = beside(site, "the days before", |vault| {
        vault.edit_unnoticed(&sql(&format!("ends_on = {yesterday}"), here))?;
        let earlier = format!("closed_at = closed_at - {}", AFTER_THE_TERM_DAYS * 86_400_000);
        vault.edit_unnoticed(&sql(&earlier, gone))?;
        Ok(vault.name_as_stored(gone)?.0)
    });
    site.former = name.map(|name| (gone, name));
    (site.world.people[person].card, site.world.people[person].face) = (Known::No, Known::No);
    site.world.locked_desk();
    "unlock".into()
}

/// Once the desk has started undisturbed, everything that is due has ended, at the gates too, and what was erased is nowhere.
pub fn has_ended_by_rule(site: &mut Site<'_>, _: &Said) {
    site.world.desk = None;
    site.quiet();
    let Some((gone, name)) = site.former.take() else { return };
    let read = beside(site, "after the last day", |vault| {
        let plan = vault.retention_plan(SystemClock.now())?;
        Ok((plan.is_empty() && plan.waiting.is_empty(), vault.name_as_stored(gone)?, vault.decrypted_pages()))
    });
    let Some((all_done, (left, has_key), pages)) = read else { return };
    if !all_done {
        site.broke(Break::Lost, "what is due by rule has not ended");
    }
    if !left.is_empty() || has_key || pages.windows(name.len()).any(|some| some == name) {
        site.broke(Break::Zombie, "a name after its term");
    }
}
