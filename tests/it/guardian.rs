//! Minors, wards and their guardians, and signing on paper, through the whole desk: each band with yes, no and stop; what nobody can press
//! for somebody else; and the birthday on which a consent ends by itself. Real vault, engine child, TLS and gate process.

use std::time::Duration;

use menka::app::command::{Command, ResidentCommand, StaffCommand};
use menka::app::deletion::DeletionCommand;
use menka::app::event::{Event, FaceState, Failure, FieldFault, ResidentScene, StaffEvent};
use menka::app::guardian::{GuardianAct, GuardianScene};
use menka::app::guardian_desk::{GuardianCommand, GuardianEvent};
use menka::app::on_paper::FormCommand;
use menka::app::operators::OperatorsCommand;
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::consent::Signature;
use menka::domain::guardian::{Decider, GuardianError, GuardianRole, ProofSeen, View};
use menka::domain::id::ResidentId;
use menka::domain::notice::Language;
use menka::domain::resident::AgeBand;
use menka::domain::role::LookWhy;
use menka::domain::site::Fact;
use menka::domain::time::Timestamp;
use menka::face::{self, EngineKind};
use menka::ports::Clock;
use menka::practice::drive::Drive;
use menka::practice::site::{GateProcess, PASSPHRASE, facts};
use menka::practice::{PracticeAct, people, practice_card};
use menka::secret::Passphrase;
use menka::vault::Vault;

use super::day::{gate_program, models, pictures};

pub(super) struct Site {
    pub(super) drive: Drive,
    gate: GateProcess,
    pub(super) folder: tempfile::TempDir,
}

const CARD: usize = 0;
const DAY_MS: i64 = 86_400_000;
const BIRTHDAY_IN: i64 = 200;

pub(super) fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    let persons = people(&pictures()).expect("make pictures fetches them");
    let mut drive = Drive::new(folder.path(), engine, persons);
    drive.create();
    drive.add_colleague();
    let gate = GateProcess::start(&gate_program(), &folder.path().join("gate"), 0).unwrap();
    drive.pair(&gate, "东门");
    drive.deliver().unwrap();
    drive.tick();
    drive.controls.act(PracticeAct::Seat(0));
    Site { drive, gate, folder }
}

fn in_days(days: i64) -> Timestamp {
    SystemClock.now().plus_ms(days * DAY_MS)
}

fn by_hand() -> Signature {
    Signature::Strokes(vec![vec![(10, 10), (500, 600)]])
}

/// Somebody is at the staff window at this time, so that it does not lock.
fn awake_at(drive: &mut Drive, now: Timestamp) {
    let _ = drive.desk.handle(Command::Staff(StaffCommand::Operators(OperatorsCommand::Awake)), now);
}

impl Site {
    /// A resident with a card that works, and no open record.
    fn person(&mut self, band: AgeBand) -> ResidentId {
        let next = if band == AgeBand::Adult { String::new() } else { in_days(BIRTHDAY_IN).date().to_string() };
        self.drive.staff(StaffCommand::SaveResident {
            id: None,
            name: "周小雨".into(),
            unit: "9-101".into(),
            age_band: band,
            next_band_on: next,
            ends_on: in_days(900).date().to_string(),
        });
        let id = self.drive.opened.as_ref().expect("the record opens").resident.id;
        self.drive.issue(id, CARD).unwrap();
        self.drive.staff(StaffCommand::CloseResident);
        id
    }

    /// A guardian shows a proof; staff note its kind.
    fn check(&mut self, resident: ResidentId, role: GuardianRole, proof: ProofSeen) {
        let (name, phone) = ("王芳芳".to_owned(), "138 0000 0000".to_owned());
        let shut = self.drive.opened.is_none();
        self.drive.asked = None;
        self.drive.staff(StaffCommand::Guardian(GuardianCommand::Check { resident, name, role, proof, phone }));
        // A minor's record is opened for it, with a second person.
        if self.drive.asked.is_some() {
            self.drive.approve();
            if shut {
                self.drive.staff(StaffCommand::CloseResident);
            }
        }
    }

    fn tap(&mut self) {
        self.drive
            .until("face entry on the idle screen", Duration::from_secs(10), |d| {
                matches!(d.scene, ResidentScene::Idle { face_offered: true, .. })
            })
            .unwrap();
        self.drive.resident(ResidentCommand::AskFace);
        let typed = practice_card(CARD).unwrap().bytes().iter().map(|b| format!("{b:02X}")).collect();
        self.drive.resident(ResidentCommand::WedgeTyped(typed));
    }

    fn tap_failure(&self) -> Option<Failure> {
        match &self.drive.scene {
            ResidentScene::TapCard { failure, .. } => failure.clone(),
            _ => None,
        }
    }

    /// The number of the text that is shown.
    fn shown(&self) -> String {
        match &self.drive.scene {
            ResidentScene::Notice { text, .. } => text.reference.id.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn read(&mut self) {
        self.drive.resident(ResidentCommand::NoticeReachedEnd);
        self.drive.resident(ResidentCommand::GoToConsent);
    }

    fn act(&mut self, act: GuardianAct) {
        self.drive.resident(ResidentCommand::Guardian(act));
    }

    fn page(&self) -> &GuardianScene {
        match &self.drive.scene {
            ResidentScene::Guardian(page) => page,
            other => panic!("{other:?}; {:?}", self.drive.failures),
        }
    }

    fn consent(&mut self, signature: Signature) {
        self.drive.resident(ResidentCommand::Consent { signature });
    }

    /// A person of this band with a guardian who was checked just now, at the first page after the own card tap.
    pub(super) fn begun(&mut self, band: AgeBand, role: GuardianRole, proof: ProofSeen) -> ResidentId {
        let person = self.person(band);
        self.check(person, role, proof);
        self.tap();
        person
    }

    /// The rules are read, and the child or ward answers.
    pub(super) fn heard(&mut self, view: View) {
        self.read();
        self.act(GuardianAct::Heard(view));
    }

    /// From a yes to the idle screen, with the face at the gate.
    pub(super) fn signed_and_done(&mut self) {
        self.consent(by_hand());
        self.enroll();
        self.drive.resident(ResidentCommand::Finish);
    }

    /// A form is asked for, and staff saw it signed.
    fn form_seen(&mut self) {
        self.act(GuardianAct::AskForm);
        self.drive.staff(StaffCommand::Form(FormCommand::Seen));
    }

    fn is_camera_on(&self) -> bool {
        matches!(self.drive.scene, ResidentScene::Camera { .. })
    }

    /// From the camera to the receipt.
    fn enroll(&mut self) {
        assert!(self.is_camera_on(), "{:?} {:?}", self.drive.scene, self.drive.failures);
        let tries = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { .. } | ResidentScene::Ended { .. });
        self.drive.until("the try", Duration::from_secs(60), tries).unwrap();
        self.drive.resident(ResidentCommand::TryGate);
        let done = |d: &Drive| matches!(d.scene, ResidentScene::Done { .. } | ResidentScene::Ended { .. });
        self.drive.until("the receipt", Duration::from_secs(60), done).unwrap();
        assert!(matches!(self.drive.scene, ResidentScene::Done { recognised: true, .. }), "{:?}", self.drive.scene);
    }

    fn receipt(&self) -> String {
        match &self.drive.scene {
            ResidentScene::Done { receipt, .. } => receipt.text.markdown.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// Dark, nothing sealed, nothing held, and the card opens.
    fn assert_nothing_but_the_card(&mut self, resident: ResidentId) {
        assert_eq!(self.drive.previews, 0, "the camera stayed dark");
        assert!(self.drive.tap.lock().unwrap().is_empty(), "nothing was sealed");
        assert_eq!(self.gate.faces().unwrap(), 0);
        assert!(self.gate.opens_for(&practice_card(CARD).unwrap()).unwrap(), "the card works");
        let vault = self.vault();
        assert_eq!(vault.current_consent(resident).unwrap(), None);
        drop(vault);
        self.drive.unlock();
        self.drive.deliver().unwrap();
        self.drive.tick();
    }

    /// Locks the desk and opens its vault beside it.
    pub(super) fn vault(&mut self) -> Vault {
        self.drive.staff(StaffCommand::Lock);
        let passphrase = Passphrase::new(PASSPHRASE.into());
        Vault::unlock(self.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap()
    }

    /// What the log says, one word an event.
    fn log(vault: &Vault) -> Vec<(String, String)> {
        vault.log_records(0, 10_000).unwrap().into_iter().map(|r| (r.what, r.who)).collect()
    }
}

#[test]
fn p31a_under_fourteen_a_guardian_consents_after_the_childs_own_yes() {
    let mut site = site();
    let child = site.begun(AgeBand::Under14, GuardianRole::Mother, ProofSeen::HouseholdBook);
    assert_eq!(site.shown(), "MK-N1-C", "the children's rules, not the adults' notice");
    site.read();
    let GuardianScene::Ask { is_child: true, words } = site.page().clone() else { panic!("{:?}", site.drive.scene) };
    assert!(words.iter().any(|line| line.contains("你不想这样，说“不”就行")), "{words:?}");
    // There is no consent page for the child, and none for the guardian before the child was asked.
    site.consent(by_hand());
    site.drive.resident(ResidentCommand::GoToConsent);
    assert!(matches!(site.page(), GuardianScene::Ask { .. }));

    site.act(GuardianAct::Heard(View::Yes));
    let GuardianScene::Consent { title, preamble, sentence, buttons } = site.page().clone() else {
        panic!("{:?}", site.drive.scene)
    };
    assert_eq!(title, "监护人单独同意");
    assert!(
        preamble[0].starts_with("我是 周小雨 的母亲，是其监护人。") && preamble[0].ends_with("孩子的意见是：愿意。")
    );
    assert!(sentence.starts_with("我单独同意 ") && sentence.contains("只用于为孩子开门"));
    assert_eq!(buttons, ("不同意，孩子只用门禁卡".into(), "同意录入".into()));
    // Nothing signed: the page stays.
    site.consent(Signature::TypedName("  ".into()));
    assert!(matches!(site.page(), GuardianScene::Consent { .. }));
    site.consent(by_hand());
    site.enroll();
    let receipt = site.receipt();
    for words in ["您作为 周小雨 的母亲", "本人的意愿：愿意", "户口簿", "练习员"] {
        assert!(receipt.contains(words), "{words}: {receipt}");
    }
    let pdf = site.folder.path().join("receipt.pdf");
    site.drive.resident(ResidentCommand::SaveReceipt(pdf.clone()));
    assert!(std::fs::read(&pdf).unwrap().starts_with(b"%PDF-"));

    let vault = site.vault();
    let consent = vault.current_consent(child).unwrap().expect("current");
    assert_eq!(vault.consent_given_by(consent.consent).unwrap(), Decider::ChildsGuardian);
    assert_eq!(consent.notice.id, "MK-N1-C");
    assert!(consent.ends_on < in_days(BIRTHDAY_IN).date(), "it ends before the fourteenth birthday");
    let (guardian, statement) = vault.consent_statement(consent.consent).unwrap().expect("a guardian");
    assert_eq!((guardian.name.as_str(), guardian.proof), ("王芳芳", ProofSeen::HouseholdBook));
    assert!(statement.contains("孩子的意见是：愿意") && statement.ends_with(&consent.sentence));
    // The signed record says who, what kind of proof, who looked at it, and that the child said yes; and no name.
    let record = String::from_utf8_lossy(&consent.evidence).into_owned();
    for words in
        ["guardian of a child under fourteen", "mother", "household book", "\"own_view\"", "\"answer\":\"yes\""]
    {
        assert!(record.contains(words), "{words}");
    }
    assert!(record.contains(&vault.operator().0.to_string()) && record.contains(&guardian.id.to_string()));
    for name in ["周小雨", "王芳芳", "138 0000"] {
        assert!(!record.contains(name), "{name} is sealed under the child's key");
    }
    let log = Site::log(&vault);
    let at = |what: &str| log.iter().position(|(w, _)| w == what).unwrap_or_else(|| panic!("{what}: {log:?}"));
    assert!(at("guardian-checked") < at("face-asked") && at("face-asked") < at("view-heard"));
    assert!(at("view-heard") < at("consented") && at("consented") < at("camera-opened"));
    assert_eq!(log[at("consented")].1, format!("guardian:{}", guardian.id));
    assert_eq!(log[at("view-heard")].1, format!("resident:{child}"));
    assert!(vault.audit().unwrap().is_sound(), "the log verifies");
}

// Shows: M1
#[test]
fn m1_the_childs_own_card_and_the_guardians_call_withdraw_at_once_on_the_same_path() {
    let mut site = site();
    let child = site.person(AgeBand::Under14);
    for by_call in [false, true] {
        site.check(child, GuardianRole::Mother, ProofSeen::HouseholdBook);
        site.tap();
        site.read();
        site.act(GuardianAct::Heard(View::Yes));
        site.consent(by_hand());
        site.enroll();
        site.drive.resident(ResidentCommand::Finish);
        assert_eq!(site.gate.faces().unwrap(), 1);
        if by_call {
            // On the telephone: nobody has to come, show anything or give a reason.
            site.drive.staff(StaffCommand::WithdrawFor(child));
        } else {
            // The child alone, with the own card: no guardian is asked.
            site.drive.resident(ResidentCommand::AskWithdraw);
            let typed = practice_card(CARD).unwrap().bytes().iter().map(|b| format!("{b:02X}")).collect();
            site.drive.resident(ResidentCommand::WedgeTyped(typed));
            assert!(matches!(site.drive.scene, ResidentScene::WithdrawConfirm { .. }), "{:?}", site.drive.scene);
            site.drive.resident(ResidentCommand::ConfirmWithdraw);
        }
        for _ in 0..100 {
            site.drive.deliver().unwrap();
            site.drive.tick();
            if site.gate.faces().unwrap() == 0 {
                break;
            }
        }
        assert_eq!(site.gate.faces().unwrap(), 0, "by call: {by_call}");
        assert!(site.gate.opens_for(&practice_card(CARD).unwrap()).unwrap(), "the card works on");
        let paper = site.folder.path().join(format!("certificate-{by_call}.pdf"));
        if !by_call {
            site.drive.resident(ResidentCommand::SaveReceipt(paper.clone()));
        }
        site.drive.resident(ResidentCommand::Back);
        let vault = site.vault();
        assert_eq!(vault.current_consent(child).unwrap(), None);
        assert!(vault.erase_pending(child).unwrap().is_empty());
        let ended: Vec<_> =
            vault.log_records(0, 10_000).unwrap().into_iter().filter(|r| r.what == "consent-ended").collect();
        let last = ended.last().expect("it ended");
        assert_eq!(last.label.as_deref(), Some("withdrawn"), "the same end, with the same certificate");
        assert_eq!(last.who.starts_with("staff:"), by_call, "{}", last.who);
        assert_eq!(vault.certificates_of(vault.endings_of(child).unwrap()[0].consent).unwrap(), [true]);
        let consent = vault.endings_of(child).unwrap()[0].consent;
        drop(vault);
        site.drive.unlock();
        site.drive.deliver().unwrap();
        site.drive.tick();
        if by_call {
            let save = DeletionCommand::SaveCertificate { consent, place: None, path: paper.clone() };
            site.drive.staff(StaffCommand::Deletion(save));
            // A paper about a child takes a second person.
            site.drive.approve();
        }
        // Whose call it was stands on the paper; the child's own card is the child's own act.
        let said = super::deletion::pdf_text(&paper);
        assert_eq!(said.contains("王芳芳，关系母亲"), by_call, "{said}");
    }
}

#[test]
fn m2_the_childs_no_is_final_and_nobody_asks_again_for_a_month() {
    let mut site = site();
    let child = site.begun(AgeBand::Under14, GuardianRole::Father, ProofSeen::BirthCertificate);
    site.heard(View::No);
    assert!(matches!(site.drive.scene, ResidentScene::Refused { .. }));
    // Nothing that a guardian or staff press makes a yes of it.
    site.consent(by_hand());
    site.act(GuardianAct::Heard(View::Yes));
    site.act(GuardianAct::SignInformed { signature: by_hand() });
    assert!(matches!(site.drive.scene, ResidentScene::Refused { .. }));
    site.drive.resident(ResidentCommand::Back);
    site.check(child, GuardianRole::Mother, ProofSeen::HouseholdBook);
    site.tap();
    assert_eq!(site.tap_failure(), Some(Failure::ViewRests), "the other parent does not get another answer");
    site.drive.resident(ResidentCommand::Back);
    site.assert_nothing_but_the_card(child);
    let mut vault = site.vault();
    assert!(vault.refusal_stands(child).unwrap());
    assert!(vault.record_face_asked(child, in_days(29)).is_err(), "it rests");
    assert!(vault.record_face_asked(child, in_days(31)).is_ok(), "then the child may be asked anew");
}

#[test]
fn m3_a_guardians_no_and_a_stop_leave_the_card_and_nothing_else() {
    let mut site = site();
    let child = site.begun(AgeBand::Under14, GuardianRole::Mother, ProofSeen::HouseholdBook);
    site.heard(View::Yes);
    site.drive.resident(ResidentCommand::Refuse);
    assert!(matches!(site.drive.scene, ResidentScene::Refused { .. }));
    site.drive.resident(ResidentCommand::Back);
    // The guardian may come back to it, and the child is asked again first.
    for stop_at in ["rules", "child", "guardian"] {
        site.tap();
        if stop_at != "rules" {
            site.read();
        }
        if stop_at == "guardian" {
            site.act(GuardianAct::Heard(View::Yes));
            assert!(matches!(site.page(), GuardianScene::Consent { .. }));
        }
        site.drive.resident(ResidentCommand::Stop);
        assert!(matches!(site.drive.scene, ResidentScene::Ended { failure: None, may_retry: false }), "{stop_at}");
        site.drive.resident(ResidentCommand::Back);
    }
    site.assert_nothing_but_the_card(child);
    let vault = site.vault();
    let guardian = vault.current_guardian(child).unwrap().expect("checked");
    let refused = Site::log(&vault).into_iter().find(|(what, _)| what == "refused").map(|(_, who)| who);
    assert_eq!(refused, Some(format!("guardian:{}", guardian.id)));
}

#[test]
fn f07a_without_a_guardian_in_person_today_nothing_begins() {
    let mut site = site();
    let child = site.person(AgeBand::Under14);
    site.tap();
    assert_eq!(site.tap_failure(), Some(Failure::GuardianNotChecked));
    site.drive.resident(ResidentCommand::Back);
    // A relation or a proof that does not fit is said beside the field.
    site.check(child, GuardianRole::Spouse, ProofSeen::HouseholdBook);
    assert_eq!(site.drive.failures.pop(), Some(Failure::Field(FieldFault::Guardian(GuardianError::Role))));
    site.check(child, GuardianRole::Mother, ProofSeen::HouseholdBook);
    assert_eq!(site.drive.failures, vec![]);
    // Thirteen hours later the check is over.
    let late = SystemClock.now().plus_ms(13 * 3_600_000);
    let mut last = None;
    let typed: String = practice_card(CARD).unwrap().bytes().iter().map(|b| format!("{b:02X}")).collect();
    for command in [ResidentCommand::AskFace, ResidentCommand::WedgeTyped(typed)] {
        for event in site.drive.desk.handle(Command::Resident(command), late) {
            if let Event::Resident(scene) = event {
                last = Some(scene);
            }
        }
    }
    assert!(
        matches!(&last, Some(ResidentScene::TapCard { failure: Some(Failure::GuardianNotChecked), .. })),
        "{last:?}"
    );
}

// Shows: F07b, NDR21e, M8
#[test]
fn p31b_without_a_named_person_for_childrens_data_a_child_has_a_card_only() {
    let mut site = site();
    let mut without = facts();
    without.set(Fact::ChildOfficerPhone, "");
    site.drive.staff(StaffCommand::SaveFacts(without));
    site.drive.approve();
    let child = site.begun(AgeBand::Under14, GuardianRole::Mother, ProofSeen::HouseholdBook);
    assert_eq!(site.tap_failure(), Some(Failure::ChildrensRulesMissing));
    site.drive.resident(ResidentCommand::Back);
    site.assert_nothing_but_the_card(child);
    // Everybody else is served as before, also those of fourteen.
    site.drive.staff(StaffCommand::OpenResident(child, LookWhy::Here));
    site.drive.approve();
    site.drive.staff(StaffCommand::SaveResident {
        id: Some(child),
        name: "周小雨".into(),
        unit: "9-101".into(),
        age_band: AgeBand::From14To17,
        next_band_on: in_days(BIRTHDAY_IN).date().to_string(),
        ends_on: in_days(900).date().to_string(),
    });
    site.drive.staff(StaffCommand::CloseResident);
    site.tap();
    assert_eq!(site.shown(), "MK-N1");
}

#[test]
fn p31_from_fourteen_the_young_person_decides_and_the_guardian_signs_as_informed() {
    let mut site = site();
    let youth = site.person(AgeBand::From14To17);
    site.tap();
    assert_eq!(site.tap_failure(), Some(Failure::GuardianNotChecked));
    site.drive.resident(ResidentCommand::Back);
    site.check(youth, GuardianRole::Father, ProofSeen::HouseholdBook);
    site.tap();
    assert_eq!(site.shown(), "MK-N1");
    // The guardian can begin nothing: neither an answer nor a signature of theirs stands before the young person's own yes.
    for _ in 0..2 {
        site.act(GuardianAct::Heard(View::Yes));
        site.act(GuardianAct::SignInformed { signature: by_hand() });
        assert_eq!(site.shown(), "MK-N1");
    }
    site.read();
    assert!(matches!(site.drive.scene, ResidentScene::Consent { .. }), "the young person's own page");
    site.act(GuardianAct::SignInformed { signature: by_hand() });
    assert!(matches!(site.drive.scene, ResidentScene::Consent { .. }));
    site.consent(Signature::TypedName("周小雨".into()));
    let GuardianScene::Informed { words, no } = site.page().clone() else { panic!("{:?}", site.drive.scene) };
    assert!(words.starts_with("我是 周小雨 的父亲") && words.contains("由孩子本人决定"), "{words}");
    assert_eq!(no, "不录人脸，只用门禁卡");
    assert_eq!(site.drive.previews, 0, "not before both have signed");
    site.act(GuardianAct::SignInformed { signature: Signature::TypedName(" ".into()) });
    assert!(matches!(site.page(), GuardianScene::Informed { .. }), "nothing was signed");
    site.act(GuardianAct::SignInformed { signature: by_hand() });
    site.enroll();
    assert!(site.receipt().contains("监护人（父亲）已看过告知书并签名知悉；是否录入由您本人决定"));
    let vault = site.vault();
    let consent = vault.current_consent(youth).unwrap().expect("current");
    assert_eq!(vault.consent_given_by(consent.consent).unwrap(), Decider::OwnInformed);
    assert!(vault.consent_signature(consent.consent).unwrap() == Signature::TypedName("周小雨".into()), "the own one");
    let record = String::from_utf8_lossy(&consent.evidence).into_owned();
    assert!(record.contains("own, guardian informed") && record.contains("\"guardian_informed\""));
    assert!(!record.contains("own_view"), "the consent itself is the young person's");
    let consented = Site::log(&vault).into_iter().find(|(what, _)| what == "consented").map(|(_, who)| who);
    assert_eq!(consented, Some(format!("resident:{youth}")));
}

#[test]
fn m2_a_young_persons_no_and_stop_hold_at_every_page() {
    let mut site = site();
    let youth = site.person(AgeBand::From14To17);
    site.check(youth, GuardianRole::Father, ProofSeen::HouseholdBook);
    for (page, end) in [
        ("own", ResidentCommand::Refuse),
        ("own", ResidentCommand::Stop),
        ("informed", ResidentCommand::Refuse),
        ("informed", ResidentCommand::Stop),
    ] {
        site.tap();
        site.read();
        if page == "informed" {
            site.consent(by_hand());
            assert!(matches!(site.page(), GuardianScene::Informed { .. }));
        }
        site.drive.resident(end);
        assert!(matches!(site.drive.scene, ResidentScene::Refused { .. } | ResidentScene::Ended { .. }));
        // The guardian's signature comes too late.
        site.act(GuardianAct::SignInformed { signature: by_hand() });
        assert!(matches!(site.drive.scene, ResidentScene::Refused { .. } | ResidentScene::Ended { .. }));
        site.drive.resident(ResidentCommand::Back);
    }
    site.assert_nothing_but_the_card(youth);
}

#[test]
fn sz20_an_adult_under_guardianship_is_asked_first_and_a_no_is_kept() {
    let mut site = site();
    let ward = site.person(AgeBand::Adult);
    site.check(ward, GuardianRole::Spouse, ProofSeen::CourtDecision);
    let fault = Failure::Field(FieldFault::Guardian(GuardianError::NotNeeded));
    assert_eq!(site.drive.failures.pop(), Some(fault), "an adult decides alone until staff saw that it is otherwise");
    site.drive.staff(StaffCommand::Guardian(GuardianCommand::MarkWard { resident: ward, is_ward: true }));
    site.tap();
    assert_eq!(site.tap_failure(), Some(Failure::GuardianNotChecked));
    site.drive.resident(ResidentCommand::Back);
    site.check(ward, GuardianRole::Spouse, ProofSeen::HouseholdBook);
    assert_eq!(site.drive.failures.pop(), Some(Failure::Field(FieldFault::Guardian(GuardianError::Proof))));
    site.check(ward, GuardianRole::Spouse, ProofSeen::CourtDecision);
    site.tap();
    assert_eq!(site.shown(), "MK-N1");
    site.read();
    let GuardianScene::Ask { is_child: false, words } = site.page().clone() else { panic!("{:?}", site.drive.scene) };
    assert!(words.iter().any(|line| line.contains("您不想这样，说“不”就行")), "{words:?}");
    site.act(GuardianAct::Heard(View::Yes));
    let GuardianScene::Consent { preamble, sentence, .. } = site.page().clone() else { panic!() };
    assert!(preamble[0].contains("依据：法院判决书") && preamble[0].contains("意愿是：愿意"), "{preamble:?}");
    assert!(sentence.starts_with("我单独同意 "));
    site.signed_and_done();
    let vault = site.vault();
    let consent = vault.current_consent(ward).unwrap().expect("current");
    assert_eq!(vault.consent_given_by(consent.consent).unwrap(), Decider::WardsGuardian);
    drop(vault);
    site.drive.unlock();

    // Withdrawn, and asked anew: the no of the ward ends it, with the guardian beside.
    site.drive.staff(StaffCommand::WithdrawFor(ward));
    site.drive.deliver().unwrap();
    site.drive.tick();
    let sealed = site.drive.tap.lock().unwrap().len();
    site.tap();
    site.heard(View::No);
    assert!(matches!(site.drive.scene, ResidentScene::Refused { .. }));
    site.drive.resident(ResidentCommand::Back);
    site.tap();
    assert_eq!(site.tap_failure(), Some(Failure::ViewRests));
    assert_eq!(site.drive.tap.lock().unwrap().len(), sealed);
    assert_eq!(site.gate.faces().unwrap(), 0);
    assert!(site.gate.opens_for(&practice_card(CARD).unwrap()).unwrap());
}

// Shows: N8-19
#[test]
fn m12_on_the_fourteenth_birthday_the_consent_ends_by_itself_and_nobody_is_asked() {
    let mut site = site();
    let child = site.begun(AgeBand::Under14, GuardianRole::Mother, ProofSeen::HouseholdBook);
    site.heard(View::Yes);
    site.signed_and_done();
    assert_eq!(site.gate.faces().unwrap(), 1);
    // The evening before, by a clock that is moved: still there.
    let eve = in_days(BIRTHDAY_IN).date().plus_days(-1).end().plus_ms(-60_000);
    let said = |events: &[Event]| {
        events
            .iter()
            .filter(|e| matches!(e, Event::Resident(scene) if !matches!(scene, ResidentScene::Idle { .. })))
            .count()
    };
    // Day by day, as a desk runs: a clock that jumps so far would be asked about first, and end nothing meanwhile.
    let walk = |site: &mut Site| {
        for day in (9..BIRTHDAY_IN - 1).step_by(9) {
            awake_at(&mut site.drive, in_days(day));
            site.drive.desk.tick(in_days(day));
        }
    };
    walk(&mut site);
    awake_at(&mut site.drive, eve);
    let events = site.drive.desk.tick(eve);
    assert_eq!(said(&events), 0);
    let consents = |site: &mut Site| {
        site.drive.staff(StaffCommand::OpenResident(child, LookWhy::Here));
        site.drive.approve();
        let view = site.drive.opened.clone().expect("open");
        (view.face, view.resident.age_band, view.resident.next_band_on)
    };
    assert!(matches!(consents(&mut site).0, FaceState::Held { .. }));
    site.drive.staff(StaffCommand::CloseResident);
    // The first tick of the birthday.
    let birthday = in_days(BIRTHDAY_IN).date();
    walk(&mut site);
    awake_at(&mut site.drive, eve.plus_ms(120_000));
    let events = site.drive.desk.tick(eve.plus_ms(120_000));
    assert_eq!(said(&events), 0, "the resident window asks nothing");
    let (face, band, next) = consents(&mut site);
    assert!(matches!(&face, FaceState::Erasing { pending } if pending == &["东门"]), "{face:?}");
    assert_eq!((band, next), (AgeBand::From14To17, Some(birthday.plus_years(4))));
    site.drive.staff(StaffCommand::CloseResident);
    site.drive.deliver().unwrap();
    assert_eq!(site.gate.faces().unwrap(), 0, "erased at the gate");
    assert!(site.gate.opens_for(&practice_card(CARD).unwrap()).unwrap(), "the card goes on");
    let vault = site.vault();
    let ended: Vec<_> =
        vault.log_records(0, 10_000).unwrap().into_iter().filter(|r| r.what == "consent-ended").collect();
    assert_eq!(ended.len(), 1);
    assert_eq!((ended[0].label.as_deref(), ended[0].who.as_str()), (Some("next-age-band"), "station"));
}

#[test]
fn p31_a_record_that_is_corrected_to_a_minors_ends_an_adults_consent() {
    let mut site = site();
    let resident = site.person(AgeBand::Adult);
    site.tap();
    site.read();
    site.signed_and_done();
    site.drive.staff(StaffCommand::SaveResident {
        id: Some(resident),
        name: "周小雨".into(),
        unit: "9-101".into(),
        age_band: AgeBand::Under14,
        next_band_on: in_days(BIRTHDAY_IN).date().to_string(),
        ends_on: in_days(900).date().to_string(),
    });
    assert!(matches!(site.drive.opened.as_ref().map(|v| &v.face), Some(FaceState::Erasing { .. })));
    site.drive.deliver().unwrap();
    assert_eq!(site.gate.faces().unwrap(), 0);
    let vault = site.vault();
    assert_eq!(vault.current_consent(resident).unwrap(), None);
}

/// Every staff command that a person could press while somebody decides.
fn all_staff_commands(resident: ResidentId, folder: &std::path::Path) -> Vec<StaffCommand> {
    let check = |role, proof| {
        StaffCommand::Guardian(GuardianCommand::Check {
            resident,
            name: "王芳芳".into(),
            role,
            proof,
            phone: String::new(),
        })
    };
    vec![
        StaffCommand::OpenResident(resident, LookWhy::Here),
        StaffCommand::Find { query: "9-101".into() },
        StaffCommand::ShowGates,
        StaffCommand::Form(FormCommand::Save(folder.join("form.pdf"))),
        StaffCommand::Form(FormCommand::Seen),
        StaffCommand::Guardian(GuardianCommand::ShowFigures { year: None }),
        check(GuardianRole::Mother, ProofSeen::HouseholdBook),
        check(GuardianRole::Other, ProofSeen::CourtDecision),
        StaffCommand::CloseResident,
    ]
}

#[test]
fn j04_staff_can_press_neither_the_childs_nor_the_guardians_nor_the_papers_yes() {
    let mut site = site();
    let folder = site.folder.path().to_owned();
    let child = site.person(AgeBand::Under14);
    site.check(child, GuardianRole::Mother, ProofSeen::HouseholdBook);
    let at = |site: &mut Site, page: &str| {
        site.tap();
        site.read();
        if page != "child" {
            site.act(GuardianAct::Heard(View::Yes));
        }
        if page == "paper" {
            site.act(GuardianAct::AskForm);
        }
    };
    for page in ["child", "guardian", "paper"] {
        at(&mut site, page);
        for command in all_staff_commands(child, &folder) {
            site.drive.staff(command);
            assert!(!site.is_camera_on(), "{page}");
        }
        let told = site.drive.told.join("\n");
        assert!(!told.contains("Camera {") && site.drive.previews == 0, "{page}");
        assert_eq!(site.gate.faces().unwrap(), 0);
        site.drive.resident(ResidentCommand::Stop);
        site.drive.resident(ResidentCommand::Back);
    }
    site.assert_nothing_but_the_card(child);
}

// Shows: F06a
#[test]
fn p29_a_paper_form_replaces_the_signature_and_nothing_else() {
    let mut site = site();
    let resident = site.person(AgeBand::Adult);
    site.tap();
    site.read();
    site.act(GuardianAct::AskForm);
    let GuardianScene::Form { number, seen: false, no } = site.page().clone() else { panic!("{:?}", site.drive.scene) };
    assert_eq!((number.len(), no.as_str()), (8, "不录人脸，只用门禁卡"));
    let told = site.drive.told.join("\n");
    assert!(told.contains(&format!("Form(Some(FormView {{ number: \"{number}\"")), "staff know which form to print");

    // Not seen yet: confirming leads nowhere.
    site.act(GuardianAct::ConfirmForm);
    assert!(matches!(site.page(), GuardianScene::Form { seen: false, .. }));
    let pdf = site.folder.path().join("form.pdf");
    site.drive.staff(StaffCommand::Form(FormCommand::Save(site.folder.path().join("no such").join("x.pdf"))));
    assert!(matches!(site.drive.failures.pop(), Some(Failure::PaperNotWritten(_))));
    site.drive.staff(StaffCommand::Form(FormCommand::Save(pdf.clone())));
    assert!(std::fs::read(&pdf).unwrap().starts_with(b"%PDF-"));
    if let Ok(read) = std::process::Command::new("pdftotext").arg(&pdf).arg("-").output() {
        let read: String = String::from_utf8_lossy(&read.stdout).split_whitespace().collect();
        for words in ["是否录入人脸", "我单独同意", &number, "这张纸只代替屏幕上的签名"] {
            assert!(read.contains(words), "{words}: {read}");
        }
        assert!(!read.contains('〔'), "there is nothing to press on paper");
    }
    site.drive.staff(StaffCommand::Form(FormCommand::Seen));
    assert!(matches!(site.page(), GuardianScene::Form { seen: true, .. }), "staff saw it, and nothing more happened");
    assert_eq!(site.drive.previews, 0);

    // The resident's own act.
    site.act(GuardianAct::ConfirmForm);
    site.enroll();
    site.drive.resident(ResidentCommand::Finish);
    assert!(site.drive.told.join("\n").contains("Form(None)"), "the staff window lets go of the form");
    let vault = site.vault();
    let consent = vault.current_consent(resident).unwrap().expect("current");
    let Signature::Paper(form) = vault.consent_signature(consent.consent).unwrap() else { panic!("not on paper") };
    assert!(form.to_string().to_uppercase().starts_with(&number));
    let row = vault.form(form).unwrap().expect("recorded");
    assert_eq!((row.resident, row.seen, row.consent), (resident, true, Some(consent.consent)));
    assert!(row.body.contains(&consent.sentence), "what was printed is kept byte for byte");
    let record = String::from_utf8_lossy(&consent.evidence).into_owned();
    assert!(record.contains(&format!("signed on paper form {form}, seen by staff")));
    assert!(record.contains("box ticked, Yes pressed"));
    let log = Site::log(&vault);
    assert!(log.iter().any(|(what, who)| what == "form-made" && *who == format!("resident:{resident}")));
    assert!(log.iter().any(|(what, who)| what == "form-seen" && who.starts_with("staff:")));
}

#[test]
fn p29_no_on_the_form_page_and_back_from_it_decide_nothing_by_themselves() {
    let mut site = site();
    let resident = site.person(AgeBand::Adult);
    site.tap();
    site.read();
    site.form_seen();
    site.act(GuardianAct::LeaveForm);
    assert!(matches!(site.drive.scene, ResidentScene::Consent { .. }), "back at the unticked page");
    site.act(GuardianAct::ConfirmForm);
    assert!(matches!(site.drive.scene, ResidentScene::Consent { .. }), "a form that was left is nothing");
    site.act(GuardianAct::AskForm);
    // The other language is another text: it is read first, and the form is gone.
    site.drive.resident(ResidentCommand::Language(Language::English));
    assert!(matches!(site.drive.scene, ResidentScene::Notice { reached_end: false, .. }));
    site.drive.resident(ResidentCommand::Language(Language::Chinese));
    site.drive.resident(ResidentCommand::GoToConsent);
    site.form_seen();
    site.drive.resident(ResidentCommand::Refuse);
    assert!(matches!(site.drive.scene, ResidentScene::Refused { .. }), "no, with the signed form on the table");
    site.drive.resident(ResidentCommand::Back);
    site.assert_nothing_but_the_card(resident);
}

#[test]
fn p29_a_guardian_may_sign_as_informed_on_paper() {
    let mut site = site();
    site.begun(AgeBand::From14To17, GuardianRole::Mother, ProofSeen::HouseholdBook);
    site.read();
    site.consent(by_hand());
    site.act(GuardianAct::AskForm);
    assert!(matches!(site.page(), GuardianScene::Form { .. }));
    site.drive.staff(StaffCommand::Form(FormCommand::Seen));
    site.act(GuardianAct::ConfirmForm);
    assert!(site.is_camera_on(), "{:?} {:?}", site.drive.scene, site.drive.failures);
    site.drive.resident(ResidentCommand::Stop);
}

#[test]
fn m7_the_yearly_figures_count_minors_their_consents_and_the_looks_at_them() {
    let mut site = site();
    let child = site.begun(AgeBand::Under14, GuardianRole::Mother, ProofSeen::HouseholdBook);
    site.heard(View::No);
    site.drive.resident(ResidentCommand::Back);
    for _ in 0..3 {
        site.drive.staff(StaffCommand::OpenResident(child, LookWhy::Here));
        site.drive.approve();
        site.drive.staff(StaffCommand::CloseResident);
    }
    let now = SystemClock.now();
    let show = Command::Staff(StaffCommand::Guardian(GuardianCommand::ShowFigures { year: None }));
    let told = site.drive.desk.handle(show, now).into_iter().find_map(|event| match event {
        Event::Staff(StaffEvent::Guardian(GuardianEvent::Figures { year, figures, report_by })) => {
            Some((year, figures, report_by))
        }
        _ => None,
    });
    let (year, figures, report_by) = told.expect("the figures");
    assert_eq!(year, now.date().year());
    assert_eq!(report_by.to_string(), format!("{}-01-31", year + 1));
    assert_eq!((figures.under_14, figures.under_14_enrolled, figures.from_14_to_17), (1, 0, 0));
    // Noting the guardian's proof opened the record too.
    assert_eq!((figures.said_no, figures.guardians_checked, figures.consents, figures.looks), (1, 1, 0, 4));
}

// Shows: N8-18
#[test]
fn m6_a_minors_record_opens_with_a_second_person_only_and_both_are_logged() {
    let mut site = site();
    let child = site.person(AgeBand::Under14);
    let open = |site: &mut Site| site.drive.staff(StaffCommand::OpenResident(child, LookWhy::Card));
    open(&mut site);
    assert_eq!(site.drive.opened, None, "not before a second person approved");
    // Nor by the card at the staff window, nor by changing what is not open.
    let typed: String = practice_card(CARD).unwrap().bytes().iter().map(|b| format!("{b:02X}")).collect();
    site.drive.staff(StaffCommand::WedgeTyped(typed));
    assert_eq!(site.drive.opened, None);
    site.drive.staff(StaffCommand::SaveResident {
        id: Some(child),
        name: "别人".into(),
        unit: "9-101".into(),
        age_band: AgeBand::Adult,
        next_band_on: String::new(),
        ends_on: in_days(900).date().to_string(),
    });
    assert_eq!(site.drive.opened, None);
    open(&mut site);
    site.drive.approve();
    let view = site.drive.opened.clone().expect("approved");
    assert_eq!((view.resident.id, view.resident.name.as_str()), (child, "周小雨"));
    site.drive.staff(StaffCommand::CloseResident);
    // An approval is good for one look.
    open(&mut site);
    assert_eq!(site.drive.opened, None);
    // The child's own tap on the resident window is no look of staff.
    site.check(child, GuardianRole::Mother, ProofSeen::HouseholdBook);
    site.tap();
    assert_eq!(site.shown(), "MK-N1-C");
    let vault = site.vault();
    let log = vault.log_records(0, 10_000).unwrap();
    let at = |what: &str| log.iter().position(|r| r.what == what).unwrap_or_else(|| panic!("{what}"));
    assert!(at("approved") < at("resident-opened"));
    assert_ne!(log[at("approved")].who, log[at("resident-opened")].who, "two people");
    // One for the look, one for noting the guardian's proof; each with its approval.
    assert_eq!(log.iter().filter(|r| r.what == "resident-opened").count(), 2);
    assert_eq!(log.iter().filter(|r| r.what == "approved").count(), 2);
    assert_eq!(log[at("resident-opened")].label.as_deref(), Some("card"));
}
