//! The register of entrusted parties, and what it comes to in the notice. Other recipients: none, and no way to add one.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill};

use super::super::S;
use super::Message;
use crate::app::notice::{EntrustedView, NoticeView, Paper};
use crate::domain::entrusted::Field;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// What is typed.
#[derive(Debug, Default)]
pub struct Form {
    /// The form is shown.
    pub open: bool,
    /// In the order of [`Field::ALL`].
    pub fields: [String; 6],
    /// First day.
    pub begins_on: String,
    /// Last day.
    pub ends_on: String,
}

/// A field in words.
pub fn field_name(texts: &Texts, field: Field) -> String {
    match field {
        Field::Name => tr!(texts, "entrusted-name"),
        Field::Contact => tr!(texts, "entrusted-contact"),
        Field::Task => tr!(texts, "entrusted-task"),
        Field::Kinds => tr!(texts, "entrusted-kinds"),
        Field::Measures => tr!(texts, "entrusted-measures"),
        Field::ContractNo => tr!(texts, "entrusted-contract"),
    }
}

fn field_id(field: Field) -> &'static str {
    match field {
        Field::Name => "entrusted-name",
        Field::Contact => "entrusted-contact",
        Field::Task => "entrusted-task",
        Field::Kinds => "entrusted-kinds",
        Field::Measures => "entrusted-measures",
        Field::ContractNo => "entrusted-contract",
    }
}

impl Form {
    pub(super) fn view<'a>(&'a self, texts: &Texts, view: &'a NoticeView, may_ask: bool) -> Element<'a, Message> {
        let toggle = if self.open { tr!(texts, "entrusted-close") } else { tr!(texts, "entrusted-open") };
        let weight = if self.open { Weight::Quiet } else { Weight::Primary };
        let head = row![
            S.heading(tr!(texts, "entrusted-title")),
            widget::gap(),
            widget::action(S, "entrusted-open", toggle, weight, Some(Message::EntrustedFormPressed)),
        ]
        .align_y(Center);
        let list = view.entrusted.iter().map(|entry| one(texts, entry));
        let register = column![S.soft(tr!(texts, "entrusted-hint"))]
            .push(view.entrusted.is_empty().then(|| S.text(tr!(texts, "entrusted-none"))))
            .extend(list)
            .push(S.hint(tr!(texts, "recipients-none")))
            .spacing(S.space * 1.25);
        column![head]
            .push(self.open.then(|| self.form(texts, may_ask)))
            .push(widget::panel(S, Tone::Plain, register))
            .spacing(S.space * 2.0)
            .into()
    }

    fn form<'a>(&'a self, texts: &Texts, may_ask: bool) -> Element<'a, Message> {
        let fields = Field::ALL.chunks(2).map(|pair| {
            let one =
                |field: &Field| {
                    let field = *field;
                    container(
                        widget::Field::new(field_id(field), field_name(texts, field), &self.fields[field as usize])
                            .view(S, move |text| Message::EntrustedTyped(field, text), Some(Message::EnterPressed)),
                    )
                    .width(Fill)
                    .into()
                };
            row(pair.iter().map(one)).spacing(S.space * 2.0).into()
        });
        let day = |id: &'static str, label: String, value: &'a str, typed: fn(String) -> Message| {
            container(widget::Field::new(id, label, value).placeholder(tr!(texts, "form-date-placeholder")).view(
                S,
                typed,
                Some(Message::EnterPressed),
            ))
            .width(Fill)
        };
        let enter = may_ask.then_some(Message::EnterPressed);
        let content = column![S.heading(tr!(texts, "entrusted-form-title"))]
            .extend(fields)
            .push(
                row![
                    day("entrusted-begins", tr!(texts, "entrusted-begins"), &self.begins_on, Message::BeginsTyped),
                    day("entrusted-ends", tr!(texts, "entrusted-ends"), &self.ends_on, Message::EndsTyped),
                ]
                .spacing(S.space * 2.0),
            )
            .push(row![
                widget::gap(),
                widget::action(S, "entrusted-enter", tr!(texts, "entrusted-enter"), Weight::Primary, enter),
            ])
            .spacing(S.space * 1.5);
        widget::panel(S, Tone::Plain, content).into()
    }
}

fn one<'a>(texts: &Texts, view: &'a EntrustedView) -> Element<'a, Message> {
    let entry = &view.entry;
    let (tone, said) = match view.in_force {
        true => (Tone::Well, tr!(texts, "entrusted-in-force", day = entry.ends_on.to_string())),
        false => (Tone::Plain, tr!(texts, "entrusted-over", day = entry.ends_on.to_string())),
    };
    let number = view.number;
    let end = view.in_force.then(|| {
        let id = format!("entrusted-end-{number}");
        widget::action(S, id, tr!(texts, "entrusted-end"), Weight::Plain, Some(Message::EndPressed(number)))
    });
    let task = format!("{} · {}", entry.get(Field::Task), entry.get(Field::Kinds));
    row![
        column![
            row![S.text(entry.get(Field::Name)), widget::pill(S, tone, said)].spacing(S.space).align_y(Center),
            S.hint(task),
        ]
        .spacing(S.space * 0.25)
        .width(Fill),
        widget::action(
            S,
            format!("entrusted-print-{number}"),
            tr!(texts, "entrusted-letter"),
            Weight::Plain,
            Some(Message::SavePressed(Paper::EntrustedEnd(number))),
        ),
    ]
    .push(end)
    .spacing(S.space)
    .align_y(Center)
    .into()
}
