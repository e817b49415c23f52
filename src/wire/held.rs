//! What a gate holds, by key, and digests over parts of it: the same at both ends, so that parts that agree are not listed.
//!
//! The key of a template is its random number, the key of a card the SHA-256 of its number. A part is all keys that begin with the same
//! hex digits. Two ends that agree exchange 32 bytes ([`super::message::Health::digest`]); two that differ in a few keys exchange the digests
//! on the way to those keys and the keys themselves.

use std::collections::BTreeMap;
use std::ops::Bound;

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use super::message::{CardDigest, HeldFace, Holdings, Refusal};

/// Bytes of the digest of a part. It finds accidents between two ends that trust each other's word; 64 bits are enough for that.
pub const PART_DIGEST: usize = 8;
/// Most parts of one question.
pub const PARTS_MAX: usize = 2_048;
/// Deepest part: so many hex digits.
pub const DEPTH_MAX: u8 = 8;
/// Most entries of one answer.
pub const ENTRIES_MAX: usize = 20_000;
/// Most keys of one read-back.
pub const KEYS_MAX: usize = 1_024;

const FACE_PART: &[u8] = b"menka part of faces 1\0";
const CARD_PART: &[u8] = b"menka part of cards 1\0";

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Templates.
    #[n(0)]
    Faces,
    /// Cards.
    #[n(1)]
    Cards,
}

/// Asks for digests of the sixteen parts below each of some parts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AskDigests {
    /// Of what.
    #[n(0)]
    pub kind: Kind,
    /// Hex digits of the parts that are answered, 1 to [`DEPTH_MAX`].
    #[n(1)]
    pub depth: u8,
    /// The parts one digit shorter, as numbers; one 0 for depth 1.
    #[n(2)]
    pub under: Vec<u32>,
}

/// Asks for everything in some parts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AskEntries {
    /// Of what.
    #[n(0)]
    pub kind: Kind,
    /// Hex digits of the parts, 1 to [`DEPTH_MAX`].
    #[n(1)]
    pub depth: u8,
    /// The parts, as numbers.
    #[n(2)]
    pub parts: Vec<u32>,
}

/// Asks what is held under some keys: the read-back of many operations at once.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AskHeld {
    /// Random numbers of templates, 16 bytes each.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub faces: Vec<u8>,
    /// SHA-256 of card numbers, 32 bytes each.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub cards: Vec<u8>,
}

/// What is held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    faces: BTreeMap<[u8; 16], HeldFace>,
    cards: BTreeMap<[u8; 32], i64>,
}

/// A key that the two ends do not hold alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A template: ours, theirs.
    Face([u8; 16], Option<HeldFace>, Option<HeldFace>),
    /// A card by the SHA-256 of its number: our last day, theirs.
    Card([u8; 32], Option<i64>, Option<i64>),
}

impl Held {
    /// Takes a template in, or its newer state.
    pub fn put_face(&mut self, face: HeldFace) {
        self.faces.insert(face.template, face);
    }

    /// Takes a template out.
    pub fn drop_face(&mut self, template: &[u8; 16]) {
        self.faces.remove(template);
    }

    /// Takes a card in, or its newer last day.
    pub fn put_card(&mut self, number_sha256: [u8; 32], ends_on: i64) {
        self.cards.insert(number_sha256, ends_on);
    }

    /// Takes a card out.
    pub fn drop_card(&mut self, number_sha256: &[u8; 32]) {
        self.cards.remove(number_sha256);
    }

    /// Numbers of templates and cards.
    pub fn counts(&self) -> (u64, u64) {
        (self.faces.len() as u64, self.cards.len() as u64)
    }

    /// Everything, ordered.
    pub fn holdings(&self) -> Holdings {
        Holdings {
            faces: self.faces.values().cloned().collect(),
            cards: self.cards.iter().map(|(digest, ends_on)| card(digest, *ends_on)).collect(),
        }
    }

    /// What [`super::message::Health::digest`] must equal.
    pub fn digest(&self) -> [u8; 32] {
        self.holdings().digest()
    }

    /// Digests of parts, [`PART_DIGEST`] bytes each, sixteen for each asked one; zeros for an empty part.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] for a depth or a number of parts out of range.
    pub fn digests(&self, ask: &AskDigests) -> Result<Vec<u8>, Refusal> {
        if !(1..=DEPTH_MAX).contains(&ask.depth) || ask.under.len() > PARTS_MAX / 16 {
            return Err(Refusal::Malformed);
        }
        let mut all = Vec::with_capacity(ask.under.len() * 16 * PART_DIGEST);
        for under in &ask.under {
            for digit in 0..16u32 {
                let part = under.checked_mul(16).and_then(|part| part.checked_add(digit)).ok_or(Refusal::Malformed)?;
                all.extend_from_slice(&self.part(ask.kind, ask.depth, part).ok_or(Refusal::Malformed)?);
            }
        }
        Ok(all)
    }

    /// Everything in some parts.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] for parts out of range, [`Refusal::TooMany`] when that is more than [`ENTRIES_MAX`].
    pub fn entries(&self, ask: &AskEntries) -> Result<Holdings, Refusal> {
        if ask.parts.len() > PARTS_MAX {
            return Err(Refusal::Malformed);
        }
        self.within(ask, ENTRIES_MAX)
    }

    fn within(&self, ask: &AskEntries, max: usize) -> Result<Holdings, Refusal> {
        let mut found = Holdings { faces: vec![], cards: vec![] };
        for part in &ask.parts {
            let (first, last) = bounds(ask.depth, *part).ok_or(Refusal::Malformed)?;
            match ask.kind {
                Kind::Faces => found.faces.extend(range(&self.faces, first, last).map(|(_, face)| face.clone())),
                Kind::Cards => found.cards.extend(range(&self.cards, first, last).map(|(key, day)| card(key, *day))),
            }
            if found.faces.len() + found.cards.len() > max {
                return Err(Refusal::TooMany);
            }
        }
        Ok(found)
    }

    /// What is held under some keys.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] for keys of another length, or more than [`KEYS_MAX`].
    pub fn find(&self, ask: &AskHeld) -> Result<Holdings, Refusal> {
        let ((faces, rest), (cards, left)) = (ask.faces.as_chunks::<16>(), ask.cards.as_chunks::<32>());
        if !rest.is_empty() || !left.is_empty() || faces.len().max(cards.len()) > KEYS_MAX {
            return Err(Refusal::Malformed);
        }
        Ok(Holdings {
            faces: faces.iter().filter_map(|key| self.faces.get(key)).cloned().collect(),
            cards: cards.iter().filter_map(|key| self.cards.get(key).map(|day| card(key, *day))).collect(),
        })
    }

    /// How many keys are in a part.
    pub fn count(&self, kind: Kind, depth: u8, part: u32) -> usize {
        let Some((first, last)) = bounds(depth, part) else { return 0 };
        match kind {
            Kind::Faces => range(&self.faces, first, last).count(),
            Kind::Cards => range(&self.cards, first, last).count(),
        }
    }

    /// Of some parts, those whose digest is not the one in `theirs` (as [`Self::digests`] answers `ask`).
    pub fn differing(&self, ask: &AskDigests, theirs: &[u8]) -> Option<Vec<u32>> {
        let ours = self.digests(ask).ok()?;
        if ours.len() != theirs.len() {
            return None;
        }
        let (ours, _) = ours.as_chunks::<PART_DIGEST>();
        let (theirs, _) = theirs.as_chunks::<PART_DIGEST>();
        let parts = ask.under.iter().flat_map(|under| (0..16).map(move |digit| under * 16 + digit));
        Some(parts.zip(ours.iter().zip(theirs)).filter(|(_, (a, b))| a != b).map(|(part, _)| part).collect())
    }

    /// What differs in some parts from what the other end lists there.
    pub fn compare(&self, ask: &AskEntries, theirs: &Holdings) -> Vec<Difference> {
        let Ok(ours) = self.within(ask, usize::MAX) else { return vec![] };
        let mut differ = vec![];
        let other: BTreeMap<_, _> = theirs.faces.iter().map(|face| (face.template, face)).collect();
        let own: BTreeMap<_, _> = ours.faces.iter().map(|face| (face.template, face)).collect();
        for key in own.keys().chain(other.keys().filter(|key| !own.contains_key(*key))) {
            let (a, b) = (own.get(key).copied(), other.get(key).copied());
            if a != b {
                differ.push(Difference::Face(*key, a.cloned(), b.cloned()));
            }
        }
        let other: BTreeMap<_, _> = theirs.cards.iter().map(|card| (card.digest, card.ends_on)).collect();
        let own: BTreeMap<_, _> = ours.cards.iter().map(|card| (card.digest, card.ends_on)).collect();
        for key in own.keys().chain(other.keys().filter(|key| !own.contains_key(*key))) {
            let (a, b) = (own.get(key).copied(), other.get(key).copied());
            if a != b {
                differ.push(Difference::Card(*key, a, b));
            }
        }
        differ
    }

    fn part(&self, kind: Kind, depth: u8, part: u32) -> Option<[u8; PART_DIGEST]> {
        let (first, last) = bounds(depth, part)?;
        let mut hash = Sha256::new();
        let mut any = false;
        match kind {
            Kind::Faces => {
                hash.update(FACE_PART);
                for (key, face) in range(&self.faces, first, last) {
                    any = true;
                    hash.update(key);
                    hash.update(face.digest);
                    hash.update(face.ends_on.to_be_bytes());
                    hash.update([u8::from(face.frozen)]);
                }
            }
            Kind::Cards => {
                hash.update(CARD_PART);
                for (key, ends_on) in range(&self.cards, first, last) {
                    any = true;
                    hash.update(key);
                    hash.update(ends_on.to_be_bytes());
                }
            }
        }
        let whole: [u8; 32] = hash.finalize().into();
        let (short, _) = whole.split_first_chunk::<PART_DIGEST>()?;
        Some(if any { *short } else { [0; PART_DIGEST] })
    }
}

fn card(digest: &[u8; 32], ends_on: i64) -> CardDigest {
    CardDigest { digest: *digest, ends_on }
}

/// First and last value of the four leading bytes of the keys of a part.
fn bounds(depth: u8, part: u32) -> Option<(u32, u32)> {
    if !(1..=DEPTH_MAX).contains(&depth) {
        return None;
    }
    let below = 32 - 4 * u32::from(depth);
    let first = u32::try_from(u64::from(part) << below).ok()?;
    let last = u32::try_from(((u64::from(part) + 1) << below) - 1).ok()?;
    Some((first, last))
}

fn range<const N: usize, T>(map: &BTreeMap<[u8; N], T>, first: u32, last: u32) -> impl Iterator<Item = (&[u8; N], &T)> {
    let (mut from, mut to) = ([0u8; N], [0xFFu8; N]);
    for (out, byte) in from.iter_mut().zip(first.to_be_bytes()) {
        *out = byte;
    }
    for (out, byte) in to.iter_mut().zip(last.to_be_bytes()) {
        *out = byte;
    }
    map.range((Bound::Included(from), Bound::Included(to)))
}

#[cfg(test)]
#[path = "held_tests.rs"]
mod tests;
