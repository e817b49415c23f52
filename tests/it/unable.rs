//! What the program is unable to do: read from its own list of commands and from the shape of its databases.

use std::path::Path;

/// Every word that names something in the schema of the desk's two files: tables and columns.
fn schema_words() -> Vec<String> {
    let mut words = vec![];
    for file in ["vault", "keys"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vault/migrations").join(file);
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            for line in text.lines() {
                // Comments say what is absent.
                let line = line.split("--").next().unwrap_or_default().to_lowercase();
                words.extend(line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(str::to_owned));
            }
        }
    }
    words
}

/// The names under which commands stand in the table of roles: every command has one, or it does not compile.
fn command_names() -> Vec<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app/roles.rs");
    let text = std::fs::read_to_string(source).unwrap();
    let mut names: Vec<String> = vec![];
    for call in ["only(\"", "own(\"", "door(\""] {
        names.extend(text.split(call).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
    }
    names
}

/// Whether one of these stands in a word between its underscores or dashes.
fn among<'a>(words: &'a [String], forbidden: &[&str]) -> Vec<&'a String> {
    let parts = |word: &str| word.split(['_', '-']).map(str::to_owned).collect::<Vec<_>>();
    words.iter().filter(|word| parts(word).iter().any(|part| forbidden.contains(&part.as_str()))).collect()
}

// Shows: L2-9, J02-7, NDR22-1, P06
#[test]
fn l2_9_no_table_has_room_for_fees_debts_scores_or_attendance() {
    let words = schema_words();
    assert!(words.iter().any(|word| word == "residents"), "the shape could be read");
    let found = among(
        &words,
        &[
            "fee",
            "fees",
            "pay",
            "paid",
            "payment",
            "debt",
            "arrears",
            "score",
            "credit",
            "attendance",
            "rating",
            "mood",
        ],
    );
    assert!(found.is_empty(), "{found:?}");
}

// Shows: N8-8, L2-4, P10
#[test]
fn n8_8_no_table_has_room_for_a_picture_a_document_or_its_number() {
    let words = schema_words();
    let found = among(
        &words,
        &[
            "photo",
            "picture",
            "image",
            "frame",
            "jpeg",
            "png",
            "scan",
            "passport",
            "idcard",
            "template",
            "vector",
            "sex",
            "gender",
            "ethnicity",
            "health",
            "fingerprint",
        ],
    );
    assert!(found.is_empty(), "{found:?}");
}

// Shows: L2-1, L2-2, L2-3, L2-6, L2-8
#[test]
fn l2_2_staff_have_no_command_that_enrols_imports_or_takes_templates_out() {
    let names = command_names();
    assert!(names.len() > 50 && names.iter().any(|name| name == "issue-card"), "the table could be read: {names:?}");
    let found = among(
        &names,
        &[
            "enrol",
            "enroll",
            "consent",
            "capture",
            "camera",
            "bulk",
            "batch",
            "import",
            "visitor",
            "guest",
            "group",
            "template",
            "templates",
            "face",
            "picture",
        ],
    );
    // Noting that a person refuses, and stopping what runs, take away only.
    let takes_away = ["note-face-refused", "stop-face"];
    let found: Vec<_> = found.into_iter().filter(|name| !takes_away.contains(&name.as_str())).collect();
    assert!(found.is_empty(), "{found:?}");
}

// Shows: L2-7, NDR22-4
#[test]
fn l2_7_no_command_makes_a_term_longer_and_a_consents_last_day_is_never_edited() {
    let names = command_names();
    let found = among(&names, &["extend", "prolong", "renew", "postpone", "lengthen"]);
    assert!(found.is_empty(), "{found:?}");
    let vault = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vault/migrations/vault/0001_init.sql");
    let shape = std::fs::read_to_string(vault).unwrap();
    let guard = shape.split("CREATE TRIGGER consent_stays").nth(1).and_then(|rest| rest.split(';').next()).unwrap();
    assert!(guard.contains("ends_on") && guard.contains("RAISE(ABORT"), "{guard}");
}
