//! The power goes while the write-ahead log is moved into its file: the file has a torn page, the log has the whole one.

use std::path::Path;

use crate::domain::Realm;
use crate::domain::id::ResidentId;
use crate::domain::resident::{AgeBand, ResidentDraft};
use crate::domain::site::SiteFacts;
use crate::domain::time::Timestamp;
use crate::secret::{Passphrase, random_bytes};

use super::error::{KEYS_FILE, MAIN_FILE};
use super::{KdfCost, Vault, VaultError};

const NOW: Timestamp = Timestamp::from_ms(1_795_276_800_000);

fn passphrase() -> Passphrase {
    Passphrase::new("a long enough one".into())
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)?.flatten() {
        // The index in memory is made anew at every first opening.
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// The pages in a write-ahead log, each with its newest content (SQLite file format, 4.1 and 4.2).
fn pages_of(log: &[u8]) -> (usize, std::collections::BTreeMap<usize, &[u8]>) {
    let number = |at: usize| u32::from_be_bytes([log[at], log[at + 1], log[at + 2], log[at + 3]]) as usize;
    let size = number(8);
    let frames = (32..).step_by(24 + size).take_while(|at| at + 24 + size <= log.len());
    (size, frames.map(|at| (number(at), &log[at + 24..at + 24 + size])).collect())
}

#[test]
fn a_page_torn_on_its_way_from_the_log_into_the_file_does_not_keep_the_vault_shut()
-> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let cost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
    let facts = SiteFacts::default();
    let mut vault = Vault::create(folder.path(), Realm::Real, "前台", &passphrase(), &facts, NOW, cost)?;
    let end = NOW.date().plus_days(300);
    let draft = ResidentDraft::parse(None, "王小明", "3-1201", AgeBand::Adult, None, end, NOW);
    let id = ResidentId::from_bytes(random_bytes());
    vault.record_resident(&draft.map_err(|_| VaultError::Unknown)?, id, NOW)?;
    for file in [MAIN_FILE, KEYS_FILE] {
        let log = std::fs::read(folder.path().join(format!("{file}-wal")))?;
        let (size, pages) = pages_of(&log);
        assert!(pages.len() > 1, "{file}: the log is not moved yet");
        for (page, whole) in pages {
            let cut = tempfile::tempdir()?;
            copy(folder.path(), cut.path())?;
            let path = cut.path().join(file);
            let mut bytes = std::fs::read(&path)?;
            let at = (page - 1) * size;
            bytes.resize(bytes.len().max(at), 0);
            bytes.truncate(bytes.len().max(at));
            let half = &whole[..size / 2];
            let kept = bytes.len().min(at + half.len());
            bytes.splice(at..kept, half.iter().copied());
            std::fs::write(&path, &bytes)?;
            let opened = Vault::unlock(cut.path(), Realm::Real, &passphrase(), NOW);
            let opened = opened.map_err(|error| format!("{file}, page {page}: {error}"))?;
            assert_eq!(opened.resident(id)?.name.as_str(), "王小明", "{file}, page {page}");
            assert!(opened.audit()?.is_sound(), "{file}, page {page}");
        }
    }
    Ok(())
}
