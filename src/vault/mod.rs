//! The desk's vault: names, cards, notices shown, consents, the outbox and the evidence log, in two SQLCipher files with keys of their own.
//!
//! Concrete on purpose: no trait stands over it, and tests use a real one in a temporary folder. Every write is one
//! transaction (`synchronous = FULL`) that also appends its records to the evidence log and its operations to the
//! outbox.
//!
//! Deliberately absent: anything made from a picture, sealed or not; a list of everybody; editing or deleting a past
//! event; a consent without a notice that was read, or without a card. Rules: P13–P19, P29, P47, P55, CS1, L3.
//!
//! ```
//! # use menka::domain::{Realm, site::SiteFacts, time::Timestamp};
//! # use menka::{secret::Passphrase, vault::{KdfCost, Vault, VaultError}};
//! # let folder = tempfile::tempdir()?;
//! # let (dir, now) = (folder.path(), Timestamp::from_ms(1_795_276_800_000));
//! # let cost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
//! let passphrase = Passphrase::new("a long enough one".into());
//! drop(Vault::create(dir, Realm::Practice, "前台", &passphrase, &SiteFacts::default(), now, cost)?);
//! let vault = Vault::unlock(dir, Realm::Practice, &passphrase, now)?;
//! assert_eq!(vault.find("王").err(), Some(VaultError::NeedsUnit));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accounts;
mod approvals;
mod attempts;
mod audit;
mod backup;
mod binding;
mod boards;
mod cameras;
mod cards;
mod carried;
mod certificates;
mod changes;
mod consents;
mod database;
mod door;
mod doors;
mod dossier;
#[cfg(test)]
mod dossier_tests;
mod duty_figures;
mod end_again;
mod endings;
mod epoch;
mod epoch_lists;
mod epoch_secret;
#[cfg(test)]
mod erasure_tests;
mod error;
mod expected;
mod face_check;
mod figures;
#[cfg(feature = "practice")]
mod fill;
mod fills;
mod forms;
mod gate_heads;
mod guardian_terms;
mod guardians;
mod hand_over;
mod held;
mod held_about;
mod held_parties;
mod identity_apart;
mod incidents;
mod joins;
#[cfg(test)]
mod keep_tests;
mod keys;
mod late;
mod lockbox;
mod log;
mod looks;
mod lookup;
#[cfg(test)]
mod notice_tests;
mod notices;
mod openings;
mod outbox;
mod own_face;
mod people_keys;
mod places;
mod posture;
mod punctures;
mod reading;
mod reconcile;
mod recovery;
mod registers;
mod renewal;
mod replace;
mod requests;
mod residents;
mod restore;
mod restore_door;
mod retention;
mod rotation;
#[cfg(feature = "practice")]
mod searched;
mod showings;
mod signatures;
mod site_end;
mod site_files;
mod slots;
mod station;
mod steps;
mod stops;
mod swap;
mod switch_offs;
#[cfg(test)]
mod tamper_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod torn_tests;
mod unpairings;
mod versions;

pub use accounts::{Account, NAME_CHARS_MAX, NewAccount, is_a_name};
pub use audit::{AuditReport, StartCheck};
pub use backup::{BackupReport, BackupRow};
pub use boards::BoardCards;
pub use carried::Carried;
pub use certificates::{Certificate, Ended};
pub use changes::{Change, Death, Restriction};
pub use consents::ConsentRow;
pub use door::DoorAccount;
pub use doors::{Door, Fill};
pub use dossier::{Dossier, Entry, NOT_IN_IT, NotInIt};
pub use duty_figures::DutyFigures;
pub use epoch::{EpochNote, GateEpoch};
pub use error::VaultError;
pub use expected::{CardNumbers, Expected};
pub use face_check::FaceCheck;
pub use fills::{FillRefused, FillSent, Filled};
pub use forms::FormRow;
pub use gate_heads::{GateHead, HeadState, Offer};
pub use guardian_terms::GuardianDue;
pub use held_parties::GuardianSheet;
pub use incidents::{IncidentPerson, IncidentRow};
pub use joins::Joined;
pub use keys::KdfCost;
pub use looks::Looks;
pub use outbox::QueueCount;
pub use reconcile::Drift;
pub use registers::{AssessmentRow, EntrustedRow, SignRow};
pub use replace::HeldWord;
pub use requests::{NewRequest, RequestFull};
pub use residents::{Found, FoundRow, OpenWhy};
pub use restore::{Cut, RestoreReport, Restoring};
pub use restore_door::{RESTORERS, Restorers};
pub use retention::{RetentionPlan, RetentionReport};
pub use rotation::Rotated;
pub use showings::{ShownFrom, ShownRow};
pub use site_end::{GateLeft, SiteEndRow};
pub use site_files::SiteFileRow;
pub use steps::STEPS;
pub use switch_offs::SwitchOff;
pub use unpairings::Unpairing;
pub use versions::{Recorded, VersionRow};

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use zeroize::Zeroizing;

use crate::domain::Realm;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::{ResidentId, SiteId, StaffId};
use crate::domain::role::Role;
use crate::domain::site::SiteFacts;
use crate::domain::time::Timestamp;
use crate::secret::{Passphrase, random_bytes};

use attempts::Counts;
use database::Opening;
use epoch_secret::Secrets;
use error::{EPOCH_FILE, KEYS_FILE, LOCK_FILE, MAIN_FILE, SLOTS_FILE};
use keys::{Ring, VaultKey};
use people_keys::PeopleKeys;
use slots::{Kind, Slots};

/// What lies in a data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultState {
    /// No vault yet.
    Absent,
    /// A vault that a passphrase opens.
    Locked {
        /// Its realm.
        realm: Realm,
        /// What is left of the pause after wrong passphrases of the first account, in milliseconds.
        wait_ms: i64,
    },
}

/// An open vault. Dropping it locks it: the files are closed and the keys wiped.
pub struct Vault {
    dir: PathBuf,
    realm: Realm,
    site: SiteId,
    staff: StaffId,
    staff_name: String,
    role: Role,
    ring: Ring,
    /// Boxed: an open vault is handed from place to place, and what is moved leaves a copy behind that nobody wipes.
    signer: Box<SigningKey>,
    main: Connection,
    people_keys: PeopleKeys,
    start_check: StartCheck,
    /// Whose record staff have open: the only one of which they are given everything held.
    looked_at: Option<ResidentId>,
    /// At which sizes of the log a backup was put in its place: each begins a log of another name.
    restarts: Vec<u64>,
    /// Version of the internal rules that an account must have signed to work; the desk says which.
    rules_in_force: Option<String>,
    /// Key of the layer over accounts' slots, as the security chip gave it out. The courier's connection has none.
    chip_key: Option<Arc<VaultKey>>,
    /// Held while any connection is open, so that a second program is kept out.
    lock: Arc<File>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({}, {}, [REDACTED])", self.realm.label(), self.site.short())
    }
}

impl Vault {
    /// Looks at a data folder without opening anything.
    ///
    /// # Errors
    /// A slots file that is damaged or cannot be read.
    pub fn state(dir: &Path, now: Timestamp) -> Result<VaultState, VaultError> {
        Self::settle_files(dir)?;
        match Slots::read(dir)? {
            None => Ok(VaultState::Absent),
            Some(slots) => {
                let first = Self::accounts_at_the_door(dir, now)?.first().map_or(0, |account| account.wait_ms);
                let wait_ms = first;
                Ok(VaultState::Locked { realm: slots.realm, wait_ms })
            }
        }
    }

    /// Whether a vault's data lie in a folder without the slots that open them: the slots file was lost, or a first run broke off.
    pub fn has_data_without_slots(dir: &Path) -> bool {
        !dir.join(SLOTS_FILE).exists() && dir.join(MAIN_FILE).exists()
    }

    /// Makes a vault with one account, a supervisor's. The slots file is written last: a first run that breaks off leaves no vault.
    ///
    /// # Errors
    /// [`VaultError::AlreadyThere`], [`VaultError::NameWrong`], [`VaultError::PassphraseTooShort`], [`VaultError::CostWrong`], and those of
    /// the disk.
    pub fn create(
        dir: &Path,
        realm: Realm,
        operator: &str,
        passphrase: &Passphrase,
        facts: &SiteFacts,
        now: Timestamp,
        cost: KdfCost,
    ) -> Result<Self, VaultError> {
        if !accounts::is_a_name(operator.trim()) {
            return Err(VaultError::NameWrong);
        }
        if passphrase.chars() < Passphrase::CHARS_MIN {
            return Err(VaultError::PassphraseTooShort);
        }
        if !cost.is_sane() {
            return Err(VaultError::CostWrong);
        }
        database::make_folder(dir)?;
        let lock = Arc::new(take_lock(dir)?);
        swap::settle(dir)?;
        if Slots::read(dir)?.is_some() {
            return Err(VaultError::AlreadyThere);
        }
        database::set_aside_leftovers(dir, now.ms())?;
        let (site, staff) = (SiteId::from_bytes(random_bytes()), StaffId::from_bytes(random_bytes()));
        let master = VaultKey::make();
        let staff_name = operator.trim().to_owned();
        let role = Role::Supervisor;
        let mut slots = Slots::new(realm, site);
        slots.put(staff, Kind::Account { name: staff_name.clone(), role }, passphrase, &master, cost)?;
        let ring = Ring::derive(master, realm)?;
        drop(Secrets::make(dir, &ring, epoch_secret::FIRST, VaultKey::make())?);
        let people_keys = PeopleKeys::open(dir, &ring, None, Opening::New)?;
        people_keys
            .execute("INSERT INTO belongs (site) VALUES (?1)", [site.bytes()])
            .map_err(|error| VaultError::of(KEYS_FILE, &error))?;
        let main = database::open(dir, MAIN_FILE, &ring.file_key(MAIN_FILE)?, Opening::New)?;
        let seed = Zeroizing::new(random_bytes::<32>());
        let signer = keys::signer(&seed[..]).ok_or(VaultError::Refused(0))?;
        let start_check = StartCheck { sound: true, ..StartCheck::default() };
        let vault = Self {
            dir: dir.to_owned(),
            realm,
            site,
            staff,
            staff_name,
            role,
            ring,
            signer,
            main,
            people_keys,
            start_check,
            looked_at: None,
            restarts: vec![],
            rules_in_force: None,
            chip_key: None,
            lock,
        };
        let work = vault.begin()?;
        vault.write_station(&work, "site", site.bytes())?;
        vault.write_station(&work, "realm", realm.label().as_bytes())?;
        vault.write_station_sealed(&work, "evidence-key", &seed[..])?;
        // Nobody is in it yet: whoever is recorded is indexed in the form of today.
        vault.write_station(&work, residents::FORMS_AT, &[lookup::FORMS])?;
        vault.write_station(&work, identity_apart::SEALED_AT, &[identity_apart::SHAPE])?;
        vault.write_staff(&work, staff, &vault.staff_name, role, now)?;
        vault.append(&work, Actor::Station, &AuditEvent::VaultCreated, now)?;
        vault.write_facts(&work, facts, Actor::Staff(staff), now)?;
        work.commit()?;
        // A count that an older vault left here does not count against this one.
        Counts::default().write(dir)?;
        slots.write(dir)?;
        Ok(vault)
    }

    /// Another connection to the same open vault, for the courier's thread. Needs no passphrase and no pause.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn second_connection(&self) -> Result<Self, VaultError> {
        let lock = Arc::clone(&self.lock);
        let keys = (self.ring.again()?, Some(self.people_keys.secrets()));
        Self::open(&self.dir, self.realm, self.site, self.staff, keys, lock, Opening::Again)
    }

    /// Logs that the desk was locked, then locks.
    ///
    /// # Errors
    /// Those of the disk; the vault is locked whatever happens.
    pub fn lock(mut self, now: Timestamp) -> Result<(), VaultError> {
        self.note_shut(now)
    }

    /// Finishes what a change of keys or a restored backup left to do when the program ended in between.
    ///
    /// # Errors
    /// [`VaultError::InUse`] when another program is about it, and those of the disk.
    pub(super) fn settle_files(dir: &Path) -> Result<(), VaultError> {
        if !swap::is_unsettled(dir) {
            return Ok(());
        }
        let _lock = match take_lock(dir) {
            // What is left of a try, or of a set that was never decided for, changes nothing about who may unlock: it waits.
            Err(VaultError::InUse) if !swap::is_decided(dir) => return Ok(()),
            taken => taken?,
        };
        swap::settle(dir)
    }

    /// Real or practice.
    pub fn realm(&self) -> Realm {
        self.realm
    }

    /// Which site.
    pub fn site(&self) -> SiteId {
        self.site
    }

    /// The account that is logged in, and its shown name.
    pub fn operator(&self) -> (StaffId, String) {
        (self.staff, self.staff_name.clone())
    }

    /// The account that is logged in, as the log names it. On the courier's connection this is whoever unlocked, who may be gone: what is done
    /// there at somebody's wish carries who wished it.
    pub fn who(&self) -> Actor {
        Actor::Staff(self.staff)
    }

    /// What the account that is logged in may do.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The public key under which receipts, statements of deletion and log heads verify (Ed25519). To be posted at the
    /// desk.
    pub fn evidence_public(&self) -> [u8; 32] {
        self.signer.verifying_key().to_bytes()
    }

    /// Opens both files and checks that they belong together.
    fn open(
        dir: &Path,
        realm: Realm,
        site: SiteId,
        staff: StaffId,
        (ring, shared): (Ring, Option<Arc<Secrets>>),
        lock: Arc<File>,
        opening: Opening,
    ) -> Result<Self, VaultError> {
        let people_keys = PeopleKeys::open(dir, &ring, shared, opening)?;
        let belongs: [u8; 16] = people_keys
            .query_row("SELECT site FROM belongs", [], |row| row.get(0))
            .map_err(|_| VaultError::corrupt(KEYS_FILE))?;
        let main = database::open(dir, MAIN_FILE, &ring.file_key(MAIN_FILE)?, opening)?;
        // A placeholder until the real one is read below; it signs nothing.
        let signer = Box::new(SigningKey::from_bytes(&[0; 32]));
        let mut vault = Self {
            dir: dir.to_owned(),
            realm,
            site,
            staff,
            staff_name: String::new(),
            role: Role::Auditor,
            ring,
            signer,
            main,
            people_keys,
            start_check: StartCheck::default(),
            looked_at: None,
            restarts: vec![],
            rules_in_force: None,
            chip_key: None,
            lock,
        };
        if belongs != *site.bytes() {
            return Err(VaultError::corrupt(KEYS_FILE));
        }
        if let Some(carried) = vault.read_station(rotation::CARRIED)? {
            vault.ring.take_carried(&carried)?;
        }
        vault.restarts = vault.read_restarts()?;
        let (kept_site, kept_realm) = (vault.read_station("site")?, vault.read_station("realm")?);
        if kept_site.as_deref() != Some(site.bytes()) || kept_realm.as_deref() != Some(realm.label().as_bytes()) {
            return Err(VaultError::corrupt(MAIN_FILE));
        }
        let seed = vault.read_station_sealed("evidence-key")?.ok_or_else(|| VaultError::corrupt(MAIN_FILE))?;
        vault.signer = keys::signer(&seed).ok_or_else(|| VaultError::corrupt(MAIN_FILE))?;
        if !vault.knows_staff(staff)? {
            // Adding broke off between the two files.
            return Err(VaultError::AccountDisabled);
        }
        (vault.staff_name, vault.role) = vault.read_staff(staff)?;
        Ok(vault)
    }

    /// Every value of both files, decrypted, one after the other: for tests that look for what must not be there.
    ///
    /// # Errors
    /// Those of the disk.
    #[cfg(feature = "practice")]
    pub fn decrypted_values(&self) -> Result<Vec<u8>, VaultError> {
        let mut all = vec![];
        for file in [&self.main, &*self.people_keys] {
            let mut names = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
            let tables = names.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
            for table in tables {
                let mut statement = file.prepare(&format!("SELECT * FROM \"{table}\""))?;
                let columns = statement.column_count();
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    for column in 0..columns {
                        if let rusqlite::types::ValueRef::Blob(bytes) | rusqlite::types::ValueRef::Text(bytes) =
                            row.get_ref(column)?
                        {
                            all.extend_from_slice(bytes);
                        }
                    }
                }
            }
        }
        Ok(all)
    }

    /// Every page of both files, decrypted, free ones too: for tests that look for what must not be there.
    #[cfg(feature = "practice")]
    #[allow(unsafe_code)]
    pub fn decrypted_pages(&self) -> Vec<u8> {
        let mut all = vec![];
        for file in [&self.main, &*self.people_keys] {
            let mut length = 0i64;
            // SAFETY: the handle is open; the returned block of `length` bytes is ours until it is freed, and is copied before.
            unsafe {
                let start = rusqlite::ffi::sqlite3_serialize(file.handle(), c"main".as_ptr(), &raw mut length, 0);
                if !start.is_null() {
                    all.extend_from_slice(std::slice::from_raw_parts(start, usize::try_from(length).unwrap_or(0)));
                    rusqlite::ffi::sqlite3_free(start.cast());
                }
            }
        }
        all
    }

    /// Changes the file behind the program's back, as its owner could: for tests of what notices.
    ///
    /// # Errors
    /// Those of the disk, and what the file's own constraints refuse.
    #[cfg(feature = "practice")]
    pub fn edit_unnoticed(&self, sql: &str) -> Result<usize, VaultError> {
        Ok(self.main.execute(sql, [])?)
    }

    /// The key that seals one person's columns: for tests that look for it after it was destroyed.
    ///
    /// # Errors
    /// Those of the disk.
    #[cfg(feature = "practice")]
    pub fn person_key_bytes(&self, resident: ResidentId) -> Result<Vec<u8>, VaultError> {
        Ok(self.person_key(resident)?.bytes().to_vec())
    }

    /// The same key as the file holds it, sealed.
    ///
    /// # Errors
    /// Those of the disk.
    #[cfg(feature = "practice")]
    pub fn person_key_as_stored(&self, resident: ResidentId) -> Result<Vec<u8>, VaultError> {
        let sql = "SELECT sealing_key FROM person_keys WHERE resident = ?1";
        self.people_keys.query_row(sql, [resident.bytes()], |row| row.get(0)).map_err(|error| epoch::in_keys(&error))
    }

    /// A person's name as the file holds it, sealed or empty, and whether its key is there: for tests that look for it after it was erased.
    ///
    /// # Errors
    /// Those of the disk.
    #[cfg(feature = "practice")]
    pub fn name_as_stored(&self, resident: ResidentId) -> Result<(Vec<u8>, bool), VaultError> {
        let sql = "SELECT name FROM residents WHERE id = ?1";
        let name = self.main.query_row(sql, [resident.bytes()], |row| row.get(0))?;
        Ok((name, self.identity_key(resident).is_ok()))
    }

    /// Starts a write: the lock is taken at once, so that two connections never build on the same state.
    fn begin(&self) -> Result<Transaction<'_>, VaultError> {
        Ok(Transaction::new_unchecked(&self.main, TransactionBehavior::Immediate)?)
    }
}

/// Keeps a second program out; the operating system lets go when the program ends, however it ends.
fn take_lock(dir: &Path) -> Result<File, VaultError> {
    let path = dir.join(LOCK_FILE);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    for tries_left in (0..LOCK_TRIES).rev() {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // A process that is being started by this one holds copies of its files for a moment, a lock that was let go among them.
            Err(std::fs::TryLockError::WouldBlock) if tries_left > 0 => std::thread::sleep(LOCK_PAUSE),
            Err(std::fs::TryLockError::WouldBlock) => break,
            Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
        }
    }
    Err(VaultError::InUse)
}

/// Tries for the lock, and the pause between two.
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// The signed public copy of the rules, beside the vault: readable by anybody, with nobody in it.
pub const PUBLIC_RULES_FILE: &str = "public-rules.cose";
/// The station's public key for evidence, beside it.
pub const EVIDENCE_KEY_FILE: &str = "evidence-key.pub";

/// The program's own log, which is kept beside it: ids, kinds and counts, nobody's name.
pub const LOG_FILE: &str = "menka.log";
/// The one before, once that is full.
pub const LOG_FILE_BEFORE: &str = "menka.log.1";

/// Names of the files that make up a vault, for a backup or a check.
pub const FILES: [&str; 4] = [MAIN_FILE, KEYS_FILE, EPOCH_FILE, SLOTS_FILE];
