//! Card readers: PC/SC for readers of the smart card service; keyboard-wedge readers need none of this (`CardUid::from_wedge`).
//!
//! Only the card's number is read. Deliberately absent: writing to cards, keys of cards, and anything of a face.
//!
//! ```no_run
//! use menka::{cards::PcscReader, ports::CardReader};
//! let mut reader = PcscReader::new();
//! if let Ok(Some(card)) = reader.present() {
//!     println!("card ending in {}", card.last4());
//! }
//! ```

pub mod apdu;
mod pcsc;

pub use self::pcsc::PcscReader;
