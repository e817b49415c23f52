//! Where the notice stands, part by part, and the words of a change sheet.

use crate::domain::change::{Change, Part, Stand};
use crate::domain::gate::GateRecord;
use crate::domain::notice::Language;
use crate::domain::site::{Fact, Need, SiteFacts};
use crate::secret::EngineId;

use super::fill::placeholders;
use super::{Text, Unfilled, Values, asset};

/// The sections of the governing text that are material parts: purpose, kinds, method, recipients.
const MATERIAL: [(u8, Part); 4] = [(3, Part::Kinds), (4, Part::Purpose), (5, Part::Method), (10, Part::Recipients)];

/// Takes apart what the notice says with these facts, gates and this template method. Gates without faces are no part of it.
///
/// # Errors
/// [`Unfilled`] when a built-in text cannot be read.
pub fn stand(facts: &SiteFacts, gates: &[GateRecord], engine: &EngineId) -> Result<Stand, Unfilled> {
    let (_, body) = asset::load(Text::Notice, Language::Chinese)?;
    let mut stand = Stand::default();
    for (number, words) in sections(&body) {
        match MATERIAL.iter().find(|(n, _)| *n == number) {
            Some((_, part)) => stand.set(*part, words),
            None => stand.set(Part::Section(number), words),
        }
    }
    let add = |stand: &mut Stand, part: Part, line: String| {
        let words = stand.get(part).map(|before| format!("{before}\n{line}")).unwrap_or(line);
        stand.set(part, words);
    };
    add(&mut stand, Part::Method, engine.as_str().to_owned());
    for fact in [Fact::JointList, Fact::RecipientList] {
        add(&mut stand, Part::Recipients, facts.get(fact).to_owned());
    }
    stand.set(Part::Place, facts.get(Fact::SiteAddress));
    for gate in gates.iter().filter(|gate| gate.takes_faces) {
        stand.set(Part::Gate(gate.id), format!("{}；{}", gate.place, gate.capture_area));
        stand.set(Part::GateWords(gate.id), format!("{}；{}；{}", gate.name, gate.other_way, gate.why_needed));
    }
    for (fact, words) in facts.pairs() {
        let elsewhere = matches!(
            fact,
            Fact::JointList | Fact::RecipientList | Fact::SiteAddress | Fact::NoticeVersion | Fact::NoticeDate
        );
        if !elsewhere && fact.need() != Need::Children {
            stand.set(Part::Fact(fact), words);
        }
    }
    stand.set(Part::English, asset::load(Text::Notice, Language::English)?.1);
    Ok(stand)
}

/// The sections of a notice by number, each with its heading; what stands before the first is number 0.
fn sections(body: &str) -> Vec<(u8, String)> {
    let mut out: Vec<(u8, String)> = vec![(0, String::new())];
    for line in body.lines() {
        if line.starts_with("## ") {
            let number = u8::try_from(out.len()).unwrap_or(u8::MAX);
            out.push((number, String::new()));
        }
        if let Some((_, words)) = out.last_mut()
            && !line.trim().is_empty()
        {
            words.push_str(line);
            words.push('\n');
        }
    }
    out
}

/// The headings of the notice's sections, the summary first. Empty when the text cannot be read.
pub fn section_names(language: Language) -> Vec<String> {
    let summary = match language {
        Language::Chinese => "先看这一页",
        Language::English => "Read this first",
    };
    let Ok((_, body)) = asset::load(Text::Notice, language) else { return vec![] };
    let heads = body.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_owned);
    std::iter::once(summary.to_owned()).chain(heads).collect()
}

/// The section in which a placeholder stands.
fn section_of(key: &str, language: Language) -> Option<String> {
    let (_, body) = asset::load(Text::Notice, language).ok()?;
    let holds = |(_, words): &&(u8, String)| placeholders(words).iter().any(|name| name == key);
    let found = sections(&body);
    // The summary repeats what a section says.
    let (number, _) = found.iter().skip(1).find(holds).or_else(|| found.first().filter(holds))?;
    section_names(language).into_iter().nth(usize::from(*number))
}

/// Adds the rows of a change sheet: `part.1`, `old_text.1`, `new_text.1` and so on, and `change_text`, the names of the parts.
///
/// `gates` gives gates their shown names. Rules: P14b, P17c.
pub fn change_values(values: &mut Values, change: &Change, gates: &[GateRecord], language: Language) {
    let mut names = vec![];
    let nothing = match language {
        Language::Chinese => "（无）",
        Language::English => "(none)",
    };
    let written = change.parts.iter().filter(|changed| {
        // Each reader gets the wording in the language of the sheet; the governing text goes into the Chinese one.
        match language {
            Language::Chinese => changed.part != Part::English,
            Language::English => !matches!(changed.part, Part::Section(_)),
        }
    });
    for (row, changed) in written.enumerate() {
        let name = part_name(changed.part, gates, language);
        let (old, new) = differing(changed.old.as_deref().unwrap_or(""), changed.new.as_deref().unwrap_or(""));
        let or_nothing = |text: String| if text.is_empty() { nothing.to_owned() } else { text };
        values.insert(format!("part.{}", row + 1), name.clone());
        values.insert(format!("old_text.{}", row + 1), or_nothing(old));
        values.insert(format!("new_text.{}", row + 1), or_nothing(new));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        // Only the other language's wording changed.
        names.push(part_name(Part::English, gates, language));
        values.insert("part.1".into(), names[0].clone());
        values.insert("old_text.1".into(), nothing.to_owned());
        values.insert("new_text.1".into(), nothing.to_owned());
    }
    values.insert("change_text".into(), super::values::join(names.iter().map(String::as_str), language));
}

/// Of two texts, the lines that only one of them has; braces become brackets, since a placeholder in an old text is words here.
fn differing(old: &str, new: &str) -> (String, String) {
    let only = |of: &str, other: &str| {
        let lines: Vec<&str> = of.lines().filter(|line| !other.lines().any(|l| l == *line)).collect();
        lines.join(" ").replace('{', "〔").replace('}', "〕").replace("**", "")
    };
    (only(old, new), only(new, old))
}

fn part_name(part: Part, gates: &[GateRecord], language: Language) -> String {
    let say = |chinese: &str, english: &str| match language {
        Language::Chinese => chinese.to_owned(),
        Language::English => english.to_owned(),
    };
    let named = |id| {
        let known = gates.iter().find(|gate| gate.id == id);
        known.map_or_else(|| say("一台门禁机", "a gate"), |gate| gate.name.clone())
    };
    match part {
        Part::Purpose => say("使用目的", "purpose"),
        Part::Kinds => say("信息种类和存放地点", "kinds of information, place of storage"),
        Part::Method => say("处理方式", "method"),
        Part::Place => say("存放地点", "place of storage"),
        Part::Recipients => say("共同处理者和接收方", "joint processors and recipients"),
        Part::Gate(id) => say(&format!("门禁：{}", named(id)), &format!("gate: {}", named(id))),
        Part::GateWords(id) => say(&format!("门禁说明：{}", named(id)), &format!("words on the gate: {}", named(id))),
        Part::Fact(fact) => {
            section_of(fact.key(), language).unwrap_or_else(|| say("其他进门方式说明", "other ways in"))
        }
        Part::Section(number) => section_names(language)
            .into_iter()
            .nth(usize::from(number))
            .unwrap_or_else(|| say("告知书的文字", "wording of the notice")),
        Part::English => say("英文译文", "English text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p17c_only_lines_that_differ_are_on_the_sheet() {
        let (old, new) = differing("甲\n乙 {x}\n丙", "甲\n**丁**\n丙");
        assert_eq!((old.as_str(), new.as_str()), ("乙 〔x〕", "丁"));
    }

    #[test]
    fn p14b_the_material_sections_are_the_ones_that_they_are_taken_for() {
        let names = section_names(Language::Chinese);
        assert_eq!(names.len(), 18);
        for (number, words) in [(3, "收集什么"), (4, "用来做什么"), (5, "怎么处理"), (10, "接收方")] {
            assert!(names[number].contains(words), "{}", names[number]);
            assert!(MATERIAL.iter().any(|(n, _)| usize::from(*n) == number));
        }
    }

    #[test]
    fn a_fact_is_named_by_the_section_it_stands_in() {
        assert!(part_name(Part::Fact(Fact::ContactEmail), &[], Language::Chinese).contains("我们是谁"));
        assert_eq!(part_name(Part::Fact(Fact::CardFee), &[], Language::English), "other ways in");
    }
}
