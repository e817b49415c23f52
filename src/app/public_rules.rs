//! The public rules, open to everybody also while nobody is logged in (rule P07): a signed copy lies beside the vault and is made anew at
//! each change. It holds what hangs at the entrance anyway: the texts with the site's facts, and no person.
//!
//! What the signature is worth: it is checked against the public key that lies beside it, so a changed copy is not shown. Whoever can write
//! into the folder could replace both; that is found at the next unlock, when the vault compares them, and is said to the staff.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::command::ResidentCommand;
use super::desk::{Desk, Open};
use super::event::{Event, Failure, ResidentScene};
use crate::domain::Realm;
use crate::domain::gate::GateRecord;
use crate::domain::notice::{Language, NoticeRef};
use crate::domain::site::SiteFacts;
use crate::domain::time::Timestamp;
use crate::evidence::{Kind, hex, statement};
use crate::notice::{self, Rendered, Text};
use crate::secret::EngineId;

/// The signed copy, in the folder of the vault.
pub const RULES_FILE: &str = crate::vault::PUBLIC_RULES_FILE;
/// The station's public key for evidence, as posted at the desk; 64 hex digits.
pub const KEY_FILE: &str = crate::vault::EVIDENCE_KEY_FILE;
/// The texts, in the order shown.
// The children's rules are public as soon as there are any (their section 12).
const TEXTS: [Text; 3] = [Text::OtherWays, Text::Notice, Text::ChildrensRules];
/// Version of the copy's shape.
const SCHEMA: &str = "menka-rules/1";

/// What the copy was last made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PublicRules(Option<(SiteFacts, Vec<GateRecord>)>);

#[derive(Serialize, Deserialize)]
struct Copy {
    schema: String,
    realm: String,
    made_at_ms: i64,
    texts: Vec<CopiedText>,
}

#[derive(Serialize, Deserialize)]
struct CopiedText {
    id: String,
    version: String,
    language: String,
    markdown: String,
}

/// Reads the copy and checks its signature; nothing when it is missing, changed or of the other realm.
fn read(folder: &Path, realm: Realm) -> Option<Copy> {
    let key = key(folder)?;
    let path = folder.join(RULES_FILE);
    if std::fs::metadata(&path).ok()?.len() > statement::LEN_MAX as u64 {
        return None;
    }
    let signed = statement::verify(&std::fs::read(path).ok()?, &key).ok()?;
    let copy: Copy = (signed.kind == Kind::Rules).then(|| serde_json::from_slice(&signed.payload).ok())??;
    (copy.schema == SCHEMA && copy.realm == realm.label()).then_some(copy)
}

fn key(folder: &Path) -> Option<[u8; 32]> {
    let path = folder.join(KEY_FILE);
    if std::fs::metadata(&path).ok()?.len() > 80 {
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    let digits = text.trim().as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Writes a file so that nobody ever finds half of it, also after the power failed: that would pass for a copy that somebody changed.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let beside = folder.join(format!("{name}.part"));
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(beside, folder.join(name))
}

/// The texts of one language, filled with what is public.
fn fill(facts: &SiteFacts, gates: &[GateRecord], engine: &EngineId, language: Language) -> Vec<Rendered> {
    let gates: Vec<GateRecord> = gates.iter().filter(|gate| gate.takes_faces).cloned().collect();
    let values = notice::values_for(facts, &gates, language, engine, None);
    TEXTS.into_iter().filter_map(|text| notice::render(text, language, &values).ok()).collect()
}

impl Desk {
    /// The public rules as they are now; a text that cannot be filled yet is not among them.
    pub(super) fn public_texts(&self, language: Language) -> Vec<Arc<Rendered>> {
        let Some(open) = self.open.as_ref() else { return vec![] };
        let gates = open.vault.gates().unwrap_or_default();
        let engine = self.devices.engine.engine();
        fill(&open.facts, &gates, &engine, language).into_iter().map(Arc::new).collect()
    }

    /// The public rules as they were when the desk was last open.
    pub(super) fn locked_texts(&self, language: Language) -> Vec<Rendered> {
        let Some(copy) = read(&self.config.data_dir, self.config.realm) else { return vec![] };
        let texts = copy.texts.into_iter().filter(|text| text.language == language.tag());
        texts
            .map(|text| {
                let sha256 = Sha256::digest(text.markdown.as_bytes()).into();
                let reference = NoticeRef { id: text.id, version: text.version, language, sha256 };
                Rendered { markdown: text.markdown, reference }
            })
            .collect()
    }

    /// What may be done on the resident window while nobody is logged in: read the rules, in either language, aloud or on paper.
    pub(super) fn handle_while_locked(&mut self, command: ResidentCommand, now: Timestamp) {
        match command {
            ResidentCommand::ShowRules => self.show_locked_rules(),
            ResidentCommand::Language(language) => {
                self.language = language;
                self.out.push(Event::ResidentLanguage(language));
                if self.aids.rules_while_locked {
                    self.show_locked_rules();
                }
            }
            ResidentCommand::Back | ResidentCommand::Stop | ResidentCommand::Finish => {
                self.scene(ResidentScene::Closed);
            }
            ResidentCommand::Aid(command) => self.handle_aid(command, now),
            _ => {}
        }
    }

    fn show_locked_rules(&mut self) {
        let texts = self.locked_texts(self.language).into_iter().map(Arc::new).collect();
        self.scene(ResidentScene::Rules { texts });
    }

    /// At an unlock: says so when the copy or its key were changed while the desk was locked.
    pub(super) fn check_public_rules(&mut self) {
        let folder = &self.config.data_dir;
        // Whatever is there, the copy is made anew by this vault.
        self.aids.public = PublicRules::default();
        let there = |name: &str| folder.join(name).exists();
        let Some(open) = self.open.as_ref() else { return };
        let ours = key(folder) == Some(open.vault.evidence_public());
        let changed =
            (there(KEY_FILE) && !ours) || (there(RULES_FILE) && !(ours && read(folder, self.config.realm).is_some()));
        if changed {
            tracing::warn!("the public copy of the rules was changed while the desk was locked");
            self.fail(Failure::RulesChanged);
        }
    }
}

/// Writes the public copy when facts or gates are others than at the last time. A disk that does not take it keeps the old copy.
pub(super) fn keep_public_rules(
    made: &mut PublicRules,
    open: &Open,
    gates: &[GateRecord],
    engine: &EngineId,
    (folder, realm): (&Path, Realm),
    now: Timestamp,
) {
    // A test of the card way does not change a text.
    let gates: Vec<GateRecord> =
        gates.iter().cloned().map(|gate| GateRecord { card_way_tested_at: None, ..gate }).collect();
    if made.0.as_ref().is_some_and(|(facts, old)| *facts == open.facts && *old == gates) {
        return;
    }
    let texts = [Language::Chinese, Language::English].into_iter().flat_map(|language| {
        fill(&open.facts, &gates, engine, language).into_iter().map(move |text| CopiedText {
            id: text.reference.id,
            version: text.reference.version,
            language: language.tag().into(),
            markdown: text.markdown,
        })
    });
    let copy =
        Copy { schema: SCHEMA.into(), realm: realm.label().into(), made_at_ms: now.ms(), texts: texts.collect() };
    // Strings and numbers only: serialising them cannot fail.
    let json = serde_json::to_vec(&copy).unwrap_or_default();
    let written = open.vault.sign_rules(&json).map_err(|error| error.to_string()).and_then(|signed| {
        let key = format!("{}\n", hex(&open.vault.evidence_public()));
        write(folder, KEY_FILE, key.as_bytes())
            .and_then(|()| write(folder, RULES_FILE, &signed))
            .map_err(|error| error.kind().to_string())
    });
    match written {
        Ok(()) => made.0 = Some((open.facts.clone(), gates)),
        Err(why) => tracing::warn!(why, "the public copy of the rules could not be written"),
    }
}
