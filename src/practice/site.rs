//! The practice site: two gates as processes of their own and six residents without cards or faces. Made once, opened many times; what was
//! enrolled is erased on closing.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::app::desk::LinkMaker;
use crate::app::notice::AssessmentTyped;
use crate::domain::Realm;
use crate::domain::approval::Act;
use crate::domain::assessment::{Assessment, judge};
use crate::domain::card::CardUid;
use crate::domain::gate::GateRecord;
use crate::domain::id::{GateId, ResidentId};
use crate::domain::notice::Language;
use crate::domain::resident::{AgeBand, ResidentDraft};
use crate::domain::role::Role;
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::{CivilDate, Timestamp};
use crate::domain::training;
use crate::notice::{self, Text, Values};
use crate::ports::SecurityChip;
use crate::secret::{EngineId, PairingCode, Passphrase, random_bytes};
use crate::vault::{KdfCost, NewAccount, Vault, VaultState};
use crate::wire::keys::{IdentityKeys, parse_fingerprint};

/// The passphrase of every practice site, shown on its lock screen. Protects nothing and nobody.
pub const PASSPHRASE: &str = "practice-practice";
/// Shown name of the practice operator.
pub const OPERATOR: &str = "练习员";
/// Shown name of the second practice supervisor, who approves; the same passphrase.
pub const COLLEAGUE: &str = "练习主管";
/// Cost of its key derivation: small, since the passphrase is printed on the screen.
pub const KDF: KdfCost = KdfCost { memory_kib: 8 * 1024, passes: 1, lanes: 1 };
/// How many gates a practice site has.
pub const GATES: usize = 2;

/// Why the practice site could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// A gate process did not start or did not say where it listens.
    #[error("the practice gate {0} did not start")]
    Gate(usize),
    /// A gate could not look at a person.
    #[error("the gate could not look at practice person {0}: {1}")]
    Look(usize, String),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] crate::vault::VaultError),
    /// The internal rules could not be read.
    #[error("the internal rules could not be read")]
    Rules,
    /// A gate was not paired.
    #[error(transparent)]
    Pair(#[from] crate::ports::PairError),
    /// Files or processes.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] crate::wire::keys::KeyError),
}

/// A gate that runs as a process of its own. It ends when this is dropped: its standard input closes.
#[derive(Debug)]
pub struct GateProcess {
    child: Child,
    said: BufReader<ChildStdout>,
    program: PathBuf,
    /// Where it listens.
    pub address: String,
    /// Its TLS key's fingerprint.
    pub fingerprint: [u8; 32],
    /// Its folder.
    pub folder: PathBuf,
}

impl GateProcess {
    /// Makes the gate's store if there is none, and runs it. It is paired afterwards, by the code that it shows.
    ///
    /// # Errors
    /// The program could not be run, or said something else than expected.
    pub fn start(program: &Path, folder: &Path, number: usize) -> Result<Self, SiteError> {
        Self::start_with(program, folder, number, "sface")
    }

    /// As [`Self::start`], for templates of the engine with this name.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(program: &Path, folder: &Path, number: usize, engine: &str) -> Result<Self, SiteError> {
        let data = folder.to_string_lossy().into_owned();
        if !folder.join("gate.db").exists() {
            said(program, &["init", "--data", &data, "--realm", "practice", "--engine", engine], number)?;
        }
        let printed = said(program, &["fingerprint", "--data", &data, "--realm", "practice"], number)?;
        let fingerprint = parse_fingerprint(&printed).ok_or(SiteError::Gate(number))?;
        let (child, said, address) = run(program, &data, "127.0.0.1:0", (number, Stdio::null()))?;
        Ok(Self { child, said, program: program.to_owned(), address, fingerprint, folder: folder.to_owned() })
    }

    /// Starts it again at an address, after [`Self::kill`].
    ///
    /// # Errors
    /// It did not start there.
    pub fn restart(&mut self, address: &str) -> Result<(), SiteError> {
        self.restart_with(address, Stdio::null())
    }

    /// As [`Self::restart`], with its program log in a file.
    ///
    /// # Errors
    /// As [`Self::restart`].
    pub fn restart_logging(&mut self, address: &str, log: std::fs::File) -> Result<(), SiteError> {
        self.restart_with(address, log.into())
    }

    fn restart_with(&mut self, address: &str, log: Stdio) -> Result<(), SiteError> {
        self.kill();
        let data = self.folder.to_string_lossy().into_owned();
        (self.child, self.said, self.address) = run(&self.program, &data, address, (0, log))?;
        Ok(())
    }

    /// Lets the gate show a pairing code, as somebody does who stands at its console.
    ///
    /// # Errors
    /// It shows none.
    pub fn show_code(&self) -> Result<ShownCode, SiteError> {
        ShownCode::at(&self.program, &self.folder, Realm::Practice)
    }

    /// Types a line at the gate's console and reads the answer.
    ///
    /// # Errors
    /// The gate is not there.
    pub fn ask(&mut self, line: &str) -> Result<String, SiteError> {
        let input = self.child.stdin.as_mut().ok_or(SiteError::Gate(0))?;
        writeln!(input, "{line}")?;
        input.flush()?;
        let mut answer = String::new();
        self.said.read_line(&mut answer)?;
        Ok(answer.trim().to_owned())
    }

    /// Types a line that the gate takes without an answer: a card, where its reader types.
    ///
    /// # Errors
    /// The gate is not there.
    pub fn type_line(&mut self, line: &str) -> Result<(), SiteError> {
        let input = self.child.stdin.as_mut().ok_or(SiteError::Gate(0))?;
        writeln!(input, "{line}")?;
        Ok(input.flush()?)
    }

    /// Its process number.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// How many faces it holds.
    ///
    /// # Errors
    /// The gate is not there.
    pub fn faces(&mut self) -> Result<usize, SiteError> {
        self.ask("count")?.parse().map_err(|_| SiteError::Gate(0))
    }

    /// Holds a card to its reader.
    ///
    /// # Errors
    /// The gate is not there.
    pub fn opens_for(&mut self, uid: &CardUid) -> Result<bool, SiteError> {
        let hex: String = uid.bytes().iter().map(|b| format!("{b:02x}")).collect();
        Ok(self.ask(&format!("card 0x{hex}"))? == "opens")
    }

    /// Seats practice person `number` before its own camera; `true` when the door opens for the face.
    ///
    /// # Errors
    /// The gate is not there, or could not look.
    pub fn knows(&mut self, number: usize) -> Result<bool, SiteError> {
        match self.ask(&format!("look {number}"))?.as_str() {
            "recognised" => Ok(true),
            "unknown" => Ok(false),
            other => Err(SiteError::Look(number, other.to_owned())),
        }
    }

    /// Kills it without a word, as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for GateProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        for _ in 0..40 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.kill();
    }
}

/// A pairing code on a gate's console. Shown no more when dropped.
#[derive(Debug)]
pub struct ShownCode {
    console: Child,
    said: BufReader<ChildStdout>,
    /// As it is shown.
    pub code: String,
    /// The line above it: the gate's word for itself, and where it listens.
    pub gate: String,
}

impl ShownCode {
    /// Runs `menka-gate pair` for the gate in a folder.
    ///
    /// # Errors
    /// It shows none.
    pub fn at(program: &Path, folder: &Path, realm: Realm) -> Result<Self, SiteError> {
        let mut console = Command::new(program)
            .args(["pair", "--realm", realm.label(), "--data"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let said = BufReader::new(console.stdout.take().ok_or(SiteError::Gate(0))?);
        let mut shown = Self { console, said, code: String::new(), gate: String::new() };
        shown.gate = shown.line()?.strip_prefix("this gate: ").ok_or(SiteError::Gate(0))?.to_owned();
        shown.next_code()?;
        Ok(shown)
    }

    /// The next line on the console.
    ///
    /// # Errors
    /// There is none.
    pub fn line(&mut self) -> Result<String, SiteError> {
        let mut line = String::new();
        match self.said.read_line(&mut line)? {
            0 => Err(SiteError::Gate(0)),
            _ => Ok(line.trim().to_owned()),
        }
    }

    /// Waits for the next code on the console.
    ///
    /// # Errors
    /// The console ended without one.
    pub fn next_code(&mut self) -> Result<(), SiteError> {
        loop {
            if let Some(code) = self.line()?.strip_prefix("code: ") {
                self.code = code.split(" (").next().unwrap_or_default().to_owned();
                return Ok(());
            }
        }
    }

    /// Waits until the console says that a station was paired; its fingerprint as text.
    ///
    /// # Errors
    /// It ended without that.
    pub fn paired(mut self) -> Result<String, SiteError> {
        loop {
            if let Some(station) = self.line()?.strip_prefix("paired with: ") {
                return Ok(station.to_owned());
            }
        }
    }
}

impl Drop for ShownCode {
    fn drop(&mut self) {
        let _ = self.console.kill();
        let _ = self.console.wait();
    }
}

fn run(
    program: &Path,
    data: &str,
    listen: &str,
    (number, log): (usize, Stdio),
) -> Result<(Child, BufReader<ChildStdout>, String), SiteError> {
    let mut child = Command::new(program)
        .args(["run", "--data", data, "--realm", "practice", "--listen", listen, "--until-stdin-closes"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    let mut said = BufReader::new(child.stdout.take().ok_or(SiteError::Gate(number))?);
    let mut line = String::new();
    said.read_line(&mut line)?;
    let address = line.trim().strip_prefix("listening: ").map(str::to_owned).ok_or(SiteError::Gate(number))?;
    Ok((child, said, address))
}

fn said(program: &Path, args: &[&str], number: usize) -> Result<String, SiteError> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(SiteError::Gate(number));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What the notice says on a practice site. Every fact is invented.
pub fn facts() -> SiteFacts {
    let mut facts = SiteFacts::default();
    let texts = [
        (Fact::ProcessorName, "练习物业服务有限公司（虚构）"),
        (Fact::Uscc, "00000000PRACTICE00"),
        (Fact::ProcessorAddress, "练习市示范路1号"),
        (Fact::ContactPhone, "000-0000-0001"),
        (Fact::ContactEmail, "desk@practice.invalid"),
        (Fact::PiOfficerName, "练习联系人"),
        (Fact::PiOfficerPhone, "000-0000-0002"),
        (Fact::SiteName, "练习小区"),
        (Fact::SiteAddress, "练习市示范路2号"),
        (Fact::DeskPlace, "一号楼大厅前台"),
        (Fact::DeskHours, "每天 8:00–20:00"),
        (Fact::GuardPhone, "000-0000-0003"),
        (
            Fact::NecessityReason,
            "本小区部分住户双手提物、推轮椅或者行动不便，到门前掏卡困难；已比较远距感应卡、蓝牙钥匙和值班人员开门，各有等候或者携带的不便，\
             所以把人脸只作为自愿的补充，门禁卡仍是默认方式。",
        ),
        (
            Fact::EffectText,
            "两道门都朝向小区内部的人行道，镜头只取门前一米，可能短暂拍到同行的人；门禁机的开门记录会反映本人进出这两道门的时间，\
             三十天后自动删除，前台和物业看不到这些记录。",
        ),
        (Fact::BenefitText, "双手不便时也能开门。"),
        (Fact::CacContact, "练习市网信办 000-0000-0004"),
        (Fact::PoliceContact, "练习市公安局 000-0000-0005"),
        (Fact::HousingContact, "练习市住建局 000-0000-0006"),
        (Fact::CardFee, "首张免费，补办工本费10元"),
        (Fact::ChildOfficerName, "练习儿童信息专人"),
        (Fact::ChildOfficerPhone, "000-0000-0007"),
    ];
    for (fact, text) in texts {
        facts.set(fact, text);
    }
    facts
}

/// Invented residents: surname, given name, unit.
const RESIDENTS: [(&str, &str); 6] = [
    ("王小明", "1-101"),
    ("李秀英", "1-202"),
    ("张伟", "2-301"),
    ("欧阳静", "2-1203"),
    ("Maria Rossi", "3-502"),
    ("赵奶奶", "3-601"),
];

/// The impact assessment of a practice site, as typed. Invented.
pub fn assessment(today: CivilDate) -> AssessmentTyped {
    AssessmentTyped {
        number: "练习-1".into(),
        signed_on: today.to_string(),
        signer: "练习联系人".into(),
        heads: [
            "只为自愿的住户开门，有卡可用，目的和方式合法、正当、必要。",
            "人脸终身难以更换；不留照片、只放门禁机、随时可删，能减小影响。",
            "门禁机被盗或者本机被改时有泄露和冒用的风险，可能伤害人身和财产。",
            "全程加密、人脸与姓名分开、双人操作、日志可查，与风险程度相适应。",
        ]
        .map(String::from),
        necessity: facts().get(Fact::NecessityReason).to_owned(),
        review_on: today.plus_days(365).to_string(),
    }
}

/// Registers the practice assessment for the gates as they are, and writes the practice facts anew where an older site lacks one.
fn assess(vault: &mut Vault, now: Timestamp) -> Result<(), SiteError> {
    let today = now.date();
    if !vault.facts()?.missing().is_empty() {
        let other = vault.approvers(now)?.first().map(|(id, _)| *id);
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let approval = other.map(|id| vault.approve(Act::ChangeSite, id, &passphrase, now)).transpose()?;
        if approval.is_some() || vault.may_act_alone(Act::ChangeSite)? {
            vault.record_facts(&facts(), approval, now)?;
        }
    }
    let Ok(stand) = crate::notice::stand(&vault.facts_on(today)?, &vault.doors_in_use()?, &EngineId::sface()) else {
        return Ok(());
    };
    let newest = vault.assessments()?.pop();
    let registered = newest.as_ref().map(|row| (&row.assessment, row.registered_at));
    if judge(registered, stand.scope_sha256(), &vault.major_incidents()?, today).holds() {
        return Ok(());
    }
    let typed = assessment(today);
    let made = Assessment {
        number: typed.number,
        signed_on: today,
        signer: typed.signer,
        heads: typed.heads,
        necessity: typed.necessity,
        review_on: today.plus_days(365),
        scope_sha256: stand.scope_sha256(),
    };
    if let Ok(made) = made.check(today) {
        vault.record_assessment(&made, now)?;
    }
    Ok(())
}

/// Invented minors: name, unit, age band, days until the next one.
const MINORS: [(&str, &str, AgeBand, i64); 2] =
    [("周小雨", "4-101", AgeBand::Under14, 1_200), ("周明", "4-102", AgeBand::From14To17, 700)];

/// Words of the gate list for the practice gates.
const PLACES: [(&str, &str, &str); GATES] =
    [("东门", "小区东门人行道", "门前1米"), ("一号楼大门", "一号楼单元门", "门前1米")];

/// A practice site has two supervisors who have read and signed the rules within the year, and a recovery key that nobody needs: its passphrase
/// is on the lock screen.
fn make_ready(mut vault: Vault, data: &Path, chip: &mut dyn SecurityChip, now: Timestamp) -> Result<Vault, SiteError> {
    let passphrase = || Passphrase::new(PASSPHRASE.into());
    if !vault.recovery_key_is_kept()? {
        drop(vault.make_recovery_key(None, now)?);
        vault.record_recovery_key_kept()?;
    }
    sign(&mut vault, OPERATOR, now)?;
    if vault.may_act_alone(Act::AddAccount(Role::Supervisor))? {
        let new = NewAccount {
            name: COLLEAGUE.into(),
            role: Role::Supervisor,
            passphrase: passphrase(),
            trained_on: now.date(),
        };
        vault.add_account(&new, None, now)?;
    }
    let first = vault.operator().0;
    let Some(colleague) = vault.accounts()?.into_iter().find(|a| a.name == COLLEAGUE && !a.disabled) else {
        return Ok(vault);
    };
    if !training::judge(colleague.record, now.date()).works() {
        vault.lock(now)?;
        let mut second = Vault::unlock_with(data, Realm::Practice, colleague.id, &passphrase(), chip, now)?;
        sign(&mut second, COLLEAGUE, now)?;
        second.lock(now)?;
        return Ok(Vault::unlock_with(data, Realm::Practice, first, &passphrase(), chip, now)?);
    }
    Ok(vault)
}

/// Reads and signs the rules when that is due.
fn sign(vault: &mut Vault, name: &str, now: Timestamp) -> Result<(), SiteError> {
    if vault.standing(now)?.works() {
        return Ok(());
    }
    let text = notice::render(Text::InternalRules, Language::Chinese, &Values::new()).map_err(|_| SiteError::Rules)?;
    Ok(vault.record_undertaking(&text.reference, &text.markdown, name, now)?)
}

/// Makes or reopens the practice site under `folder`, starts its gates, and tells the vault where they listen now. `chip` is asked only where
/// somebody bound the site to it.
///
/// # Errors
/// See [`SiteError`].
pub fn prepare(
    folder: &Path,
    gate_program: &Path,
    link: &LinkMaker,
    chip: &mut dyn SecurityChip,
    now: Timestamp,
) -> Result<Vec<GateProcess>, SiteError> {
    let data = folder.join("desk");
    let passphrase = Passphrase::new(PASSPHRASE.into());
    let new = matches!(Vault::state(&data, now)?, VaultState::Absent);
    let vault = if new {
        Vault::create(&data, Realm::Practice, OPERATOR, &passphrase, &facts(), now, KDF)?
    } else {
        Vault::unlock_with(&data, Realm::Practice, Vault::first_account(&data)?, &passphrase, chip, now)?
    };
    let mut vault = make_ready(vault, &data, chip, now)?;
    let keys = match vault.identity_bytes()? {
        Some(bytes) => IdentityKeys::from_bytes(&bytes)?,
        None => {
            let keys = IdentityKeys::make(Realm::Practice)?;
            vault.record_identity_bytes(&keys.to_bytes())?;
            keys
        }
    };
    let keys = Arc::new(keys);
    let mut link = link(Arc::clone(&keys), vault.site(), Realm::Practice);
    let known = vault.gates()?;
    let mut gates = vec![];
    for (number, (name, place, area)) in PLACES.into_iter().enumerate() {
        let gate = GateProcess::start(gate_program, &folder.join(format!("gate{number}")), number)?;
        match known.iter().find(|known| known.tls_pin == gate.fingerprint) {
            // It listens elsewhere now, under the same keys.
            Some(known) => vault.record_gate(&GateRecord { address: gate.address.clone(), ..known.clone() }, now)?,
            None => {
                let shown = gate.show_code()?;
                let code = PairingCode::parse(&shown.code).ok_or(SiteError::Gate(number))?;
                let (hello, tls_pin) = link.pair(&gate.address, &code, Duration::from_secs(5))?;
                shown.paired()?;
                let record = GateRecord {
                    id: GateId::from_bytes(hello.id),
                    name: name.into(),
                    place: place.into(),
                    capture_area: area.into(),
                    other_way: "刷卡，或者值班人员核对放行".into(),
                    why_needed: "双手不便的住户较多".into(),
                    address: gate.address.clone(),
                    tls_pin,
                    seal_key: hello.seal_key,
                    sign_key: hello.sign_key,
                    card_way_tested_at: None,
                    takes_faces: hello.takes_faces,
                };
                vault.record_gate(&record, now)?;
            }
        }
        gates.push(gate);
    }
    assess(&mut vault, now)?;
    if new {
        let ends_on: CivilDate = now.date().plus_days(300);
        for (name, unit) in RESIDENTS {
            if let Ok(draft) = ResidentDraft::parse(None, name, unit, AgeBand::Adult, None, ends_on, now) {
                vault.record_resident(&draft, ResidentId::from_bytes(random_bytes()), now)?;
            }
        }
        for (name, unit, band, days) in MINORS {
            let birthday = Some(now.date().plus_days(days));
            if let Ok(draft) = ResidentDraft::parse(None, name, unit, band, birthday, ends_on, now) {
                vault.record_resident(&draft, ResidentId::from_bytes(random_bytes()), now)?;
            }
        }
    }
    Ok(gates)
}
