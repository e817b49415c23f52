//! The steps of a check, in words of both languages: which one failed is what a person needs to know.

use crate::domain::notice::Language;

/// One step of checking a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// It is a file of this kind, complete, in its only accepted form.
    Shape,
    /// It states the station key that the checker got on another way.
    Key,
    /// The text is the one whose SHA-256 is in the showing record.
    Text,
    /// The showing record is the one that the log speaks of.
    Showing,
    /// The log says that the end of this text was on screen.
    ReadToEnd,
    /// The consent record is signed by the station.
    Consent,
    /// The consent record is about this text, this person and this log entry.
    ConsentFits,
    /// The head of the log is signed by the station.
    Head,
    /// The log entries are under that head.
    Inclusion,
    /// The whole file is signed by the station, as it is.
    Seal,
    /// The statement is signed by the station.
    Statement,
    /// Every record is readable and in its place.
    Records,
    /// Every record has the hash that the file lists.
    Hashes,
    /// The records together give the root in the signed head.
    Root,
    /// Every earlier signed head fits the records.
    EarlierHeads,
    /// Heads that were kept elsewhere fit the records.
    Witness,
}

impl Step {
    /// The step in words.
    pub fn words(self, language: Language) -> &'static str {
        let (zh, en) = match self {
            Self::Shape => ("文件完整、格式正确", "the file is whole and well formed"),
            Self::Key => ("文件写明的是您给出的前台公钥", "the file states the station key you gave"),
            Self::Text => ("文字与当时登记的校验码一致", "the text has the check code that was recorded"),
            Self::Showing => ("展示记录与日志一致", "the record of the showing is the one in the log"),
            Self::ReadToEnd => ("日志写明看到了结尾", "the log says that the end was on screen"),
            Self::Consent => ("同意记录由前台签名", "the consent record is signed by the station"),
            Self::ConsentFits => {
                ("同意记录对应这段文字和这个人", "the consent record is about this text and this person")
            }
            Self::Head => ("日志首部由前台签名", "the head of the log is signed by the station"),
            Self::Inclusion => ("日志条目确实在日志里", "the log entries are in the log"),
            Self::Seal => ("整份文件由前台签名，签名后没有改动", "the whole file is signed and was not changed since"),
            Self::Statement => ("文件由前台签名，签名后没有改动", "the document is signed and was not changed since"),
            Self::Records => ("每条记录可读、次序正确", "every record is readable and in its place"),
            Self::Hashes => ("每条记录与校验码清单一致", "every record has the hash in the list"),
            Self::Root => ("全部记录与签名的日志首部一致", "the records give the signed head"),
            Self::EarlierHeads => ("全部记录与早先签名的首部一致", "the records fit every earlier signed head"),
            Self::Witness => ("全部记录与留在别处的首部一致", "the records fit the heads that were kept elsewhere"),
        };
        match language {
            Language::Chinese => zh,
            Language::English => en,
        }
    }

    /// A short name, the same in every language, for scripts.
    pub fn code(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::Key => "key",
            Self::Text => "text",
            Self::Showing => "showing",
            Self::ReadToEnd => "read-to-end",
            Self::Consent => "consent",
            Self::ConsentFits => "consent-fits",
            Self::Head => "head",
            Self::Inclusion => "inclusion",
            Self::Seal => "seal",
            Self::Statement => "statement",
            Self::Records => "records",
            Self::Hashes => "hashes",
            Self::Root => "root",
            Self::EarlierHeads => "earlier-heads",
            Self::Witness => "witness",
        }
    }
}

/// The step that failed. Those before it passed; those after it were not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed at the step: {}", .0.words(Language::English))]
pub struct Failed(pub Step);
