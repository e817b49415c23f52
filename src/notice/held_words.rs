//! Words of the paper that lists everything held, and the plain explanations of the notice's sections: both are versioned files.

use std::collections::BTreeMap;

use crate::domain::notice::Language;

use super::parse::{blocks, plain_spans};
use super::{Block, Text, asset};

/// What codes of the vault and the log are called in one language.
#[derive(Clone, Debug, Default)]
pub struct HeldWords(BTreeMap<String, String>);

impl HeldWords {
    /// Reads the file of a language.
    pub fn load(language: Language) -> Self {
        let body = asset::load(Text::HeldWords, language).map(|(_, body)| body).unwrap_or_default();
        let rows = blocks(&body).into_iter().flat_map(|block| match block {
            Block::Table(_, rows) => rows,
            _ => vec![],
        });
        Self(rows.filter_map(|row| Some((plain_spans(row.first()?), plain_spans(row.get(1)?)))).collect())
    }

    /// Whether the file has a code.
    pub fn has(&self, code: &str) -> bool {
        self.0.contains_key(code)
    }

    /// A code in words. One that the file lacks is printed as it is: nothing held may be left out for want of a word.
    pub fn say(&self, code: &str) -> String {
        self.0.get(code).cloned().unwrap_or_else(|| code.to_owned())
    }

    /// A code in words, with values for `{0}`, `{1}`, ….
    pub fn with(&self, code: &str, values: &[&str]) -> String {
        let mut words = self.say(code);
        for (at, value) in values.iter().enumerate() {
            words = words.replace(&format!("{{{at}}}"), value);
        }
        words
    }
}

/// The explanations: first what stands above them, then one text a section, in the order of the notice. The headings are not in them.
pub fn explanations(language: Language) -> Vec<Vec<Block>> {
    let body = asset::load(Text::Explain, language).map(|(_, body)| body).unwrap_or_default();
    let mut sections: Vec<Vec<Block>> = vec![vec![]];
    for block in blocks(&body) {
        match block {
            Block::Heading(1, _) => {}
            Block::Heading(..) => sections.push(vec![]),
            other => sections.last_mut().into_iter().for_each(|section| section.push(other.clone())),
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rights::{Came, Field, Given, Identity, RequestKind};
    use crate::domain::role::LookWhy;

    const BOTH: [Language; 2] = [Language::Chinese, Language::English];

    #[test]
    fn p48_each_section_of_the_notice_has_an_explanation_of_its_own() {
        for language in BOTH {
            let heads = |text: Text| -> Vec<String> {
                let body = asset::load(text, language).map(|(_, body)| body).unwrap_or_default();
                let all = blocks(&body).into_iter();
                all.filter_map(|b| if let Block::Heading(2, words) = b { Some(plain_spans(&words)) } else { None })
                    .collect()
            };
            assert_eq!(heads(Text::Notice).len(), 17);
            assert_eq!(heads(Text::Notice), heads(Text::Explain));
            let texts = explanations(language);
            assert_eq!(texts.len(), 18);
            for (at, section) in texts.iter().enumerate() {
                let chars: usize = section
                    .iter()
                    .map(|b| if let Block::Paragraph(words) = b { plain_spans(words).chars().count() } else { 0 })
                    .sum();
                assert!((20..700).contains(&chars), "section {at}: {chars} characters");
            }
        }
    }

    #[test]
    fn p45a_every_code_that_can_be_printed_has_words_in_both_languages() {
        let record = include_str!("../evidence/record.rs");
        let rights = include_str!("../domain/rights.rs");
        // The words of the log's records stand in these two files as `=> ("word", …`.
        let logged = record.split("fn words(").nth(1).unwrap_or_default().split("#[cfg(test)]").next();
        let said = rights.split("pub fn words(").nth(1).unwrap_or_default().split("\n    }\n").next();
        let codes = |text: &str| -> Vec<String> {
            text.split("=> (\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
        };
        let mut all = codes(logged.unwrap_or_default());
        all.extend(codes(said.unwrap_or_default()));
        assert!(all.len() > 30, "the scan finds the words: {}", all.len());
        // Of the station, never of a person.
        let station = [
            "vault-created",
            "unlocked",
            "unlock-refused",
            "locked",
            "site-facts-recorded",
            "gate-paired",
            "gate-key-changed",
            "card-way-tested",
            "act-refused",
        ];
        all.retain(|code| !station.contains(&code.as_str()));
        let labels = |all: &mut Vec<String>, more: Vec<&'static str>| all.extend(more.into_iter().map(str::to_owned));
        labels(&mut all, RequestKind::ALL.iter().map(|k| k.label()).collect());
        labels(&mut all, Came::ALL.iter().map(|k| k.label()).collect());
        labels(&mut all, Identity::ALL.iter().map(|k| k.label()).collect());
        labels(&mut all, Field::ALL.iter().map(|k| k.label()).collect());
        labels(&mut all, Given::ALL.iter().map(|k| k.label()).collect());
        all.extend(LookWhy::ALL.map(|why| format!("look-{}", why.label())));
        all.extend(["look-card-tap".to_owned(), "look-duty".to_owned()]);
        for language in BOTH {
            let words = HeldWords::load(language);
            let lacking: Vec<&String> = all.iter().filter(|code| !words.has(code)).collect();
            assert!(lacking.is_empty(), "held-words.md ({}) lacks {lacking:?}", language.tag());
            assert_eq!(words.say("no-such-code"), "no-such-code");
            assert!(words.with("about-card", &["0042"]).contains("0042"));
        }
    }
}
