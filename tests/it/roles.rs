//! Every command of the staff window against every role: the table as it is meant, beside the one in the code.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use menka::app::boards::BoardsCommand as B;
use menka::app::command::StaffCommand as C;
use menka::app::deletion::{Closing, DeletionCommand as D};
use menka::app::duties::{DutiesCommand, DutyPaper, IncidentCommand as I, SiteEndCommand as X};
use menka::app::evidence::EvidenceCommand as E;
use menka::app::guardian_desk::GuardianCommand;
use menka::app::keep::{KeepCommand as K, RestoreBy};
use menka::app::notice::{NoticeCommand as N, Paper};
use menka::app::on_paper::FormCommand;
use menka::app::operators::OperatorsCommand as O;
use menka::app::pairing::{GateWords, PairingCommand as P};
use menka::app::posture::PostureCommand;
use menka::app::relay::RelayCommand;
use menka::app::rights::RightsCommand as R;
use menka::app::roles::{Access, row};
use menka::domain::board::{CardFormat, DoorNumber};
use menka::domain::card::CardUid;
use menka::domain::guardian::{GuardianRole, ProofSeen};
use menka::domain::id::{ConsentId, GateId, ResidentId, ShowingId, StaffId};
use menka::domain::incident::Channel;
use menka::domain::notice::Language;
use menka::domain::posture::CameraSeen;
use menka::domain::resident::AgeBand;
use menka::domain::rights::{Came, Identity, RefusalWords, RequestKind, RequestNo};
use menka::domain::role::{JoinWhy, LookWhy, Role};
use menka::domain::site::SiteFacts;
use menka::domain::time::CivilDate;
use menka::secret::{PairingCode, Passphrase, Typed};

/// Who may: `Door` is anybody at the keyboard, `Own` these roles also without training on record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum May {
    Door,
    Own(&'static [Role]),
    Only(&'static [Role]),
}

const FRONT: Role = Role::FrontDesk;
const CHIEF: Role = Role::Supervisor;
const TECH: Role = Role::Technician;
const AUDIT: Role = Role::Auditor;

const ALL: &[Role] = &[FRONT, CHIEF, TECH, AUDIT];

/// What the samples are about when a test gives them to a real desk.
#[derive(Clone)]
pub struct About {
    pub resident: ResidentId,
    pub request: RequestNo,
    pub consent: ConsentId,
    pub showing: ShowingId,
    /// Every sample that writes a file writes it here.
    pub folder: PathBuf,
}

thread_local! {
    static ABOUT: RefCell<Option<About>> = const { RefCell::new(None) };
}

/// The samples, about somebody who is there.
pub fn rows_about(about: About) -> Vec<(C, May)> {
    ABOUT.set(Some(about));
    let rows = rows();
    ABOUT.set(None);
    rows
}

fn about<T>(of: impl FnOnce(&About) -> T) -> Option<T> {
    ABOUT.with_borrow(|about| about.as_ref().map(of))
}

fn somebody() -> ResidentId {
    about(|it| it.resident).unwrap_or(ResidentId::from_bytes([9; 16]))
}

fn some_gate() -> GateId {
    GateId::from_bytes([8; 16])
}

fn some_showing() -> ShowingId {
    about(|it| it.showing).unwrap_or(ShowingId::from_bytes([7; 16]))
}

fn some_consent() -> ConsentId {
    about(|it| it.consent).unwrap_or(ConsentId::from_bytes([7; 16]))
}

fn some_card() -> CardUid {
    CardUid::from_wedge("04A1B2C3").unwrap()
}

fn close(why: Closing) -> C {
    C::Deletion(D::CloseRecord { resident: somebody(), why })
}

fn some_request() -> RequestNo {
    about(|it| it.request).unwrap_or(RequestNo::new(7, CivilDate::from_epoch_days(20_000)))
}

fn some_account() -> StaffId {
    StaffId::from_bytes([7; 16])
}

fn nowhere() -> PathBuf {
    about(|it| it.folder.join("paper.pdf")).unwrap_or("/nonexistent/paper.pdf".into())
}

fn secret() -> Passphrase {
    Passphrase::new("long enough, and wrong".into())
}

/// Pattern, sample, name, who. The patterns make an exhaustive match, so a command without a sample does not compile.
macro_rules! table {
    ($($pattern:pat => $sample:expr, $name:literal, $may:expr;)*) => {
        /// The place of a command in the table.
        #[allow(unused_assignments)]
        fn place(command: &C) -> usize {
            let mut at = 0;
            $(
                if matches!(command, $pattern) {
                    return at;
                }
                at += 1;
            )*
            at
        }

        /// Compiles only while every command has a row above.
        fn name(command: &C) -> &'static str {
            match command {
                $($pattern => $name,)*
            }
        }

        /// One sample a command.
        pub fn rows() -> Vec<(C, May)> {
            vec![$(($sample, $may),)*]
        }
    };
}

table! {
    C::CreateVault { .. } => C::CreateVault { operator: "x".into(), passphrase: secret(), facts: SiteFacts::default() },
        "create-vault", May::Door;
    C::Unlock { .. } => C::Unlock { account: None, passphrase: secret() }, "unlock", May::Door;
    C::Shut => C::Shut, "shut", May::Door;
    C::Lock => C::Lock, "lock", May::Door;
    C::Find { .. } => C::Find { query: "3-1201".into() }, "find", May::Only(&[FRONT, CHIEF]);
    C::OpenResident(..) => C::OpenResident(somebody(), LookWhy::Here), "open-resident", May::Only(&[FRONT, CHIEF]);
    C::CloseResident => C::CloseResident, "close-resident", May::Only(&[FRONT, CHIEF]);
    C::SaveResident { .. } => C::SaveResident {
        id: about(|it| it.resident),
        name: "王小明".into(),
        unit: "3-1201".into(),
        age_band: AgeBand::Adult,
        next_band_on: String::new(),
        ends_on: "2027-06-30".into(),
    }, "save-resident", May::Only(&[FRONT, CHIEF]);
    C::WedgeTyped(_) => C::WedgeTyped("04A1B2C3".into()), "wedge-typed", May::Only(&[FRONT, CHIEF]);
    C::IssueCard { .. } => C::IssueCard { resident: somebody(), uid: some_card(), gates: vec![some_gate()] },
        "issue-card", May::Only(&[FRONT, CHIEF]);
    C::SaveFacts(_) => C::SaveFacts(SiteFacts::default()), "save-facts", May::Only(&[CHIEF]);
    C::Pairing(P::Look) => C::Pairing(P::Look), "look-for-gates", May::Only(&[CHIEF]);
    C::Pairing(P::LeaveNetwork(_)) => C::Pairing(P::LeaveNetwork("eth9".into())), "leave-network", May::Only(&[CHIEF]);
    C::Pairing(P::ChooseLan(_)) => C::Pairing(P::ChooseLan("127.0.0.1".into())), "choose-lan", May::Only(&[CHIEF]);
    C::Pairing(P::Pair { .. }) => C::Pairing(P::Pair {
        words: GateWords { name: "东门".into(), ..GateWords::default() },
        address: "127.0.0.1:9".into(),
        code: PairingCode::parse("12345678"),
    }), "pair-gate", May::Only(&[CHIEF]);
    C::Pairing(P::Repair(_)) => C::Pairing(P::Repair(some_gate())), "repair-gate", May::Only(&[CHIEF]);
    C::TestCardWay(_) => C::TestCardWay(some_gate()), "test-card-way", May::Only(&[FRONT, CHIEF]);
    C::ShowGates => C::ShowGates, "show-gates", May::Only(&[FRONT, CHIEF, TECH]);
    C::StopFace => C::StopFace, "stop-face", May::Own(ALL);
    C::WithdrawFor(_) => C::WithdrawFor(somebody()), "withdraw-for", May::Only(&[FRONT, CHIEF]);
    C::WithdrawAtScreen(_) => C::WithdrawAtScreen(somebody()), "withdraw-at-screen", May::Only(&[FRONT, CHIEF]);
    C::Deletion(D::PauseFor(_)) => C::Deletion(D::PauseFor(somebody())), "pause-for", May::Only(&[FRONT, CHIEF]);
    C::Deletion(D::ResumeFor(_)) => C::Deletion(D::ResumeFor(somebody())), "resume-for", May::Only(&[FRONT, CHIEF]);
    C::Deletion(D::DropDoorFor { .. }) => C::Deletion(D::DropDoorFor { resident: somebody(), gate: some_gate() }),
        "drop-door-for", May::Only(&[FRONT, CHIEF]);
    C::Deletion(D::CloseRecord { why: Closing::Unlawful, .. }) => close(Closing::Unlawful),
        "close-record-unlawful", May::Only(&[CHIEF]);
    C::Deletion(D::CloseRecord { .. }) => close(Closing::MovedOut), "close-record", May::Only(&[FRONT, CHIEF]);
    C::Deletion(D::SaveCertificate { .. }) => C::Deletion(D::SaveCertificate {
        consent: some_consent(),
        place: None,
        path: nowhere(),
    }), "save-certificate", May::Only(&[FRONT, CHIEF]);
    C::Deletion(D::StopFaces(_)) => C::Deletion(D::StopFaces(None)), "stop-faces", May::Only(&[FRONT, CHIEF, TECH]);
    C::Deletion(D::ResumeFaces(_)) => C::Deletion(D::ResumeFaces(None)), "resume-faces", May::Only(&[CHIEF]);
    C::Deletion(D::RenewTemplates) => C::Deletion(D::RenewTemplates), "change-gate-transform", May::Only(&[CHIEF]);
    C::Deletion(D::RetireGate(_)) => C::Deletion(D::RetireGate(some_gate())), "retire-gate", May::Only(&[CHIEF]);
    C::Deletion(D::MeetFormer { .. }) => C::Deletion(D::MeetFormer {
        gate: some_gate(),
        address: "192.168.1.9:7443".into(),
    }), "meet-former-gate", May::Only(&[FRONT, CHIEF, TECH]);
    C::Deletion(D::SwitchedOff { .. }) => C::Deletion(D::SwitchedOff {
        gate: some_gate(),
        at: "2026-11-22 10:30".into(),
        by: "保安".into(),
    }), "switched-off", May::Only(&[FRONT, CHIEF, TECH]);
    C::Deletion(D::Show) => C::Deletion(D::Show), "show-deletions", May::Only(&[FRONT, CHIEF, TECH, AUDIT]);
    C::Deletion(D::RunRetention) => C::Deletion(D::RunRetention), "run-retention", May::Only(&[FRONT, CHIEF]);
    C::Deletion(D::ConfirmDate) => C::Deletion(D::ConfirmDate), "confirm-date", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::Show) => C::Rights(R::Show), "requests", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::Receive { .. }) => C::Rights(R::Receive {
        resident: Some(somebody()),
        kind: RequestKind::See,
        came: Came::Phone,
        identity: Identity::NotAsked,
        asker: String::new(),
        words: String::new(),
    }), "receive-request", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::Open(_)) => C::Rights(R::Open(some_request())), "open-request", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::Grant(_)) => C::Rights(R::Grant(some_request())), "grant-request", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::Finish { .. }) => C::Rights(R::Finish { no: some_request(), answer: "x".into() }),
        "finish-request", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::Refuse { .. }) => C::Rights(R::Refuse { no: some_request(), words: RefusalWords::default() }),
        "refuse-request", May::Only(&[CHIEF]);
    C::Rights(R::SaveLetter { .. }) => C::Rights(R::SaveLetter { no: some_request(), path: nowhere() }),
        "save-letter", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::SeeAll(_)) => C::Rights(R::SeeAll(somebody())), "see-everything-held", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::SavePaper { .. }) => C::Rights(R::SavePaper { resident: somebody(), path: nowhere() }),
        "save-everything-held", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::SaveCopy { .. }) => C::Rights(R::SaveCopy { resident: somebody(), path: nowhere() }),
        "save-electronic-copy", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::SaveGuardianPaper { .. }) =>
        C::Rights(R::SaveGuardianPaper { resident: somebody(), path: nowhere() }),
        "save-guardian-sheet", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::SaveExplanations(_)) => C::Rights(R::SaveExplanations(nowhere())),
        "save-explanations", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::Explained(_)) => C::Rights(R::Explained(somebody())), "note-explained", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::RefuseFace { .. }) => C::Rights(R::RefuseFace {
        resident: somebody(),
        came: Came::Phone,
        identity: Identity::DocumentSeen,
    }), "note-face-refused", May::Only(&[FRONT, CHIEF]);
    C::Rights(R::Died { .. }) => C::Rights(R::Died { resident: somebody(), kin: "x".into(), relation: "x".into() }),
        "note-death", May::Only(&[FRONT, CHIEF]);
    C::Notice(N::SaveFactsAnyway(_)) => C::Notice(N::SaveFactsAnyway(SiteFacts::default())), "save-facts-anyway",
        May::Only(&[CHIEF]);
    C::Notice(N::RegisterAssessment(_)) => C::Notice(N::RegisterAssessment(Box::default())), "register-assessment",
        May::Only(&[CHIEF]);
    C::Notice(N::EnterIncident(_)) => C::Notice(N::EnterIncident("2026-11-22".into())), "enter-incident",
        May::Only(&[CHIEF]);
    C::Notice(N::EnterEntrusted { .. }) => C::Notice(N::EnterEntrusted {
        fields: Default::default(),
        begins_on: String::new(),
        ends_on: String::new(),
    }), "enter-entrusted", May::Only(&[CHIEF]);
    C::Notice(N::EndEntrusted(_)) => C::Notice(N::EndEntrusted(1)), "end-entrusted", May::Only(&[CHIEF]);
    C::Notice(N::LoadSiteFile(_)) => C::Notice(N::LoadSiteFile(nowhere())), "load-site-file", May::Only(&[CHIEF]);
    C::Notice(N::SignPosted { .. }) => C::Notice(N::SignPosted { gate: None, posted_on: String::new() }),
        "sign-posted", May::Only(&[FRONT, CHIEF]);
    C::Notice(N::TellOnPaper(_)) => C::Notice(N::TellOnPaper(somebody())), "tell-on-paper", May::Only(&[FRONT, CHIEF]);
    C::Notice(N::Save { paper: Paper::ChangeSheet(_) | Paper::OtherWaysFor(_), .. }) => C::Notice(N::Save {
        paper: Paper::OtherWaysFor(somebody()),
        language: Language::Chinese,
        path: nowhere(),
    }), "save-own-paper", May::Only(&[FRONT, CHIEF]);
    C::Notice(N::Save {
        paper: Paper::Sign(_) | Paper::OtherWays | Paper::Assessment | Paper::EntrustedEnd(_) | Paper::SiteFile,
        ..
    }) => C::Notice(N::Save {
        paper: Paper::OtherWays,
        language: Language::Chinese,
        path: nowhere(),
    }), "save-public-paper", May::Only(&[FRONT, CHIEF, TECH, AUDIT]);
    C::Evidence(E::CheckAll) => C::Evidence(E::CheckAll), "evidence-check", May::Only(&[CHIEF, AUDIT]);
    C::Evidence(E::SaveHead(_)) => C::Evidence(E::SaveHead(nowhere())),
        "evidence-head", May::Only(&[FRONT, CHIEF, AUDIT]);
    C::Evidence(E::CheckHead(_)) => C::Evidence(E::CheckHead("MK1".into())),
        "evidence-compare-head", May::Only(&[FRONT, CHIEF, AUDIT]);
    C::Evidence(E::Export { .. }) => C::Evidence(E::Export {
        authority: "公安".into(),
        case_number: "1".into(),
        path: nowhere(),
    }), "evidence-export", May::Only(&[CHIEF, AUDIT]);
    C::Evidence(E::ListShown) => C::Evidence(E::ListShown), "evidence-list-shown", May::Only(&[FRONT, CHIEF]);
    C::Evidence(E::ShowAgain(_)) => C::Evidence(E::ShowAgain(some_showing())),
        "evidence-show-again", May::Only(&[FRONT, CHIEF]);
    C::Evidence(E::SaveReplay(..)) => C::Evidence(E::SaveReplay(some_showing(), nowhere())),
        "evidence-save-replay", May::Only(&[FRONT, CHIEF]);
    C::Operators(O::Show) => C::Operators(O::Show), "show-accounts", May::Only(&[CHIEF]);
    C::Operators(O::Add { .. }) => C::Operators(O::Add {
        name: "新人".into(),
        role: FRONT,
        passphrase: secret(),
        trained_on: "2026-11-20".into(),
    }), "add-account", May::Only(&[CHIEF]);
    C::Operators(O::Disable(_)) => C::Operators(O::Disable(some_account())), "disable-account", May::Only(&[CHIEF]);
    C::Operators(O::Reset(..)) => C::Operators(O::Reset(some_account(), secret())),
        "reset-passphrase", May::Only(&[CHIEF]);
    C::Operators(O::Trained(..)) => C::Operators(O::Trained(some_account(), "2026-11-20".into())),
        "record-training", May::Only(&[CHIEF]);
    C::Operators(O::ChangePassphrase(..)) => C::Operators(O::ChangePassphrase(secret(), secret())),
        "change-passphrase", May::Own(ALL);
    C::Operators(O::ReadRules(_)) => C::Operators(O::ReadRules(Language::Chinese)), "read-rules", May::Own(ALL);
    C::Operators(O::RulesReachedEnd) => C::Operators(O::RulesReachedEnd), "rules-reached-end", May::Own(ALL);
    C::Operators(O::SignRules(_)) => C::Operators(O::SignRules("李".into())), "sign-rules", May::Own(ALL);
    C::Operators(O::Approve(..)) => C::Operators(O::Approve(some_account(), secret())), "approve", May::Only(ALL);
    C::Operators(O::ApproveNot) => C::Operators(O::ApproveNot), "approve-not", May::Own(ALL);
    C::Operators(O::NewRecoveryKey) => C::Operators(O::NewRecoveryKey), "new-recovery-key", May::Only(&[CHIEF]);
    C::Operators(O::SaveRecoverySheet(..)) => C::Operators(O::SaveRecoverySheet(nowhere(), Language::Chinese)),
        "save-recovery-sheet", May::Own(&[CHIEF]);
    C::Operators(O::RecoveryKept) => C::Operators(O::RecoveryKept), "recovery-kept", May::Own(&[CHIEF]);
    C::Operators(O::Recover(..)) => C::Operators(O::Recover(some_account(), Typed::default(), secret())),
        "recover", May::Door;
    C::Operators(O::ShowLooks(_)) => C::Operators(O::ShowLooks(0)), "show-looks", May::Only(&[CHIEF, AUDIT]);
    C::Operators(O::SaveLooks(..)) => C::Operators(O::SaveLooks(0, nowhere(), Language::Chinese)),
        "save-looks", May::Only(&[CHIEF, AUDIT]);
    C::Operators(O::Awake) => C::Operators(O::Awake), "awake", May::Door;
    C::Guardian(GuardianCommand::Check { .. }) => C::Guardian(GuardianCommand::Check {
        resident: somebody(),
        name: "王芳芳".into(),
        role: GuardianRole::Mother,
        proof: ProofSeen::HouseholdBook,
        phone: String::new(),
    }), "guardian-check", May::Only(&[FRONT, CHIEF]);
    C::Guardian(GuardianCommand::MarkWard { .. }) =>
        C::Guardian(GuardianCommand::MarkWard { resident: somebody(), is_ward: true }),
        "mark-ward", May::Only(&[FRONT, CHIEF]);
    C::Guardian(GuardianCommand::ShowFigures { .. }) => C::Guardian(GuardianCommand::ShowFigures { year: None }),
        "minors-figures", May::Only(&[CHIEF, AUDIT]);
    C::Form(FormCommand::Save(_)) => C::Form(FormCommand::Save(nowhere())), "form-save",
        May::Only(&[FRONT, CHIEF]);
    C::Form(FormCommand::Seen) => C::Form(FormCommand::Seen), "form-seen", May::Only(&[FRONT, CHIEF]);
    C::Relay(RelayCommand::Show) => C::Relay(RelayCommand::Show), "show-relay", May::Only(&[FRONT, CHIEF, TECH]);
    C::Relay(RelayCommand::Repair(_)) => C::Relay(RelayCommand::Repair(some_gate())), "put-gate-right",
        May::Only(&[FRONT, CHIEF]);
    C::Relay(RelayCommand::SetClock(_)) => C::Relay(RelayCommand::SetClock(some_gate())), "set-gate-clock",
        May::Only(&[CHIEF]);
    C::Relay(RelayCommand::Replace { .. }) => C::Relay(RelayCommand::Replace {
            old: some_gate(),
            address: "192.168.1.9:7443".into(),
            code: None,
        }), "replace-gate", May::Only(&[CHIEF]);
    C::Relay(RelayCommand::ReplaceProved(_)) => C::Relay(RelayCommand::ReplaceProved(some_gate())), "go-on-replacing",
        May::Only(&[CHIEF]);
    C::Relay(RelayCommand::Retry(_)) => C::Relay(RelayCommand::Retry(some_gate())), "retry-refused",
        May::Only(&[FRONT, CHIEF]);
    C::Relay(RelayCommand::Concerned(_)) => C::Relay(RelayCommand::Concerned(some_gate())), "show-concerned",
        May::Only(&[FRONT, CHIEF]);
    C::Relay(RelayCommand::Invited(..)) => C::Relay(RelayCommand::Invited(some_gate(), 0)), "show-invited",
        May::Only(&[FRONT, CHIEF]);
    C::Relay(RelayCommand::WhoseNumber { .. }) => C::Relay(RelayCommand::WhoseNumber {
        digits: "0a0b0c0d".into(),
        why: JoinWhy::Repair,
    }), "whose-number", May::Only(&[CHIEF]);
    C::Keep(K::Show) => C::Keep(K::Show), "show-backups", May::Only(&[CHIEF]);
    C::Keep(K::NewKey) => C::Keep(K::NewKey), "new-backup-key", May::Only(&[CHIEF]);
    C::Keep(K::SaveSheet(..)) => C::Keep(K::SaveSheet(nowhere(), Language::Chinese)),
        "save-backup-sheet", May::Only(&[CHIEF]);
    C::Keep(K::SheetKept) => C::Keep(K::SheetKept), "backup-key-kept", May::Only(&[CHIEF]);
    C::Keep(K::BackUp(_)) => C::Keep(K::BackUp(nowhere())), "back-up", May::Only(&[CHIEF]);
    C::Keep(K::Drill(..)) => C::Keep(K::Drill(nowhere(), Typed::default())), "restore-drill", May::Only(&[CHIEF]);
    C::Keep(K::Restore(..)) => C::Keep(K::Restore(nowhere(), Typed::default(), RestoreBy::default())), "restore", May::Door;
    C::Keep(K::ChangeKeys) => C::Keep(K::ChangeKeys), "change-keys", May::Only(&[CHIEF]);
    C::Keep(K::BindComputer) => C::Keep(K::BindComputer), "bind-computer", May::Only(&[CHIEF]);
    C::Keep(K::ReleaseComputer) => C::Keep(K::ReleaseComputer), "release-computer", May::Only(&[CHIEF]);
    C::Posture(PostureCommand::Check) => C::Posture(PostureCommand::Check), "machine-check", May::Only(&[FRONT, CHIEF, TECH]);
    C::Posture(PostureCommand::Examine) => C::Posture(PostureCommand::Examine), "machine-examine",
        May::Only(&[FRONT, CHIEF, TECH]);
    C::Posture(PostureCommand::AcceptCamera(_)) => C::Posture(PostureCommand::AcceptCamera(CameraSeen {
        name: "HD Webcam".into(),
        place: "usb-1".into(),
        is_virtual: false,
    })), "accept-device", May::Only(&[CHIEF, TECH]);
    C::Posture(PostureCommand::Save { .. }) => C::Posture(PostureCommand::Save { path: nowhere(), text: String::new() }),
        "machine-save", May::Only(&[FRONT, CHIEF, TECH]);
    C::Boards(B::Show) => C::Boards(B::Show), "show-boards", May::Only(&[FRONT, CHIEF, TECH]);
    C::Boards(B::Add { .. }) => C::Boards(B::Add {
        name: "地库门".into(),
        place: "地库".into(),
        address: "127.0.0.1:9".into(),
        serial: "405419896".into(),
        doors: [true, false, false, false],
        format: CardFormat::Wiegand26,
    }), "add-board", May::Only(&[CHIEF]);
    C::Boards(B::Mend(_)) => C::Boards(B::Mend(some_gate())), "mend-board", May::Only(&[CHIEF]);
    C::Boards(B::OpenDoor(..)) => C::Boards(B::OpenDoor(some_gate(), DoorNumber::new(1).unwrap())), "open-door",
        May::Only(&[FRONT, CHIEF]);
    C::Boards(B::StopEvents(_)) => C::Boards(B::StopEvents(some_gate())), "stop-events",
        May::Only(&[FRONT, CHIEF, TECH]);
    C::Duties(DutiesCommand::Incident(I::Show)) => C::Duties(DutiesCommand::Incident(I::Show)),
        "show-incidents", May::Only(&[CHIEF, TECH, AUDIT]);
    C::Duties(DutiesCommand::Incident(I::Enter(_))) => C::Duties(DutiesCommand::Incident(I::Enter(Box::default()))),
        "enter-incident-case", May::Only(&[CHIEF, TECH]);
    C::Duties(DutiesCommand::Incident(I::SaveLetters { .. })) =>
        C::Duties(DutiesCommand::Incident(I::SaveLetters { number: 7, folder: nowhere() })),
        "save-incident-letters", May::Only(&[CHIEF]);
    C::Duties(DutiesCommand::Incident(I::Told { .. })) =>
        C::Duties(DutiesCommand::Incident(I::Told { number: 7, how: Channel::Letter })),
        "note-incident-told", May::Only(&[CHIEF]);
    C::Duties(DutiesCommand::Incident(I::Reported { .. })) =>
        C::Duties(DutiesCommand::Incident(I::Reported { number: 7, to: "x".into() })),
        "note-incident-reported", May::Only(&[CHIEF]);
    C::Duties(DutiesCommand::SiteEnd(X::Show)) => C::Duties(DutiesCommand::SiteEnd(X::Show)),
        "show-site-end", May::Only(&[CHIEF, AUDIT]);
    C::Duties(DutiesCommand::SiteEnd(X::End { .. })) => C::Duties(DutiesCommand::SiteEnd(X::End { receiver: "x".into() })),
        "end-site", May::Only(&[CHIEF]);
    C::Duties(DutiesCommand::SiteEnd(X::SavePapers { .. })) =>
        C::Duties(DutiesCommand::SiteEnd(X::SavePapers { folder: nowhere(), language: Language::Chinese })),
        "save-site-end", May::Only(&[CHIEF]);
    C::Duties(DutiesCommand::SavePaper { .. }) => C::Duties(DutiesCommand::SavePaper {
        paper: DutyPaper::Controls,
        language: Language::Chinese,
        path: nowhere(),
    }), "save-duty-paper", May::Only(&[CHIEF, AUDIT]);
}

#[test]
fn p51_4_every_command_has_one_row_and_says_who_may_give_it() {
    for (at, (command, may)) in rows().iter().enumerate() {
        assert_eq!(place(command), at, "the sample of row {at} is of another command");
        let row = row(command);
        assert_eq!(row.name, name(command));
        match may {
            May::Door => assert_eq!(row.access, Access::AtTheDoor, "{}", row.name),
            May::Own(roles) | May::Only(roles) => {
                let own = matches!(may, May::Own(_));
                assert_eq!(matches!(row.access, Access::Own(_)), own, "{}", row.name);
                for role in Role::ALL {
                    assert_eq!(row.allows(role), roles.contains(&role), "{} by {}", row.name, role.label());
                }
            }
        }
    }
}

/// What roles without people may give, each looked at: it shows and names nobody. Whatever is not here is about somebody, or might be.
const NAMES_NOBODY: &[&str] = &[
    "show-gates",
    "stop-face",
    "stop-faces",
    "switched-off",
    "show-deletions",
    "minors-figures",
    "save-public-paper",
    "evidence-check",
    "evidence-head",
    "evidence-compare-head",
    "evidence-export",
    "change-passphrase",
    "read-rules",
    "rules-reached-end",
    "sign-rules",
    "approve",
    "approve-not",
    "show-looks",
    "save-looks",
    "show-relay",
    "machine-check",
    "machine-examine",
    "machine-save",
    "show-boards",
    "stop-events",
    "show-incidents",
    "enter-incident-case",
    "show-site-end",
    "save-duty-paper",
    "accept-device",
    "meet-former-gate",
];

#[test]
fn p51_4_a_role_that_sees_no_people_has_no_command_about_a_person() {
    let mut given = BTreeSet::new();
    for (command, _) in rows() {
        let row = row(&command);
        if row.access == Access::AtTheDoor {
            continue;
        }
        for role in [TECH, AUDIT].into_iter().filter(|role| row.allows(*role)) {
            assert!(!role.sees_people());
            given.insert(row.name);
        }
    }
    assert_eq!(given, NAMES_NOBODY.iter().copied().collect());
}
