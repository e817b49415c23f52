//! Backups: a folder with both files under a key of its own, which only the printed backup key opens, and only together
//! with what the gates keep (`epoch`). Making one needs no secret; it is read back at once. Rules: P47, P56, P51.
//!
//! Names, units and card numbers are sealed once more under the person's leaf of the tree, their keyed hashes are left
//! out, and so are texts that only one person was shown. Templates are never in it: the desk has none.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::domain::Realm;
use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::{CardId, ResidentId, SiteId};
use crate::domain::keep::KeepEvent;
use crate::domain::time::Timestamp;
use crate::evidence::hex;
use crate::secret::{RecoveryKey, random_bytes};

use super::database;
use super::error::{KEYS_FILE, MAIN_FILE, VaultError};
use super::keys::{VaultKey, derive};
use super::lockbox::{BoxShape, Lockbox, take_out};
use super::punctures::Leaf;
use super::restore::Restoring;
use super::slots::{read_small, unhex, write_at_once};
use super::swap;
use super::{Vault, epoch, steps};

/// Name of the file that says what the others are; written last, so that a broken-off backup is none.
pub(super) const HEADER_FILE: &str = "backup.json";
/// Largest accepted header, in bytes.
const HEADER_MAX: u64 = 64 * 1024;
/// Version of the folder's shape. The first one had no keys of identities.
const FORMAT: u32 = 2;
/// Where the backup key's pair is kept.
const PAIR: &str = "backup-pair";
/// Where it is until its sheet was put away.
const NEW_PAIR: &str = "backup-pair-new";
/// What stands before a text that is sealed in a backup.
pub(super) const SEALED_TEXT: &str = "sealed:";

/// A backup that was just made, and restored into a scratch place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// Name of its folder.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// People whose names it opens.
    pub people: u64,
    /// Records of the log in it.
    pub records: u64,
}

/// A backup that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupRow {
    /// When.
    pub made_at: Timestamp,
    /// People in it.
    pub people: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// When a drill restored it last.
    pub drilled_at: Option<Timestamp>,
    /// When a drill last failed on it.
    pub drill_failed_at: Option<Timestamp>,
    /// Whether it still opens: the tree was not dealt anew since.
    pub opens: bool,
}

/// What stands in the header.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: u32,
    pub(super) realm: String,
    pub(super) site: String,
    pub(super) id: String,
    pub(super) made_at: i64,
    /// The backup key's pair.
    pair: BoxShape,
    /// The key of both files, put into the pair.
    content: String,
    /// SHA-256 of the files.
    main: String,
    keys: String,
    /// That the desk made it: a tag which only the desk and the holder of the backup key can make.
    tag: String,
}

#[derive(Serialize, Deserialize)]
struct KeptPair {
    made_at: i64,
    pair: BoxShape,
    /// Makes the headers' tags. Follows from the backup key.
    tagger: String,
    /// Whether its sheet was put away.
    put_away: bool,
}

impl Header {
    /// Reads the header of a backup's folder.
    pub(super) fn read(from: &Path) -> Result<Self, VaultError> {
        let bytes = match read_small(&from.join(HEADER_FILE), HEADER_MAX) {
            Ok(Some(bytes)) => bytes,
            Ok(None) | Err(VaultError::Corrupt { .. }) => return Err(VaultError::NotABackup),
            Err(error) => return Err(error),
        };
        let header: Self = serde_json::from_slice(&bytes).map_err(|_| VaultError::NotABackup)?;
        match header.format {
            1..=FORMAT => Ok(header),
            0 => Err(VaultError::NotABackup),
            _ => Err(VaultError::TooNew { file: HEADER_FILE.into() }),
        }
    }

    pub(super) fn site(&self) -> Result<SiteId, VaultError> {
        SiteId::parse(&self.site).ok_or(VaultError::BackupDamaged)
    }

    pub(super) fn id(&self) -> Result<[u8; 16], VaultError> {
        unhex(&self.id).and_then(|id| id.try_into().ok()).ok_or(VaultError::BackupDamaged)
    }

    /// The key of the files, when this is the backup key.
    pub(super) fn open(&self, key: &RecoveryKey, realm: Realm) -> Result<VaultKey, VaultError> {
        if self.realm != realm.label() {
            return Err(VaultError::OtherRealm);
        }
        let pair = Lockbox::from_shape(&self.pair).ok_or(VaultError::BackupDamaged)?;
        let sealed = unhex(&self.content).ok_or(VaultError::BackupDamaged)?;
        let private = pair.unlock(&key.passphrase(), &self.pair_place())?.ok_or(VaultError::WrongBackupKey)?;
        let tag = tagger(&private)?.tag(TAGGED, &[&self.place()[..], &sealed].concat())?;
        // Anybody can put a key into the pair; only the desk can have said that it did.
        let content = take_out(&private, &self.place(), &sealed).filter(|_| hex(&tag) == self.tag);
        content.ok_or(VaultError::BackupDamaged)
    }

    /// Compares the files with their digests.
    pub(super) fn check(&self, from: &Path) -> Result<(), VaultError> {
        for (file, stated) in [(MAIN_FILE, &self.main), (KEYS_FILE, &self.keys)] {
            let found = digest(&from.join(file)).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => VaultError::BackupDamaged,
                _ => error.into(),
            })?;
            if hex(&found) != *stated {
                return Err(VaultError::BackupDamaged);
            }
        }
        Ok(())
    }

    /// Everything that the sealed content key is bound to.
    fn place(&self) -> Vec<u8> {
        let Self { realm, site, id, made_at, main, keys, .. } = self;
        format!("menka/backup/1/{realm}/{site}/{id}/{made_at}/{main}/{keys}").into_bytes()
    }

    fn pair_place(&self) -> Vec<u8> {
        format!("menka/backup-key/1/{}/{}", self.realm, self.site).into_bytes()
    }
}

impl Vault {
    /// When the backup key was made; `None` while there is none whose sheet was put away.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn backup_key_made_at(&self) -> Result<Option<Timestamp>, VaultError> {
        let kept = self.backup_pair()?.filter(|kept| kept.put_away);
        Ok(kept.map(|kept| Timestamp::from_ms(kept.made_at)))
    }

    /// Records that the sheet with the backup key was put away: backups open by it from here on.
    ///
    /// # Errors
    /// [`VaultError::BackupKeyMissing`], and those of the disk.
    pub fn record_backup_key_kept(&mut self, now: Timestamp) -> Result<(), VaultError> {
        let new = self.read_station_sealed(NEW_PAIR)?.ok_or(VaultError::BackupKeyMissing)?;
        let mut kept: KeptPair = serde_json::from_slice(&new).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
        kept.put_away = true;
        let kept = Zeroizing::new(serde_json::to_vec(&kept).map_err(|_| VaultError::Refused(0))?);
        let work = self.begin()?;
        self.write_station_sealed(&work, PAIR, &kept)?;
        work.execute("DELETE FROM station WHERE name = ?1", [NEW_PAIR])?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Keep(KeepEvent::BackupKeyMade), now)?;
        Ok(work.commit()?)
    }

    /// Makes a backup key. It counts once its sheet was put away ([`Self::record_backup_key_kept`]): backups from then on open by it, earlier
    /// ones by the earlier one. Alone only as long as there is none.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`], and those of the disk.
    pub fn make_backup_key(&mut self, approval: Option<Approval>, now: Timestamp) -> Result<RecoveryKey, VaultError> {
        let approved = approval.is_some_and(|given| given.spend(Act::NewBackupKey).is_some());
        if !approved && self.backup_key_made_at()?.is_some() {
            return Err(VaultError::ApprovalNeeded);
        }
        let slots = self.slots()?;
        let cost = slots.slot(self.staff).map(|slot| slot.cost).ok_or(VaultError::Unknown)?;
        let key = RecoveryKey::make();
        let place = format!("menka/backup-key/1/{}/{}", self.realm.label(), self.site).into_bytes();
        let pair = Lockbox::make(&key.passphrase(), cost, &place)?;
        let private = pair.unlock(&key.passphrase(), &place)?.ok_or(VaultError::Refused(0))?;
        let kept =
            KeptPair { made_at: now.ms(), pair: pair.shape(), tagger: hex(tagger(&private)?.bytes()), put_away: false };
        let kept = Zeroizing::new(serde_json::to_vec(&kept).map_err(|_| VaultError::Refused(0))?);
        let work = self.begin()?;
        // Sealed, so that nobody puts a pair of their own in its place.
        self.write_station_sealed(&work, NEW_PAIR, &kept)?;
        work.commit()?;
        Ok(key)
    }

    /// The last backups, the newest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn backups(&self, count: u32) -> Result<Vec<BackupRow>, VaultError> {
        let (generation, _) = epoch::numbers(&self.people_keys)?;
        let sql = "SELECT made_at, people, bytes, drilled_at, generation, drill_failed_at FROM backups
                   ORDER BY made_at DESC LIMIT ?1";
        let mut statement = self.main.prepare_cached(sql)?;
        let rows = statement.query_map([count], |row| {
            Ok(BackupRow {
                made_at: Timestamp::from_ms(row.get(0)?),
                people: row.get::<_, i64>(1)?.unsigned_abs(),
                bytes: row.get::<_, i64>(2)?.unsigned_abs(),
                drilled_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_ms),
                drill_failed_at: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_ms),
                opens: row.get::<_, [u8; 16]>(4)? == generation,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Makes a backup in a new folder below `into`, and restores it into a scratch place from what was written there.
    ///
    /// # Errors
    /// [`VaultError::NoKeeper`] while no gate is paired that could keep what it opens with, [`VaultError::BackupKeyMissing`],
    /// [`VaultError::BackupDamaged`] when what was written does not read back, and those of both disks. What was written is taken away then.
    pub fn back_up(&mut self, into: &Path, now: Timestamp) -> Result<BackupReport, VaultError> {
        if self.gates()?.is_empty() {
            return Err(VaultError::NoKeeper);
        }
        let kept = self.backup_pair()?.ok_or(VaultError::BackupKeyMissing)?;
        // It goes along: what gates keep is sealed with it.
        drop(self.note_key()?);
        let id = random_bytes::<16>();
        let stamp: String = now.minute_text().chars().filter(char::is_ascii_digit).collect();
        let name = format!("menka-backup-{stamp}-{}", hex(&id[..3]));
        let place = into.join(&name);
        let scratch = swap::fresh(&self.dir, swap::SCRATCH)?;
        let made = self.back_up_in(&scratch, &place, id, kept, now);
        let swept = swap::clear(&scratch);
        let made = made.and_then(|report| swept.map(|()| report));
        let mut report = made.inspect_err(|_| {
            // Best effort: the error that is told is the first one.
            let _ = swap::clear(&place);
        })?;
        report.name = name;
        Ok(report)
    }

    fn back_up_in(
        &mut self,
        scratch: &Path,
        place: &Path,
        id: [u8; 16],
        kept: KeptPair,
        now: Timestamp,
    ) -> Result<BackupReport, VaultError> {
        let content = VaultKey::make();
        self.copy_main(scratch, &content)?;
        let generation = self.copy_keys(scratch, &content)?;
        steps::reached("backup/wrapped");
        fs::create_dir_all(place)?;
        if let Some(into) = place.parent() {
            // Or a power cut takes the whole folder along.
            database::sync_folder(into)?;
        }
        let mut bytes = 0;
        for file in [MAIN_FILE, KEYS_FILE] {
            bytes += copy_file(&scratch.join(file), &place.join(file))?;
        }
        steps::reached("backup/written");
        let damaged = || VaultError::corrupt(MAIN_FILE);
        let pair = Lockbox::from_shape(&kept.pair).ok_or_else(damaged)?;
        let tagger = unhex(&kept.tagger).map(Zeroizing::new).and_then(|key| VaultKey::from_slice(&key));
        let tagger = tagger.ok_or_else(damaged)?;
        let mut header = Header {
            format: FORMAT,
            realm: self.realm.label().into(),
            site: self.site.to_string(),
            id: hex(&id),
            made_at: now.ms(),
            pair: kept.pair,
            content: String::new(),
            main: hex(&digest(&scratch.join(MAIN_FILE))?),
            keys: hex(&digest(&scratch.join(KEYS_FILE))?),
            tag: String::new(),
        };
        let sealed = pair.put(&header.place(), &content)?;
        header.tag = hex(&tagger.tag(TAGGED, &[&header.place()[..], &sealed].concat())?);
        header.content = hex(&sealed);
        let text = serde_json::to_vec_pretty(&header).map_err(|_| VaultError::BackupDamaged)?;
        write_at_once(place, HEADER_FILE, &text)?;
        steps::reached("backup/header");
        // From the medium where the system lets go of what it remembers of the files, which is asked of it; on a system or a medium where it
        // does not, what is read back is what the system says is there.
        for file in [MAIN_FILE, KEYS_FILE, HEADER_FILE] {
            forget_cached(&place.join(file))?;
        }
        let (people, records) = self.try_backup(place, &content)?;
        steps::reached("backup/tried");
        let work = self.begin()?;
        work.execute(
            "INSERT INTO backups (id, generation, made_at, made_by, people, records, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                id,
                generation,
                now.ms(),
                self.staff.bytes(),
                super::log::number(people),
                super::log::number(records),
                super::log::number(bytes)
            ],
        )?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Keep(KeepEvent::BackedUp), now)?;
        work.commit()?;
        Ok(BackupReport { name: String::new(), bytes, people, records })
    }

    /// Restores what was just written into a scratch place and compares it with this vault.
    fn try_backup(&self, place: &Path, content: &VaultKey) -> Result<(u64, u64), VaultError> {
        let header = Header::read(place)?;
        let lock = std::sync::Arc::clone(&self.lock);
        let mut tried = Restoring::unpack(place, header, content, (&self.dir, swap::SCRATCH), lock)?;
        tried.take_live(self)?;
        let records = tried.records()?;
        // The same records as here, up to where the copy was made.
        let here = self.root_at(records)?;
        if here != Some(tried.root()?) {
            return Err(VaultError::BackupDamaged);
        }
        let (people, whole) = tried.open_everybody()?;
        // What was not sound before is copied as it is: the page of the log says so, not this one.
        if whole || !self.audit()?.is_sound() { Ok((people, records)) } else { Err(VaultError::BackupDamaged) }
    }

    /// Copies the main file and takes out what finds or names people.
    fn copy_main(&self, scratch: &Path, content: &VaultKey) -> Result<(), VaultError> {
        let key = derive(content, self.realm, "backup/vault.db")?;
        let mut to = database::open_aside(&scratch.join(MAIN_FILE), &key, true)?;
        database::copy(&self.main, &mut to)?;
        to.execute_batch("PRAGMA journal_mode = DELETE;")?;
        steps::reached("backup/copied");
        let places = self.places()?;
        let tree = self.people_keys.epoch()?.tree;
        let leaf = |resident: ResidentId, leaf| -> Result<VaultKey, VaultError> {
            let place = places.get(&resident).ok_or_else(|| VaultError::corrupt(KEYS_FILE))?;
            tree.key(*place, leaf).ok_or_else(|| VaultError::corrupt(KEYS_FILE))
        };
        let work = to.unchecked_transaction()?;
        for (resident, name, unit) in names(&work)? {
            let key = leaf(resident, Leaf::Identity)?;
            let sealed = |column: &str, value: &[u8]| key.seal(&sealed_place(resident, column), value);
            work.prepare_cached("UPDATE residents SET name = ?2, unit = ?3 WHERE id = ?1")?.execute(params![
                resident.bytes(),
                sealed("name", &name)?,
                sealed("unit", &unit)?
            ])?;
        }
        for (card, resident, number) in numbers(&work)? {
            let sealed = leaf(resident, Leaf::Identity)?.seal(&card_place(card), &number)?;
            work.prepare_cached("UPDATE cards SET number = ?2 WHERE id = ?1")?
                .execute(params![card.bytes(), sealed])?;
        }
        for (sha256, resident, body) in own_texts(&work)? {
            let sealed = leaf(resident, Leaf::Evidence)?.seal(&text_place(&sha256), body.as_bytes())?;
            let sql = "UPDATE texts SET body = ?2 WHERE sha256 = ?1";
            work.prepare_cached(sql)?.execute(params![sha256, format!("{SEALED_TEXT}{}", hex(&sealed))])?;
        }
        // Keyed hashes would tell, to whoever has the key, that a certain unit or card was once here.
        work.execute_batch(
            "UPDATE residents SET unit_hash = randomblob(32); UPDATE cards SET number_hash = randomblob(32);
             DELETE FROM resident_surnames;",
        )?;
        work.commit()?;
        to.execute_batch("VACUUM;")?;
        steps::reached("backup/blinded");
        to.close().map_err(|(_, error)| error.into())
    }

    /// Writes the persons' keys, each sealed under its leaf, and what the station opens with. Returns which tree.
    fn copy_keys(&self, scratch: &Path, content: &VaultKey) -> Result<[u8; 16], VaultError> {
        let key = derive(content, self.realm, "backup/keys.db")?;
        let to = database::open_aside(&scratch.join(KEYS_FILE), &key, true)?;
        to.execute_batch(
            "CREATE TABLE carried (one INTEGER PRIMARY KEY CHECK (one = 1), site BLOB NOT NULL, generation BLOB NOT NULL,
                 master BLOB NOT NULL, slots BLOB NOT NULL) STRICT;
             CREATE TABLE wrapped (resident BLOB PRIMARY KEY NOT NULL, place INTEGER NOT NULL, made_at INTEGER NOT NULL,
                 own BLOB NOT NULL, identity BLOB) STRICT, WITHOUT ROWID;",
        )?;
        let slots = self.slots()?.to_bytes()?;
        let (view, epoch) = self.people_keys.view()?;
        let work = to.unchecked_transaction()?;
        let sql = "INSERT INTO carried (one, site, generation, master, slots) VALUES (1, ?1, ?2, ?3, ?4)";
        work.execute(sql, params![self.site.bytes(), epoch.generation, self.ring.master().bytes(), slots])?;
        let mut statement = view
            .prepare("SELECT resident, place, made_at, sealing_key, identity_key FROM person_keys")
            .map_err(|error| epoch::in_keys(&error))?;
        let mut rows = statement.query([]).map_err(|error| epoch::in_keys(&error))?;
        while let Some(row) = rows.next().map_err(|error| epoch::in_keys(&error))? {
            let (resident, place, made_at): ([u8; 16], u32, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            // As they are stored: sealed under the leaves, which are not in it.
            let (own, identity): (Vec<u8>, Option<Vec<u8>>) = (row.get(3)?, row.get(4)?);
            let sql = "INSERT INTO wrapped (resident, place, made_at, own, identity) VALUES (?1, ?2, ?3, ?4, ?5)";
            work.prepare_cached(sql)?.execute(params![resident, place, made_at, own, identity])?;
        }
        work.commit()?;
        to.close().map_err(|(_, error)| VaultError::from(error))?;
        Ok(epoch.generation)
    }

    fn places(&self) -> Result<BTreeMap<ResidentId, u32>, VaultError> {
        let in_keys = |error: rusqlite::Error| epoch::in_keys(&error);
        let mut statement = self.people_keys.prepare("SELECT resident, place FROM person_keys").map_err(in_keys)?;
        let rows =
            statement.query_map([], |row| Ok((ResidentId::from_bytes(row.get(0)?), row.get(1)?))).map_err(in_keys)?;
        rows.collect::<Result<_, _>>().map_err(in_keys)
    }

    fn backup_pair(&self) -> Result<Option<KeptPair>, VaultError> {
        let Some(bytes) = self.read_station_sealed(PAIR)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| VaultError::corrupt(MAIN_FILE))
    }
}

/// What the tag of a header is for.
const TAGGED: &str = "menka/backup-tag/1";

/// The key of headers' tags, from the private half of the pair.
fn tagger(private: &[u8]) -> Result<VaultKey, VaultError> {
    let private = VaultKey::from_slice(private).ok_or(VaultError::BackupDamaged)?;
    VaultKey::from_slice(&private.tag("menka/backup-tagger/1", b"")?).ok_or(VaultError::BackupDamaged)
}

/// Names and units of everybody whose identity was not erased, as they are sealed here.
pub(super) fn names(view: &Connection) -> Result<Vec<(ResidentId, Vec<u8>, Vec<u8>)>, VaultError> {
    let mut statement = view.prepare("SELECT id, name, unit FROM residents WHERE length(name) > 0")?;
    let rows = statement.query_map([], |row| Ok((ResidentId::from_bytes(row.get(0)?), row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Card numbers that were not erased, as they are sealed here.
pub(super) fn numbers(view: &Connection) -> Result<Vec<(CardId, ResidentId, Vec<u8>)>, VaultError> {
    let mut statement = view.prepare("SELECT id, resident, number FROM cards WHERE length(number) > 0")?;
    let rows = statement
        .query_map([], |row| Ok((CardId::from_bytes(row.get(0)?), ResidentId::from_bytes(row.get(1)?), row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Texts that one person only was shown, and whose key is there: they may name that person.
pub(super) fn own_texts(view: &Connection) -> Result<Vec<([u8; 32], ResidentId, String)>, VaultError> {
    let mut statement = view.prepare(
        "SELECT sha256, min(showings.resident), body FROM texts JOIN showings ON text_sha256 = sha256
             JOIN residents ON residents.id = showings.resident
         WHERE length(body) > 0 AND evidence_ended_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM undertakings WHERE undertakings.text_sha256 = texts.sha256)
         GROUP BY sha256 HAVING count(DISTINCT showings.resident) = 1",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, ResidentId::from_bytes(row.get(1)?), row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn sealed_place(resident: ResidentId, column: &str) -> Vec<u8> {
    format!("menka/backup/{resident}/{column}").into_bytes()
}

pub(super) fn card_place(card: CardId) -> Vec<u8> {
    format!("menka/backup/card/{card}").into_bytes()
}

pub(super) fn text_place(sha256: &[u8; 32]) -> Vec<u8> {
    format!("menka/backup/text/{}", hex(sha256)).into_bytes()
}

fn digest(path: &Path) -> std::io::Result<[u8; 32]> {
    let mut sha = Sha256::new();
    std::io::copy(&mut fs::File::open(path)?, &mut sha)?;
    Ok(sha.finalize().into())
}

/// Asks the system to forget what it remembers of a durable file, so that the next reading asks the medium.
fn forget_cached(path: &Path) -> Result<(), VaultError> {
    #[cfg(target_os = "linux")]
    {
        let file = fs::File::open(path)?;
        if let Err(error) = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed) {
            tracing::warn!(%error, "the system keeps what it remembers of a written file");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = path;
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<u64, VaultError> {
    let mut target = database::create_private(to)?;
    let bytes = std::io::copy(&mut fs::File::open(from)?, &mut target)?;
    target.sync_all()?;
    Ok(bytes)
}
