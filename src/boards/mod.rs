//! Card boards (UHPPOTE, 微耕) over UDP: the adapter. Every question has a socket of its own, bound to the way to that board and connected to
//! it: late and repeated answers of earlier questions find no socket, and what others on the wire send is not received.
//!
//! Deliberately absent: broadcasts (nothing is searched for; a board is added by its address), name look-up, TCP.

pub mod cli;

use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use crate::domain::board::BoardSerial;
use crate::network;
use crate::ports::{BoardLink, LinkError, Networks};
use crate::wire::address::lan_address;
use crate::wire::board::{self, Answer, Ask, BoardError, BoardEvent, LENGTH};

/// Wait before a question is sent once more. Boards answer in 5 to 50 ms; every question may be repeated.
const AGAIN_AFTER: Duration = Duration::from_millis(250);
/// Most sendings of one question.
const SENDINGS_MAX: u32 = 4;
/// Most datagrams that are looked at for one question: a flood ends as "away", not as an endless loop.
const LOOKED_AT_MAX: u32 = 1_000;

/// The real [`BoardLink`].
#[derive(Debug, Default)]
pub struct UdpBoards {
    networks: Networks,
}

impl UdpBoards {
    /// A link to any board on the LAN.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Makes links to boards, as the desk wants them.
pub fn links() -> Box<dyn Fn() -> Box<dyn BoardLink> + Send> {
    Box::new(|| Box::new(UdpBoards::new()))
}

impl BoardLink for UdpBoards {
    fn keep_to(&mut self, networks: Networks) {
        self.networks = networks;
    }

    fn ask(
        &mut self,
        address: &str,
        serial: Option<BoardSerial>,
        ask: &Ask,
        limit: Duration,
    ) -> Result<(BoardSerial, Answer), LinkError> {
        let to = address_of(address)?;
        let until = Instant::now() + limit;
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).map_err(|_| LinkError::Away)?;
        network::keep_to(&self.networks, &socket, to.into())?;
        // From here on the system hands over datagrams of this address and port only.
        socket.connect(&SocketAddr::V4(to).into()).map_err(|_| LinkError::Away)?;
        let socket = UdpSocket::from(socket);
        let question = ask.encode(serial);
        let (mut looked_at, mut odd) = (0, None);
        for _ in 0..SENDINGS_MAX {
            if socket.send(&question).is_err() && remaining(until).is_none() {
                break;
            }
            let again = (Instant::now() + AGAIN_AFTER).min(until);
            while let Some(left) = remaining(again) {
                looked_at += 1;
                if looked_at > LOOKED_AT_MAX || socket.set_read_timeout(Some(left)).is_err() {
                    return Err(LinkError::Away);
                }
                // One byte more than a datagram may have: a longer one must not look like a good one.
                let mut bytes = [0; LENGTH + 1];
                // A refused port is told as an error at once: nothing is to be had before the next sending.
                let Ok(length) = socket.recv(&mut bytes) else {
                    std::thread::sleep(remaining(again).unwrap_or_default().min(Duration::from_millis(20)));
                    continue;
                };
                match ask.answer(serial, bytes.get(..length).unwrap_or_default()) {
                    Ok(answer) => return Ok(answer),
                    Err(error) => odd = Some(error),
                }
            }
            if remaining(until).is_none() {
                break;
            }
        }
        if let Some(error) = odd {
            tracing::warn!(%error, "only odd datagrams came from a card board's address");
        }
        Err(match odd {
            Some(BoardError::OtherBoard) => LinkError::OtherBoard,
            Some(BoardError::Malformed | BoardError::Other) | None => LinkError::Away,
        })
    }
}

/// Hears what one board sends by itself. The address is ours from the moment this exists until it is dropped: whatever the board sends in
/// between waits in the system and is not lost while an earlier event is being looked at.
#[derive(Debug)]
pub struct BoardListener {
    socket: UdpSocket,
    serial: BoardSerial,
}

impl BoardListener {
    /// Takes our address `at` for the events of the board with this serial number. Does not tell the board: [`Ask::SetListener`] does.
    ///
    /// # Errors
    /// [`LinkError::NotLan`], [`LinkError::Away`] when the address is not ours or is in use.
    pub fn at(at: SocketAddr, serial: BoardSerial) -> Result<Self, LinkError> {
        let socket = UdpSocket::bind(address_of(&at.to_string())?).map_err(|_| LinkError::Away)?;
        Ok(Self { socket, serial })
    }

    /// Waits for the next event; `None` when none came within `limit`. What others send is passed over.
    pub fn next(&self, limit: Duration) -> Option<BoardEvent> {
        let until = Instant::now() + limit;
        for _ in 0..LOOKED_AT_MAX {
            self.socket.set_read_timeout(Some(remaining(until)?)).ok()?;
            let mut bytes = [0; LENGTH + 1];
            let Ok((length, _)) = self.socket.recv_from(&mut bytes) else { continue };
            match board::event(bytes.get(..length).unwrap_or_default()) {
                Ok((from, Some(event))) if from == self.serial => return Some(event),
                Ok(_) | Err(_) => {}
            }
        }
        None
    }
}

/// A LAN address of version 4: boards know no other.
fn address_of(text: &str) -> Result<SocketAddrV4, LinkError> {
    match lan_address(text) {
        Some(SocketAddr::V4(address)) => Ok(address),
        Some(SocketAddr::V6(_)) | None => Err(LinkError::NotLan),
    }
}

fn remaining(until: Instant) -> Option<Duration> {
    until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests;
