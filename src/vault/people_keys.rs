//! `keys.db`: every person's keys, sealed under the person's leaves of the tree (`punctures`), and the tree, sealed under the epoch secret
//! (`epoch_secret`).
//!
//! A person's key is read by way of the tree, the leaf and the sealed row. Whoever's leaf is cut out opens from no remnant of the row, unless with an
//! older tree, and that is sealed under a secret which was destroyed. The order of an erasure: the next secret is written beside the last one; one
//! transaction cuts the tree, takes the row out and says which secret counts; the write-ahead log is moved into the file; the last secret is
//! overwritten. Whatever end comes in between, the next opening reads which secret counts and overwrites the other. Rules: P47, P56.

use std::cell::{Ref, RefCell};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use zeroize::Zeroizing;

use crate::domain::id::ResidentId;
use crate::domain::time::Timestamp;
use crate::secret::random_bytes;

use super::database::{self, Opening};
use super::epoch::{self, Epoch, begin, in_keys};
use super::epoch_secret::{FIRST, Secrets};
use super::error::{EPOCH_FILE, KEYS_FILE, VaultError};
use super::keys::{Ring, VaultKey};
use super::punctures::{Leaf, Tree};
use super::steps;

/// Looks at a state that another connection may have left behind meanwhile, at most.
const TRIES: u32 = 50;
/// Place of the sealed tree.
const TREE: &[u8] = b"menka/keys/1/tree";

/// The file of the persons' keys. As a connection it gives out what is stored, sealed.
pub(super) struct PeopleKeys {
    file: Connection,
    secrets: Arc<Secrets>,
    /// The tree as it was last read.
    known: RefCell<Option<Known>>,
}

struct Known {
    /// Number of the secret that sealed it: it grows with every change of the tree.
    secret: i64,
    tree: Tree,
}

impl Deref for PeopleKeys {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.file
    }
}

/// What a person's rows are sealed with, opened.
pub(super) struct Pair {
    /// Seals the person's columns; lives until the evidence reaches its term.
    pub(super) own: VaultKey,
    /// Goes when the identity is erased.
    pub(super) identity: Option<VaultKey>,
}

impl Pair {
    /// What seals name, unit and card numbers: it takes both keys. `None` once the identity was erased.
    pub(super) fn of_identity(&self) -> Result<Option<VaultKey>, VaultError> {
        let Some(identity) = &self.identity else { return Ok(None) };
        Ok(VaultKey::from_slice(&self.own.tag("menka/identity/1", identity.bytes())?))
    }
}

impl PeopleKeys {
    /// Opens the file; `shared` is what another connection of the same open vault holds already.
    ///
    /// # Errors
    /// [`VaultError::KeysOlder`] for a file from before an erasure, [`VaultError::Corrupt`], [`VaultError::TooNew`], and those of the disk.
    pub(super) fn open(
        dir: &Path,
        ring: &Ring,
        shared: Option<Arc<Secrets>>,
        opening: Opening,
    ) -> Result<Self, VaultError> {
        let read = match shared {
            Some(shared) => Some(shared),
            None => Secrets::read(dir, ring)?.map(Arc::new),
        };
        let key = read.as_ref().map_or_else(|| ring.file_key(KEYS_FILE), |secrets| secrets.file_key(ring))?;
        let file = match database::open(dir, KEYS_FILE, &key, opening) {
            // Half of its key is in the file that is not there.
            Err(VaultError::Corrupt { .. }) if read.is_none() && dir.join(KEYS_FILE).exists() => {
                return Err(VaultError::corrupt(EPOCH_FILE));
            }
            opened => opened?,
        };
        let stored = epoch::stored_secret(&file)?;
        let secrets = match read {
            Some(secrets) => secrets,
            // Of an earlier version of the program: it gets one at this unlock.
            None if stored.is_none_or(|number| number == 0) => Arc::new(Secrets::make_for_earlier(dir, ring)?),
            None => return Err(VaultError::corrupt(EPOCH_FILE)),
        };
        if !secrets.has_own_file_key() && opening == Opening::Checked {
            tracing::info!(
                "keys.db is under a key from the master key alone; it gets one of its own when the keys are changed"
            );
        }
        let keys = Self { file, secrets, known: RefCell::new(None) };
        if opening != Opening::Again {
            keys.seal_plain()?;
            keys.finish()?;
        }
        Ok(keys)
    }

    /// What the other connection of this vault needs to open the same file.
    pub(super) fn secrets(&self) -> Arc<Secrets> {
        Arc::clone(&self.secrets)
    }

    /// The tree and what belongs to it.
    ///
    /// # Errors
    /// [`VaultError::Busy`] when this connection looks at a state from before an erasure, and those of the disk.
    pub(super) fn epoch(&self) -> Result<Epoch, VaultError> {
        self.tried(|| self.epoch_in(&self.file))
    }

    /// A view of the whole file as of one moment, with its tree.
    ///
    /// # Errors
    /// As [`Self::epoch`].
    pub(super) fn view(&self) -> Result<(Transaction<'_>, Epoch), VaultError> {
        self.tried(|| {
            let view = self.file.unchecked_transaction().map_err(|error| in_keys(&error))?;
            let epoch = self.epoch_in(&view)?;
            Ok(epoch.map(|epoch| (view, epoch)))
        })
    }

    /// A person's own key; `None` once it is gone.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`], and as [`Self::epoch`].
    pub(super) fn own_of(&self, id: ResidentId) -> Result<Option<VaultKey>, VaultError> {
        Ok(self.tried(|| self.pair_in(id, false))?.map(|pair| pair.own))
    }

    /// Both keys of a person; `None` once they are gone.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`], and as [`Self::epoch`].
    pub(super) fn pair_of(&self, id: ResidentId) -> Result<Option<Pair>, VaultError> {
        self.tried(|| self.pair_in(id, true))
    }

    /// Makes the keys of a person in a transaction on this file. Keys that are there are replaced.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn make_in(&self, work: &Connection, id: ResidentId, now: Timestamp) -> Result<Pair, VaultError> {
        let (own, identity) = (VaultKey::make(), VaultKey::make());
        let place = epoch::take_place(work)?;
        let number = epoch::stored_secret(work)?.unwrap_or(0);
        let tree = self.tree(work, number)?.ok_or(VaultError::Busy)?;
        put(work, &tree, id, &Plain { own: own.bytes(), identity: Some(identity.bytes()), made_at: now.ms(), place })?;
        Ok(Pair { own, identity: Some(identity) })
    }

    /// Cuts leaves out of the tree and destroys what opened them: [`Leaf::Identity`] the key of the identity, [`Leaf::Evidence`] everything of the
    /// person. When this returns nothing on this computer opens them; a tree with more branches than this is dealt anew.
    ///
    /// # Errors
    /// Those of the disk. What was cut stays cut; the secret from before is destroyed at the next change or start, before anything is told.
    pub(super) fn cut(&self, cuts: &[(ResidentId, Leaf)], branches_max: usize) -> Result<(), VaultError> {
        self.change(|work, epoch| {
            let mut changed = false;
            for (resident, leaf) in cuts {
                changed |= cut_one(work, epoch, *resident, *leaf)?;
            }
            if changed {
                epoch.number += 1;
                if epoch.tree.len() > branches_max {
                    deal_anew(work, epoch)?;
                }
            }
            Ok(changed)
        })
    }

    /// Another secret, with nothing cut out: for files that begin anew.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn renew(&self) -> Result<(), VaultError> {
        self.change(|_, _| Ok(true))
    }

    /// Changes the tree as another keeper of it says, under another secret.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn join(&self, change: impl FnOnce(&mut Epoch)) -> Result<(), VaultError> {
        self.change(|_, epoch| {
            change(epoch);
            Ok(true)
        })
    }

    /// Puts another tree in the place of the one that is there, with the keys that `write` seals under it in the same transaction ([`put`]).
    ///
    /// # Errors
    /// Those of the disk, and what `write` returns.
    pub(super) fn replace(
        &self,
        next: Epoch,
        write: impl FnOnce(&Transaction<'_>, &Tree) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        self.change(|work, epoch| {
            *epoch = Epoch { secret: epoch.secret, ..next };
            write(work, &epoch.tree)?;
            Ok(true)
        })
    }

    /// Writes the secret into a folder in which the file is copied under new keys, beside a new half of its key.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn secret_into(&self, dir: &Path, ring: &Ring) -> Result<Secrets, VaultError> {
        let _turn = self.secrets.turn();
        let number = epoch::stored_secret(&self.file)?.unwrap_or(0);
        let secret = self.secrets.of(number).ok_or_else(|| VaultError::corrupt(EPOCH_FILE))?;
        Secrets::make(dir, ring, number, secret)
    }

    /// Whether the file's own key is independent of the master key; one of an earlier version's is not until new keys are dealt.
    pub(super) fn has_own_file_key(&self) -> bool {
        self.secrets.has_own_file_key()
    }

    /// Finishes what a change left to do: whatever secret does not count is destroyed.
    ///
    /// # Errors
    /// [`VaultError::KeysOlder`], [`VaultError::Corrupt`], and those of the disk.
    fn finish(&self) -> Result<(), VaultError> {
        let _turn = self.secrets.turn();
        let number = epoch::stored_secret(&self.file)?.unwrap_or(0);
        if self.secrets.of(number).is_none() {
            // Nothing is touched: the right file of the two, put back, opens.
            let is_older = self.secrets.highest() > number;
            return Err(if is_older { VaultError::KeysOlder } else { VaultError::corrupt(EPOCH_FILE) });
        }
        if self.epoch_in(&self.file)?.is_none() {
            return Err(VaultError::corrupt(EPOCH_FILE));
        }
        self.secrets.keep_only(number)
    }

    /// One change of the tree, with another secret for it.
    fn change(
        &self,
        change: impl FnOnce(&Transaction<'_>, &mut Epoch) -> Result<bool, VaultError>,
    ) -> Result<(), VaultError> {
        let _turn = self.secrets.turn();
        self.settle()?;
        let work = begin(&self.file)?;
        let mut epoch = self.epoch_in(&work)?.ok_or(VaultError::Busy)?;
        if !change(&work, &mut epoch)? {
            return work.commit().map_err(|error| in_keys(&error));
        }
        let (next, secret) = self.secrets.begin_next(epoch.secret)?;
        steps::reached("erase/secret");
        epoch.secret = next;
        epoch::write(&work, &epoch, &sealed_tree(&secret, next, &epoch.tree)?)?;
        work.commit().map_err(|error| in_keys(&error))?;
        steps::reached("erase/cut");
        *self.known.borrow_mut() = Some(Known { secret: next, tree: epoch.tree });
        // So that the file says it without its log too. A reader may be in the way: the commit is durable without it.
        let moved = self.file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        if !matches!(moved, Ok(0)) {
            tracing::warn!("the log of the persons' keys is in use; it is emptied later");
        }
        steps::reached("erase/emptied");
        self.secrets.keep_only(next)?;
        steps::reached("erase/overwritten");
        Ok(())
    }

    /// Destroys a secret that an earlier change of this connection or the other left behind when the disk failed.
    fn settle(&self) -> Result<(), VaultError> {
        if self.secrets.is_settled() {
            return Ok(());
        }
        // A commit that failed may still stand in the log, to be found after a crash: another one takes its place first.
        let work = begin(&self.file)?;
        work.execute("UPDATE epoch SET told = zeroblob(32)", []).map_err(|error| in_keys(&error))?;
        let number = epoch::stored_secret(&work)?.unwrap_or(0);
        work.commit().map_err(|error| in_keys(&error))?;
        self.secrets.keep_only(number)
    }

    /// Seals what a vault of an earlier version holds in plain, and makes the first tree where there is none.
    fn seal_plain(&self) -> Result<(), VaultError> {
        let _turn = self.secrets.turn();
        let work = begin(&self.file)?;
        epoch::ensure(&work)?;
        if epoch::stored_secret(&work)? != Some(0) {
            return Ok(());
        }
        // One that is younger than the first erasure is of another time than the file beside it.
        let secret = self.secrets.of(FIRST).ok_or(VaultError::KeysOlder)?;
        let tree = Tree::from_bytes(&epoch::stored(&work)?.branches)?;
        {
            let sql = "SELECT resident, sealing_key, made_at, place FROM person_keys_plain";
            let mut statement = work.prepare(sql).map_err(|error| in_keys(&error))?;
            let mut rows = statement.query([]).map_err(|error| in_keys(&error))?;
            while let Some(row) = rows.next().map_err(|error| in_keys(&error))? {
                let own: Zeroizing<Vec<u8>> = Zeroizing::new(row.get(1)?);
                let identity = VaultKey::make();
                let plain =
                    Plain { own: &own, identity: Some(identity.bytes()), made_at: row.get(2)?, place: row.get(3)? };
                put(&work, &tree, ResidentId::from_bytes(row.get(0)?), &plain)?;
            }
        }
        let sealed = sealed_tree(&secret, FIRST, &tree)?;
        work.execute("UPDATE epoch SET branches = ?1, secret_number = ?2", params![sealed, FIRST])
            .and_then(|_| work.execute_batch("DROP TABLE person_keys_plain;"))
            .map_err(|error| in_keys(&error))?;
        work.commit().map_err(|error| in_keys(&error))?;
        self.file
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
            .map_err(|error| in_keys(&error))?;
        Ok(())
    }

    /// Does again what meets a state whose secret another connection has destroyed meanwhile.
    fn tried<T>(&self, mut act: impl FnMut() -> Result<Option<T>, VaultError>) -> Result<T, VaultError> {
        for _ in 0..TRIES {
            if let Some(done) = act()? {
                return Ok(done);
            }
            std::thread::yield_now();
        }
        // Inside a transaction that began before the erasure: the caller's next one is not.
        Err(VaultError::Busy)
    }

    /// The tree in a view; `None` when its secret is gone.
    fn epoch_in(&self, view: &Connection) -> Result<Option<Epoch>, VaultError> {
        let stored = epoch::stored(view)?;
        let Some(secret) = self.secrets.of(stored.secret) else { return Ok(None) };
        let tree = secret.open(&tree_place(stored.secret), &stored.branches);
        let tree = Tree::from_bytes(&tree.ok_or_else(|| VaultError::corrupt(EPOCH_FILE))?)?;
        let epoch::Stored { generation, number, next_place, secret, .. } = stored;
        Ok(Some(Epoch { generation, number, tree, next_place, secret }))
    }

    /// The tree under the secret of this number, read once; `None` when the view holds another by now, or the secret is gone.
    fn tree(&self, view: &Connection, number: i64) -> Result<Option<Ref<'_, Tree>>, VaultError> {
        if self.known.borrow().as_ref().is_none_or(|known| known.secret != number) {
            match self.epoch_in(view)? {
                Some(epoch) if epoch.secret == number => {
                    *self.known.borrow_mut() = Some(Known { secret: number, tree: epoch.tree });
                }
                _ => return Ok(None),
            }
        }
        Ok(Ref::filter_map(self.known.borrow(), |known| known.as_ref().map(|known| &known.tree)).ok())
    }

    /// `None` on the outside: to be tried again. `None` inside: the keys are gone.
    fn pair_in(&self, id: ResidentId, both: bool) -> Result<Option<Option<Pair>>, VaultError> {
        // One statement, so that the row and the number are of one moment.
        let sql = "SELECT sealing_key, identity_key, place, secret_number FROM person_keys, epoch WHERE resident = ?1";
        type Row = (Vec<u8>, Option<Vec<u8>>, u32, i64);
        let row: Option<Row> = self
            .file
            .prepare_cached(sql)
            .and_then(|mut read| {
                read.query_row([id.bytes()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))).optional()
            })
            .map_err(|error| in_keys(&error))?;
        let Some((own, identity, place, number)) = row else { return Ok(Some(None)) };
        let Some(tree) = self.tree(&self.file, number)? else { return Ok(None) };
        let Some(own) = opened(&tree, id, (place, Leaf::Evidence), &own)? else { return Ok(Some(None)) };
        let identity = match identity.filter(|_| both) {
            Some(sealed) => opened(&tree, id, (place, Leaf::Identity), &sealed)?,
            None => None,
        };
        Ok(Some(Some(Pair { own, identity })))
    }
}

/// A person's keys before they are sealed.
pub(super) struct Plain<'a> {
    /// Of the person.
    pub(super) own: &'a [u8],
    /// Of the identity; left out where the leaf is cut.
    pub(super) identity: Option<&'a [u8]>,
    /// When they were made, in milliseconds.
    pub(super) made_at: i64,
    /// Place in the tree.
    pub(super) place: u32,
}

/// Writes a person's keys, sealed under the leaves of a place.
pub(super) fn put(work: &Connection, tree: &Tree, id: ResidentId, plain: &Plain<'_>) -> Result<(), VaultError> {
    // Whose leaf is cut has no keys.
    let Some(leaf) = tree.key(plain.place, Leaf::Evidence) else { return Ok(()) };
    let own = leaf.seal(&key_place(id, Leaf::Evidence), plain.own)?;
    let identity = match (plain.identity, tree.key(plain.place, Leaf::Identity)) {
        (Some(identity), Some(leaf)) => Some(leaf.seal(&key_place(id, Leaf::Identity), identity)?),
        _ => None,
    };
    let sql =
        "INSERT INTO person_keys (resident, sealing_key, identity_key, made_at, place) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (resident) DO UPDATE SET sealing_key = ?2, identity_key = ?3, made_at = ?4, place = ?5";
    work.prepare_cached(sql)
        .and_then(|mut insert| insert.execute(params![id.bytes(), own, identity, plain.made_at, plain.place]))
        .map_err(|error| in_keys(&error))?;
    Ok(())
}

/// Opens what [`put`] sealed; `None` when the leaf is cut.
pub(super) fn opened(
    tree: &Tree,
    id: ResidentId,
    (place, which): (u32, Leaf),
    sealed: &[u8],
) -> Result<Option<VaultKey>, VaultError> {
    let Some(leaf) = tree.key(place, which) else { return Ok(None) };
    let key = leaf.open(&key_place(id, which), sealed).and_then(|bytes| VaultKey::from_slice(&bytes));
    key.map(Some).ok_or_else(|| VaultError::corrupt(KEYS_FILE))
}

fn cut_one(work: &Connection, epoch: &mut Epoch, resident: ResidentId, leaf: Leaf) -> Result<bool, VaultError> {
    let Some(place) = epoch::place_of(work, resident)? else { return Ok(false) };
    let mut changed = epoch.tree.cut(place, Leaf::Identity)?;
    let sql = match leaf {
        Leaf::Identity => "UPDATE person_keys SET identity_key = NULL WHERE resident = ?1",
        Leaf::Evidence => {
            changed |= epoch.tree.cut(place, Leaf::Evidence)?;
            "DELETE FROM person_keys WHERE resident = ?1"
        }
    };
    changed |= work.execute(sql, [resident.bytes()]).map_err(|error| in_keys(&error))? > 0 && leaf == Leaf::Evidence;
    Ok(changed)
}

/// Too many holes to carry about: a new tree, in which everybody has a place anew. Earlier backups do not open any more, and the page about backups
/// says so.
fn deal_anew(work: &Connection, epoch: &mut Epoch) -> Result<(), VaultError> {
    let in_file = |error: rusqlite::Error| in_keys(&error);
    let all: Vec<ResidentId> = {
        let mut statement = work.prepare("SELECT resident FROM person_keys ORDER BY resident").map_err(in_file)?;
        let rows = statement.query_map([], |row| row.get(0).map(ResidentId::from_bytes)).map_err(in_file)?;
        rows.collect::<Result<_, _>>().map_err(in_file)?
    };
    // Out of the way of the places that are given now.
    work.execute("UPDATE person_keys SET place = place + 1000000000", []).map_err(in_file)?;
    let tree = Tree::make();
    for (place, id) in (0u32..).zip(&all) {
        let sql = "SELECT sealing_key, identity_key, made_at, place - 1000000000 FROM person_keys WHERE resident = ?1";
        type Row = (Vec<u8>, Option<Vec<u8>>, i64, u32);
        let (own, identity, made_at, was): Row = work
            .prepare_cached(sql)
            .and_then(|mut read| read.query_row([id.bytes()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))))
            .map_err(in_file)?;
        let own =
            opened(&epoch.tree, *id, (was, Leaf::Evidence), &own)?.ok_or_else(|| VaultError::corrupt(KEYS_FILE))?;
        let identity = match identity {
            Some(sealed) => opened(&epoch.tree, *id, (was, Leaf::Identity), &sealed)?,
            None => None,
        };
        let identity = identity.as_ref().map(|key| &key.bytes()[..]);
        put(work, &tree, *id, &Plain { own: own.bytes(), identity, made_at, place })?;
    }
    epoch.generation = random_bytes();
    epoch.tree = tree;
    epoch.next_place = u32::try_from(all.len()).unwrap_or(u32::MAX);
    Ok(())
}

fn sealed_tree(secret: &VaultKey, number: i64, tree: &Tree) -> Result<Vec<u8>, VaultError> {
    secret.seal(&tree_place(number), &tree.to_bytes())
}

fn tree_place(number: i64) -> Vec<u8> {
    [TREE, &number.to_be_bytes()].concat()
}

fn key_place(id: ResidentId, leaf: Leaf) -> Vec<u8> {
    let what = match leaf {
        Leaf::Identity => "identity",
        Leaf::Evidence => "own",
    };
    format!("menka/keys/1/{id}/{what}").into_bytes()
}
