//! The impact assessment: whether face entry may stand on it, the newest one, and the form for a new one with the four heads of Measures 9.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill};

use super::super::S;
use super::Message;
use crate::app::notice::{AssessmentTyped, NoticeView, Paper};
use crate::domain::assessment::{HEAD_CHARS_MIN, Head, Standing};
use crate::domain::site::REASON_CHARS_MIN;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssessmentField {
    /// Its number.
    Number,
    /// The day it was signed.
    SignedOn,
    /// Who signed.
    Signer,
    /// The last day without a new look.
    ReviewOn,
    /// One of the four heads.
    Head(Head),
    /// The necessity finding.
    Necessity,
}

impl AssessmentField {
    /// In the order of the form: short ones first, two in a row.
    pub const SHORT: [Self; 4] = [Self::Number, Self::Signer, Self::SignedOn, Self::ReviewOn];

    /// Id of its input.
    pub fn id(self) -> &'static str {
        match self {
            Self::Number => "pia-number",
            Self::SignedOn => "pia-signed-on",
            Self::Signer => "pia-signer",
            Self::ReviewOn => "pia-review-on",
            Self::Head(Head::Lawful) => "pia-lawful",
            Self::Head(Head::Effect) => "pia-effect",
            Self::Head(Head::Risk) => "pia-risk",
            Self::Head(Head::Safeguards) => "pia-safeguards",
            Self::Necessity => "pia-necessity",
        }
    }

    fn label(self, texts: &Texts) -> String {
        match self {
            Self::Number => tr!(texts, "pia-number"),
            Self::SignedOn => tr!(texts, "pia-signed-on"),
            Self::Signer => tr!(texts, "pia-signer"),
            Self::ReviewOn => tr!(texts, "pia-review-on"),
            Self::Head(head) => head_name(texts, head),
            Self::Necessity => tr!(texts, "pia-necessity"),
        }
    }
}

/// A head in words.
pub fn head_name(texts: &Texts, head: Head) -> String {
    match head {
        Head::Lawful => tr!(texts, "pia-lawful"),
        Head::Effect => tr!(texts, "pia-effect"),
        Head::Risk => tr!(texts, "pia-risk"),
        Head::Safeguards => tr!(texts, "pia-safeguards"),
    }
}

/// How the assessment stands, in words, and whether that is well.
pub fn standing(texts: &Texts, standing: Standing) -> (Tone, String) {
    match standing {
        Standing::None => (Tone::Told, tr!(texts, "pia-none")),
        Standing::Damaged => (Tone::Alarm, tr!(texts, "pia-damaged")),
        Standing::OtherScope => (Tone::Warn, tr!(texts, "pia-other-scope")),
        Standing::ReviewOverdue(day) => (Tone::Warn, tr!(texts, "pia-overdue", day = day.to_string())),
        Standing::Incident(day) => (Tone::Warn, tr!(texts, "pia-incident", day = day.to_string())),
        Standing::Holds(day) => (Tone::Well, tr!(texts, "pia-holds", day = day.to_string())),
    }
}

/// What is typed.
#[derive(Debug, Default)]
pub struct Form {
    /// The form is shown.
    pub open: bool,
    /// As typed.
    pub typed: AssessmentTyped,
}

impl Form {
    /// A field changed.
    pub fn set(&mut self, field: AssessmentField, text: String) {
        *self.place(field) = text;
    }

    fn place(&mut self, field: AssessmentField) -> &mut String {
        let typed = &mut self.typed;
        match field {
            AssessmentField::Number => &mut typed.number,
            AssessmentField::SignedOn => &mut typed.signed_on,
            AssessmentField::Signer => &mut typed.signer,
            AssessmentField::ReviewOn => &mut typed.review_on,
            AssessmentField::Head(head) => &mut typed.heads[head as usize],
            AssessmentField::Necessity => &mut typed.necessity,
        }
    }

    fn text(&self, field: AssessmentField) -> &str {
        let typed = &self.typed;
        match field {
            AssessmentField::Number => &typed.number,
            AssessmentField::SignedOn => &typed.signed_on,
            AssessmentField::Signer => &typed.signer,
            AssessmentField::ReviewOn => &typed.review_on,
            AssessmentField::Head(head) => &typed.heads[head as usize],
            AssessmentField::Necessity => &typed.necessity,
        }
    }

    /// Draws the page.
    pub(super) fn view<'a>(
        &'a self,
        texts: &Texts,
        view: &'a NoticeView,
        incident_on: &'a str,
        may_ask: bool,
    ) -> Element<'a, Message> {
        let (tone, said) = standing(texts, view.standing);
        let toggle = if self.open { tr!(texts, "pia-close") } else { tr!(texts, "pia-open") };
        let weight = if self.open { Weight::Quiet } else { Weight::Primary };
        let head = row![
            container(widget::telling(S, "pia-said", tone, said, Some(tr!(texts, "pia-rule")))).width(Fill),
            widget::action(S, "pia-open", toggle, weight, Some(Message::AssessmentFormPressed)),
        ]
        .spacing(S.space * 1.5)
        .align_y(Center);
        let body = if self.open { self.form(texts, view, may_ask) } else { newest(texts, view, incident_on) };
        column![head, body].spacing(S.space * 2.0).into()
    }

    fn form<'a>(&'a self, texts: &Texts, view: &'a NoticeView, may_ask: bool) -> Element<'a, Message> {
        let field = |which: AssessmentField, hint: Option<String>| -> Element<'a, Message> {
            let field = widget::Field::new(which.id(), which.label(texts), self.text(which));
            let field = match hint {
                Some(hint) => field.hint(hint),
                None => field,
            };
            container(field.view(S, move |text| Message::AssessmentTyped(which, text), Some(Message::RegisterPressed)))
                .width(Fill)
                .into()
        };
        let short = AssessmentField::SHORT.chunks(2).map(|pair| {
            let hint = |which: &AssessmentField| match which {
                AssessmentField::SignedOn => Some(tr!(texts, "form-date-placeholder")),
                AssessmentField::ReviewOn => Some(tr!(texts, "pia-review-hint")),
                _ => None,
            };
            row(pair.iter().map(|which| field(*which, hint(which)))).spacing(S.space * 2.0).into()
        });
        let count = |which: AssessmentField, least: usize| {
            let said = self.text(which).chars().filter(|c| !c.is_whitespace()).count();
            Some(tr!(texts, "chars-said", said = said, least = least))
        };
        let heads = Head::ALL.map(|head| {
            let which = AssessmentField::Head(head);
            field(which, count(which, HEAD_CHARS_MIN))
        });
        let necessity = field(AssessmentField::Necessity, count(AssessmentField::Necessity, REASON_CHARS_MIN));
        let register = may_ask.then_some(Message::RegisterPressed);
        let content = column![S.heading(tr!(texts, "pia-form-title")), S.soft(scope(texts, view))]
            .extend(short)
            .extend(heads)
            .push(necessity)
            .push(row![
                widget::gap(),
                widget::action(S, "pia-register", tr!(texts, "pia-register"), Weight::Primary, register),
            ])
            .spacing(S.space * 1.5);
        widget::panel(S, Tone::Plain, content).into()
    }
}

fn scope(texts: &Texts, view: &NoticeView) -> String {
    let short: String = view.scope.chars().take(16).collect();
    tr!(texts, "pia-scope", scope = short)
}

fn newest<'a>(texts: &Texts, view: &'a NoticeView, incident_on: &'a str) -> Element<'a, Message> {
    let registered = match &view.assessment {
        None => column![S.soft(tr!(texts, "pia-nothing"))],
        Some(made) => {
            let heads = Head::ALL.into_iter().zip(&made.heads).map(|(head, words)| {
                column![S.hint(head_name(texts, head)), S.text(words.as_str())].spacing(S.space * 0.25).into()
            });
            column![
                row![
                    container(S.heading(made.number.as_str())).width(Fill),
                    widget::action(
                        S,
                        "pia-print",
                        tr!(texts, "paper-save"),
                        Weight::Plain,
                        Some(Message::SavePressed(Paper::Assessment)),
                    ),
                ]
                .align_y(Center),
                S.soft(tr!(
                    texts,
                    "pia-facts",
                    signer = made.signer.as_str(),
                    on = made.signed_on.to_string(),
                    review = made.review_on.to_string()
                )),
            ]
            .extend(heads)
            .push(column![S.hint(tr!(texts, "pia-necessity")), S.text(made.necessity.as_str())])
            .push(S.hint(tr!(texts, "pia-kept")))
        }
    };
    let incident = column![
        S.heading(tr!(texts, "incident-title")),
        S.soft(tr!(texts, "incident-hint")),
        row![
            container(
                widget::Field::new("incident-on", tr!(texts, "incident-on"), incident_on)
                    .placeholder(tr!(texts, "form-date-placeholder"))
                    .view(S, Message::IncidentTyped, Some(Message::IncidentPressed))
            )
            .width(Fill),
            widget::action(
                S,
                "incident-enter",
                tr!(texts, "incident-enter"),
                Weight::Plain,
                (!incident_on.trim().is_empty()).then_some(Message::IncidentPressed),
            ),
        ]
        .spacing(S.space * 1.5)
        .align_y(iced::Bottom),
    ]
    .spacing(S.space);
    column![widget::panel(S, Tone::Plain, registered.spacing(S.space)), widget::panel(S, Tone::Plain, incident)]
        .spacing(S.space * 2.0)
        .into()
}
