//! The windows: staff, resident and, in practice, the tools beside them.
//!
//! Screens are pure: a message in, an `Action` out, a picture of what they hold. `program` alone turns actions into effects. Deliberately
//! absent: the vault, devices and rules; whatever is shown came in an event.

pub mod contrast;
pub mod explain;
pub mod focus;
pub mod keys;
mod plan;
#[cfg(feature = "practice")]
pub mod practice_tools;
#[cfg(feature = "practice")]
mod probe;
pub mod program;
pub mod resident;
pub mod sections;
pub mod staff;
pub mod theme;
pub mod widget;
pub mod words;
pub mod words_rights;
