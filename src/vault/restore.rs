//! Restoring a backup: unpacked beside the vault, opened with the printed key and with what a gate keeps, everything that
//! was erased or ended since done again, and only then put in the vault's place at once (`swap`). A drill is the same
//! without the last step. Rules: P47, P56, K2-9.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use crate::domain::Realm;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::gate::GateRecord;
use crate::domain::id::{GateId, ResidentId, SiteId, StaffId};
use crate::domain::keep::KeepEvent;
use crate::domain::time::Timestamp;
use crate::evidence::checkpoint;
use crate::secret::{Passphrase, RecoveryKey};

use super::backup::{Header, SEALED_TEXT, card_place, names, numbers, own_texts, sealed_place, text_place};
use super::database::{self, Opening};
use super::epoch::{self, Epoch, Note, in_keys};
use super::epoch_secret::{self, Secrets};
use super::error::{KEYS_FILE, MAIN_FILE, VaultError};
use super::keys::{Ring, VaultKey, derive};
use super::people_keys::{self, PeopleKeys, Plain, put};
use super::punctures::{Leaf, Tree};
use super::rotation::{CARRIED, CHANGED_AT};
use super::slots::{Slots, unhex};
use super::swap::{self, Old};
use super::{Vault, steps};

/// Where a restored vault keeps when that was. A gate that lacks a face then ends the consent everywhere.
pub(super) const RESTORED_AT: &str = "restored-at";

/// What restoring has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// Single places at which a face ended since.
    pub places: u64,
    /// Faces that rest again, until their person takes them up.
    pub resting: u64,
    /// Cards that ended since.
    pub cards: u64,
    /// Records that were closed since.
    pub closed: u64,
    /// Accounts that were switched off since.
    pub accounts: u64,
    /// Gates that gave what the backup opens with.
    pub gates: u64,
    /// Gates that said what they keep, if anything.
    pub heard: u64,
    /// Gates in use in the backup.
    pub gates_all: u64,
    /// A new master key is in force.
    pub fresh_keys: bool,
    /// The recovery key of that time is void: another one was made since.
    pub recovery_void: bool,
    /// Accounts whose passphrase is the one typed at the door, not the one of that time.
    pub passphrases: u64,
    /// What the gates list does not reach back to this backup.
    pub cut: Cut,
    /// Faces rest at every gate until people take them up: who withdrew while no gate could be reached is known to nobody here.
    pub stopped: bool,
    /// Whether the log, its documents and everybody's record read back whole.
    pub sound: bool,
}

/// Lists of the gates that do not reach back to the backup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// Nobody knows any more which faces ended since: all of them have.
    pub faces: bool,
    /// Which rest: all of them do.
    pub resting: bool,
    /// Which cards ended: what a gate lacks is not written there again.
    pub cards: bool,
    /// Which records were closed, or who refuses.
    pub records: bool,
}

impl Cut {
    /// What either of two does not reach back to.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            faces: self.faces || other.faces,
            resting: self.resting || other.resting,
            cards: self.cards || other.cards,
            records: self.records || other.records,
        }
    }

    /// Whether all lists reach back.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// The folder in which a backup is tried: gone with the try, however that ends.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = swap::clear(&self.0) {
            tracing::warn!(%error, "what a try left behind could not be taken away; the next start does");
        }
    }
}

/// A backup that is being restored, or tried.
pub struct Restoring {
    dir: PathBuf,
    for_good: bool,
    pub(super) made_at: Timestamp,
    id: [u8; 16],
    /// Shape of the backup's folder.
    pub(super) format: u32,
    generation: [u8; 16],
    pub(super) slots: Slots,
    pub(super) wrapped: Connection,
    pub(super) vault: Vault,
    pub(super) note: Option<(u64, Note)>,
    /// What other gates keep.
    pub(super) others: Vec<(u64, Note)>,
    pub(super) gates_heard: u64,
    /// Gates that said what they keep.
    pub(super) heard: BTreeSet<GateId>,
    seen: Option<u64>,
    /// Everybody's slot has a pair: a new master key was dealt.
    fresh_keys: bool,
    /// The slots were bound to a chip.
    released: bool,
    /// Supervisors of the vault that was there who allowed it; `None` stands for its recovery key.
    pub(super) allowed: Vec<Option<StaffId>>,
    /// Who typed a passphrase at the door, which counts from here on.
    pub(super) typed: Vec<(StaffId, Passphrase)>,
    /// Last: it goes after the files in it are closed.
    scratch: Option<Scratch>,
}

impl std::fmt::Debug for Restoring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Restoring({:?})", self.vault)
    }
}

impl Vault {
    /// Begins to try whether a backup of this site can be restored, in a scratch place.
    ///
    /// # Errors
    /// As [`Self::begin_restore`], without those of the door; [`VaultError::NotABackup`] for another site's.
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

    /// Records that a drill failed on the backup in this folder: it is damaged, or did not read back whole. Its header names it; the record is
    /// made whether or not it can still be read.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_failed_drill(&mut self, from: &Path, now: Timestamp) -> Result<(), VaultError> {
        let id = Header::read(from).and_then(|header| header.id()).ok();
        let work = self.begin()?;
        if let Some(id) = id {
            work.execute("UPDATE backups SET drill_failed_at = ?2 WHERE id = ?1", params![id, now.ms()])?;
        }
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Keep(KeepEvent::DrillFailed), now)?;
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
        let (master, mut slots) = (Zeroizing::new(master), Slots::parse(&slots).map_err(damaged)?);
        if kept_site != *site.bytes() || slots.site != site || slots.realm != realm {
            return Err(VaultError::BackupDamaged);
        }
        let mut old = Ring::derive(VaultKey::from_slice(&master).ok_or(VaultError::BackupDamaged)?, realm)?;
        // The backup's keys were in force before whatever happened since: none of them opens what is written from here on. An account of
        // an older shape, which cannot be dealt another key, keeps them until it logs in.
        let fresh_keys = slots.without_pair().is_empty();
        let master = if fresh_keys { VaultKey::make() } else { again(old.master())? };
        // Of a chip that may be gone with its computer.
        let released = slots.bound.take().is_some();
        if fresh_keys || released {
            slots.deal(old.master(), &master).map_err(damaged)?;
        }
        let ring = Ring::derive(again(&master)?, realm)?;
        let place = swap::fresh(dir, stage)?;
        let scratch = (stage == swap::SCRATCH).then(|| Scratch(place.clone()));
        {
            drop(Secrets::make(&place, &ring, epoch_secret::FIRST, VaultKey::make())?);
            let keys = PeopleKeys::open(&place, &ring, None, Opening::New)?;
            keys.execute("INSERT INTO belongs (site) VALUES (?1)", [site.bytes()]).map_err(|error| in_keys(&error))?;
            let key = derive(content, realm, "backup/vault.db")?;
            let main = database::open_aside(&from.join(MAIN_FILE), &key, false).map_err(damaged)?;
            let mut to = database::open_aside(&place.join(MAIN_FILE), &ring.file_key(MAIN_FILE)?, true)?;
            database::copy(&main, &mut to)?;
            if fresh_keys {
                let sql = "SELECT value FROM station WHERE name = ?1";
                let carried: Option<Vec<u8>> = to.query_row(sql, [CARRIED], |row| row.get(0)).optional()?;
                if let Some(carried) = carried {
                    old.take_carried(&carried).map_err(damaged)?;
                }
                let sql =
                    "INSERT INTO station (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
                to.execute(sql, params![CARRIED, old.carry(&master)?])?;
            }
        }
        steps::reached("restore/unpacked");
        let first = slots.accounts().next().map(|slot| slot.id).ok_or(VaultError::BackupDamaged)?;
        // A backup of an earlier version of the program is brought to this one's shape here.
        let vault = Vault::open(&place, realm, site, first, (ring, None), lock, Opening::Checked).map_err(damaged)?;
        Ok(Self {
            dir: dir.to_owned(),
            for_good: stage == swap::NEXT,
            made_at: Timestamp::from_ms(header.made_at),
            id: header.id()?,
            format: header.format,
            generation,
            slots,
            wrapped,
            vault,
            note: None,
            others: vec![],
            gates_heard: 0,
            heard: BTreeSet::new(),
            seen: None,
            fresh_keys,
            released,
            allowed: vec![],
            typed: vec![],
            scratch,
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
        let epoch = live.people_keys.epoch()?;
        let note = epoch::note_of(live, &view, &epoch, usize::MAX)?;
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
            gates: self.gates_heard,
            heard: self.heard.len() as u64,
            gates_all: self.vault.gates()?.len() as u64,
            ..RestoreReport::default()
        };
        self.end_again(&note.1, &gone, &erased, &mut report, now)?;
        self.end_what_others_keep(&note, &mut report, now)?;
        let work = self.vault.begin()?;
        if self.released {
            self.vault.append(&work, Actor::Station, &AuditEvent::Keep(KeepEvent::ComputerReleased), now)?;
        }
        if self.fresh_keys {
            report.fresh_keys = true;
            self.vault.append(&work, Actor::Station, &AuditEvent::Keep(KeepEvent::KeysChanged), now)?;
            self.vault.write_station(&work, CHANGED_AT, &now.ms().to_be_bytes())?;
        }
        // A printed recovery key that another one took the place of since stays void.
        if let Some(old) = self.slots.recovery().map(|slot| slot.id)
            && note.1.lists.as_ref().is_some_and(|lists| lists.recovery != old.bytes())
        {
            report.recovery_void = true;
            self.slots.remove(old);
            self.vault.write_station(&work, super::recovery::KEPT, &[])?;
        }
        for (id, passphrase) in self.typed.drain(..) {
            let slot = self.slots.accounts().find(|slot| slot.id == id).map(|slot| (slot.kind.clone(), slot.cost));
            if let Some((kind, cost)) = slot {
                self.slots.put(id, kind, &passphrase, self.vault.ring.master(), cost)?;
                report.passphrases += 1;
            }
        }
        for who in &self.allowed {
            let allowed = AuditEvent::Keep(KeepEvent::RestoreAllowed(*who));
            self.vault.append(&work, who.map_or(Actor::Station, Actor::Staff), &allowed, now)?;
        }
        if has_faces(&work)? {
            self.vault.stop_in(&work, None, Actor::Station, now)?;
            report.stopped = true;
        }
        let lost = report.lost.map(|lost| format!("lost-{lost}"));
        let restored = AuditEvent::Keep(KeepEvent::Restored);
        self.vault.append_with(&work, Actor::Station, &restored, lost.as_deref(), None, now)?;
        // Interfaces have names of their own on each machine.
        self.vault.write_station(&work, super::station::NETWORKS, &[])?;
        self.vault.write_station(&work, RESTORED_AT, &now.ms().to_be_bytes())?;
        self.write_heard(&work, &note)?;
        self.vault.keep_head(&work)?;
        work.commit()?;
        report.sound = self.vault.audit()?.is_sound();
        steps::reached("restore/ended");
        let Self { dir, for_good, slots, wrapped, vault, scratch, .. } = self;
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
        }
        drop(scratch);
        Ok(report)
    }

    /// Opens the persons' keys. Returns whose leaf is cut out.
    fn open_keys(&self, (number, note): &(u64, Note)) -> Result<Vec<(ResidentId, u32)>, VaultError> {
        let mut gone = vec![];
        let next = Epoch {
            generation: note.generation,
            number: super::log::number(*number),
            tree: note.tree()?,
            next_place: note.next_place,
            secret: 0,
        };
        self.vault.people_keys.replace(next, |work, tree| {
            let sql = match self.format {
                1 => "SELECT resident, place, made_at, sealed, NULL FROM wrapped",
                _ => "SELECT resident, place, made_at, own, identity FROM wrapped",
            };
            let mut statement = self.wrapped.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (resident, place): (ResidentId, u32) = (ResidentId::from_bytes(row.get(0)?), row.get(1)?);
                let (made_at, own, identity): (i64, Vec<u8>, Option<Vec<u8>>) = (row.get(2)?, row.get(3)?, row.get(4)?);
                let (own, identity) = if self.format == 1 {
                    let leaf = tree.key(place, Leaf::Evidence);
                    let own = leaf.map(|leaf| leaf.open(&sealed_place(resident, "key"), &own));
                    // Keys of identities came later.
                    (own.map(|own| own.and_then(|own| VaultKey::from_slice(&own))), Some(VaultKey::make()))
                } else {
                    let own = people_keys::opened(tree, resident, (place, Leaf::Evidence), &own).transpose();
                    let identity = identity
                        .and_then(|key| people_keys::opened(tree, resident, (place, Leaf::Identity), &key).transpose());
                    (own.map(Result::ok), identity.transpose().map_err(|_| VaultError::BackupDamaged)?)
                };
                let Some(own) = own else {
                    gone.push((resident, place));
                    continue;
                };
                let own = own.ok_or(VaultError::BackupDamaged)?;
                let identity = identity.as_ref().map(|key| &key.bytes()[..]);
                put(work, tree, resident, &Plain { own: own.bytes(), identity, made_at, place })?;
            }
            Ok(())
        })?;
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
        let (mut opened, mut erased) = (vec![], vec![]);
        for (resident, name, unit) in names(&work)? {
            let Some(key) = leaf(resident, Leaf::Identity)? else {
                erased.push(resident);
                continue;
            };
            let inner = |column: &str, sealed: &[u8]| key.open(&sealed_place(resident, column), sealed);
            let (name, unit) = (inner("name", &name).ok_or_else(damaged)?, inner("unit", &unit).ok_or_else(damaged)?);
            work.prepare_cached("UPDATE residents SET name = ?2, unit = ?3 WHERE id = ?1")?.execute(params![
                resident.bytes(),
                &name[..],
                &unit[..]
            ])?;
            opened.push(resident);
        }
        let mut cards = vec![];
        for (card, resident, number) in numbers(&work)? {
            let Some(key) = leaf(resident, Leaf::Identity)? else { continue };
            let number = key.open(&card_place(card), &number).ok_or_else(damaged)?;
            work.prepare_cached("UPDATE cards SET number = ?2 WHERE id = ?1")?
                .execute(params![card.bytes(), &number[..]])?;
            cards.push(card);
        }
        if !vault.has_identities_apart()? {
            // A backup of an earlier version of the program.
            vault.seal_identities_in(&work)?;
        }
        for resident in &opened {
            let shown = vault.read_resident(&work, *resident)?;
            let sql = "UPDATE residents SET unit_hash = ?2 WHERE id = ?1";
            let hash = vault.unit_hash(shown.unit.as_str())?;
            work.prepare_cached(sql)?.execute(params![resident.bytes(), hash])?;
            vault.index_surname(&work, *resident, shown.name.as_str())?;
        }
        for card in cards {
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
        Ok((opened.len() as u64, erased))
    }
}

fn again(key: &VaultKey) -> Result<VaultKey, VaultError> {
    VaultKey::from_slice(key.bytes()).ok_or(VaultError::Refused(0))
}

/// Whether somebody's face may be at a gate.
fn has_faces(work: &Connection) -> Result<bool, VaultError> {
    Ok(work.query_row("SELECT EXISTS (SELECT 1 FROM consents WHERE ended_at IS NULL)", [], |row| row.get(0))?)
}
