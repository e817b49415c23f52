//! The courier's way to card boards: what is due, read back card by card; their clock; and the whole list compared again and again, since
//! nobody at the other end can sign for anything.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::boards::{BoardSeen, DriftLine};
use super::courier::{Courier, Differs, LeftOver, OPS_PER_PASS};
use super::deletion::is_ahead;
use super::drift::unread_line;
use crate::domain::audit::Actor;
use crate::domain::board::{BoardCard, BoardDrift, BoardEntry, BoardFault, BoardRecord};
use crate::domain::delivery::{Delivery, GateOp};
use crate::domain::gate::{CLOCK_SET_BACK_MAX_MS, GateKind, GateStatus, GateTerms};
use crate::domain::id::{GateId, StaffId};
use crate::domain::relay::{DriftCounts, DriftKind, DriftLine as GateLine, drift_counts, reason};
use crate::domain::time::Timestamp;
use crate::ports::{BoardLink, LinkError};
use crate::vault::{BoardCards, VaultError};
use crate::wire::board::{Answer, Ask, Slot, Status};

/// Longest wait for one answer.
pub(super) const BOARD_LIMIT: Duration = Duration::from_millis(1_000);
/// Places of the list that are read in one go. Then it is for whatever else waits; where nothing does, reading goes on.
const PLACES_PER_PASS: u32 = 64;
/// How long boards are read in one pass, all of them together: about as long as the courier would sleep. A board that answers slowly keeps nobody else
/// waiting for longer.
const READING: Duration = Duration::from_millis(900);
/// Places of the list that are read at most: real boards have room for 20,000 to 100,000 cards.
const PLACES_MAX: u32 = 131_072;
/// From this difference on a board's clock is set, in milliseconds: its entries end by its own clock.
const CLOCK_SET_FROM_MS: i64 = 30_000;
/// Of so many of the newest records of the log none may be later than the desk's clock: it was set back.
const RECORDS_LOOKED_AT: u32 = 200;
/// Most differences that are shown one by one.
const SHOWN_MAX: usize = 40;
/// Most cards that may be written while the list is read; after more it is read from the beginning.
const OWN_MAX: usize = 1_000;
/// A reading goes on after a silence of this length at most, in milliseconds.
const SILENCE_MS_MAX: i64 = 60_000;

/// What the courier knows of boards.
pub(super) struct Boards {
    link: Box<dyn BoardLink>,
    known: BTreeMap<GateId, Known>,
    /// How long each may be read in a pass.
    each: Duration,
    /// A list is not at its end.
    reads: bool,
}

impl Boards {
    pub(super) fn new(link: Box<dyn BoardLink>) -> Self {
        Self { link, known: BTreeMap::new(), each: Duration::ZERO, reads: false }
    }
}

/// One board, since the desk was unlocked.
#[derive(Debug, Default)]
struct Known {
    asked_at: Option<Timestamp>,
    answers: bool,
    last_seen_at: Option<Timestamp>,
    drift_ms: Option<i64>,
    version: Option<String>,
    seen: BoardSeen,
    reading: Option<Reading>,
    /// It holds more or fewer cards than a moment ago, and not by our doing: the last comparison is no more than that.
    doubtful: bool,
    differs: BoardDrift,
    /// The same as the other kind of gate says it.
    lines: Vec<GateLine>,
    counts: DriftCounts,
    /// Cards whose number the desk cannot read.
    unread: usize,
}

/// A comparison under way.
#[derive(Debug, Default)]
struct Reading {
    next: u32,
    held: Vec<BoardEntry>,
    /// Cards that the desk wrote since it began, each read back then: their places may have been read before or after.
    own: Vec<BoardCard>,
}

/// What became of one operation.
enum Carried {
    /// Done and read back; what was read, for the record.
    Done(String),
    /// The board will not, or what it holds is something else: staff must look.
    Stuck(&'static str),
}

impl Courier {
    /// One round of all boards. Returns how many operations were done and read back.
    ///
    /// # Errors
    /// The vault failed; boards that do not answer are not an error.
    pub(super) fn pass_boards(&mut self, now: Timestamp) -> Result<u32, VaultError> {
        let (mut done, mut failed) = (0, None);
        let boards = self.vault.boards_to_serve()?;
        self.boards.each = READING / u32::try_from(boards.len()).unwrap_or(u32::MAX).max(1);
        for board in boards {
            if self.shared().is_over() {
                break;
            }
            let mut known = self.boards.known.remove(&board.id).unwrap_or_default();
            match self.visit_board(&board, &mut known, now) {
                Ok(count) => done += count,
                Err(error) => failed = failed.or(Some(error)),
            }
            self.boards.known.insert(board.id, known);
        }
        if std::mem::take(&mut self.boards.reads) {
            // The next round comes at once.
            self.shared().ring();
        }
        failed.map_or(Ok(done), Err)
    }

    fn visit_board(&mut self, board: &BoardRecord, known: &mut Known, now: Timestamp) -> Result<u32, VaultError> {
        let (written, stuck, mut failed) = self.serve_board(board, now)?;
        let done = u32::try_from(written.len()).unwrap_or(u32::MAX);
        // A long list would never be read to its end if every card began it anew.
        if let Some(reading) = &mut known.reading {
            reading.own.extend(written.into_iter().flatten());
        }
        known.reading.take_if(|reading| reading.own.len() > OWN_MAX);
        let due = known.asked_at.is_none_or(|at| now.since(at) >= self.pace.health_ms || now < at);
        // A board that does not answer just now is put right when it does: the press stays.
        let wanted = self.shared().repair_wanted(board.id).filter(|_| due || known.answers);
        if !(due
            || done > 0
            || stuck
            || failed.is_some()
            || wanted.is_some()
            || (known.answers && known.reading.is_some()))
        {
            return Ok(done);
        }
        if failed.is_none() && (due || done > 0) {
            known.asked_at = Some(now);
            failed = self.look_at_board(board, known, done > 0, now).err();
        }
        if let Some(by) = wanted
            && failed.is_none()
        {
            failed = self.mend_board(board, known, by, now)?;
        }
        if failed.is_none() {
            failed = self.read_on(board, known, now)?;
        }
        known.answers = failed.is_none();
        if known.answers {
            known.last_seen_at = Some(now);
        } else {
            known.asked_at = Some(now);
            // One lost answer is none to begin anew for.
            let is_silent = known.last_seen_at.is_none_or(|at| now.since(at) > SILENCE_MS_MAX || now < at);
            known.reading.take_if(|_| is_silent);
        }
        self.note_board(board, known)?;
        Ok(done)
    }

    fn ask_board(&mut self, board: &BoardRecord, ask: &Ask) -> Result<Answer, LinkError> {
        self.boards.link.ask(&board.address, Some(board.serial), ask, BOARD_LIMIT).map(|(_, answer)| answer)
    }

    /// Sends what is due. Returns what was done, each with the card that was written where the board has a number for it, whether the board would
    /// not do one, and what stopped it.
    fn serve_board(
        &mut self,
        board: &BoardRecord,
        now: Timestamp,
    ) -> Result<(Vec<Option<BoardCard>>, bool, Option<LinkError>), VaultError> {
        let (mut done, mut stuck) = (vec![], false);
        let mut cards: Option<(i64, BoardCards)> = None;
        for _ in 0..OPS_PER_PASS {
            let next = match self.vault.next_due(board.id, now) {
                // What can be read goes on.
                Err(error) if error.is_of_a_row() && self.vault.set_aside_unreadable(board.id, now)? > 0 => continue,
                read => read?,
            };
            let Some(delivery) = next else { break };
            // The desk writes meanwhile: a card that it has ended since must not be written back by a list that was read before.
            let version = self.vault.data_version()?;
            if cards.as_ref().is_none_or(|(read_at, _)| *read_at != version) {
                cards = Some((version, self.vault.board_cards(board)?));
            }
            match self.carry(board, &delivery, cards.as_ref().map(|(_, cards)| cards), now) {
                Ok(Carried::Done(note)) => {
                    self.vault.record_board_done(delivery.op, board.id, &note, now)?;
                    done.push(match &delivery.what {
                        GateOp::PutCard { uid, .. } | GateOp::RemoveCard { uid } => board.format.number(uid),
                        _ => None,
                    });
                    // An entry that was read back as written opens its doors today: the card way is there.
                    let opens = matches!(&delivery.what, GateOp::PutCard { ends_on, .. } if *ends_on >= now.date());
                    if opens && !self.vault.card_way_tested(board.id)? {
                        self.vault.record_card_way_test(board.id, Actor::Station, now)?;
                    }
                }
                Ok(Carried::Stuck(reason)) => {
                    let removes = matches!(delivery.what, GateOp::RemoveCard { .. });
                    if removes && self.vault.board_is_retired(board.id)? {
                        self.vault.record_not_taken(delivery.op, reason, now)?;
                    } else {
                        self.vault.record_wedged(delivery.op, reason, now)?;
                    }
                    stuck = true;
                }
                Err(error) => {
                    self.vault.record_try_failed(delivery.op, now)?;
                    return Ok((done, stuck, Some(error)));
                }
            }
        }
        Ok((done, stuck, None))
    }

    /// Brings the board to hold of one card what it should hold now, and reads that back.
    fn carry(
        &mut self,
        board: &BoardRecord,
        delivery: &Delivery,
        cards: Option<&BoardCards>,
        now: Timestamp,
    ) -> Result<Carried, LinkError> {
        let (GateOp::PutCard { uid, .. } | GateOp::RemoveCard { uid }) = &delivery.what else {
            return Ok(Carried::Stuck(reason::CARDS_ONLY));
        };
        let puts = matches!(delivery.what, GateOp::PutCard { .. });
        let Some(number) = board.format.number(uid) else {
            // Never there under a number that no reader gives.
            let stuck = Carried::Stuck(reason::NO_NUMBER);
            return Ok(if puts { stuck } else { Carried::Done(note(board, None, now)) });
        };
        let wanted = cards.and_then(|cards| cards.wanted(number));
        if puts && wanted.is_some_and(|(first, _)| first != uid) {
            return Ok(Carried::Stuck(reason::TWO_CARDS));
        }
        let wanted = wanted.map(|(_, entry)| *entry);
        Ok(match self.bring(board, number, wanted)? {
            Ok(()) => Carried::Done(note(board, wanted, now)),
            Err(reason) => Carried::Stuck(reason),
        })
    }

    /// Writes one card, or erases it, and reads it back.
    fn bring(
        &mut self,
        board: &BoardRecord,
        number: BoardCard,
        wanted: Option<BoardEntry>,
    ) -> Result<Result<(), &'static str>, LinkError> {
        let accepted = match wanted {
            Some(entry) => matches!(self.ask_board(board, &Ask::Put(entry))?, Answer::Put(true)),
            // "No" also means that it was not there; the read-back tells.
            None => matches!(self.ask_board(board, &Ask::Delete(number))?, Answer::Deleted(_)),
        };
        let back = self.ask_board(board, &Ask::Card(number))?;
        Ok(if back == Answer::Card(wanted) {
            Ok(())
        } else if accepted {
            Err(reason::READ_BACK)
        } else {
            Err(reason::BOARD)
        })
    }

    /// Asks how the board is, and sets a clock that is wrong.
    fn look_at_board(
        &mut self,
        board: &BoardRecord,
        known: &mut Known,
        written: bool,
        now: Timestamp,
    ) -> Result<(), LinkError> {
        if known.version.is_none()
            && let Answer::Found(version) = self.ask_board(board, &Ask::Find)?
        {
            known.version = Some(format!("UHPPOTE {:x}.{:02x}", version >> 8, version & 0xFF));
        }
        let Answer::Status(status) = self.ask_board(board, &Ask::Status)? else { return Err(LinkError::Protocol) };
        let mut clock = status.clock;
        let is_off = clock.is_none_or(|clock| clock.since(now).saturating_abs() >= CLOCK_SET_FROM_MS);
        known.seen.clock_doubted = is_off && self.doubts_clock(now);
        if is_off && !known.seen.clock_doubted {
            self.ask_board(board, &Ask::SetTime(now))?;
            clock = match self.ask_board(board, &Ask::Time)? {
                Answer::Time(clock) => clock,
                _ => None,
            };
            tracing::info!(board = %board.id.short(), "the clock of a card board was set");
        }
        known.drift_ms = clock.map(|clock| clock.since(now));
        let Status { doors_open, error, .. } = status;
        (known.seen.doors_open, known.seen.error) = (doors_open, error);
        known.seen.events_to = self.ask_board(board, &Ask::Listener)?.events_to();
        if let Answer::Count(count) = self.ask_board(board, &Ask::Count)? {
            if count != known.seen.cards {
                known.doubtful |= !written;
                if !written || known.reading.is_none() {
                    known.reading = Some(Reading::default());
                }
            }
            known.seen.cards = count;
        }
        let rested = known.seen.compared_at.is_none_or(|at| now.since(at) >= self.pace.board_ms || now < at);
        if known.reading.is_none() && rested {
            known.reading = Some(Reading::default());
        }
        Ok(())
    }

    /// Whether the desk's own clock cannot be believed: a board that is set to it would let nobody in any more, or let in who has ended.
    fn doubts_clock(&self, now: Timestamp) -> bool {
        let read = || -> Result<bool, VaultError> {
            let from = self.vault.log_len()?.saturating_sub(u64::from(RECORDS_LOOKED_AT));
            let records = self.vault.log_records(from, RECORDS_LOOKED_AT)?;
            let latest = records.iter().map(|record| record.at).max().unwrap_or_default();
            Ok(is_ahead(self.vault.trusted_at()?, now) || latest.saturating_sub(now.ms()) > CLOCK_SET_BACK_MAX_MS)
        };
        read().unwrap_or_else(|error| {
            tracing::warn!(%error, "whether the clock can be believed could not be read");
            true
        })
    }

    /// Reads on in the list; at its end the difference is known.
    fn read_on(
        &mut self,
        board: &BoardRecord,
        known: &mut Known,
        now: Timestamp,
    ) -> Result<Option<LinkError>, VaultError> {
        let Some(mut reading) = known.reading.take() else { return Ok(None) };
        let began = Instant::now();
        for read in 1.. {
            reading.next += 1;
            match self.ask_board(board, &Ask::CardAt(reading.next)) {
                Ok(Answer::CardAt(Slot::Held(entry))) => reading.held.push(entry),
                Ok(Answer::CardAt(Slot::End)) => {
                    self.compare_board(board, known, &reading, now)?;
                    return Ok(None);
                }
                Ok(_) => {}
                Err(error) => {
                    reading.next -= 1;
                    known.reading = Some(reading);
                    return Ok(Some(error));
                }
            }
            if reading.next >= PLACES_MAX {
                return Ok(Some(LinkError::Protocol));
            }
            let is_awaited = read % PLACES_PER_PASS == 0 && self.shared().is_awaited();
            if is_awaited || began.elapsed() >= self.boards.each {
                self.boards.reads = true;
                break;
            }
        }
        known.reading = Some(reading);
        Ok(None)
    }

    fn compare_board(
        &mut self,
        board: &BoardRecord,
        known: &mut Known,
        reading: &Reading,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let cards = self.vault.board_cards(board)?;
        let should: Vec<BoardEntry> = cards.should.iter().map(|(_, entry)| *entry).collect();
        let moving = [&cards.moving[..], &reading.own].concat();
        let drift = BoardDrift::judge(&reading.held, &should, &moving);
        if drift.is_empty() != known.differs.is_empty() {
            self.vault.record_board_drift(board.id, if drift.is_empty() { "gone" } else { "found" }, now)?;
        }
        if !drift.is_empty() {
            tracing::warn!(board = %board.id.short(), cards = drift.len(), "a card board and the desk differ");
        }
        known.seen.compared_at = Some(now);
        known.seen.drift_count = u32::try_from(drift.len()).unwrap_or(u32::MAX);
        let extra = drift.each().filter(|(fault, ..)| *fault == BoardFault::Extra).count();
        known.seen.extra_count = u32::try_from(extra).unwrap_or(u32::MAX);
        known.seen.drift =
            drift.each().take(SHOWN_MAX).map(|(fault, card, _)| DriftLine { fault, last4: card.last4() }).collect();
        let line = |(fault, card, _): (BoardFault, BoardCard, Option<BoardEntry>)| GateLine {
            kind: match fault {
                BoardFault::Extra => DriftKind::CardLeftOver,
                BoardFault::Missing => DriftKind::CardMissing,
                BoardFault::Differs => DriftKind::CardDay,
            },
            number: card.last4(),
        };
        let mut lines: Vec<GateLine> = cards.unread.iter().map(|card| unread_line(*card)).collect();
        lines.extend(drift.each().map(line));
        known.counts = drift_counts(&lines);
        lines.truncate(SHOWN_MAX);
        known.lines = lines;
        known.unread = cards.unread.len();
        let mut differs = Differs::default();
        for (fault, card, _) in drift.each() {
            let kind = if fault == BoardFault::Missing { DriftKind::CardMissing } else { DriftKind::CardDay };
            match cards.cards.get(&card).filter(|_| fault != BoardFault::Extra) {
                Some(id) => {
                    differs.cards.insert(*id, (kind, now));
                }
                None => {
                    differs.left_over.insert(LeftOver::Board(card), now);
                }
            }
        }
        self.shared().note_differs(board.id, differs);
        known.doubtful = false;
        known.differs = drift;
        Ok(())
    }

    /// Brings every card of the last difference to what it should be, each read back. Somebody asked for it.
    fn mend_board(
        &mut self,
        board: &BoardRecord,
        known: &mut Known,
        by: StaffId,
        now: Timestamp,
    ) -> Result<Option<LinkError>, VaultError> {
        let mut version = self.vault.data_version()?;
        let mut cards = self.vault.board_cards(board)?;
        let faults: Vec<BoardCard> = known.differs.each().map(|(_, card, _)| card).collect();
        let (mut mended, mut left) = (0, 0);
        for card in faults {
            let known_now = self.vault.data_version()?;
            if known_now != version {
                (version, cards) = (known_now, self.vault.board_cards(board)?);
            }
            if cards.moving.contains(&card) {
                continue;
            }
            // As it should be now, not as it should have been when the difference was found.
            let wanted = cards.wanted(card).map(|(_, entry)| *entry);
            match self.bring(board, card, wanted) {
                Ok(Ok(())) => mended += 1,
                Ok(Err(reason)) => {
                    left += 1;
                    tracing::warn!(board = %board.id.short(), reason, "a card was not mended");
                }
                Err(error) => return Ok(Some(error)),
            }
        }
        self.shared().take_repair(board.id);
        if mended > 0 || left == 0 {
            // Where the board took no card, nothing was done that the log could say.
            self.vault.record_board_act(board.id, "mended", Actor::Staff(by), now)?;
        }
        // Whether it worked is said by a whole new comparison.
        known.reading = Some(Reading::default());
        Ok(None)
    }

    fn note_board(&mut self, board: &BoardRecord, known: &Known) -> Result<(), VaultError> {
        let counts = self.vault.queue_counts()?;
        let count = counts.iter().find(|c| c.gate == board.id);
        let tested = self.vault.card_way_tested(board.id)?;
        self.shared().note(GateStatus {
            id: board.id,
            name: board.name.clone(),
            kind: GateKind::Board,
            reachable: known.answers,
            last_seen_at: known.last_seen_at,
            pending: count.map_or(0, |c| c.pending),
            wedged: count.map_or(0, |c| c.wedged),
            oldest_pending_at: count.and_then(|c| c.oldest_pending_at),
            clock_drift_ms: known.answers.then_some(known.drift_ms).flatten(),
            version: known.version.clone(),
            card_way_tested: tested,
            key_changed: false,
            in_step: known
                .seen
                .compared_at
                .filter(|_| !known.doubtful)
                .map(|_| known.differs.is_empty() && known.unread == 0),
            compared_at: known.seen.compared_at,
            drift: known.lines.clone(),
            drift_counts: known.counts.clone(),
            drift_count: known.seen.drift_count,
            card_first: false,
            faces_rest: None,
            terms: GateTerms::default(),
        });
        self.shared().note_board(board.id, known.seen.clone());
        Ok(())
    }
}

/// What was read back, in words, without the card's number: the evidence log holds its digest. Nobody signed it.
fn note(board: &BoardRecord, held: Option<BoardEntry>, now: Timestamp) -> String {
    let what = match held {
        Some(entry) => {
            let doors: Vec<String> = board.doors.each().map(|door| door.get().to_string()).collect();
            let until = entry.until.map(|day| day.to_string()).unwrap_or_default();
            format!("held until {until} at doors {}", doors.join(" "))
        }
        None => "not held".into(),
    };
    format!("menka board read-back 1: board {}, {what}, at {}, not signed", board.serial, now.second_text())
}
