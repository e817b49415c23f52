//! What encryption costs, against the same library without a key, and what the vault's own residents cost beside the same people in clear, in one
//! run; and how long a search takes among 100,000 residents with sealed columns, how fast their keys are read, and what erasing some of them
//! takes. Prints `name: value` lines and the targets, and ends in an error when a search took longer than it may, or an answer is wrong. What rests
//! on durable writes is not told where they go into memory.
#![allow(clippy::print_stdout, reason = "its lines are its result")]

mod disk;
mod people;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::audit::Actor;
use menka::domain::consent::EraseReason;
use menka::domain::id::ResidentId;
use menka::domain::site::SiteFacts;
use menka::domain::time::Timestamp;
use menka::ports::Clock;
use menka::secret::Passphrase;
use menka::vault::{KdfCost, Vault};
use rusqlite::{Connection, params};

use disk::Disk;
use people::Plain;

/// Rows of the comparison, and residents of the search.
const ROWS: usize = 100_000;
/// Rows in a transaction.
const BATCH: usize = 10_000;
/// Point reads, and searches of each kind.
const READS: usize = 20_000;
const SEARCHES: usize = 200;
/// Longest search among [`ROWS`] residents, in milliseconds.
const SEARCH_MS_MAX: f64 = 50.0;
/// Rounds of the comparison; the last one is told.
const ROUNDS: usize = 2;
const SURNAMES: &str = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕";

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    // `cargo test` also starts benches; there is nothing to test here.
    if std::env::args().any(|a| a == "--test") {
        return Ok(());
    }
    targets::print_load();
    let disk = Disk::find();
    println!("rows: {ROWS} of 16 and 512 bytes, write-ahead log, every commit durable, deleted bytes overwritten");
    for round in 1..=ROUNDS {
        let (plain, sealed) = (Figures::of(&disk, false)?, Figures::of(&disk, true)?);
        if round == ROUNDS {
            plain.print(&disk, "plain SQLite");
            sealed.print(&disk, "SQLCipher");
            sealed.print_ratios(&disk, &plain);
        }
    }
    search(&disk)
}

fn open(path: &Path, keyed: bool) -> Result<Connection, Failed> {
    let connection = Connection::open(path)?;
    if keyed {
        // A key of nobody: this file holds nothing. The vault gives its own by the C call.
        connection.execute_batch(&format!("PRAGMA key = \"x'{}'\";", "5a".repeat(32)))?;
        connection.execute_batch("PRAGMA cipher_memory_security = ON;")?;
    }
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")?;
    // As the vault opens its files.
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

/// Times of the comparison.
struct Figures {
    inserts: Duration,
    reads: Duration,
    scan: Duration,
    opening: Duration,
}

impl Figures {
    fn of(disk: &Disk, keyed: bool) -> Result<Self, Failed> {
        let folder = disk.folder()?;
        let path = folder.path().join("bench.db");
        let mut db = open(&path, keyed)?;
        db.execute_batch(
            "CREATE TABLE rows (id BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;",
        )?;
        let id = |n: usize| (n as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_be_bytes();
        let value = [0x42u8; 512];
        let begun = Instant::now();
        for from in (0..ROWS).step_by(BATCH) {
            let work = db.transaction()?;
            {
                let mut insert = work.prepare_cached("INSERT INTO rows (id, value) VALUES (?1, ?2)")?;
                for n in from..from + BATCH {
                    insert.execute(params![id(n), value])?;
                }
            }
            work.commit()?;
        }
        let inserts = begun.elapsed();
        let begun = Instant::now();
        {
            let mut read = db.prepare_cached("SELECT value FROM rows WHERE id = ?1")?;
            for n in 0..READS {
                let found: Vec<u8> = read.query_row([id(n * 7919 % ROWS)], |row| row.get(0))?;
                assert_eq!(found.len(), value.len());
            }
        }
        let reads = begun.elapsed();
        drop(db);
        let begun = Instant::now();
        let db = open(&path, keyed)?;
        let count: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let opening = begun.elapsed();
        assert_eq!(count, 1);
        let begun = Instant::now();
        let sum: i64 = db.query_row("SELECT sum(length(value)) FROM rows", [], |row| row.get(0))?;
        let scan = begun.elapsed();
        assert_eq!(usize::try_from(sum)?, ROWS * value.len());
        Ok(Self { inserts, reads, scan, opening })
    }

    fn print(&self, disk: &Disk, what: &str) {
        let inserts = per_second(ROWS, self.inserts);
        disk.print(&format!("{what}, inserts in transactions of {BATCH}, a second"), &inserts);
        println!("{what}, point reads, a second: {}", per_second(READS, self.reads));
        println!("{what}, scan of {ROWS} ms: {:.0}", millis(self.scan));
        println!("{what}, open without the key derivation ms: {:.2}", millis(self.opening));
    }

    fn print_ratios(&self, disk: &Disk, plain: &Self) {
        let times = |of: fn(&Self) -> Duration| format!("{:.2}", of(self).div_duration_f64(of(plain)));
        let what = "SQLCipher's time to plain SQLite's";
        disk.print(&format!("{what}, inserts"), &times(|figures| figures.inserts));
        println!("{what}, point reads: {}", times(|figures| figures.reads));
        println!("{what}, scan: {}", times(|figures| figures.scan));
        println!("{what}, open without the key derivation: {}", times(|figures| figures.opening));
    }
}

fn search(disk: &Disk) -> Result<(), Failed> {
    let folder = disk.folder()?;
    let passphrase = Passphrase::new("a bench without secrets".into());
    let cost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
    let now = SystemClock.now();
    let facts = SiteFacts::default();
    let mut vault = Vault::create(folder.path(), Realm::Practice, "测", &passphrase, &facts, now, cost)?;
    let surnames: Vec<char> = SURNAMES.chars().collect();
    let person = |n: usize| {
        let unit = format!("{}-{}", n / 2_500 + 1, n % 2_500 / 3 + 101);
        (format!("{}小{}", surnames[n % surnames.len()], surnames[n / 7 % surnames.len()]), unit)
    };
    let people: Vec<(String, String)> = (0..ROWS).map(person).collect();
    let begun = Instant::now();
    let ids = vault.fill(&people, now)?;
    let written = millis(begun.elapsed());
    disk.print(&format!("residents: {ROWS}, three in a unit, written in ms"), &format!("{written:.0}"));
    let plain_folder = disk.folder()?;
    let plain = Plain::fill(disk, plain_folder.path(), &people, &ids, written)?;
    keys(&vault, &ids)?;
    let (mut vault, mut plain) = people::unlock(vault, plain, folder.path(), &passphrase, now)?;
    plain.compare(disk, &mut vault, &people, &ids, now)?;
    let sound = |name: &str| match name.chars().next() {
        Some('王') => Some("wang"),
        Some('李') => Some("li"),
        Some('张') => Some("zhang"),
        _ => None,
    };
    let by_sound: Vec<(usize, String)> = (0..)
        .zip(&people)
        .filter_map(|(place, (name, unit))| sound(name).map(|sound| (place, format!("{sound} {unit}"))))
        .collect();
    let mut units: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    (0..).zip(&people).for_each(|(place, (_, unit))| units.entry(unit).or_default().push(place));
    let surname = |place: usize| people[place].0.chars().next().unwrap_or('王');
    let of = |n: usize| n * 4_051 % 3 + n * 40 % (ROWS - 40) / 40 * 40;
    // Whom the text is about, and the text.
    type Query<'a> = (&'a str, Box<dyn Fn(usize) -> (usize, String) + 'a>);
    let queries: [Query<'_>; 3] = [
        ("unit", Box::new(|n| (of(n), people[of(n)].1.clone()))),
        ("surname and unit", Box::new(|n| (of(n), format!("{} {}", surname(of(n)), people[of(n)].1)))),
        ("surname by its sound and unit", Box::new(|n| by_sound[n * 4_051 % by_sound.len()].clone())),
    ];
    let (mut slow, mut judged) = (vec![], vec![]);
    for (name, query) in queries {
        let (mut times, mut found) = (vec![], 0);
        for n in 0..SEARCHES {
            let (whom, query) = query(n);
            let begun = Instant::now();
            let rows = vault.find(&query)?.rows;
            times.push(millis(begun.elapsed()));
            let by_name = |place: &&usize| name == "unit" || surname(**place) == surname(whom);
            let right: BTreeSet<ResidentId> =
                units[people[whom].1.as_str()].iter().filter(by_name).map(|place| ids[*place]).collect();
            found += usize::from(rows.iter().map(|row| row.id).collect::<BTreeSet<_>>() == right);
        }
        times.sort_by(f64::total_cmp);
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        println!("search by {name} among {ROWS} ms: median {median:.2}, worst {worst:.2}, {found} of {SEARCHES} right");
        if found != SEARCHES {
            return Err(format!("search by {name}: not exactly those of that unit were found").into());
        }
        if worst > SEARCH_MS_MAX {
            slow.push(name);
        }
        judged.push((name, median, worst));
    }
    // Last: who was erased is not found.
    erasures(disk, &mut vault, &ids, now)?;
    for (name, median, worst) in judged {
        let what = format!("search by {name} among {ROWS} residents in {SEARCH_MS_MAX} ms");
        let figure = format!("median {median:.2} ms, longest of {SEARCHES} {worst:.2} ms");
        targets::judge(&what, worst <= SEARCH_MS_MAX, &figure);
    }
    if slow.is_empty() { Ok(()) } else { Err(format!("too slow: search by {}", slow.join(", ")).into()) }
}

/// Reading persons' keys in no order, against point reads above.
fn keys(vault: &Vault, ids: &[ResidentId]) -> Result<(), Failed> {
    for round in ["first", "again"] {
        let begun = Instant::now();
        for n in 0..READS {
            assert_eq!(vault.person_key_bytes(ids[n * 7919 % ROWS])?.len(), 32);
        }
        println!("persons' keys read, {round}, a second: {}", per_second(READS, begun.elapsed()));
    }
    Ok(())
}

/// What a retention run takes that erases identities, one or fifty, beside one without anything due and beside closing a record, which is one
/// durable transaction.
fn erasures(disk: &Disk, vault: &mut Vault, ids: &[ResidentId], now: Timestamp) -> Result<(), Failed> {
    const DAY_MS: i64 = 86_400_000;
    let mut at = now;
    let mut next = ids.iter().step_by(1_009);
    let mut took = vec![];
    for count in [0, 1, 0, 1, 50] {
        let begun = Instant::now();
        for _ in 0..count {
            let resident = *next.next().ok_or("enough people")?;
            vault.close_record(resident, EraseReason::MovedOut, Actor::Station, at)?;
        }
        let closing = millis(begun.elapsed()) / f64::from(count.max(1));
        at = at.plus_ms(32 * DAY_MS);
        let begun = Instant::now();
        let erased = vault.run_retention(at)?.identities;
        assert_eq!(erased, count);
        took.push((count, millis(begun.elapsed()), closing));
    }
    let [_, _, (_, none, _), (_, one, commit), (_, fifty, _)] = took[..] else { return Err("five runs".into()) };
    println!("retention with nobody due among {ROWS} ms: {none:.1}");
    disk.print("retention that erases 1 identity, and 50 of them, ms", &format!("{one:.1}, {fifty:.1}"));
    disk.print("one erased identity to one durable transaction", &format!("{:.1}", (one - none) / commit));
    disk.print("fifty erased together to fifty times one", &format!("{:.2}", (fifty - none) / (50.0 * (one - none))));
    Ok(())
}

fn per_second(count: usize, time: Duration) -> String {
    format!("{:.0}", count as f64 / time.as_secs_f64())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
