//! Gates as the desk knows them.

use super::id::{GateId, TemplateId};
use super::relay::{DriftCounts, DriftLine};
use super::time::Timestamp;

/// A paired gate: where it is, how to reach it, and the keys it proved at pairing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateRecord {
    /// The gate's own id, told at pairing.
    pub id: GateId,
    /// Shown name, e.g. 东门.
    pub name: String,
    /// Place.
    pub place: String,
    /// What its camera takes in (notice, gate list).
    pub capture_area: String,
    /// The other way in at this gate (notice, gate list); empty keeps face entry off.
    pub other_way: String,
    /// Why a face reader is needed here (notice, gate list).
    pub why_needed: String,
    /// `host:port` on the LAN; a private, link-local or loopback address.
    pub address: String,
    /// SHA-256 of the SubjectPublicKeyInfo of its TLS key: the fingerprint that was copied at pairing.
    pub tls_pin: [u8; 32],
    /// X25519 public key that templates are sealed to.
    pub seal_key: [u8; 32],
    /// Ed25519 public key of its receipts.
    pub sign_key: [u8; 32],
    /// When a card was last seen to open it.
    pub card_way_tested_at: Option<Timestamp>,
    /// Makes faces? `false` for card-only boards.
    pub takes_faces: bool,
}

/// The two kinds of gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum GateKind {
    /// With keys of its own: signs for what it did.
    #[default]
    Signing,
    /// A card board: cards only, over a wire without authentication.
    Board,
}

/// How far a gate's clock may be set back before the latest instant that it has seen, in milliseconds. Time servers correct by less.
pub const CLOCK_SET_BACK_MAX_MS: i64 = 120_000;

/// What the first screen shows of a gate: no people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateStatus {
    /// Which.
    pub id: GateId,
    /// Shown name.
    pub name: String,
    /// Which kind.
    pub kind: GateKind,
    /// Answered the last question.
    pub reachable: bool,
    /// Last answer.
    pub last_seen_at: Option<Timestamp>,
    /// Operations waiting for it.
    pub pending: u32,
    /// Operations it refused; staff must act.
    pub wedged: u32,
    /// When the oldest waiting operation was queued.
    pub oldest_pending_at: Option<Timestamp>,
    /// The gate's clock minus ours, in milliseconds, at the last answer.
    pub clock_drift_ms: Option<i64>,
    /// Its own word on its version.
    pub version: Option<String>,
    /// Card way tested.
    pub card_way_tested: bool,
    /// Its certificate is not the pinned one: it is stopped until paired again.
    pub key_changed: bool,
    /// Whether the last comparison found it to hold what it should, apart from what waits for it or what it refused; `None` before the first
    /// comparison, and while a newer one could not be finished.
    pub in_step: Option<bool>,
    /// When a comparison last said so.
    pub compared_at: Option<Timestamp>,
    /// The exact difference, if there is one: the first lines of it.
    pub drift: Vec<DriftLine>,
    /// How many lines of each kind it has.
    pub drift_counts: DriftCounts,
    /// How many lines it has.
    pub drift_count: u32,
    /// It holds too many faces for looking one up among all: a card comes first.
    pub card_first: bool,
    /// Why it matches no face, by its own last word, if so.
    pub faces_rest: Option<FacesRest>,
    /// Its own limits, as it last said them.
    pub terms: GateTerms,
}

/// Why a gate that takes faces matches none just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FacesRest {
    /// A station stopped them there.
    Stopped,
    /// It has not heard its station for longer than its limit.
    NoContact,
    /// Its clock stands before an instant that it has seen; by that later instant it also judges the last days of cards.
    ClockBack,
}

/// What a gate says of its own limits; nothing where it is of an earlier version or a card board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GateTerms {
    /// Hours without contact until it stops matching faces.
    pub offline_hours: Option<u32>,
    /// Days that it keeps opening records.
    pub passlog_days: Option<u32>,
    /// Templates held.
    pub faces: Option<u64>,
    /// Most people among whom one face is looked up.
    pub people_max: Option<u64>,
    /// Of a million strangers who look in, how many may be taken for somebody.
    pub strangers_in_ppm: Option<u32>,
    /// It matches faces longer without contact than the notice says.
    pub lease_too_long: bool,
    /// It keeps opening records longer than the notice says.
    pub passlog_too_long: bool,
}

impl GateTerms {
    /// Compares with what the notice promises: hours without contact, and days of opening records. Less is no broken promise.
    #[must_use]
    pub fn against(self, offline_hours: u32, passlog_days: u32) -> Self {
        Self {
            lease_too_long: self.offline_hours.is_some_and(|hours| hours > offline_hours),
            passlog_too_long: self.passlog_days.is_some_and(|days| days > passlog_days),
            ..self
        }
    }

    /// Whether the gate keeps what the notice says of it.
    pub fn are_kept(&self) -> bool {
        !self.lease_too_long && !self.passlog_too_long
    }
}

/// What may be said of a gate, as far as the desk knows: whether it holds exactly what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its key changed: it is stopped, and nothing that it said counts.
    Stopped,
    /// No comparison since the desk was unlocked.
    NotCompared,
    /// The last comparison found so many differences.
    Differs(u32),
    /// The last comparison was then, and found none; it does not answer now, or could not be compared since.
    LastCompared(Timestamp),
    /// No difference, but something waits for it or was refused.
    Behind,
    /// It answers and holds exactly what it should.
    InStep,
}

impl GateStatus {
    /// Whether it holds exactly what it should. Rule: P47.
    pub fn step(&self) -> Step {
        let differs = self.drift_count.max(u32::from(self.in_step == Some(false)));
        match (self.compared_at, self.in_step) {
            _ if self.key_changed => Step::Stopped,
            (None, _) => Step::NotCompared,
            _ if differs > 0 => Step::Differs(differs),
            (Some(at), None) => Step::LastCompared(at),
            (Some(at), Some(_)) if !self.reachable => Step::LastCompared(at),
            _ if self.pending > 0 || self.wedged > 0 => Step::Behind,
            _ => Step::InStep,
        }
    }
}

/// One template that a gate holds under a consent: an id and a digest, never the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaceHeld {
    /// The gate.
    pub gate: GateId,
    /// The random number.
    pub template: TemplateId,
    /// SHA-256 the gate computed over the stored template.
    pub digest: [u8; 32],
    /// When the gate acknowledged.
    pub since: Timestamp,
}

/// Words of rooms inside which no face reader may be (Measures 13(2)): guest rooms, public baths, changing rooms, toilets.
const PRIVATE_ROOMS: &[&str] = &[
    "客房",
    "浴室",
    "浴池",
    "澡堂",
    "淋浴",
    "更衣",
    "试衣",
    "换衣",
    "卫生间",
    "洗手间",
    "厕所",
    "公厕",
    "盥洗",
    "母婴室",
    "哺乳",
    "guest room",
    "hotel room",
    "bathroom",
    "bath house",
    "shower",
    "changing room",
    "locker room",
    "fitting room",
    "toilet",
    "restroom",
    "washroom",
    "lavatory",
    "nursing room",
];

/// Whether words describe the inside of a room in which no face reader may be. Rule: F13b.
///
/// Words, not truth: what is written otherwise is not noticed, and a corridor that is named after such a room has to be named after something else.
pub fn is_private_room(words: &str) -> bool {
    let words = words.to_lowercase();
    PRIVATE_ROOMS.iter().any(|room| words.contains(room))
}

#[cfg(test)]
mod tests {
    use super::{GateTerms, is_private_room};

    #[test]
    fn f13b_rooms_where_people_undress_are_known_by_their_words_in_both_languages() {
        for room in ["三楼公共卫生间", "游泳馆更衣室", "浴室内", "酒店客房 302", "Ladies' Toilet", "gym locker room"]
        {
            assert!(is_private_room(room), "{room}");
        }
        for door in ["东门", "3 栋大堂", "西门车库", "游泳馆入口闸机", "east gate", "lobby of block 3"]
        {
            assert!(!is_private_room(door), "{door}");
        }
    }

    #[test]
    fn a_gate_may_keep_less_than_the_notice_says_and_not_more() {
        let said = |hours, days| GateTerms { offline_hours: hours, passlog_days: days, ..GateTerms::default() };
        for (terms, kept) in [
            (said(Some(24), Some(30)), true),
            (said(Some(1), Some(0)), true),
            (said(None, None), true),
            (said(Some(25), Some(30)), false),
            (said(Some(24), Some(31)), false),
        ] {
            assert_eq!(terms.against(24, 30).are_kept(), kept, "{terms:?}");
        }
        assert!(said(Some(25), Some(1)).against(24, 30).lease_too_long);
        assert!(said(Some(2), Some(31)).against(24, 30).passlog_too_long);
    }
}
