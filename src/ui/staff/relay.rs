//! Gates beside each other: whether each holds exactly what it should, what differs, and a gate that takes the place of another. No people,
//! but for those who must be asked anew after a replacement, masked.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill, Length};

use super::{Action, Known, S, whose};
use crate::app::command::StaffCommand;
use crate::app::event::ResidentRow;
use crate::app::relay::{JoinedView, RelayCommand, RelayEvent};
use crate::domain::gate::{GateKind, GateStatus};
use crate::domain::id::{GateId, ResidentId};
use crate::domain::relay::{DriftKind, DriftLine, Replacement, Wedged};
use crate::domain::role::{LookWhy, Role};
use crate::i18n::Texts;
use crate::secret::PairingCode;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{explain, widget};

/// Id of the field for the new gate's address.
pub const ADDRESS: &str = "replace-address";
/// Id of the field for the code that it shows.
pub const CODE: &str = "replace-code";
/// Numbers that are written out in one line; the rest is counted.
const NUMBERS_SHOWN: usize = 6;

/// What the desk told about replacements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The newest first.
    pub replacements: Vec<Replacement>,
    /// What gates refused, by reason.
    pub wedged: Vec<Wedged>,
    /// Who must be asked anew, by the gate that stands there now.
    pub invited: Option<(GateId, Vec<ResidentRow>)>,
}

impl Told {
    /// Takes in what the desk tells. Returns whether a gate was just replaced.
    pub(super) fn apply(&mut self, event: RelayEvent) -> bool {
        match event {
            RelayEvent::Replacements(all) => self.replacements = all,
            RelayEvent::Wedged(all) => self.wedged = all,
            RelayEvent::Invited(gate, rows) => self.invited = Some((gate, rows)),
            RelayEvent::Replaced(_) => return true,
            // Kept by the page alone, and gone with it.
            RelayEvent::Joined(_) => {}
        }
        false
    }
}

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// What differs at a gate is put right.
    RepairPressed(GateId),
    /// What a gate refused is sent again.
    RetryPressed(GateId),
    /// Opens or closes the form for a gate.
    ReplacePressed(Option<GateId>),
    /// The new gate's address.
    AddressTyped(String),
    /// The code that it shows.
    CodeTyped(String),
    /// Enter, or the button.
    ReplaceConfirmed,
    /// Shows who must be asked anew.
    InvitedPressed(GateId),
    /// Opens one of them.
    OpenPressed(ResidentId),
    /// Whose number it is.
    Whose(whose::Message),
}

/// The page.
#[derive(Debug, Default)]
pub struct Relay {
    replacing: Option<GateId>,
    address: String,
    code: String,
    asked: bool,
    whose: whose::Whose,
}

impl Relay {
    /// The desk said whose a number is.
    pub fn joined(&mut self, found: Vec<JoinedView>) {
        self.whose.found(found);
    }

    /// The desk did not do it.
    pub fn failed(&mut self) {
        self.asked = false;
    }

    /// It is done.
    pub fn replaced(&mut self) {
        *self = Self::default();
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        let ask = |command| Action::Ask(StaffCommand::Relay(command));
        match message {
            Message::RepairPressed(gate) => return ask(RelayCommand::Repair(gate)),
            Message::RetryPressed(gate) => return ask(RelayCommand::Retry(gate)),
            Message::ReplacePressed(gate) => {
                *self = Self { replacing: gate, ..Self::default() };
                if gate.is_some() {
                    return Action::Focus(ADDRESS);
                }
            }
            Message::AddressTyped(text) => self.address = text,
            Message::CodeTyped(text) => self.code = text,
            Message::ReplaceConfirmed => {
                let Some(old) = self.replacing else { return Action::None };
                if self.address.trim().is_empty() {
                    return Action::Focus(ADDRESS);
                }
                if self.code.trim().is_empty() {
                    return Action::Focus(CODE);
                }
                self.asked = true;
                let (address, code) = (self.address.trim().to_owned(), PairingCode::parse(&self.code));
                return ask(RelayCommand::Replace { old, address, code });
            }
            Message::InvitedPressed(gate) => return ask(RelayCommand::Invited(gate)),
            Message::Whose(message) => return self.whose.update(message),
            Message::OpenPressed(resident) => {
                return Action::Ask(StaffCommand::OpenResident(resident, LookWhy::Other));
            }
        }
        Action::None
    }

    /// Draws the page for a role.
    pub fn view<'a>(&'a self, texts: &Texts, known: &'a Known, role: Role) -> Element<'a, Message> {
        // Card boards have a page of their own.
        let signing = known.gates.iter().filter(|gate| gate.kind == GateKind::Signing);
        let gates = signing.enumerate().map(|(at, gate)| self.gate(texts, at, gate, known, role));
        let list = column![S.heading(tr!(texts, "step-title")), S.soft(tr!(texts, "step-how"))]
            .push(known.gates.is_empty().then(|| S.text(tr!(texts, "gates-none"))))
            .extend(gates)
            .spacing(S.space * 1.5);
        let form = self.replacing.and_then(|old| known.gates.iter().find(|gate| gate.id == old));
        let content = column![]
            .push(form.map(|gate| self.form(texts, gate)))
            .push(widget::panel(S, Tone::Plain, list))
            .push(replacements(texts, known, role))
            .push((role == Role::Supervisor).then(|| self.whose.view(texts).map(Message::Whose)))
            .spacing(S.space * 2.0);
        widget::scroll("relay-scroll", content).height(Fill).into()
    }

    fn gate<'a>(
        &'a self,
        texts: &Texts,
        at: usize,
        gate: &'a GateStatus,
        known: &'a Known,
        role: Role,
    ) -> Element<'a, Message> {
        let (tone, said) = match (gate.in_step, gate.reachable) {
            (_, false) => (Tone::Warn, tr!(texts, "gate-away")),
            (None, true) => (Tone::Told, tr!(texts, "step-not-yet")),
            (Some(true), true) => (Tone::Well, tr!(texts, "step-exact")),
            (Some(false), true) => (Tone::Alarm, tr!(texts, "gate-differs", count = gate.drift.len())),
        };
        let repair = role.sees_people() && gate.drift.iter().any(|line| line.kind.needs_staff());
        let replace = role == Role::Supervisor && self.replacing != Some(gate.id);
        let head = row![
            container(S.text(gate.name.as_str())).width(Length::FillPortion(3)),
            container(widget::pill(S, tone, said)).width(Length::FillPortion(4)),
        ]
        .push(repair.then(|| {
            let press = Some(Message::RepairPressed(gate.id));
            widget::action(S, format!("repair-{at}"), tr!(texts, "step-repair"), Weight::Primary, press)
        }))
        .push(replace.then(|| {
            let press = Some(Message::ReplacePressed(Some(gate.id)));
            widget::action(S, format!("replace-{at}"), tr!(texts, "replace-open"), Weight::Quiet, press)
        }))
        .spacing(S.space * 1.5)
        .align_y(Center);
        let lines = differences(texts, &gate.drift).into_iter().map(|line| S.text(line).into());
        let refused: Vec<&Wedged> = known.relay.wedged.iter().filter(|one| one.gate == gate.id).collect();
        let retry = (role.sees_people() && !refused.is_empty()).then(|| {
            let press = Some(Message::RetryPressed(gate.id));
            row![
                widget::gap(),
                widget::action(S, format!("retry-{at}"), tr!(texts, "step-retry"), Weight::Plain, press)
            ]
        });
        let refused = refused.into_iter().map(|one| {
            let said = explain::wedged(texts, &gate.name, &one.reason);
            let count = tr!(texts, "step-refused", count = one.count);
            column![S.text(format!("{count} {}", said.what)), S.hint(said.todo)].into()
        });
        column![head].extend(lines).extend(refused).push(retry).spacing(S.space * 0.75).into()
    }

    fn form<'a>(&'a self, texts: &Texts, gate: &'a GateStatus) -> Element<'a, Message> {
        let address = widget::Field::new(ADDRESS, tr!(texts, "pair-address"), &self.address)
            .hint(tr!(texts, "pair-address-hint"))
            .view(S, Message::AddressTyped, Some(Message::ReplaceConfirmed));
        let code = widget::Field::new(CODE, tr!(texts, "pair-code"), &self.code)
            .hint(tr!(texts, "pair-code-hint"))
            .view(S, Message::CodeTyped, Some(Message::ReplaceConfirmed));
        let label = if self.asked { tr!(texts, "pair-working") } else { tr!(texts, "replace-action") };
        let content = column![
            S.heading(tr!(texts, "replace-title", gate = gate.name.as_str())),
            S.text(tr!(texts, "replace-how")),
            S.soft(tr!(texts, "pair-step-gate")),
            row![container(address).width(Fill), container(code).width(Fill)].spacing(S.space * 2.0),
            row![
                widget::gap(),
                widget::action(
                    S,
                    "replace-close",
                    tr!(texts, "pair-close"),
                    Weight::Quiet,
                    Some(Message::ReplacePressed(None))
                ),
                widget::action(
                    S,
                    "replace-action",
                    label,
                    Weight::Primary,
                    (!self.asked).then_some(Message::ReplaceConfirmed)
                ),
            ]
            .spacing(S.space * 1.5),
        ]
        .spacing(S.space * 1.5);
        widget::panel(S, Tone::Plain, content).into()
    }
}

/// The exact difference, a line a kind: how many, and the first numbers.
fn differences(texts: &Texts, drift: &[DriftLine]) -> Vec<String> {
    use DriftKind as K;
    let kinds = [K::FaceLeftOver, K::FaceMissing, K::FaceState, K::CardLeftOver, K::CardMissing, K::CardDay];
    let lines = kinds.into_iter().filter_map(|kind| {
        let numbers: Vec<&str> =
            drift.iter().filter(|line| line.kind == kind).map(|line| line.number.as_str()).collect();
        if numbers.is_empty() {
            return None;
        }
        let shown = numbers.iter().take(NUMBERS_SHOWN).copied().collect::<Vec<_>>().join("  ");
        let (count, shown) = (numbers.len(), shown.as_str());
        Some(match kind {
            K::FaceLeftOver => tr!(texts, "drift-face-left-over", count = count, numbers = shown),
            K::FaceMissing => tr!(texts, "drift-face-missing", count = count, numbers = shown),
            K::FaceState => tr!(texts, "drift-face-state", count = count, numbers = shown),
            K::CardLeftOver => tr!(texts, "drift-card-left-over", count = count, numbers = shown),
            K::CardMissing => tr!(texts, "drift-card-missing", count = count, numbers = shown),
            K::CardDay => tr!(texts, "drift-card-day", count = count, numbers = shown),
        })
    });
    lines.collect()
}

fn replacements<'a>(texts: &Texts, known: &'a Known, role: Role) -> Option<Element<'a, Message>> {
    let all = &known.relay.replacements;
    let lines = all.iter().enumerate().map(|(at, one)| replacement(texts, at, one, known, role));
    let content = column![S.heading(tr!(texts, "replaced-title"))].extend(lines).spacing(S.space * 1.5);
    (!all.is_empty()).then(|| widget::panel(S, Tone::Plain, content).into())
}

fn replacement<'a>(
    texts: &Texts,
    at: usize,
    one: &'a Replacement,
    known: &'a Known,
    role: Role,
) -> Element<'a, Message> {
    let digest: String = one.digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let (tone, said) = match one.done_at {
        Some(_) => (Tone::Well, tr!(texts, "replaced-done", faces = one.faces, digest = digest.as_str())),
        None => (Tone::Told, tr!(texts, "replaced-under-way", faces = one.faces, waiting = one.waiting)),
    };
    let invite = role.sees_people() && one.to_invite > 0;
    let head = row![
        container(S.text(tr!(texts, "replaced-line", gate = one.name.as_str(), at = one.begun_at.minute_text())))
            .width(Fill),
        widget::pill(S, tone, said),
    ]
    .spacing(S.space * 1.5)
    .align_y(Center);
    let invite = invite.then(|| {
        row![
            container(S.text(tr!(texts, "replaced-anew", count = one.to_invite))).width(Fill),
            widget::action(
                S,
                format!("invited-{at}"),
                tr!(texts, "replaced-who"),
                Weight::Plain,
                Some(Message::InvitedPressed(one.gate)),
            ),
        ]
        .spacing(S.space * 1.5)
        .align_y(Center)
    });
    let rows = known.relay.invited.as_ref().filter(|(gate, _)| *gate == one.gate && role.sees_people());
    let rows = rows.map(|(_, rows)| rows.as_slice()).unwrap_or_default().iter().enumerate().map(|(n, found)| {
        row![
            container(S.text(&found.masked_name)).width(Length::FillPortion(2)),
            container(S.text(&found.unit)).width(Length::FillPortion(2)),
            widget::action(
                S,
                format!("invited-{at}-{n}"),
                tr!(texts, "open"),
                Weight::Quiet,
                Some(Message::OpenPressed(found.id)),
            ),
        ]
        .spacing(S.space * 1.5)
        .align_y(Center)
        .into()
    });
    column![head].push(invite).extend(rows).spacing(S.space).into()
}

/// One line for every page while a gate differs, or `None`.
pub(super) fn alarm(texts: &Texts, gates: &[GateStatus]) -> Option<String> {
    let names: Vec<&str> = gates.iter().filter(|gate| !gate.drift.is_empty()).map(|gate| gate.name.as_str()).collect();
    let listed = crate::ui::words::list(texts, names.iter().copied());
    (!names.is_empty()).then(|| tr!(texts, "drift-alarm", gates = listed))
}
