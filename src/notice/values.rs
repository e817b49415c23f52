//! From what the site wrote and the desk knows to the values of the placeholders.

use crate::domain::gate::GateRecord;
use crate::domain::notice::Language;
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::CivilDate;
use crate::secret::EngineId;

use super::fill::{escape, one_line};
use super::{Text, Values, asset};

/// What the texts say of one person's case. Without it the public version is made, which names no date and no card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonCase {
    /// Last day of the face.
    pub face_ends_on: CivilDate,
    /// Last four digits of the card.
    pub card_last4: String,
    /// Last day of the card.
    pub card_valid_to: CivilDate,
    /// Shown names of the gates that the card opens.
    pub card_gates: Vec<String>,
}

/// The values of every text that does not depend on a signature or an erasure: facts, gates, method, dates.
///
/// `gates` are the ticked gates of the person, or all face gates for the public version. A gate field that is empty becomes
/// `{gate_list.<name>.<field>}`, which [`super::render`] reports as unfilled.
pub fn values_for(
    facts: &SiteFacts,
    gates: &[GateRecord],
    language: Language,
    engine: &EngineId,
    person: Option<&PersonCase>,
) -> Values {
    let mut values: Values =
        facts.pairs().map(|(fact, text)| (fact.key().to_owned(), say(fact, text, language))).collect();
    let mut put = |key: &str, value: String| {
        values.insert(key.to_owned(), value);
    };
    if let Ok((header, _)) = asset::load(Text::Notice, language) {
        put("notice_id", header.id);
        // The day on which the version in force at this site came into use; before there is one, that of the file.
        let since = CivilDate::parse(facts.get(Fact::NoticeDate)).or_else(|| CivilDate::parse(&header.date));
        put("notice_date", since.map(|d| date(d, language)).unwrap_or_default());
    }
    let (name, version) = engine.as_str().rsplit_once('/').unwrap_or((engine.as_str(), "1"));
    put("algo_name", name.to_owned());
    put("algo_version", version.to_owned());
    if !gates.is_empty() {
        put("gate_list", gate_table(gates, language));
    }
    put("gate_names", join(gates.iter().map(|g| g.name.as_str()), language));
    let public = |chinese: &str, english: &str| match language {
        Language::Chinese => chinese.to_owned(),
        Language::English => english.to_owned(),
    };
    match person {
        Some(case) => {
            put("face_end_date", date(case.face_ends_on, language));
            put("card_last4", case.card_last4.clone());
            put("card_valid_to", date(case.card_valid_to, language));
            put("card_gates", join(case.card_gates.iter().map(String::as_str), language));
        }
        None => {
            put("face_end_date", public("办理时为您写明的日期", "the date written for you when you enrol"));
            put("card_last4", public("以您手中的卡为准", "as on your card"));
            put("card_valid_to", public("以办卡登记为准", "as registered with your card"));
            put("card_gates", public("与人脸能开的门相同", "the same as a face opens"));
        }
    }
    values
}

/// A date as the text's language writes it.
pub(super) fn date(day: CivilDate, language: Language) -> String {
    match language {
        Language::Chinese => day.chinese(),
        Language::English => day.to_string(),
    }
}

/// A fact in the text's language: what the site wrote stays as written, our own defaults are said in English too.
fn say(fact: Fact, text: &str, language: Language) -> String {
    let ours = text == fact.default_text();
    let english = match fact {
        Fact::JointList | Fact::EntrustedList | Fact::RecipientList => "none",
        Fact::FaceEndRule => "the same as the end of the tenancy or of the registration, one year at most",
        Fact::IdentityEndRule => "deleted within thirty days after the card is given back or on moving out",
        _ => text,
    };
    if ours && language == Language::English { english.to_owned() } else { text.to_owned() }
}

pub(super) fn join<'a>(names: impl Iterator<Item = &'a str>, language: Language) -> String {
    let between = match language {
        Language::Chinese => "、",
        Language::English => ", ",
    };
    names.collect::<Vec<_>>().join(between)
}

fn gate_table(gates: &[GateRecord], language: Language) -> String {
    let head = match language {
        Language::Chinese => ["门禁机", "位置", "采集范围", "该门的其他进门方式", "为什么需要"],
        Language::English => ["gate", "place", "capture area", "other way in at that gate", "why needed"],
    };
    let mut table = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for gate in gates {
        let fields = [
            ("name", &gate.name),
            ("place", &gate.place),
            ("capture_area", &gate.capture_area),
            ("other_way", &gate.other_way),
            ("why_needed", &gate.why_needed),
        ];
        let label = one_line(&gate.name).replace(['{', '}'], "");
        for (field, text) in fields {
            let text = one_line(text);
            let unfilled = text.is_empty() || text.contains(['{', '}']);
            let cell = if unfilled { format!("{{gate_list.{label}.{field}}}") } else { escape(&text) };
            table.push_str("| ");
            table.push_str(&cell);
            table.push(' ');
        }
        table.push_str("|\n");
    }
    table
}
