//! The part of the paper of everything held that concerns other persons too, and a guardian's own sheet. Rules: P45a, P31a, P17b.

use super::sheet::Sheet;
use crate::domain::notice::Language;
use crate::notice::{self, HeldWords, Rendered, Text, Unfilled, Values};
use crate::vault::{Dossier, GuardianSheet};

/// Fills the tables of guardians, answers, forms, news of a changed notice, and how notices were read.
pub(super) fn fill(sheet: &mut Sheet<'_>, dossier: &Dossier) {
    reading(sheet, dossier);
    guardians(sheet, dossier);
    changes(sheet, dossier);
}

fn yes(sheet: &Sheet<'_>, is: bool) -> String {
    sheet.words.say(if is { "yes" } else { "no" })
}

fn reading(sheet: &mut Sheet<'_>, dossier: &Dossier) {
    let rows = dossier.notices.iter().filter_map(|shown| {
        let read = shown.read.as_ref()?;
        // To a tenth of a second: what was on the screen for less cannot be read.
        let seconds = read.sections_ms.iter().map(|ms| format!("{}.{}", ms / 1_000, ms % 1_000 / 100));
        let seconds = seconds.collect::<Vec<_>>().join(" / ");
        let letters = format!("{} %", read.letters_percent);
        Some(vec![
            shown.opened_at.clone(),
            seconds,
            letters,
            yes(sheet, read.high_contrast),
            yes(sheet, read.read_aloud),
        ])
    });
    let rows = rows.collect();
    sheet.table(&["read_opened_at", "read_seconds", "read_letters", "read_contrast", "read_aloud"], rows);
}

fn guardians(sheet: &mut Sheet<'_>, dossier: &Dossier) {
    let rows = dossier.guardians.iter().map(|g| {
        let name = g.masked_name.clone().unwrap_or_else(|| sheet.words.say("name-ended"));
        let checked = sheet.words.with("by", &[&g.checked_at, &g.checked_by]);
        let (role, proof) = (sheet.words.say(&g.role), sheet.words.say(&g.proof));
        vec![name, role, proof, checked, sheet.maybe(g.ended_at.as_ref()), g.id.clone()]
    });
    let rows = rows.collect();
    let columns =
        ["guardian_name", "guardian_role", "guardian_proof", "guardian_checked", "guardian_ended_at", "guardian_id"];
    sheet.table(&columns, rows);

    let rows = dossier.consents.iter().filter_map(|consent| {
        let party = consent.party.as_ref()?;
        let how = party.signed_how.as_ref().map(|how| sheet.words.say(&format!("{how}-by-other")));
        let how = how.unwrap_or_else(|| sheet.words.say("with-the-consent"));
        let (given_by, words) = (sheet.words.say(&party.given_by), notice::plain(&party.statement));
        Some(vec![consent.id.clone(), given_by, words, how, party.signed_at.clone(), party.guardian.clone()])
    });
    let rows = rows.collect();
    let columns =
        ["party_consent", "party_given_by", "party_statement", "party_signed_how", "party_signed_at", "party_guardian"];
    sheet.table(&columns, rows);

    let rows = dossier.answers.iter().map(|a| {
        let said = sheet.words.say(&format!("view-{}", a.answer));
        vec![said, a.heard_at.clone(), a.showing.clone(), a.guardian.clone(), a.id.clone()]
    });
    let rows = rows.collect();
    sheet.table(&["view_answer", "view_heard_at", "view_showing", "view_guardian", "view_id"], rows);

    let rows = dossier.forms.iter().map(|f| {
        let seen = match (&f.seen_at, &f.seen_by) {
            (Some(at), Some(by)) => sheet.words.with("by", &[at, by]),
            _ => sheet.words.say("none"),
        };
        let consent = sheet.maybe(f.consent.as_ref());
        vec![f.id.clone(), f.made_at.clone(), seen, consent, f.words_sha256.clone()]
    });
    let rows = rows.collect();
    sheet.table(&["form_id", "form_made_at", "form_seen", "form_consent", "form_sha256"], rows);
}

fn changes(sheet: &mut Sheet<'_>, dossier: &Dossier) {
    let rows = dossier.news.iter().map(|n| {
        let asks = sheet.words.say(if n.asks { "news-asks" } else { "news-tells" });
        let told = match (&n.told_at, &n.told_on) {
            (Some(at), Some(on)) => sheet.words.with("by", &[at, &sheet.words.say(&format!("told-{on}"))]),
            (at, _) => sheet.maybe(at.as_ref()),
        };
        let answered = match (&n.answered_at, &n.answer) {
            (Some(at), Some(answer)) => sheet.words.with("by", &[at, &sheet.words.say(&format!("answer-{answer}"))]),
            (at, _) => sheet.maybe(at.as_ref()),
        };
        vec![n.notice_version.clone(), asks, told, answered, n.consent.clone()]
    });
    let rows = rows.collect();
    sheet.table(&["news_version", "news_asks", "news_told", "news_answer", "news_consent"], rows);
    let rows = dossier.stopped_by_change.iter().map(|s| {
        let ended = sheet.maybe(s.ended_at.as_ref());
        vec![s.gate.clone(), s.notice_version.clone(), ended, s.consent.clone()]
    });
    let rows = rows.collect();
    sheet.table(&["stopped_gate", "stopped_version", "stopped_ended_at", "stopped_consent"], rows);
}

/// Renders a guardian's own sheet. `site` as for the other paper.
///
/// # Errors
/// [`Unfilled`]: facts of the site that the paper must name are missing.
pub(super) fn guardian_paper(held: &GuardianSheet, site: &Values, language: Language) -> Result<Rendered, Unfilled> {
    let words = HeldWords::load(language);
    let mut sheet = Sheet { values: site.clone(), words: &words };
    sheet.put("taken_at", &held.taken_at);
    sheet.put("name", &held.name);
    sheet.put("guarded_name", &held.guarded.0);
    sheet.put("guarded_band", words.say(&held.guarded.1));
    let rows = held.checks.iter().map(|(g, phone)| {
        let phone = if phone.is_empty() { words.say("none") } else { phone.clone() };
        let checked = words.with("by", &[&g.checked_at, &g.checked_by]);
        let ended = sheet.maybe(g.ended_at.as_ref());
        vec![words.say(&g.role), words.say(&g.proof), phone, checked, ended, g.id.clone()]
    });
    let rows = rows.collect();
    let columns = ["check_role", "check_proof", "check_phone", "check_at", "check_ended_at", "check_id"];
    sheet.table(&columns, rows);
    let rows = held.signed.iter().map(|s| {
        let how = match &s.typed_name {
            Some(name) => words.with("typed", &[name]),
            None => words.say(&format!("{}-by-other", s.how)),
        };
        let ended = sheet.maybe(s.ended_at.as_ref());
        let said = notice::plain(&s.statement);
        vec![words.say(&s.given_by), said, how, s.signed_at.clone(), ended, s.consent.clone()]
    });
    let rows = rows.collect();
    let columns = ["signed_given_by", "signed_words", "signed_how", "signed_at", "signed_ended_at", "signed_consent"];
    sheet.table(&columns, rows);
    sheet.log(&held.log);
    notice::render(Text::HeldGuardian, language, &sheet.values)
}
