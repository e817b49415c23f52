//! What the desk is about, as pure types and rules. No I/O, no clock, no randomness, no threads.
//!
//! # Glossary
//! *resident* 住户: owner, tenant or other user of the building, all alike. *card* 门禁卡: what every resident has first.
//! *gate* 门禁机: the device at a door that matches cards and faces; the only place where a face rests.
//! *board* 门禁控制板: a card-only controller without keys of its own; cards, never faces.
//! *notice* 告知书: the full text shown before a decision. *consent* 单独同意: the resident's own act on one sentence.
//! *refusal* 拒绝: one tap, final until the resident raises it. *withdraw* 撤回 (never "cancel"). *erase* 删除 (never "delete" in code).
//! *request* 权利请求 (numbered, with a clock). *change* 更正: old and new value, confirmed by the person. *everything held* 查阅、复制.
//! *guardian* 监护人: a parent or other guardian, checked in person. *ward* 被监护的成年人. *view* 本人意愿: what a child or ward answered.
//! *template* 人脸特征 (ISO/IEC 24745 biometric reference). *frame*: one camera picture. *receipt* 回执. *realm*: real or practice.
//!
//! Verbs: `record` writes, `current` reads what is in force, `judge` decides.

pub mod account;
pub mod approval;
pub mod assessment;
pub mod audit;
pub mod board;
pub mod card;
pub mod change;
pub mod consent;
pub mod delivery;
pub mod entrusted;
pub mod gate;
pub mod guardian;
pub mod id;
pub mod incident;
pub mod keep;
pub mod looks;
pub mod notice;
pub mod permit;
pub mod phrase;
pub mod posture;
pub mod presence;
pub mod quality;
pub mod reading;
pub mod relay;
pub mod resident;
pub mod rights;
pub mod role;
pub mod site;
pub mod time;
pub mod training;

/// Whether what is done has legal effect. Practice data, gates and envelopes carry it in their keys: the two refuse each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Realm {
    /// Residents and gates of a real site.
    Real,
    /// Practice: no legal effect, erased on closing.
    Practice,
}

impl Realm {
    /// The word that goes into key derivations, protocol names and file headers. Never shown.
    pub fn label(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Practice => "practice",
        }
    }
}
