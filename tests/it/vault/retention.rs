//! The dry run of what ends by rule names all of it, and every run leaves a trace.

use menka::domain::Realm;
use menka::domain::change::{Part, Stand};
use menka::domain::id::ResidentId;
use menka::domain::resident::{AgeBand, ResidentDraft};
use menka::evidence::hex;
use menka::vault::RetentionPlan;

use super::deletion::{DAY, enrolled, later};
use super::site::*;

#[test]
fn l3_the_dry_run_names_unanswered_changes_and_birthdays_and_the_run_ends_them() {
    let (_folder, mut vault, gates, reader, _) = enrolled(Realm::Real, &["东门", "西门"]);
    let birthday = later(10 * DAY).date();
    let draft =
        ResidentDraft::parse(None, "周小雨", "4-101", AgeBand::Under14, Some(birthday), last_day(), NOW).unwrap();
    let child = vault.record_resident(&draft, ResidentId::from_bytes([5; 16]), NOW).unwrap();
    let mut stand = Stand::default();
    gates.iter().for_each(|gate| stand.set(Part::Gate(gate.id), "东侧"));
    vault.record_stand(&stand, later(0)).unwrap();
    stand.set(Part::Gate(gates[1].id), "搬到南侧");
    vault.record_stand(&stand, later(1)).unwrap();

    assert_eq!(vault.retention_plan(later(9 * DAY)).unwrap(), RetentionPlan::default());
    let plan = vault.retention_plan(later(11 * DAY)).unwrap();
    assert_eq!((plan.birthdays.clone(), plan.unanswered.clone()), (vec![child], vec![]));
    assert!(!plan.is_empty());
    let plan = vault.retention_plan(later(31 * DAY)).unwrap();
    assert_eq!((plan.birthdays.clone(), plan.unanswered.clone()), (vec![child], vec![reader.resident]));
    assert_eq!(
        vault.current_consent(reader.resident).unwrap().map(|c| c.resident),
        Some(reader.resident),
        "a look only"
    );

    let report = vault.run_retention(later(31 * DAY)).unwrap();
    assert_eq!(report.faces, 1, "the child had none; the reader's ends in the west");
    assert_eq!(vault.places_ended(Some(reader.resident)).unwrap()[0].place, Some(gates[1].id));
    assert_eq!(vault.retention_plan(later(31 * DAY)).unwrap(), RetentionPlan::default());
    assert_eq!(vault.retention_reports(5).unwrap(), [report]);
}

#[test]
fn l3_a_run_with_nothing_due_leaves_a_trace_too() {
    let (_folder, mut vault, ..) = enrolled(Realm::Real, &["东门"]);
    assert_eq!(vault.retention_ran_at().unwrap(), None);
    for day in [1, 2] {
        let report = vault.run_retention(later(day * DAY)).unwrap();
        assert_eq!((report.faces, report.records, report.identities, report.evidence), (0, 0, 0, 0));
        assert_eq!(vault.retention_ran_at().unwrap(), Some(later(day * DAY)));
    }
    assert_eq!(vault.retention_reports(5).unwrap(), [], "nothing was ended or erased");
}

#[test]
fn l3_what_ends_by_rule_is_the_stations_doing_and_nobodys_who_happened_to_unlock() {
    let (_folder, mut vault, gates, ..) = enrolled(Realm::Real, &["东门"]);
    let mut run = |day: i64| -> Vec<(String, String)> {
        let from = vault.log_len().unwrap();
        vault.run_retention(later(day * DAY)).unwrap();
        let logged = vault.log_records(from, 1_000).unwrap();
        gates.iter().for_each(|gate| drop(gate.serve(&mut vault, later(day * DAY))));
        logged.into_iter().map(|record| (record.what, record.who)).collect()
    };
    let (ended, erased, gone) = (run(301), run(340), run(340 + 5 * 366));
    for (logged, what) in [
        (&ended, &["consent-ended", "record-closed", "card-ended"][..]),
        (&erased, &["identity-erased"]),
        (&gone, &["evidence-erased"]),
    ] {
        for what in what {
            assert!(logged.iter().any(|(word, _)| word == what), "{what}: {logged:?}");
        }
        assert!(logged.iter().all(|(_, who)| who == "station"), "{logged:?}");
    }
}

#[test]
fn l3_one_person_that_cannot_be_ended_keeps_nobody_else_waiting() {
    let (_folder, mut vault, gates, first, _) = enrolled(Realm::Real, &["东门"]);
    let ids = [gates[0].id];
    let second = reader(&mut vault, "李小红", "3-1202", 2, &ids);
    let _ = second.consent(&mut vault, &ids).unwrap();
    // Something about the one whose turn is first.
    let (bad, good) = match first.resident < second.resident {
        true => (first.resident, second.resident),
        false => (second.resident, first.resident),
    };
    let stuck = format!(
        "CREATE TRIGGER stuck BEFORE UPDATE OF ended_at ON consents WHEN old.resident = x'{}'
         BEGIN SELECT RAISE(ABORT, 'stuck'); END;",
        hex(bad.bytes())
    );
    vault.execute_for_a_test(false, &stuck).unwrap();
    let over = later(302 * DAY);
    assert!(vault.run_retention(over).is_err());
    assert_eq!(vault.current_consent(good).unwrap(), None, "ended");
    assert!(vault.current_consent(bad).unwrap().is_some());
    assert_eq!(vault.retention_ran_at().unwrap(), Some(over));
    vault.execute_for_a_test(false, "DROP TRIGGER stuck").unwrap();
    vault.run_retention(over).unwrap();
    assert_eq!(vault.current_consent(bad).unwrap(), None, "due again");
}
