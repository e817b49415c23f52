//! What was tried and what broke.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How something may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Break {
    /// Confirmed, and gone.
    Lost,
    /// There twice.
    Doubled,
    /// Ended or erased, and there again.
    Zombie,
    /// Does not open, is not whole, or shows half of something.
    Unsound,
}

/// Counted over every section; shared between threads.
#[derive(Default)]
pub struct Report(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    kills: BTreeMap<String, u64>,
    faults: BTreeMap<String, u64>,
    tried: BTreeMap<String, u64>,
    sampled: Vec<String>,
    broken: Vec<(Break, String)>,
    not_run: Vec<String>,
}

impl Report {
    fn with<T>(&self, use_it: impl FnOnce(&mut Inner) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A process was killed.
    pub fn killed(&self, section: &str) {
        self.with(|r| *r.kills.entry(section.into()).or_default() += 1);
    }

    /// A disk, clock or network fault happened.
    pub fn fault(&self, section: &str) {
        self.with(|r| *r.faults.entry(section.into()).or_default() += 1);
    }

    /// An act was tried with a fault armed, whether or not it had so many writes.
    pub fn tried(&self, section: &str) {
        self.with(|r| *r.tried.entry(section.into()).or_default() += 1);
    }

    /// Not every write or record was tried: what was.
    pub fn sampled(&self, what: &str) {
        self.with(|r| r.sampled.push(what.into()));
    }

    /// The same where every `stride`-th was; 1 is every one.
    pub fn stride(&self, what: &str, stride: u64, unit: &str) {
        if stride > 1 {
            self.sampled(&format!("{what}: one {unit} in {stride}"));
        }
    }

    /// Something broke.
    pub fn broke(&self, how: Break, what: &str) {
        println!("  {how:?}: {what}");
        self.with(|r| r.broken.push((how, what.into())));
    }

    /// The kernel or the machine does not allow it.
    pub fn not_run(&self, what: &str) {
        self.with(|r| r.not_run.push(what.into()));
    }

    pub fn is_clean(&self) -> bool {
        self.with(|r| r.broken.is_empty())
    }

    /// The lines at the end.
    pub fn print(&self) {
        self.with(|r| {
            for (name, counts) in [("kills", &r.kills), ("faults", &r.faults)] {
                for (section, count) in counts {
                    println!("{name} ({section}): {count}");
                }
            }
            for (how, what) in &r.broken {
                println!("{how:?}: {what}");
            }
            for what in &r.sampled {
                println!("sampled: {what}");
            }
            println!("tried: {}", r.tried.values().sum::<u64>());
            println!("kills: {}", r.kills.values().sum::<u64>());
            println!("faults: {}", r.faults.values().sum::<u64>());
            let count = |how: Break| r.broken.iter().filter(|(h, _)| *h == how).count();
            for (name, how) in [
                ("lost", Break::Lost),
                ("doubled", Break::Doubled),
                ("zombie", Break::Zombie),
                ("unsound", Break::Unsound),
            ] {
                println!("{name}: {}", count(how));
            }
            for what in &r.not_run {
                println!("not run: {what}");
            }
        });
    }
}
