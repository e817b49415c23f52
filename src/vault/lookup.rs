//! How typed units and names are made comparable, and how a search text is read. Pure.

use pinyin::ToPinyinMulti;

/// Surnames of two characters; a person who has one is found by it and by its first character.
const COMPOUND_SURNAMES: &[&str] = &[
    "欧阳", "歐陽", "司马", "司馬", "上官", "诸葛", "諸葛", "司徒", "东方", "東方", "独孤", "獨孤", "南宫", "南宮",
    "夏侯", "皇甫", "尉迟", "尉遲", "公孙", "公孫", "慕容", "令狐", "长孙", "長孫", "宇文", "轩辕", "軒轅", "端木",
    "百里", "呼延", "申屠", "公冶", "太史", "澹台", "宗政", "濮阳", "淳于", "单于", "公羊", "赫连", "闻人", "钟离",
    "鲜于", "拓跋", "仲孙", "司空", "西门", "万俟", "第五", "梁丘", "左丘", "东郭", "南门", "羊舌", "微生", "亓官",
    "颛孙", "漆雕", "乐正", "巫马", "公西", "壤驷", "夹谷", "谷梁", "宰父", "段干", "东里", "完颜", "纳兰", "叶赫",
    "爱新",
];

/// A unit as it is compared: full-width to ASCII, no spaces, upper case, one kind of dash.
pub(super) fn unit_form(text: &str) -> String {
    text.chars().map(narrow).filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect()
}

/// The forms of a name's surname that are stored: a person is found by each of them.
pub(super) fn surname_forms(name: &str) -> Vec<String> {
    let name: String = name.chars().map(narrow).collect();
    let mut forms = vec![];
    let trimmed = name.trim();
    if is_latin(trimmed) {
        let words: Vec<String> = trimmed.split_whitespace().map(str::to_lowercase).collect();
        // Western names put the surname last, but the desk may have typed it first.
        forms.extend(words.last().cloned());
        forms.extend(words.first().cloned());
    } else {
        let mut chars = trimmed.chars().filter(|c| !c.is_whitespace());
        let first: String = chars.next().into_iter().collect();
        let pair: String = first.chars().chain(chars.next()).collect();
        let mut sounds = sounds(&first);
        if COMPOUND_SURNAMES.contains(&pair.as_str()) {
            sounds.extend(self::sounds(&pair));
            forms.push(pair);
        }
        forms.push(first);
        forms.extend(sounds);
    }
    forms.retain(|form| !form.is_empty());
    let mut seen = vec![];
    forms.retain(|form| {
        !seen.contains(form) && {
            seen.push(form.clone());
            true
        }
    });
    forms
}

/// Version of the stored forms: a vault with an older one is brought up to date at its next unlock.
pub(super) const FORMS: u8 = 2;
/// Most sounds of one surname: some signs have several, and both signs of a compound one may.
const SOUNDS_MAX: usize = 8;

/// How a surname sounds, in plain letters: every reading, and `v` and `u` for `ü`, as people type it.
fn sounds(surname: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for sign in surname.chars() {
        let Some(readings) = sign.to_pinyin_multi() else { return vec![] };
        let mut plain: Vec<String> = vec![];
        for reading in readings {
            let plainly = reading.plain();
            let typed = if plainly.contains('ü') { vec!["v", "u"] } else { vec!["ü"] };
            for letter in typed {
                let word = plainly.replace('ü', letter);
                if !plain.contains(&word) {
                    plain.push(word);
                }
            }
        }
        all = all.iter().flat_map(|front| plain.iter().map(move |sound| format!("{front}{sound}"))).collect();
        all.truncate(SOUNDS_MAX);
    }
    all
}

/// The forms by which a typed surname or name is looked up: of Chinese signs the most telling one, of letters both ends, since the surname may
/// stand first or last.
pub(super) fn surnames_asked(text: &str) -> Vec<String> {
    let mut forms = surname_forms(text);
    if !forms.first().is_some_and(|form| is_latin(form)) {
        forms.truncate(1);
    }
    forms
}

/// One way to read a search text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The unit, normalised.
    pub(super) unit: String,
    /// The surname, if one was typed.
    pub(super) surname: Option<String>,
}

/// Longest search text that is looked at, in characters.
const QUERY_CHARS_MAX: usize = 250;

/// Every way to read a search text: all of it as a unit, or a surname and a unit in either order.
pub(super) fn readings(query: &str) -> Vec<Reading> {
    let text: String = query.chars().take(QUERY_CHARS_MAX).map(narrow).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut readings = vec![];
    let mut add = |unit: &[&str], name: &[&str]| {
        let unit = unit_form(&unit.concat());
        if unit.is_empty() {
            return;
        }
        let asked = surnames_asked(&name.join(" "));
        let surnames: Vec<Option<String>> =
            if name.is_empty() { vec![None] } else { asked.into_iter().map(Some).collect() };
        for surname in surnames {
            let reading = Reading { unit: unit.clone(), surname };
            if !readings.contains(&reading) {
                readings.push(reading);
            }
        }
    };
    add(&words, &[]);
    for at in 1..words.len() {
        let (front, back) = words.split_at(at);
        add(back, front);
        add(front, back);
    }
    readings
}

/// Whether a text can be a unit at all. Units have a digit; a text without one that matches nothing was a name.
pub(super) fn has_digit(query: &str) -> bool {
    query.chars().map(narrow).any(|c| c.is_ascii_digit() || "零〇一二三四五六七八九十百".contains(c))
}

fn is_latin(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_alphabetic() && u32::from(c) < 0x0250)
}

/// Full-width forms to ASCII, and every dash to one.
fn narrow(c: char) -> char {
    match u32::from(c) {
        0x3000 => ' ',
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(c),
        0x2010..=0x2015 | 0x2212 | 0xFE63 => '-',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_the_same_however_it_is_typed() {
        for typed in ["3-1201a", " 3-1201A ", "３－１２０１Ａ", "3 - 1201a", "3–1201a", "3\u{3000}-1201A"] {
            assert_eq!(unit_form(typed), "3-1201A", "{typed}");
        }
        assert_ne!(unit_form("3-1201"), unit_form("31-201"));
    }

    #[test]
    fn surnames_of_one_and_two_characters_and_latin_ones() {
        assert_eq!(surname_forms("李白"), ["李", "li"]);
        assert_eq!(surname_forms("欧阳修"), ["欧阳", "欧", "ou", "ouyang"]);
        assert_eq!(surname_forms("吕布"), ["吕", "lv", "lu"]);
        // A sign with several readings is found by each: which one a family uses only they know.
        for (name, sounds) in [("单雄", ["dan", "shan"]), ("曾巩", ["ceng", "zeng"]), ("解珍", ["jie", "xie"])] {
            assert!(sounds.iter().all(|sound| surname_forms(name).contains(&(*sound).to_owned())), "{name}");
        }
        assert_eq!(surname_forms("𠮷田"), ["𠮷"]);
        assert_eq!(surname_forms("Émile Zola"), ["zola", "émile"]);
        assert_eq!(surname_forms("Ｓｍｉｔｈ"), ["smith"]);
        assert_eq!(surname_forms("  "), Vec::<String>::new());
        assert_eq!(surnames_asked("欧阳"), ["欧阳"]);
        assert_eq!(surnames_asked("Wang Xiaoming"), ["xiaoming", "wang"]);
    }

    #[test]
    fn a_search_is_read_in_either_order() {
        let wanted = Reading { unit: "3-1201".into(), surname: Some("王".into()) };
        for query in ["王 3-1201", "3-1201 王", "王\u{3000}３－１２０１", "王小明 3-1201"] {
            assert!(readings(query).contains(&wanted), "{query}");
        }
        let wanted = Reading { unit: "3栋1201".into(), surname: Some("smith".into()) };
        assert!(readings("John Smith 3栋 1201").contains(&wanted));
        assert!(readings("3栋 1201").contains(&Reading { unit: "3栋1201".into(), surname: None }));
        assert_eq!(readings("   "), vec![]);
        let long = "a ".repeat(100_000);
        assert!(readings(&long).len() < 600);
    }
}
