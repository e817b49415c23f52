//! Everything of the station asked how it is, for whoever mends it: states and counts, no names of people, accounts, gates or places.

use std::path::Path;

use serde::Serialize;

use super::desk::Desk;
use super::enroll::Flow;
use super::event::StaffEvent;
use super::posture::PostureEvent;
use super::program_log;
use crate::domain::time::Timestamp;
use crate::ports::FaceError;
use crate::secret::{self, Memory};

/// How one part is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Asked, and well.
    Well,
    /// Asked, and not well; in English, for whoever mends it.
    Trouble(String),
    /// Not asked now: somebody is being served.
    NotNow,
}

impl Health {
    fn of<T, E: std::fmt::Display>(result: Result<T, E>) -> Self {
        result.map_or_else(|error| Self::Trouble(error.to_string()), |_| Self::Well)
    }
}

/// Gates by count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GateCounts {
    /// Paired.
    pub paired: usize,
    /// Answered the last question.
    pub answering: usize,
    /// Their key is not the paired one.
    pub key_changed: usize,
    /// Operations that wait.
    pub pending: u32,
    /// Operations that a gate refused.
    pub refused: u32,
    /// The largest difference of a gate's clock from ours, in milliseconds.
    pub clock_drift_ms_max: i64,
}

/// The evidence log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogHealth {
    /// Records.
    pub records: u64,
    /// Whether reading all of it again found nothing wrong.
    pub health: Health,
}

/// What the operating system did for the keys in memory.
fn memory_health() -> Health {
    let trouble = |why: &str| Health::Trouble(why.to_owned());
    match (secret::memory(), secret::is_process_private()) {
        (Memory::Locked, true) => Health::Well,
        (Memory::Locked, false) => trouble("memory dumps of this program are not switched off"),
        (Memory::MayBeSwapped, _) => trouble("the system did not lock the keys' memory: it may be written to swap"),
        (Memory::MayBeDumped, _) => trouble("the system did not take the keys' memory out of dumps"),
        (Memory::Unverified, _) => trouble("not verified on this system"),
    }
}

/// One finding about the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingLine {
    /// What was looked at.
    pub check: &'static str,
    /// How grave.
    pub grade: &'static str,
    /// What was found.
    pub what: &'static str,
    /// Programs, interfaces, devices.
    pub names: Vec<String>,
    /// Whether the means was ever run on such a system.
    pub proven: bool,
}

/// The whole examination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Doctor {
    /// Of the program.
    pub version: &'static str,
    /// Operating system.
    pub system: String,
    /// `real` or `practice`.
    pub realm: &'static str,
    /// When, in China time.
    pub at: String,
    /// Whether both files of the vault read back whole.
    pub vault: Health,
    /// Whether keys in memory are kept from swap, dumps and other programs of this user.
    pub memory: Health,
    /// The evidence log.
    pub log: LogHealth,
    /// Gates.
    pub gates: GateCounts,
    /// Card reader.
    pub reader: Health,
    /// Cameras that can capture, by their makers' names. None is opened.
    pub cameras: Vec<String>,
    /// The face engine's name.
    pub engine: String,
    /// Whether its models are the pinned ones and it starts.
    pub models: Health,
    /// The machine.
    pub machine: Vec<FindingLine>,
}

/// The examination as a file, with the end of the program's own log.
#[derive(Serialize)]
struct Saved<'a> {
    #[serde(flatten)]
    doctor: &'a Doctor,
    program_log: Vec<String>,
}

impl Desk {
    /// Asks everything. The engine and the whole log are left alone while somebody is being served.
    pub(super) fn examine(&mut self, now: Timestamp) {
        tracing::info!("the station is examined");
        let cameras = self.devices.camera.cameras().into_iter().map(|c| c.name).collect();
        let reader = Health::of(self.devices.reader.present());
        let engine = self.devices.engine.engine().as_str().to_owned();
        let Some(open) = self.open.as_ref() else { return };
        let calm = matches!(open.flow, Flow::Idle | Flow::Rules);
        let log = LogHealth {
            records: open.vault.log_len().unwrap_or(0),
            health: match calm.then(|| open.vault.audit()) {
                None => Health::NotNow,
                Some(Ok(report)) if report.is_sound() => Health::Well,
                Some(Ok(_)) => Health::Trouble("records, heads or consents do not fit the log".into()),
                Some(Err(error)) => Health::Trouble(error.to_string()),
            },
        };
        let vault = if calm { Health::of(open.vault.check_whole()) } else { Health::NotNow };
        let seen = open.shared.gates().0;
        let gates = GateCounts {
            paired: seen.len(),
            answering: seen.iter().filter(|g| g.reachable).count(),
            key_changed: seen.iter().filter(|g| g.key_changed).count(),
            pending: seen.iter().fold(0, |sum, g| sum.saturating_add(g.pending)),
            refused: seen.iter().fold(0, |sum, g| sum.saturating_add(g.wedged)),
            clock_drift_ms_max: seen
                .iter()
                .filter_map(|g| g.clock_drift_ms)
                .map(i64::saturating_abs)
                .max()
                .unwrap_or(0),
        };
        let models = if calm {
            let awake = match self.devices.engine.wake() {
                // Without the folder: its path may hold the name of an account.
                Err(FaceError::ModelMissing { .. }) => Health::Trouble("the face models are missing".into()),
                other => Health::of(other),
            };
            self.devices.engine.rest();
            awake
        } else {
            Health::NotNow
        };
        let report = self.watch.report.clone().unwrap_or_default();
        let machine = report.findings.iter().map(|f| FindingLine {
            check: f.what.check().label(),
            grade: f.what.grade().label(),
            what: f.what.label(),
            names: f.names.clone(),
            proven: f.proven,
        });
        let doctor = Doctor {
            version: env!("CARGO_PKG_VERSION"),
            system: report.system.clone(),
            realm: self.config.realm.label(),
            at: now.minute_text(),
            vault,
            memory: memory_health(),
            log,
            gates,
            reader,
            cameras,
            engine,
            models,
            machine: machine.collect(),
        };
        self.watch.examined = Some(doctor.clone());
        self.say(StaffEvent::Posture(PostureEvent::Examined(Box::new(doctor))));
    }

    /// Writes the last examination to a file that staff chose.
    pub(super) fn save_examination(&self, path: &Path, text: &str) -> Result<(), String> {
        let Some(doctor) = &self.watch.examined else { return Err("nothing was examined yet".into()) };
        let as_json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
        let program_log = program_log::tail(&self.config.data_dir);
        let bytes = if as_json {
            serde_json::to_vec_pretty(&Saved { doctor, program_log }).map_err(|e| e.to_string())?
        } else {
            let mut lines = vec![text.to_owned()];
            lines.extend((!program_log.is_empty()).then(String::new));
            lines.extend(program_log);
            lines.join("\n").into_bytes()
        };
        std::fs::write(path, bytes).map_err(|e| e.to_string())
    }
}
