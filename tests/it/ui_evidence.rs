//! The evidence pages of the staff window, filled as the desk fills them.

use menka::app::command::StaffCommand;
use menka::app::event::{ResidentView, StaffEvent};
use menka::app::evidence::{
    ChainView, CheckView, EvidenceCommand, EvidenceEvent, GateWitness, HeadVerdict, ShownText, ShownView,
};
use menka::domain::id::ShowingId;
use menka::domain::notice::{Language, NoticeRef};
use menka::domain::time::Timestamp;
use menka::notice::Rendered;
use menka::ui::staff::{Action, Message, Pick, Route, Staff, evidence, shown as shown_page};

const AT: Timestamp = Timestamp::from_ms(1_795_317_000_000);

fn chain(west: GateWitness) -> ChainView {
    ChainView {
        records: 1_234,
        start_read: 1_187,
        start_sound: true,
        keys_older: false,
        gates: vec![("东门".into(), GateWitness::Keeps { size: 1_230, seen_at: AT }), ("西门车库".into(), west)],
        witnessed: Some((AT, 1_230)),
        exports: vec![(AT, "××区公安分局".into(), "2026-行-17".into())],
    }
}

fn tell(staff: &mut Staff, event: EvidenceEvent) {
    staff.apply(StaffEvent::Evidence(event));
}

/// All is well, and every kind of answer is on the page.
pub fn whole(mut staff: Staff) -> Staff {
    tell(&mut staff, EvidenceEvent::Chain(chain(GateWitness::None)));
    staff.update(Message::Go(Route::Evidence));
    let check = CheckView { at: AT, records: 1_234, faults: 0, first: None, erased_at_term: 61 };
    tell(&mut staff, EvidenceEvent::Checked(check));
    let short = "MK1-1230-4T9QX-0M2HB-7WKPC-Z31FV-8NRS5D".into();
    tell(&mut staff, EvidenceEvent::HeadSaved { short, path: "menka-head.pdf".into() });
    tell(&mut staff, EvidenceEvent::HeadChecked(HeadVerdict::Fits { size: 1_100 }));
    staff
}

/// A gate has seen a longer log.
pub fn alarming(mut staff: Staff) -> Staff {
    tell(&mut staff, EvidenceEvent::Chain(chain(GateWitness::SawMore)));
    staff.update(Message::Go(Route::Evidence));
    tell(&mut staff, EvidenceEvent::HeadChecked(HeadVerdict::SawMore { kept: 2_000, here: 1_234 }));
    staff
}

fn showing() -> ShowingId {
    ShowingId::from_bytes([9; 16])
}

fn listed(mut staff: Staff, person: ResidentView) -> Staff {
    staff.apply(StaffEvent::Opened(Box::new(person)));
    staff.update(Message::Go(Route::Shown));
    let row = |read_to_end| ShownView {
        showing: showing(),
        notice: "MK-N1 1.0".into(),
        language: Language::Chinese,
        opened_at: AT,
        read_to_end,
    };
    tell(&mut staff, EvidenceEvent::Shown(vec![row(true), row(false)]));
    staff
}

/// A text again.
pub fn shown(staff: Staff, person: ResidentView) -> Staff {
    let mut staff = listed(staff, person);
    let markdown = "# 告知书\n\n> **先看这几行**\n> 不录人脸也能进门。\n\n## 一、谁来处理\n\n安和家园物业。\n\n| 门禁机 | 位置 |\n|---|---|\n| 东门 | 东侧 |\n";
    let reference =
        NoticeRef { id: "MK-N1".into(), version: "1.0".into(), language: Language::Chinese, sha256: [7; 32] };
    tell(
        &mut staff,
        EvidenceEvent::ShownAgain(Box::new(ShownText {
            showing: showing(),
            text: Rendered { markdown: markdown.into(), reference }.into(),
            letters_percent: Some(150),
            opened_at: AT,
            reached_end_at: Some(AT),
            consented: true,
        })),
    );
    staff
}

/// What is kept was changed.
pub fn broken(staff: Staff, person: ResidentView) -> Staff {
    let mut staff = listed(staff, person);
    tell(&mut staff, EvidenceEvent::NotAsShown { zh: "文字与当时登记的校验码一致", en: "the text has the check code" });
    staff
}

fn unlocked() -> Staff {
    let mut staff = Staff::new(menka::domain::Realm::Practice);
    staff.apply(StaffEvent::Unlocked { operator: "李前台".into() });
    staff
}

#[test]
fn p63_the_log_goes_to_nobody_without_an_authority_and_a_case_number() {
    let mut staff = whole(unlocked());
    let send = |staff: &mut Staff, message| staff.update(Message::Evidence(message));
    assert!(matches!(send(&mut staff, evidence::Message::ExportPressed), Action::None));
    send(&mut staff, evidence::Message::AuthorityTyped("××区公安分局".into()));
    assert!(matches!(send(&mut staff, evidence::Message::ExportPressed), Action::None));
    send(&mut staff, evidence::Message::CaseTyped("2026-17".into()));
    assert!(matches!(send(&mut staff, evidence::Message::ExportPressed), Action::Pick(Pick::Log)));
    let asked = staff.update(Message::Picked(Pick::Log, Some("log.jsonl".into())));
    let Action::Ask(StaffCommand::Evidence(EvidenceCommand::Export { authority, case_number, .. })) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!((authority.as_str(), case_number.as_str()), ("××区公安分局", "2026-17"));
    assert!(matches!(staff.update(Message::Picked(Pick::Log, None)), Action::None), "the dialog was closed");
}

#[test]
fn p14_what_was_shown_is_asked_for_by_its_showing_and_saved_only_when_it_is_on_screen() {
    let person = crate::ui_staff::somebody();
    let mut staff = listed(unlocked(), person.clone());
    assert!(matches!(staff.update(Message::Shown(shown_page::Message::SavePressed)), Action::None));
    let asked = staff.update(Message::Shown(shown_page::Message::ShowPressed(showing())));
    assert!(matches!(asked, Action::Ask(StaffCommand::Evidence(EvidenceCommand::ShowAgain(id))) if id == showing()));
    let mut staff = shown(unlocked(), person);
    assert!(matches!(staff.update(Message::Shown(shown_page::Message::SavePressed)), Action::Pick(Pick::Replay)));
    let asked = staff.update(Message::Picked(Pick::Replay, Some("shown.json".into())));
    assert!(
        matches!(asked, Action::Ask(StaffCommand::Evidence(EvidenceCommand::SaveReplay(id, _))) if id == showing())
    );
}
