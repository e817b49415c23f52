//! A card reader without a reader: cards are laid on it from the tools window.

use super::tools::Controls;
use crate::domain::card::CardUid;
use crate::ports::{CardReader, ReaderError};

/// The practice reader.
#[derive(Debug)]
pub struct PracticeReader {
    controls: Controls,
}

impl PracticeReader {
    /// A reader moved by these controls.
    pub fn new(controls: Controls) -> Self {
        Self { controls }
    }
}

impl CardReader for PracticeReader {
    fn present(&mut self) -> Result<Option<CardUid>, ReaderError> {
        let mut devices = self.controls.lock();
        if !devices.reader_plugged {
            return Err(ReaderError::None);
        }
        if devices.take_pull() {
            return Err(ReaderError::CardPulled);
        }
        Ok(devices.card_now().and_then(practice_card))
    }
}

/// The number of practice card `number`: seven bytes, as a real card's, with a maker's code that no maker has.
pub fn practice_card(number: usize) -> Option<CardUid> {
    let [high, low] = u16::try_from(number).ok()?.to_be_bytes();
    CardUid::from_bytes(&[0xFE, 0x50, 0x52, 0x41, 0x43, high, low])
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::PracticeAct;
    use super::*;

    #[test]
    fn a_tapped_card_lies_there_for_a_while_and_then_is_gone() {
        let controls = Controls::new();
        let mut reader = PracticeReader::new(controls.clone());
        assert_eq!(reader.present(), Ok(None));
        controls.act(PracticeAct::TapCard(3));
        let start = Instant::now();
        assert_eq!(reader.present(), Ok(practice_card(3)));
        assert_eq!(reader.present(), Ok(practice_card(3)), "the same card keeps being presented");
        while reader.present() != Ok(None) {
            assert!(start.elapsed() < Duration::from_secs(5));
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(start.elapsed() >= Controls::TAP);
    }

    #[test]
    fn cards_stay_or_go_as_told_and_a_pull_is_told_once() {
        let controls = Controls::new();
        let mut reader = PracticeReader::new(controls.clone());
        controls.lay_card(1);
        assert_eq!(reader.present(), Ok(practice_card(1)));
        controls.act(PracticeAct::TakeCardAway);
        assert_eq!(reader.present(), Ok(None));
        controls.act(PracticeAct::TapCard(1));
        controls.act(PracticeAct::PullCard);
        assert_eq!(reader.present(), Err(ReaderError::CardPulled));
        assert_eq!(reader.present(), Ok(None));
        controls.act(PracticeAct::UnplugReader);
        assert_eq!(reader.present(), Err(ReaderError::None));
        controls.act(PracticeAct::PlugReader);
        assert_eq!(reader.present(), Ok(None));
    }

    #[test]
    fn practice_cards_differ_from_each_other() {
        assert_ne!(practice_card(0), practice_card(1));
        assert_eq!(practice_card(usize::MAX), None);
    }
}
