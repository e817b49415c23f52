//! The pages of the seldom duties in the staff window, and "what I was shown" in the resident window, filled as the desk fills them.

use std::sync::Arc;

use iced_test::selector::id;
use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::duties::{
    DutiesCommand, DutiesEvent, DutyPaper, IncidentCommand, IncidentView, SiteEndCommand, SiteEndGate, SiteEndView,
};
use menka::app::event::StaffEvent;
use menka::app::evidence::{EvidenceEvent, ShownText, ShownView};
use menka::app::head_due::HeadDue;
use menka::app::operators::OperatorsEvent;
use menka::app::rights::{RightsAct, RightsScene};
use menka::app::shown_again::{ShownAct, ShownScene};
use menka::domain::id::ShowingId;
use menka::domain::incident::{Channel, DataKind};
use menka::domain::notice::Language;
use menka::domain::role::Role;
use menka::domain::time::{CivilDate, Timestamp};
use menka::domain::training::Standing;
use menka::notice::{Rendered, Text, render};
use menka::ui::resident;
use menka::ui::staff::duties::{self, IncidentMessage, Pick, SiteEndMessage, Tab};
use menka::ui::staff::{self, Action, Message, Route, Staff};

use super::ui_staff::{LARGE, SMALL, both, commands, press, unlocked, window};

const AT: Timestamp = Timestamp::from_ms(1_795_317_000_000);

/// The name of a command. Exhaustive: a new one does not compile until somebody has looked at this test.
pub fn kind(command: &DutiesCommand) -> &'static str {
    match command {
        DutiesCommand::Incident(IncidentCommand::Show) => "show-incidents",
        DutiesCommand::Incident(IncidentCommand::Enter(_)) => "enter-incident-case",
        DutiesCommand::Incident(IncidentCommand::SaveLetters { .. }) => "save-incident-letters",
        DutiesCommand::Incident(IncidentCommand::Told { .. }) => "note-incident-told",
        DutiesCommand::Incident(IncidentCommand::Reported { .. }) => "note-incident-reported",
        DutiesCommand::SiteEnd(SiteEndCommand::Show) => "show-site-end",
        DutiesCommand::SiteEnd(SiteEndCommand::End { .. }) => "end-site",
        DutiesCommand::SiteEnd(SiteEndCommand::SavePapers { .. }) => "save-site-end",
        DutiesCommand::SavePaper { .. } => "save-duty-paper",
    }
}

/// What each of these pages may ask of the desk, and nothing else.
pub fn own_commands(page: &str) -> Option<&'static [&'static str]> {
    Some(match page {
        "incidents" => &["lock", "note-incident-told", "requests", "show-deletions", "show-site-end"],
        "incidents-none" => &["lock", "requests", "show-deletions", "show-site-end"],
        "incident-form" => &["enter-incident-case", "lock", "requests", "show-deletions", "show-site-end"],
        "site-end" | "site-end-ask" => match page {
            "site-end" => &["lock", "requests", "show-deletions", "show-incidents"],
            _ => &["end-site", "lock", "requests", "show-deletions", "show-incidents"],
        },
        "site-end-part" | "site-end-whole" => &["lock", "requests", "show-deletions", "show-incidents"],
        "papers" => &["lock", "requests", "show-deletions", "show-incidents", "show-site-end"],
        "home-head" => &["lock", "requests", "show-deletions", "show-gates", "show-relay"],
        _ => return None,
    })
}

fn incident(number: i64, reported: bool) -> IncidentView {
    IncidentView {
        number,
        happened_at: AT,
        entered_at: AT,
        what: "门禁机外壳被人撬开，防拆开关没有报警。".into(),
        kinds: vec![DataKind::Face, DataKind::Openings],
        gates: vec!["东门".into()],
        report_by: Some(AT.plus_ms(4 * 3_600_000)),
        late: !reported,
        people: 214,
        minors: 31,
        without_guardian: if reported { 0 } else { 2 },
        told: if reported { 214 } else { 0 },
        reports: if reported { vec![(AT, "区网信办 2026-118".into())] } else { vec![] },
        stops_waiting: if reported { vec![] } else { vec!["西门车库".into()] },
    }
}

fn end(left: u32) -> SiteEndView {
    let gate = |name: &str, left: u32| SiteEndGate {
        name: name.into(),
        erased: 120 - left,
        left,
        stops_at: (left > 0).then_some(AT.plus_ms(86_400_000)),
    };
    SiteEndView {
        processor: "安和物业服务有限公司".into(),
        receiver: "青禾苑业主委员会".into(),
        ended_at: AT,
        by: ("李主管".into(), "周敏".into()),
        people: 120,
        certified: if left > 0 { 0 } else { 120 },
        gates: vec![gate("东门", 0), gate("西门车库", left)],
        papers_at: (left == 0).then_some(AT),
        successor: false,
    }
}

fn at(tab: Tab, events: Vec<DutiesEvent>) -> Staff {
    let mut staff = unlocked();
    staff.update(Message::Go(Route::Duties(tab)));
    for event in events {
        staff.apply(StaffEvent::Duties(event));
    }
    staff
}

fn say(staff: &mut Staff, message: duties::Message) -> Action {
    staff.update(Message::Duties(message))
}

/// The pages, with the ids of what can be pressed on each.
pub fn pages() -> Vec<(&'static str, Staff, Vec<&'static str>)> {
    let incidents = at(Tab::Incidents, vec![DutiesEvent::Incidents(vec![incident(2, false), incident(1, true)])]);
    let none = at(Tab::Incidents, vec![DutiesEvent::Incidents(vec![])]);
    let mut form = at(Tab::Incidents, vec![DutiesEvent::Incidents(vec![])]);
    say(&mut form, duties::Message::Incident(IncidentMessage::FormPressed));
    let mut asking = at(Tab::SiteEnd, vec![DutiesEvent::SiteEnd(None)]);
    say(&mut asking, duties::Message::SiteEnd(SiteEndMessage::ReceiverTyped("青禾苑业主委员会".into())));
    let before = at(Tab::SiteEnd, vec![DutiesEvent::SiteEnd(None)]);
    say(&mut asking, duties::Message::SiteEnd(SiteEndMessage::EndPressed));
    let part = at(Tab::SiteEnd, vec![DutiesEvent::SiteEnd(Some(Box::new(end(7))))]);
    let whole = at(
        Tab::SiteEnd,
        vec![DutiesEvent::SiteEnd(Some(Box::new(end(0)))), DutiesEvent::Saved(243, "/media/stick/交接".into())],
    );
    let mut head = unlocked();
    let due = HeadDue { last_on: CivilDate::parse("2026-11-18"), skipped: 3 };
    head.apply(StaffEvent::Evidence(EvidenceEvent::HeadDue(Some(due))));
    vec![
        ("incidents", incidents, vec!["duties-evidence", "duties-papers", "incident-form"]),
        ("incidents-none", none, vec!["incident-form", "incidents-none"]),
        ("incident-form", form, vec!["incident-form", "incident-stops", "incident-when"]),
        ("site-end", before, vec!["duties-incidents", "site-end-receiver"]),
        ("site-end-ask", asking, vec!["site-end-receiver"]),
        ("site-end-part", part, vec!["site-end-state"]),
        ("site-end-whole", whole, vec!["duty-saved", "site-end-state"]),
        ("papers", at(Tab::Papers, vec![]), vec!["paper-audit", "paper-controls"]),
        ("home-head", head, vec!["home-search", "head-today"]),
    ]
}

fn page(name: &str) -> Staff {
    pages().into_iter().find(|(other, ..)| *other == name).expect("a page of this name").1
}

#[test]
fn p57_the_form_of_an_incident_goes_to_the_desk_as_typed_and_letters_go_into_a_folder() {
    let mut staff = page("incident-form");
    let tell = |staff: &mut Staff, message| say(staff, duties::Message::Incident(message));
    tell(&mut staff, IncidentMessage::WhenTyped("2026-11-22 09:00".into()));
    (0..5).for_each(|at| drop(tell(&mut staff, IncidentMessage::AnswerTyped(at, format!("答 {at}")))));
    tell(&mut staff, IncidentMessage::KindTicked(DataKind::Face, true));
    tell(&mut staff, IncidentMessage::KindTicked(DataKind::Identity, true));
    tell(&mut staff, IncidentMessage::KindTicked(DataKind::Identity, false));
    let gate = staff.known().gates[0].id;
    tell(&mut staff, IncidentMessage::GateTicked(gate, true));
    tell(&mut staff, IncidentMessage::LargerTicked(true));
    let asked = tell(&mut staff, IncidentMessage::EnterPressed);
    let Action::Ask(StaffCommand::Duties(DutiesCommand::Incident(IncidentCommand::Enter(typed)))) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!(typed.answers, std::array::from_fn(|at| format!("答 {at}")));
    assert_eq!((typed.kinds, typed.gates, typed.larger), (vec![DataKind::Face], vec![gate], true));

    let mut staff = page("incidents");
    let letters = say(&mut staff, duties::Message::Incident(IncidentMessage::LettersPressed(2)));
    assert!(matches!(letters, Action::PickDuty(Pick::Letters(2))), "{letters:?}");
    let picked = say(&mut staff, duties::Message::PathPicked(Pick::Letters(2), Some("out".into())));
    assert!(matches!(
        picked,
        Action::Ask(StaffCommand::Duties(DutiesCommand::Incident(IncidentCommand::SaveLetters { number: 2, .. })))
    ));
    assert!(matches!(say(&mut staff, duties::Message::PathPicked(Pick::Letters(2), None)), Action::None));
    let told = say(&mut staff, duties::Message::Incident(IncidentMessage::ToldPressed(2, Channel::Letter)));
    assert!(matches!(told, Action::Ask(StaffCommand::Duties(DutiesCommand::Incident(IncidentCommand::Told { .. })))));
    say(&mut staff, duties::Message::Incident(IncidentMessage::ToTyped("区网信办".into())));
    let told = say(&mut staff, duties::Message::Incident(IncidentMessage::ReportedPressed(2)));
    assert!(matches!(told, Action::Ask(StaffCommand::Duties(DutiesCommand::Incident(
        IncidentCommand::Reported { number: 2, to }
    ))) if to == "区网信办"));
}

#[test]
fn p22_the_end_of_a_managers_work_takes_a_receiver_and_two_presses() {
    let mut staff = page("site-end");
    let tell = |staff: &mut Staff, message| say(staff, duties::Message::SiteEnd(message));
    assert!(matches!(tell(&mut staff, SiteEndMessage::EndPressed), Action::None), "nobody takes the registers yet");
    assert!(matches!(tell(&mut staff, SiteEndMessage::EndConfirmed), Action::None), "nobody was asked");
    tell(&mut staff, SiteEndMessage::ReceiverTyped("青禾苑业主委员会".into()));
    assert!(matches!(tell(&mut staff, SiteEndMessage::EndPressed), Action::None), "asks first");
    tell(&mut staff, SiteEndMessage::EndDropped);
    assert!(matches!(tell(&mut staff, SiteEndMessage::EndConfirmed), Action::None), "it was dropped");
    tell(&mut staff, SiteEndMessage::EndPressed);
    let asked = commands(press(&mut staff, "site-end-yes"));
    assert!(
        matches!(&asked[..], [StaffCommand::Duties(DutiesCommand::SiteEnd(SiteEndCommand::End { receiver }))]
            if receiver == "青禾苑业主委员会"),
        "{asked:?}"
    );
    let mut staff = page("site-end-part");
    assert!(matches!(press(&mut staff, "site-end-papers")[..], [Action::PickDuty(Pick::SiteEnd)]));
    // Somebody who only audits sees how it stands, and no button.
    for texts in both() {
        let mut staff = page("site-end-part");
        let standing = Standing::Works(CivilDate::parse("2027-11-01").unwrap());
        staff.apply(StaffEvent::Operators(OperatorsEvent::Entered { role: Role::Auditor, standing }));
        staff.update(Message::Go(Route::Duties(Tab::SiteEnd)));
        let mut ui = window(LARGE, staff.view(&texts));
        assert!(ui.find(id("site-end-papers")).is_err() && ui.find(id("site-end-state")).is_ok());
    }
}

#[test]
fn f14b_p54_a_paper_is_written_in_the_language_of_the_window() {
    let mut staff = page("papers");
    let picks = press(&mut staff, "paper-controls");
    assert!(matches!(picks[..], [Action::PickDuty(Pick::Paper(DutyPaper::Controls))]), "{picks:?}");
    staff.update(Message::LanguagePressed(Language::English));
    let picked = say(&mut staff, duties::Message::PathPicked(Pick::Paper(DutyPaper::Audit), Some("a.pdf".into())));
    assert!(matches!(
        picked,
        Action::Ask(StaffCommand::Duties(DutiesCommand::SavePaper {
            paper: DutyPaper::Audit,
            language: Language::English,
            ..
        }))
    ));
}

#[test]
fn p69_the_daily_head_is_one_line_with_one_button_and_goes_when_it_is_done() {
    let mut staff = page("home-head");
    for texts in both() {
        for size in [LARGE, SMALL] {
            assert!(window(size, staff.view(&texts)).find(id("head-today")).is_ok());
        }
    }
    assert!(matches!(press(&mut staff, "head-today")[..], [Action::Pick(staff::Pick::Head)]));
    let asked = staff.update(Message::Picked(staff::Pick::Head, Some("head.pdf".into())));
    assert!(matches!(asked, Action::Ask(StaffCommand::Evidence(menka::app::evidence::EvidenceCommand::SaveHead(_)))));
    staff.apply(StaffEvent::Evidence(EvidenceEvent::HeadDue(None)));
    for texts in both() {
        assert!(window(LARGE, staff.view(&texts)).find(id("head-today")).is_err());
    }
}

#[test]
fn a_technician_finds_the_page_of_incidents_in_the_header_and_no_letters_on_it() {
    for texts in both() {
        let mut staff = unlocked();
        let standing = Standing::Works(CivilDate::parse("2027-11-01").unwrap());
        staff.apply(StaffEvent::Operators(OperatorsEvent::Entered { role: Role::Technician, standing }));
        staff.update(Message::Go(Route::Home));
        {
            let mut ui = window(SMALL, staff.view(&texts));
            let link = ui.find(id("go-incidents")).expect("a link in the header");
            assert!(link.visible_bounds().is_some());
        }
        staff.update(Message::Go(Route::Duties(Tab::Incidents)));
        staff.apply(StaffEvent::Duties(DutiesEvent::Incidents(vec![incident(2, false)])));
        let mut ui = window(LARGE, staff.view(&texts));
        assert!(ui.find(id("incident-form")).is_ok() && ui.find(id("incident-2")).is_ok());
        assert!(ui.find(id("incident-letters-2")).is_err() && ui.find(id("duties-site-end")).is_err());
    }
}

// -- the resident window -------------------------------------------------------

fn showing() -> ShowingId {
    ShowingId::from_bytes([9; 16])
}

/// The scenes of "what I was shown", with the ids of what can be pressed.
pub fn shown_scenes(language: Language) -> Vec<(&'static str, RightsScene, Vec<&'static str>)> {
    let row = |read_to_end, language| ShownView {
        showing: showing(),
        notice: "MK-N1 1.0".into(),
        language,
        opened_at: AT,
        read_to_end,
    };
    let text: Rendered = render(Text::Notice, language, &super::notice::all_values(language)).unwrap();
    let shown = ShownText {
        showing: showing(),
        text: Arc::new(text),
        letters_percent: Some(150),
        opened_at: AT,
        reached_end_at: Some(AT),
        consented: true,
    };
    let again = |saved_to: Option<&str>| {
        let (shown, saved_to) = (Box::new(shown.clone()), saved_to.map(str::to_owned));
        RightsScene::Shown(ShownScene::Again { shown, saved_to })
    };
    let rows = vec![row(true, Language::Chinese), row(false, Language::English)];
    vec![
        ("own-shown", RightsScene::Shown(ShownScene::List(rows)), vec!["shown-0", "shown-list"]),
        ("own-shown-none", RightsScene::Shown(ShownScene::List(vec![])), vec!["shown-list"]),
        ("own-shown-again", again(None), vec!["shown-list", "shown-save"]),
        ("own-shown-saved", again(Some("/media/stick/menka-shown.json")), vec!["saved", "shown-save"]),
        (
            "own-shown-broken",
            RightsScene::Shown(ShownScene::Broken {
                zh: "文字与校验码不符", en: "the text does not have its digest"
            }),
            vec!["shown-broken", "shown-list"],
        ),
    ]
}

#[test]
fn p17d_each_button_of_what_was_shown_asks_for_its_act() {
    use menka::ui::resident::rights::{Message as M, Pick as P};
    use menka::ui::resident::shown::OwnShown;
    let act = |message| {
        let mut window = resident::Resident::default();
        match window.update(resident::Message::Rights(message)) {
            resident::Action::Ask(ResidentCommand::Rights(RightsAct::Shown(act))) => Some(act),
            _ => None,
        }
    };
    assert!(matches!(act(M::Shown(OwnShown::List)), Some(ShownAct::List)));
    assert!(matches!(act(M::Shown(OwnShown::Again(showing()))), Some(ShownAct::Again(id)) if id == showing()));
    assert!(matches!(act(M::PathPicked(P::Shown, Some("x.json".into()))), Some(ShownAct::Save(_))));
    assert!(act(M::PathPicked(P::Shown, None)).is_none(), "the dialog was left");
}
