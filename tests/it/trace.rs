//! Which test shows which duty, read from the tests themselves; `make trace` prints it. The duties are the tables of `docs/requirements.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The scripts that `make test` runs on the real program.
const SCRIPTS: &[&str] = &["packaging/setup/shipped.sh", "packaging/setup/gui.py"];
/// Heading of the table of duties that are left out.
const LATER: &str = "## Left for later";

/// A duty's id, in the order of the tables, and its words.
struct Duties {
    in_scope: Vec<(String, String)>,
    deferred: Vec<(String, String)>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Whether a word has the form of an id: letters, digits, at most a dash.
fn is_id(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.contains(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn duties(text: &str) -> Duties {
    let (now, later) = text.split_once(LATER).unwrap_or((text, ""));
    let rows = |part: &str| {
        let cells = part.lines().filter_map(|line| line.strip_prefix("| "));
        let pairs = cells.filter_map(|line| line.split_once(" | "));
        pairs
            .filter(|(id, _)| is_id(id))
            .map(|(id, words)| (id.to_owned(), words.trim_end_matches(" |").to_owned()))
            .collect()
    };
    Duties { in_scope: rows(now), deferred: rows(later) }
}

/// `P14a` as the beginning of a test's name: `p14a_`; `NDR22-5`: `ndr22_5_`.
fn prefix(id: &str) -> String {
    id.to_lowercase().replace('-', "_") + "_"
}

/// The duties that a test's name begins with, one after the other.
fn named<'a>(name: &str, ids: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let mut rest = name;
    let mut found = vec![];
    // The longest first: `l1_1_` is not a beginning of `l1_12_`, but `p1_` would be one of nothing else either.
    while let Some((id, left)) = ids.iter().find_map(|id| rest.strip_prefix(&prefix(id)).map(|left| (*id, left))) {
        found.push(id);
        rest = left;
    }
    found
}

/// The ids of a line `Shows: A, B`.
fn shown(line: &str) -> Vec<String> {
    let ids = line.split_once("Shows: ").map_or("", |(_, ids)| ids);
    ids.split([',', ' ', '.', ';']).filter(|w| is_id(w)).map(str::to_owned).collect()
}

/// Files under a folder whose names end so.
fn files(folder: &Path, end: &str, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, end, into);
        } else if path.to_string_lossy().ends_with(end) {
            into.push(path);
        }
    }
}

/// Every test that runs, with the ids that it says it shows.
fn tests_of(text: &str) -> Vec<(String, Vec<String>)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut tests = vec![];
    for (at, line) in lines.iter().enumerate() {
        if *line != "#[test]" {
            continue;
        }
        let above = lines[..at].iter().rev().take_while(|l| l.starts_with("//") || l.starts_with("#["));
        let below = lines[at + 1..].iter().take_while(|l| l.starts_with("#[") || l.starts_with("//"));
        let around: Vec<&str> = above.chain(below).copied().collect();
        if around.iter().any(|l| l.starts_with("#[ignore")) {
            continue;
        }
        let Some(name) = lines[at..].iter().find_map(|l| l.strip_prefix("fn ")) else { continue };
        let name = name.split('(').next().unwrap_or_default().to_owned();
        tests.push((name, around.iter().flat_map(|l| shown(l)).collect()));
    }
    tests
}

/// Duty to the tests that show it.
fn table(ids: &BTreeSet<&str>) -> (BTreeMap<String, BTreeSet<String>>, Vec<String>) {
    let mut shows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut unknown = vec![];
    let mut sources = vec![];
    files(&root().join("src"), ".rs", &mut sources);
    files(&root().join("tests"), ".rs", &mut sources);
    for path in sources.iter().filter(|p| !p.ends_with("it/trace.rs")) {
        let place = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        for (name, said) in tests_of(&std::fs::read_to_string(path).unwrap()) {
            for id in named(&name, ids) {
                shows.entry(id.to_owned()).or_default().insert(format!("{place}: {name}"));
            }
            for id in said {
                if !ids.contains(id.as_str()) {
                    unknown.push(format!("{place}: {name} shows {id}, which no table has"));
                }
                shows.entry(id).or_default().insert(format!("{place}: {name}"));
            }
        }
    }
    for script in SCRIPTS {
        let text = std::fs::read_to_string(root().join(script)).unwrap();
        for (number, line) in text.lines().enumerate().filter(|(_, l)| l.trim_start().starts_with('#')) {
            for id in shown(line) {
                if !ids.contains(id.as_str()) {
                    unknown.push(format!("{script} shows {id}, which no table has"));
                }
                shows.entry(id).or_default().insert(format!("{script}:{}", number + 1));
            }
        }
    }
    (shows, unknown)
}

#[test]
fn every_duty_in_scope_has_a_test() {
    let duties = duties(&std::fs::read_to_string(root().join("docs/requirements.md")).unwrap());
    let all: Vec<&str> = duties.in_scope.iter().chain(&duties.deferred).map(|(id, _)| id.as_str()).collect();
    let ids: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(all.len(), ids.len(), "a duty stands in two rows");
    assert!(ids.len() > 140, "the tables could not be read");
    let (shows, unknown) = table(&ids);
    let mut untested = vec![];
    for (id, words) in &duties.in_scope {
        let tests = shows.get(id).cloned().unwrap_or_default();
        if tests.is_empty() {
            untested.push(format!("{id}: {words}"));
        }
        println!("{id}\n    {}", tests.into_iter().collect::<Vec<_>>().join("\n    "));
    }
    for (id, reason) in &duties.deferred {
        println!("deferred: {id}, {reason}");
    }
    println!("duties in scope: {}", duties.in_scope.len());
    println!("deferred: {}", duties.deferred.len());
    println!("untested: {}", untested.len());
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    let stale: Vec<&str> =
        duties.deferred.iter().map(|(id, _)| id.as_str()).filter(|id| shows.contains_key(*id)).collect();
    assert!(stale.is_empty(), "left for later, and yet a test shows it: {stale:?}");
    assert!(untested.is_empty(), "no test shows\n{}", untested.join("\n"));
}

#[test]
fn a_duty_is_shown_by_a_name_or_a_line_and_by_nothing_else() {
    let ids: BTreeSet<&str> = ["P14a", "P14b", "NDR22-5", "L1-1", "L1-12"].into();
    assert_eq!(named("p14a_yes_waits", &ids), ["P14a"]);
    assert_eq!(named("ndr22_5_p14b_nobody_is_asked_again", &ids), ["NDR22-5", "P14b"]);
    assert_eq!(named("l1_12_the_end", &ids), ["L1-12"]);
    assert!(named("p14_something", &ids).is_empty());
    assert_eq!(shown("// Shows: P14a, L1-12."), ["P14a", "L1-12"]);
    assert!(shown("// P14a is not shown").is_empty());
    let text = "// Shows: P14a\n#[test]\nfn one() {}\n#[test]\n#[ignore]\nfn two() {}\n";
    assert_eq!(tests_of(text), [("one".to_owned(), vec!["P14a".to_owned()])]);
    let read = duties("| P14a | words | C |\n|---|---|\n| id | x |\n## Left for later\n| J08 | costs |\n");
    assert_eq!(read.in_scope.len(), 1);
    assert_eq!(read.deferred, [("J08".to_owned(), "costs".to_owned())]);
}
