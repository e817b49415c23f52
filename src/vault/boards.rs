//! Card boards: which there are, what each must hold, and what was read back. Beside the gates with keys, never among them.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::board::{AnyGate, BoardCard, BoardDoors, BoardEntry, BoardRecord, BoardSerial, CardFormat};
use crate::domain::card::CardUid;
use crate::domain::id::{CardId, GateId, OpId};
use crate::domain::time::{CivilDate, Timestamp};

use super::Vault;
use super::error::{MAIN_FILE, VaultError};
use super::outbox::{self, Queued};

/// What a board must hold, and what is on its way.
#[derive(Clone, Debug, Default)]
pub struct BoardCards {
    /// Cards in force, the one that was issued first in front.
    pub should: Vec<(CardUid, BoardEntry)>,
    /// Which card an entry is: of two with one number, the first.
    pub cards: BTreeMap<BoardCard, CardId>,
    /// Numbers that wait for the board, or that it refused.
    pub moving: Vec<BoardCard>,
    /// Cards in force there whose number cannot be read. They are not among the others.
    pub unread: Vec<CardId>,
}

impl BoardCards {
    /// What the board must hold under a number: of two cards that a board cannot tell apart, the one that was there first.
    pub fn wanted(&self, number: BoardCard) -> Option<&(CardUid, BoardEntry)> {
        self.should.iter().find(|(_, entry)| entry.card == number)
    }
}

impl Vault {
    /// Boards in use, by name.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn boards(&self) -> Result<Vec<BoardRecord>, VaultError> {
        self.boards_where("retired_at IS NULL")
    }

    /// Boards that must still be served: those in use, and retired ones that hold cards.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn boards_to_serve(&self) -> Result<Vec<BoardRecord>, VaultError> {
        self.boards_where(
            "retired_at IS NULL OR EXISTS (SELECT 1 FROM outbox WHERE outbox.gate = gates.id AND state = 'pending')",
        )
    }

    /// Whether a board is out of use: what it would not let go of is asked again, since nobody looks at it any more.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn board_is_retired(&self, board: GateId) -> Result<bool, VaultError> {
        let sql = "SELECT retired_at IS NOT NULL FROM gates WHERE id = ?1";
        Ok(self.main.prepare_cached(sql)?.query_row([board.bytes()], |row| row.get(0))?)
    }

    /// Every gate of either kind that was ever known, for the names beside a card.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn doors_ever(&self) -> Result<Vec<AnyGate>, VaultError> {
        let gates = self.gates_ever()?.into_iter().map(|gate| AnyGate::Gate(Box::new(gate)));
        Ok(gates.chain(self.boards_where("1")?.into_iter().map(AnyGate::Board)).collect())
    }

    fn boards_where(&self, condition: &'static str) -> Result<Vec<BoardRecord>, VaultError> {
        let sql = format!(
            "SELECT id, shown_name, place, address, serial, doors, card_format FROM gates
             JOIN boards ON boards.gate = gates.id WHERE {condition} ORDER BY shown_name, id"
        );
        let mut statement = self.main.prepare(&sql)?;
        let rows = statement.query_map([], |row| Ok(board_of(row)))?;
        rows.map(|row| row?.ok_or_else(|| VaultError::corrupt(MAIN_FILE))).collect()
    }

    /// Records a board, or what is said of a known one (by its serial number). Returns its id: `board.id` for a new one, else the one that it
    /// has. With other doors or another wiring all its cards go there again.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_board(&mut self, board: &BoardRecord, now: Timestamp) -> Result<GateId, VaultError> {
        let work = self.begin()?;
        let sql = "SELECT gate, doors, card_format FROM boards WHERE serial = ?1";
        let known: Option<(GateId, u8, String)> = work
            .query_row(sql, [board.serial.get()], |r| Ok((r.get(0).map(GateId::from_bytes)?, r.get(1)?, r.get(2)?)))
            .optional()?;
        let id = known.as_ref().map_or(board.id, |(id, ..)| *id);
        work.execute(
            "INSERT INTO gates (id, shown_name, place, capture_area, other_way, why_needed, address, tls_pin, seal_key,
                 sign_key, takes_faces, paired_at)
             VALUES (?1, ?2, ?3, '', '', '', ?4, zeroblob(32), zeroblob(32), zeroblob(32), 0, ?5)
             ON CONFLICT (id) DO UPDATE SET shown_name = ?2, place = ?3, address = ?4, retired_at = NULL",
            params![id.bytes(), board.name, board.place, board.address, now.ms()],
        )?;
        work.execute(
            "INSERT INTO boards (gate, serial, doors, card_format) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (gate) DO UPDATE SET doors = ?3, card_format = ?4",
            params![id.bytes(), board.serial.get(), board.doors.bits(), board.format.label()],
        )?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::BoardRecorded(id), now)?;
        if known.is_some_and(|(_, doors, format)| doors != board.doors.bits() || format != board.format.label()) {
            let cards: Vec<CardId> = work
                .prepare(
                    "SELECT cards.id FROM cards JOIN card_gates ON card_gates.card = cards.id
                     WHERE gate = ?1 AND ended_at IS NULL ORDER BY cards.id",
                )?
                .query_map([id.bytes()], |row| row.get(0).map(CardId::from_bytes))?
                .collect::<Result<_, _>>()?;
            for card in cards {
                outbox::queue(&work, id, Queued::PutCard(card), now)?;
            }
        }
        work.commit()?;
        Ok(id)
    }

    /// What a board must hold now, and what is on its way there.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn board_cards(&self, board: &BoardRecord) -> Result<BoardCards, VaultError> {
        let mut cards = BoardCards::default();
        let mut statement = self.main.prepare_cached(
            "SELECT cards.id, ends_on FROM card_gates JOIN cards ON cards.id = card_gates.card
             WHERE gate = ?1 AND ended_at IS NULL ORDER BY issued_at, cards.id",
        )?;
        let rows = statement.query_map([board.id.bytes()], |row| {
            Ok((CardId::from_bytes(row.get(0)?), CivilDate::from_epoch_days(row.get(1)?)))
        })?;
        for row in rows {
            let (card, ends_on) = row?;
            let uid = match self.card_number(&self.main, card) {
                Err(error) if error.is_of_a_row() => {
                    cards.unread.push(card);
                    continue;
                }
                read => read?,
            };
            if let Some(number) = board.format.number(&uid) {
                cards.cards.entry(number).or_insert(card);
                cards.should.push((uid, BoardEntry::of(number, ends_on, board.doors)));
            }
        }
        let mut statement = self.main.prepare_cached(
            "SELECT card FROM outbox WHERE gate = ?1 AND state IN ('pending', 'wedged') AND card IS NOT NULL",
        )?;
        let rows = statement.query_map([board.id.bytes()], |row| row.get(0).map(CardId::from_bytes))?;
        for card in rows {
            match self.card_number(&self.main, card?) {
                Err(error) if error.is_of_a_row() => {}
                read => cards.moving.extend(board.format.number(&read?)),
            }
        }
        Ok(cards)
    }

    /// Changes whenever another connection has written to the vault's main file; what this connection writes does not change it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn data_version(&self) -> Result<i64, VaultError> {
        Ok(self.main.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
    }

    /// Records that an operation was done at a board and read back. `note` says what was read, without the card's number: nobody signed it.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] when this board has no such operation, and those of the disk.
    pub fn record_board_done(&mut self, op: OpId, board: GateId, note: &str, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "SELECT state FROM outbox WHERE op = ?1 AND gate = ?2 AND gate IN (SELECT gate FROM boards)";
        let state: Option<String> =
            work.query_row(sql, params![op.bytes(), board.bytes()], |row| row.get(0)).optional()?;
        match state.as_deref() {
            None => return Err(VaultError::Unknown),
            Some("delivered") => return Ok(()),
            Some(_) => {}
        }
        work.execute(
            "UPDATE outbox SET state = 'delivered', settled_at = ?2, receipt = ?3, reason = NULL, read_back_at = ?2
             WHERE op = ?1",
            params![op.bytes(), now.ms(), note.as_bytes()],
        )?;
        let digest = Some(Sha256::digest(note).into());
        // By the station: a board cannot prove that it spoke.
        self.append_with(&work, Actor::Station, &AuditEvent::Delivered(op, board), None, digest, now)?;
        Ok(work.commit()?)
    }

    /// Logs that a board and the desk differ (`found`), or agree again (`gone`).
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_board_drift(&mut self, board: GateId, label: &'static str, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.append(&work, Actor::Station, &AuditEvent::BoardDrift(board, label), now)?;
        Ok(work.commit()?)
    }

    /// Logs what somebody did at a board from the desk: `mended`, `door-opened`, `door-unanswered` (asked, and no answer came: it may have opened),
    /// `events-stopped`.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_board_act(
        &mut self,
        board: GateId,
        label: &'static str,
        who: Actor,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.append(&work, who, &AuditEvent::BoardAct(board, label), now)?;
        Ok(work.commit()?)
    }
}

fn board_of(row: &Row<'_>) -> Option<BoardRecord> {
    let text = |at: usize| row.get::<_, String>(at).ok();
    Some(BoardRecord {
        id: row.get(0).map(GateId::from_bytes).ok()?,
        name: text(1)?,
        place: text(2)?,
        address: text(3)?,
        serial: row.get(4).ok().and_then(BoardSerial::new)?,
        doors: row.get(5).ok().and_then(BoardDoors::from_bits)?,
        format: CardFormat::from_label(&text(6)?)?,
    })
}
