//! How the page of requests looks.

use iced::widget::{Column, Row, column, container, row, text};
use iced::{Center, Element, Fill, Length};

use super::S;
use super::rights::{ANSWER, KIN, Message, Mode, PART, Pick, Rights, Said, WORDS};
use crate::app::rights::RequestView;
use crate::domain::rights::{Came, Identity, RequestKind, RequestLine};
use crate::i18n::Texts;
use crate::notice::{Block, Span, plain_spans};
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget::{self, Side};
use crate::ui::words_rights as words;

/// Draws the page.
pub(super) fn view<'a>(page: &'a Rights, texts: &Texts) -> Element<'a, Message> {
    let body = match page.mode {
        Mode::List => list(page, texts),
        Mode::Receive => receive(page, texts),
        Mode::Request => page.open.as_ref().map_or_else(|| list(page, texts), |open| request(page, texts, open)),
        Mode::Refuse => refuse(page, texts),
        Mode::All => all(page, texts),
        Mode::RefuseFace => refuse_face(page, texts),
        Mode::Died => died(page, texts),
    };
    let said = page.said.as_ref().map(|said| {
        let words = match said {
            Said::Received(no) => tr!(texts, "rights-received", number = no.to_string()),
            Said::Saved(name) => tr!(texts, "rights-saved", name = name.as_str()),
            Said::Noted => tr!(texts, "rights-noted"),
        };
        widget::telling(S, "rights-said", Tone::Well, words, None)
    });
    let content = column![widget::at_times(said, S.space * 1.5), body];
    widget::scroll("rights-scroll", content).height(Fill).into()
}

fn list<'a>(page: &'a Rights, texts: &Texts) -> Element<'a, Message> {
    let head = row![
        container(S.title(tr!(texts, "rights-title"))).width(Fill),
        action("rights-explanations", tr!(texts, "rights-explanations"), Message::SavePressed(Pick::Explanations)),
        action("rights-receive", tr!(texts, "rights-receive"), Message::ReceivePressed),
        action("rights-back", tr!(texts, "back"), Message::BackPressed),
    ]
    .spacing(S.space * 1.5)
    .align_y(Center);
    column![head, person(page, texts), register(page, texts)].spacing(S.space * 2.0).into()
}

/// What can be done at once for the person whose record is open.
fn person<'a>(page: &'a Rights, texts: &Texts) -> Element<'a, Message> {
    let Some(person) = &page.person else {
        return widget::telling(
            S,
            "rights-nobody",
            Tone::Told,
            tr!(texts, "rights-nobody"),
            Some(tr!(texts, "rights-nobody-todo")),
        );
    };
    // The bold letters lack rare characters, so a name is never set in them.
    let name = row![text(&person.name).size(S.section), S.soft(person.unit.as_str())];
    let acts = row![
        action("rights-see", tr!(texts, "rights-see"), Message::SeeAllPressed),
        action("rights-paper", tr!(texts, "rights-paper"), Message::SavePressed(Pick::Paper)),
        action("rights-copy", tr!(texts, "rights-copy"), Message::SavePressed(Pick::Copy)),
        action("rights-guardian", tr!(texts, "rights-guardian"), Message::SavePressed(Pick::Guardian)),
        action("rights-explained", tr!(texts, "rights-explained"), Message::ExplainedPressed),
        action("rights-refuse-face", tr!(texts, "rights-refuse-face"), Message::RefuseFacePressed),
        action("rights-died", tr!(texts, "rights-died"), Message::DiedPressed),
    ]
    .spacing(S.space)
    .wrap()
    .vertical_spacing(S.space);
    let content = column![name.spacing(S.space * 1.5).align_y(Center), acts, S.hint(tr!(texts, "rights-logged"))];
    widget::panel(S, Tone::Plain, content.spacing(S.space * 1.25)).into()
}

fn register<'a>(page: &'a Rights, texts: &Texts) -> Element<'a, Message> {
    let title = S.heading(tr!(texts, "rights-open", count = page.lines.len()));
    let lines: Element<'a, Message> = if page.lines.is_empty() {
        S.soft(tr!(texts, "rights-none")).into()
    } else {
        column(page.lines.iter().enumerate().map(|(at, line)| line_of(texts, at, line))).spacing(S.space).into()
    };
    widget::panel(S, Tone::Plain, column![title, lines].spacing(S.space * 1.25)).into()
}

/// One line: a number, a kind and a clock; whose it is shows when it is opened, which is logged.
fn line_of<'a>(texts: &Texts, at: usize, line: &'a RequestLine) -> Element<'a, Message> {
    let (tone, clock) = words::clock(texts, line.clock);
    let state = match (line.decided, line.refused) {
        (false, _) => None,
        (true, false) => Some((Tone::Well, tr!(texts, "rights-granted"))),
        (true, true) => Some((Tone::Warn, tr!(texts, "rights-letter-waits"))),
    };
    row![
        container(S.text(line.no.to_string())).width(Length::FillPortion(2)),
        container(S.text(words::kind(texts, line.kind))).width(Length::FillPortion(4)),
        container(S.soft(words::came(texts, line.came))).width(Length::FillPortion(2)),
        container(
            row![widget::pill(S, tone, clock)]
                .push(state.map(|(tone, said)| widget::pill(S, tone, said)))
                .spacing(S.space)
        )
        .width(Length::FillPortion(4)),
        action(format!("rights-line-{at}"), tr!(texts, "open"), Message::LinePressed(line.no)),
    ]
    .spacing(S.space * 1.5)
    .align_y(Center)
    .into()
}

fn receive<'a>(page: &'a Rights, texts: &Texts) -> Element<'a, Message> {
    let typed = &page.receiving;
    let kinds = RequestKind::ALL.iter().map(|kind| {
        let id = format!("kind-{}", kind.label());
        pick(id, words::kind(texts, *kind), typed.kind == *kind, Message::KindChosen(*kind))
    });
    let whose = match &page.person {
        Some(person) => tr!(texts, "receive-for", unit = person.unit.as_str()),
        None => tr!(texts, "receive-nobody"),
    };
    let asker = widget::Field::new("request-asker", tr!(texts, "receive-asker"), &typed.asker)
        .hint(tr!(texts, "receive-asker-hint"))
        .view(S, Message::AskerTyped, Some(Message::TakePressed));
    let asked = widget::Field::new(WORDS, tr!(texts, "receive-words"), &typed.words)
        .hint(tr!(texts, "receive-words-hint"))
        .view(S, Message::WordsTyped, Some(Message::TakePressed));
    let content = column![
        S.title(tr!(texts, "rights-receive")),
        S.soft(whose),
        group(tr!(texts, "receive-kind"), kinds),
        how(page, texts),
        row![container(asked).width(Fill), container(asker).width(Fill)].spacing(S.space * 2.0),
        foot("request-take", tr!(texts, "receive-take"), Message::TakePressed, tr!(texts, "back")),
    ];
    widget::panel(S, Tone::Plain, content.spacing(S.space * 1.25)).into()
}

/// How it came, and how it is known who asks.
fn how<'a>(page: &'a Rights, texts: &Texts) -> Element<'a, Message> {
    let typed = &page.receiving;
    let came = [Came::Desk, Came::Phone, Came::Letter].into_iter().map(|came| {
        let id = format!("came-{}", came.label());
        pick(id, words::came(texts, came), typed.came == came, Message::CameChosen(came))
    });
    let identities = [Identity::DocumentSeen, Identity::ActsForPerson, Identity::NotAsked].into_iter().map(|known| {
        let id = format!("identity-{}", known.label());
        pick(id, words::identity(texts, known), typed.identity == known, Message::IdentityChosen(known))
    });
    row![
        container(group(tr!(texts, "receive-came"), came)).width(Length::FillPortion(2)),
        container(group(tr!(texts, "receive-identity"), identities)).width(Length::FillPortion(3)),
    ]
    .spacing(S.space * 2.0)
    .into()
}

fn request<'a>(page: &'a Rights, texts: &Texts, open: &'a RequestView) -> Element<'a, Message> {
    let (tone, clock) = words::clock(texts, open.line.clock);
    let head = row![
        S.title(format!("{} {}", open.line.no, words::kind(texts, open.line.kind))),
        widget::pill(S, tone, clock),
        widget::gap(),
        action("rights-back", tr!(texts, "back"), Message::BackPressed),
    ]
    .spacing(S.space * 1.5)
    .align_y(Center);
    let mut facts = Column::new().spacing(S.space * 0.75);
    if let Some((name, unit)) = &open.person {
        let who = format!("{name}  {unit}");
        facts = facts.push(widget::fact(S, tr!(texts, "request-person"), S.text(who)));
    }
    if !open.asker.is_empty() {
        facts = facts.push(widget::fact(S, tr!(texts, "request-asker"), S.text(open.asker.as_str())));
    }
    if !open.words.is_empty() {
        facts = facts.push(widget::fact(S, tr!(texts, "request-said"), S.text(open.words.as_str())));
    }
    let known = open.identity.map(|known| words::identity(texts, known)).unwrap_or_default();
    let came = format!("{} · {} · {known}", open.line.received_at.minute_text(), words::came(texts, open.line.came));
    facts = facts.push(widget::fact(S, tr!(texts, "request-received"), S.text(came)));
    facts = facts.push(widget::fact(S, tr!(texts, "request-due"), S.text(open.line.due_on.to_string())));
    let act: Element<'a, Message> = match (&open.letter, open.line.decided) {
        (Some(letter), _) => column![
            widget::telling(S, "request-refused", Tone::Warn, tr!(texts, "request-refused"), None),
            S.text(letter.as_str()),
            row![
                widget::gap(),
                widget::action(
                    S,
                    "letter-save",
                    tr!(texts, "letter-save"),
                    Weight::Primary,
                    Some(Message::SavePressed(Pick::Letter)),
                ),
            ],
        ]
        .spacing(S.space * 1.25)
        .into(),
        (None, true) => {
            let field = widget::Field::new(ANSWER, tr!(texts, "request-answer"), &page.answer)
                .hint(tr!(texts, "request-answer-hint"))
                .view(S, Message::AnswerTyped, Some(Message::FinishPressed));
            let done = widget::action(
                S,
                "request-finish",
                tr!(texts, "request-finish"),
                Weight::Primary,
                Some(Message::FinishPressed),
            );
            column![field, row![widget::gap(), done]].spacing(S.space).into()
        }
        (None, false) => widget::equal_pair(
            S,
            Side::new("request-grant", tr!(texts, "request-grant"), Some(Message::GrantPressed)),
            Side::new("request-refuse", tr!(texts, "request-refuse"), Some(Message::RefusePressed)),
        ),
    };
    widget::panel(S, Tone::Plain, column![head, facts, act].spacing(S.space * 1.75)).into()
}

fn refuse<'a>(page: &'a Rights, texts: &Texts) -> Element<'a, Message> {
    let typed = &page.refusal;
    let next = Some(Message::LetterPressed);
    let part =
        widget::Field::new(PART, tr!(texts, "refuse-part"), &typed.part).view(S, Message::PartTyped, next.clone());
    let reason = widget::Field::new("refuse-reason", tr!(texts, "refuse-reason"), &typed.reason)
        .hint(tr!(texts, "refuse-reason-hint"))
        .view(S, Message::ReasonTyped, next.clone());
    let basis = widget::Field::new("refuse-basis", tr!(texts, "refuse-basis"), &typed.basis)
        .placeholder(tr!(texts, "refuse-basis-placeholder"))
        .view(S, Message::BasisTyped, next);
    let content = column![
        S.title(tr!(texts, "refuse-heading")),
        S.soft(tr!(texts, "refuse-why")),
        part,
        reason,
        basis,
        S.hint(tr!(texts, "refuse-court")),
        foot("refuse-letter", tr!(texts, "refuse-letter"), Message::LetterPressed, tr!(texts, "back")),
    ];
    widget::panel(S, Tone::Plain, content.spacing(S.space * 1.25)).into()
}

fn refuse_face<'a>(page: &'a Rights, texts: &Texts) -> Element<'a, Message> {
    let content = column![
        widget::telling(
            S,
            "refuse-face-ask",
            Tone::Warn,
            tr!(texts, "refuse-face-ask"),
            Some(tr!(texts, "refuse-face-todo")),
        ),
        how(page, texts),
        widget::equal_pair(
            S,
            Side::new("rights-back", tr!(texts, "back"), Some(Message::BackPressed)),
            Side::new("refuse-face-yes", tr!(texts, "refuse-face-yes"), Some(Message::RefuseFaceConfirmed)),
        ),
    ];
    widget::panel(S, Tone::Plain, content.spacing(S.space * 1.75)).into()
}

fn died<'a>(page: &'a Rights, texts: &Texts) -> Element<'a, Message> {
    let next = Some(Message::DiedConfirmed);
    let kin = widget::Field::new(KIN, tr!(texts, "died-kin"), &page.kin).view(S, Message::KinTyped, next.clone());
    let relation = widget::Field::new("died-relation", tr!(texts, "died-relation"), &page.relation)
        .placeholder(tr!(texts, "died-relation-placeholder"))
        .view(S, Message::RelationTyped, next);
    let content = column![
        S.title(tr!(texts, "died-title")),
        S.text(tr!(texts, "died-text")),
        row![container(kin).width(Fill), container(relation).width(Fill)].spacing(S.space * 2.0),
        S.hint(tr!(texts, "died-hint")),
        foot("died-confirm", tr!(texts, "died-confirm"), Message::DiedConfirmed, tr!(texts, "back")),
    ];
    widget::panel(S, Tone::Plain, content.spacing(S.space * 1.5)).into()
}

/// Everything held, to be read together with the person.
fn all<'a>(page: &'a Rights, texts: &Texts) -> Element<'a, Message> {
    let head = row![
        container(S.soft(tr!(texts, "rights-logged"))).width(Fill),
        action("rights-paper", tr!(texts, "rights-paper"), Message::SavePressed(Pick::Paper)),
        action("rights-back", tr!(texts, "back"), Message::BackPressed),
    ]
    .spacing(S.space * 1.5)
    .align_y(Center);
    let mut body = Column::new().spacing(S.space);
    for block in &page.all {
        body = body.push(match block {
            Block::Heading(1, words) => Element::from(S.title(plain_spans(words))),
            Block::Heading(_, words) => S.heading(plain_spans(words)).into(),
            Block::Paragraph(words) => S.text(plain_spans(words)).into(),
            Block::Summary(lines) => {
                let lines = lines.iter().map(|line| S.text(plain_spans(line)).into());
                widget::panel(S, Tone::Told, Column::with_children(lines)).into()
            }
            Block::Table(head, rows) => {
                let line = |cells: &[Vec<Span>], soft: bool| -> Element<'a, Message> {
                    Row::with_children(cells.iter().map(|cell| {
                        let words = plain_spans(cell);
                        let words = if soft { S.hint(words) } else { S.text(words).size(S.small) };
                        container(words).width(Fill).into()
                    }))
                    .spacing(S.space)
                    .into()
                };
                let rows = rows.iter().map(|row| line(row, false));
                widget::panel(S, Tone::Plain, column![line(head, true)].extend(rows).spacing(S.space * 0.5)).into()
            }
        });
    }
    column![head, body].spacing(S.space * 1.5).into()
}

fn action<'a>(id: impl Into<iced::widget::Id>, label: String, message: Message) -> Element<'a, Message> {
    widget::action(S, id, label, Weight::Plain, Some(message))
}

/// One of several to choose from.
fn pick<'a>(id: String, label: String, chosen: bool, message: Message) -> Element<'a, Message> {
    let weight = if chosen { Weight::Here } else { Weight::Plain };
    widget::action(S, id, label, weight, Some(message))
}

fn group<'a>(title: String, choices: impl Iterator<Item = Element<'a, Message>>) -> Element<'a, Message> {
    column![S.text(title), row(choices).spacing(S.space * 0.75).wrap().vertical_spacing(S.space * 0.75)]
        .spacing(S.space * 0.5)
        .into()
}

fn foot<'a>(id: &'static str, label: String, message: Message, back: String) -> Element<'a, Message> {
    row![
        action("rights-back", back, Message::BackPressed),
        widget::gap(),
        widget::action(S, id, label, Weight::Primary, Some(message)),
    ]
    .into()
}
