//! Who looked at how many records, and why: the weekly sheet against curiosity, read from the log. Rules: F14, P51-4.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::StaffId;
use crate::domain::role::Role;
use crate::domain::time::Timestamp;

use super::Vault;
use super::error::VaultError;

/// Records read at a time.
const CHUNK: u32 = 1_000;
/// How far the clock may have been set back between two records without hiding a look, in milliseconds: one day.
const CLOCK_SLACK_MS: i64 = 86_400_000;

/// The looks of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looks {
    /// Shown name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// How many records were opened for each reason, by the reason's word in the log.
    pub by_why: BTreeMap<String, u32>,
    /// How many different people's records.
    pub people: u32,
}

impl Looks {
    /// All looks.
    pub fn all(&self) -> u32 {
        self.by_why.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Looks for this reason.
    pub fn of(&self, label: &str) -> u32 {
        self.by_why.get(label).copied().unwrap_or(0)
    }
}

impl Vault {
    /// The looks of every account from `from` on and before `until`, also of accounts without any, the most looks first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn looks(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Looks>, VaultError> {
        let mut counted: BTreeMap<String, (BTreeMap<String, u32>, BTreeSet<String>)> = BTreeMap::new();
        let mut end = self.log_len()?;
        while end > 0 {
            let begin = end.saturating_sub(u64::from(CHUNK));
            let records = self.log_records(begin, u32::try_from(end - begin).unwrap_or(CHUNK))?;
            let newest = records.iter().map(|record| record.at).max().unwrap_or(i64::MIN);
            for record in records {
                let inside = (from.ms()..until.ms()).contains(&record.at);
                if record.what == "resident-opened" && inside {
                    let (by_why, people) = counted.entry(record.who).or_default();
                    *by_why.entry(record.label.unwrap_or_default()).or_default() += 1;
                    people.extend(record.ids);
                }
            }
            if newest < from.ms().saturating_sub(CLOCK_SLACK_MS) {
                break;
            }
            end = begin;
        }
        let mut rows = vec![];
        for account in self.accounts()? {
            let (by_why, people) = counted.remove(&actor(account.id)).unwrap_or_default();
            if account.disabled && by_why.is_empty() {
                continue;
            }
            let people = u32::try_from(people.len()).unwrap_or(u32::MAX);
            rows.push(Looks { name: account.name, role: account.role, by_why, people });
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.all()));
        Ok(rows)
    }
}

/// As the log writes an account.
fn actor(id: StaffId) -> String {
    format!("staff:{id}")
}
