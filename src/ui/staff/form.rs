//! Adding and editing a resident: name, unit, age band, end date, and nothing else (rule P06).

use iced::widget::{column, container, radio, row};
use iced::{Element, Fill};

use super::{Action, Route, S};
use crate::app::command::StaffCommand;
use crate::app::event::{AGE_BANDS, FieldFault};
use crate::domain::id::ResidentId;
use crate::domain::resident::{AgeBand, Resident, ResidentError};
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{self, Tone, Weight};
use crate::ui::{explain, widget, words};

/// Id of the first field.
pub const NAME: &str = "form-name";
/// Id of the unit field.
pub const UNIT: &str = "form-unit";
/// Id of the field for a minor's next age band.
pub const NEXT_BAND: &str = "form-next-band";
/// Id of the end date.
pub const ENDS_ON: &str = "form-ends-on";

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// The name changed.
    NameTyped(String),
    /// The unit changed.
    UnitTyped(String),
    /// An age band was chosen.
    BandChosen(AgeBand),
    /// The date of the next band changed.
    NextBandTyped(String),
    /// The end date changed.
    EndsOnTyped(String),
    /// Enter, or the button.
    SavePressed,
    /// Leave without saving.
    BackPressed,
}

/// The form.
#[derive(Debug)]
pub struct Form {
    id: Option<ResidentId>,
    name: String,
    unit: String,
    band: AgeBand,
    next_band_on: String,
    ends_on: String,
    fault: Option<FieldFault>,
    saved: bool,
}

impl Form {
    /// For a new resident.
    pub fn new() -> Self {
        Self {
            id: None,
            name: String::new(),
            unit: String::new(),
            band: AgeBand::Adult,
            next_band_on: String::new(),
            ends_on: String::new(),
            fault: None,
            saved: false,
        }
    }

    /// For a known one.
    pub fn of(resident: &Resident) -> Self {
        Self {
            id: Some(resident.id),
            name: resident.name.as_str().to_owned(),
            unit: resident.unit.as_str().to_owned(),
            band: resident.age_band,
            next_band_on: resident.next_band_on.map(|date| date.to_string()).unwrap_or_default(),
            ends_on: resident.ends_on.to_string(),
            fault: None,
            saved: false,
        }
    }

    /// The desk wrote it; the record page may come.
    pub fn mark_saved(&mut self) {
        self.saved = true;
    }

    /// Whether the desk wrote it.
    pub fn is_saved(&self) -> bool {
        self.saved
    }

    /// The desk did not accept a field.
    pub fn failed(&mut self, fault: FieldFault) -> Action {
        self.fault = Some(fault);
        Action::Focus(field_of(fault))
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::NameTyped(text) => self.name = text,
            Message::UnitTyped(text) => self.unit = text,
            Message::BandChosen(band) => {
                self.band = band;
                if band == AgeBand::Adult {
                    self.next_band_on.clear();
                }
            }
            Message::NextBandTyped(text) => self.next_band_on = text,
            Message::EndsOnTyped(text) => self.ends_on = text,
            Message::SavePressed => {
                self.fault = None;
                return Action::Ask(StaffCommand::SaveResident {
                    id: self.id,
                    name: self.name.clone(),
                    unit: self.unit.clone(),
                    age_band: self.band,
                    next_band_on: self.next_band_on.clone(),
                    ends_on: self.ends_on.clone(),
                });
            }
            Message::BackPressed => return Action::Go(Route::Record),
        }
        Action::None
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let save = Some(Message::SavePressed);
        let wrong =
            |id: &str| self.fault.filter(|fault| field_of(*fault) == id).map(|fault| explain::field(texts, fault).what);
        let name = widget::Field::new(NAME, tr!(texts, "form-name"), &self.name).wrong(wrong(NAME));
        let unit = widget::Field::new(UNIT, tr!(texts, "form-unit"), &self.unit)
            .placeholder(tr!(texts, "form-unit-placeholder"))
            .wrong(wrong(UNIT));
        let ends = widget::Field::new(ENDS_ON, tr!(texts, "form-ends-on"), &self.ends_on)
            .placeholder(tr!(texts, "form-date-placeholder"))
            .hint(tr!(texts, "form-ends-on-hint"))
            .wrong(wrong(ENDS_ON));
        let bands = row(AGE_BANDS.map(|band| {
            container(
                radio(words::age_band(texts, band), index(band), Some(index(self.band)), move |_| {
                    Message::BandChosen(band)
                })
                .size(20)
                .text_size(S.body)
                .text_line_height(1.5)
                .spacing(S.space)
                .style(|_theme, _status| theme::radio_style()),
            )
            .id(band_id(band))
            .into()
        }))
        .spacing(S.space * 3.0);
        let next = (self.band != AgeBand::Adult).then(|| {
            widget::Field::new(NEXT_BAND, tr!(texts, "form-next-band"), &self.next_band_on)
                .placeholder(tr!(texts, "form-date-placeholder"))
                .hint(tr!(texts, "form-next-band-hint"))
                .wrong(wrong(NEXT_BAND))
                .view(S, Message::NextBandTyped, save.clone())
        });
        let title = if self.id.is_some() { tr!(texts, "form-title-edit") } else { tr!(texts, "form-title-new") };
        let content = column![
            S.title(title),
            S.soft(tr!(texts, "form-why")),
            row![
                container(name.view(S, Message::NameTyped, save.clone())).width(Fill),
                container(unit.view(S, Message::UnitTyped, save.clone())).width(Fill),
            ]
            .spacing(S.space * 2.0),
            column![S.text(tr!(texts, "form-band")), bands].spacing(S.space * 0.5),
        ]
        .push(row![
            widget::beside(next, S.space * 2.0),
            container(ends.view(S, Message::EndsOnTyped, save.clone())).width(Fill)
        ])
        .push(row![
            widget::action(S, "form-back", tr!(texts, "back"), Weight::Plain, Some(Message::BackPressed)),
            widget::gap(),
            widget::action(S, "form-save", tr!(texts, "form-save"), Weight::Primary, save),
        ])
        .spacing(S.space * 1.75);
        let panel = widget::panel(S, Tone::Plain, content).max_width(860);
        widget::scroll("form-scroll", container(panel).center_x(Fill)).height(Fill).into()
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::new()
    }
}

fn index(band: AgeBand) -> usize {
    AGE_BANDS.iter().position(|b| *b == band).unwrap_or_default()
}

fn band_id(band: AgeBand) -> &'static str {
    match band {
        AgeBand::Adult => "form-band-adult",
        AgeBand::From14To17 => "form-band-14",
        AgeBand::Under14 => "form-band-under-14",
    }
}

/// Which field a fault belongs to.
fn field_of(fault: FieldFault) -> &'static str {
    match fault {
        FieldFault::Name(error) => match error {
            ResidentError::NameEmpty | ResidentError::NameTooLong | ResidentError::NameUnprintable => NAME,
            ResidentError::UnitInvalid => UNIT,
            ResidentError::NextBandMissing | ResidentError::NextBandWrong => NEXT_BAND,
            ResidentError::EndPast => ENDS_ON,
        },
        FieldFault::EndDate => ENDS_ON,
        FieldFault::NextBandDate => NEXT_BAND,
        FieldFault::Operator
        | FieldFault::SwitchedOffAt
        | FieldFault::HeardSince(_)
        | FieldFault::Gate
        | FieldFault::Board
        | FieldFault::PrivateRoom
        | FieldFault::Number
        | FieldFault::Guardian(_) => NAME,
    }
}
