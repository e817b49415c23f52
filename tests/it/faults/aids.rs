//! Reading aloud, papers, what was on screen, the question before a page is put away, and the rules while the desk is locked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use menka::app::aids::{AidCommand, AidEvent, Paper, PaperState, View};
use menka::domain::notice::Language;
use menka::ports::{Heard, PrintError, Printer, Speech, SpeechError};
use menka::practice::{Controls, PictureCamera};

use super::*;

/// A voice that says what it is told to say, and remembers what it was asked.
#[derive(Clone, Default)]
struct Voice {
    asked: Arc<Mutex<Vec<(Language, Vec<String>)>>>,
    hushed: Arc<Mutex<u32>>,
    says: Arc<Mutex<VecDeque<Heard>>>,
}

impl Speech for Voice {
    fn speak(&mut self, language: Language, sections: Vec<String>) {
        self.asked.lock().unwrap().push((language, sections));
    }

    fn hush(&mut self) {
        *self.hushed.lock().unwrap() += 1;
    }

    fn heard(&mut self) -> Option<Heard> {
        self.says.lock().unwrap().pop_front()
    }
}

/// A printer that answers with this, and keeps what it was given.
#[derive(Clone)]
struct Tray {
    answer: Result<(), PrintError>,
    papers: Arc<Mutex<Vec<Vec<u8>>>>,
    waiting: bool,
}

impl Tray {
    fn that_answers(answer: Result<(), PrintError>) -> Self {
        Self { answer, papers: Arc::default(), waiting: false }
    }
}

impl Printer for Tray {
    fn print(&mut self, pdf: Vec<u8>) {
        self.papers.lock().unwrap().push(pdf);
        self.waiting = true;
    }

    fn outcome(&mut self) -> Option<Result<(), PrintError>> {
        std::mem::take(&mut self.waiting).then(|| self.answer.clone())
    }
}

fn site_with(voice: Voice, printer: Tray) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let controls = Controls::default();
    let camera =
        Box::new(PictureCamera::new(people(&pictures()).expect("make pictures fetches them"), controls.clone()));
    let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    let drive = Drive::with_aids(folder.path(), engine, camera, controls, (Box::new(voice), Box::new(printer)));
    site_of(folder, drive, &[&[]])
}

fn usual() -> Site {
    site_with(Voice::default(), Tray::that_answers(Ok(())))
}

fn aid(command: AidCommand) -> ResidentCommand {
    ResidentCommand::Aid(command)
}

fn aids_of(events: &[Event]) -> Vec<AidEvent> {
    let of = |event: &Event| match event {
        Event::Aid(aid) => Some(aid.clone()),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

fn view(sections: &[u16], letters_percent: u16) -> ResidentCommand {
    aid(AidCommand::InView(View { sections: sections.to_vec(), letters_percent, high_contrast: false }))
}

#[test]
fn p17b_what_was_on_screen_and_for_how_long_is_in_the_signed_record() {
    let mut site = usual();
    let resident = site.resident("周", 0);
    site.drive.ask_for_face(0).unwrap();
    let start = SystemClock.now();
    let mut at = |command, ms| drop(resident_at(&mut site.drive, command, start.plus_ms(ms)));
    at(view(&[0, 1], 100), 1_000);
    at(view(&[1, 2], 100), 6_000);
    // The clock is set back by an hour: that step counts as nothing, and nothing is taken away.
    at(view(&[2], 150), 6_000 - 3_600_000);
    at(view(&[2, 3], 150), 8_000 - 3_600_000);
    at(ResidentCommand::NoticeReachedEnd, 9_000 - 3_600_000);
    at(ResidentCommand::GoToConsent, 9_500 - 3_600_000);
    let signature = menka::domain::consent::Signature::TypedName("本人".into());
    at(ResidentCommand::Consent { signature }, 12_000 - 3_600_000);
    site.drive.resident(ResidentCommand::Stop);
    let vault = site.vault();
    let records = vault.log_records(0, 1_000).unwrap();
    let consented = records.iter().rfind(|r| r.what == "consented" && r.who == format!("resident:{resident}")).unwrap();
    let record = consented.ids.iter().find_map(|id| menka::domain::id::ConsentId::parse(id)).unwrap();
    let evidence = vault.consent(record).unwrap().evidence;
    let text = String::from_utf8_lossy(&evidence);
    // Section 1: five seconds, then none more; section 2: two; section 3: one and a half. Half a second of lateness is the test's own.
    assert!(text.contains("\"reading\":{\"sections_ms\":[5000,5000,3500,1500],\"letters_percent\":150"), "{text}");
    assert!(text.contains("\"read_aloud\":false"));
}

#[test]
fn p29_on_the_consent_page_the_language_switches_and_an_unread_text_has_to_be_read_first() {
    let mut site = usual();
    site.resident("周", 0);
    site.drive.ask_for_face(0).unwrap();
    site.drive.resident(ResidentCommand::NoticeReachedEnd);
    site.drive.resident(ResidentCommand::GoToConsent);
    let ResidentScene::Consent { sentence: chinese, .. } = site.drive.scene.clone() else { panic!("no consent page") };
    // English was not read: its notice comes, and the consent page cannot be reached before its end.
    site.drive.resident(ResidentCommand::Language(Language::English));
    assert!(matches!(site.drive.scene, ResidentScene::Notice { reached_end: false, .. }));
    site.drive.resident(ResidentCommand::GoToConsent);
    assert!(matches!(site.drive.scene, ResidentScene::Notice { .. }));
    site.drive.resident(ResidentCommand::NoticeReachedEnd);
    site.drive.resident(ResidentCommand::GoToConsent);
    let ResidentScene::Consent { sentence: english, .. } = site.drive.scene.clone() else { panic!("no consent page") };
    assert_ne!(chinese, english);
    // Both were read now: the decision stays the decision, in the other words.
    site.drive.resident(ResidentCommand::Language(Language::Chinese));
    assert!(matches!(&site.drive.scene, ResidentScene::Consent { sentence, .. } if *sentence == chinese));
}

#[test]
fn f05c_nobody_is_hurried_a_minute_before_a_page_is_put_away_it_is_asked_and_one_touch_goes_on() {
    let mut site = usual();
    site.resident("周", 0);
    site.drive.ask_for_face(0).unwrap();
    let start = SystemClock.now();
    let mut tick = |ms: i64| site.drive.desk.tick(start.plus_ms(ms));
    let minutes = 60_000;
    assert_eq!(aids_of(&tick(13 * minutes)), vec![]);
    assert_eq!(aids_of(&tick(14 * minutes + 500)), vec![AidEvent::StillThere(true)]);
    assert_eq!(aids_of(&tick(14 * minutes + 900)), vec![], "asked once");
    let touched = resident_at(&mut site.drive, aid(AidCommand::Here), start.plus_ms(14 * minutes + 40_000));
    assert_eq!(aids_of(&touched), vec![AidEvent::StillThere(false)]);
    let mut tick = |ms: i64| site.drive.desk.tick(start.plus_ms(ms));
    // Fifteen minutes begin anew; only then is the page put away.
    assert_eq!(scene_of(&tick(20 * minutes)), None);
    assert_eq!(aids_of(&tick(29 * minutes)), vec![AidEvent::StillThere(true)]);
    let gone = tick(30 * minutes);
    let idle = |event: &Event| matches!(event, Event::Resident(ResidentScene::Idle { .. }));
    assert!(gone.iter().any(idle), "{gone:?}");
    assert!(aids_of(&gone).contains(&AidEvent::StillThere(false)), "the question does not stand on the next page");
}

#[test]
fn f05c_reading_aloud_follows_the_sections_counts_as_presence_and_stops_on_any_touch() {
    let voice = Voice::default();
    let mut site = site_with(voice.clone(), Tray::that_answers(Ok(())));
    site.resident("周", 0);
    site.drive.ask_for_face(0).unwrap();
    let start = SystemClock.now();
    let at = |site: &mut Site, command, ms| resident_at(&mut site.drive, command, start.plus_ms(ms));
    let words = vec!["先看这一页".to_owned(), "一、我们是谁".to_owned()];
    drop(at(&mut site, view(&[0], 200), 900));
    drop(at(&mut site, aid(AidCommand::Read(words.clone())), 1_000));
    assert_eq!(*voice.asked.lock().unwrap(), [(Language::Chinese, words.clone())]);
    let tick = |site: &mut Site, ms| aids_of(&site.drive.desk.tick(start.plus_ms(ms)));
    voice.says.lock().unwrap().push_back(Heard::Section(0));
    assert_eq!(tick(&mut site, 2_000), [AidEvent::Reading(Some(0))]);
    // Half an hour of listening without a touch: each section shows that somebody is there.
    for minutes in 1..30 {
        voice.says.lock().unwrap().push_back(Heard::Section(1));
        assert_eq!(tick(&mut site, minutes * 60_000), [AidEvent::Reading(Some(1))]);
    }
    // What the page itself tells while it is read does not stop it.
    drop(at(&mut site, view(&[1], 200), 30 * 60_000));
    drop(at(&mut site, ResidentCommand::NoticeReachedEnd, 30 * 60_000));
    assert_eq!(*voice.hushed.lock().unwrap(), 0);
    // A touch does; so does another page, and the desk's lock.
    assert_eq!(aids_of(&at(&mut site, aid(AidCommand::Hush), 30 * 60_000)), [AidEvent::Reading(None)]);
    assert_eq!(*voice.hushed.lock().unwrap(), 1);
    drop(at(&mut site, aid(AidCommand::Read(words.clone())), 30 * 60_000));
    let next = at(&mut site, ResidentCommand::GoToConsent, 30 * 60_000);
    assert_eq!((aids_of(&next), *voice.hushed.lock().unwrap()), (vec![AidEvent::Reading(None)], 2));
    drop(at(&mut site, aid(AidCommand::Read(words)), 30 * 60_000));
    site.drive.staff(StaffCommand::StopFace);
    assert_eq!(*voice.hushed.lock().unwrap(), 3);
    // A voice that cannot is said.
    drop(at(&mut site, aid(AidCommand::Read(vec!["已停止".into()])), 31 * 60_000));
    voice.says.lock().unwrap().push_back(Heard::Failed(SpeechError::NoService));
    assert_eq!(tick(&mut site, 31 * 60_000), [AidEvent::ReadingFailed(SpeechError::NoService)]);
}

// Shows: J02-2, NDR21a
#[test]
fn p07_the_rules_are_open_while_the_desk_is_locked_in_both_languages_and_a_changed_copy_is_not_shown() {
    let mut site = usual();
    let name = "欧阳龘静";
    site.drive.add(name, "7-7707").unwrap();
    site.drive.resident(ResidentCommand::ShowRules);
    let ResidentScene::Rules { texts: open } = site.drive.scene.clone() else { panic!("{:?}", site.drive.scene) };
    assert_eq!(open.len(), 3, "other ways, notice, children's rules");
    site.drive.staff(StaffCommand::Lock);
    assert_eq!(site.drive.scene, ResidentScene::Closed);
    site.drive.resident(ResidentCommand::ShowRules);
    assert_eq!(site.drive.scene, ResidentScene::Rules { texts: open.clone() }, "the same words, byte for byte");
    // On paper too.
    let pdf = site.folder.path().join("rules.pdf");
    let saved = resident_at(&mut site.drive, aid(AidCommand::Save(Paper::Rules, pdf.clone())), SystemClock.now());
    assert_eq!(aids_of(&saved), [AidEvent::Paper(PaperState::Saved("rules.pdf".into()))]);
    assert!(std::fs::read(&pdf).unwrap().starts_with(b"%PDF-"));
    site.drive.resident(ResidentCommand::Language(Language::English));
    let ResidentScene::Rules { texts: english } = site.drive.scene.clone() else { panic!("{:?}", site.drive.scene) };
    assert!(english.len() == 3 && english.iter().all(|text| text.reference.language == Language::English));
    site.drive.resident(ResidentCommand::Back);
    assert_eq!(site.drive.scene, ResidentScene::Closed);
    // Nothing else is to be had while the desk is locked.
    for command in [ResidentCommand::AskFace, ResidentCommand::AskWithdraw, ResidentCommand::GoToConsent] {
        site.drive.resident(command);
        assert_eq!(site.drive.scene, ResidentScene::Closed);
    }
    let path = site.drive.data().join("public-rules.cose");
    let copy = std::fs::read(&path).unwrap();
    assert!(!copy.windows(name.len()).any(|w| w == name.as_bytes()), "no person is in the copy");

    // Any changed byte: not shown, and told at the next unlock, after which the copy is whole again.
    for at in [40, copy.len() / 2, copy.len() - 1] {
        let mut changed = copy.clone();
        changed[at] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        site.drive.resident(ResidentCommand::ShowRules);
        assert_eq!(site.drive.scene, ResidentScene::Rules { texts: vec![] }, "byte {at}");
    }
    site.drive.failures.clear();
    site.drive.unlock();
    assert_eq!(site.drive.failures, [Failure::RulesChanged]);
    site.drive.failures.clear();
    site.drive.staff(StaffCommand::Lock);
    site.drive.resident(ResidentCommand::ShowRules);
    assert!(matches!(&site.drive.scene, ResidentScene::Rules { texts } if texts.len() == 3));
    // A forger's key beside a forger's copy is found at the unlock.
    std::fs::write(site.drive.data().join("evidence-key.pub"), "ab".repeat(32)).unwrap();
    site.drive.resident(ResidentCommand::ShowRules);
    assert_eq!(site.drive.scene, ResidentScene::Rules { texts: vec![] });
    site.drive.unlock();
    assert_eq!(site.drive.failures, [Failure::RulesChanged]);
}

#[test]
fn p07_a_copy_of_the_rules_that_is_missing_is_not_made_up_and_comes_back_at_the_next_unlock() {
    let mut site = usual();
    site.drive.staff(StaffCommand::Lock);
    std::fs::remove_file(site.drive.data().join("public-rules.cose")).unwrap();
    site.drive.resident(ResidentCommand::ShowRules);
    assert_eq!(site.drive.scene, ResidentScene::Rules { texts: vec![] }, "nothing is shown in its place");
    site.drive.unlock();
    site.drive.staff(StaffCommand::Lock);
    site.drive.resident(ResidentCommand::ShowRules);
    assert!(matches!(&site.drive.scene, ResidentScene::Rules { texts } if texts.len() == 3), "{:?}", site.drive.scene);
}

#[test]
fn p07_the_locked_rules_follow_a_change_of_the_facts() {
    let mut site = usual();
    let mut facts = menka::practice::site::facts();
    facts.set(menka::domain::site::Fact::ContactPhone, "010-55550123");
    site.drive.staff(StaffCommand::SaveFacts(facts));
    site.drive.staff(StaffCommand::Lock);
    site.drive.resident(ResidentCommand::ShowRules);
    let ResidentScene::Rules { texts } = &site.drive.scene else { panic!("{:?}", site.drive.scene) };
    assert!(texts.iter().any(|text| text.markdown.contains("010-55550123")));
}

#[test]
fn p17d_the_very_notice_is_printed_or_saved_and_a_printer_that_does_not_answer_is_said() {
    let printer = Tray::that_answers(Err(PrintError::Stuck));
    let mut site = site_with(Voice::default(), printer.clone());
    site.resident("周", 0);
    // On the idle screen there is no paper to be had, and no path is written to.
    let stray = site.folder.path().join("stray.pdf");
    site.drive.resident(aid(AidCommand::Save(Paper::Notice, stray.clone())));
    assert!(!stray.exists());

    site.drive.ask_for_face(0).unwrap();
    let now = SystemClock.now();
    let printing = resident_at(&mut site.drive, aid(AidCommand::Print(Paper::Notice)), now);
    assert_eq!(aids_of(&printing), [AidEvent::Paper(PaperState::Printing)]);
    assert_eq!(aids_of(&site.drive.desk.tick(now)), [AidEvent::Paper(PaperState::NotPrinted(PrintError::Stuck))]);
    let pdf = site.folder.path().join("notice.pdf");
    let saved = resident_at(&mut site.drive, aid(AidCommand::Save(Paper::Notice, pdf.clone())), now);
    assert_eq!(aids_of(&saved), [AidEvent::Paper(PaperState::Saved("notice.pdf".into()))]);
    assert_eq!(std::fs::read(&pdf).unwrap(), printer.papers.lock().unwrap()[0], "printed and saved are the same paper");
    let nowhere = site.folder.path().join("no such folder").join("a.pdf");
    let failed = resident_at(&mut site.drive, aid(AidCommand::Save(Paper::Notice, nowhere)), now);
    assert!(matches!(&aids_of(&failed)[..], [AidEvent::Paper(PaperState::NotSaved(_))]));

    // At the receipt: the receipt, and the very notice that was agreed to.
    let ResidentScene::Notice { text, .. } = site.drive.scene.clone() else { panic!("{:?}", site.drive.scene) };
    site.drive.read_and_consent().unwrap();
    let tries = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { .. });
    site.drive.until("the try", Duration::from_secs(40), tries).unwrap();
    site.drive.resident(ResidentCommand::Finish);
    let agreed = site.folder.path().join("agreed.pdf");
    site.drive.resident(aid(AidCommand::Save(Paper::Notice, agreed.clone())));
    assert_eq!(std::fs::read(&agreed).unwrap(), menka::paper::text_pdf(&text).unwrap());
    let before = printer.papers.lock().unwrap().len();
    site.drive.resident(aid(AidCommand::Print(Paper::Receipt)));
    let papers = printer.papers.lock().unwrap();
    assert_eq!(papers.len(), before + 1);
    assert!(papers[before].starts_with(b"%PDF-"));
}
