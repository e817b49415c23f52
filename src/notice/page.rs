//! The decision pages, taken apart: what stands above the box, the one sentence beside it, the words on the buttons. Rules: P29, J04-2.

use crate::domain::notice::{Language, NoticeRef};

use super::parse::{plain_spans, spans};
use super::{Rendered, Text, Unfilled, Values, asset, fill, plain};

/// The consent page 2.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentPage {
    /// Title of the page.
    pub title: String,
    /// Lines above the box: explanation, nothing is agreed by them.
    pub preamble: Vec<String>,
    /// The one sentence beside the box.
    pub sentence: String,
    /// Words on *No*.
    pub no: String,
    /// Words on *Yes*.
    pub yes: String,
    /// The page as it is on screen, from the title to the buttons; the digest is taken over these bytes.
    pub markdown: String,
    /// Number, version, language and SHA-256 of `markdown`.
    pub reference: NoticeRef,
}

/// Words and buttons of a short page such as the withdrawal (2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The words, without what stands on buttons.
    pub lines: Vec<String>,
    /// The words on the buttons, in the order of the text.
    pub buttons: Vec<String>,
}

/// Fills the consent page. The time of signing is not on it yet, so it needs no value.
///
/// # Errors
/// [`Unfilled`] names every placeholder without a value.
pub fn consent_page(language: Language, values: &Values) -> Result<ConsentPage, Unfilled> {
    decision_page(Text::Consent, language, values)
}

/// Fills any page with one box and two buttons: the person's own consent, or a guardian's.
///
/// # Errors
/// [`Unfilled`] names every placeholder without a value; a text that is no such page is named too.
pub fn decision_page(text: Text, language: Language, values: &Values) -> Result<ConsentPage, Unfilled> {
    let (header, body) = asset::load(text, language)?;
    // The page is taken apart before it is filled: no value can become a box, a button or a second sentence.
    let shown: Vec<&str> = body.lines().take_while(|line| !line.contains("{consent_time}")).collect();
    let mut missing = vec![];
    let mut filled = |line: &str| match fill::fill(line, values, None) {
        Ok(text) => plain_spans(&spans(text.trim_end())),
        Err(Unfilled(names)) => {
            missing.extend(names);
            String::new()
        }
    };
    let (mut title, mut preamble, mut sentence, mut labels) = (String::new(), vec![], String::new(), vec![]);
    for line in shown.iter().filter(|line| !line.trim().is_empty()) {
        if let Some(words) = line.strip_prefix("# ") {
            title = filled(words);
        } else if let Some(words) = line.strip_prefix('☐') {
            sentence = filled(words.trim());
        } else if sentence.is_empty() && labels.is_empty() && buttons(line).is_empty() {
            preamble.push(filled(line));
        } else {
            labels.extend(buttons(line));
        }
    }
    if !missing.is_empty() {
        missing.dedup();
        let mut unique: Vec<String> = vec![];
        for name in missing {
            if !unique.contains(&name) {
                unique.push(name);
            }
        }
        return Err(Unfilled(unique));
    }
    let [no, yes] = <[String; 2]>::try_from(labels).map_err(|_| Unfilled(vec!["buttons of consent".into()]))?;
    let markdown = fill::fill(&shown.join("\n"), values, None)?;
    let header = header.in_force(Text::Consent, values);
    let Rendered { markdown, reference } = Rendered::new(&header, language, markdown);
    Ok(ConsentPage { title, preamble, sentence, no, yes, markdown, reference })
}

/// Takes a rendered short text apart into words and buttons.
pub fn page(markdown: &str) -> Page {
    let mut page = Page::default();
    for line in plain(markdown).lines() {
        let found = buttons(line);
        if found.is_empty() {
            page.lines.push(line.to_owned());
            continue;
        }
        page.buttons.extend(found);
        let close = if line.contains('〕') { '〕' } else { ']' };
        let after = line.rsplit(close).next().unwrap_or_default();
        let words = after.trim().trim_start_matches('（').trim_end_matches('）').trim();
        if !words.is_empty() {
            page.lines.push(words.to_owned());
        }
    }
    page
}

/// What stands in `〔 … 〕`, or in `[…]` in English, on one line that begins with a button.
fn buttons(line: &str) -> Vec<String> {
    let (open, close) = match line.trim_start().chars().next() {
        Some('〔') => ('〔', '〕'),
        Some('[') => ('[', ']'),
        _ => return vec![],
    };
    let inner = line.split(open).skip(1).filter_map(|rest| rest.split_once(close));
    inner.map(|(words, _)| words.trim().to_owned()).filter(|w| !w.is_empty()).collect()
}
