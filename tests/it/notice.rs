//! The legal texts: what they must say, that nothing is left open in them, that a value stays words, and that the same goes in gives the
//! same bytes. And the papers made of them, read back by the tools people have.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use menka::domain::gate::GateRecord;
use menka::domain::id::GateId;
use menka::domain::notice::Language;
use menka::domain::site::{Fact, Need, SiteFacts};
use menka::domain::time::CivilDate;
use menka::notice::{
    self, Block, PersonCase, Text, Values, blocks, check_code, consent_page, page, plain, render, values_for,
};
use menka::paper;
use menka::secret::EngineId;
use sha2::Digest;

const BOTH: [Language; 2] = [Language::Chinese, Language::English];

pub fn facts() -> SiteFacts {
    let mut facts = SiteFacts::default();
    let written = [
        (Fact::ProcessorName, "青禾物业服务有限公司"),
        (Fact::Uscc, "91310000MA1K000000"),
        (Fact::ProcessorAddress, "上海市青禾路1号"),
        (Fact::ContactPhone, "021-5550100"),
        (Fact::ContactEmail, "privacy@example.cn"),
        (Fact::PiOfficerName, "周敏"),
        (Fact::PiOfficerPhone, "021-5550101"),
        (Fact::SiteName, "青禾苑"),
        (Fact::SiteAddress, "上海市青禾路8号"),
        (Fact::DeskPlace, "南门值班室"),
        (Fact::DeskHours, "每日8:00–20:00"),
        (Fact::GuardPhone, "021-5550199"),
        (
            Fact::NecessityReason,
            "部分老人双手提物、推轮椅时不便刷卡，雨天尤其如此；已经比较过远距感应卡、蓝牙钥匙和值班人员放行，等候较久或者容易遗忘，\
             所以人脸只作为自愿的补充，门禁卡仍是默认方式。",
        ),
        (
            Fact::EffectText,
            "两道门都在小区内部，镜头只取门前一米以内，可能短暂拍到同行的家人和访客；门禁机的开门记录会反映进出这两道门的时间，\
             到期自动删除，前台看不到；认不出时可能要多等几秒再刷卡。",
        ),
        (Fact::BenefitText, "双手提物时不用找卡。"),
        (Fact::CacContact, "12377"),
        (Fact::PoliceContact, "110"),
        (Fact::HousingContact, "12345"),
        (Fact::PiaNo, "PIA-2026-01"),
        (Fact::PiaDate, "2026-11-01"),
        (Fact::CardFee, "首张免费，补卡10元"),
        (Fact::ChildOfficerName, "陈静"),
        (Fact::ChildOfficerPhone, "021-5550102"),
    ];
    for (fact, text) in written {
        facts.set(fact, text);
    }
    facts
}

pub fn gate(n: u8, name: &str) -> GateRecord {
    GateRecord {
        id: GateId::from_bytes([n; 16]),
        name: name.into(),
        place: "小区主入口".into(),
        capture_area: "门前一米以内".into(),
        other_way: "刷卡，值班人员核对".into(),
        why_needed: "提物、推婴儿车时不便刷卡".into(),
        address: "192.168.1.20:7443".into(),
        tls_pin: [n; 32],
        seal_key: [n; 32],
        sign_key: [n; 32],
        card_way_tested_at: None,
        takes_faces: true,
    }
}

fn case() -> PersonCase {
    PersonCase {
        face_ends_on: CivilDate::parse("2027-11-21").unwrap(),
        card_last4: "77AF".into(),
        card_valid_to: CivilDate::parse("2028-06-30").unwrap(),
        card_gates: vec!["东门".into(), "西门".into()],
    }
}

/// Everything that a text of this language can ask for.
pub fn all_values(language: Language) -> Values {
    let gates = [gate(1, "东门"), gate(2, "西门")];
    let mut values = values_for(&facts(), &gates, language, &EngineId::sface(), Some(&case()));
    for name in asked(language) {
        values.entry(name.clone()).or_insert_with(|| format!("<{name}>"));
    }
    values
}

/// All placeholders of the texts in use.
fn asked(language: Language) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for text in Text::ALL {
        if let Err(unfilled) = render(text, language, &Values::new()) {
            names.extend(unfilled.0);
        }
    }
    names.insert("consent_time".into());
    names
}

fn rendered(text: Text, language: Language) -> String {
    render(text, language, &all_values(language)).unwrap().markdown
}

fn assets(language: Language) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/notices").join(language.tag())
}

#[test]
fn the_same_values_give_the_same_bytes() {
    for language in BOTH {
        for text in Text::ALL {
            let first = render(text, language, &all_values(language)).unwrap();
            assert_eq!(first, render(text, language, &all_values(language)).unwrap());
            assert!(first.markdown.ends_with('\n') && !first.markdown.ends_with("\n\n"), "{text:?}");
            assert!(!first.markdown.contains('\r') && !first.markdown.contains(['{', '}']), "{text:?}");
            let digest: [u8; 32] = sha2::Sha256::digest(first.markdown.as_bytes()).into();
            assert_eq!(first.reference.sha256, digest);
            assert_eq!(first.reference.language, language);
        }
    }
}

#[test]
fn p17a_each_missing_star_fact_is_named_and_the_notice_stays_shut() {
    for language in BOTH {
        let template = std::fs::read_to_string(assets(language).join("notice.md")).unwrap()
            + &std::fs::read_to_string(assets(language).join("other-ways.md")).unwrap();
        let asked = notice::placeholders(&template);
        for fact in Fact::ALL.iter().filter(|f| matches!(f.need(), Need::Star | Need::Required | Need::Derived)) {
            let mut values = all_values(language);
            values.remove(fact.key());
            let named: Vec<String> = [Text::Notice, Text::OtherWays]
                .into_iter()
                .filter_map(|text| render(text, language, &values).err())
                .flat_map(|unfilled| unfilled.0)
                .collect();
            let expected = asked.iter().any(|name| name == fact.key());
            assert!(expected, "{fact:?} is asked for nowhere");
            assert!(!named.is_empty() && named.iter().all(|name| name == fact.key()), "{fact:?}: {named:?}");
        }
    }
}

#[test]
fn p17a_a_value_that_is_still_a_placeholder_counts_as_missing() {
    let mut values = all_values(Language::Chinese);
    values.insert("uscc".into(), "{uscc}".into());
    values.insert("site_name".into(), " \n ".into());
    let unfilled = render(Text::Notice, Language::Chinese, &values).unwrap_err();
    assert_eq!(unfilled.0, ["uscc", "site_name"]);
}

// Shows: F04
#[test]
fn p17a_an_empty_gate_field_is_named() {
    for language in BOTH {
        let mut gates = [gate(1, "东门"), gate(2, "西门")];
        gates[1].other_way = "  ".into();
        gates[0].capture_area = "{area}".into();
        let values = values_for(&facts(), &gates, language, &EngineId::sface(), Some(&case()));
        let unfilled = render(Text::Notice, language, &values).unwrap_err();
        assert_eq!(unfilled.0, ["gate_list.东门.capture_area", "gate_list.西门.other_way"]);

        let none = values_for(&facts(), &[], language, &EngineId::sface(), Some(&case()));
        assert!(render(Text::Notice, language, &none).unwrap_err().0.contains(&"gate_list".to_owned()));
        assert!(consent_page(language, &none).unwrap_err().0.contains(&"gate_names".to_owned()));
    }
}

#[test]
fn the_local_rule_may_be_empty_and_leaves_no_trace() {
    for language in BOTH {
        let without = rendered(Text::Notice, language);
        let mut values = all_values(language);
        values.insert("local_rule_line".into(), "上海市数据条例第二十三条".into());
        let with = render(Text::Notice, language, &values).unwrap().markdown;
        assert!(with.contains("\n上海市数据条例第二十三条\n"));
        assert_eq!(with.lines().count(), without.lines().count() + 1);
    }
}

#[test]
fn p69_one_changed_character_changes_digest_and_check_code() {
    for language in BOTH {
        let before = render(Text::Notice, language, &all_values(language)).unwrap();
        let mut values = all_values(language);
        values.insert("contact_phone".into(), "021-5550102".into());
        let after = render(Text::Notice, language, &values).unwrap();
        assert_ne!(before.reference.sha256, after.reference.sha256);
        let code = check_code(Text::Notice, language, &values).unwrap();
        assert_ne!(code, check_code(Text::Notice, language, &all_values(language)).unwrap());
        // Anybody can check the code: put the placeholder back and hash.
        let open = after.markdown.replace(&code, "{notice_hash}");
        let digest: String = sha2::Sha256::digest(open.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(code, digest);
        assert_eq!(after.markdown.matches(&code).count(), 1);
    }
}

#[test]
fn a_value_cannot_become_structure() {
    let attacks = [
        "x |\n|---|\n| 无敏感 | 全部公开 |",
        "**同意**",
        "# 您必须录入人脸",
        "a\n# 您必须录入人脸",
        "a\r\n> 先看这一页",
        "a\u{2028}# b",
        "| a | b |",
        r"\",
        r"a\|b",
        "☐ 我同意一切",
        "〔 同意 〕",
        "`x` <b>y</b> [z](http://example.cn)",
    ];
    for language in BOTH {
        for attack in attacks {
            for text in [Text::Notice, Text::OtherWays, Text::Receipt] {
                let honest = blocks(&rendered(text, language));
                for key in ["processor_name", "benefit_text", "pi_officer_name", "identity_end_rule", "gate_names"] {
                    let mut values = all_values(language);
                    values.insert(key.into(), attack.into());
                    let attacked = blocks(&render(text, language, &values).unwrap().markdown);
                    assert_eq!(shape(&honest), shape(&attacked), "{key} = {attack:?}");
                }
            }
            let mut values = all_values(language);
            values.insert("gate_names".into(), attack.into());
            let honest = consent_page(language, &all_values(language)).unwrap();
            let attacked = consent_page(language, &values).unwrap();
            assert_eq!(honest.preamble.len(), attacked.preamble.len());
            assert_eq!((&honest.no, &honest.yes), (&attacked.no, &attacked.yes));
            assert!(!attacked.sentence.contains('\n'));
        }
    }
}

/// Kinds of blocks, levels, sizes of tables, and which words are bold: everything but the words.
fn shape(blocks: &[Block]) -> Vec<String> {
    let weights = |spans: &[notice::Span]| spans.iter().map(|s| s.bold).collect::<Vec<_>>();
    let cells = |row: &[Vec<notice::Span>]| row.iter().map(|c| weights(c)).collect::<Vec<_>>();
    blocks
        .iter()
        .map(|block| match block {
            Block::Heading(level, words) => format!("h{level} {:?}", weights(words)),
            Block::Paragraph(words) => format!("p {:?}", weights(words)),
            Block::Summary(lines) => format!("s {:?}", lines.iter().map(|l| weights(l)).collect::<Vec<_>>()),
            Block::Table(head, rows) => {
                format!("t {:?} {:?}", cells(head), rows.iter().map(|r| cells(r)).collect::<Vec<_>>())
            }
        })
        .collect()
}

#[test]
fn a_gate_list_that_is_no_table_stays_words_and_cells_stay_cells() {
    let mut values = all_values(Language::Chinese);
    values.insert("gate_list".into(), "# 大标题\n| a |".into());
    let text = render(Text::Notice, Language::Chinese, &values).unwrap().markdown;
    assert!(text.contains("\\# 大标题 \\| a \\|"), "escaped");

    let mut nasty = gate(1, "东|门");
    nasty.place = "a |\n|---|\n| x".into();
    let values = values_for(&facts(), &[nasty], Language::Chinese, &EngineId::sface(), Some(&case()));
    let parsed = blocks(&render(Text::Notice, Language::Chinese, &values).unwrap().markdown);
    let table = parsed.iter().find_map(|block| match block {
        Block::Table(head, rows) if head.len() == 5 => Some(rows),
        _ => None,
    });
    let rows = table.expect("the table of gates");
    assert_eq!(rows.len(), 1);
    assert_eq!(notice::plain_spans(&rows[0][0]), "东|门");
    assert_eq!(notice::plain_spans(&rows[0][1]), "a | |---| | x");
}

#[test]
fn both_languages_ask_for_the_same_values_in_every_file() {
    let names = |language: Language| -> BTreeSet<String> {
        std::fs::read_dir(assets(language))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    assert_eq!(names(Language::Chinese), names(Language::English));
    for file in names(Language::Chinese) {
        let asked = |language: Language| -> BTreeSet<String> {
            let raw = std::fs::read_to_string(assets(language).join(&file)).unwrap();
            assert!(raw.starts_with("---\nid: MK-") && raw.contains(&format!("\nlanguage: {}\n", language.tag())));
            notice::placeholders(&raw).into_iter().collect()
        };
        assert_eq!(asked(Language::Chinese), asked(Language::English), "{file}");
    }
}

#[test]
fn j02_what_the_notice_promises_is_in_it_word_for_word() {
    let promises: [(Text, &[&str], &[&str]); 6] = [
        (
            Text::Notice,
            &[
                "不录，您照样用门禁卡进出。卡已经先办好，能开的门、能用的时间、费用和数量，与录人脸的住户完全一样。",
                "不留照片，不经过互联网，不给别人，不出境。",
                "只在本机内存里，不写入硬盘",
                "只在第六节为您勾选的门禁机里",
                "门禁机里没有您的姓名和房号",
                "查验证件时只看，不扫描，不留存。",
                "只取画面中引导框内的部分；画面里出现别人，这一张就作废。",
                "本机不留。",
                "该机最迟在失去联系 24 小时后自动停止人脸功能",
                "只在门禁机里，本机不读取",
                "30 天，到期自动删除",
                "人脸特征加密且可以作废重做",
                "到期不用您申请，程序自动从全部门禁机里删除，并回读核对",
                "人脸特征不做备份。",
                "我们不会反复劝您；您表示不录之后，只有您主动提出，我们才会再次办理。",
                "重要操作要两人；所有查看和操作都有日志，任何改动都会被发现",
                "门禁机不保存陌生人的画面",
                "人脸特征一律删除，不移交。",
                "人脸属于敏感个人信息，终身难以更换，一旦泄露可能伤害您的人身和财产安全。请看完全文再决定。",
            ],
            &[
                "It has already been issued, and opens the same doors, at the same hours, for the same cost and in the \
                 same number as for those who enrol.",
                "No photo is kept, nothing passes over the internet, nothing is given to others or sent abroad.",
                "only in the gates ticked for you in section 6",
                "the gate holds neither name nor unit",
                "a frame with another person is thrown away",
                "at the latest 24 hours after losing contact",
                "Templates are not backed up.",
                "We will not keep asking; after a refusal we act again only if you raise it.",
                "templates are deleted, not handed over",
            ],
        ),
        (
            Text::OtherWays,
            &["先于任何人脸办理发放", "卡都能开，全天有效", "修好之前，那道门停止只用人脸放行。"],
            &["issued before any face step", "until repaired that door does not admit by face alone"],
        ),
        (Text::CameraHint, &["只取框内您的脸", "画面不保存"], &["Only your face in the box is used"]),
        (Text::Refused, &["今后我们不会主动再问"], &["We will not ask again"]),
        (Text::Withdraw, &["不需要说明理由，不收费。门禁卡不受影响。"], &["No reason, no charge"]),
        (
            Text::DeletionCertificate,
            &["照片：从未留存。备份：人脸特征从未备份。", "停用时间按最后一次签名联系推算，不写得更早"],
            &["Photos: never kept. Backups: templates never backed up."],
        ),
    ];
    for (text, chinese, english) in promises {
        let (zh, en) = (plain(&rendered(text, Language::Chinese)), plain(&rendered(text, Language::English)));
        for words in chinese {
            assert!(zh.contains(words), "{text:?}: {words}");
        }
        for words in english {
            assert!(en.contains(words), "{text:?}: {words}");
        }
    }
}

#[test]
fn p17_every_section_is_there_in_both_languages() {
    for (language, count) in [(Language::Chinese, 17), (Language::English, 17)] {
        let parsed = blocks(&rendered(Text::Notice, language));
        let sections = parsed.iter().filter(|b| matches!(b, Block::Heading(2, _))).count();
        assert_eq!(sections, count);
        let Some(Block::Summary(lines)) = parsed.iter().find(|b| matches!(b, Block::Summary(_))) else {
            panic!("no summary box")
        };
        assert_eq!(lines.len(), 9, "a title and eight points");
        assert!(lines[7].iter().any(|s| s.bold), "the warning is set off");
        let tables = parsed.iter().filter(|b| matches!(b, Block::Table(..))).count();
        assert_eq!(tables, 3, "collection, gates, rights");
    }
}

#[test]
fn j11_no_void_or_pressing_words_stand_in_any_text() {
    let banned = ["永久", "不可撤销", "无限期", "任意转授权", "必须录入", "优先通行", "有礼", "匿名"];
    for entry in std::fs::read_dir(assets(Language::Chinese)).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for word in banned {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
}

// Shows: J04-2
#[test]
fn p29_the_consent_page_is_one_sentence_two_lines_and_two_buttons() {
    let zh = consent_page(Language::Chinese, &all_values(Language::Chinese)).unwrap();
    assert_eq!(zh.title, "是否录入人脸");
    assert_eq!(zh.preamble.len(), 2);
    assert!(zh.preamble[0].starts_with("我已看完《人脸识别门禁告知书》（编号 MK-N1，版本 1.0）"));
    assert_eq!(
        zh.sentence,
        "我单独同意 青禾物业服务有限公司 现场采集我的人脸，生成加密的人脸特征，只存放在以下门禁机内：东门、西门；\
         只用于为我开门；保存到 2027年11月21日。"
    );
    assert_eq!((zh.no.as_str(), zh.yes.as_str()), ("不录人脸，只用门禁卡", "同意录入人脸"));
    let en = consent_page(Language::English, &all_values(Language::English)).unwrap();
    assert_eq!(en.preamble.len(), 2);
    assert!(en.sentence.starts_with("I separately consent to "));
    assert_eq!((en.no.as_str(), en.yes.as_str()), ("No face, card only", "I consent to enrol"));
    for (page, language) in [(&zh, Language::Chinese), (&en, Language::English)] {
        let digest: [u8; 32] = sha2::Sha256::digest(page.markdown.as_bytes()).into();
        assert_eq!((page.reference.sha256, page.reference.language), (digest, language));
        let shown = plain(&page.markdown);
        for words in page.preamble.iter().chain([&page.sentence, &page.no, &page.yes, &page.title]) {
            assert!(shown.contains(words.as_str()), "{words}");
        }
    }
}

#[test]
fn the_withdrawal_page_gives_its_words_and_buttons() {
    let zh = page(&rendered(Text::Withdraw, Language::Chinese));
    assert_eq!(zh.buttons, ["撤回并删除", "返回"]);
    assert_eq!(zh.lines.last().map(String::as_str), Some("不需要说明理由，不收费。门禁卡不受影响。"));
    let en = page(&rendered(Text::Withdraw, Language::English));
    assert_eq!(en.buttons, ["Withdraw and delete", "Back"]);
    assert_eq!(en.lines.len(), 2);
}

#[test]
fn the_public_notice_needs_no_person() {
    for language in BOTH {
        let values = values_for(&facts(), &[gate(1, "东门")], language, &EngineId::sface(), None);
        assert!(render(Text::Notice, language, &values).is_ok());
        assert!(render(Text::OtherWays, language, &values).is_ok());
    }
}

#[test]
fn our_own_defaults_are_said_in_english_too() {
    let values = values_for(&facts(), &[gate(1, "East")], Language::English, &EngineId::sface(), Some(&case()));
    let chinese = |key: &str| values[key].chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for key in ["joint_list", "entrusted_list", "recipient_list", "face_end_rule", "identity_end_rule"] {
        assert!(!chinese(key), "{key}");
    }
}

#[test]
fn p47_a_certificate_lists_every_gate_and_checks_itself() {
    let mut values = all_values(Language::Chinese);
    for (row, name) in [(1, "东门"), (2, "西门")] {
        values.insert(format!("gate_name.{row}"), name.into());
        values.insert(format!("deleted_time.{row}"), format!("2026-11-22 1{row}:00"));
    }
    let text = render(Text::DeletionCertificate, Language::Chinese, &values).unwrap().markdown;
    assert_eq!(text.lines().filter(|line| line.starts_with("| 东门") || line.starts_with("| 西门")).count(), 2);
    assert!(text.contains("2026-11-22 12:00"));
    let code = check_code(Text::DeletionCertificate, Language::Chinese, &values).unwrap();
    assert!(text.contains(&format!("校验码：{code}")));
}

#[test]
fn p17d_a_paper_says_what_the_text_says() {
    let dir = tempfile::tempdir().unwrap();
    for (text, language) in [Text::Notice, Text::Receipt, Text::DeletionCertificate]
        .into_iter()
        .flat_map(|text| BOTH.map(|language| (text, language)))
    {
        let rendered = render(text, language, &all_values(language)).unwrap();
        let qr = "MENKA1:7f3a2c91:8d0c";
        let pdf = if text == Text::Receipt {
            paper::receipt_pdf(&rendered, qr).unwrap()
        } else {
            paper::text_pdf(&rendered).unwrap()
        };
        assert!(pdf.starts_with(b"%PDF-") && pdf.len() < 400_000, "{} bytes", pdf.len());
        let path = dir.path().join(format!("{text:?}-{}.pdf", language.tag()));
        std::fs::write(&path, &pdf).unwrap();
        if let Ok(kept) = std::env::var("MENKA_SHOTS") {
            std::fs::write(Path::new(&kept).join(path.file_name().unwrap()), &pdf).unwrap();
        }
        // poppler and zbar are on the build machines; elsewhere the bytes above are what can be checked.
        let Ok(read) = std::process::Command::new("pdftotext").args(["-raw"]).arg(&path).arg("-").output() else {
            continue;
        };
        let squeeze = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let read = squeeze(&String::from_utf8(read.stdout).unwrap());
        for block in blocks(&rendered.markdown) {
            if let Block::Heading(_, words) | Block::Paragraph(words) = block {
                // A page's end may stand in the middle of a line of the text: its first half is on one page.
                let words = squeeze(&notice::plain_spans(&words));
                let head: String = words.chars().take(20).collect();
                assert!(read.contains(&head), "{text:?} {language:?}: {words}");
            }
        }
        let png = dir.path().join("page");
        let drawn = std::process::Command::new("pdftoppm").args(["-r", "110", "-png"]).arg(&path).arg(&png).status();
        if text == Text::Receipt && drawn.is_ok_and(|s| s.success()) {
            let page = dir.path().join("page-1.png");
            if let Ok(scan) = std::process::Command::new("zbarimg").args(["-q", "--raw"]).arg(&page).output() {
                assert_eq!(String::from_utf8(scan.stdout).unwrap().trim(), qr);
            }
        }
    }
}
