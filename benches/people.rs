//! What the vault's protection of people costs: its own residents, each sealed under keys of their own, beside a table of plain SQLite with the
//! same names and units in clear, in one run. The vault's side is the product's own code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use menka::domain::Realm;
use menka::domain::id::ResidentId;
use menka::domain::role::LookWhy;
use menka::domain::time::Timestamp;
use menka::secret::Passphrase;
use menka::vault::{OpenWhy, Vault};
use rusqlite::{Connection, params};

use crate::disk::Disk;
use crate::{Failed, READS, millis, open, per_second};

/// Records that staff open, each with its record in the log.
const LOOKS: usize = 300;
/// Times that the files are opened.
const OPENINGS: usize = 25;

/// Name and unit.
pub type Person = (String, String);

/// The same people in clear.
pub struct Plain {
    path: PathBuf,
    db: Connection,
}

impl Plain {
    /// Writes them in one transaction, as `Vault::fill` does, found by unit and by surname. Prints what that takes beside the vault's time.
    pub fn fill(
        disk: &Disk,
        folder: &Path,
        people: &[Person],
        ids: &[ResidentId],
        vault_ms: f64,
    ) -> Result<Self, Failed> {
        let path = folder.join("plain.db");
        let mut db = open(&path, false)?;
        db.execute_batch(
            "CREATE TABLE residents (id BLOB PRIMARY KEY NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL, age_band INTEGER NOT NULL,
                 next_band_on INTEGER, ends_on INTEGER NOT NULL, recorded_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
             CREATE INDEX residents_by_unit ON residents (unit);
             CREATE TABLE resident_surnames (resident BLOB NOT NULL REFERENCES residents (id), surname TEXT NOT NULL,
                 PRIMARY KEY (resident, surname)) STRICT, WITHOUT ROWID;
             CREATE TABLE log (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, resident BLOB NOT NULL, why TEXT NOT NULL) STRICT;",
        )?;
        let begun = Instant::now();
        let work = db.transaction()?;
        for ((name, unit), id) in people.iter().zip(ids) {
            let sql =
                "INSERT INTO residents (id, name, unit, age_band, ends_on, recorded_at) VALUES (?1, ?2, ?3, 2, 1, 1)";
            work.prepare_cached(sql)?.execute(params![id.bytes(), name, unit])?;
            let surname: String = name.chars().take(1).collect();
            let sql = "INSERT INTO resident_surnames (resident, surname) VALUES (?1, ?2)";
            work.prepare_cached(sql)?.execute(params![id.bytes(), surname])?;
        }
        work.commit()?;
        let plain_ms = millis(begun.elapsed());
        disk.print("people, in one transaction, plain SQLite ms", &format!("{plain_ms:.0}"));
        disk.print(
            "people, in one transaction, the vault's time to plain SQLite's",
            &format!("{:.1}", vault_ms / plain_ms),
        );
        Ok(Self { path, db })
    }

    /// Reads one by one, scans of everybody, and looks that are logged, here and in the vault.
    pub fn compare(
        &mut self,
        disk: &Disk,
        vault: &mut Vault,
        people: &[Person],
        ids: &[ResidentId],
        now: Timestamp,
    ) -> Result<(), Failed> {
        self.reads(vault, people, ids)?;
        self.scans(vault, people, ids)?;
        self.looks(disk, vault, people, ids, now)?;
        self.openings(vault)
    }

    fn reads(&self, vault: &Vault, people: &[Person], ids: &[ResidentId]) -> Result<(), Failed> {
        let place = |n: usize| n * 7919 % ids.len();
        let begun = Instant::now();
        for n in 0..READS {
            let found = vault.open_one(ids[place(n)])?;
            let (name, unit) = &people[place(n)];
            same(found.name.as_str() == name && found.unit.as_str() == unit)?;
        }
        let sealed = begun.elapsed();
        let begun = Instant::now();
        for n in 0..READS {
            same(self.read(ids[place(n)])? == people[place(n)])?;
        }
        let plain = begun.elapsed();
        println!("people, one at a time, the vault, a second: {}", per_second(READS, sealed));
        println!("people, one at a time, plain SQLite, a second: {}", per_second(READS, plain));
        println!("people, one at a time, the vault's time to plain SQLite's: {:.1}", sealed.div_duration_f64(plain));
        Ok(())
    }

    fn read(&self, id: ResidentId) -> Result<Person, Failed> {
        let sql = "SELECT name, unit, age_band, next_band_on, ends_on FROM residents WHERE id = ?1";
        let mut statement = self.db.prepare_cached(sql)?;
        let found = statement.query_row([id.bytes()], |row| {
            let (_, _, _): (u8, Option<i64>, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
            Ok((row.get(0)?, row.get(1)?))
        });
        Ok(found?)
    }

    /// Everybody, once to compare each and once for the time.
    fn scans(&self, vault: &Vault, people: &[Person], ids: &[ResidentId]) -> Result<(), Failed> {
        let of: BTreeMap<ResidentId, &Person> = ids.iter().copied().zip(people).collect();
        let right = |id: &ResidentId, name: &str, unit: &str| {
            usize::from(of.get(id).is_some_and(|person| person.0 == name && person.1 == unit))
        };
        let (mut sealed, mut plain) = (0, 0);
        vault.open_everybody(|id, name, unit| sealed += right(&id, name, unit))?;
        self.everybody(|id, name, unit| plain += right(&id, name, unit))?;
        same(sealed == people.len() && plain == people.len())?;
        let (mut sealed_bytes, mut plain_bytes) = (0, 0);
        let begun = Instant::now();
        vault.open_everybody(|_, name, unit| sealed_bytes += name.len() + unit.len())?;
        let sealed = begun.elapsed();
        let begun = Instant::now();
        self.everybody(|_, name, unit| plain_bytes += name.len() + unit.len())?;
        let plain = begun.elapsed();
        same(sealed_bytes == plain_bytes)?;
        println!("people, all {} read and opened, the vault ms: {:.0}", people.len(), millis(sealed));
        println!("people, all {} scanned, plain SQLite ms: {:.0}", people.len(), millis(plain));
        println!("people, all, the vault's time to plain SQLite's: {:.1}", sealed.div_duration_f64(plain));
        Ok(())
    }

    fn everybody(&self, mut each: impl FnMut(ResidentId, &str, &str)) -> Result<(), Failed> {
        let mut statement = self.db.prepare("SELECT id, name, unit FROM residents WHERE length(name) > 0")?;
        let rows = statement.query_map([], |row| {
            Ok((ResidentId::from_bytes(row.get(0)?), row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        for row in rows {
            let (id, name, unit) = row?;
            each(id, &name, &unit);
        }
        Ok(())
    }

    /// A record as staff open it: what was looked at is durable in the log before it is shown.
    fn looks(
        &mut self,
        disk: &Disk,
        vault: &mut Vault,
        people: &[Person],
        ids: &[ResidentId],
        now: Timestamp,
    ) -> Result<(), Failed> {
        let place = |n: usize| n * 331 % ids.len();
        let begun = Instant::now();
        for n in 0..LOOKS {
            let found = vault.open_resident(ids[place(n)], OpenWhy::Staff(LookWhy::Here), now)?;
            same(found.name.as_str() == people[place(n)].0)?;
        }
        vault.close_look();
        let sealed = begun.elapsed();
        let begun = Instant::now();
        for n in 0..LOOKS {
            let work = self.db.unchecked_transaction()?;
            let found = self.read(ids[place(n)])?;
            let sql = "INSERT INTO log (at, resident, why) VALUES (?1, ?2, 'here')";
            work.prepare_cached(sql)?.execute(params![now.ms(), ids[place(n)].bytes()])?;
            work.commit()?;
            same(found.0 == people[place(n)].0)?;
        }
        let plain = begun.elapsed();
        disk.print("people, opened by staff and logged, the vault, a second", &per_second(LOOKS, sealed));
        disk.print("people, read with a row in a log, plain SQLite, a second", &per_second(LOOKS, plain));
        let ratio = format!("{:.1}", sealed.div_duration_f64(plain));
        disk.print("people, opened and logged, the vault's time to plain SQLite's", &ratio);
        Ok(())
    }

    /// One more connection: both files under keys that are there, without a key derivation and without looking at every page.
    fn openings(&self, vault: &Vault) -> Result<(), Failed> {
        let (mut sealed, mut plain) = (vec![], vec![]);
        for _ in 0..OPENINGS {
            let begun = Instant::now();
            let second = vault.second_connection()?;
            sealed.push(millis(begun.elapsed()));
            drop(second);
            let begun = Instant::now();
            let second = open(&self.path, false)?;
            let tables: i64 = second.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            plain.push(millis(begun.elapsed()));
            same(tables > 0)?;
        }
        let (sealed, plain) = (median(sealed), median(plain));
        println!("people, open without the key derivation, the vault's two files ms: {sealed:.2}");
        println!("people, open, plain SQLite ms: {plain:.2}");
        println!("people, open without the key derivation, the vault's time to plain SQLite's: {:.1}", sealed / plain);
        Ok(())
    }

    /// Shuts and opens it, every page checked.
    pub fn reopen(self) -> Result<(Self, f64), Failed> {
        let Self { path, db } = self;
        drop(db);
        let begun = Instant::now();
        let db = open(&path, false)?;
        let verdict: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        let took = millis(begun.elapsed());
        same(verdict == "ok")?;
        Ok((Self { path, db }, took))
    }
}

/// Shuts the vault and opens it as at a start, with the cheapest key derivation, beside plain SQLite with its pages checked.
pub fn unlock(
    vault: Vault,
    plain: Plain,
    folder: &Path,
    passphrase: &Passphrase,
    now: Timestamp,
) -> Result<(Vault, Plain), Failed> {
    drop(vault);
    let begun = Instant::now();
    let vault = Vault::unlock(folder, Realm::Practice, passphrase, now)?;
    let sealed = millis(begun.elapsed());
    let (plain, plainly) = plain.reopen()?;
    println!("unlock with every page checked, cheapest key derivation, ms: {sealed:.0}");
    println!("open with every page checked, plain SQLite ms: {plainly:.0}");
    println!("open with every page checked, the vault's time to plain SQLite's: {:.1}", sealed / plainly);
    Ok((vault, plain))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// A wrong answer ends the bench.
fn same(same: bool) -> Result<(), Failed> {
    if same { Ok(()) } else { Err("another person was read than was written".into()) }
}
