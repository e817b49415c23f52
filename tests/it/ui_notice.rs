//! The notice's pages of the staff window: versions, assessment, signs, entrusted parties, the sheet for one resident.

use std::sync::Arc;

use iced_test::selector::id;
use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::event::{Event, FaceState, Failure, ResidentScene, StaffEvent};
use menka::app::notice::{
    AssessmentTyped, ChangeAnswer, EntrustedView, NoticeCommand, NoticeEvent, NoticeFailure, NoticeView, Paper,
    PersonNews, SignState, SignView,
};
use menka::domain::assessment::{Assessment, AssessmentFault, Head, Standing};
use menka::domain::change::{Change, Changed, Part, Version, VersionNews};
use menka::domain::entrusted::{Entrusted, EntrustedFault, Field};
use menka::domain::id::{GateId, ResidentId};
use menka::domain::notice::Language;
use menka::domain::permit::{Blocker, Condition};
use menka::domain::site::{Fact, SiteFacts};
use menka::domain::time::{CivilDate, Timestamp};
use menka::i18n::Texts;
use menka::notice::{self, Page, Text, render};
use menka::ui::staff::{self, Action, Message, Route, Staff};

use super::notice::{all_values, gate};
use super::ui_staff::{LARGE, both, commands, held, person, press, unlocked, window};

/// The name of a command. Exhaustive: a new one does not compile until somebody has looked at this test.
pub fn kind(command: &NoticeCommand) -> &'static str {
    match command {
        NoticeCommand::SaveFactsAnyway(_) => "save-facts-anyway",
        NoticeCommand::RegisterAssessment(_) => "register-assessment",
        NoticeCommand::EnterIncident(_) => "enter-incident",
        NoticeCommand::EnterEntrusted { .. } => "enter-entrusted",
        NoticeCommand::EndEntrusted(_) => "end-entrusted",
        NoticeCommand::SignPosted { .. } => "sign-posted",
        NoticeCommand::TellOnPaper(_) => "tell-on-paper",
        NoticeCommand::Save { .. } => "save-paper",
        NoticeCommand::LoadSiteFile(_) => "load-site-file",
    }
}

/// What each of these pages may ask of the desk, and nothing else.
pub fn own_commands(page: &str) -> Option<&'static [&'static str]> {
    Some(match page {
        "notice-changes" => &["lock", "minors-figures", "requests", "show-deletions", "show-gates"],
        "notice-assessment" => &["lock", "minors-figures", "requests", "show-deletions", "show-gates"],
        "notice-assessment-form" => {
            &["lock", "minors-figures", "register-assessment", "requests", "show-deletions", "show-gates"]
        }
        "notice-signs" => &["lock", "minors-figures", "requests", "show-deletions", "show-gates", "sign-posted"],
        "notice-entrusted" => &["end-entrusted", "lock", "minors-figures", "requests", "show-deletions", "show-gates"],
        "notice-entrusted-form" => {
            &["end-entrusted", "enter-entrusted", "lock", "minors-figures", "requests", "show-deletions", "show-gates"]
        }
        "notice-stops" => {
            &["lock", "minors-figures", "requests", "save-facts", "save-facts-anyway", "show-deletions", "show-gates"]
        }
        "notice-refused" => &["lock", "minors-figures", "requests", "show-deletions", "show-gates"],
        "notice-why" => &["lock", "requests", "show-deletions", "show-gates"],
        "home-notice" => &["lock", "requests", "show-deletions", "show-gates", "show-relay"],
        "record-news" => &["close", "evidence", "lock", "requests", "tell-on-paper", "withdraw-at-screen"],
        _ => return None,
    })
}

fn day(text: &str) -> CivilDate {
    CivilDate::parse(text).unwrap()
}

fn assessment() -> Assessment {
    Assessment {
        number: "PIA-2026-01".into(),
        signed_on: day("2026-11-01"),
        signer: "周敏".into(),
        heads: std::array::from_fn(|_| "只为自愿录入的住户开门，有卡可用，目的和方式合法、正当、必要。".into()),
        necessity: "部分住户双手提物或者推轮椅时不便刷卡，已比较远距卡、蓝牙和值班放行。".repeat(2),
        review_on: day("2027-10-31"),
        scope_sha256: [0xAB; 32],
    }
}

fn view() -> NoticeView {
    let gate = |n: u8| Some(GateId::from_bytes([n; 16]));
    let sign = |gate, name: &str, state, by: &str| SignView { gate, name: name.into(), state, by: by.into() };
    let entry = |name: &str, ends: &str| Entrusted {
        fields: [name, "021-5550107", "门禁机维保，有人陪同", "不接触人脸", "陪同、离场检查", "HT-2026-07"]
            .map(String::from),
        begins_on: day("2026-01-01"),
        ends_on: day(ends),
    };
    NoticeView {
        version: Some((Version { major: 2, minor: 0 }, day("2026-11-20"))),
        site_file: Some((7, "5f".repeat(32), Timestamp::from_ms(1_795_317_000_000))),
        site_file_refused: false,
        standing: Standing::OtherScope,
        assessment: Some(assessment()),
        scope: "c4".repeat(32),
        versions: vec![
            VersionNews {
                version: Version { major: 2, minor: 0 },
                in_use_on: day("2026-11-20"),
                answer_by: Some(day("2026-12-20")),
                concerned: 12,
                asked: 5,
                told: 8,
                untold: 4,
                unanswered: 3,
            },
            VersionNews {
                version: Version::FIRST,
                in_use_on: day("2026-10-01"),
                answer_by: None,
                concerned: 0,
                asked: 0,
                told: 0,
                untold: 0,
                unanswered: 0,
            },
        ],
        signs: vec![
            sign(None, "", SignState::Missing, ""),
            sign(gate(1), "东门", SignState::Posted(day("2026-11-02")), "李前台"),
            sign(gate(2), "西门车库", SignState::Outdated(day("2026-10-02")), "李前台"),
        ],
        entrusted: vec![
            EntrustedView { number: 1, entry: entry("申诚门禁维保有限公司", "2026-06-30"), in_force: false },
            EntrustedView { number: 2, entry: entry("安信智能科技有限公司", "2027-06-30"), in_force: true },
        ],
        persons_held: 41,
    }
}

fn with(view: NoticeView) -> Staff {
    let mut staff = unlocked();
    staff.apply(StaffEvent::Notice(NoticeEvent::View(Box::new(view))));
    staff
}

fn at(route: Route) -> Staff {
    let mut staff = with(view());
    staff.update(Message::Go(route));
    staff
}

fn tab(tab: staff::notice::Tab, messages: Vec<staff::notice::Message>) -> Staff {
    let mut staff = at(Route::Notice);
    staff.update(Message::Notice(staff::notice::Message::TabPressed(tab)));
    for message in messages {
        staff.update(Message::Notice(message));
    }
    staff
}

fn news() -> PersonNews {
    PersonNews {
        from: Version { major: 1, minor: 2 },
        to: Version { major: 2, minor: 0 },
        answer_by: Some(day("2026-12-20")),
        stopped: vec!["东门".into()],
        untold: true,
        told_at: None,
    }
}

fn record(news: Option<PersonNews>) -> Staff {
    let mut staff = with(view());
    staff.apply(StaffEvent::Opened(Box::new(person(held()))));
    let who = ResidentId::from_bytes([7; 16]);
    staff.apply(StaffEvent::Notice(NoticeEvent::Person(who, news.map(Box::new))));
    staff
}

/// The pages, with the ids of what can be pressed there at once.
pub fn pages() -> Vec<(&'static str, Staff, Vec<&'static str>)> {
    use staff::notice::{Message as M, Tab};
    let mut stops = at(Route::Facts);
    stops.apply(StaffEvent::Notice(NoticeEvent::WouldStop {
        facts: Box::new(SiteFacts::default()),
        parts: vec![Part::Place, Part::Recipients],
        people: 41,
    }));
    let mut refused = with(NoticeView { site_file_refused: true, standing: Standing::Damaged, ..view() });
    refused.update(Message::Go(Route::Notice));
    let mut why = with(view());
    why.apply(StaffEvent::Desk(vec![(Blocker::ImpactAssessment, Condition::Fails)]));
    why.update(Message::Go(Route::WhyOff));
    vec![
        ("notice-changes", at(Route::Notice), vec!["settings-facts", "settings-gates", "notice-tab-signs"]),
        ("notice-assessment", at(Route::Assessment), vec!["pia-said", "pia-open", "pia-print"]),
        (
            "notice-assessment-form",
            tab(Tab::Assessment, vec![M::AssessmentFormPressed]),
            vec!["pia-number", "pia-signer", "pia-open"],
        ),
        (
            "notice-signs",
            tab(Tab::Signs, vec![M::PostedTyped("2026-11-22".into())]),
            vec!["sign-print-0", "sign-posted-0"],
        ),
        (
            "notice-entrusted",
            tab(Tab::Entrusted, vec![]),
            vec!["entrusted-open", "entrusted-print-1", "entrusted-end-2"],
        ),
        (
            "notice-entrusted-form",
            tab(Tab::Entrusted, vec![M::EntrustedFormPressed]),
            vec!["entrusted-open", "entrusted-name"],
        ),
        ("notice-stops", stops, vec!["stops-said", "stops-no", "stops-yes"]),
        ("notice-refused", refused, vec!["site-file-refused", "notice-tab-assessment"]),
        ("notice-why", why, vec!["why-assessment", "why-cards-work"]),
        ("home-notice", with(view()), vec!["home-search", "home-signs", "home-untold"]),
        ("record-news", record(Some(news())), vec!["news", "news-sheet", "news-given"]),
    ]
}

/// The resident's pages of this area, with the ids of what can be pressed there at once.
pub fn scenes(language: Language) -> Vec<(&'static str, ResidentScene, Vec<&'static str>)> {
    let gates = [gate(1, "东门"), gate(2, "西门")];
    let mut values = all_values(language);
    let part = |part, old: &str, new: &str| Changed { part, old: Some(old.into()), new: Some(new.into()) };
    let change = Change {
        parts: vec![
            part(Part::Gate(gates[0].id), "小区主入口；门前一米以内", "小区南侧；门前两米以内"),
            part(Part::Fact(Fact::ContactPhone), "021-5550100", "021-5550188"),
        ],
    };
    notice::change_values(&mut values, &change, &gates, language);
    for (key, value) in
        [("stopped_gates", "东门"), ("old_version", "1.0"), ("notice_version", "2.0"), ("answer_by", "2026-12-22")]
    {
        values.insert(key.into(), value.into());
    }
    let text = |text| Arc::new(render(text, language, &values).unwrap());
    let Page { lines, buttons } = notice::page(&text(Text::Change).markdown);
    vec![
        (
            "change",
            ResidentScene::Change { sheet: text(Text::ChangeSheet), lines, buttons },
            vec!["change-no", "change-yes", "change-withdraw"],
        ),
        (
            "change-told",
            ResidentScene::Change { sheet: text(Text::ChangeTold), lines: vec![], buttons: vec![] },
            vec!["change-seen"],
        ),
    ]
}

#[test]
fn p14b_the_three_answers_are_of_one_size_and_weight_and_each_says_itself() {
    use menka::ui::resident::{Action as Out, Message as M, Resident};
    for language in [Language::Chinese, Language::English] {
        let texts = Texts::new(language);
        for (name, scene, ids) in scenes(language) {
            let mut resident = Resident::default();
            resident.apply(&Event::ResidentLanguage(language));
            resident.apply(&Event::Resident(scene));
            let mut sizes = vec![];
            for at in &ids {
                let mut ui = window(LARGE, resident.view(&texts));
                let found = ui.find(id(*at)).unwrap_or_else(|_| panic!("{name}: {at}"));
                sizes.push((found.bounds().width.round(), found.bounds().height.round(), found.bounds().y.round()));
                ui.click(id(*at)).unwrap();
                let messages: Vec<M> = ui.into_messages().collect();
                let answers: Vec<ChangeAnswer> = messages
                    .into_iter()
                    .filter_map(|message| match resident.update(message) {
                        Out::Ask(ResidentCommand::AnswerChange(answer)) => Some(answer),
                        _ => None,
                    })
                    .collect();
                let expected = match *at {
                    "change-no" => ChangeAnswer::Refuse,
                    "change-yes" => ChangeAnswer::Agree,
                    "change-withdraw" => ChangeAnswer::Withdraw,
                    _ => ChangeAnswer::Seen,
                };
                assert_eq!(answers, [expected], "{at}");
            }
            assert!(sizes.windows(2).all(|pair| pair[0] == pair[1]), "{name}: {sizes:?}");
        }
    }
}

#[test]
fn p26_the_home_page_warns_while_a_sign_is_not_posted_and_leads_to_the_signs() {
    let mut staff = with(view());
    assert_eq!(press(&mut staff, "home-signs").len(), 1);
    for texts in both() {
        assert!(window(LARGE, staff.view(&texts)).find(id("sign-posted-0")).is_ok());
    }
    let posted = SignState::Posted(day("2026-11-02"));
    let all = view().signs.into_iter().map(|sign| SignView { state: posted, ..sign }).collect();
    let well = with(NoticeView { signs: all, ..view() });
    for texts in both() {
        assert!(window(LARGE, well.view(&texts)).find(id("home-signs")).is_err(), "nothing to warn of");
    }
}

#[test]
fn p26_a_sign_is_marked_with_its_day_and_not_without() {
    let mut staff = at(Route::Signs);
    assert!(commands(press(&mut staff, "sign-posted-1")).is_empty(), "no day is typed");
    staff.update(Message::Notice(staff::notice::Message::PostedTyped("2026-11-22".into())));
    let asked = commands(press(&mut staff, "sign-posted-1"));
    let [StaffCommand::Notice(NoticeCommand::SignPosted { gate, posted_on })] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((*gate, posted_on.as_str()), (Some(GateId::from_bytes([1; 16])), "2026-11-22"));
    let actions = press(&mut staff, "sign-print-0");
    assert!(matches!(actions[..], [Action::SavePaper(Paper::Sign(None))]), "{actions:?}");
}

#[test]
fn p17c_the_sheet_is_handed_over_from_the_persons_own_record_and_the_answer_is_never_the_staffs() {
    let mut staff = record(Some(news()));
    let who = ResidentId::from_bytes([7; 16]);
    assert!(matches!(press(&mut staff, "news-sheet")[..], [Action::SavePaper(Paper::ChangeSheet(id))] if id == who));
    let asked = commands(press(&mut staff, "news-given"));
    assert!(matches!(asked[..], [StaffCommand::Notice(NoticeCommand::TellOnPaper(id))] if id == who), "{asked:?}");
    // Told: the button rests.
    let told = PersonNews { untold: false, told_at: Some(Timestamp::from_ms(1_795_317_000_000)), ..news() };
    assert!(commands(press(&mut record(Some(told)), "news-given")).is_empty());
    let texts = &both()[0];
    assert!(window(LARGE, record(None).view(texts)).find(id("news")).is_err());
    // Another person's news are not on this record.
    let mut other = record(None);
    let stranger = ResidentId::from_bytes([8; 16]);
    other.apply(StaffEvent::Notice(NoticeEvent::Person(stranger, Some(Box::new(news())))));
    assert!(window(LARGE, other.view(texts)).find(id("news")).is_err());
}

#[test]
fn p14b_facts_that_would_stop_faces_are_written_only_after_a_second_look() {
    let (_, mut staff, _) = pages().into_iter().find(|(name, ..)| *name == "notice-stops").unwrap();
    assert!(commands(press(&mut staff, "stops-no")).is_empty());
    for texts in both() {
        assert!(window(LARGE, staff.view(&texts)).find(id("stops-yes")).is_err(), "back at the facts");
    }
    let mut facts = SiteFacts::default();
    facts.set(Fact::SiteAddress, "别处");
    let event = NoticeEvent::WouldStop { facts: Box::new(facts), parts: vec![Part::Place], people: 2 };
    staff.apply(StaffEvent::Notice(event));
    let asked = commands(press(&mut staff, "stops-yes"));
    let [StaffCommand::Notice(NoticeCommand::SaveFactsAnyway(facts))] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(facts.get(Fact::SiteAddress), "别处");
}

#[test]
fn p55_an_assessment_goes_to_the_desk_as_typed_and_stays_typed_when_it_is_not_accepted() {
    use staff::notice::{AssessmentField as F, Message as M, Tab};
    let mut staff = tab(Tab::Assessment, vec![M::AssessmentFormPressed]);
    for field in F::SHORT.into_iter().chain(Head::ALL.map(F::Head)).chain([F::Necessity]) {
        staff.update(Message::Notice(M::AssessmentTyped(field, field.id().into())));
    }
    let asked = commands(vec![staff.update(Message::Notice(M::RegisterPressed))]);
    let [StaffCommand::Notice(NoticeCommand::RegisterAssessment(typed))] = &asked[..] else { panic!("{asked:?}") };
    let expected = AssessmentTyped {
        number: "pia-number".into(),
        signed_on: "pia-signed-on".into(),
        signer: "pia-signer".into(),
        heads: ["pia-lawful", "pia-effect", "pia-risk", "pia-safeguards"].map(String::from),
        necessity: "pia-necessity".into(),
        review_on: "pia-review-on".into(),
    };
    assert_eq!(**typed, expected);
    let fault = NoticeFailure::Assessment(AssessmentFault::Head(Head::Risk));
    staff.apply(StaffEvent::Failed(Failure::Notice(fault)));
    for texts in both() {
        let mut ui = window(LARGE, staff.view(&texts));
        assert!(ui.find(id("flash")).is_ok() && ui.find(id("pia-number")).is_ok());
    }
    let again = commands(vec![staff.update(Message::Notice(M::RegisterPressed))]);
    assert!(matches!(&again[..], [StaffCommand::Notice(NoticeCommand::RegisterAssessment(t))] if **t == expected));
    staff.apply(StaffEvent::Notice(NoticeEvent::Entered));
    let texts = &both()[0];
    assert!(window(LARGE, staff.view(texts)).find(id("pia-register")).is_err(), "the form is put away");
}

#[test]
fn f09c_the_day_of_an_incident_goes_to_the_desk() {
    let mut staff = at(Route::Assessment);
    assert!(commands(press(&mut staff, "pia-open")).is_empty());
    staff.update(Message::Notice(staff::notice::Message::IncidentTyped("2026-11-20".into())));
    let asked = commands(vec![staff.update(Message::Notice(staff::notice::Message::IncidentPressed))]);
    assert!(matches!(&asked[..], [StaffCommand::Notice(NoticeCommand::EnterIncident(day))] if day == "2026-11-20"));
}

#[test]
fn every_failure_of_this_area_has_words_in_both_languages() {
    let mut all = vec![
        NoticeFailure::SiteFileRefused,
        NoticeFailure::RegistryRefused,
        NoticeFailure::Entrusted(EntrustedFault::Dates),
        NoticeFailure::Day,
        NoticeFailure::DayAhead,
        NoticeFailure::Unfilled(vec!["uscc".into()]),
        NoticeFailure::Nothing,
        NoticeFailure::FileUnreadable("x".into()),
    ];
    all.extend(Field::ALL.map(|field| NoticeFailure::Entrusted(EntrustedFault::Field(field))));
    use AssessmentFault as A;
    all.extend([A::Number, A::Signer, A::Date, A::Review, A::Necessity].map(NoticeFailure::Assessment));
    all.extend(Head::ALL.map(|head| NoticeFailure::Assessment(A::Head(head))));
    for texts in both() {
        for failure in &all {
            let said = menka::ui::explain::failure(&texts, &Failure::Notice(failure.clone()));
            assert!(!said.what.is_empty() && !said.todo.is_empty(), "{failure:?}");
        }
    }
}

#[test]
fn a_record_without_news_looks_as_before() {
    let texts = &both()[0];
    let mut plain = unlocked();
    plain.apply(StaffEvent::Opened(Box::new(person(FaceState::None))));
    let mut ui = window(LARGE, plain.view(texts));
    assert!(ui.find(id("card-field")).is_ok() && ui.find(id("news")).is_err());
}
