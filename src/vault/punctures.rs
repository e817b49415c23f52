//! A key for every person that can be destroyed one by one and never comes back: a tree of keys (Goldreich, Goldwasser,
//! Micali 1986) from which single leaves are cut out. What is left opens every other leaf.
//!
//! A backup seals each person under a leaf and does not hold the tree. The tree rests at the desk and, sealed, at the
//! gates; an erasure cuts the person's leaves out of it there. An older copy of a backup holds nothing that opens a leaf
//! that was cut out. Pure.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::error::{KEYS_FILE, VaultError};
use super::keys::VaultKey;

/// Steps from the root to a leaf: 2^25 leaves, two a person.
const DEPTH: u8 = 25;
/// Steps to a node that is kept once it was passed: 128 people below each. A first delivery reads everybody's key.
const KEPT: u8 = 17;
/// Bytes of one stored branch: depth, index, key.
const BRANCH_LEN: usize = 1 + 4 + 32;
/// Most branches that are kept; a tree with more is dealt anew. The note that gates keep stays below its limit with it.
pub(super) const BRANCHES_MAX: usize = 3_000;

/// What a leaf opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    /// Name, unit and card numbers: cut out when the identity is erased.
    Identity,
    /// The person's own key: cut out when the evidence reaches its term.
    Evidence,
}

/// The tree, with the leaves that are left.
pub(super) struct Tree {
    branches: Vec<Branch>,
    /// Nodes at [`KEPT`] that were passed, none of them with a hole below. In memory only.
    passed: RefCell<BTreeMap<u32, Zeroizing<[u8; 32]>>>,
}

struct Branch {
    depth: u8,
    index: u32,
    key: Zeroizing<[u8; 32]>,
}

impl Tree {
    /// A new random tree with every leaf.
    pub(super) fn make() -> Self {
        let key = Zeroizing::new(crate::secret::random_bytes::<32>());
        Self { branches: vec![Branch { depth: 0, index: 0, key }], passed: RefCell::default() }
    }

    /// How many branches are stored.
    pub(super) fn len(&self) -> usize {
        self.branches.len()
    }

    /// The key of a person's leaf; `None` when it was cut out, or the place is none.
    pub(super) fn key(&self, place: u32, leaf: Leaf) -> Option<VaultKey> {
        let index = leaf_index(place, leaf)?;
        let mut passed = self.passed.borrow_mut();
        let (mut key, mut depth) = match passed.get(&(index >> (DEPTH - KEPT))) {
            Some(node) => (node.clone(), KEPT),
            None => {
                let branch = self.branches.iter().find(|branch| branch.holds(index))?;
                (branch.key.clone(), branch.depth)
            }
        };
        while depth < DEPTH {
            depth += 1;
            key = child(&key, (index >> (DEPTH - depth)) & 1)?;
            if depth == KEPT {
                passed.insert(index >> (DEPTH - KEPT), key.clone());
            }
        }
        VaultKey::from_slice(&mac(&key, b"menka/leaf/1")?[..])
    }

    /// Whether a person's leaf is there.
    pub(super) fn has(&self, place: u32, leaf: Leaf) -> bool {
        leaf_index(place, leaf).is_some_and(|index| self.branches.iter().any(|branch| branch.holds(index)))
    }

    /// Cuts a leaf out: every branch on the way to it is replaced by what leaves it. `false` when it was gone already.
    ///
    /// # Errors
    /// The crypto library refused.
    pub(super) fn cut(&mut self, place: u32, leaf: Leaf) -> Result<bool, VaultError> {
        let refused = || VaultError::Refused(0);
        let Some(index) = leaf_index(place, leaf) else { return Ok(false) };
        let Some(at) = self.branches.iter().position(|branch| branch.holds(index)) else { return Ok(false) };
        self.passed.get_mut().remove(&(index >> (DEPTH - KEPT)));
        let Branch { depth, index: mut on_way, mut key } = self.branches.swap_remove(at);
        for depth in depth + 1..=DEPTH {
            let bit = (index >> (DEPTH - depth)) & 1;
            let other = child(&key, 1 - bit).ok_or_else(refused)?;
            self.branches.push(Branch { depth, index: on_way << 1 | (1 - bit), key: other });
            key = child(&key, bit).ok_or_else(refused)?;
            on_way = on_way << 1 | bit;
        }
        Ok(true)
    }

    /// Keeps what both this and another state of the same tree have: what was cut out of either is gone.
    pub(super) fn keep_common(&mut self, other: &Self) {
        let mut common = vec![];
        for ours in &self.branches {
            if other.branches.iter().any(|theirs| theirs.covers(ours)) {
                common.push(ours.again());
                continue;
            }
            // Cut further there.
            common.extend(other.branches.iter().filter(|theirs| ours.covers(theirs)).map(Branch::again));
        }
        self.branches = common;
    }

    /// As it is stored.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // In one order, so that the same tree has the same bytes. Exactly sized: nothing is left behind by growing.
        let mut order: Vec<&Branch> = self.branches.iter().collect();
        order.sort_unstable_by_key(|branch| (branch.depth, branch.index));
        let mut bytes = Zeroizing::new(Vec::with_capacity(order.len() * BRANCH_LEN));
        for branch in order {
            bytes.push(branch.depth);
            bytes.extend_from_slice(&branch.index.to_be_bytes());
            bytes.extend_from_slice(&branch.key[..]);
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`].
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, VaultError> {
        let damaged = || VaultError::corrupt(KEYS_FILE);
        let (stored, rest) = bytes.as_chunks::<BRANCH_LEN>();
        if !rest.is_empty() {
            return Err(damaged());
        }
        let mut branches = Vec::with_capacity(stored.len());
        for branch in stored {
            let (depth, rest) = (branch[0], &branch[1..]);
            let (index, key) = rest.split_at(4);
            let index = u32::from_be_bytes(index.try_into().map_err(|_| damaged())?);
            if depth > DEPTH || index >> depth != 0 {
                return Err(damaged());
            }
            let mut copied = Zeroizing::new([0u8; 32]);
            copied.copy_from_slice(key);
            branches.push(Branch { depth, index, key: copied });
        }
        Ok(Self { branches, passed: RefCell::default() })
    }
}

impl Branch {
    /// Whether every leaf of another branch is one of this branch.
    fn covers(&self, other: &Self) -> bool {
        self.depth <= other.depth && other.index >> (other.depth - self.depth) == self.index
    }

    fn again(&self) -> Self {
        Self { depth: self.depth, index: self.index, key: self.key.clone() }
    }

    fn holds(&self, leaf: u32) -> bool {
        leaf >> (DEPTH - self.depth) == self.index
    }
}

/// Most persons that a tree has room for.
pub(super) const PLACES: u32 = 1 << (DEPTH - 1);

fn leaf_index(place: u32, leaf: Leaf) -> Option<u32> {
    let last = match leaf {
        Leaf::Identity => 0,
        Leaf::Evidence => 1,
    };
    (place < PLACES).then_some(place << 1 | last)
}

fn child(key: &Zeroizing<[u8; 32]>, bit: u32) -> Option<Zeroizing<[u8; 32]>> {
    mac(key, if bit == 0 { b"menka/left/1" } else { b"menka/right/1" })
}

fn mac(key: &Zeroizing<[u8; 32]>, words: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&key[..]).ok()?;
    mac.update(words);
    Some(Zeroizing::new(mac.finalize().into_bytes().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(tree: &Tree, place: u32, leaf: Leaf) -> Option<[u8; 32]> {
        tree.key(place, leaf).map(|key| *key.bytes())
    }

    #[test]
    fn a_leaf_that_was_cut_out_is_gone_and_every_other_one_is_as_it_was() {
        let mut tree = Tree::make();
        let places = [0, 1, 2, 3, 17, 40_000, PLACES - 1];
        let before: Vec<_> =
            places.iter().map(|p| (bytes(&tree, *p, Leaf::Identity), bytes(&tree, *p, Leaf::Evidence))).collect();
        assert!(before.iter().all(|(a, b)| a.is_some() && b.is_some() && a != b));
        // Anew without what was passed on the way: the same.
        let fresh = Tree::from_bytes(&tree.to_bytes()).unwrap_or_else(|_| Tree::make());
        for (place, known) in places.iter().zip(&before).rev() {
            assert_eq!(
                (bytes(&fresh, *place, Leaf::Identity), bytes(&fresh, *place, Leaf::Evidence)),
                *known,
                "{place}"
            );
        }
        assert_eq!(tree.cut(2, Leaf::Identity), Ok(true));
        assert_eq!(tree.cut(2, Leaf::Identity), Ok(false));
        assert_eq!(tree.cut(40_000, Leaf::Evidence), Ok(true));
        for (place, (identity, evidence)) in places.iter().zip(before) {
            let wanted = (identity.filter(|_| *place != 2), evidence.filter(|_| *place != 40_000));
            assert_eq!((bytes(&tree, *place, Leaf::Identity), bytes(&tree, *place, Leaf::Evidence)), wanted, "{place}");
        }
        assert!(bytes(&tree, PLACES, Leaf::Identity).is_none());
    }

    #[test]
    fn what_is_left_of_a_tree_reads_back_and_holds_no_key_on_the_way_to_a_cut_leaf() -> Result<(), VaultError> {
        let mut tree = Tree::make();
        let root = tree.to_bytes();
        let leaf = bytes(&tree, 9, Leaf::Evidence).ok_or(VaultError::Unknown)?;
        tree.cut(9, Leaf::Evidence)?;
        let stored = tree.to_bytes();
        assert_eq!(stored.len(), usize::from(DEPTH) * BRANCH_LEN);
        for secret in [&root[5..], &leaf[..]] {
            assert!(!stored.windows(32).any(|window| window == secret));
        }
        let read = Tree::from_bytes(&stored)?;
        assert_eq!(read.to_bytes(), stored);
        assert_eq!(bytes(&read, 8, Leaf::Evidence), bytes(&tree, 8, Leaf::Evidence));
        assert!(bytes(&read, 9, Leaf::Evidence).is_none());
        for cut in [1, 36, stored.len() - 1] {
            assert!(Tree::from_bytes(&stored[..cut]).is_err());
        }
        assert!(Tree::from_bytes(&[DEPTH + 1; BRANCH_LEN]).is_err());
        Ok(())
    }

    #[test]
    fn a_compound_where_everybody_moves_out_in_turn_stays_small() -> Result<(), VaultError> {
        let mut tree = Tree::make();
        let mut most = 0;
        for place in 0..4_000 {
            tree.cut(place, Leaf::Identity)?;
            tree.cut(place, Leaf::Evidence)?;
            most = most.max(tree.len());
        }
        assert!(most < 60, "{most}");
        Ok(())
    }
}
