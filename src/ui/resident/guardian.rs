//! Pages on which a child, a ward or a guardian acts, and the page that waits for a signed form. Rules: P29, P31a, F07a, M1, M2.

use iced::widget::{Column, column};
use iced::{Center, Element, Fill};

use crate::app::command::ResidentCommand;
use crate::app::event::ResidentScene;
use crate::app::guardian::{GuardianAct, GuardianScene};
use crate::domain::guardian::View;
use crate::i18n::Texts;
use crate::trr;
use crate::ui::theme::{Sizes, Tone, Weight};
use crate::ui::widget::{self, Side};

use super::parts::{self, Page};
use super::{Action, Decision, Message as Above, Resident, consent};

/// What happens on these pages, beside what every page of decision has.
#[derive(Clone, Debug)]
pub enum Message {
    /// What the child or ward pressed.
    Heard(View),
    /// The guardian of a young person has read what is signed as informed: the signature comes next.
    SignPressed,
    /// "Sign on paper."
    FormPressed,
    /// "This is my signature", under a form that staff saw.
    FormConfirmed,
    /// Back from the form.
    FormBackPressed,
}

impl Resident {
    /// What a message of these pages leads to.
    pub(super) fn on_guardian(&mut self, message: Message) -> Action {
        let ask = |act| Action::Ask(ResidentCommand::Guardian(act));
        match (message, &self.scene) {
            (Message::Heard(view), ResidentScene::Guardian(GuardianScene::Ask { .. })) => ask(GuardianAct::Heard(view)),
            (Message::SignPressed, ResidentScene::Guardian(GuardianScene::Informed { .. })) => {
                self.decision = Decision { signing: true, ..Decision::default() };
                Action::None
            }
            // The same gate as for a signature on the screen: ticked, and Yes pressed.
            (Message::FormPressed, _) if self.may_sign() => {
                self.decision = Decision::default();
                ask(GuardianAct::AskForm)
            }
            (Message::FormConfirmed, ResidentScene::Guardian(GuardianScene::Form { seen: true, .. })) => {
                ask(GuardianAct::ConfirmForm)
            }
            (Message::FormBackPressed, ResidentScene::Guardian(GuardianScene::Form { .. })) => {
                ask(GuardianAct::LeaveForm)
            }
            _ => Action::None,
        }
    }

    /// Whether the page has a box that belongs to a decision.
    pub(super) fn has_box(&self) -> bool {
        matches!(self.scene, ResidentScene::Consent { .. } | ResidentScene::Guardian(GuardianScene::Consent { .. }))
    }

    /// Whether the signature may be given now: after the tick and Yes, or on the page that is signed as informed.
    pub(super) fn may_sign(&self) -> bool {
        let informed = matches!(self.scene, ResidentScene::Guardian(GuardianScene::Informed { .. }));
        self.decision.signing && (informed || (self.has_box() && self.decision.ticked))
    }

    /// The signature goes to the page it belongs to.
    pub(super) fn signed(&mut self) -> Action {
        let signature = self.decision.take_signature();
        Action::Ask(match self.scene {
            ResidentScene::Guardian(GuardianScene::Informed { .. }) => {
                ResidentCommand::Guardian(GuardianAct::SignInformed { signature })
            }
            _ => ResidentCommand::Consent { signature },
        })
    }
}

/// Draws one of these pages.
pub(super) fn view<'a>(sizes: Sizes, texts: &'a Texts, scene: &'a GuardianScene, decision: &'a Decision) -> Page<'a> {
    match scene {
        GuardianScene::Ask { is_child, words } => ask(sizes, texts, *is_child, words),
        GuardianScene::Consent { sentence, buttons, .. } if decision.signing => {
            consent::sign(sizes, texts, sentence, &buttons.0, decision)
        }
        GuardianScene::Consent { title, preamble, sentence, buttons } => {
            consent::decide(sizes, "page-guardian", title, preamble, sentence, buttons, decision.ticked)
        }
        GuardianScene::Informed { words, no } if decision.signing => consent::sign(sizes, texts, words, no, decision),
        GuardianScene::Informed { words, no } => informed(sizes, texts, words, no),
        GuardianScene::Form { number, seen, no } => form(sizes, texts, number, *seen, no),
    }
}

/// The child or ward is asked: a few big sentences, and two buttons of the same size.
fn ask<'a>(sizes: Sizes, texts: &'a Texts, is_child: bool, words: &'a [String]) -> Page<'a> {
    let (title, whose) = if is_child {
        (trr!(texts, "ask-child-title"), trr!(texts, "ask-child-hint"))
    } else {
        (trr!(texts, "ask-ward-title"), trr!(texts, "ask-ward-hint"))
    };
    // Set larger than running text; in large letters it is large enough as it is.
    let (size, is_large) = (sizes.section.min(sizes.body * 1.17), sizes.body > Sizes::RESIDENT.body * 1.2);
    let lines =
        words.iter().map(|line| iced::widget::text(line.as_str()).size(size).line_height(1.5).width(Fill).into());
    let said = parts::panel(sizes, Tone::Told, Column::with_children(lines).spacing(sizes.space));
    let whose = sizes.soft(whose);
    let content = if is_large {
        // What is read to the person comes first, so that it is in view.
        column![sizes.heading(title), said, whose]
    } else {
        column![sizes.title(title), whose, said]
    };
    let content = content.spacing(sizes.space * 0.75);
    let foot = widget::equal_pair(
        Sizes { body: sizes.section, button: sizes.button * 1.1, ..sizes },
        Side::new("view-no", trr!(texts, "ask-no"), Some(Above::Guardian(Message::Heard(View::No)))),
        Side::new("view-yes", trr!(texts, "ask-yes"), Some(Above::Guardian(Message::Heard(View::Yes)))),
    );
    parts::middle(sizes, "page-ask", content, Some(foot))
}

/// What the guardian of a young person signs. No box: it is no consent.
fn informed<'a>(sizes: Sizes, texts: &'a Texts, words: &'a str, no: &'a str) -> Page<'a> {
    let content = column![
        sizes.heading(trr!(texts, "informed-title")),
        sizes.text(trr!(texts, "informed-hint")).width(Fill),
        parts::panel(sizes, Tone::Plain, sizes.text(words).width(Fill)),
    ]
    .spacing(sizes.space);
    let foot = widget::equal_pair(
        sizes,
        Side::new("no", no, Some(Above::NoPressed)),
        Side::new("informed-sign", trr!(texts, "informed-sign"), Some(Above::Guardian(Message::SignPressed))),
    );
    parts::middle(sizes, "page-informed", content, Some(foot))
}

/// The form is printed and signed; the confirmation is the resident's, here.
fn form<'a>(sizes: Sizes, texts: &'a Texts, number: &'a str, seen: bool, no: &'a str) -> Page<'a> {
    let (tone, said) =
        if seen { (Tone::Well, trr!(texts, "form-seen")) } else { (Tone::Told, trr!(texts, "form-waiting")) };
    let back = widget::action(
        Sizes { body: sizes.body.min(34.0), button: sizes.button.min(64.0), ..sizes },
        "form-back",
        trr!(texts, "form-back"),
        Weight::Plain,
        Some(Above::Guardian(Message::FormBackPressed)),
    );
    let content = column![
        sizes.title(trr!(texts, "form-title")).align_x(Center),
        parts::large(sizes, trr!(texts, "form-number", number = number)),
        sizes.text(trr!(texts, "form-steps")).align_x(Center),
        parts::telling(sizes, "form-state", tone, said),
        back,
    ];
    let confirm = seen.then_some(Above::Guardian(Message::FormConfirmed));
    let foot = widget::equal_pair(
        sizes,
        Side::new("no", no, Some(Above::NoPressed)),
        Side::new("form-confirm", trr!(texts, "form-confirm"), confirm),
    );
    parts::calm(sizes, "page-form", content, Some(foot))
}

/// The quiet way to paper, below the field to sign in.
pub(super) fn paper_link<'a>(sizes: Sizes, texts: &'a Texts) -> Element<'a, Above> {
    let small = Sizes { body: sizes.body.min(34.0), button: sizes.button.min(64.0), ..sizes };
    let pressed = Some(Above::Guardian(Message::FormPressed));
    widget::action(small, "sign-paper", trr!(texts, "sign-paper"), Weight::Quiet, pressed)
}
