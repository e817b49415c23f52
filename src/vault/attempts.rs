//! How often each account's passphrase was wrong, and the pause that follows. Counted twice: in a file of its own, and in the account's slot;
//! the worse count holds, so that deleting the file, or putting an old one back, wins nothing by itself.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::id::StaffId;
use crate::domain::time::Timestamp;

use super::error::{ATTEMPTS_FILE, VaultError};
use super::slots::{read_small, write_at_once};

/// How often a passphrase was wrong since it was last right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempts {
    /// Wrong tries.
    pub(super) failed: u32,
    /// When the last one was, in milliseconds since 1970.
    pub(super) last_at: i64,
}

/// Longest pause between two tries, in milliseconds.
const PAUSE_MAX_MS: i64 = 60_000;
/// Wrong tries that a damaged count stands for.
const DAMAGED_COUNTS_AS: u32 = 6;
/// Largest accepted file, in bytes.
const LEN_MAX: u64 = 16 * 1024;

impl Attempts {
    /// The pause after so many wrong tries: 0, 0, 1, 2, 4 … 60 seconds.
    pub(super) fn pause_ms(failed: u32) -> i64 {
        match failed {
            0..=2 => 0,
            n => (1_000i64 << (n - 3).min(16)).min(PAUSE_MAX_MS),
        }
    }

    /// What is left of the pause, in milliseconds. A clock that went back does not lengthen it.
    pub(super) fn wait_ms(self, now: Timestamp) -> i64 {
        let pause = Self::pause_ms(self.failed);
        (pause - now.since(Timestamp::from_ms(self.last_at)).max(0)).clamp(0, pause)
    }

    /// The one with more wrong tries; of two alike, the later one.
    pub(super) fn worse(self, other: Self) -> Self {
        if (self.failed, self.last_at) >= (other.failed, other.last_at) { self } else { other }
    }
}

/// The file: one count an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// What a file of shape 1, or a damaged one, says of every account.
    #[serde(flatten)]
    all: AllAlike,
    #[serde(default)]
    accounts: BTreeMap<String, Attempts>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct AllAlike {
    #[serde(default)]
    failed: u32,
    #[serde(default)]
    last_at: i64,
}

impl Counts {
    /// Reads the counts. A damaged file counts as many wrong tries just now, for every account, so that damaging it wins nothing; that is written
    /// down, so that the pause runs from now on and ends.
    pub(super) fn read(dir: &Path, now: Timestamp) -> Result<Self, VaultError> {
        match read_small(&dir.join(ATTEMPTS_FILE), LEN_MAX) {
            Ok(None) => return Ok(Self::default()),
            Ok(Some(bytes)) => {
                if let Ok(counts) = serde_json::from_slice(&bytes) {
                    return Ok(counts);
                }
            }
            // Larger than any that is written here.
            Err(VaultError::Corrupt { .. }) => {}
            Err(error) => return Err(error),
        }
        let damaged = Self { all: AllAlike { failed: DAMAGED_COUNTS_AS, last_at: now.ms() }, ..Self::default() };
        damaged.write(dir)?;
        Ok(damaged)
    }

    /// Writes the counts, durably.
    pub(super) fn write(&self, dir: &Path) -> Result<(), VaultError> {
        let bytes = serde_json::to_vec(self).map_err(|_| VaultError::corrupt(ATTEMPTS_FILE))?;
        write_at_once(dir, ATTEMPTS_FILE, &bytes)
    }

    /// The count of one account.
    pub(super) fn of(&self, account: StaffId) -> Attempts {
        let all = Attempts { failed: self.all.failed, last_at: self.all.last_at };
        self.accounts.get(&account.to_string()).copied().unwrap_or(all)
    }

    /// Sets the count of one account.
    pub(super) fn set(&mut self, account: StaffId, attempts: Attempts) {
        self.accounts.insert(account.to_string(), attempts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_to_a_minute() {
        let pauses: Vec<i64> = (1..=10).map(Attempts::pause_ms).collect();
        assert_eq!(pauses, [0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(Attempts::pause_ms(u32::MAX), 60_000);
    }

    #[test]
    fn a_clock_that_went_back_does_not_lengthen_the_pause() {
        let attempts = Attempts { failed: 4, last_at: 1_000_000 };
        assert_eq!(attempts.wait_ms(Timestamp::from_ms(1_000_500)), 1_500);
        assert_eq!(attempts.wait_ms(Timestamp::from_ms(1_002_000)), 0);
        assert_eq!(attempts.wait_ms(Timestamp::from_ms(0)), 2_000);
        assert_eq!(Attempts { failed: 9, last_at: i64::MIN }.wait_ms(Timestamp::from_ms(i64::MAX)), 0);
    }

    #[test]
    fn the_worse_count_holds_and_a_file_of_shape_1_counts_for_everybody() {
        let (few, many) = (Attempts { failed: 2, last_at: 9 }, Attempts { failed: 5, last_at: 1 });
        assert_eq!((few.worse(many), many.worse(few)), (many, many));
        let old: Counts = serde_json::from_str(r#"{"failed":5,"last_at":1}"#).unwrap_or_default();
        assert_eq!(old.of(StaffId::from_bytes([1; 16])), many);
    }
}
