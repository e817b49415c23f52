//! The look through the station's own files for anything made from a face, which the deletion certificate states. Rules: P15, L2.

use std::fs;
use std::path::Path;

use rusqlite::types::ValueRef;

use super::Vault;
use super::error::{ATTEMPTS_FILE, EPOCH_FILE, KEYS_FILE, LOCK_FILE, MAIN_FILE, SLOTS_FILE, SWAP_FILE, VaultError};
use super::swap::{ASIDE, BESIDE, NEXT, ORPHAN, SCRATCH};
use super::{EVIDENCE_KEY_FILE, LOG_FILE, LOG_FILE_BEFORE, PUBLIC_RULES_FILE};

/// What a look through the station's own files has shown (the paper's line on the desk's computer).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaceCheck {
    /// Values read, in every table of both files.
    pub values: u64,
    /// Values that could be a template: 512 bytes that are 128 numbers of unit length.
    pub templates: u64,
    /// Files in the data folder that are not this vault's.
    pub other_files: u64,
}

impl FaceCheck {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.templates == 0 && self.other_files == 0
    }
}

impl Vault {
    /// Looks through both files and the data folder for anything made from a face.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn check_no_face(&self) -> Result<FaceCheck, VaultError> {
        let mut check = FaceCheck { values: 0, templates: 0, other_files: 0 };
        for file in [&self.main, &*self.people_keys] {
            let mut names = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
            let tables = names.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
            for table in tables {
                let mut statement = file.prepare(&format!("SELECT * FROM \"{table}\""))?;
                let columns = statement.column_count();
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    for column in 0..columns {
                        check.values += 1;
                        if let ValueRef::Blob(bytes) | ValueRef::Text(bytes) = row.get_ref(column)? {
                            check.templates += u64::from(is_template(bytes));
                        }
                    }
                }
            }
        }
        for (name, is_folder) in entries(&self.dir)? {
            check.other_files += match (is_folder, name.as_str()) {
                (false, name) => u64::from(!is_ours(name)),
                (true, NEXT | SCRATCH) => others_in_set(&self.dir.join(&name))?,
                (true, _) => 1,
            };
        }
        Ok(check)
    }
}

/// What lies in a folder, with whether it is a folder itself. Nothing when the folder has gone since it was listed.
fn entries(folder: &Path) -> Result<Vec<(String, bool)>, VaultError> {
    let list = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        list => list?,
    };
    let mut found = vec![];
    for entry in list {
        let entry = entry?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path().is_dir()));
    }
    Ok(found)
}

/// What lies in the folder of a set of files that is being made, and is no file of such a set.
fn others_in_set(folder: &Path) -> Result<u64, VaultError> {
    let others = entries(folder)?.into_iter().filter(|(name, is_folder)| *is_folder || !is_of_a_set(name));
    Ok(others.count() as u64)
}

/// Whether a file in the data folder is one that this program makes: by its whole name, since a beginning says nothing.
fn is_ours(name: &str) -> bool {
    let fixed = [LOCK_FILE, ATTEMPTS_FILE, SWAP_FILE, PUBLIC_RULES_FILE, EVIDENCE_KEY_FILE, LOG_FILE, LOG_FILE_BEFORE];
    if fixed.contains(&name) || is_of_a_set(name) {
        return true;
    }
    // Written beside its place first: a power cut can leave it there.
    if [ATTEMPTS_FILE, SWAP_FILE].iter().any(|file| name.strip_prefix(file) == Some(".new"))
        || [PUBLIC_RULES_FILE, EVIDENCE_KEY_FILE].iter().any(|file| name.strip_prefix(file) == Some(".part"))
    {
        return true;
    }
    // Put aside under an instant, for thirty days.
    [ASIDE, ORPHAN].into_iter().any(|mark| {
        name.rsplit_once(mark).is_some_and(|(file, at)| {
            (file == SWAP_FILE || is_of_a_set(file)) && !at.is_empty() && at.bytes().all(|c| c.is_ascii_digit())
        })
    })
}

/// Whether it is a file of a whole set, as it lies in the data folder, beside it, or in a folder where the next one is made.
fn is_of_a_set(name: &str) -> bool {
    let database =
        |file: &str| name.strip_prefix(file).is_some_and(|ending| ending.is_empty() || BESIDE.contains(&ending));
    let small = |file: &str| name.strip_prefix(file).is_some_and(|ending| ending.is_empty() || ending == ".new");
    [MAIN_FILE, KEYS_FILE].into_iter().any(database) || [EPOCH_FILE, SLOTS_FILE].into_iter().any(small)
}

/// 512 bytes that are 128 finite numbers of unit length: what a template looks like.
fn is_template(bytes: &[u8]) -> bool {
    if bytes.len() != 512 {
        return false;
    }
    let numbers = bytes.chunks_exact(4).filter_map(|four| four.try_into().ok()).map(f32::from_le_bytes);
    let square: f32 = numbers.map(|x| x * x).sum();
    (square - 1.0).abs() < 0.01
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_known_by_its_length_and_its_unit_length() {
        let mut unit = vec![0u8; 512];
        unit[..4].copy_from_slice(&0.6f32.to_le_bytes());
        unit[508..].copy_from_slice(&(-0.8f32).to_le_bytes());
        assert!(is_template(&unit));
        assert!(!is_template(&unit[..508]) && !is_template(&[0; 512]) && !is_template(&[0xFF; 512]));
    }

    #[test]
    fn a_file_is_ours_by_its_whole_name() {
        for ours in [
            "vault.db",
            "vault.db-wal",
            "keys.db-shm",
            "keys.db-journal",
            "epoch.key",
            "epoch.key.new",
            "slots",
            "slots.new",
            "attempts",
            "attempts.new",
            "lock",
            "swap",
            "swap.new",
            "public-rules.cose",
            "public-rules.cose.part",
            "evidence-key.pub",
            "menka.log",
            "menka.log.1",
            "vault.db.aside-1795320000000",
            "vault.db-wal.aside-1795320000000",
            "keys.db.orphan-1795320000000",
            "swap.aside-0",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            "lock-of-3-1201.jpg",
            "locked",
            "vault.db.jpg",
            "vault.db-wal.jpg",
            "vault.db.aside-",
            "vault.db.aside-3-1201.jpg",
            "face.jpg.aside-1795320000000",
            "slots of 3-1201.png",
            "menka.log.2",
            "menka.log.1.jpg",
            "attempts.part",
            "next",
            "scratch",
            "",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
