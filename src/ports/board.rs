//! The wire to card boards.

use std::time::Duration;

use super::{LinkError, Networks};
use crate::domain::board::BoardSerial;
use crate::wire::board::{Answer, Ask};

/// The wire to card boards: datagrams without authentication. What comes back is what somebody there said, so whoever writes reads back.
pub trait BoardLink: Send {
    /// Asks the board with this serial number and waits for its answer; asks again when none comes. For [`Ask::Find`] without a serial number
    /// whoever is at the address answers.
    ///
    /// # Errors
    /// [`LinkError::Away`] when nothing fitting came within `limit`, [`LinkError::NotLan`], [`LinkError::OtherNetwork`].
    fn ask(
        &mut self,
        address: &str,
        serial: Option<BoardSerial>,
        ask: &Ask,
        limit: Duration,
    ) -> Result<(BoardSerial, Answer), LinkError>;
    /// Keeps to these networks from now on.
    fn keep_to(&mut self, networks: Networks);
}
