//! Both sides of every edge: clocks, terms, and what a refusal must hold.

use super::*;

fn day(text: &str) -> CivilDate {
    CivilDate::parse(text).unwrap_or(CivilDate::from_epoch_days(0))
}

#[test]
fn l4_fifteen_working_days_are_counted_from_the_day_after() {
    let terms = Terms::of(&SiteFacts::default());
    // Received on a Sunday, a Monday, a Friday, a Saturday.
    for (received, due) in [
        ("2026-11-22", "2026-12-11"),
        ("2026-11-23", "2026-12-14"),
        ("2026-11-27", "2026-12-18"),
        ("2026-11-28", "2026-12-18"),
    ] {
        assert_eq!(terms.due_on(RequestKind::See, day(received)), day(due), "{received}");
    }
}

#[test]
fn lhz2_a_complaint_has_ten_days_and_no_fact_makes_it_longer() {
    let mut facts = SiteFacts::default();
    for (written, due) in [("10", "2026-12-02"), ("30", "2026-12-02"), ("soon", "2026-12-02"), ("5", "2026-11-27")] {
        facts.set(Fact::ComplaintDays, written);
        assert_eq!(Terms::of(&facts).due_on(RequestKind::Complaint, day("2026-11-22")), day(due), "{written}");
    }
    facts.set(Fact::RightsDays, "400");
    assert_eq!(Terms::of(&facts), Terms { rights_days: 15, complaint_days: 5 });
    facts.set(Fact::RightsDays, "-3");
    assert_eq!(Terms::of(&facts).rights_days, 1);
}

#[test]
fn l4_the_clock_says_soon_and_overdue_at_their_edges() {
    let (due, read) = (day("2026-12-11"), |at| Clock::read(day("2026-12-11"), None, day(at)));
    assert_eq!(read("2026-12-07"), Clock::Running { days: 4 });
    assert_eq!(read("2026-12-08"), Clock::Soon { days: 3 });
    assert_eq!(read("2026-12-11"), Clock::Soon { days: 0 });
    assert_eq!(read("2026-12-12"), Clock::Overdue { days: 1 });
    assert_eq!(Clock::read(due, Some(Timestamp::from_ms(1)), day("2027-01-01")), Clock::Done);
}

#[test]
fn p50_a_refusal_without_reason_basis_or_court_is_none() {
    let full = RefusalWords {
        part: "删除同意记录".into(),
        reason: "同意记录是证明我们依法办理的材料，依法须留存三年。".into(),
        basis: "《个人信息保护法》第五十六条".into(),
    };
    let letter = |words: &RefusalWords, end: &str| {
        format!("未办理：{}。理由：{}依据：{}。可以向 12377、12345 投诉{end}", words.part, words.reason, words.basis)
    };
    let court = "，也可以依法向人民法院起诉。";
    let try_it = |words: &RefusalWords, end: &str, authorities: &[&str]| {
        let text = letter(words, end);
        WrittenRefusal::new(words, text.clone(), &text, authorities).map(|_| ())
    };
    assert_eq!(try_it(&full, court, &["12377", "12345"]), Ok(()));
    assert_eq!(try_it(&full, "。", &["12377", "12345"]), Err(RefusalFault::LetterIncomplete), "no court");
    assert_eq!(try_it(&full, court, &["12377", "96110"]), Err(RefusalFault::LetterIncomplete), "no such contact");
    assert_eq!(try_it(&full, court, &["12377", " "]), Err(RefusalFault::LetterIncomplete));
    assert_eq!(try_it(&full, court, &[]), Err(RefusalFault::LetterIncomplete));
    let short = |part: &str, reason: &str, basis: &str| {
        let words = RefusalWords { part: part.into(), reason: reason.into(), basis: basis.into() };
        try_it(&words, court, &["12377"])
    };
    assert_eq!(short("", &full.reason, &full.basis), Err(RefusalFault::PartMissing));
    assert_eq!(short(&full.part, "不行", &full.basis), Err(RefusalFault::ReasonMissing));
    assert_eq!(short(&full.part, "          ", &full.basis), Err(RefusalFault::ReasonMissing));
    assert_eq!(short(&full.part, &full.reason, "法律"), Err(RefusalFault::BasisMissing));
    // Another letter than the one that says these words.
    let other = "全部办好了。人民法院起诉 12377";
    assert!(WrittenRefusal::new(&full, other.into(), other, &["12377"]).is_err());
}

#[test]
fn words_read_back_and_are_used_once() {
    for kind in RequestKind::ALL {
        assert_eq!(RequestKind::parse(kind.label()), Some(*kind));
    }
    assert_eq!(RequestKind::parse("everything"), None);
    assert_eq!(RequestNo::new(7, day("2026-11-22")).to_string(), "2026-0007");
    assert_eq!((section_label(0), section_label(17), section_label(18)), ("all", "17", "all"));
}
