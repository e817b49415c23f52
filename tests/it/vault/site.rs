//! A small site in a temporary folder, for the vault's tests.

use std::path::Path;

use menka::domain::Realm;
use menka::domain::card::CardUid;
use menka::domain::consent::{ConsentDraft, ConsentGranted, Signature};
use menka::domain::gate::GateRecord;
use menka::domain::id::{ConsentId, GateId, ResidentId, ShowingId, StaffId, TemplateId};
use menka::domain::notice::{Language, NoticeRef, NoticeShown};
use menka::domain::resident::{AgeBand, ResidentDraft};
use menka::domain::role::Role;
use menka::domain::site::{Fact, SiteFacts};
use menka::domain::time::{CivilDate, Timestamp};
use menka::evidence::consent::{ConsentFacts, consent_json};
use menka::ports::NoChip;
use menka::secret::{Passphrase, RecoveryKey, random_bytes};
use menka::vault::{KdfCost, NewAccount, Restorers, Restoring, Vault, VaultError};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// The cheapest accepted cost: the derivation itself is not what these tests are about.
pub const CHEAP: KdfCost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
pub const NOW: Timestamp = Timestamp::from_ms(1_795_276_800_000);
pub const NOTICE: &str = "# 告知书\n\n本机不留人脸。\r\n\t最后一行 ";

pub fn passphrase() -> Passphrase {
    Passphrase::new("十个字以上的一句口令 1".into())
}

pub fn new_vault(realm: Realm) -> (TempDir, Vault) {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::create(folder.path(), realm, "前台小李", &passphrase(), &facts(), NOW, CHEAP).unwrap();
    (folder, vault)
}

/// A second supervisor who has read and signed, with the same passphrase; the first one is logged in again.
pub fn with_second_supervisor(folder: &TempDir, mut vault: Vault) -> (Vault, StaffId) {
    let first = vault.operator().0;
    let new = NewAccount {
        name: "主管小王".into(),
        role: Role::Supervisor,
        passphrase: passphrase(),
        trained_on: NOW.date(),
    };
    let second = vault.add_account(&new, None, NOW).unwrap();
    drop(vault);
    let mut vault = Vault::unlock_as(folder.path(), Realm::Real, second, &passphrase(), NOW).unwrap();
    let text = "# 内部制度\n";
    let sha256 = Sha256::digest(text.as_bytes()).into();
    let rules = NoticeRef { id: "MK-I1".into(), version: "1.0".into(), language: Language::Chinese, sha256 };
    vault.record_undertaking(&rules, text, "小王", NOW).unwrap();
    drop(vault);
    (Vault::unlock_as(folder.path(), Realm::Real, first, &passphrase(), NOW).unwrap(), second)
}

pub fn unlock(folder: &TempDir, realm: Realm) -> Result<Vault, VaultError> {
    Vault::unlock(folder.path(), realm, &passphrase(), NOW)
}

pub fn facts() -> SiteFacts {
    let mut facts = SiteFacts::default();
    facts.set(Fact::SiteName, "春江花园");
    facts.set(Fact::ProcessorName, "春江物业服务有限公司");
    facts
}

pub fn gate(vault: &mut Vault, name: &str) -> GateId {
    let id = GateId::from_bytes(random_bytes());
    let record = GateRecord {
        id,
        name: name.into(),
        place: "东侧".into(),
        capture_area: "门前一米".into(),
        other_way: "刷卡".into(),
        why_needed: "人流大".into(),
        address: format!("192.168.10.{}:7443", 7 + vault.gates_ever().unwrap().len()),
        tls_pin: [1; 32],
        seal_key: [2; 32],
        sign_key: [3; 32],
        card_way_tested_at: None,
        takes_faces: true,
    };
    vault.record_gate(&record, NOW).unwrap();
    id
}

pub fn resident(vault: &mut Vault, name: &str, unit: &str) -> ResidentId {
    let draft = ResidentDraft::parse(None, name, unit, AgeBand::Adult, None, last_day(), NOW).unwrap();
    vault.record_resident(&draft, ResidentId::from_bytes(random_bytes()), NOW).unwrap()
}

pub fn last_day() -> CivilDate {
    NOW.date().plus_days(300)
}

pub fn uid(number: u32) -> CardUid {
    CardUid::from_bytes(&number.to_be_bytes()).unwrap()
}

/// A resident with a card, who has read the notice to its end.
pub struct Reader {
    pub resident: ResidentId,
    pub showing: ShowingId,
    pub shown: NoticeShown,
}

pub fn reader(vault: &mut Vault, name: &str, unit: &str, card: u32, gates: &[GateId]) -> Reader {
    let resident = resident(vault, name, unit);
    vault.issue_card(resident, &uid(card), gates, last_day(), NOW).unwrap();
    vault.record_face_asked(resident, NOW).unwrap();
    let showing = ShowingId::from_bytes(random_bytes());
    let sha256 = Sha256::digest(NOTICE.as_bytes()).into();
    let notice = NoticeRef { id: "MK-N1".into(), version: "1.0".into(), language: Language::Chinese, sha256 };
    let mut shown = NoticeShown { id: showing, resident, notice, opened_at: NOW, reached_end_at: None };
    vault.record_showing(&shown, NOTICE, NOW).unwrap();
    vault.record_reached_end(showing, NOW.plus_ms(20_000)).unwrap();
    shown.reached_end_at = Some(NOW.plus_ms(20_000));
    Reader { resident, showing, shown }
}

impl Reader {
    pub fn draft(&self, gates: &[GateId]) -> ConsentDraft {
        let signature = Signature::Strokes(vec![vec![(1, 2), (3, 4)]]);
        let (gates, at) = (gates.to_vec(), NOW.plus_ms(30_000));
        let sentence = "我同意用人脸开东门".into();
        ConsentDraft::new(&self.shown, self.resident, AgeBand::Adult, sentence, gates, last_day(), signature, at)
            .unwrap()
    }

    pub fn consent(&self, vault: &mut Vault, gates: &[GateId]) -> Result<ConsentGranted, VaultError> {
        record(vault, &self.draft(gates))
    }
}

pub fn record(vault: &mut Vault, draft: &ConsentDraft) -> Result<ConsentGranted, VaultError> {
    let (consent, template) = (ConsentId::from_bytes(random_bytes()), TemplateId::from_bytes(random_bytes()));
    let facts = vault.facts()?;
    let about = ConsentFacts { consent, template, draft, facts: &facts, site: vault.site(), realm: vault.realm() };
    vault.record_consent(draft, consent, template, &consent_json(&about), NOW.plus_ms(30_000))
}

/// Begins to restore a backup; where a vault is there, its supervisors type the passphrase of all of them.
pub fn begin_restore(
    into: &Path,
    from: &Path,
    key: &RecoveryKey,
    by: &[StaffId],
    now: Timestamp,
) -> Result<Restoring, VaultError> {
    let supervisors = by.iter().map(|id| (*id, passphrase())).collect();
    let by = Restorers { supervisors, recovery: None };
    Vault::begin_restore(into, Realm::Real, (from, key), by, &mut NoChip, now)
}

/// Everything in the data folder, as bytes.
pub fn all_bytes(folder: &TempDir) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
    files.map(|f| (f.file_name().to_string_lossy().into_owned(), std::fs::read(f.path()).unwrap())).collect()
}

/// Whether the needle is in the hay.
pub fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}
