//! Rows of the requirements that are about what the texts and the program as a whole say, and not about one act.

use std::path::Path;

use menka::app::promises::PROMISES;
use menka::domain::notice::Language;
use menka::domain::site::Fact;
use menka::notice::{Block, Text, blocks, page, plain, plain_spans, render};

use super::notice::all_values;
use super::roles::rows;

const BOTH: [Language; 2] = [Language::Chinese, Language::English];

/// The sections of a rendered text: heading, and the words below it.
fn sections(markdown: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = vec![];
    for block in blocks(markdown) {
        match block {
            Block::Heading(2, words) => found.push((plain_spans(&words), String::new())),
            Block::Heading(_, words) | Block::Paragraph(words) => {
                if let Some((_, text)) = found.last_mut() {
                    text.push_str(&plain_spans(&words));
                }
            }
            Block::Summary(lines) => {
                if let Some((_, text)) = found.last_mut() {
                    lines.iter().for_each(|line| text.push_str(&plain_spans(line)));
                }
            }
            Block::Table(head, rows) => {
                if let Some((_, text)) = found.last_mut() {
                    head.iter().chain(rows.iter().flatten()).for_each(|cell| text.push_str(&plain_spans(cell)));
                }
            }
        }
    }
    found
}

#[test]
fn m9_the_childrens_rules_have_the_seven_items_and_no_stands_beside_yes() {
    // 儿童个人信息网络保护规定 10: the item, a word of its heading, words that must stand below it.
    let items: [(&str, [&str; 2], [&[&str]; 2]); 7] = [
        ("purpose, method, scope", ["目的、方式和范围", "Purpose"], [&["开门"], &["open"]]),
        (
            "place, term, what follows",
            ["存放地点、期限和到期后的处理", "Place, term"],
            [&["门禁机", "十四周岁", "删除"], &["gate", "fourteen", "delet"]],
        ),
        ("safeguards", ["安全保障措施", "Safeguards"], [&["加密", "日志"], &["ncrypt", "log"]]),
        ("consequences of refusing", ["拒绝的后果", "refuse"], [&["没有任何", "卡"], &["No disadvantage", "ard"]]),
        ("complaints", ["投诉、举报", "Complaints"], [&["日内答复"], &["days"]]),
        ("correcting and deleting", ["权利", "Rights"], [&["更正", "删除", "撤回"], &["correct", "delet", "ithdraw"]]),
        ("other matters: changes, asked again", ["变更", "Changes"], [&["重新"], &["again"]]),
    ];
    for (at, language) in BOTH.into_iter().enumerate() {
        let text = render(Text::ChildrensRules, language, &all_values(language)).unwrap();
        let found = sections(&text.markdown);
        for (item, headings, words) in items {
            let (_, section) = found.iter().find(|(heading, _)| heading.contains(headings[at])).unwrap_or_else(|| {
                panic!("{item}: no section in {:?}", found.iter().map(|f| &f.0).collect::<Vec<_>>())
            });
            assert!(section.chars().count() > 20, "{item}: {section}");
            for word in words[at] {
                assert!(section.contains(word), "{item}: {word} is missing in {section}");
            }
        }
        // The refusal is offered first, on the same page, as a button of its own.
        let consent = render(Text::GuardianConsent, language, &all_values(language)).unwrap();
        let buttons = page(&plain(&consent.markdown)).buttons;
        assert_eq!(buttons.len(), 2, "{buttons:?}");
        assert!(buttons[0].starts_with('不') || buttons[0].starts_with("No"), "{buttons:?}");
    }
}

#[test]
fn j05_no_other_ground_than_consent_can_be_chosen_anywhere() {
    // The record has one word for it, written by the program.
    let record = include_str!("../../src/evidence/consent.rs");
    assert_eq!(record.matches("lawful_basis: \"").count(), 1);
    assert!(record.contains("lawful_basis: \"separate consent (PIPL 13(1)(1), 14, 29)\""));
    // No fact of the site, no column and no command names another.
    let words = ["basis", "emergency", "epidemic", "public_security", "group", "batch", "legitimate"];
    for fact in Fact::ALL {
        assert!(words.iter().all(|word| !fact.key().contains(word)), "{fact:?}");
    }
    for (command, _) in rows() {
        let name = menka::app::roles::row(&command).name;
        assert!(words.iter().all(|word| !name.contains(word)), "{name}");
    }
    let schema: String = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/vault/migrations/vault"))
        .unwrap()
        .flatten()
        .map(|file| std::fs::read_to_string(file.path()).unwrap())
        .collect();
    for line in schema.lines().filter(|line| !line.trim_start().starts_with("--")) {
        let column = line.split_whitespace().next().unwrap_or_default();
        assert!(words.iter().all(|word| column != *word), "{line}");
    }
    // What the resident agrees to speaks of nothing but consent.
    for language in BOTH {
        let text = render(Text::Consent, language, &all_values(language)).unwrap().markdown;
        for other in ["根据规定必须", "公共安全需要", "法定义务", "as the law requires", "for public security"]
        {
            assert!(!text.contains(other), "{other}");
        }
    }
}

#[test]
fn j10b_every_company_that_manages_a_building_says_and_owes_the_same() {
    // A property company and a rental company: the texts differ in who they are, and in nothing else.
    let (property, rental) = ("青禾物业服务有限公司", "乐居住房租赁有限公司");
    for language in BOTH {
        for text in [Text::Notice, Text::OtherWays, Text::Consent, Text::ChildrensRules] {
            let with = |name: &str| {
                let mut values = all_values(language);
                values.insert("processor_name".into(), name.into());
                let text = render(text, language, &values).unwrap().markdown.replace(name, "…");
                // The check code counts the name.
                text.lines()
                    .filter(|l| !l.contains("校验码") && !l.to_lowercase().contains("check code"))
                    .collect::<String>()
            };
            assert_eq!(with(property), with(rental), "{text:?}");
        }
    }
    // There is no field for the kind of company, nor for owner or tenant, that anything could depend on.
    let schema = include_str!("../../src/vault/migrations/vault/0001_init.sql");
    for word in ["owner", "tenant", "tenure", "company_kind"] {
        assert!(!schema.contains(word) && Fact::ALL.iter().all(|fact| fact.key() != word), "{word}");
    }
}

/// Every test of the integration binary and of the library: its name and its words.
fn tests() -> Vec<(String, String)> {
    fn collect(folder: &Path, into: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, into);
            } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("it/law.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                // What a file's helpers do, its tests do too.
                let helpers = text.split("#[test]").next().unwrap_or_default().to_owned();
                for test in text.split("#[test]").skip(1) {
                    let name = test.split("fn ").nth(1).and_then(|rest| rest.split('(').next()).unwrap_or_default();
                    into.push((name.to_owned(), format!("{helpers}{test}")));
                }
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![];
    collect(&root.join("tests/it"), &mut found);
    collect(&root.join("src"), &mut found);
    found
}

// Shows: J02-4
#[test]
fn j02_4_each_promise_of_the_notice_has_a_test_that_gives_its_command() {
    let tests = tests();
    assert!(tests.len() > 500, "{}", tests.len());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for promise in PROMISES {
        let Some(kept_by) = promise.kept_by else { continue };
        let (owner, name) = kept_by.rsplit_once("::").unwrap_or(("", kept_by));
        let found = if owner.ends_with("Command") || owner.ends_with("Act") {
            tests.iter().filter(|(_, words)| words.contains(&format!("::{name}"))).count()
        } else {
            // A rule: the tests of its own file, or of those that call it.
            let file = root.join("src").join(owner.replace("::", "/")).with_extension("rs");
            let beside = root.join("src").join(owner.replace("::", "/")).join(name).with_extension("rs");
            let own = [file, beside].into_iter().filter_map(|path| std::fs::read_to_string(path).ok());
            let inside: usize = own.map(|text| text.matches("#[test]").count()).sum();
            inside + tests.iter().filter(|(_, words)| words.contains(&format!("{name}("))).count()
        };
        println!("{} {}: {kept_by}, {found} tests", promise.section, promise.words);
        assert!(found > 0, "section {}: {}: no test gives {kept_by}", promise.section, promise.words);
    }
}
