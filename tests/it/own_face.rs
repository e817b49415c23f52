//! A copy of one's own template, and a new one in place of a bad one, through the whole desk over real gate processes and `menka-verify` as the
//! person runs it at home.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::deletion::DeletionCommand;
use menka::app::event::{Failure, ResidentScene};
use menka::app::rights::{CopyTrouble, OwnFaceAct, OwnFaceScene, RightsAct, RightsScene, RightsTold};
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::id::ResidentId;
use menka::domain::rights::{Clock, RequestKind, RequestLine};
use menka::gate::place::Place;
use menka::gate::reseal::given;
use menka::ports::Clock as _;
use menka::practice::drive::Drive;
use menka::practice::site::PASSPHRASE;
use menka::secret::Passphrase;
use menka::vault::{Vault, VaultError};

use super::deletion::{Site, enrolled};

const PHRASE: &str = "桥下的风吹过三遍";

fn act(drive: &mut Drive, act: OwnFaceAct) {
    drive.resident(ResidentCommand::Rights(RightsAct::OwnFace(act)));
}

/// From any last page to the own page, by the own card.
fn tap_mine(drive: &mut Drive) {
    drive.resident(ResidentCommand::Back);
    drive.resident(ResidentCommand::Rights(RightsAct::AskMine));
    drive.tap_card(0).unwrap();
    assert!(matches!(drive.scene, ResidentScene::Rights(RightsScene::Mine(_))), "{:?}", drive.scene);
}

fn make(drive: &mut Drive, first: &str, again: &str, path: &Path) -> (Option<CopyTrouble>, Option<String>) {
    let (first, again) = (Passphrase::new(first.into()), Passphrase::new(again.into()));
    act(drive, OwnFaceAct::MakeCopy { first, again, path: path.into() });
    match &drive.scene {
        ResidentScene::Rights(RightsScene::OwnFace(OwnFaceScene::Copy { trouble, saved_to })) => {
            (trouble.clone(), saved_to.clone())
        }
        other => panic!("{other:?}"),
    }
}

fn redo(drive: &Drive) -> (Vec<bool>, bool, bool) {
    match &drive.scene {
        ResidentScene::Rights(RightsScene::OwnFace(OwnFaceScene::Redo { gates, confirmed, ready })) => {
            (gates.iter().map(|(_, gone)| *gone).collect(), *confirmed, *ready)
        }
        other => panic!("{other:?}"),
    }
}

fn register(drive: &Drive) -> Vec<RequestLine> {
    let told =
        drive.rights.iter().rev().find_map(|t| if let RightsTold::Register(l) = t { Some(l.clone()) } else { None });
    told.unwrap_or_default()
}

/// `menka-verify template`, with the pass-phrase on standard input.
fn opened(file: &Path, phrase: &str, more: &[&str]) -> Output {
    let mut run = Command::new(env!("CARGO_BIN_EXE_menka-verify"))
        .arg("template")
        .arg(file)
        .args(more)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses before it reads has closed the pipe.
    let _ = run.stdin.take().unwrap().write_all(format!("{phrase}\n").as_bytes());
    run.wait_with_output().unwrap()
}

fn vault(site: &mut Site) -> Vault {
    site.drive.staff(StaffCommand::Lock);
    let passphrase = Passphrase::new(PASSPHRASE.into());
    Vault::unlock(site.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap()
}

fn logged(site: &mut Site, what: &str) -> usize {
    let vault = vault(site);
    let count = vault.log_records(0, 10_000).unwrap().into_iter().filter(|r| r.what == what).count();
    drop(vault);
    site.drive.unlock();
    count
}

fn given_by(site: &Site, gate: usize) -> usize {
    given(&Place::new(&site.gates[gate].folder, None).open_beside(Realm::Practice).unwrap()).unwrap().len()
}

/// The template as it was handed over to a gate, which keeps it turned.
fn numbers(site: &Site, gate: usize) -> Vec<f32> {
    let store = Place::new(&site.gates[gate].folder, None).open_beside(Realm::Practice).unwrap();
    let held = store.holdings().unwrap().faces;
    store.handed_over(&held[0].template).unwrap().unwrap().face.expose().to_vec()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

// Shows: P45a, P10, L2-6
#[test]
fn p45a_a_person_gets_the_own_template_sealed_to_the_own_pass_phrase_and_the_desk_never_sees_it() {
    let (mut site, _) = enrolled(2);
    let stick = tempfile::tempdir().unwrap();
    let file = stick.path().join("menka-my-face.menka");
    // Without the own card and the page that says the risk, nothing happens.
    let (first, again) = (Passphrase::new(PHRASE.into()), Passphrase::new(PHRASE.into()));
    act(&mut site.drive, OwnFaceAct::MakeCopy { first, again, path: file.clone() });
    tap_mine(&mut site.drive);
    let (first, again) = (Passphrase::new(PHRASE.into()), Passphrase::new(PHRASE.into()));
    act(&mut site.drive, OwnFaceAct::MakeCopy { first, again, path: file.clone() });
    assert!(!file.exists(), "the risk was not on screen");

    act(&mut site.drive, OwnFaceAct::AskCopy);
    assert_eq!(make(&mut site.drive, PHRASE, "桥下的风吹过两遍", &file), (Some(CopyTrouble::Differ), None));
    assert_eq!(make(&mut site.drive, "19800101", "19800101", &file), (Some(CopyTrouble::Weak), None));
    assert!(!file.exists());
    assert_eq!((given_by(&site, 0), given_by(&site, 1)), (0, 0), "no gate was asked");
    let nowhere = stick.path().join("no-such-folder/face.menka");
    assert_eq!(make(&mut site.drive, PHRASE, PHRASE, &nowhere).0, Some(CopyTrouble::NotWritten));
    let (trouble, saved) = make(&mut site.drive, PHRASE, PHRASE, &file);
    assert_eq!((trouble, saved), (None, Some(file.display().to_string())));
    assert_eq!((given_by(&site, 0), given_by(&site, 1)), (2, 0), "one gate, and it wrote both down");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
        assert_eq!(mode & 0o077, 0, "for nobody else on this computer");
    }

    // At home: format, dimensions and, on request, the numbers, which are those of the gate.
    let said = opened(&file, PHRASE, &[]);
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    for words in ["yunet-2023mar+sface-2021dec/1", "128", "float32", "PRACTICE"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let said = opened(&file, PHRASE, &["--numbers"]);
    let printed: Vec<f32> = String::from_utf8(said.stdout).unwrap().lines().filter_map(|l| l.parse().ok()).collect();
    assert_eq!(printed, numbers(&site, 0));

    // Wrong pass-phrase, a cut file, a changed file: refused, and said.
    let refused = |path: &Path, phrase: &str, words: &str| {
        let said = opened(path, phrase, &["--numbers"]);
        let why = String::from_utf8(said.stderr).unwrap();
        assert_eq!((said.status.code(), said.stdout.is_empty()), (Some(1), true), "{why}");
        assert!(why.contains(words), "{why}");
    };
    refused(&file, "桥下的风吹过两遍", "pass-phrase");
    let bytes = std::fs::read(&file).unwrap();
    let other = stick.path().join("other.menka");
    std::fs::write(&other, &bytes[..bytes.len() / 2]).unwrap();
    refused(&other, PHRASE, "whole copy");
    let text = String::from_utf8(bytes).unwrap();
    let at = text.find("\"sealed\": \"").unwrap() + 300;
    let mut changed = text.into_bytes();
    changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
    std::fs::write(&other, &changed).unwrap();
    refused(&other, PHRASE, "changed");

    // Nothing of it stays at the desk, and who asked stands in its log.
    let turned_back: Vec<u8> = numbers(&site, 0).iter().flat_map(|v| v.to_le_bytes()).collect();
    let mut faces = site.vectors();
    faces.push(turned_back);
    assert_eq!(logged(&mut site, "template-asked"), 2);
    assert_eq!(logged(&mut site, "template-given"), 1);
    site.drive.staff(StaffCommand::Lock);
    let vault = vault(&mut site);
    let pages = vault.decrypted_pages();
    drop(vault);
    let holds = |bytes: &[u8]| faces.iter().any(|face| bytes.windows(16).any(|window| window == &face[..16]));
    assert!(!holds(&pages));
    for path in files(site.drive.data()) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!holds(&bytes), "{}", path.display());
        let phrase = PHRASE.as_bytes();
        assert!(!bytes.windows(phrase.len()).any(|window| window == phrase), "{}", path.display());
    }
}

#[test]
fn p45a_a_copy_comes_from_a_gate_that_answers_and_from_none_while_the_face_is_stopped_or_gone() {
    let (mut site, resident) = enrolled(2);
    let stick = tempfile::tempdir().unwrap();
    let file = stick.path().join("face.menka");
    let ask = |site: &mut Site| {
        tap_mine(&mut site.drive);
        act(&mut site.drive, OwnFaceAct::AskCopy);
        make(&mut site.drive, PHRASE, PHRASE, &file)
    };
    let away = site.gates[0].address.clone();
    site.gates[0].kill();
    assert_eq!(ask(&mut site).0, None, "the other gate has it too");
    assert_eq!(given_by(&site, 1), 1);
    assert!(opened(&file, PHRASE, &[]).status.success());
    std::fs::remove_file(&file).unwrap();
    let second = site.gates[1].address.clone();
    site.gates[1].kill();
    let (trouble, _) = ask(&mut site);
    assert!(matches!(trouble, Some(CopyTrouble::Away(ref names)) if names.len() == 2), "{trouble:?}");
    site.gates[0].restart(&away).unwrap();
    site.gates[1].restart(&second).unwrap();

    site.drive.resident(ResidentCommand::Back);
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::PauseFor(resident)));
    site.deliver_until("both to pause", Duration::from_secs(20), |s| {
        s.drive.gates.iter().all(|gate| gate.reachable) && s.drive.deliver().unwrap() == 0
    });
    assert_eq!(ask(&mut site).0, Some(CopyTrouble::Stopped));
    site.drive.resident(ResidentCommand::Back);
    site.drive.staff(StaffCommand::WithdrawFor(resident));
    assert_eq!(ask(&mut site).0, Some(CopyTrouble::NoFace), "the consent has ended, whatever a gate still holds");
    assert!(!file.exists());
}

// Shows: P46
#[test]
fn p46_a_bad_template_goes_first_everywhere_and_only_then_a_new_one_may_come() {
    let (mut site, resident) = enrolled(2);
    let before = numbers(&site, 0);
    let address = site.gates[1].address.clone();
    site.gates[1].kill();
    tap_mine(&mut site.drive);
    act(&mut site.drive, OwnFaceAct::AskRedo);
    assert_eq!(redo(&site.drive), (vec![false, false], false, false), "what will go is named first");
    act(&mut site.drive, OwnFaceAct::BeginRedo);
    assert!(!redo(&site.drive).1, "nothing new before the old one went");
    act(&mut site.drive, OwnFaceAct::ConfirmRedo);
    let asked = register(&site.drive);
    assert_eq!(asked.iter().map(|line| line.kind).collect::<Vec<_>>(), [RequestKind::Redo], "registered, with a clock");
    assert!(matches!(asked[0].clock, Clock::Running { .. }));
    // The gate that answers has erased; the other is named and waited for.
    site.deliver_until("the first gate", Duration::from_secs(20), |s| redo(&s.drive).0.iter().any(|gone| *gone));
    assert_eq!(site.gates[0].faces().unwrap(), 0);
    assert_eq!(redo(&site.drive), (vec![true, false], true, false));
    act(&mut site.drive, OwnFaceAct::BeginRedo);
    assert_eq!(redo(&site.drive), (vec![true, false], true, false), "refused while one gate has not signed");
    // Nor by the other door, nor below the windows.
    site.drive.resident(ResidentCommand::Back);
    let offered = |d: &Drive| matches!(d.scene, ResidentScene::Idle { face_offered: true, .. });
    site.drive.until("the idle screen", Duration::from_secs(20), offered).unwrap();
    site.drive.resident(ResidentCommand::AskFace);
    site.drive.tap_card(0).unwrap();
    let refused = matches!(&site.drive.scene, ResidentScene::TapCard { failure: Some(Failure::OldFaceThere), .. });
    assert!(refused, "{:?}", site.drive.scene);
    assert!(below_the_windows(&mut site, resident), "the vault refuses a consent too");

    site.gates[1].restart(&address).unwrap();
    site.deliver_until("the second gate", Duration::from_secs(30), |s| s.gates[1].faces().unwrap() == 0);
    site.deliver_until("the request to be done", Duration::from_secs(20), |s| register(&s.drive).is_empty());
    tap_mine(&mut site.drive);
    act(&mut site.drive, OwnFaceAct::AskRedo);
    site.deliver_until("the desk to be ready", Duration::from_secs(20), |s| redo(&s.drive).2);
    assert_eq!(redo(&site.drive), (vec![true, true], true, true));
    // The ordinary path: the full notice, a separate consent, a new capture, a new number.
    act(&mut site.drive, OwnFaceAct::BeginRedo);
    assert!(matches!(&site.drive.scene, ResidentScene::Notice { .. }), "{:?}", site.drive.scene);
    site.drive.read_and_consent().unwrap();
    site.drive
        .until("the try", Duration::from_secs(60), |d| {
            matches!(d.scene, ResidentScene::TryGate { .. } | ResidentScene::Ended { .. })
        })
        .unwrap();
    site.drive.resident(ResidentCommand::TryGate);
    let done = |d: &Drive| matches!(d.scene, ResidentScene::Done { .. } | ResidentScene::Ended { .. });
    site.drive.until("the receipt", Duration::from_secs(60), done).unwrap();
    assert!(matches!(site.drive.scene, ResidentScene::Done { recognised: true, .. }), "{:?}", site.drive.scene);
    assert_eq!(site.gates.iter_mut().map(|gate| gate.faces().unwrap()).collect::<Vec<_>>(), [1, 1]);
    assert_ne!(numbers(&site, 0), before, "made anew");
    let vault = vault(&mut site);
    let ended = vault.endings_of(resident).unwrap();
    let (old, new) = (vault.consent(ended[0].consent).unwrap(), vault.current_consent(resident).unwrap().unwrap());
    assert_ne!(old.template, new.template);
    assert!(new.signed_at > ended[0].ended_at, "a separate consent, after the end of the old one");
    let records: Vec<String> = vault.log_records(0, 10_000).unwrap().into_iter().map(|r| r.what).collect();
    let last = |what: &str| records.iter().rposition(|w| w == what).unwrap_or_else(|| panic!("{what}"));
    assert!(last("face-erased") < last("camera-opened"), "first the old one, then the camera");
    assert!(last("request-done") < last("consented"));
    assert!(vault.audit().unwrap().is_sound());
}

/// A consent for this person that goes past every window.
fn below_the_windows(site: &mut Site, resident: ResidentId) -> bool {
    let mut vault = vault(site);
    let refused = matches!(site_consent(&mut vault, resident), Err(VaultError::OldFaceThere));
    drop(vault);
    site.drive.unlock();
    refused
}

fn site_consent(vault: &mut Vault, resident: ResidentId) -> Result<(), VaultError> {
    use menka::domain::consent::{ConsentDraft, Signature};
    use menka::domain::id::{ConsentId, ShowingId, TemplateId};
    use menka::domain::notice::{Language, NoticeRef, NoticeShown};
    use menka::domain::resident::AgeBand;
    use menka::evidence::consent::{ConsentFacts, consent_json};
    use sha2::Digest;
    let now = SystemClock.now();
    let text = "# 告知书\n";
    let notice = NoticeRef {
        id: "MK-N1".into(),
        version: "1.0".into(),
        language: Language::Chinese,
        sha256: sha2::Sha256::digest(text.as_bytes()).into(),
    };
    let id = ShowingId::from_bytes(menka::secret::random_bytes());
    let shown = NoticeShown { id, resident, notice, opened_at: now, reached_end_at: Some(now) };
    vault.record_showing(&shown, text, now)?;
    let ends_on = now.date().plus_days(10);
    let gates = vault.gates()?.into_iter().map(|gate| gate.id).collect();
    let signature = Signature::TypedName("欧阳暖暖".into());
    let draft =
        ConsentDraft::new(&shown, resident, AgeBand::Adult, "我单独同意".into(), gates, ends_on, signature, now)
            .expect("a draft that is whole");
    let (consent, template) =
        (ConsentId::from_bytes(menka::secret::random_bytes()), TemplateId::from_bytes(menka::secret::random_bytes()));
    let facts = vault.facts()?;
    let about =
        ConsentFacts { consent, template, draft: &draft, facts: &facts, site: vault.site(), realm: vault.realm() };
    vault.record_consent(&draft, consent, template, &consent_json(&about), now).map(|_granted| ())
}
