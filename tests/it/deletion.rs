//! Endings over real gate processes: withdrawal with gates away, a backup put back, pausing, fewer doors, stopping all faces, a lost
//! acknowledgement, a clock that jumped.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use crate::templates;
use menka::app::command::{Command, ResidentCommand, StaffCommand};
use menka::app::deletion::{DeletionCommand, DeletionEvent, DoorChange, DoorState};
use menka::app::event::{Event, FaceState, Failure, ResidentScene, StaffEvent};
use menka::app::keep::KeepCommand;
use menka::app::operators::{OperatorsCommand, OperatorsFailure};
use menka::app::program_log::{FILE, FILE_BEFORE, LEN_MAX, ProgramLog};
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::id::ResidentId;
use menka::domain::role::LookWhy;
use menka::evidence::certificate::{self, Keys};
use menka::face::{self, EngineKind};
use menka::gate::place::Place;
use menka::ports::Clock;
use menka::practice::drive::Drive;
use menka::practice::site::{GateProcess, PASSPHRASE};
use menka::practice::{PracticeAct, people, practice_card};
use menka::secret::Passphrase;
use menka::vault::Vault;

use super::day::{gate_program, models, pictures};
use super::keep;

pub const NAME: &str = "欧阳暖暖";
pub const UNIT: &str = "9-1909";

pub struct Site {
    pub drive: Drive,
    pub gates: Vec<GateProcess>,
    pub folder: tempfile::TempDir,
}

pub fn drive_in(folder: &Path) -> Drive {
    let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    Drive::new(folder, engine, people(&pictures()).expect("make pictures fetches them"))
}

/// A desk with gates, and a resident whose face all of them know.
pub fn enrolled(count: usize) -> (Site, ResidentId) {
    let (mut site, resident) = with_card(count);
    assert!(site.drive.enroll(0).unwrap(), "{:?}", site.drive.failures);
    assert!(site.gates.iter_mut().all(|gate| gate.faces().unwrap() == 1));
    (site, resident)
}

pub fn with_card(count: usize) -> (Site, ResidentId) {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    drive.create();
    // Each gate makes its store at a cost of its own: all at once.
    let gates: Vec<GateProcess> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..count)
            .map(|n| {
                let data = folder.path().join(format!("gate{n}"));
                scope.spawn(move || GateProcess::start(&gate_program(), &data, n).unwrap())
            })
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    for (n, gate) in gates.iter().enumerate() {
        drive.pair(gate, &name_of(n));
    }
    drive.deliver().unwrap();
    drive.tick();
    assert_eq!(drive.failures, vec![]);
    let resident = drive.add(NAME, UNIT).unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    drive.controls.act(PracticeAct::Seat(0));
    (Site { drive, gates, folder }, resident)
}

pub fn name_of(n: usize) -> String {
    format!("{}号门", n + 1)
}

impl Site {
    /// Rounds of the courier until something holds.
    pub fn deliver_until(&mut self, what: &str, limit: Duration, holds: impl Fn(&mut Self) -> bool) {
        let start = Instant::now();
        loop {
            self.drive.deliver().unwrap();
            self.drive.tick();
            if holds(self) {
                return;
            }
            assert!(start.elapsed() < limit, "waited in vain for {what}: {:?}", self.drive.failures);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// From the idle screen to the page that asks.
    pub fn ask_withdraw(&mut self) {
        self.drive.resident(ResidentCommand::AskWithdraw);
        self.drive.tap_card(0).unwrap();
        assert!(matches!(self.drive.scene, ResidentScene::WithdrawConfirm { .. }), "{:?}", self.drive.scene);
    }

    /// Whether a gate's own camera knows the person. On a busy machine its engine may need more than one look.
    pub fn knows(&mut self, gate: usize) -> bool {
        for _ in 0..5 {
            match self.gates[gate].ask("look 0").unwrap().as_str() {
                "recognised" => return true,
                "unknown" => return false,
                busy => assert_eq!(busy, "Engine(Restarted)"),
            }
        }
        panic!("the engine of gate {gate} does not come up");
    }

    /// Templates that gates hold, as bytes: as they were handed over, once, and as each gate keeps them.
    pub fn vectors(&self) -> Vec<Vec<u8>> {
        let mut vectors = templates::handed_over(&self.drive, &self.gates[0].folder);
        for gate in &self.gates {
            vectors.extend(templates::kept(&gate.folder));
        }
        vectors
    }

    pub fn key(&mut self) -> Keys {
        self.drive.staff(StaffCommand::Lock);
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let vault = Vault::unlock(self.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap();
        let keys = Keys { station: vault.evidence_public(), ..Keys::default() };
        drop(vault);
        self.drive.unlock();
        keys
    }

    pub fn paper(&self, name: &str) -> PathBuf {
        self.folder.path().join("papers").join(name)
    }
}

pub fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

/// Whether every page of a PDF is an upright A4 sheet (ISO 216: 210 x 297 mm, to half a millimetre).
fn is_a4(path: &Path) -> bool {
    let read = std::process::Command::new("pdfinfo").args(["-f", "1", "-l", "99"]).arg(path).output().unwrap();
    let told = String::from_utf8(read.stdout).unwrap();
    let sizes: Vec<Vec<f64>> = told
        .lines()
        .filter_map(|line| line.strip_prefix("Page").filter(|line| line.contains(" size:")))
        .map(|line| line.split_whitespace().filter_map(|word| word.parse().ok()).collect())
        .collect();
    let points = |mm: f64| mm / 25.4 * 72.0;
    // Behind the page's number, where there is one.
    let fits = |size: &Vec<f64>| {
        let Some([width, height]) = size.last_chunk::<2>() else { return false };
        (width - points(210.0)).abs() < 1.5 && (height - points(297.0)).abs() < 1.5
    };
    !sizes.is_empty() && sizes.iter().all(fits)
}

/// The words of a PDF without any space. Poppler is on the machines that test.
pub fn pdf_text(path: &Path) -> String {
    let read = std::process::Command::new("pdftotext").args(["-raw"]).arg(path).arg("-").output().unwrap();
    String::from_utf8(read.stdout).unwrap().chars().filter(|c| !c.is_whitespace()).collect()
}

/// What the QR codes on the pages of a PDF say.
fn qr_codes(path: &Path) -> Vec<String> {
    let pages = path.with_extension("pages");
    std::fs::create_dir(&pages).unwrap();
    let drawn =
        std::process::Command::new("pdftoppm").args(["-r", "110", "-png"]).arg(path).arg(pages.join("p")).status();
    assert!(drawn.unwrap().success());
    let mut said = vec![];
    for page in files(&pages) {
        let scan = std::process::Command::new("zbarimg").args(["-q", "--raw"]).arg(&page).output().unwrap();
        said.extend(String::from_utf8(scan.stdout).unwrap().lines().map(str::to_owned));
    }
    said
}

/// Nothing of the person at any gate, and nothing of the face at the desk: as the files lie on the disk, and under their encryption with
/// free pages and journals.
fn search(site: &mut Site, vectors: &[Vec<u8>]) {
    for n in 0..site.gates.len() {
        let folder = site.gates[n].folder.clone();
        let pages = Place::new(&folder, None).open_beside(Realm::Practice).unwrap().decrypted_pages();
        assert!(holds(&pages, b"practice"), "the search finds what is there");
        for vector in vectors {
            assert!(!holds(&pages, &vector[..16]) && !holds(&pages, &vector[496..]), "gate {n} holds the template");
        }
        for word in [NAME, UNIT] {
            assert!(!holds(&pages, word.as_bytes()), "gate {n} holds {word}");
        }
    }
    site.drive.staff(StaffCommand::Lock);
    let passphrase = Passphrase::new(PASSPHRASE.into());
    let vault = Vault::unlock(site.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap();
    let pages = vault.decrypted_pages();
    assert!(holds(&pages, "人脸识别门禁告知书".as_bytes()), "the search finds what is there");
    assert!(vault.check_no_face().unwrap().is_clean());
    drop(vault);
    for vector in vectors {
        assert!(!holds(&pages, &vector[..16]), "the vault holds the template");
    }
    for file in files(site.folder.path()).into_iter().filter(|f| !f.starts_with(site.folder.path().join("papers"))) {
        let bytes = std::fs::read(&file).unwrap();
        for vector in vectors {
            assert!(!holds(&bytes, &vector[..16]), "{} holds the template", file.display());
        }
        for word in [NAME, UNIT] {
            assert!(!holds(&bytes, word.as_bytes()), "{} holds {word}", file.display());
        }
    }
    site.drive.unlock();
}

/// A gate's write-ahead log: the salts in its header (drawn anew each time it begins), and whether every frame in it carries them. Nothing of an
/// empty or absent one.
fn log_of(gate: &GateProcess) -> Option<([u8; 8], bool)> {
    let bytes = std::fs::read(gate.folder.join("gate.db-wal")).unwrap_or_default();
    let salts: [u8; 8] = bytes.get(16..24)?.try_into().unwrap();
    let page = u32::from_be_bytes(bytes[8..12].try_into().unwrap()) as usize;
    // The last frame may be on its way: the gate lives.
    let whole = bytes[32..].chunks_exact(24 + page).all(|frame| frame[8..16] == salts);
    Some((salts, whole))
}

/// The log was cut to nothing since `before`, as the gate promises before it signs for an erasure: it is empty, or holds only what the gate wrote
/// after that (heads and notes that it keeps for the desk). No frame is left from the time in which a template was in it.
fn log_was_cut(gate: &GateProcess, before: Option<[u8; 8]>) {
    match log_of(gate) {
        None => {}
        Some((salts, whole)) => {
            assert_ne!(Some(salts), before, "{}: the log was not cut", gate.folder.display());
            assert!(whole, "{}: frames from before are left", gate.folder.display());
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn p47b_ten_gates_three_away_seven_erase_at_once_and_the_supplement_comes_by_itself() {
    let begun = Instant::now();
    let (mut site, resident) = enrolled(10);
    // One capture, sealed to each gate, and turned by each in its own way.
    let vectors = site.vectors();
    assert_eq!(vectors.len(), 1 + 10);
    std::fs::create_dir(site.folder.path().join("papers")).unwrap();
    let keys = site.key();
    // A backup of the desk from before.
    site.drive.staff(StaffCommand::Lock);
    let backup = site.folder.path().join("backup");
    copy(site.drive.data(), &backup);
    site.drive.unlock();
    site.deliver_until("all gates", Duration::from_secs(20), |s| {
        s.drive.gates.iter().filter(|g| g.reachable).count() == 10
    });
    println!("ten gates, one person enrolled: {:.1?}", begun.elapsed());
    full_log(&site);

    let away = [2usize, 5, 8];
    let addresses: Vec<String> = away.iter().map(|n| site.gates[*n].address.clone()).collect();
    away.iter().for_each(|n| site.gates[*n].kill());
    // Each gate's log from the time in which it holds the face. (Empty where it was cut a moment ago, for a note that it keeps.)
    let logs: Vec<Option<[u8; 8]>> = site.gates.iter().map(|gate| log_of(gate).map(|log| log.0)).collect();
    site.ask_withdraw();
    let asked = Instant::now();
    site.drive.resident(ResidentCommand::ConfirmWithdraw);
    site.deliver_until(
        "seven signatures",
        Duration::from_secs(20),
        |s| matches!(&s.drive.scene, ResidentScene::Withdrawn { erased, .. } if erased.len() == 7),
    );
    let seconds = asked.elapsed().as_secs_f64();
    println!("seven of ten gates erased, signed and read back after {seconds:.2} s");
    for (n, (gate, before)) in site.gates.iter().zip(&logs).enumerate() {
        if away.contains(&n) {
            assert_eq!(log_of(gate).map(|log| log.0), *before, "gate {n} was not there");
        } else {
            log_was_cut(gate, *before);
        }
    }
    assert!(seconds < 10.0, "{seconds} s");
    let ResidentScene::Withdrawn { pending, stops_at, .. } = &site.drive.scene else {
        panic!("{:?}", site.drive.scene)
    };
    assert_eq!(pending, &away.map(name_of), "the three are named");
    assert!(stops_at.iter().all(|at| at.is_some_and(|at| at > SystemClock.now())), "with the end of their lease");

    // On the resident window, before it is done: partly, never "done".
    let part = site.paper("part.pdf");
    site.drive.resident(ResidentCommand::SaveReceipt(part.clone()));
    assert!(
        matches!(&site.drive.scene, ResidentScene::Withdrawn { saved_to: Some(_), .. }),
        "{:?} {:?}",
        site.drive.scene,
        site.drive.failures
    );
    assert!(std::fs::read(&part).unwrap().starts_with(b"%PDF-"));
    let read = |path: &Path| certificate::verify(&std::fs::read(path.with_extension("json")).unwrap(), &keys);
    let checked = read(&part).unwrap();
    // The code on the paper is of this very statement and the desk's key.
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(part.with_extension("json")).unwrap()).unwrap();
    let statement = super::vault::deletion::unhex(file["statement"].as_str().unwrap());
    let digest: [u8; 32] =
        sha2::Digest::finalize(sha2::Digest::chain_update(<sha2::Sha256 as sha2::Digest>::new(), &statement)).into();
    let upper = |bytes: &[u8]| menka::evidence::hex(bytes).to_uppercase();
    assert_eq!(qr_codes(&part), [format!("MENKA1:{}:{}", upper(&digest), upper(&keys.station))]);
    if let Ok(folder) = std::env::var("MENKA_SHOTS") {
        std::fs::copy(&part, Path::new(&folder).join("certificate-part.pdf")).unwrap();
    }
    assert_eq!((checked.erased.len(), checked.pending.len()), (7, 3));
    assert!(is_a4(&part), "printed as it is, on any printer here");
    let text = pdf_text(&part);
    for word in
        [NAME, UNIT, "3号门", "自动停止人脸功能", "〔—〕全部完成", "〔✓〕部分完成", "10号门", "检查结果未发现（查看"]
    {
        assert!(text.contains(word), "{word} is missing in {text}");
    }
    site.drive.resident(ResidentCommand::Back);

    // Brought back one by one: erased by itself, and not "done" before the last.
    for (n, address) in away.iter().zip(&addresses) {
        site.gates[*n].restart(address).unwrap();
        let n = *n;
        site.deliver_until("the erasure", Duration::from_secs(30), |s| s.gates[n].faces().unwrap() == 0);
        site.deliver_until("its signature", Duration::from_secs(30), |s| {
            s.drive.gates.iter().any(|gate| gate.name == name_of(n) && gate.reachable && gate.pending == 0)
        });
        log_was_cut(&site.gates[n], logs[n]);
        site.drive.staff(StaffCommand::Lock);
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let vault = Vault::unlock(site.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap();
        let made = vault.certificates_of(vault.endings_of(resident).unwrap()[0].consent).unwrap();
        drop(vault);
        site.drive.unlock();
        assert_eq!(made.contains(&true), n == 8, "a complete one with the last gate only: {made:?}");
    }
    for gate in &mut site.gates {
        assert_eq!(gate.faces().unwrap(), 0);
        assert!(gate.opens_for(&practice_card(0).unwrap()).unwrap(), "the card is not touched");
    }
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Request));
    assert_eq!(site.drive.opened.as_ref().map(|v| v.face.clone()), Some(FaceState::None));
    let told = site.drive.told.join("\n");
    assert!(told.contains("supplement_waits: true"), "staff are told of the supplement");
    site.drive.staff(StaffCommand::CloseResident);

    let whole = site.paper("whole.pdf");
    let consent = {
        site.drive.staff(StaffCommand::Lock);
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let vault = Vault::unlock(site.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap();
        let consent = vault.endings_of(resident).unwrap()[0].consent;
        assert_eq!(vault.certificates_of(consent).unwrap(), [false, true], "made by itself");
        consent
    };
    site.drive.unlock();
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::SaveCertificate {
        consent,
        place: None,
        path: whole.clone(),
    }));
    let checked = read(&whole).unwrap();
    assert!(checked.is_complete() && checked.supplement_of.is_some(), "{checked:?}");
    assert_eq!(checked.erased.len(), 10);
    assert!(is_a4(&whole));
    let text = pdf_text(&whole);
    assert!(text.contains("检查结果未发现（查看"), "{text}");
    // By the program that a stranger has: whole, and with the receipt of one gate taken out.
    let json = whole.with_extension("json");
    let run = super::vault::deletion::verifier(&json, &keys, "en");
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success() && said.contains("COMPLETE") && said.contains(&name_of(8)), "{said}");
    let mut short: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    short["receipts"].as_array_mut().unwrap().remove(8);
    let path = site.paper("short.json");
    std::fs::write(&path, serde_json::to_vec(&short).unwrap()).unwrap();
    let run = super::vault::deletion::verifier(&path, &keys, "en");
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.code() == Some(1) && said.contains("step 5") && said.contains("号门"), "{said}");
    // The desk that saw it all, and its journals, before anything is put back.
    search(&mut site, &vectors);

    // The backup from before is put back: the desk believes that ten gates hold the face, asks them, and ends it. No face comes back.
    site.drive.staff(StaffCommand::Lock);
    for file in std::fs::read_dir(site.drive.data()).unwrap().flatten() {
        std::fs::remove_file(file.path()).unwrap();
    }
    copy(&backup, site.drive.data());
    std::fs::remove_dir_all(&backup).unwrap();
    site.drive.unlock();
    site.deliver_until("the comparison", Duration::from_secs(30), |s| {
        s.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Request));
        s.drive.opened.as_ref().is_some_and(|v| v.face == FaceState::None)
    });
    assert!(site.gates.iter_mut().all(|gate| gate.faces().unwrap() == 0));
    assert!(site.drive.told.join("\n").contains("found-erased"));
    search(&mut site, &vectors);
    assert!(!site.knows(0) && !site.knows(8));
    println!("the whole test: {:.1?}", begun.elapsed());
}

/// The desk's log in the vault's folder, where the desk of a real site writes it, full and begun anew once.
pub fn full_log(site: &Site) {
    let mut log = ProgramLog::open(site.drive.data()).unwrap();
    (0..=LEN_MAX / 1_000).for_each(|_| log.write_all(&[b'x'; 1_000]).unwrap());
    assert!(site.drive.data().join(FILE).exists() && site.drive.data().join(FILE_BEFORE).exists());
}

/// The last word on what keeps face entry off.
fn log_is_doubted(drive: &Drive) -> bool {
    let last = drive.told.iter().rev().find(|told| told.starts_with("Staff(Desk("));
    last.is_some_and(|told| told.contains("LogNotWhole"))
}

#[test]
fn n8_14_ten_gates_three_away_the_desk_is_lost_restored_from_a_backup_and_no_face_comes_back() {
    let (mut site, resident) = enrolled(10);
    let vectors = site.vectors();
    std::fs::create_dir(site.folder.path().join("papers")).unwrap();
    site.deliver_until("all gates", Duration::from_secs(20), |s| {
        s.drive.gates.iter().filter(|g| g.reachable).count() == 10
    });
    let key = keep::backup_key(&mut site.drive);
    // As on a stick: outside of the desk.
    let backup = keep::back_up(&mut site.drive, &site.folder.path().join("papers/stick"));

    let away = [2usize, 5, 8];
    let addresses: Vec<String> = away.iter().map(|n| site.gates[*n].address.clone()).collect();
    away.iter().for_each(|n| site.gates[*n].kill());
    site.ask_withdraw();
    site.drive.resident(ResidentCommand::ConfirmWithdraw);
    site.deliver_until(
        "seven signatures",
        Duration::from_secs(20),
        |s| matches!(&s.drive.scene, ResidentScene::Withdrawn { erased, .. } if erased.len() == 7),
    );
    // The person goes home with what is done by now.
    let part = site.paper("part.pdf");
    site.drive.resident(ResidentCommand::SaveReceipt(part.clone()));
    site.drive.resident(ResidentCommand::Back);
    site.drive.deliver().unwrap();
    let keys = site.key();
    let read = |path: &Path| certificate::verify(&std::fs::read(path.with_extension("json")).unwrap(), &keys).unwrap();
    let in_hand = read(&part);
    assert_eq!((in_hand.erased.len(), in_hand.pending.len()), (7, 3));
    // As on any day: a while passes, and with their next health the gates that are there get the note which knows of that paper.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(12) {
        site.drive.deliver().unwrap();
        site.drive.tick();
        std::thread::sleep(Duration::from_millis(200));
    }

    // The disk is lost. The backup, which knows of no withdrawal, is all there is.
    site.drive.staff(StaffCommand::Lock);
    std::fs::remove_dir_all(site.drive.data()).unwrap();
    site.drive.restore(&backup, &key);
    let report = keep::restored(&site.drive);
    assert!(report.sound && report.people == 1 && report.faces == 1, "{report:?}");
    assert_eq!(report.gates, 7, "seven gave their half");
    assert!(report.lost.is_some(), "and said how much of the log they have seen");
    // What the backup held is there now: the face was in force when it was made, and no template came with it.
    let passphrase = Passphrase::new(PASSPHRASE.into());
    let vault = Vault::unlock(site.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap();
    let pages = vault.decrypted_pages();
    assert!(holds(&pages, "人脸识别门禁告知书".as_bytes()), "the search finds what is there");
    assert!(vectors.iter().all(|vector| !holds(&pages, &vector[..16]) && !holds(&pages, &vector[496..])));
    drop(vault);
    site.drive.unlock();
    let face = |s: &mut Site| {
        s.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Request));
        s.drive.opened.as_ref().map(|view| view.face.clone())
    };
    let shown = face(&mut site);
    assert!(!matches!(shown, Some(FaceState::Held { .. })), "not for a moment: {shown:?}");
    site.drive.staff(StaffCommand::CloseResident);

    // The three that were away hold it still, and do not keep it.
    for (n, address) in away.iter().zip(&addresses) {
        site.gates[*n].restart(address).unwrap();
        let n = *n;
        site.deliver_until("the erasure", Duration::from_secs(30), |s| s.gates[n].faces().unwrap() == 0);
    }
    for gate in &mut site.gates {
        assert_eq!(gate.faces().unwrap(), 0);
        assert!(gate.opens_for(&practice_card(0).unwrap()).unwrap(), "the card is not touched");
    }
    search(&mut site, &vectors);
    assert!(!site.knows(0) && !site.knows(8));
    site.deliver_until("gates that take the restored log", Duration::from_secs(20), |s| !log_is_doubted(&s.drive));

    // The paper that was saved before the loss gets its supplement: all ten have signed, for the day and the reason of then.
    site.drive.staff(StaffCommand::Lock);
    let consent = {
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let vault = Vault::unlock(site.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap();
        let ended = vault.endings_of(resident).unwrap().remove(0);
        assert_eq!((ended.reason.as_str(), &ended.pending[..], ended.supplement_waits), ("withdrawn", &[][..], true));
        ended.consent
    };
    site.drive.unlock();
    let whole = site.paper("whole.pdf");
    let save = DeletionCommand::SaveCertificate { consent, place: None, path: whole.clone() };
    site.drive.staff(StaffCommand::Deletion(save));
    let keys = site.key();
    let last = certificate::verify(&std::fs::read(whole.with_extension("json")).unwrap(), &keys).unwrap();
    assert!(last.is_complete() && last.erased.len() == 10 && last.reason == "withdrawn", "{last:?}");
    assert_eq!(last.supplement_of, Some(in_hand.certificate), "of the very paper in the person's hand");

    site.deliver_until("face entry to be offered", Duration::from_secs(60), |s| {
        matches!(s.drive.scene, ResidentScene::Idle { face_offered: true, .. })
    });
    // Life goes on: the person consents anew, under a new number.
    assert!(site.drive.enroll(0).unwrap(), "{:?}", site.drive.failures);
    assert!(site.gates.iter_mut().all(|gate| gate.faces().unwrap() == 1));
    // And the drill tells the same of the old backup.
    site.drive.staff(StaffCommand::Keep(KeepCommand::Drill(backup, key)));
    let drilled = keep::restored(&site.drive);
    assert!(drilled.sound && drilled.faces == 1, "{drilled:?}");
}

#[test]
fn p44_a_pause_since_the_backup_is_lifted_by_the_person_only_after_the_desk_was_lost() {
    let (mut site, _) = enrolled(2);
    let key = keep::backup_key(&mut site.drive);
    let backup = keep::back_up(&mut site.drive, &site.folder.path().join("papers/stick"));
    assert!(site.knows(0) && site.knows(1));
    let all = |state: DoorState| move |s: &mut Site| matches!(&s.drive.scene, ResidentScene::Doors(v) if v.doors.iter().all(|d| d.state == state));
    // The second gate is away when the person pauses.
    let address = site.gates[1].address.clone();
    site.gates[1].kill();
    site.ask_withdraw();
    site.drive.resident(ResidentCommand::AskDoors);
    site.drive.resident(ResidentCommand::ChangeDoors(DoorChange::Pause));
    site.deliver_until("the pause at the first", Duration::from_secs(10), |s| !s.knows(0));
    site.drive.resident(ResidentCommand::Back);
    site.drive.deliver().unwrap();

    site.drive.staff(StaffCommand::Lock);
    std::fs::remove_dir_all(site.drive.data()).unwrap();
    site.drive.restore(&backup, &key);
    let report = keep::restored(&site.drive);
    assert!(report.sound && report.resting == 1 && report.faces == 0, "{report:?}");
    site.drive.unlock();
    site.gates[1].restart(&address).unwrap();
    site.ask_withdraw();
    site.drive.resident(ResidentCommand::AskDoors);
    site.deliver_until("the pause at both", Duration::from_secs(30), all(DoorState::Paused));
    // After a restore all faces rest until people take them up; the person's own pause stays.
    assert!(report.stopped);
    assert_eq!(site.gates[0].ask("look 0").unwrap(), "FacesOff(Stopped)");
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::ResumeFaces(None)));
    site.deliver_until("what is resumed", Duration::from_secs(30), |s| s.drive.gates.iter().all(|g| g.pending == 0));
    for _ in 0..5 {
        site.drive.deliver().unwrap();
        assert!(!site.knows(0) && !site.knows(1), "no machine takes it up again");
    }
    site.drive.resident(ResidentCommand::ChangeDoors(DoorChange::Resume));
    site.deliver_until("the resumption", Duration::from_secs(30), all(DoorState::Open));
    assert!(site.knows(0) && site.knows(1));
}

#[test]
fn p44_a_pause_and_a_dropped_door_take_effect_at_the_gates_at_once() {
    let (mut site, resident) = enrolled(2);
    assert!(site.knows(0) && site.knows(1));
    site.ask_withdraw();
    site.drive.resident(ResidentCommand::AskDoors);
    site.drive.resident(ResidentCommand::ChangeDoors(DoorChange::Pause));
    let all = |state: DoorState| move |s: &mut Site| matches!(&s.drive.scene, ResidentScene::Doors(v) if v.doors.iter().all(|d| d.state == state));
    site.deliver_until("the pause", Duration::from_secs(10), all(DoorState::Paused));
    assert!(!site.knows(0) && !site.knows(1));
    assert!(site.gates.iter_mut().all(|gate| gate.faces().unwrap() == 1), "kept");
    assert!(site.gates[0].opens_for(&practice_card(0).unwrap()).unwrap());
    site.drive.resident(ResidentCommand::ChangeDoors(DoorChange::Resume));
    site.deliver_until("the resumption", Duration::from_secs(10), all(DoorState::Open));
    assert!(site.knows(0) && site.knows(1));

    let ResidentScene::Doors(view) = &site.drive.scene else { panic!("{:?}", site.drive.scene) };
    let first = view.doors[0].gate;
    let at = site.drive.gates.iter().position(|g| g.id == first).unwrap();
    let named = site.drive.gates[at].name.clone();
    let n = (0..2).find(|n| name_of(*n) == named).unwrap();
    site.drive.resident(ResidentCommand::ChangeDoors(DoorChange::Drop(first)));
    site.deliver_until("the erasure at one door", Duration::from_secs(10), move |s| s.gates[n].faces().unwrap() == 0);
    assert!(!site.knows(n));
    assert!(site.knows(1 - n), "the other door is as it was");
    site.drive.resident(ResidentCommand::Back);

    // By staff, on the person's request: the same way.
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Request));
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::PauseFor(resident)));
    site.drive.deliver().unwrap();
    assert!(!site.knows(1 - n));
}

// Shows: P19
#[test]
fn p19_a_gate_that_was_away_when_the_face_was_withdrawn_never_knows_it_again() {
    let (mut site, resident) = enrolled(1);
    assert!(site.knows(0));
    let address = site.gates[0].address.clone();
    site.gates[0].kill();
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Request));
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::PauseFor(resident)));
    // Until the next try of the order lies further ahead than the next question for the gate's health.
    let away = Instant::now();
    while away.elapsed() < Duration::from_secs(18) {
        site.drive.deliver().unwrap();
        site.drive.tick();
        std::thread::sleep(Duration::from_millis(200));
    }
    site.gates[0].restart(&address).unwrap();
    let back = Instant::now();
    let mut heard = false;
    while back.elapsed() < Duration::from_secs(12) {
        site.drive.deliver().unwrap();
        site.drive.tick();
        match site.gates[0].ask("look 0").unwrap().as_str() {
            "recognised" => panic!("it opens for a face that was stopped, {:?} after it came back", back.elapsed()),
            "unknown" => heard = true,
            _ => {}
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(heard, "the gate heard its station again");
}

// Shows: J09
#[test]
fn p51_5_stopping_all_faces_binds_at_every_gate_and_cards_go_on() {
    let (mut site, _) = enrolled(2);
    let asked = Instant::now();
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::StopFaces(None)));
    assert!(matches!(&site.drive.scene, ResidentScene::Idle { face_offered: false, .. }), "{:?}", site.drive.scene);
    site.drive.deliver().unwrap();
    println!("all faces stopped at two gates after {:.2?}", asked.elapsed());
    assert!(asked.elapsed() < Duration::from_secs(60), "within the minute (J09)");
    for gate in &mut site.gates {
        assert_eq!(gate.ask("look 0").unwrap(), "FacesOff(Stopped)", "the gate looks at nobody");
        assert!(gate.opens_for(&practice_card(0).unwrap()).unwrap());
        assert_eq!(gate.faces().unwrap(), 1, "kept");
    }
    // It stays so over a restart of the gate, until somebody resumes it.
    let address = site.gates[0].address.clone();
    site.gates[0].restart(&address).unwrap();
    assert_eq!(site.gates[0].ask("look 0").unwrap(), "FacesOff(Stopped)");
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::ResumeFaces(None)));
    site.deliver_until("the resumption", Duration::from_secs(15), |s| {
        matches!(&s.drive.scene, ResidentScene::Idle { face_offered: true, .. })
            && s.drive.gates.iter().all(|g| g.reachable && g.pending == 0)
    });
    assert!(site.knows(0) && site.knows(1));
}

/// Stands between desk and gate. While `swallow` is above zero, what the gate answers on a connection is lost, and the connection with it.
fn lossy(gate: &str, swallow: Arc<AtomicI32>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let gate = gate.to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(&gate) else { continue };
            let (mut up_from, mut up_to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut up_from, &mut up_to);
                let _ = up_to.shutdown(Shutdown::Both);
            });
            let swallow = Arc::clone(&swallow);
            let (mut from, mut to) = (server, client);
            std::thread::spawn(move || {
                let mut bytes = [0u8; 16_384];
                while let Ok(count) = from.read(&mut bytes) {
                    if count == 0 || swallow.load(Ordering::SeqCst) > 0 {
                        swallow.fetch_sub(1, Ordering::SeqCst);
                        break;
                    }
                    if to.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(Shutdown::Both);
                let _ = from.shutdown(Shutdown::Both);
            });
        }
    });
    address
}

#[test]
fn a_lost_acknowledgement_is_asked_for_again_and_the_face_is_stored_once() {
    for lost in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let mut drive = drive_in(folder.path());
        drive.create();
        let mut gate = GateProcess::start(&gate_program(), &folder.path().join("gate0"), 0).unwrap();
        let swallow = Arc::new(AtomicI32::new(0));
        gate.address = lossy(&gate.address, Arc::clone(&swallow));
        drive.pair(&gate, "东门");
        drive.deliver().unwrap();
        drive.tick();
        let resident = drive.add(NAME, UNIT).unwrap();
        drive.issue(resident, 0).unwrap();
        drive.staff(StaffCommand::CloseResident);
        drive.controls.act(PracticeAct::Seat(0));
        drive.ask_for_face(0).unwrap();
        drive.read_and_consent().unwrap();
        let working = |d: &Drive| matches!(d.scene, ResidentScene::Working { .. });
        drive.until("the hand-over", Duration::from_secs(40), working).unwrap();
        // The gate stores and signs; the answer is lost, once on the way, and once more with the new connection.
        swallow.store(lost, Ordering::SeqCst);
        drive.until("the try", Duration::from_secs(20), |d| !matches!(d.scene, ResidentScene::Working { .. })).unwrap();
        assert!(matches!(drive.scene, ResidentScene::TryGate { .. }), "{:?} {:?}", drive.scene, drive.failures);
        assert!(swallow.load(Ordering::SeqCst) <= 0, "an answer was lost");
        assert_eq!(drive.failures, vec![], "nothing ended in a refusal");
        assert_eq!(gate.faces().unwrap(), 1);
        drive.resident(ResidentCommand::TryGate);
        let done = |d: &Drive| matches!(d.scene, ResidentScene::Done { .. } | ResidentScene::Ended { .. });
        drive.until("the gate's answer", Duration::from_secs(40), done).unwrap();
        assert!(matches!(drive.scene, ResidentScene::Done { recognised: true, .. }), "{:?}", drive.scene);
    }
}

#[test]
fn p19_a_clock_far_ahead_ends_nothing_until_staff_confirm_the_date() {
    let (mut site, resident) = enrolled(1);
    // After the face's last day, before the operator's training is a year old.
    let far = SystemClock.now().plus_ms(330 * 86_400_000);
    // While it runs, and at an unlock, twice over: the second wrong unlock is no more believed than the first.
    let asked = |events: &[Event]| {
        events.iter().any(|e| matches!(e, Event::Staff(StaffEvent::Deletion(DeletionEvent::ClockAhead { .. }))))
    };
    let events = site.drive.desk.tick(far);
    assert!(asked(&events), "{events:?}");
    for _ in 0..2 {
        site.drive.staff(StaffCommand::Lock);
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let events = site.drive.desk.handle(Command::Staff(StaffCommand::Unlock { account: None, passphrase }), far);
        assert!(asked(&events), "{events:?}");
        site.drive.desk.tick(far.plus_ms(86_400_000));
    }
    // Put right: nothing is asked, nothing ended.
    site.drive.staff(StaffCommand::Lock);
    site.drive.unlock();
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Request));
    assert!(matches!(site.drive.opened.as_ref().unwrap().face, FaceState::Held { .. }));
    // Confirmed: what is due ends, and the gate erases.
    let awake = Command::Staff(StaffCommand::Operators(OperatorsCommand::Awake));
    site.drive.desk.handle(awake, far);
    site.drive.desk.tick(far);
    let confirm = Command::Staff(StaffCommand::Deletion(DeletionCommand::ConfirmDate));
    site.drive.desk.handle(confirm, far);
    site.deliver_until("the erasure", Duration::from_secs(10), |s| s.gates[0].faces().unwrap() == 0);
}

#[test]
fn n8_12_a_renewal_takes_two_people_and_no_face_and_names_the_gate_that_is_away() {
    let (mut site, _) = enrolled(2);
    let before = site.vectors();
    let renew = |site: &mut Site| {
        site.drive.staff(StaffCommand::Deletion(DeletionCommand::RenewTemplates));
    };
    renew(&mut site);
    assert_eq!(site.drive.failures.split_off(0), [Failure::Operators(OperatorsFailure::NobodyToApprove)]);
    site.drive.add_colleague();

    let address = site.gates[1].address.clone();
    site.gates[1].kill();
    renew(&mut site);
    assert_eq!(site.vectors(), before, "it waits for the second person");
    site.drive.approve();
    let told = |site: &Site, done: Vec<String>, left: Vec<String>| {
        let event = format!("{:?}", DeletionEvent::Renewed { done, left });
        site.drive.told.iter().rev().find(|told| told.contains("Renewed")).is_some_and(|told| told.contains(&event))
    };
    assert!(told(&site, vec![name_of(0)], vec![name_of(1)]));
    let after = site.vectors();
    assert_eq!(before[0], after[0], "what was handed over is what it was");
    assert_ne!(before[1], after[1], "the gate that signed keeps it under a new transform");
    assert_eq!(before[2], after[2]);
    assert!(site.knows(0), "nobody enrolled again");

    site.gates[1].restart(&address).unwrap();
    site.deliver_until("the gate that was away", Duration::from_secs(30), |s| {
        s.drive.gates.iter().filter(|g| g.reachable).count() == 2
    });
    renew(&mut site);
    site.drive.approve();
    assert!(told(&site, vec![name_of(0), name_of(1)], vec![]));
    assert!(site.knows(0) && site.knows(1));
    assert_eq!(site.drive.failures, vec![]);
}
