//! Tests of this area that need to reach into the file: an attacker with the key, and what the program itself cannot do.

use crate::domain::Realm;
use crate::domain::assessment::Assessment;
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::Timestamp;
use crate::secret::Passphrase;

use super::{KdfCost, Vault, VaultError};

const NOW: Timestamp = Timestamp::from_ms(1_795_276_800_000);
const COST: KdfCost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn passphrase() -> Passphrase {
    Passphrase::new("a long enough one".into())
}

fn new_vault() -> Result<(tempfile::TempDir, Vault), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let mut facts = SiteFacts::default();
    facts.set(Fact::SiteName, "春江花园");
    let vault = Vault::create(folder.path(), Realm::Real, "前台", &passphrase(), &facts, NOW, COST)?;
    Ok((folder, vault))
}

fn assessment() -> Assessment {
    Assessment {
        number: "PIA-1".into(),
        signed_on: NOW.date(),
        signer: "周敏".into(),
        heads: std::array::from_fn(|_| "评估".repeat(10)),
        necessity: "必要".repeat(30),
        review_on: NOW.date().plus_days(300),
        scope_sha256: [3; 32],
    }
}

#[test]
fn p09_a_site_file_that_was_swapped_cut_or_put_back_is_refused() -> Outcome {
    let (_folder, mut vault) = new_vault()?;
    let first = vault.site_file()?.ok_or("none")?;
    let mut facts = vault.facts()?;
    facts.set(Fact::SiteName, "秋水花园");
    vault.record_facts(&facts, None, NOW)?;
    assert_eq!(vault.facts()?.get(Fact::SiteName), "秋水花园");

    // An attacker with the key first removes what forbids it.
    assert!(vault.main.execute("UPDATE site_files SET file = x'00' WHERE number = 2", []).is_err());
    assert!(vault.main.execute("DELETE FROM site_files", []).is_err());
    vault.main.execute_batch("DROP TRIGGER site_files_stay; DROP TRIGGER site_files_keep;")?;
    let second = vault.site_file()?.ok_or("none")?;

    // The older, genuine file in the newer one's place: its number does not fit.
    vault.main.execute("UPDATE site_files SET file = ?1 WHERE number = 2", [&first.file])?;
    assert_eq!(vault.facts(), Err(VaultError::SiteFileRefused));
    // Alone: what it follows is gone.
    vault.main.execute("UPDATE site_files SET file = ?1 WHERE number = 2", [&second.file])?;
    vault.main.execute("DELETE FROM site_files WHERE number = 1", [])?;
    assert_eq!(vault.facts(), Err(VaultError::SiteFileRefused));
    // Not signed at all.
    vault.main.execute("UPDATE site_files SET file = x'A0' WHERE number = 2", [])?;
    assert_eq!(vault.facts(), Err(VaultError::SiteFileRefused));

    // The way out: staff save what they see, which is signed again.
    vault.record_facts(&facts, None, NOW)?;
    assert_eq!(vault.facts()?.get(Fact::SiteName), "秋水花园");
    Ok(())
}

// Shows: F09b, L2-12
#[test]
fn p56_no_register_gives_up_a_record() -> Outcome {
    let (_folder, mut vault) = new_vault()?;
    vault.record_assessment(&assessment(), NOW)?;
    vault.record_incident(NOW.date(), NOW)?;
    vault.record_sign(None, [1; 32], NOW.date(), NOW)?;
    vault.record_stand(&crate::domain::change::Stand::default(), NOW)?;
    let fields = ["维保公司", "021-1", "维修", "不接触", "陪同", "HT-7"].map(String::from);
    let (begins_on, ends_on) = (NOW.date(), NOW.date().plus_days(30));
    vault.record_entrusted(&crate::domain::entrusted::Entrusted { fields, begins_on, ends_on }, NOW)?;
    for table in ["site_files", "assessments", "incidents", "signs", "entrusted", "notice_versions"] {
        assert!(vault.main.execute(&format!("DELETE FROM {table}"), []).is_err(), "{table}");
    }
    for change in [
        "UPDATE assessments SET record = x'00'",
        "UPDATE incidents SET happened_on = 0",
        "UPDATE signs SET posted_on = 0",
        "UPDATE entrusted SET fields = '[]'",
        "UPDATE entrusted SET ends_on = ends_on + 1",
    ] {
        assert!(vault.main.execute(change, []).is_err(), "{change}");
    }
    Ok(())
}

#[test]
fn p55_a_forged_assessment_is_none() -> Outcome {
    let (_folder, mut vault) = new_vault()?;
    vault.record_assessment(&assessment(), NOW)?;
    vault.main.execute_batch("DROP TRIGGER assessments_stay;")?;
    let record: Vec<u8> = vault.main.query_row("SELECT record FROM assessments", [], |row| row.get(0))?;
    for at in (0..record.len()).step_by(7) {
        let mut forged = record.clone();
        forged[at] ^= 1;
        vault.main.execute("UPDATE assessments SET record = ?1", [forged])?;
        assert_eq!(vault.assessments().err(), Some(VaultError::RegistryRefused), "byte {at}");
        assert_eq!(vault.facts()?.get(Fact::PiaNo), "", "the notice names none");
    }
    Ok(())
}

#[test]
fn facts_of_an_older_file_are_signed_at_the_first_unlock_and_once() -> Outcome {
    let (folder, vault) = new_vault()?;
    vault.main.execute_batch("DROP TRIGGER site_files_keep; DELETE FROM site_files;")?;
    vault.main.execute("INSERT INTO facts (key, value) VALUES ('site_name', '旧名苑'), ('dropped', 'x')", [])?;
    drop(vault);
    let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW)?;
    assert_eq!(vault.facts()?.get(Fact::SiteName), "旧名苑");
    // What is written there later, without a signature, is never taken over.
    vault.main.execute("INSERT INTO facts (key, value) VALUES ('site_name', '假名苑')", [])?;
    drop(vault);
    let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW)?;
    assert_eq!(vault.facts()?.get(Fact::SiteName), "旧名苑");
    Ok(())
}
