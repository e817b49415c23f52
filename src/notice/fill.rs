//! Putting values into a text. A value is words: it can never become structure.

use super::parse::{blocks, is_separator};
use super::schema::{CHARS_MAX, placeholder};
use super::{Block, Unfilled, Values};

/// The one value that is structure: a table made by [`super::values_for`], checked again here.
const TABLE_KEY: &str = "gate_list";

/// A piece of a template line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Words(&'a str),
    Hole(&'a str),
}

/// The names of the placeholders in a template, in order, each once.
pub fn placeholders(template: &str) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for piece in template.lines().flat_map(pieces) {
        if let Piece::Hole(name) = piece
            && !names.iter().any(|n| n == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// Fills `template`. `keep` stays in braces (the digest of the text itself). The result ends with one LF.
pub(super) fn fill(template: &str, values: &Values, keep: Option<&str>) -> Result<String, Unfilled> {
    let mut filler = Filler { values, keep, missing: vec![] };
    let mut out = String::new();
    for line in template.lines() {
        for filled in filler.line(line) {
            out.push_str(filled.trim_end());
            out.push('\n');
        }
    }
    if !filler.missing.is_empty() {
        return Err(Unfilled(filler.missing));
    }
    let mut text = String::with_capacity(out.len());
    // A dropped optional line must not leave two blank lines behind.
    for line in out.trim_matches('\n').split('\n') {
        if !(line.is_empty() && text.ends_with("\n\n")) {
            text.push_str(line);
            text.push('\n');
        }
    }
    Ok(text)
}

struct Filler<'a> {
    values: &'a Values,
    keep: Option<&'a str>,
    missing: Vec<String>,
}

impl Filler<'_> {
    fn line(&mut self, line: &str) -> Vec<String> {
        let parts = pieces(line);
        if let [Piece::Hole(name)] = parts[..] {
            if name == TABLE_KEY {
                return self.table();
            }
            if is_optional(name) && self.plain_value(name).is_empty() {
                return vec![];
            }
        }
        let repeated = self.rows_of(&parts);
        if line.starts_with('|') && repeated > 0 {
            return (1..=repeated).map(|row| self.join(&parts, Some(row))).collect();
        }
        vec![self.join(&parts, None)]
    }

    /// How many times a table row is repeated: as often as its first placeholder is numbered.
    fn rows_of(&self, parts: &[Piece<'_>]) -> usize {
        let first = parts.iter().find_map(|p| if let Piece::Hole(name) = p { Some(*name) } else { None });
        let Some(first) = first else { return 0 };
        (1..=ROWS_MAX).take_while(|row| self.values.contains_key(&format!("{first}.{row}"))).count()
    }

    fn join(&mut self, parts: &[Piece<'_>], row: Option<usize>) -> String {
        let mut out = String::new();
        for (at, piece) in parts.iter().enumerate() {
            match piece {
                Piece::Words(words) => out.push_str(words),
                Piece::Hole(name) if self.keep == Some(*name) => {
                    out.push('{');
                    out.push_str(name);
                    out.push('}');
                }
                Piece::Hole(name) => {
                    let numbered = row.map(|row| format!("{name}.{row}")).filter(|n| self.values.contains_key(n));
                    let mut value = self.words(numbered.as_deref().unwrap_or(name));
                    // A sentence as a value brings its own full stop; the text has one already.
                    if let Some(Piece::Words(next)) = parts.get(at + 1)
                        && let Some('。' | '.' | '；' | ';') = next.chars().next()
                        && value.ends_with(['。', '.'])
                    {
                        value.pop();
                    }
                    out.push_str(&value);
                }
            }
        }
        out
    }

    /// A value as escaped words; notes it as missing when it is empty, too long, or holds braces.
    fn words(&mut self, name: &str) -> String {
        let value = self.plain_value(name);
        let too_long = value.chars().count() > chars_max(name);
        let fault = value.contains(['{', '}']) || too_long || (value.is_empty() && !is_optional(name));
        if fault {
            self.miss(name);
        }
        escape(&value)
    }

    fn plain_value(&self, name: &str) -> String {
        self.values.get(name).map(|v| one_line(v)).unwrap_or_default()
    }

    /// The table of gates, on lines of its own.
    fn table(&mut self) -> Vec<String> {
        let raw = self.values.get(TABLE_KEY).map(String::as_str).unwrap_or_default();
        if raw.trim().is_empty() {
            self.miss(TABLE_KEY);
            return vec![];
        }
        if raw.contains(['{', '}']) {
            let holes: Vec<&str> = raw.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
            for hole in &holes {
                self.miss(hole);
            }
            if holes.is_empty() {
                self.miss(TABLE_KEY);
            }
            return vec![];
        }
        let is_table = matches!(blocks(raw)[..], [Block::Table(..)]) && raw.lines().nth(1).is_some_and(is_separator);
        if is_table { raw.lines().map(str::to_owned).collect() } else { vec![escape(&one_line(raw))] }
    }

    fn miss(&mut self, name: &str) {
        if !self.missing.iter().any(|m| m == name) {
            self.missing.push(name.to_owned());
        }
    }
}

/// Most rows that a numbered table row is repeated.
pub const ROWS_MAX: usize = 2_000;

fn is_optional(name: &str) -> bool {
    placeholder(name).is_some_and(|known| known.optional)
}

/// Longest value of a placeholder, in characters; a numbered one counts as its column.
fn chars_max(name: &str) -> usize {
    let column = name.split('.').next().unwrap_or(name);
    placeholder(column).map_or(CHARS_MAX, |known| known.chars_max)
}

/// Splits a line at `{name}`; a brace that is no placeholder stays words.
fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut out = vec![];
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}').filter(|(name, _)| is_name(name)) else {
            // No placeholder begins here: the whole remainder is words, since a template has no lone braces.
            break;
        };
        if !before.is_empty() {
            out.push(Piece::Words(before));
        }
        out.push(Piece::Hole(name));
        rest = tail;
    }
    if !rest.is_empty() {
        out.push(Piece::Words(rest));
    }
    out
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// One line without control characters; marks that turn the reading direction are taken out.
pub(super) fn one_line(value: &str) -> String {
    let turned = |c: &char| !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let flat: String = value
        .chars()
        .filter(turned)
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect();
    flat.trim().to_owned()
}

/// Writes the characters that the small Markdown gives a meaning to, so that they have none.
pub(super) fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | '*' | '|' | '#' | '>' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
