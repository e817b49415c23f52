//! The words of the machine page and of the report that is saved from it.

use crate::app::doctor::{Doctor, Health};
use crate::domain::posture::{Check, Finding, Grade, PostureReport, What};
use crate::i18n::Texts;
use crate::tr;
use crate::ui::explain::Words;
use crate::ui::theme::Tone;
use crate::ui::words::list;

/// What was looked at.
pub fn check(texts: &Texts, check: Check) -> String {
    match check {
        Check::Internet => tr!(texts, "check-internet"),
        Check::RemoteHelp => tr!(texts, "check-remote-help"),
        Check::Disk => tr!(texts, "check-disk"),
        Check::Login => tr!(texts, "check-login"),
        Check::ScreenLock => tr!(texts, "check-screen-lock"),
        Check::VirtualCamera => tr!(texts, "check-virtual-camera"),
        Check::Files => tr!(texts, "check-files"),
        Check::Clock => tr!(texts, "check-clock"),
        Check::Room => tr!(texts, "check-room"),
        Check::Cameras => tr!(texts, "check-cameras"),
    }
}

/// What was found, and what to do about it.
pub fn finding(texts: &Texts, finding: &Finding) -> Words {
    let names = list(texts, finding.names.iter().map(String::as_str));
    let mut said = match finding.what {
        What::NoRouteOut => Words::only(tr!(texts, "found-no-route-out")),
        What::RouteOut => {
            Words { what: tr!(texts, "found-route-out", names = names), todo: tr!(texts, "found-route-out-todo") }
        }
        What::PublicAddress => Words {
            what: tr!(texts, "found-public-address", names = names),
            todo: tr!(texts, "found-public-address-todo"),
        },
        What::RoutesUnread => {
            Words { what: tr!(texts, "found-routes-unread"), todo: tr!(texts, "found-routes-unread-todo") }
        }
        What::NoRemoteHelp => Words::only(tr!(texts, "found-no-remote-help")),
        What::RemoteHelpRuns => Words {
            what: tr!(texts, "found-remote-help-runs", names = names),
            todo: tr!(texts, "found-remote-help-runs-todo"),
        },
        What::RemoteHelpInstalled => Words {
            what: tr!(texts, "found-remote-help-installed", names = names),
            todo: tr!(texts, "found-remote-help-installed-todo"),
        },
        What::SharingRuns => {
            Words { what: tr!(texts, "found-sharing-runs", names = names), todo: tr!(texts, "found-sharing-runs-todo") }
        }
        What::SharingInstalled => Words {
            what: tr!(texts, "found-sharing-installed", names = names),
            todo: tr!(texts, "found-sharing-installed-todo"),
        },
        What::RemoteShell => {
            Words { what: tr!(texts, "found-remote-shell", names = names), todo: tr!(texts, "found-remote-shell-todo") }
        }
        What::ProgramsUnread => {
            Words { what: tr!(texts, "found-programs-unread"), todo: tr!(texts, "found-programs-unread-todo") }
        }
        What::DiskEncrypted => Words::only(tr!(texts, "found-disk-encrypted")),
        What::DataPlain => {
            Words { what: tr!(texts, "found-data-plain", names = names), todo: tr!(texts, "found-data-plain-todo") }
        }
        What::SwapPlain => {
            Words { what: tr!(texts, "found-swap-plain", names = names), todo: tr!(texts, "found-swap-plain-todo") }
        }
        What::DiskUnread => Words { what: tr!(texts, "found-disk-unread"), todo: tr!(texts, "found-disk-unread-todo") },
        What::PasswordSet => Words::only(tr!(texts, "found-password-set")),
        What::NoPassword => Words { what: tr!(texts, "found-no-password"), todo: tr!(texts, "found-no-password-todo") },
        What::AutomaticLogin => Words {
            what: tr!(texts, "found-automatic-login", names = names),
            todo: tr!(texts, "found-automatic-login-todo"),
        },
        What::LoginUnread => {
            Words { what: tr!(texts, "found-login-unread"), todo: tr!(texts, "found-login-unread-todo") }
        }
        What::ScreenLocks => Words::only(tr!(texts, "found-screen-locks")),
        What::ScreenNeverLocks => {
            Words { what: tr!(texts, "found-screen-never-locks"), todo: tr!(texts, "found-screen-never-locks-todo") }
        }
        What::ScreenLockUnread => {
            Words { what: tr!(texts, "found-screen-lock-unread"), todo: tr!(texts, "found-screen-lock-unread-todo") }
        }
        What::NoVirtualCamera => Words::only(tr!(texts, "found-no-virtual-camera")),
        What::VirtualCameraThere => Words {
            what: tr!(texts, "found-virtual-camera", names = names),
            todo: tr!(texts, "found-virtual-camera-todo"),
        },
        What::VirtualCameraUnread => Words {
            what: tr!(texts, "found-virtual-camera-unread"),
            todo: tr!(texts, "found-virtual-camera-unread-todo"),
        },
        What::FilesClosed => Words::only(tr!(texts, "found-files-closed")),
        What::FilesOpen => Words { what: tr!(texts, "found-files-open"), todo: tr!(texts, "found-files-open-todo") },
        What::FilesOfOthers => {
            Words { what: tr!(texts, "found-files-of-others"), todo: tr!(texts, "found-files-of-others-todo") }
        }
        What::FilesUnread => {
            Words { what: tr!(texts, "found-files-unread"), todo: tr!(texts, "found-files-unread-todo") }
        }
        What::ClockSound => Words::only(tr!(texts, "found-clock-sound")),
        What::ClockBehind => {
            Words { what: tr!(texts, "found-clock-behind"), todo: tr!(texts, "found-clock-behind-todo") }
        }
        What::ClockMoved => Words { what: tr!(texts, "found-clock-moved"), todo: tr!(texts, "found-clock-moved-todo") },
        What::RoomEnough => Words::only(tr!(texts, "found-room-enough")),
        What::RoomLittle => Words { what: tr!(texts, "found-room-little"), todo: tr!(texts, "found-room-little-todo") },
        What::RoomUnread => Words { what: tr!(texts, "found-room-unread"), todo: tr!(texts, "found-room-unread-todo") },
        What::CamerasAsBefore => Words::only(tr!(texts, "found-cameras-as-before", names = names)),
        What::CameraAppeared => Words {
            what: tr!(texts, "found-camera-appeared", names = names),
            todo: tr!(texts, "found-camera-appeared-todo"),
        },
        What::NoCamera => Words { what: tr!(texts, "found-no-camera"), todo: tr!(texts, "found-no-camera-todo") },
    };
    if !finding.proven {
        said.what = tr!(texts, "machine-unverified", what = said.what);
    }
    said
}

/// The grade by which a finding is shown: what was not proven is never shown as well.
pub fn shown_grade(finding: &Finding) -> Grade {
    match finding.what.grade() {
        Grade::Well if !finding.proven => Grade::Unknown,
        grade => grade,
    }
}

/// The word in the pill.
pub fn state(texts: &Texts, finding: &Finding) -> String {
    match finding.what.grade() {
        Grade::Well if !finding.proven => tr!(texts, "state-unverified"),
        Grade::Well => tr!(texts, "state-well"),
        Grade::Warn => tr!(texts, "state-warn"),
        Grade::Unknown => tr!(texts, "state-unknown"),
        Grade::CardOnly => tr!(texts, "state-card-only"),
        Grade::Stop => tr!(texts, "state-stop"),
    }
}

/// The colour of the pill.
pub fn tone(finding: &Finding) -> Tone {
    match shown_grade(finding) {
        Grade::Well => Tone::Well,
        Grade::Warn | Grade::Unknown | Grade::CardOnly => Tone::Warn,
        Grade::Stop => Tone::Alarm,
    }
}

/// A line of the examination.
pub struct Line {
    /// Which part.
    pub label: String,
    /// How it is.
    pub value: String,
    /// Its colour.
    pub tone: Tone,
}

/// The parts of the examination; the machine's findings follow them on the page.
pub fn doctor_lines(texts: &Texts, doctor: &Doctor) -> Vec<Line> {
    let plain = |label: String, value: String| Line { label, value, tone: Tone::Plain };
    let asked = |label: String, health: &Health| Line {
        label,
        value: said(texts, health),
        tone: if matches!(health, Health::Trouble(_)) { Tone::Alarm } else { Tone::Plain },
    };
    let realm =
        if doctor.realm == "real" { tr!(texts, "doctor-realm-real") } else { tr!(texts, "doctor-realm-practice") };
    let cameras = if doctor.cameras.is_empty() {
        tr!(texts, "doctor-cameras-none")
    } else {
        list(texts, doctor.cameras.iter().map(String::as_str))
    };
    let gates = &doctor.gates;
    let gates_said = tr!(
        texts,
        "doctor-gates-said",
        paired = gates.paired,
        answering = gates.answering,
        changed = gates.key_changed,
        pending = gates.pending,
        refused = gates.refused,
        drift = gates.clock_drift_ms_max,
    );
    let mut log = asked(tr!(texts, "doctor-log"), &doctor.log.health);
    log.value = tr!(texts, "doctor-log-said", health = log.value, records = doctor.log.records);
    vec![
        plain(tr!(texts, "doctor-at"), doctor.at.clone()),
        plain(tr!(texts, "doctor-version"), doctor.version.to_owned()),
        plain(tr!(texts, "doctor-system"), doctor.system.clone()),
        plain(tr!(texts, "doctor-realm"), realm),
        asked(tr!(texts, "doctor-vault"), &doctor.vault),
        asked(tr!(texts, "doctor-memory"), &doctor.memory),
        log,
        plain(tr!(texts, "doctor-gates"), gates_said),
        asked(tr!(texts, "doctor-reader"), &doctor.reader),
        plain(tr!(texts, "doctor-cameras"), cameras),
        plain(tr!(texts, "doctor-engine"), doctor.engine.clone()),
        asked(tr!(texts, "doctor-models"), &doctor.models),
    ]
}

/// The whole report in the window's language.
pub fn doctor_text(texts: &Texts, doctor: &Doctor, report: &PostureReport) -> String {
    let parts = doctor_lines(texts, doctor).into_iter().map(|line| format!("{}: {}", line.label, line.value));
    let machine = report.findings.iter().map(|f| {
        let said = finding(texts, f);
        let mut line = format!("{}: [{}] {}", check(texts, f.what.check()), state(texts, f), said.what);
        if !said.todo.is_empty() {
            line.push_str(&format!("\n    {}", said.todo));
        }
        line
    });
    let lines: Vec<String> = parts.chain(std::iter::once(String::new())).chain(machine).collect();
    format!("{}\n", lines.join("\n"))
}

fn said(texts: &Texts, health: &Health) -> String {
    match health {
        Health::Well => tr!(texts, "health-well"),
        Health::Trouble(why) => tr!(texts, "health-trouble", why = why.as_str()),
        Health::NotNow => tr!(texts, "health-not-now"),
    }
}
