//! The machine's own voice and printing system, real ones: speech-dispatcher with espeak-ng whose sound goes into a file, and a CUPS scheduler
//! whose one printer keeps what it prints. Both run for one test, in a folder of their own.
//!
//! Where they listen is told by the environment, as on any machine; so each test runs itself again in a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use menka::domain::notice::Language;
use menka::ports::{Heard, PrintError, Printer, Speech, SpeechError};
use menka::printing::SystemPrinter;
use menka::speech::SystemSpeech;

const ROLE: &str = "MENKA_TEST_ROLE";

/// The part that this process plays.
fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// Runs this test again in a part of its own; panics when it failed there.
fn play(test: &str, role: &str, environment: &[(&str, &Path)]) {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("machine::{test}"), "--nocapture"])
        .env(ROLE, role)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && said.contains("1 passed"), "{role}: {said}");
}

/// Ends with the test.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Says why a test cannot run here; with `MENKA_REQUIRE_DEVICES` that is a failure.
fn skip(reason: &str) {
    assert!(std::env::var_os("MENKA_REQUIRE_DEVICES").is_none(), "devices are required: {reason}");
    println!("skipped: {reason}");
}

fn wait_for(path: &Path) -> bool {
    let start = Instant::now();
    while !path.exists() && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(50));
    }
    path.exists()
}

/// speech-dispatcher with espeak-ng; its sound goes into `sound.raw`. Returns the address too.
fn voice(folder: &Path) -> Option<(Service, String)> {
    let modules = folder.join("conf/modules");
    std::fs::create_dir_all(&modules).unwrap();
    std::fs::create_dir_all(folder.join("log")).unwrap();
    std::fs::copy("/etc/speech-dispatcher/modules/espeak-ng.conf", modules.join("espeak-ng.conf")).ok()?;
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    write(
        "conf/speechd.conf",
        "LogLevel 1\nLogDir \"default\"\nAudioOutputMethod \"alsa\"\nAudioALSADevice \"default\"\n\
         AddModule \"espeak-ng\" \"sd_espeak-ng\" \"espeak-ng.conf\"\nDefaultModule espeak-ng\nDisableAutoSpawn\n"
            .into(),
    );
    let sound = folder.join("sound.raw");
    write(
        "asound.conf",
        format!(
            "</usr/share/alsa/alsa.conf>\npcm.!default {{ type file slave.pcm \"null\" file \"{}\" format \"raw\" }}\n\
             ctl.!default {{ type null }}\n",
            sound.display()
        ),
    );
    let socket = folder.join("sock");
    let child = Command::new("speech-dispatcher")
        .args(["-s", "-c", "unix_socket", "-S"])
        .arg(&socket)
        .arg("-P")
        .arg(folder.join("pid"))
        .arg("-L")
        .arg(folder.join("log"))
        .arg("-C")
        .arg(folder.join("conf"))
        .env("ALSA_CONFIG_PATH", folder.join("asound.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let service = Service(child);
    wait_for(&socket).then(|| (service, format!("unix_socket:{}", socket.display())))
}

/// Everything that is heard until the end.
fn hear(speech: &mut SystemSpeech, limit: Duration) -> Vec<Heard> {
    let (start, mut heard) = (Instant::now(), vec![]);
    while start.elapsed() < limit {
        match speech.heard() {
            Some(Heard::Section(number)) => heard.push(Heard::Section(number)),
            Some(end) => {
                heard.push(end);
                return heard;
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    heard
}

fn sections(words: &[&str]) -> Vec<String> {
    words.iter().map(|w| (*w).to_owned()).collect()
}

const READS: Duration = Duration::from_secs(25);

/// Sixteen-bit samples: how many, and how many are no silence.
fn sound(file: &Path) -> (usize, usize) {
    let bytes = std::fs::read(file).unwrap_or_default();
    let loud = bytes.chunks_exact(2).filter(|s| i16::from_le_bytes([s[0], s[1]]).unsigned_abs() > 1_000).count();
    (bytes.len() / 2, loud)
}

#[test]
fn f05c_the_systems_voice_reads_chinese_and_english_and_falls_silent_when_told() {
    let wholly = vec![Heard::Section(0), Heard::Section(1), Heard::Section(2), Heard::Over];
    match role().as_deref() {
        Some("chinese") => {
            let mut speech = SystemSpeech::new();
            // A dot alone on a line would end a message, were it not doubled.
            speech.speak(
                Language::Chinese,
                sections(&["先看这一页。", "", "录不录人脸，由您自己决定。\n.\n没有时间限制。"]),
            );
            assert_eq!(hear(&mut speech, READS), wholly);
        }
        Some("english") => {
            let mut speech = SystemSpeech::new();
            speech.speak(
                Language::English,
                sections(&["Read this page first.", "It is your own decision.", "No hurry."]),
            );
            assert_eq!(hear(&mut speech, READS), wholly);
        }
        Some("stop") => {
            let mut speech = SystemSpeech::new();
            speech.speak(Language::Chinese, vec!["录不录人脸，由您自己决定。".to_owned(); 3_000]);
            let start = Instant::now();
            while speech.heard() != Some(Heard::Section(0)) {
                assert!(start.elapsed() < READS);
                std::thread::sleep(Duration::from_millis(5));
            }
            speech.hush();
            std::thread::sleep(Duration::from_millis(700));
            assert_eq!(speech.heard(), None, "silent");
            // And the next reading begins at its beginning.
            speech.speak(Language::Chinese, sections(&["一", "二", "三"]));
            assert_eq!(hear(&mut speech, READS), wholly);
        }
        Some(other) => panic!("no part {other}"),
        None => {
            let test = "f05c_the_systems_voice_reads_chinese_and_english_and_falls_silent_when_told";
            for part in ["chinese", "english", "stop"] {
                let folder = tempfile::tempdir().unwrap();
                let Some((_service, address)) = voice(folder.path()) else {
                    return skip("speech-dispatcher with espeak-ng cannot be started");
                };
                play(test, part, &[("SPEECHD_ADDRESS", Path::new(&address))]);
                let (all, loud) = sound(&folder.path().join("sound.raw"));
                assert!(all > 10_000 && loud > 1_000, "{part}: {loud} of {all} samples are loud");
                // Three thousand sentences would be hours.
                assert!(all < 60 * 48_000, "{part}: {all} samples");
            }
        }
    }
}

#[test]
fn f05c_a_missing_voice_service_and_one_that_dies_are_said() {
    match role().as_deref() {
        Some("missing") => {
            let mut speech = SystemSpeech::new();
            speech.speak(Language::Chinese, sections(&["您好"]));
            assert_eq!(hear(&mut speech, READS), [Heard::Failed(SpeechError::NoService)]);
        }
        Some("far") => {
            // A service on another machine is never asked.
            let mut speech = SystemSpeech::new();
            speech.speak(Language::Chinese, sections(&["您好"]));
            assert_eq!(hear(&mut speech, READS), [Heard::Failed(SpeechError::NoService)]);
        }
        Some("dies") => {
            let mut speech = SystemSpeech::new();
            speech.speak(Language::Chinese, vec!["录不录人脸，由您自己决定。".to_owned(); 3_000]);
            let start = Instant::now();
            while speech.heard() != Some(Heard::Section(0)) {
                assert!(start.elapsed() < READS);
                std::thread::sleep(Duration::from_millis(5));
            }
            let pid = std::fs::read_to_string(std::env::var_os("MENKA_TEST_PID").unwrap()).unwrap();
            assert!(Command::new("kill").args(["-9", pid.trim()]).status().unwrap().success());
            assert_eq!(hear(&mut speech, READS).last(), Some(&Heard::Failed(SpeechError::Lost)));
        }
        Some(other) => panic!("no part {other}"),
        None => {
            let test = "f05c_a_missing_voice_service_and_one_that_dies_are_said";
            let folder = tempfile::tempdir().unwrap();
            let nowhere = format!("unix_socket:{}", folder.path().join("none").display());
            // No program to start, either.
            play(test, "missing", &[("SPEECHD_ADDRESS", Path::new(&nowhere)), ("PATH", folder.path())]);
            play(test, "far", &[("SPEECHD_ADDRESS", Path::new("inet_socket:192.0.2.7:6560"))]);
            let Some((_service, address)) = voice(folder.path()) else {
                return skip("speech-dispatcher with espeak-ng cannot be started");
            };
            let pid = folder.path().join("pid");
            play(test, "dies", &[("SPEECHD_ADDRESS", Path::new(&address)), ("MENKA_TEST_PID", &pid)]);
        }
    }
}

/// A CUPS scheduler with one printer, `desk`, that writes what it prints to `printed.pdf`. Needs root, as a scheduler does.
fn scheduler(folder: &Path) -> Option<(Service, PathBuf)> {
    use std::os::unix::fs::PermissionsExt;
    for name in ["root/ppd", "spool/tmp", "cache", "state", "log", "bin/backend", "bin/filter", "bin/notifier"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    // The scheduler's own account must find its way in.
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let daemon = folder.join("bin/daemon");
    let copied = Command::new("cp").args(["-r", "/usr/lib/cups/daemon"]).arg(&daemon).status();
    if !copied.is_ok_and(|status| status.success()) {
        return None;
    }
    let here = folder.display();
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    write(
        "root/cups-files.conf",
        format!(
            "User lp\nGroup lp\nSystemGroup root\nServerRoot {here}/root\nRequestRoot {here}/spool\nTempDir {here}/spool/tmp\n\
             CacheDir {here}/cache\nStateDir {here}/state\nServerBin {here}/bin\nErrorLog {here}/log/error_log\n\
             AccessLog {here}/log/access_log\nPageLog {here}/log/page_log\n"
        ),
    );
    let all = "<Location />\nOrder allow,deny\nAllow all\n</Location>\n<Location /admin>\nOrder allow,deny\nAllow all\n</Location>\n\
               <Policy default>\n<Limit All>\nOrder deny,allow\nAllow all\n</Limit>\n</Policy>\n";
    write(
        "root/cupsd.conf",
        format!(
            "LogLevel warn\nListen {here}/sock\nBrowsing No\nWebInterface No\nDefaultAuthType None\n\
                 PreserveJobFiles No\n{all}"
        ),
    );
    write(
        "bin/backend/keep",
        "#!/bin/sh\n[ $# = 0 ] && { echo 'direct keep:/ \"Unknown\" \"Keep\"'; exit 0; }\n\
         cat \"${6:--}\" > \"${DEVICE_URI#keep:}\"\n"
            .into(),
    );
    let backend = folder.join("bin/backend/keep");
    std::fs::set_permissions(&backend, std::fs::Permissions::from_mode(0o700)).unwrap();
    let child = Command::new("/usr/sbin/cupsd")
        .args(["-f", "-c"])
        .arg(folder.join("root/cupsd.conf"))
        .arg("-s")
        .arg(folder.join("root/cups-files.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let service = Service(child);
    let socket = folder.join("sock");
    wait_for(&socket).then_some((service, socket))
}

/// Runs a program of CUPS against the scheduler.
fn cups(socket: &Path, program: &str, words: &[&str]) -> String {
    let run = Command::new(program).args(words).env("CUPS_SERVER", socket).output().unwrap();
    assert!(run.status.success(), "{program}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8_lossy(&run.stdout).into_owned()
}

fn printed(pdf: &[u8], limit: Duration) -> Option<Result<(), PrintError>> {
    let mut printer = SystemPrinter::new();
    printer.print(pdf.to_vec());
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(outcome) = printer.outcome() {
            assert_eq!(printer.outcome(), None, "told once");
            return Some(outcome);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

#[test]
fn p17d_a_paper_comes_out_of_a_real_printing_system_and_one_that_is_stuck_is_taken_back() {
    let pdf = b"%PDF-1.7 what is printed is what was made \x00\xff".repeat(900);
    match role().as_deref() {
        Some("none") => {
            // A scheduler without any printer.
            assert_eq!(printed(&pdf, Duration::from_secs(20)), Some(Err(PrintError::NoPrinter)));
        }
        Some("prints") => assert_eq!(printed(&pdf, Duration::from_secs(20)), Some(Ok(()))),
        Some("stuck") => {
            let start = Instant::now();
            assert_eq!(printed(&pdf, Duration::from_secs(80)), Some(Err(PrintError::Stuck)));
            assert!(start.elapsed() >= menka::printing::TAKEN_MAX);
        }
        Some("off") => {
            // No scheduler at all; and no such program.
            assert_eq!(printed(&pdf, Duration::from_secs(20)), Some(Err(PrintError::NoService)));
        }
        Some("elsewhere") => {
            assert!(matches!(printed(&pdf, Duration::from_secs(20)), Some(Err(_))));
        }
        Some(other) => panic!("no part {other}"),
        None => {
            let test = "p17d_a_paper_comes_out_of_a_real_printing_system_and_one_that_is_stuck_is_taken_back";
            let folder = tempfile::tempdir().unwrap();
            let nobody = folder.path().join("nobody-listens");
            play(test, "off", &[("CUPS_SERVER", &nobody)]);
            play(test, "off", &[("PATH", &nobody)]);
            // A scheduler on another computer is not asked, whatever the environment says. (A computer with one of its own would print.)
            if !Path::new("/run/cups/cups.sock").exists() {
                let far = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                far.set_nonblocking(true).unwrap();
                let address = PathBuf::from(far.local_addr().unwrap().to_string());
                play(test, "elsewhere", &[("CUPS_SERVER", &address)]);
                assert!(far.accept().is_err(), "a paper must not leave this computer");
            }
            let Some((_service, socket)) = scheduler(folder.path()) else {
                return skip("a CUPS scheduler cannot be started");
            };
            play(test, "none", &[("CUPS_SERVER", &socket)]);
            let paper = folder.path().join("printed.pdf");
            let device = format!("keep:{}", paper.display());
            cups(&socket, "lpadmin", &["-p", "desk", "-E", "-v", &device, "-m", "raw"]);
            // Not the default: the first printer is taken.
            play(test, "prints", &[("CUPS_SERVER", &socket)]);
            assert_eq!(std::fs::read(&paper).unwrap(), pdf, "byte for byte");
            std::fs::remove_file(&paper).unwrap();

            cups(&socket, "cupsdisable", &["desk"]);
            play(test, "stuck", &[("CUPS_SERVER", &socket)]);
            assert_eq!(cups(&socket, "lpstat", &["-W", "not-completed", "-o"]), "", "nothing waits");
            // Switched on later, nothing comes out, and no file of it is left in the spool.
            cups(&socket, "cupsenable", &["desk"]);
            std::thread::sleep(Duration::from_secs(2));
            assert!(!paper.exists());
            let left = std::fs::read_dir(folder.path().join("spool")).unwrap().flatten();
            let papers: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().starts_with('d')).collect();
            assert!(papers.is_empty(), "{papers:?}");
        }
    }
}
