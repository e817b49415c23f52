//! The gate's own file, `gate.toml` in its folder: how the door opens, and how faces are looked for. Without the file: a log line, and the
//! limits that are written here.
//!
//! ```toml
//! [door]
//! open = "line"               # "log", "command", "line" or "board"; a command that has not ended after 1.5 s counts as failed, after 5 s it is ended
//! chip = "/dev/gpiochip0"
//! line = 17
//! active_low = false
//! hold_ms = 500
//!
//! [reader]
//! kind = "pcsc"               # or "stdin": a reader that types its numbers
//!
//! [camera]
//! device = "first"            # or a device file, or a bus path
//! near = 0.12                 # a face counts from this share of the picture's width
//!
//! [faces]
//! strangers_in_max = 0.01     # of a hundred strangers who look in, at most one may be taken for somebody
//! clock_kept = false          # true only where the clock goes on while the gate is off: after a start faces then need not wait for the desk
//! ```

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::GateError;
use crate::domain::board::{BoardSerial, DoorNumber};
use crate::wire::address::lan_address;

/// Name of the file.
pub const FILE: &str = "gate.toml";

/// What the installer decided for this gate.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How the door opens.
    pub door: DoorPlan,
    /// The card reader at this gate, if it has one of its own.
    pub reader: Option<ReaderPlan>,
    /// The camera at this gate, if it has one.
    pub camera: Option<CameraPlan>,
    /// How faces are looked for.
    pub faces: FacePlan,
}

/// Where cards are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderPlan {
    /// Which kind of reader.
    pub kind: ReaderKind,
}

/// The kinds of card reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReaderKind {
    /// Readers of the smart card service.
    Pcsc,
    /// A keyboard-wedge reader, whose lines come on standard input.
    Stdin,
}

impl ReaderKind {
    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "pcsc" => Some(Self::Pcsc),
            "stdin" => Some(Self::Stdin),
            _ => None,
        }
    }
}

/// The camera of a gate.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CameraPlan {
    /// Device file or bus path; `first` for the first camera.
    pub device: String,
    /// Folder of the face models; without it where the package puts them.
    pub models: Option<PathBuf>,
    /// Smallest face that counts as standing before the camera, as a share of the picture's width, 0.03 to 0.6.
    pub near: f32,
}

impl Default for CameraPlan {
    fn default() -> Self {
        Self { device: FIRST_CAMERA.into(), models: None, near: 0.12 }
    }
}

/// The word for the first camera.
pub const FIRST_CAMERA: &str = "first";

/// How the door opens.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(tag = "open", rename_all = "lowercase", deny_unknown_fields)]
pub enum DoorPlan {
    /// A log line only.
    #[default]
    Log,
    /// A program with its words; no shell reads them.
    Command {
        /// Program and words.
        command: Vec<String>,
    },
    /// A GPIO line with a relay.
    Line {
        /// The chip's device file.
        chip: String,
        /// Its line.
        line: u32,
        /// The relay is on while the line is low.
        #[serde(default)]
        active_low: bool,
        /// For how long, in milliseconds, 50 to 10,000.
        #[serde(default = "usual_hold_ms")]
        hold_ms: u32,
    },
    /// A door of a card board (UHPPOTE).
    Board {
        /// `ip:port` on the LAN.
        address: String,
        /// Its serial number.
        #[serde(deserialize_with = "serial")]
        serial: BoardSerial,
        /// Which door.
        #[serde(deserialize_with = "door_number")]
        door: DoorNumber,
    },
}

/// How faces are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FacePlan {
    /// Of all strangers who look in, the share that may be taken for somebody: the site's limit for looking one face up among all held ones.
    pub strangers_in_max: f64,
    /// The clock goes on while the gate is off (a battery behind it), so that the lease of contact can be counted over a restart. Without it
    /// no face is matched after a start until the station was heard.
    pub clock_kept: bool,
}

impl FacePlan {
    /// Of a million strangers, how many may be taken for somebody.
    pub fn strangers_in_ppm(&self) -> u32 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100,000: the plan is limited")]
        let ppm = (self.strangers_in_max * 1e6).round() as u32;
        ppm
    }
}

impl Default for FacePlan {
    fn default() -> Self {
        Self { strangers_in_max: STRANGERS_IN_USUAL, clock_kept: false }
    }
}

/// One in a hundred.
pub const STRANGERS_IN_USUAL: f64 = 0.01;

/// No site may let in more than one stranger in ten.
pub const STRANGERS_IN_MOST: f64 = 0.1;

fn usual_hold_ms() -> u32 {
    500
}

fn serial<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BoardSerial, D::Error> {
    BoardSerial::new(u32::deserialize(from)?).ok_or_else(|| serde::de::Error::custom("a serial number is not 0"))
}

fn door_number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<DoorNumber, D::Error> {
    DoorNumber::new(u8::deserialize(from)?).ok_or_else(|| serde::de::Error::custom("a door is 1 to 4"))
}

impl DoorPlan {
    /// Its word in the file.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Command { .. } => "command",
            Self::Line { .. } => "line",
            Self::Board { .. } => "board",
        }
    }
}

impl Settings {
    /// Reads the file of a gate's folder; a folder without one has the usual settings.
    ///
    /// # Errors
    /// [`GateError::File`], or [`GateError::Settings`] saying what is wrong in it.
    pub fn read(folder: &Path) -> Result<Self, GateError> {
        let file = folder.join(FILE);
        match std::fs::read_to_string(&file) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(GateError::File { file, source }),
        }
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// [`GateError::Settings`].
    pub fn parse(text: &str) -> Result<Self, GateError> {
        let settings: Self = toml::from_str(text).map_err(|error| GateError::Settings(error.to_string()))?;
        let wrong = match &settings.door {
            DoorPlan::Command { command } if command.is_empty() => Some("command: a program is missing"),
            DoorPlan::Line { hold_ms, .. } if !(50..=10_000).contains(hold_ms) => Some("hold_ms: 50 to 10000"),
            DoorPlan::Board { address, .. } if lan_address(address).is_none() => Some("address: not a LAN address"),
            _ if settings.camera.as_ref().is_some_and(|camera| !(0.03..=0.6).contains(&camera.near)) => {
                Some("near: 0.03 to 0.6")
            }
            _ if !(0.0..=STRANGERS_IN_MOST).contains(&settings.faces.strangers_in_max) => {
                Some("strangers_in_max: 0 to 0.1")
            }
            _ => None,
        };
        wrong.map_or(Ok(settings), |why| Err(GateError::Settings(why.into())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn the_file_of_a_gate_says_how_its_door_opens() {
        assert_eq!(Settings::parse("").unwrap(), Settings::default());
        let command = Settings::parse("[door]\nopen = \"command\"\ncommand = [\"/bin/open\", \"east gate\"]").unwrap();
        assert_eq!(command.door, DoorPlan::Command { command: vec!["/bin/open".into(), "east gate".into()] });
        let line = Settings::parse("[door]\nopen = \"line\"\nchip = \"/dev/gpiochip0\"\nline = 17").unwrap();
        let expected = DoorPlan::Line { chip: "/dev/gpiochip0".into(), line: 17, active_low: false, hold_ms: 500 };
        assert_eq!(line.door, expected);
        let board = "[door]\nopen = \"board\"\naddress = \"192.168.20.5:60000\"\nserial = 405419896\ndoor = 2";
        assert!(matches!(Settings::parse(board).unwrap().door, DoorPlan::Board { door, .. } if door.get() == 2));
        let own = Settings::parse("[reader]\nkind = \"pcsc\"\n[camera]\ndevice = \"/dev/video2\"").unwrap();
        assert_eq!(own.reader, Some(ReaderPlan { kind: ReaderKind::Pcsc }));
        assert_eq!(own.camera, Some(CameraPlan { device: "/dev/video2".into(), ..CameraPlan::default() }));
        assert_eq!(Settings::parse("[camera]").unwrap().camera.unwrap().device, FIRST_CAMERA);
        assert_eq!(Settings::parse("[faces]\nstrangers_in_max = 0.05").unwrap().faces.strangers_in_max, 0.05);
        assert!(!Settings::parse("[faces]").unwrap().faces.clock_kept, "nobody said so");
        assert!(Settings::parse("[faces]\nclock_kept = true").unwrap().faces.clock_kept);
    }

    #[test]
    fn what_is_wrong_in_the_file_stops_the_start_instead_of_being_passed_over() {
        for wrong in [
            "[door]\nopen = \"shell\"",
            "[door]\nopen = \"command\"",
            "[door]\nopen = \"command\"\ncommand = []",
            "[door]\nopen = \"command\"\ncommand = \"open\"",
            "[door]\nopen = \"line\"\nchip = \"x\"\nline = 1\nhold_ms = 0",
            "[door]\nopen = \"board\"\naddress = \"8.8.8.8:60000\"\nserial = 1\ndoor = 1",
            "[door]\nopen = \"board\"\naddress = \"10.0.0.1:60000\"\nserial = 0\ndoor = 1",
            "[door]\nopen = \"board\"\naddress = \"10.0.0.1:60000\"\nserial = 1\ndoor = 5",
            "[doors]\nopen = \"log\"",
            "[reader]\nkind = \"usb\"",
            "[reader]",
            "[camera]\nnear = 0.9",
            "[camera]\nnear = nan",
            "[camera]\npictures = \"/tmp\"",
            "[faces]\nstrangers_in_max = 0.5",
            "[faces]\nstrangers_in_max = nan",
            "[faces]\nwithout_limit = true",
        ] {
            assert!(matches!(Settings::parse(wrong), Err(GateError::Settings(_))), "{wrong}");
        }
    }
}
