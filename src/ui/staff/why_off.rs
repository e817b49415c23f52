//! Why face entry is off at this desk, in words, with what to do. Calm: nothing is broken, cards work.

use iced::Element;
use iced::Fill;
use iced::widget::{column, container, row};

use super::{Known, Message, Route, S};
use crate::domain::permit::Blocker;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{explain, widget, words};

/// Draws the page.
pub fn view<'a>(texts: &Texts, known: &'a Known) -> Element<'a, Message> {
    let blockers = known.blockers.as_deref().unwrap_or_default();
    let list = blockers.iter().map(|(blocker, condition)| {
        let said = explain::blocker(texts, *blocker, *condition);
        let facts = (*blocker == Blocker::ProcessorFields && !known.facts_missing.is_empty()).then(|| {
            let names: Vec<String> = known.facts_missing.iter().map(|fact| words::fact(texts, *fact)).collect();
            S.hint(tr!(texts, "why-facts", facts = words::list(texts, names.iter().map(String::as_str))))
        });
        // Which of the reasons it is: none, another scope, an overdue review, an incident.
        let assessment = (*blocker == Blocker::ImpactAssessment)
            .then_some(known.notice.as_ref())
            .flatten()
            .map(|view| S.hint(super::notice::assessment::standing(texts, view.standing).1));
        column![S.text(said.what), S.hint(said.todo)].push(facts).push(assessment).spacing(S.space * 0.25).into()
    });
    // Conditions may come into place while the page is being read.
    let ready = blockers.is_empty().then(|| S.text(tr!(texts, "face-ready")));
    let content = column![
        row![
            container(S.title(tr!(texts, "why-title"))).width(Fill),
            widget::action(S, "why-facts", tr!(texts, "why-to-facts"), Weight::Plain, Some(Message::Go(Route::Facts))),
            widget::action(
                S,
                "why-assessment",
                tr!(texts, "why-to-assessment"),
                Weight::Plain,
                Some(Message::Go(Route::Assessment)),
            ),
            widget::action(S, "why-gates", tr!(texts, "why-to-gates"), Weight::Plain, Some(Message::Go(Route::Gates))),
            widget::action(
                S,
                "why-machine",
                tr!(texts, "why-to-machine"),
                Weight::Plain,
                Some(Message::Go(Route::Machine)),
            ),
        ]
        .spacing(S.space),
        widget::telling(S, "why-cards-work", Tone::Well, tr!(texts, "why-cards-work"), None),
        widget::panel(S, Tone::Plain, column(list).push(ready).spacing(S.space * 1.75)),
    ]
    .spacing(S.space * 2.0);
    widget::scroll("why-scroll", content).height(Fill).into()
}
