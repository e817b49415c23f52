//! Why face entry is off at this desk, in words, with what to do. Calm: nothing is broken, cards work.

use iced::Element;
use iced::Fill;
use iced::widget::{column, container, row};

use super::{Known, Message, Route, S};
use crate::domain::permit::Blocker;
use crate::domain::role::Role;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{explain, widget, words};

/// Draws the page. Where a supervisor mends it is offered to supervisors; others read whom to ask.
pub fn view<'a>(texts: &Texts, known: &'a Known, role: Role) -> Element<'a, Message> {
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
    let to = |id: &'static str, label: String, route: Route| {
        widget::action(S, id, label, Weight::Plain, Some(Message::Go(route)))
    };
    let supervises = role == Role::Supervisor;
    let settings = supervises.then(|| {
        row![
            to("why-facts", tr!(texts, "why-to-facts"), Route::Facts),
            to("why-assessment", tr!(texts, "why-to-assessment"), Route::Assessment),
            to("why-gates", tr!(texts, "why-to-gates"), Route::Gates),
        ]
        .spacing(S.space)
    });
    let machine = (role != Role::Auditor).then(|| to("why-machine", tr!(texts, "why-to-machine"), Route::Machine));
    let head = row![container(S.title(tr!(texts, "why-title"))).width(Fill)].push(settings).push(machine);
    let ask = (!supervises).then(|| S.hint(tr!(texts, "why-ask-supervisor")));
    let content = column![
        head.spacing(S.space),
        widget::telling(S, "why-cards-work", Tone::Well, tr!(texts, "why-cards-work"), None),
        widget::panel(S, Tone::Plain, column(list).push(ready).push(ask).spacing(S.space * 1.75)),
    ]
    .spacing(S.space * 2.0);
    widget::scroll("why-scroll", content).height(Fill).into()
}
