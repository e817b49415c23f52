//! A text by its sections: what is timed, read aloud and brought on screen as one.

use super::{Block, plain_spans};

/// Splits blocks before every heading of the second level; what stands before the first one is a section of its own.
pub fn sections(blocks: &[Block]) -> Vec<&[Block]> {
    let mut out = vec![];
    let mut from = 0;
    for (at, block) in blocks.iter().enumerate() {
        if matches!(block, Block::Heading(2, _)) && at > from {
            out.extend(blocks.get(from..at));
            from = at;
        }
    }
    out.extend(blocks.get(from..).filter(|rest| !rest.is_empty()));
    out
}

/// The words of some blocks as they are read aloud: one sentence a line, each cell of a table with what stands above it. Check codes are left
/// out: nobody follows 64 digits.
pub fn spoken(blocks: &[Block]) -> String {
    let mut lines = vec![];
    for block in blocks {
        match block {
            Block::Heading(_, words) | Block::Paragraph(words) => lines.push(plain_spans(words)),
            Block::Summary(paragraphs) => lines.extend(paragraphs.iter().map(|p| plain_spans(p))),
            Block::Table(head, rows) => {
                for row in rows {
                    let cells = head.iter().zip(row).map(|(label, cell)| (plain_spans(label), plain_spans(cell)));
                    lines.extend(
                        cells.filter(|(_, cell)| !cell.trim().is_empty()).map(|(label, cell)| {
                            if label.trim().is_empty() { cell } else { format!("{label}: {cell}") }
                        }),
                    );
                }
            }
        }
    }
    lines.iter().map(|line| without_codes(line)).filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

/// Longest run of hex digits that is read out.
const CODE_MIN: usize = 32;

fn without_codes(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        if run.len() < CODE_MIN {
            out.push_str(run);
        }
        run.clear();
    };
    for c in line.chars() {
        if c.is_ascii_hexdigit() {
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            out.push(c);
        }
    }
    flush(&mut run, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::super::blocks;
    use super::*;

    #[test]
    fn f05c_every_word_of_a_text_is_in_exactly_one_section() {
        let text =
            "# 题\n\n先看\n\n> 一\n> 二\n\n## 一、甲\n\n甲文\n\n## 二、乙\n\n| 门 | 地 |\n|---|---|\n| 东门 | 一栋 |\n";
        let all = blocks(text);
        let parts = sections(&all);
        assert_eq!(parts.len(), 3);
        assert_eq!(parts.concat(), all);
        assert_eq!(spoken(parts[0]), "题\n先看\n一\n二");
        assert_eq!(spoken(parts[2]), "二、乙\n门: 东门\n地: 一栋");
        assert!(sections(&[]).is_empty());
    }

    #[test]
    fn a_check_code_is_not_read_out_and_a_phone_number_is() {
        let code = "ab12".repeat(16);
        assert_eq!(without_codes(&format!("校验码：{code}。电话 010-12345678")), "校验码：。电话 010-12345678");
    }
}
