//! Practice: a camera that plays still pictures and a card reader without a card, both moved by the tools window and by tests.
//!
//! Only with the feature `practice`, which the package build refuses. Everything between these devices and the gates is the real thing:
//! detector, model, vault, channel and gate. Deliberately absent: made-up templates, made-up answers.
//!
//! ```no_run
//! use std::path::Path;
//! use menka::practice::{Controls, PictureCamera, PracticeAct, PracticeReader, people};
//!
//! let people = people(Path::new("var/pictures"))?;
//! let controls = Controls::new();
//! let camera = PictureCamera::new(people, controls.clone());
//! let reader = PracticeReader::new(controls.clone());
//! controls.act(PracticeAct::Seat(1));
//! controls.act(PracticeAct::TapCard(0));
//! # Ok::<(), menka::practice::PracticeError>(())
//! ```

pub mod board;
mod camera;
#[cfg(all(feature = "face", feature = "camera", target_os = "linux"))]
pub mod camera_check;
#[cfg(feature = "face")]
pub mod console;
#[cfg(feature = "face")]
pub mod drive;
mod folder;
#[cfg(feature = "face")]
pub mod labelled;
mod people;
mod picture;
mod reader;
pub mod site;
mod tools;

pub use camera::PictureCamera;
pub use folder::LabelledFolder;
pub use people::{Person, PracticeError, people};
pub use picture::{Variant, heads, picture_frame};
pub use reader::{PracticeReader, practice_card};
pub use tools::{Controls, PracticeAct, PracticeState, Seated};

/// Width of every practice frame in pixels.
pub const WIDTH: u32 = 640;

/// Height of every practice frame in pixels.
pub const HEIGHT: u32 = 480;

/// Frames per second of the picture camera.
pub const FRAMES_PER_SECOND: u32 = 30;
