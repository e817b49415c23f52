//! The walls: who may import whom, who may make a witness, which words may not appear. A text scan over `src`, complete because imports
//! across layers are always written `crate::layer::…`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Layer, and the layers it may use besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("secret", &[]),
    ("domain", &["secret"]),
    ("i18n", &["domain"]),
    ("notice", &["secret", "domain"]),
    ("wire", &["secret", "domain"]),
    ("evidence", &["secret", "domain"]),
    ("ports", &["secret", "domain", "wire"]),
    ("vault", &["secret", "domain", "wire", "evidence", "ports"]),
    ("capture", &["secret", "domain", "wire", "ports"]),
    ("face", &["secret", "domain", "wire", "ports"]),
    ("cards", &["secret", "domain", "wire", "ports"]),
    ("network", &["ports"]),
    ("lan", &["secret", "domain", "wire", "ports", "network"]),
    ("boards", &["secret", "domain", "wire", "ports", "network"]),
    ("speech", &["secret", "domain", "wire", "ports"]),
    ("chip", &["secret", "domain", "wire", "ports"]),
    ("printing", &["secret", "domain", "wire", "ports"]),
    ("posture", &["secret", "domain", "wire", "ports"]),
    ("paper", &["secret", "domain", "evidence", "notice"]),
    ("app", &["secret", "domain", "wire", "ports", "vault", "evidence", "notice", "paper"]),
    ("gate", &["secret", "domain", "wire", "evidence", "ports", "network"]),
    ("ui", &["secret", "domain", "app", "i18n", "notice"]),
];

/// Crates that must not appear in a layer.
const MUST_NOT_NAME: &[(&str, &[&str])] = &[
    ("domain", &["rusqlite", "iced", "std::fs", "std::net", "std::thread", "SystemTime", "Instant"]),
    ("wire", &["std::fs", "std::net::Tcp", "std::net::Udp", "UdpSocket", "rusqlite", "iced"]),
    ("evidence", &["std::fs", "std::net", "iced"]),
    ("app", &["iced", "nokhwa", "dlib", "pcsc", "std::net", "SystemTime::now"]),
    ("ui", &["rusqlite", "v4l", "pcsc", "rten"]),
    ("gate", &["iced"]),
    ("posture", &["rusqlite", "iced", "std::net::Tcp", "std::net::Udp", "UdpSocket", "TcpStream"]),
];

/// Constructors that prove something, and the only files that may call them.
const WITNESS_MAKERS: &[(&str, &[&str])] = &[
    ("ConsentGranted::assert_recorded(", &["vault/consents.rs"]),
    ("AtTheDoor::assert_act(", &["gate/door.rs"]),
    ("DoorWatch::assert_gate(", &["gate/door.rs"]),
    ("FillGranted::assert_current(", &["vault/fills.rs"]),
    ("PassAllowed::assert_checked(", &["gate/relay.rs"]),
    ("CameraPermit(())", &["domain/permit.rs"]),
    ("Approval::assert_checked(", &["vault/approvals.rs"]),
    ("QualityPassed(*", &["domain/quality.rs"]),
    ("PresenceShown(())", &["domain/presence.rs"]),
    ("FaceTemplate::from_unit_vector(", &["secret/mod.rs", "face/", "wire/envelope.rs", "gate/protect.rs"]),
];

fn sources() -> BTreeMap<String, String> {
    fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|e| e == "rs" || e == "sql") {
                into.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![];
    walk(&root, &mut files);
    files
        .into_iter()
        .map(|f| (f.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&f).unwrap()))
        .collect()
}

/// The code without tests, comments and doc lines.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    before_tests.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Files that are compiled for tests only (`#[cfg(test)] mod …`).
fn is_test(file: &str) -> bool {
    file.ends_with("tests.rs") || file.contains("/tests/") || file == "wire/vectors.rs"
}

/// Whether a line names a crate: the word stands alone, before a path separator.
fn names(line: &str, word: &str) -> bool {
    if word.contains("::") {
        return line.contains(word);
    }
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = &line[at + word.len()..];
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_') && after.starts_with("::")
    })
}

// Shows: L2-5
#[test]
fn layers_import_downwards_only() {
    let mut faults = vec![];
    for (file, text) in sources().iter().filter(|(f, _)| f.ends_with(".rs") && !is_test(f)) {
        let layer = file.split(['/', '.']).next().unwrap_or_default();
        let Some((_, allowed)) = MAY_USE.iter().find(|(l, _)| *l == layer) else { continue };
        for (number, line) in code(text).lines().enumerate() {
            for used in line.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let known = MAY_USE.iter().any(|(l, _)| *l == used);
                // What went wrong is part of an event, so the windows may name the errors of lower layers, and nothing else of them.
                let only_errors = layer == "ui" && (line.contains("Error") || line.contains("Refusal"));
                if known && !only_errors && used != layer && !allowed.contains(&used.as_str()) {
                    faults.push(format!("{file}:{number}: {layer} may not use {used}: {}", line.trim()));
                }
            }
        }
        for (_, words) in MUST_NOT_NAME.iter().filter(|(l, _)| *l == layer) {
            for word in *words {
                for line in code(text).lines().filter(|l| names(l, word)) {
                    let excused = line.contains("SystemTime::now") && file == "app/runner.rs";
                    if !excused {
                        faults.push(format!("{file}: {layer} may not name {word}: {}", line.trim()));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_resident_window_does_not_know_the_staff_window() {
    for (file, text) in sources().iter().filter(|(f, _)| f.starts_with("ui/resident")) {
        assert!(!code(text).contains("ui::staff"), "{file}");
        assert!(!code(text).contains("StaffCommand"), "{file}");
    }
}

#[test]
fn witnesses_have_their_listed_makers_only() {
    for (file, text) in sources().iter().filter(|(f, _)| f.ends_with(".rs") && !is_test(f)) {
        for (maker, allowed) in WITNESS_MAKERS {
            let makes = code(text).contains(maker);
            assert!(!makes || allowed.iter().any(|a| file.starts_with(a)), "{file} makes {maker}");
        }
    }
}

// Shows: L2-4
#[test]
fn no_face_is_written_at_the_desk_and_no_name_in_a_gate() {
    for (file, text) in sources() {
        let text = text.to_lowercase();
        let sql = file.ends_with(".sql");
        if sql && file.starts_with("vault/") {
            for word in ["vector", "embedding", "envelope", "photo", "image", "picture", "frame"] {
                let column = text
                    .lines()
                    .any(|l| !l.trim_start().starts_with("--") && l.split_whitespace().next() == Some(word));
                assert!(!column, "{file} has a column {word}");
            }
        }
        if file.starts_with("gate/") && !is_test(&file) {
            for column in ["name text", "name blob", "unit text", "unit blob", "surname"] {
                assert!(!text.contains(column), "{file} has a column {column}");
            }
        }
    }
}

#[test]
fn unfinished_words_do_not_land() {
    for (file, text) in sources() {
        for word in ["todo!", "unimplemented!", "FIXME", "dbg!(", "XXX"] {
            assert!(!text.contains(word), "{file}: {word}");
        }
    }
}

#[test]
fn exposing_a_secret_says_why() {
    for (file, text) in sources().iter().filter(|(f, _)| f.ends_with(".rs") && !is_test(f)) {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if line.contains(".expose_secret()") {
                let said = lines[at.saturating_sub(6)..=at].iter().any(|l| l.contains("EXPOSE:"));
                assert!(said, "{file}:{}: say `// EXPOSE: why`", at + 1);
            }
        }
    }
}
