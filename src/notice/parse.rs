//! Reading the small Markdown back: headings, bold, the summary box, tables, lines. Total: any text gives blocks, none panics.

use super::{Block, Span};

/// Splits a rendered text into blocks. Every line is a block of its own, but for tables and the summary box.
pub fn blocks(markdown: &str) -> Vec<Block> {
    let mut out = vec![];
    let mut summary: Vec<Vec<Span>> = vec![];
    let mut table: Vec<&str> = vec![];
    for line in markdown.lines().map(str::trim_end).chain([""]) {
        let quoted = line.strip_prefix('>');
        if quoted.is_none() && !summary.is_empty() {
            out.push(Block::Summary(std::mem::take(&mut summary)));
        }
        if !line.starts_with('|') && !table.is_empty() {
            out.push(read_table(&std::mem::take(&mut table)));
        }
        if let Some(words) = quoted {
            let words = words.trim();
            if !words.is_empty() {
                summary.push(spans(words));
            }
        } else if line.starts_with('|') {
            table.push(line);
        } else if let Some((level, words)) = heading(line) {
            out.push(Block::Heading(level, spans(words)));
        } else if !line.trim().is_empty() {
            out.push(Block::Paragraph(spans(line.trim())));
        }
    }
    out
}

/// The words without structure, one block a line; cells of a table are set apart by two spaces.
pub fn plain(markdown: &str) -> String {
    let mut lines = vec![];
    for block in blocks(markdown) {
        match block {
            Block::Heading(_, words) | Block::Paragraph(words) => lines.push(plain_spans(&words)),
            Block::Summary(paragraphs) => lines.extend(paragraphs.iter().map(|p| plain_spans(p))),
            Block::Table(head, rows) => {
                for row in std::iter::once(&head).chain(&rows) {
                    lines.push(row.iter().map(|cell| plain_spans(cell)).collect::<Vec<_>>().join("  "));
                }
            }
        }
    }
    lines.join("\n")
}

/// The words of some spans.
pub fn plain_spans(spans: &[Span]) -> String {
    spans.iter().map(|s| s.text.as_str()).collect()
}

fn heading(line: &str) -> Option<(u8, &str)> {
    [(1, "# "), (2, "## "), (3, "### ")]
        .into_iter()
        .find_map(|(level, mark)| line.strip_prefix(mark).map(|words| (level, words.trim())))
}

/// Whether a table line is the rule under the header.
pub(super) fn is_separator(line: &str) -> bool {
    line.starts_with('|') && line.contains('-') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
}

fn read_table(lines: &[&str]) -> Block {
    let mut rows =
        lines.iter().enumerate().filter(|(at, line)| !(*at == 1 && is_separator(line))).map(|(_, l)| cells(l));
    let head = rows.next().unwrap_or_default();
    // A row is as wide as the header: a window lays out columns by it.
    let rows = rows.map(|mut row| {
        row.resize(head.len(), vec![]);
        row
    });
    let rows = rows.collect();
    Block::Table(head, rows)
}

fn cells(line: &str) -> Vec<Vec<Span>> {
    let inner = line.strip_prefix('|').unwrap_or(line);
    let mut out = vec![];
    let mut cell = String::new();
    let mut escaped = false;
    for c in inner.chars() {
        if c == '|' && !escaped {
            out.push(spans(cell.trim()));
            cell.clear();
            continue;
        }
        escaped = c == '\\' && !escaped;
        cell.push(c);
    }
    if !cell.trim().is_empty() {
        out.push(spans(cell.trim()));
    }
    out
}

/// Runs of one weight. `\` takes the meaning off the next punctuation mark.
pub(super) fn spans(text: &str) -> Vec<Span> {
    let mut out: Vec<Span> = vec![];
    let mut run = String::new();
    let mut bold = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek().is_some_and(char::is_ascii_punctuation) => run.extend(chars.next()),
            '*' if chars.peek() == Some(&'*') => {
                chars.next();
                if !run.is_empty() {
                    out.push(Span { text: std::mem::take(&mut run), bold });
                }
                bold = !bold;
            }
            other => run.push(other),
        }
    }
    if !run.is_empty() {
        out.push(Span { text: run, bold });
    }
    out
}
