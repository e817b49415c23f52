//! Who looked at how many records, and why: the weekly sheet against curiosity, read from the log. Rules: F14, P51-4.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::account::AccountEvent;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::StaffId;
use crate::domain::looks::WeeksSeen;
use crate::domain::role::Role;
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::record::LogRecord;

use super::Vault;
use super::error::{MAIN_FILE, VaultError};

/// Records read at a time.
const CHUNK: u32 = 1_000;
/// Where the weeks are kept whose sheets a supervisor looked at: the one up to which none waits, then those after it.
const SEEN: &str = "looks-seen-weeks";
/// Where an older program kept the newest week whose sheet anybody looked at: none up to it waits.
const SEEN_BEFORE: &str = "looks-seen";
/// Bytes of one day.
const DAY_BYTES: usize = 8;
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
    /// How many different people's records, requests and papers.
    pub people: u32,
    /// How often everything held about somebody was shown or handed out, or a text that somebody was shown.
    pub given: u32,
    /// How many requests were opened.
    pub requests: u32,
    /// How many searches, the list of whom to invite again among them.
    pub searches: u32,
    /// How often a name was put together with the number that gates know.
    pub joined: u32,
    /// How often files about many were written: letters of an incident, papers at the end of a manager's work, the log.
    pub bulk: u32,
}

/// What is counted of one account.
#[derive(Default)]
struct Count {
    by_why: BTreeMap<String, u32>,
    people: BTreeSet<String>,
    given: u32,
    requests: u32,
    searches: u32,
    joined: u32,
    bulk: u32,
}

impl Count {
    fn take(&mut self, record: LogRecord) {
        match record.what.as_str() {
            "resident-opened" => *self.by_why.entry(record.label.unwrap_or_default()).or_default() += 1,
            "everything-given" | "guardian-sheet-given" | "shown-again" | "replay-saved" => self.given += 1,
            "request-opened" => self.requests += 1,
            "searched" => self.searches += 1,
            "number-joined" => self.joined += 1,
            // They name nobody in the log.
            "incident-letters" | "manager-papers" | "log-exported" => {
                self.bulk += 1;
                return;
            }
            _ => return,
        }
        // Beside the resident's these name requests, guardians and showings.
        if !matches!(record.what.as_str(), "shown-again" | "replay-saved") {
            self.people.extend(record.ids.into_iter().find(|id| !id.starts_with("request:")));
        }
    }
}

impl Looks {
    /// All looks.
    pub fn all(&self) -> u32 {
        self.by_why.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether there is anything on this account's line.
    fn is_any(&self) -> bool {
        self.all() + self.given + self.requests + self.searches + self.joined + self.bulk > 0
    }

    /// Looks for this reason.
    pub fn of(&self, label: &str) -> u32 {
        self.by_why.get(label).copied().unwrap_or(0)
    }
}

impl Vault {
    /// Logs that the sheet of a week was looked at. A supervisor's look is noted as well, once a week is enough; nobody else's ends what waits
    /// for a supervisor. `week` is its Monday.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_looks_seen(&mut self, week: CivilDate, now: Timestamp) -> Result<(), VaultError> {
        let mut seen = self.looks_seen()?;
        let notes = self.role() == Role::Supervisor;
        if notes && seen.has(week) {
            return Ok(());
        }
        let begun_on = self.begun_on()?.unwrap_or(now.date());
        let work = self.begin()?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Account(AccountEvent::LooksSeen), now)?;
        if notes {
            seen.see(week, begun_on, now.date());
            let bytes: Vec<u8> =
                seen.until.iter().chain(&seen.later).flat_map(|day| day.epoch_days().to_be_bytes()).collect();
            self.write_station(&work, SEEN, &bytes)?;
        }
        Ok(work.commit()?)
    }

    /// The weeks whose sheets a supervisor looked at.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn looks_seen(&self) -> Result<WeeksSeen, VaultError> {
        let bytes = match self.read_station(SEEN)? {
            Some(bytes) => bytes,
            None => self.read_station(SEEN_BEFORE)?.unwrap_or_default(),
        };
        let read = |day: &[u8]| -> Result<CivilDate, VaultError> {
            let day = <[u8; DAY_BYTES]>::try_from(day).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
            Ok(CivilDate::from_epoch_days(i64::from_be_bytes(day)))
        };
        let mut days = bytes.chunks(DAY_BYTES).map(read);
        Ok(WeeksSeen { until: days.next().transpose()?, later: days.collect::<Result<_, _>>()? })
    }

    /// The looks of every account from `from` on and before `until`, also of accounts without any, the most looks first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn looks(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Looks>, VaultError> {
        let mut counted: BTreeMap<String, Count> = BTreeMap::new();
        let mut end = self.log_len()?;
        while end > 0 {
            let begin = end.saturating_sub(u64::from(CHUNK));
            let records = self.log_records(begin, u32::try_from(end - begin).unwrap_or(CHUNK))?;
            let newest = records.iter().map(|record| record.at).max().unwrap_or(i64::MIN);
            for record in records {
                if (from.ms()..until.ms()).contains(&record.at) && record.who.starts_with("staff:") {
                    counted.entry(record.who.clone()).or_default().take(record);
                }
            }
            if newest < from.ms().saturating_sub(CLOCK_SLACK_MS) {
                break;
            }
            end = begin;
        }
        let mut rows = vec![];
        for account in self.accounts()? {
            let count = counted.remove(&actor(account.id)).unwrap_or_default();
            let looks = Looks {
                name: account.name,
                role: account.role,
                people: u32::try_from(count.people.len()).unwrap_or(u32::MAX),
                by_why: count.by_why,
                given: count.given,
                requests: count.requests,
                searches: count.searches,
                joined: count.joined,
                bulk: count.bulk,
            };
            if !account.disabled || looks.is_any() {
                rows.push(looks);
            }
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.all()));
        Ok(rows)
    }
}

/// As the log writes an account.
fn actor(id: StaffId) -> String {
    format!("staff:{id}")
}
