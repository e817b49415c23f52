//! The courier at card boards beside a desk that writes, a clock that cannot be believed, and a board that does not answer just now.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use menka::app::courier::{Courier, Shared};
use menka::domain::Realm;
use menka::domain::board::{BoardDoors, BoardEntry, BoardRecord, BoardSerial, CardFormat};
use menka::domain::id::{GateId, ResidentId};
use menka::domain::time::Timestamp;
use menka::ports::{BoardLink, LinkError, Networks};
use menka::secret::random_bytes;
use menka::vault::Vault;
use menka::wire::board::{Answer, Ask, Slot, Status};

use super::deletion::{DAY, HOUR, later};
use super::rig;
use super::site::*;

/// A board in this process.
#[derive(Default)]
struct Posing {
    held: BTreeMap<u32, BoardEntry>,
    clock: Timestamp,
    clocks_set: u32,
    away: bool,
    /// What happens at the desk while the next card is being written.
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

struct Link(Arc<Mutex<Posing>>);

impl BoardLink for Link {
    fn keep_to(&mut self, _: Networks) {}

    fn ask(
        &mut self,
        _: &str,
        serial: Option<BoardSerial>,
        ask: &Ask,
        _: Duration,
    ) -> Result<(BoardSerial, Answer), LinkError> {
        let meanwhile = match ask {
            Ask::Put(_) => self.0.lock().unwrap().meanwhile.take(),
            _ => None,
        };
        if let Some(act) = meanwhile {
            act();
        }
        let mut board = self.0.lock().unwrap();
        if board.away {
            return Err(LinkError::Away);
        }
        let answer = match ask {
            Ask::Put(entry) => {
                board.held.insert(entry.card.get(), *entry);
                Answer::Put(true)
            }
            Ask::Delete(card) => Answer::Deleted(board.held.remove(&card.get()).is_some()),
            Ask::Card(card) => Answer::Card(board.held.get(&card.get()).copied()),
            Ask::CardAt(place) => {
                let at = board.held.values().nth(*place as usize - 1);
                Answer::CardAt(at.map_or(Slot::End, |entry| Slot::Held(*entry)))
            }
            Ask::Count => Answer::Count(u32::try_from(board.held.len()).unwrap()),
            Ask::SetTime(now) => {
                board.clock = *now;
                board.clocks_set += 1;
                Answer::TimeSet(Some(*now))
            }
            Ask::Time => Answer::Time(Some(board.clock)),
            Ask::Status => {
                Answer::Status(Status { clock: Some(board.clock), doors_open: [false; 4], error: 0, last: None })
            }
            Ask::Listener => Answer::Listener(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0), 0),
            Ask::Find => Answer::Found(0x0892),
            _ => return Err(LinkError::Protocol),
        };
        Ok((serial.unwrap(), answer))
    }
}

struct Site {
    _folder: tempfile::TempDir,
    vault: Vault,
    board: GateId,
    courier: Courier,
    posing: Arc<Mutex<Posing>>,
}

impl Site {
    fn new() -> Self {
        let (folder, mut vault) = new_vault(Realm::Real);
        let record = BoardRecord {
            id: GateId::from_bytes(random_bytes()),
            name: "地库门".into(),
            place: "2 号楼地下一层".into(),
            address: "127.0.0.1:60000".into(),
            serial: BoardSerial::new(405_419_896).unwrap(),
            doors: BoardDoors::from_bits(1).unwrap(),
            format: CardFormat::Wiegand34,
        };
        let board = vault.record_board(&record, NOW).unwrap();
        let posing = Arc::new(Mutex::new(Posing { clock: later(0), ..Posing::default() }));
        let (boards, shared) = (Box::new(Link(Arc::clone(&posing))), Arc::new(Shared::default()));
        let courier = Courier::new(vault.second_connection().unwrap(), rig::nobody(), boards, shared);
        Self { _folder: folder, vault, board, courier, posing }
    }

    fn resident(&mut self, name: &str, card: u32) -> ResidentId {
        let resident = resident(&mut self.vault, name, &format!("3-{card}"));
        self.vault.issue_card(resident, &uid(card), &[self.board], last_day(), NOW).unwrap();
        resident
    }

    fn held(&self) -> Vec<u32> {
        self.posing.lock().unwrap().held.keys().copied().collect()
    }

    fn passes(&mut self, from: Timestamp, seconds: i64) {
        for second in 0..seconds {
            self.courier.pass(from.plus_ms(second * 1_000)).unwrap();
        }
    }
}

#[test]
fn j10_a_card_that_the_desk_ends_while_the_courier_writes_others_is_not_written_back() {
    let mut site = Site::new();
    let ends = site.resident("王小明", 1_001);
    site.passes(later(0), 3);
    assert_eq!(site.held(), [1_001]);
    // A person moves in; while that card is being written, the desk ends the first one, and a third one gets another last day.
    let changed = site.resident("周小雨", 1_003);
    site.passes(later(HOUR), 3);
    site.resident("李小红", 1_002);
    let mut desk = site.vault.second_connection().unwrap();
    let (board, sooner) = (site.board, last_day().plus_days(-100));
    site.posing.lock().unwrap().meanwhile = Some(Box::new(move || {
        desk.end_card(ends, later(2 * HOUR)).unwrap();
        desk.issue_card(changed, &uid(1_003), &[board], sooner, later(2 * HOUR)).unwrap();
    }));
    site.passes(later(2 * HOUR), 1);
    assert_eq!(site.held(), [1_002, 1_003]);
    let until = site.posing.lock().unwrap().held[&1_003].until;
    assert_eq!(until, Some(sooner));
    assert_eq!(site.vault.queue_counts().unwrap().iter().map(|c| c.pending + c.wedged).sum::<u32>(), 0);
}

#[test]
fn j10_a_board_is_not_set_to_a_clock_that_cannot_be_believed() {
    let mut site = Site::new();
    let resident = site.resident("王小明", 1_001);
    site.passes(later(0), 3);
    let set = |site: &Site| site.posing.lock().unwrap().clocks_set;
    let doubted = |site: &Site| site.courier.shared().board(site.board).unwrap().clock_doubted;
    assert_eq!((set(&site), doubted(&site)), (0, false), "right as it is");
    // Nobody believes a desk that was open yesterday and is 400 days on.
    site.passes(later(400 * DAY), 3);
    assert_eq!((set(&site), doubted(&site)), (0, true));
    // Nor one that is before what it has written itself.
    site.vault.trust(None, later(9 * DAY)).unwrap();
    site.vault.record_face_asked(resident, later(9 * DAY)).unwrap();
    site.posing.lock().unwrap().clock = later(9 * DAY);
    site.passes(later(-20 * DAY), 3);
    assert_eq!((set(&site), doubted(&site)), (0, true));
    // The right day: a board that is an hour off is set.
    site.posing.lock().unwrap().clock = later(9 * DAY);
    site.passes(later(9 * DAY + HOUR), 8);
    assert_eq!((set(&site), doubted(&site)), (1, false));
}
