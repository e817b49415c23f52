//! From everything held about a person to the paper and the electronic copy. The words come from versioned files; here is only what goes
//! where. Rules: P45a, P45b.

use serde::Serialize;

use crate::domain::notice::Language;
use crate::notice::{self, HeldWords, ROWS_MAX, Rendered, Text, Unfilled, Values};
use crate::vault::{Dossier, Entry, NOT_IN_IT, NotInIt};

/// Most log entries on the paper; the older ones are in the electronic copy, and the paper says so.
pub const LOG_ROWS_MAX: usize = 1_000;

/// Renders everything held. `site` are the values of the site's facts ([`notice::values_for`]).
///
/// # Errors
/// [`Unfilled`]: facts of the site that the paper must name are missing.
pub fn paper(dossier: &Dossier, site: &Values, language: Language) -> Result<Rendered, Unfilled> {
    let words = HeldWords::load(language);
    let mut sheet = Sheet { values: site.clone(), words: &words };
    sheet.person(dossier);
    sheet.cards(dossier);
    sheet.notices(dossier);
    sheet.consents(dossier);
    super::sheet_parties::fill(&mut sheet, dossier);
    sheet.messages(dossier);
    sheet.changes(dossier);
    sheet.requests(dossier);
    sheet.log(&dossier.log);
    notice::render(Text::Held, language, &sheet.values)
}

/// The electronic copy: one JSON object, UTF-8.
///
/// # Errors
/// The text of a serialisation error, which finished strings and numbers do not cause.
pub fn electronic(dossier: &Dossier, statement: &str) -> Result<Vec<u8>, String> {
    #[derive(Serialize)]
    struct LeftOut {
        table: &'static str,
        column: &'static str,
        why: &'static str,
    }
    #[derive(Serialize)]
    struct Copy<'a> {
        format: &'static str,
        times: &'static str,
        statement: &'a str,
        held: &'a Dossier,
        left_out: Vec<LeftOut>,
    }
    let why = |reason: NotInIt| match reason {
        NotInIt::SearchMark => "keyed hash of a value that is in this copy; cannot be read back",
        NotInIt::Key => "secret that protects everything else",
        NotInIt::Mechanics => "order or time of sending; says nothing about the person",
        NotInIt::OtherPerson => "another person's: on that person's own sheet",
        NotInIt::Said => "said by where the row stands in this copy",
    };
    let left_out =
        NOT_IN_IT.iter().map(|(table, column, reason)| LeftOut { table, column, why: why(*reason) }).collect();
    let copy = Copy { format: "menka.person.v1", times: "China time, UTC+08:00", statement, held: dossier, left_out };
    serde_json::to_vec_pretty(&copy).map_err(|error| error.to_string())
}

pub(super) struct Sheet<'a> {
    pub(super) values: Values,
    pub(super) words: &'a HeldWords,
}

impl Sheet<'_> {
    pub(super) fn put(&mut self, key: &str, value: impl Into<String>) {
        let value = value.into();
        let value = if value.trim().is_empty() { self.words.say("none") } else { value.replace(['{', '}'], " ") };
        self.values.insert(key.to_owned(), value);
    }

    pub(super) fn maybe(&self, value: Option<&String>) -> String {
        value.filter(|v| !v.trim().is_empty()).cloned().unwrap_or_else(|| self.words.say("none"))
    }

    /// A table: its columns, and a row of values each. Without rows it says so; with too many it keeps the newest and says so.
    pub(super) fn table(&mut self, columns: &[&str], mut rows: Vec<Vec<String>>) {
        let all = rows.len();
        if all > ROWS_MAX {
            rows.drain(..all - (ROWS_MAX - 1));
            let cut = self.words.with("log-newest", &[&all.to_string(), &rows.len().to_string()]);
            rows.insert(0, std::iter::once(cut).chain(columns.iter().skip(1).map(|_| String::new())).collect());
        }
        if rows.is_empty() {
            columns.iter().for_each(|column| self.put(column, ""));
        }
        for (n, row) in rows.into_iter().enumerate() {
            for (column, value) in columns.iter().zip(row) {
                self.put(&format!("{column}.{}", n + 1), value);
            }
        }
    }

    fn list(&self, names: &[String]) -> String {
        names.join(" / ")
    }

    fn person(&mut self, dossier: &Dossier) {
        let person = &dossier.person;
        self.put("taken_at", &dossier.taken_at);
        self.put("name", &person.name);
        self.put("unit", &person.unit);
        self.put("age_band", self.words.say(&person.age_band));
        self.put("ward_since", self.maybe(person.ward_since.as_ref()));
        self.put("next_band_on", self.maybe(person.next_band_on.as_ref()));
        self.put("ends_on", &person.ends_on);
        self.put("recorded_at", &person.recorded_at);
        self.put("person_id", &person.id);
        self.put("key_made_at", &person.key_made_at);
        self.put("search_marks", person.search_marks.to_string());
        let standing = dossier.restrictions.iter().find(|r| r.lifted_at.is_none());
        self.put("restricted", standing.map_or_else(String::new, |r| self.words.with("yes-since", &[&r.since])));
        let death = dossier
            .death
            .as_ref()
            .map(|d| self.words.with("death-noted", &[&d.noted_at, &d.kin, &d.relation, &d.noted_by]));
        self.put("death", death.unwrap_or_default());
    }

    fn cards(&mut self, dossier: &Dossier) {
        let columns = ["card_number", "card_gates", "card_ends_on", "card_issued_at", "card_ended_at", "card_id"];
        let rows = dossier.cards.iter().map(|c| {
            let (gates, ended) = (self.list(&c.gates), self.maybe(c.ended_at.as_ref()));
            vec![c.number.clone(), gates, c.ends_on.clone(), c.issued_at.clone(), ended, c.id.clone()]
        });
        let rows = rows.collect();
        self.table(&columns, rows);
    }

    fn notices(&mut self, dossier: &Dossier) {
        let columns = ["notice", "notice_opened_at", "notice_reached_end_at", "notice_sha256", "notice_showing"];
        let rows = dossier.notices.iter().map(|n| {
            let which = format!("{} {} {}", n.notice_id, n.notice_version, self.words.say(&n.language));
            let end = self.maybe(n.reached_end_at.as_ref());
            vec![which, n.opened_at.clone(), end, n.text_sha256.clone(), n.id.clone()]
        });
        let rows = rows.collect();
        self.table(&columns, rows);
        let rows = dossier.refusals.iter().map(|r| {
            let lifted = self.maybe(r.lifted_at.as_ref());
            vec![r.number.to_string(), r.refused_at.clone(), lifted, r.showing.clone()]
        });
        let rows = rows.collect();
        self.table(&["refusal_number", "refused_at", "refusal_lifted_at", "refusal_showing"], rows);
    }

    fn consents(&mut self, dossier: &Dossier) {
        let (mut signed, mut proofs, mut held, mut captures) = (vec![], vec![], vec![], vec![]);
        for c in &dossier.consents {
            let how = match (&c.signed_name, c.signed_how.as_str()) {
                (Some(name), _) => self.words.with("typed", &[name]),
                (None, "drawn") if !c.signed_strokes.is_empty() => {
                    self.words.with("drawn", &[&c.signed_strokes.len().to_string()])
                }
                (None, "drawn") => self.words.say("drawn-by-other"),
                (None, _) => self.words.say("on-paper"),
            };
            let ended = match (&c.ended_at, &c.end_reason) {
                (Some(at), Some(why)) => self.words.with("by", &[at, &self.words.say(why)]),
                (at, _) => self.maybe(at.as_ref()),
            };
            let which = format!("{} {} {}", c.notice_id, c.notice_version, self.words.say(&c.language));
            let gates = self.list(&c.gates);
            signed.push(vec![c.sentence.clone(), how, c.signed_at.clone(), c.ends_on.clone(), ended, which, gates]);
            proofs.push(vec![
                c.id.clone(),
                if c.random_number.is_empty() { self.words.say("own-copy-only") } else { c.random_number.clone() },
                c.signed_record_sha256.clone(),
                c.text_sha256.clone(),
            ]);
            for h in &c.held {
                let state = if h.erased_at.is_some() { "gone" } else { "in-use" };
                let state = self.words.say(state);
                let (known, erased) = (self.maybe(h.recognised_at.as_ref()), self.maybe(h.erased_at.as_ref()));
                let (digest, receipt) = (h.digest.clone(), h.receipt_sha256.clone());
                held.push(vec![h.gate.clone(), state, h.since.clone(), known, erased, digest, receipt]);
            }
            for shot in &c.captures {
                let (over, lost) = (self.maybe(shot.over_at.as_ref()), self.maybe(shot.lost_at.as_ref()));
                captures.push(vec![shot.begun_at.clone(), over, lost, shot.number.to_string()]);
            }
        }
        let columns = [
            "consent_sentence",
            "consent_signed_how",
            "consent_signed_at",
            "consent_ends_on",
            "consent_ended",
            "consent_notice",
            "consent_gates",
        ];
        self.table(&columns, signed);
        self.table(&["consent_id", "consent_random", "consent_record_sha256", "consent_text_sha256"], proofs);
        let columns = [
            "held_gate",
            "held_state",
            "held_since",
            "held_recognised_at",
            "held_erased_at",
            "held_digest",
            "held_receipt",
        ];
        self.table(&columns, held);
        self.table(&["capture_begun_at", "capture_over_at", "capture_lost_at", "capture_number"], captures);
    }

    fn messages(&mut self, dossier: &Dossier) {
        let columns = [
            "message_kind",
            "message_gate",
            "message_about",
            "message_state",
            "message_queued_at",
            "message_settled_at",
            "message_attempts",
            "message_proof",
        ];
        let rows = dossier.messages.iter().map(|m| {
            let about = match (&m.consent, &m.card) {
                (Some(consent), _) => self.words.with("about-consent", &[consent]),
                (None, Some(card)) => self.words.with("about-card", &[card]),
                (None, None) => self.words.say("none"),
            };
            let state = match &m.reason {
                Some(reason) => self.words.with("by", &[&self.words.say(&m.state), reason]),
                None => self.words.say(&m.state),
            };
            let receipt = m.receipt_sha256.clone().unwrap_or_default();
            let proof = format!("{}: {} {receipt}", m.sequence, m.op);
            let (settled, tries) =
                (self.maybe(m.settled_at.as_ref()), self.words.with("pieces", &[&m.attempts.to_string()]));
            let kind = self.words.say(&m.kind);
            vec![kind, m.gate.clone(), about, state, m.queued_at.clone(), settled, tries, proof]
        });
        let rows = rows.collect();
        self.table(&columns, rows);
    }

    fn changes(&mut self, dossier: &Dossier) {
        let columns = ["change_field", "change_old", "change_new", "change_at", "change_confirmed_at"];
        let rows = dossier.changes.iter().map(|c| {
            let value = |text: &String| if c.field == "age-band" { self.words.say(text) } else { text.clone() };
            let at = self.words.with("by", &[&c.changed_at, &c.changed_by]);
            let confirmed = self.maybe(c.confirmed_at.as_ref());
            vec![self.words.say(&c.field), value(&c.old), value(&c.new), at, confirmed]
        });
        let rows = rows.collect();
        self.table(&columns, rows);
    }

    fn requests(&mut self, dossier: &Dossier) {
        let columns = [
            "request_kind",
            "request_words",
            "request_came",
            "request_received",
            "request_due_on",
            "request_decided",
            "request_done_at",
            "request_answer",
        ];
        let own = || self.words.say("self");
        let program = || self.words.say("program");
        let rows = dossier.requests.iter().map(|r| {
            let kind = format!("{} {}", r.number, self.words.say(&r.kind));
            let asked = [&r.words, &r.asker].into_iter().filter(|t| !t.is_empty()).cloned().collect::<Vec<_>>();
            let came = self.words.with("by", &[&self.words.say(&r.came), &self.words.say(&r.identity)]);
            let received = self.words.with("by", &[&r.received_at, &r.received_by.clone().unwrap_or_else(own)]);
            let decided = match (&r.outcome, &r.decided_at) {
                (Some(outcome), Some(at)) => {
                    let who = r.decided_by.clone().unwrap_or_else(program);
                    self.words.with("by", &[&format!("{} {at}", self.words.say(outcome)), &who])
                }
                _ => self.words.say("none"),
            };
            let letter = r.letter_sha256.as_ref().map(|code| format!(" SHA-256 {code}")).unwrap_or_default();
            let answer = r.answer.as_ref().map(|text| notice::plain(&self.words.say(text)) + &letter);
            let (done, answer) = (self.maybe(r.done_at.as_ref()), self.maybe(answer.as_ref()));
            vec![kind, asked.join("; "), came, received, r.due_on.clone(), decided, done, answer]
        });
        let rows = rows.collect();
        self.table(&columns, rows);
        let rows = dossier.restrictions.iter().map(|r| {
            let by = r.entered_by.clone().unwrap_or_else(|| self.words.say("self"));
            vec![r.since.clone(), by, self.maybe(r.lifted_at.as_ref())]
        });
        let rows = rows.collect();
        self.table(&["restriction_since", "restriction_by", "restriction_lifted_at"], rows);
    }

    pub(super) fn log(&mut self, log: &[Entry]) {
        let all = log.len();
        let shown = log.get(all.saturating_sub(LOG_ROWS_MAX)..).unwrap_or_default();
        let line = if shown.len() == all {
            self.words.with("log-all", &[&all.to_string()])
        } else {
            self.words.with("log-newest", &[&all.to_string(), &shown.len().to_string()])
        };
        self.put("log_line", line);
        let rows = shown.iter().map(|entry| {
            let who = self.words.say(&entry.who);
            // Why a record was opened has words of its own: they stand beside other uses of the same code.
            let look = entry.why.as_ref().map(|why| format!("look-{why}")).filter(|code| self.words.has(code));
            let code = look.filter(|_| entry.what == "resident-opened").or_else(|| entry.why.clone());
            let why = code.map(|code| self.words.say(&code)).unwrap_or_default();
            let digest = entry.digest.as_ref().map(|d| format!(" SHA-256 {d}")).unwrap_or_default();
            let at = entry.at.clone();
            vec![at, who, self.words.say(&entry.what), format!("{why}{digest}"), entry.n.to_string()]
        });
        let rows = rows.collect();
        self.table(&["log_at", "log_who", "log_what", "log_why", "log_n"], rows);
    }
}
