//! What remains on paper and in logs.

use std::io::Write;
use std::process::Command as Process;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::event::{Failure, ResidentScene};

use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn a_receipt_is_a_pdf_and_a_record_that_anybody_can_verify_and_the_notice_is_kept_byte_for_byte() {
    let mut site = site(1);
    let resident = site.resident("周", 0);
    site.drive.ask_for_face(0).unwrap();
    let ResidentScene::Notice { text: notice, .. } = site.drive.scene.clone() else { panic!("{:?}", site.drive.scene) };
    site.drive.read_and_consent().unwrap();
    let tries = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { .. });
    site.drive.until("the try", Duration::from_secs(40), tries).unwrap();
    site.drive.resident(ResidentCommand::Finish);

    // Where it cannot be written, it is said, and the page stays.
    site.drive.resident(ResidentCommand::SaveReceipt(site.folder.path().join("no such folder").join("a.pdf")));
    assert!(matches!(site.drive.failures.pop(), Some(Failure::PaperNotWritten(_))));
    let pdf = site.folder.path().join("receipt.pdf");
    site.drive.resident(ResidentCommand::SaveReceipt(pdf.clone()));
    assert!(
        matches!(&site.drive.scene, ResidentScene::Done { saved_to: Some(path), .. } if *path == pdf.display().to_string())
    );
    assert!(std::fs::read(&pdf).unwrap().starts_with(b"%PDF-"));

    let vault = site.vault();
    let key = hex(&vault.evidence_public());
    let cose = pdf.with_extension("cose");
    let verify = |file: &std::path::Path, key: &str| {
        let mut run = Process::new(env!("CARGO_BIN_EXE_menka-verify"));
        run.arg("receipt").arg(file).args(["--key", key]).output().unwrap()
    };
    let said = verify(&cose, &key);
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(said.status.success() && text.starts_with("GENUINE: consent record"), "{text}");
    let consent = vault.current_consent(resident).unwrap().expect("current");
    assert!(text.contains(&consent.consent.to_string()));
    // One changed byte, or another key: not genuine.
    let mut bytes = std::fs::read(&cose).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let forged = site.folder.path().join("forged.cose");
    std::fs::File::create(&forged).unwrap().write_all(&bytes).unwrap();
    assert_eq!(verify(&forged, &key).status.code(), Some(1));
    // The words that were agreed to, from the digest in the consent.
    assert_eq!(consent.notice.sha256, notice.reference.sha256);
    assert_eq!(vault.shown_text(&consent.notice.sha256).unwrap().as_deref(), Some(notice.markdown.as_str()));
    assert!(vault.audit().unwrap().is_sound());

    // What was shown goes home in one file; anybody reads it again, byte for byte.
    let replay = |text: &[&str]| {
        let mut run = Process::new(env!("CARGO_BIN_EXE_menka-verify"));
        run.arg("replay").arg(pdf.with_extension("replay.json")).args(["--key", &key]).args(text).output().unwrap()
    };
    let said = replay(&["--text"]);
    assert!(said.status.success() && said.stdout == notice.markdown.as_bytes());
    let said = String::from_utf8(replay(&["--lang", "zh"]).stdout).unwrap();
    assert!(said.starts_with("真实") && said.contains("练习") && said.contains(&consent.consent.to_string()), "{said}");
}

/// Everything that is logged, at every level.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_name_unit_or_card_digit_is_logged_or_told_beyond_the_staff_screens() {
    let logged = Logged::default();
    let to = logged.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || to.clone())
        .finish();
    // For the whole process: with a subscriber of one thread, what other tests log first decides what is logged at all.
    tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
    let (name, unit, card) = ("欧阳龘静", "7-7707", 3_721);
    let wrong = "thirteen grey geese";
    let told = {
        let mut site = site(2);
        let resident = site.drive.add(name, unit).unwrap();
        site.drive.issue(resident, card).unwrap();
        site.drive.staff(StaffCommand::Find { query: unit.into() });
        site.drive.staff(StaffCommand::CloseResident);
        assert!(site.drive.enroll(card).unwrap());
        // Troubles, which log most.
        site.gates[1].kill();
        site.drive.staff(StaffCommand::WedgeTyped(typed(card)));
        let gates = site.drive.paired();
        site.drive.staff(StaffCommand::IssueCard { resident, uid: uid(card), gates });
        site.drive.staff(StaffCommand::WithdrawFor(resident));
        site.drive.deliver().unwrap();
        site.drive.tick();
        site.drive.staff(StaffCommand::Lock);
        for passphrase in [wrong, menka::practice::site::PASSPHRASE] {
            let passphrase = menka::secret::Passphrase::new(passphrase.into());
            site.drive.staff(StaffCommand::Unlock { account: None, passphrase });
        }
        assert!(!site.drive.is_locked());
        site.drive.close();
        site.drive.told.clone()
    };
    let log = String::from_utf8(logged.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("last accepted frame to acknowledged"), "something is logged at all");
    let digits = typed(card);
    let last4 = &digits[digits.len() - 4..];
    for word in [name, unit, &digits, &digits.to_lowercase(), "本人", wrong, menka::practice::site::PASSPHRASE] {
        assert!(!log.contains(word), "the log holds {word}");
    }
    // Four digits may be part of an id by chance; as a word of their own they are not there.
    let words = || log.split(|c: char| !c.is_alphanumeric());
    assert!(words().all(|w| w != last4), "the log holds the last four digits");

    for text in &told {
        assert!(!text.contains(name) && !text.contains(&digits) && !text.contains(wrong), "{text}");
        // The unit is on the search result of the staff; nowhere else.
        assert!(!text.contains(unit) || text.starts_with("Staff(Found"), "{text}");
        assert!(!text.contains("ConsentGranted") && !text.contains("FaceTemplate"), "{text}");
    }
}
