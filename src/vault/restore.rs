//! Restoring a backup: unpacked beside the vault, opened with the printed key and with what a gate keeps, everything that
//! was erased or ended since done again, and only then put in the vault's place at once (`swap`). A drill is the same
//! without the last step. Rules: P47, P56, K2-9.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use crate::domain::Realm;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::EraseReason;
use crate::domain::gate::GateRecord;
use crate::domain::id::{ResidentId, SiteId, StaffId};
use crate::domain::keep::KeepEvent;
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::evidence::checkpoint;
use crate::secret::RecoveryKey;

use super::backup::{Header, SEALED_TEXT, card_place, names, numbers, own_texts, sealed_place, text_place};
use super::database::{self, Opening};
use super::epoch::{self, Epoch, Note, in_keys};
use super::error::{KEYS_FILE, MAIN_FILE, VaultError};
use super::keys::{Ring, VaultKey, derive};
use super::punctures::{Leaf, Tree};
use super::residents::{open_text, place, resident_is_known};
use super::slots::{Slots, unhex};
use super::swap::{self, Old};
use super::{Vault, steps};

/// Where a restored vault keeps when that was. A gate that lacks a face then ends the consent everywhere.
pub(super) const RESTORED_AT: &str = "restored-at";

/// What restoring has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreReport {
    /// When the backup was made.
    pub made_at: Timestamp,
    /// People whose records opened.
    pub people: u64,
    /// Records of the log.
    pub records: u64,
    /// Records of the log that a gate has seen and the backup does not have; `None` when no gate could say.
    pub lost: Option<u64>,
    /// People who were in the backup and are erased since: nothing opens them.
    pub erased: u64,
    /// Faces that ended since, and ended again now.
    pub faces: u64,
    /// Cards that ended since.
    pub cards: u64,
    /// Records that were closed since.
    pub closed: u64,
    /// Accounts that were switched off since.
    pub accounts: u64,
    /// Gates that gave what the backup opens with.
    pub gates: u64,
    /// Whether the log, its documents and everybody's record read back whole.
    pub sound: bool,
}

/// A backup that is being restored, or tried.
pub struct Restoring {
    dir: PathBuf,
    for_good: bool,
    made_at: Timestamp,
    id: [u8; 16],
    generation: [u8; 16],
    slots: Slots,
    wrapped: Connection,
    vault: Vault,
    note: Option<(u64, Note)>,
    gates_heard: u64,
    seen: Option<u64>,
}

impl std::fmt::Debug for Restoring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Restoring({:?})", self.vault)
    }
}

impl Vault {
    /// Begins to restore a backup into a data folder in which nothing is open. A vault that is there is put aside for thirty days when the
    /// restored one takes its place.
    ///
    /// # Errors
    /// [`VaultError::NotABackup`], [`VaultError::OtherRealm`], [`VaultError::WrongBackupKey`], [`VaultError::BackupDamaged`],
    /// [`VaultError::InUse`], and those of both disks.
    pub fn begin_restore(dir: &Path, realm: Realm, from: &Path, key: &RecoveryKey) -> Result<Restoring, VaultError> {
        database::make_folder(dir)?;
        let lock = Arc::new(super::take_lock(dir)?);
        swap::settle(dir)?;
        let header = Header::read(from)?;
        let content = header.open(key, realm)?;
        Restoring::unpack(from, header, &content, (dir, swap::NEXT), lock)
    }

    /// Begins to try whether a backup of this site can be restored, in a scratch place.
    ///
    /// # Errors
    /// As [`Self::begin_restore`]; [`VaultError::NotABackup`] for another site's.
    pub fn begin_drill(&self, from: &Path, key: &RecoveryKey) -> Result<Restoring, VaultError> {
        let header = Header::read(from)?;
        if header.site()? != self.site {
            return Err(VaultError::NotABackup);
        }
        let content = header.open(key, self.realm)?;
        Restoring::unpack(from, header, &content, (&self.dir, swap::SCRATCH), Arc::clone(&self.lock))
    }

    /// Records that a drill restored a backup.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_drill(&mut self, id: [u8; 16], now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        work.execute("UPDATE backups SET drilled_at = ?2 WHERE id = ?1", params![id, now.ms()])?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Keep(KeepEvent::Drilled), now)?;
        Ok(work.commit()?)
    }

    /// Since when this vault is a restored one.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn restored_at(&self) -> Result<Option<Timestamp>, VaultError> {
        let stored = self.read_station(RESTORED_AT)?.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        Ok(stored.map(|bytes| Timestamp::from_ms(i64::from_be_bytes(bytes))))
    }

    /// The root of the log's first records; `None` when there are fewer.
    pub(super) fn root_at(&self, size: u64) -> Result<Option<[u8; 32]>, VaultError> {
        Ok(tlog_tiles::tree_hash(size, &super::log::Nodes(&self.main)).ok().map(|hash| hash.0))
    }
}

impl Restoring {
    /// Checks and unpacks a backup into a folder beside the vault.
    pub(super) fn unpack(
        from: &Path,
        header: Header,
        content: &VaultKey,
        (dir, stage): (&Path, &'static str),
        lock: Arc<std::fs::File>,
    ) -> Result<Self, VaultError> {
        header.check(from)?;
        let realm = [Realm::Real, Realm::Practice].into_iter().find(|r| r.label() == header.realm);
        let (realm, site) = (realm.ok_or(VaultError::BackupDamaged)?, header.site()?);
        let damaged = |error: VaultError| match error {
            VaultError::Corrupt { .. } | VaultError::Unknown => VaultError::BackupDamaged,
            other => other,
        };
        let wrapped = database::open_aside(&from.join(KEYS_FILE), &derive(content, realm, "backup/keys.db")?, false)
            .map_err(damaged)?;
        database::check_pages(&wrapped, KEYS_FILE).map_err(damaged)?;
        type Carried = ([u8; 16], [u8; 16], Vec<u8>, Vec<u8>);
        let (kept_site, generation, master, slots): Carried = wrapped
            .query_row("SELECT site, generation, master, slots FROM carried", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .map_err(|_| VaultError::BackupDamaged)?;
        let (master, slots) = (Zeroizing::new(master), Slots::parse(&slots).map_err(damaged)?);
        if kept_site != *site.bytes() || slots.site != site || slots.realm != realm {
            return Err(VaultError::BackupDamaged);
        }
        let ring = Ring::derive(VaultKey::from_slice(&master).ok_or(VaultError::BackupDamaged)?, realm)?;
        let place = swap::fresh(dir, stage)?;
        {
            let keys = database::open(&place, KEYS_FILE, &ring.file_key(KEYS_FILE)?, Opening::New)?;
            keys.execute("INSERT INTO belongs (site) VALUES (?1)", [site.bytes()]).map_err(|error| in_keys(&error))?;
            let key = derive(content, realm, "backup/vault.db")?;
            let main = database::open_aside(&from.join(MAIN_FILE), &key, false).map_err(damaged)?;
            let mut to = database::open_aside(&place.join(MAIN_FILE), &ring.file_key(MAIN_FILE)?, true)?;
            database::copy(&main, &mut to)?;
        }
        steps::reached("restore/unpacked");
        let first = slots.accounts().next().map(|slot| slot.id).ok_or(VaultError::BackupDamaged)?;
        // A backup of an earlier version of the program is brought to this one's shape here.
        let vault = Vault::open(&place, realm, site, first, ring, lock, Opening::Checked).map_err(damaged)?;
        Ok(Self {
            dir: dir.to_owned(),
            for_good: stage == swap::NEXT,
            made_at: Timestamp::from_ms(header.made_at),
            id: header.id()?,
            generation,
            slots,
            wrapped,
            vault,
            note: None,
            gates_heard: 0,
            seen: None,
        })
    }

    /// Which backup.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Which site.
    pub fn site(&self) -> SiteId {
        self.vault.site
    }

    /// The gates that may keep what it opens with.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn gates(&self) -> Result<Vec<GateRecord>, VaultError> {
        self.vault.gates()
    }

    /// The station's identity, to be known by them.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn identity_bytes(&self) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        self.vault.identity_bytes()
    }

    /// Under which name gates keep the note about erasures, and under which the head of the log.
    pub fn origins(&self) -> (String, String) {
        (self.vault.epoch_origin(), self.vault.log_origin())
    }

    /// Takes what a gate keeps; the one with the highest number counts. `false` when it is not of this station.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn take_note(&mut self, number: u64, sealed: &[u8]) -> Result<bool, VaultError> {
        let key = self.vault.note_key()?;
        let Some(note) = Note::open(&key, &self.vault.epoch_origin(), number, sealed) else { return Ok(false) };
        self.gates_heard += 1;
        if self.note.as_ref().is_none_or(|(known, _)| *known < number) {
            self.note = Some((number, note));
        }
        Ok(true)
    }

    /// Takes the head of the log that a gate keeps: how much of the log the backup lacks.
    pub fn take_head(&mut self, note: &str) {
        let Ok(head) = checkpoint::verify(note, &self.vault.evidence_public()) else { return };
        if head.origin == self.vault.log_origin() {
            self.seen = self.seen.max(Some(head.size));
        }
    }

    /// Takes the tree of the vault that made it, for the look right after.
    pub(super) fn take_live(&mut self, live: &Vault) -> Result<(), VaultError> {
        let key = live.note_key()?;
        let view = live.main.unchecked_transaction()?;
        let epoch = epoch::read(&live.people_keys)?;
        let note = live.note_of(&view, &epoch)?;
        drop((view, key));
        self.note = Some((epoch.number.unsigned_abs(), note));
        Ok(())
    }

    /// Records of the log in it.
    pub(super) fn records(&self) -> Result<u64, VaultError> {
        self.vault.log_len()
    }

    /// The root of its log.
    pub(super) fn root(&self) -> Result<[u8; 32], VaultError> {
        Ok(self.vault.head(&self.vault.main)?.root)
    }

    /// Opens everybody that can be opened, without ending anything: how many, and whether all of it reads back.
    pub(super) fn open_everybody(&mut self) -> Result<(u64, bool), VaultError> {
        let note = self.note.take().ok_or(VaultError::KeptNowhere)?;
        let gone = self.open_keys(&note)?;
        let (people, erased) = self.open_people(&note.1.tree()?)?;
        Ok((people, gone.is_empty() && erased.is_empty() && self.vault.audit()?.is_sound()))
    }

    /// Opens what can be opened, does again what was erased and ended since, and puts it in the vault's place, unless it is a drill.
    ///
    /// # Errors
    /// [`VaultError::KeptNowhere`] when no gate gave a note, [`VaultError::BackupVoid`], and those of the disk; nothing is changed then.
    pub fn finish(mut self, now: Timestamp) -> Result<RestoreReport, VaultError> {
        let note = self.note.take().ok_or(VaultError::KeptNowhere)?;
        if note.1.generation != self.generation {
            return Err(VaultError::BackupVoid);
        }
        let records = self.vault.log_len()?;
        self.vault.begin_restart()?;
        let gone = self.open_keys(&note)?;
        steps::reached("restore/keys");
        let (people, erased) = self.open_people(&note.1.tree()?)?;
        steps::reached("restore/opened");
        let mut report = RestoreReport {
            made_at: self.made_at,
            people,
            records,
            lost: self.seen.map(|seen| seen.saturating_sub(records)),
            erased: 0,
            faces: 0,
            cards: 0,
            closed: 0,
            accounts: 0,
            gates: self.gates_heard,
            sound: false,
        };
        self.end_again(&note.1, &gone, &erased, &mut report, now)?;
        let work = self.vault.begin()?;
        // Of a chip that may be gone with its computer. The keys of this set are new to nobody here: the backup key opened them.
        if self.slots.bound.take().is_some() {
            let master = self.vault.ring.master();
            self.slots.deal(master, master)?;
            self.vault.append(&work, Actor::Station, &AuditEvent::Keep(KeepEvent::ComputerReleased), now)?;
        }
        let lost = report.lost.map(|lost| format!("lost-{lost}"));
        let restored = AuditEvent::Keep(KeepEvent::Restored);
        self.vault.append_with(&work, Actor::Station, &restored, lost.as_deref(), None, now)?;
        self.vault.write_station(&work, RESTORED_AT, &now.ms().to_be_bytes())?;
        self.vault.keep_head(&work)?;
        work.commit()?;
        report.sound = self.vault.audit()?.is_sound();
        steps::reached("restore/ended");
        let Self { dir, for_good, slots, wrapped, vault, .. } = self;
        drop(wrapped);
        if for_good {
            vault.empty_logs()?;
            slots.write(&vault.dir)?;
            steps::reached("restore/slots");
            let lock = Arc::clone(&vault.lock);
            drop(vault);
            swap::decide(&dir, Old::Aside(now.ms()))?;
            swap::settle(&dir)?;
            drop(lock);
        } else {
            drop(vault);
            swap::clear(&dir.join(swap::SCRATCH))?;
        }
        Ok(report)
    }

    /// Opens the persons' own keys. Returns whose leaf is cut out.
    fn open_keys(&self, (number, note): &(u64, Note)) -> Result<Vec<(ResidentId, u32)>, VaultError> {
        let tree = note.tree()?;
        let work = epoch::begin(&self.vault.people_keys)?;
        let mut gone = vec![];
        let mut statement = self.wrapped.prepare("SELECT resident, place, made_at, sealed FROM wrapped")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (resident, place): (ResidentId, u32) = (ResidentId::from_bytes(row.get(0)?), row.get(1)?);
            let (made_at, sealed): (i64, Vec<u8>) = (row.get(2)?, row.get(3)?);
            let Some(leaf) = tree.key(place, Leaf::Evidence) else {
                gone.push((resident, place));
                continue;
            };
            let own = leaf.open(&sealed_place(resident, "key"), &sealed).ok_or(VaultError::BackupDamaged)?;
            write_key(&work, resident, &own, made_at, place)?;
        }
        let number = super::log::number(*number);
        epoch::write(&work, &Epoch { generation: note.generation, number, tree, next_place: note.next_place })?;
        work.commit().map_err(|error| in_keys(&error))?;
        Ok(gone)
    }

    /// Takes the second seal off names, units, card numbers and own texts, and writes their keyed hashes anew. Returns how many people opened,
    /// and whose identity is erased.
    fn open_people(&self, tree: &Tree) -> Result<(u64, Vec<ResidentId>), VaultError> {
        let vault = &self.vault;
        let leaf = |resident: ResidentId, which: Leaf| -> Result<Option<VaultKey>, VaultError> {
            let sql = "SELECT place FROM wrapped WHERE resident = ?1";
            let place: Option<u32> =
                self.wrapped.prepare_cached(sql)?.query_row([resident.bytes()], |row| row.get(0)).optional()?;
            Ok(place.and_then(|place| tree.key(place, which)))
        };
        let damaged = || VaultError::BackupDamaged;
        let work = vault.begin()?;
        let (mut people, mut erased) = (0, vec![]);
        for (resident, name, unit) in names(&work)? {
            let Some(key) = leaf(resident, Leaf::Identity)? else {
                erased.push(resident);
                continue;
            };
            let inner = |column: &str, sealed: &[u8]| key.open(&sealed_place(resident, column), sealed);
            let (name, unit) = (inner("name", &name).ok_or_else(damaged)?, inner("unit", &unit).ok_or_else(damaged)?);
            let own = vault.person_key(resident)?;
            let shown_unit = open_text(&own, &place(resident, "unit"), &unit)?;
            let shown_name = open_text(&own, &place(resident, "name"), &name)?;
            let sql = "UPDATE residents SET name = ?2, unit = ?3, unit_hash = ?4 WHERE id = ?1";
            let hash = vault.unit_hash(&shown_unit)?;
            work.prepare_cached(sql)?.execute(params![resident.bytes(), &name[..], &unit[..], hash])?;
            vault.index_surname(&work, resident, &shown_name)?;
            people += 1;
        }
        for (card, resident, number) in numbers(&work)? {
            let Some(key) = leaf(resident, Leaf::Identity)? else { continue };
            let number = key.open(&card_place(card), &number).ok_or_else(damaged)?;
            work.prepare_cached("UPDATE cards SET number = ?2 WHERE id = ?1")?
                .execute(params![card.bytes(), &number[..]])?;
            let uid = vault.card_number(&work, card)?;
            let hash = vault.ring.index_hash("card", uid.bytes())?;
            work.prepare_cached("UPDATE cards SET number_hash = ?2 WHERE id = ?1")?
                .execute(params![card.bytes(), hash])?;
        }
        for (sha256, resident, body) in own_texts(&work)? {
            let Some(sealed) = body.strip_prefix(SEALED_TEXT).and_then(unhex) else { continue };
            // Of somebody whose evidence is erased it goes with the rest below.
            let Some(key) = leaf(resident, Leaf::Evidence)? else { continue };
            let body = key.open(&text_place(&sha256), &sealed).ok_or_else(damaged)?;
            let body = std::str::from_utf8(&body).map_err(|_| damaged())?;
            work.prepare_cached("UPDATE texts SET body = ?2 WHERE sha256 = ?1")?.execute(params![sha256, body])?;
        }
        work.commit()?;
        Ok((people, erased))
    }

    /// Does again what was done since the backup was made.
    fn end_again(
        &mut self,
        note: &Note,
        gone: &[(ResidentId, u32)],
        erased: &[ResidentId],
        report: &mut RestoreReport,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let vault = &mut self.vault;
        let ids = |list: &[u8]| list.as_chunks::<16>().0.to_vec();
        let work = vault.begin()?;
        work.execute_batch("DELETE FROM gate_heads; DELETE FROM gate_epochs;")?;
        let sql = "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'outbox'";
        if work.execute(sql, [note.sequence])? == 0 {
            work.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', ?1)", [note.sequence])?;
        }
        work.commit()?;
        // A key for the moment in which the end of a person's evidence is written down; it goes with the rest.
        for (resident, place) in gone {
            write_key(&vault.people_keys, *resident, VaultKey::make().bytes(), now.ms(), *place)?;
            let work = vault.begin()?;
            let sql = "UPDATE residents SET closed_at = coalesce(closed_at, ?2) WHERE id = ?1";
            work.execute(sql, params![resident.bytes(), self.made_at.ms()])?;
            let sql = "UPDATE cards SET ended_at = ?2 WHERE resident = ?1 AND ended_at IS NULL";
            work.execute(sql, params![resident.bytes(), now.ms()])?;
            work.commit()?;
        }
        let reason = EraseReason::FoundErased;
        for closed in &note.closed {
            let resident = ResidentId::from_bytes(closed.resident);
            if gone.iter().any(|(id, _)| *id == resident) || !resident_is_known(&vault.main, resident)? {
                continue;
            }
            if vault.close_record(resident, EraseReason::Closed, Actor::Station, now)? {
                // As it was closed the first time: the terms count from then.
                let sql = "UPDATE residents SET closed_at = ?2, close_reason = ?3 WHERE id = ?1";
                vault.main.execute(sql, params![closed.resident, closed.at, closed.reason])?;
                report.closed += 1;
            }
        }
        let work = vault.begin()?;
        for link in ids(&note.faces) {
            let sql = "SELECT resident FROM consents WHERE link = ?1 AND ended_at IS NULL";
            let whose = work.query_row(sql, [link], |row| row.get(0).map(ResidentId::from_bytes)).optional()?;
            if let Some(resident) = whose
                && vault.end_current(&work, resident, reason.label(), Actor::Station, now)?.is_some()
            {
                report.faces += 1;
            }
        }
        for card in ids(&note.cards) {
            let sql = "SELECT resident FROM cards WHERE id = ?1 AND ended_at IS NULL";
            let whose = work.query_row(sql, [card], |row| row.get(0).map(ResidentId::from_bytes)).optional()?;
            if let Some(resident) = whose {
                vault.end_card_in(&work, resident, Actor::Station, now)?;
                report.cards += 1;
            }
        }
        for resident in ids(&note.refusing) {
            work.execute(
                "INSERT INTO restrictions (resident, since) SELECT id, ?2 FROM residents WHERE id = ?1
                     AND NOT EXISTS (SELECT 1 FROM restrictions WHERE resident = ?1 AND lifted_at IS NULL)",
                params![resident, now.ms()],
            )?;
        }
        work.commit()?;
        for resident in erased.iter().chain(gone.iter().map(|(id, _)| id)) {
            let sql = "SELECT identity_ended_at IS NULL FROM residents WHERE id = ?1";
            if vault.main.query_row(sql, [resident.bytes()], |row| row.get(0))? {
                let sql = "UPDATE residents SET closed_at = coalesce(closed_at, ?2) WHERE id = ?1";
                vault.main.execute(sql, params![resident.bytes(), now.ms()])?;
                vault.erase_identity(*resident, now)?;
            }
        }
        for (resident, _) in gone {
            vault.erase_evidence(*resident, now)?;
        }
        let mut all: Vec<&ResidentId> = erased.iter().chain(gone.iter().map(|(id, _)| id)).collect();
        all.sort_unstable();
        all.dedup();
        report.erased = all.len() as u64;
        let off: Vec<StaffId> = ids(&note.accounts).into_iter().map(StaffId::from_bytes).collect();
        report.accounts = switch_off(vault, &mut self.slots, &off, now)?;
        Ok(())
    }
}

/// Switches off again who was switched off since. One supervisor stays in any case: nobody could ever get in otherwise.
fn switch_off(vault: &mut Vault, slots: &mut Slots, off: &[StaffId], now: Timestamp) -> Result<u64, VaultError> {
    let mut count = 0;
    for id in off {
        let role = |id: StaffId| vault.read_staff(id).ok().map(|(_, role)| role);
        let others = slots.accounts().any(|slot| slot.id != *id && role(slot.id) == Some(Role::Supervisor));
        if slots.slot(*id).is_none() || !others {
            continue;
        }
        let sql = "UPDATE staff SET disabled_at = coalesce(disabled_at, ?2) WHERE id = ?1";
        vault.main.execute(sql, params![id.bytes(), now.ms()])?;
        slots.remove(*id);
        count += 1;
    }
    Ok(count)
}

fn write_key(keys: &Connection, id: ResidentId, own: &[u8], made_at: i64, place: u32) -> Result<(), VaultError> {
    let sql = "INSERT INTO person_keys (resident, sealing_key, made_at, place) VALUES (?1, ?2, ?3, ?4)";
    keys.prepare_cached(sql)
        .and_then(|mut insert| insert.execute(params![id.bytes(), own, made_at, place]))
        .map_err(|error| in_keys(&error))?;
    Ok(())
}
