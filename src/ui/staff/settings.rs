//! The site's facts, in groups. Starred ones keep face entry off until they are written; cards work regardless.

use std::collections::BTreeMap;

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill, Length};

use super::{Action, Route, S, notice};
use crate::app::command::{FactText, StaffCommand};
use crate::app::notice::NoticeCommand;
use crate::domain::change::Part;
use crate::domain::site::{Fact, Need, SiteFacts};
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{widget, words};

/// Facts that belong together on one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Who handles the information.
    Processor,
    /// Where.
    Site,
    /// Why a face option.
    Reason,
    /// Whom to complain to, and how soon an answer comes.
    Rights,
    /// Who else gets it.
    Sharing,
    /// How long.
    Terms,
    /// Children.
    Children,
}

impl Group {
    /// In the order of the page.
    pub const ALL: [Self; 7] =
        [Self::Site, Self::Processor, Self::Reason, Self::Rights, Self::Sharing, Self::Terms, Self::Children];

    /// The facts of the group. Every fact is in exactly one (tested).
    pub fn facts(self) -> &'static [Fact] {
        match self {
            Self::Site => {
                &[Fact::SiteName, Fact::SiteAddress, Fact::DeskPlace, Fact::DeskHours, Fact::GuardPhone, Fact::CardFee]
            }
            Self::Processor => &[
                Fact::ProcessorName,
                Fact::Uscc,
                Fact::ProcessorAddress,
                Fact::ContactPhone,
                Fact::ContactEmail,
                Fact::PiOfficerName,
                Fact::PiOfficerPhone,
            ],
            Self::Reason => &[Fact::NecessityReason, Fact::EffectText, Fact::BenefitText],
            Self::Rights => &[
                Fact::CacContact,
                Fact::PoliceContact,
                Fact::HousingContact,
                Fact::RightsDays,
                Fact::ComplaintDays,
                Fact::LocalRuleLine,
            ],
            Self::Sharing => &[Fact::JointList],
            Self::Terms => &[
                Fact::FaceEndRule,
                Fact::IdentityEndRule,
                Fact::EvidenceYears,
                Fact::LogMonths,
                Fact::OfflineHours,
                Fact::PasslogDays,
            ],
            Self::Children => &[Fact::ChildOfficerName, Fact::ChildOfficerPhone],
        }
    }

    fn name(self, texts: &Texts) -> String {
        match self {
            Self::Site => tr!(texts, "facts-group-site"),
            Self::Processor => tr!(texts, "facts-group-processor"),
            Self::Reason => tr!(texts, "facts-group-reason"),
            Self::Rights => tr!(texts, "facts-group-rights"),
            Self::Sharing => tr!(texts, "facts-group-sharing"),
            Self::Terms => tr!(texts, "facts-group-terms"),
            Self::Children => tr!(texts, "facts-group-children"),
        }
    }
}

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Another group.
    GroupPressed(Group),
    /// A fact changed.
    Typed(FactText),
    /// Enter, or the button.
    SavePressed,
    /// Another page of the settings.
    GoPressed(Route),
    /// Write them although faces stop by it.
    StopConfirmed,
    /// Do not write them.
    StopDropped,
}

/// The facts as edited.
#[derive(Debug)]
pub struct Facts {
    group: Group,
    edited: SiteFacts,
    typed: BTreeMap<Fact, String>,
    asked: bool,
    stops: Option<Stops>,
}

/// What writing these facts would stop.
#[derive(Debug)]
struct Stops {
    facts: SiteFacts,
    parts: Vec<Part>,
    people: u32,
}

impl Facts {
    /// From what is in force.
    pub fn new(facts: &SiteFacts) -> Self {
        let typed = facts.pairs().map(|(fact, text)| (fact, text.to_owned())).collect();
        Self { group: Group::Site, edited: facts.clone(), typed, asked: false, stops: None }
    }

    /// The desk tells what is in force; true when that answers a save of this page.
    pub fn saved(&mut self, facts: &SiteFacts) -> bool {
        let answered = std::mem::take(&mut self.asked);
        if answered {
            self.edited = facts.clone();
            self.stops = None;
        }
        answered
    }

    /// The desk has not written these facts: so many faces would stop by them.
    pub fn would_stop(&mut self, facts: SiteFacts, parts: Vec<Part>, people: u32) {
        self.asked = false;
        self.stops = Some(Stops { facts, parts, people });
    }

    /// The desk did not accept the last request.
    pub fn failed(&mut self) {
        self.asked = false;
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::GroupPressed(group) => self.group = group,
            Message::Typed((fact, text)) => {
                self.edited.set(fact, &text);
                self.typed.insert(fact, text);
            }
            Message::SavePressed => {
                self.asked = true;
                return Action::Ask(StaffCommand::SaveFacts(self.edited.clone()));
            }
            Message::GoPressed(route) => return Action::Go(route),
            Message::StopDropped => self.stops = None,
            Message::StopConfirmed => {
                if let Some(stops) = self.stops.take() {
                    self.asked = true;
                    return Action::Ask(StaffCommand::Notice(NoticeCommand::SaveFactsAnyway(stops.facts)));
                }
            }
        }
        Action::None
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let missing = self.edited.missing();
        let tabs = row![
            notice::tabs(texts, Route::Facts).map(Message::GoPressed),
            widget::gap(),
            widget::action(S, "facts-save", tr!(texts, "facts-save"), Weight::Primary, Some(Message::SavePressed)),
        ]
        .spacing(S.space)
        .align_y(Center);
        if let Some(stops) = &self.stops {
            return column![tabs, stops_page(texts, stops)].spacing(S.space * 1.5).into();
        }
        let said = if missing.is_empty() {
            widget::telling(S, "facts-said", Tone::Well, tr!(texts, "facts-complete"), None)
        } else {
            widget::telling(
                S,
                "facts-said",
                Tone::Told,
                tr!(texts, "facts-missing", count = missing.len()),
                Some(tr!(texts, "facts-missing-todo")),
            )
        };
        let groups = Group::ALL.map(|group| {
            let open = group.facts().iter().filter(|fact| missing.contains(fact)).count();
            let name = group.name(texts);
            let label = if open == 0 { name } else { tr!(texts, "facts-group-open", group = name, count = open) };
            let id = format!("facts-group-{group:?}").to_lowercase();
            widget::choice(S, id, label, group == self.group, Message::GroupPressed(group))
        });
        let fields = self.group.facts().iter().map(|fact| self.field(texts, *fact, &missing));
        let body = row![
            column(groups).spacing(S.space * 0.5).width(Length::FillPortion(3)),
            container(widget::panel(S, Tone::Plain, column(fields).spacing(S.space * 1.5)))
                .width(Length::FillPortion(8)),
        ]
        .spacing(S.space * 2.0);
        column![tabs, widget::scroll("facts-scroll", column![said, body].spacing(S.space * 2.0)).height(Fill)]
            .spacing(S.space * 1.5)
            .into()
    }

    fn field<'a>(&'a self, texts: &Texts, fact: Fact, missing: &[Fact]) -> Element<'a, Message> {
        let name = words::fact(texts, fact);
        let label = if fact.need() == Need::Star { tr!(texts, "fact-star", name = name) } else { name };
        let fault = self.edited.fault(fact).filter(|_| missing.contains(&fact));
        let hint = match (fault, fact.need()) {
            (Some(fault), _) => Some(words::fact_fault(texts, fault)),
            (None, Need::Optional) => Some(tr!(texts, "fact-optional")),
            (None, Need::Children) => Some(tr!(texts, "fact-children")),
            (None, Need::Star | Need::Required | Need::Derived) => None,
        };
        let value = self.typed.get(&fact).map(String::as_str).unwrap_or_default();
        let field = widget::Field::new(fact.key(), label, value).placeholder(fact.default_text());
        let field = match hint {
            Some(hint) => field.hint(hint),
            None => field,
        };
        field.view(S, move |text| Message::Typed((fact, text)), Some(Message::SavePressed))
    }
}

/// Before faces stop: which part changes, how many people, and two equal buttons.
fn stops_page<'a>(texts: &Texts, stops: &Stops) -> Element<'a, Message> {
    let names: Vec<String> = stops.parts.iter().map(|part| part_name(texts, *part)).collect();
    let parts = words::list(texts, names.iter().map(String::as_str));
    let what = tr!(texts, "stops-what", parts = parts, people = stops.people);
    column![
        widget::telling(S, "stops-said", Tone::Warn, what, Some(tr!(texts, "stops-todo"))),
        widget::equal_pair(
            S,
            widget::Side::new("stops-no", tr!(texts, "stops-no"), Some(Message::StopDropped)),
            widget::Side::new("stops-yes", tr!(texts, "stops-yes"), Some(Message::StopConfirmed)),
        ),
    ]
    .spacing(S.space * 2.0)
    .into()
}

/// A material part in words.
fn part_name(texts: &Texts, part: Part) -> String {
    match part {
        Part::Purpose => tr!(texts, "part-purpose"),
        Part::Kinds => tr!(texts, "part-kinds"),
        Part::Method => tr!(texts, "part-method"),
        Part::Place => tr!(texts, "part-place"),
        Part::Recipients => tr!(texts, "part-recipients"),
        Part::Gate(_) => tr!(texts, "part-gate"),
        Part::GateWords(_) | Part::Fact(_) | Part::Section(_) | Part::English => tr!(texts, "part-wording"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_typed_fact_is_in_exactly_one_group_and_no_other() {
        for fact in Fact::ALL.iter().filter(|fact| fact.need() == Need::Derived) {
            assert!(Group::ALL.iter().all(|group| !group.facts().contains(fact)), "{fact:?} is filled by the program");
        }
        for fact in Fact::typed().collect::<Vec<_>>().iter() {
            let homes = Group::ALL.iter().filter(|group| group.facts().contains(fact)).count();
            assert_eq!(homes, 1, "{fact:?}");
        }
    }
}
