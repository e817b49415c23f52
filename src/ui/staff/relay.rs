//! Gates beside each other: whether each holds exactly what it should, what differs, and a gate that takes the place of another. No people,
//! but for those who must be asked anew after a replacement, masked.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill, Length};

use super::{Action, Known, S, whose};
use crate::app::command::StaffCommand;
use crate::app::event::ResidentRow;
use crate::app::relay::{JoinedView, RelayCommand, RelayEvent};
use crate::domain::gate::{CLOCK_SET_BACK_MAX_MS, FacesRest, GateKind, GateStatus};
use crate::domain::id::{GateId, ResidentId};
use crate::domain::relay::{DriftCounts, DriftKind, DriftLine, INVITED_A_PAGE, Replacement, Wedged};
use crate::domain::role::{LookWhy, Role};
use crate::i18n::Texts;
use crate::secret::PairingCode;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::words::{clock_text, is_clock_off};
use crate::ui::{explain, widget, words};

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
    pub invited: Option<(GateId, u32, Vec<ResidentRow>)>,
    /// Whose card or face a gate lacks or holds otherwise.
    pub concerned: Option<(GateId, Vec<ResidentRow>)>,
}

impl Told {
    /// Takes in what the desk tells. Returns whether a gate was just replaced.
    pub(super) fn apply(&mut self, event: RelayEvent) -> bool {
        match event {
            RelayEvent::Replacements(all) => self.replacements = all,
            RelayEvent::Wedged(all) => self.wedged = all,
            RelayEvent::Invited(gate, page, rows) => self.invited = Some((gate, page, rows)),
            RelayEvent::Concerned(gate, rows) => self.concerned = Some((gate, rows)),
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
    /// A gate's clock is set to the desk's.
    ClockPressed(GateId),
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
    InvitedPressed(GateId, u32),
    /// Shows whom a difference concerns.
    ConcernedPressed(GateId),
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
            Message::ClockPressed(gate) => return ask(RelayCommand::SetClock(gate)),
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
            Message::InvitedPressed(gate, page) => return ask(RelayCommand::Invited(gate, page)),
            Message::ConcernedPressed(gate) => return ask(RelayCommand::Concerned(gate)),
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
        // That it answers goes without saying here.
        let reach = (gate.key_changed || !gate.reachable).then(|| words::reach(texts, gate));
        let states = reach.into_iter().chain(words::standing(texts, gate)).chain(words::faces_rest(texts, gate));
        let states = states.map(|(tone, said)| widget::pill(S, tone, said));
        let repair = role.sees_people() && gate.drift.iter().any(|line| line.kind.needs_staff());
        let replace = role == Role::Supervisor && self.replacing != Some(gate.id);
        let head = row![
            container(S.text(gate.name.as_str())).width(Length::FillPortion(3)),
            container(row(states).spacing(S.space * 0.75).wrap().vertical_spacing(S.space * 0.5))
                .width(Length::FillPortion(4)),
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
        let lines = differences(texts, &gate.drift, &gate.drift_counts).into_iter().map(|line| S.text(line).into());
        let retry = Message::RetryPressed(gate.id);
        let refused = refused(texts, known, (gate.id, &gate.name), format!("retry-{at}"), retry, role);
        let whose = gate.drift.iter().any(|line| line.kind.names_somebody());
        let pressed = (Message::ConcernedPressed(gate.id), Message::OpenPressed as fn(ResidentId) -> Message);
        let whose = whose.then(|| concerned(texts, known, gate.id, at, pressed, role)).flatten();
        let clock = clock_line(texts, at, gate, role);
        let back = is_clock_back(gate).then(|| S.hint(tr!(texts, "step-clock-back")));
        column![head].extend(lines).push(whose).push(refused).push(clock).push(back).spacing(S.space * 0.75).into()
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

/// A clock that is off: how far, and for a supervisor the button that sets it. One that is far ahead is mended at the gate only, where
/// somebody pairs it again: it takes no instant before one that it has seen.
fn clock_line<'a>(texts: &Texts, at: usize, gate: &'a GateStatus, role: Role) -> Option<Element<'a, Message>> {
    let drift_ms = gate.clock_drift_ms.filter(|ms| gate.reachable && is_clock_off(*ms))?;
    let said = S.text(format!("{}: {}", tr!(texts, "gate-clock-wrong"), clock_text(texts, drift_ms)));
    if drift_ms > CLOCK_SET_BACK_MAX_MS {
        return Some(column![said, S.hint(tr!(texts, "step-clock-ahead"))].spacing(S.space * 0.25).into());
    }
    let set = (role == Role::Supervisor).then(|| {
        let press = Some(Message::ClockPressed(gate.id));
        widget::action(S, format!("clock-{at}"), tr!(texts, "step-clock-set"), Weight::Plain, press)
    });
    Some(row![said, widget::gap()].push(set).spacing(S.space * 1.5).align_y(Center).into())
}

/// The exact difference, a line a kind: how many, and the first numbers.
fn differences(texts: &Texts, drift: &[DriftLine], counts: &DriftCounts) -> Vec<String> {
    use DriftKind as K;
    let kinds =
        [K::FaceLeftOver, K::FaceMissing, K::FaceState, K::CardLeftOver, K::CardMissing, K::CardDay, K::CardUnread];
    let lines = kinds.into_iter().filter_map(|kind| {
        let numbers: Vec<&str> =
            drift.iter().filter(|line| line.kind == kind).map(|line| line.number.as_str()).collect();
        // The list of lines is cut; how many there are is not.
        let count = counts.get(&kind).map_or(numbers.len(), |count| *count as usize);
        if count == 0 {
            return None;
        }
        let mut shown = numbers.iter().take(NUMBERS_SHOWN).copied().collect::<Vec<_>>().join("  ");
        if count > numbers.len().min(NUMBERS_SHOWN) {
            let more = count - numbers.len().min(NUMBERS_SHOWN);
            shown = format!("{shown}  {}", tr!(texts, "drift-more", count = more));
        }
        let shown = shown.as_str();
        Some(match kind {
            K::FaceLeftOver => tr!(texts, "drift-face-left-over", count = count, numbers = shown),
            K::FaceMissing => tr!(texts, "drift-face-missing", count = count, numbers = shown),
            K::FaceState => tr!(texts, "drift-face-state", count = count, numbers = shown),
            K::CardLeftOver => tr!(texts, "drift-card-left-over", count = count, numbers = shown),
            K::CardMissing => tr!(texts, "drift-card-missing", count = count, numbers = shown),
            K::CardDay => tr!(texts, "drift-card-day", count = count, numbers = shown),
            K::CardUnread => tr!(texts, "drift-card-unread", count = count, numbers = shown),
        })
    });
    lines.collect()
}

/// What a gate did not take, in words with what to do, and the button that sends it again. Shared with the page of card boards.
pub(super) fn refused<'a, M: Clone + 'a>(
    texts: &Texts,
    known: &Known,
    (gate, name): (GateId, &str),
    id: String,
    pressed: M,
    role: Role,
) -> Option<Element<'a, M>> {
    let lines: Vec<&Wedged> = known.relay.wedged.iter().filter(|one| one.gate == gate).collect();
    let retry = (role.sees_people() && !lines.is_empty())
        .then(|| row![widget::gap(), widget::action(S, id, tr!(texts, "step-retry"), Weight::Plain, Some(pressed))]);
    let none = lines.is_empty();
    let lines = lines.into_iter().map(|one| {
        let said = explain::wedged(texts, name, &one.reason);
        let count = match one.still_tried {
            true => tr!(texts, "step-refused-so-far", count = one.count),
            false => tr!(texts, "step-refused", count = one.count),
        };
        column![S.text(format!("{count} {}", said.what)).color(Tone::Alarm.ink()), S.hint(said.todo)].into()
    });
    (!none).then(|| column(lines).push(retry).spacing(S.space * 0.75).into())
}

/// A button that asks whom a difference concerns, and the people once they are known: masked; opening a record is logged as any look.
pub(super) fn concerned<'a, M: Clone + 'a>(
    texts: &Texts,
    known: &'a Known,
    gate: GateId,
    at: usize,
    (pressed, open): (M, fn(ResidentId) -> M),
    role: Role,
) -> Option<Element<'a, M>> {
    if !role.sees_people() {
        return None;
    }
    let rows = known.relay.concerned.as_ref().filter(|(of, _)| *of == gate).map(|(_, rows)| rows.as_slice());
    let nobody = rows.is_some_and(<[_]>::is_empty).then(|| S.hint(tr!(texts, "concerned-none")));
    let button = rows.is_none().then(|| {
        let id = format!("concerned-{at}");
        row![widget::gap(), widget::action(S, id, tr!(texts, "concerned-who"), Weight::Quiet, Some(pressed))]
    });
    let rows = rows.unwrap_or_default().iter().enumerate().map(|(n, found)| {
        row![
            container(S.text(&found.masked_name)).width(Length::FillPortion(2)),
            container(S.text(&found.unit)).width(Length::FillPortion(2)),
            widget::action(S, format!("concerned-{at}-{n}"), tr!(texts, "open"), Weight::Quiet, Some(open(found.id))),
        ]
        .spacing(S.space * 1.5)
        .align_y(Center)
        .into()
    });
    Some(column![].push(button).push(nobody).extend(rows).spacing(S.space * 0.5).into())
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
    let digest: String = one.digest.iter().flatten().take(4).map(|byte| format!("{byte:02x}")).collect();
    let (tone, said) = match one.done_at {
        Some(_) if one.signed => (Tone::Well, tr!(texts, "replaced-done", faces = one.faces, digest = digest.as_str())),
        Some(_) => (Tone::Well, tr!(texts, "replaced-done-unsigned", faces = one.faces, digest = digest.as_str())),
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
                Some(Message::InvitedPressed(one.gate, 0)),
            ),
        ]
        .spacing(S.space * 1.5)
        .align_y(Center)
    });
    let shown = known.relay.invited.as_ref().filter(|(gate, ..)| *gate == one.gate && role.sees_people());
    // Another page, so that nobody waits behind those who do not come.
    let turn = shown.and_then(|(gate, page, rows)| {
        let last = one.to_invite.saturating_sub(1) / INVITED_A_PAGE;
        let button = |name: &str, label: String, to: Option<u32>| {
            let press = to.map(|page| Message::InvitedPressed(*gate, page));
            widget::action(S, format!("invited-{name}-{at}"), label, Weight::Plain, press)
        };
        let first = page.saturating_mul(INVITED_A_PAGE);
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let (from, to) = (first.saturating_add(1), first.saturating_add(count));
        let place = tr!(texts, "replaced-page", first = from, last = to, count = one.to_invite);
        (last > 0 || *page > 0).then(|| {
            row![
                container(S.soft(place)).width(Fill),
                button("before", tr!(texts, "replaced-page-before"), page.checked_sub(1)),
                button("after", tr!(texts, "replaced-page-after"), (*page < last).then_some(page + 1)),
            ]
            .spacing(S.space * 1.5)
            .align_y(Center)
        })
    });
    let rows = shown.map(|(_, _, rows)| rows.as_slice()).unwrap_or_default().iter().enumerate().map(|(n, found)| {
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
    let resting = (one.resting > 0).then(|| S.soft(tr!(texts, "replaced-resting", count = one.resting)));
    let not_taken = (one.not_taken > 0).then(|| S.soft(tr!(texts, "replaced-not-taken", count = one.not_taken)));
    column![head].push(resting).push(not_taken).push(invite).push(turn).extend(rows).spacing(S.space).into()
}

/// Whether a gate that answers has seen a later time than its clock shows now: no face opens there, and cards end by that later time.
fn is_clock_back(gate: &GateStatus) -> bool {
    gate.reachable && gate.faces_rest == Some(FacesRest::ClockBack)
}

/// One line for every page while a gate has seen a later time than its clock shows now, or `None`.
pub(super) fn clock_alarm(texts: &Texts, gates: &[GateStatus]) -> Option<String> {
    let names: Vec<&str> = gates.iter().filter(|gate| is_clock_back(gate)).map(|gate| gate.name.as_str()).collect();
    let listed = words::list(texts, names.iter().copied());
    (!names.is_empty()).then(|| tr!(texts, "clock-back-alarm", gates = listed))
}

/// One line for every page while gates of a kind differ, or `None`.
pub(super) fn alarm(texts: &Texts, gates: &[GateStatus], kind: GateKind) -> Option<String> {
    let differs = |gate: &&GateStatus| gate.kind == kind && gate.drift_count > 0;
    let names: Vec<&str> = gates.iter().filter(differs).map(|gate| gate.name.as_str()).collect();
    let listed = words::list(texts, names.iter().copied());
    (!names.is_empty()).then(|| tr!(texts, "drift-alarm", gates = listed))
}
