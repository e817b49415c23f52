//! The whole paper of a deletion certificate, from the first one, saved before any gate was told, to the supplement: read out of the PDF and held
//! against what the file beside it proves. Over real gate processes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::deletion::DeletionCommand;
use menka::app::event::{Failure, FieldFault, ResidentScene};
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::id::{ConsentId, GateId};
use menka::domain::time::Timestamp;
use menka::evidence::certificate::{self, Checked, Keys};
use menka::ports::Clock;
use menka::practice::site::{OPERATOR, PASSPHRASE};
use menka::secret::Passphrase;
use menka::vault::Vault;

use super::deletion::{NAME, Site, UNIT, enrolled, full_log, name_of, pdf_text};

/// A saved paper: its words without any space, and what the file beside it says when every step of it was checked.
struct Saved {
    text: String,
    said: Checked,
    /// Its number, and that of the one that it completes, as on the paper.
    number: String,
    completes: Option<String>,
    statement: serde_json::Value,
}

fn read(path: &Path, keys: &Keys) -> Saved {
    let file = std::fs::read(path.with_extension("json")).unwrap();
    let said = certificate::verify(&file, keys).unwrap();
    let file: serde_json::Value = serde_json::from_slice(&file).unwrap();
    let signed = super::vault::deletion::unhex(file["statement"].as_str().unwrap());
    let payload = menka::evidence::statement::verify(&signed, &keys.station).unwrap().payload;
    let short = |id: &str| id[..12].to_uppercase();
    let (number, completes) = (short(&said.certificate), said.supplement_of.as_deref().map(short));
    Saved { text: pdf_text(path), said, number, completes, statement: serde_json::from_slice(&payload).unwrap() }
}

impl Saved {
    /// What stands between two words of the paper.
    fn between(&self, before: &str, after: &str) -> &str {
        let rest = self.text.split_once(before).unwrap_or_else(|| panic!("{before} is missing in {}", self.text)).1;
        rest.split_once(after).unwrap_or_else(|| panic!("{after} is missing in {}", self.text)).0
    }

    fn minute(&self, of: &str) -> String {
        minute(Timestamp::from_ms(self.statement[of].as_i64().unwrap()))
    }

    /// From when on the face opens nothing anywhere, by the signed file.
    fn blocked(&self) -> Timestamp {
        let erased = self.said.erased.iter().map(|(_, at)| *at);
        erased.chain(self.said.pending.iter().map(|(_, at)| at.unwrap())).max().unwrap()
    }

    /// What each of these papers says alike, whatever the gates have done.
    fn assert_common(&self) {
        let text = &self.text;
        let number = match &self.completes {
            None => self.number.clone(),
            Some(first) => format!("{}（补充证明，接{first}）", self.number),
        };
        assert_eq!(self.between("证明编号：", "出具时间"), number);
        assert_eq!(self.between("出具时间：", "一、"), self.minute("stated_at_ms"));
        assert_eq!(self.between("当事人：", "；"), NAME);
        assert_eq!(self.between("房号：", "；"), UNIT);
        assert_eq!(self.between("同意记录编号：", "；"), self.said.record);
        assert!(self.between("删除原因：", "（").ends_with("撤回同意"), "{text}");
        assert_eq!(self.between("提出时间：", "。"), self.minute("ended_at_ms"));
        let check = self.between("检查结果", "，时间");
        let values = check.strip_prefix("未发现（查看").and_then(|rest| rest.strip_suffix("项）"));
        assert!(values.is_some_and(|count| count.parse::<u64>().unwrap() > 100), "{check}");
        // Not a day, which would be kept for nobody who stays a resident: the rule, and the soonest day.
        assert!(self.between("保存到", "后删除").starts_with("您的住户登记结束、最后一次为您办理满3年之日"), "{text}");
        assert!(self.until() >= later_by_years(&self.minute("ended_at_ms"), 3), "{text}");
        let (from, size) = (self.statement["log_from"].as_u64(), self.statement["log_size"].as_u64());
        let to = format!("{}–{}", from.unwrap(), size.unwrap() - 1);
        assert!(text.contains(&format!("对应日志序号{to}）")), "{to} in {text}");
        assert_eq!(self.between("经办人：", "复核人"), OPERATOR.replace(' ', ""));
    }

    /// The soonest day on which the records go, as year, month, day.
    fn until(&self) -> (i64, i64, i64) {
        let day = self.between("（不早于", "）后删除");
        let (year, rest) = day.split_once('年').unwrap_or_else(|| panic!("{day}"));
        let (month, rest) = rest.split_once('月').unwrap();
        let number = |digits: &str| digits.parse().unwrap_or_else(|_| panic!("{day}"));
        (number(year), number(month), number(rest.strip_suffix('日').unwrap()))
    }
}

fn later_by_years(minute: &str, years: i64) -> (i64, i64, i64) {
    let number = |at: std::ops::Range<usize>| minute[at].parse::<i64>().unwrap();
    (number(0..4) + years, number(5..7), number(8..10))
}

/// As on the paper, without spaces.
fn minute(at: Timestamp) -> String {
    at.minute_text().replace(' ', "")
}

fn save_here(site: &mut Site, name: &str) -> PathBuf {
    let path = site.paper(name);
    site.drive.resident(ResidentCommand::SaveReceipt(path.clone()));
    let saved = matches!(&site.drive.scene, ResidentScene::Withdrawn { saved_to: Some(_), .. });
    assert!(saved, "{:?} {:?}", site.drive.scene, site.drive.failures);
    path
}

fn save_at_desk(site: &mut Site, consent: ConsentId, name: &str) -> PathBuf {
    let path = site.paper(name);
    let save = DeletionCommand::SaveCertificate { consent, place: None, path: path.clone() };
    site.drive.staff(StaffCommand::Deletion(save));
    path
}

/// Of the gate of a name, and of the one ended consent there is.
fn ids(site: &mut Site, gate: &str) -> (GateId, ConsentId) {
    site.drive.staff(StaffCommand::Lock);
    let passphrase = Passphrase::new(PASSPHRASE.into());
    let vault = Vault::unlock(site.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap();
    let gate = vault.gates_ever().unwrap().into_iter().find(|known| known.name == gate).unwrap().id;
    let consent = vault.endings_open().unwrap()[0].consent;
    drop(vault);
    site.drive.unlock();
    (gate, consent)
}

#[test]
fn p47_the_whole_paper_says_what_is_so_from_the_first_minute_to_the_supplement() {
    let (mut site, _) = enrolled(2);
    std::fs::create_dir(site.folder.path().join("papers")).unwrap();
    let keys = site.key();
    full_log(&site);
    site.deliver_until("both gates", Duration::from_secs(20), |s| {
        s.drive.gates.iter().filter(|g| g.reachable).count() == 2
    });
    site.ask_withdraw();
    site.drive.resident(ResidentCommand::ConfirmWithdraw);

    // At once, before any gate was told: both answered a moment ago, and neither is called away.
    let first = save_here(&mut site, "first.pdf");
    let first = read(&first, &keys);
    first.assert_common();
    assert_eq!((first.said.pending.len(), &first.completes), (2, &None));
    assert_eq!(first.text.matches("暂时无法连接").count(), 1, "in the sentence that is always there: {}", first.text);
    let waits = "（正在发送，尚未收到回执）";
    let both = format!("{}{waits}、{}{waits}", name_of(0), name_of(1));
    assert_eq!(first.between("下列门禁机暂时无法连接：", "。已采取"), both);
    assert_eq!(first.text.matches("尚未删除正在发送，尚未收到回执").count(), 2, "the rows: {}", first.text);
    assert_eq!(first.between("停止使用时间：", "。"), format!("最迟{}", minute(first.blocked())));
    assert!(first.text.contains("后如果没有联系，满") && first.text.contains("〔✓〕部分完成"), "{}", first.text);

    // One of them is away when it is told.
    let address = site.gates[1].address.clone();
    site.gates[1].kill();
    site.deliver_until("one signature, and one that is missed", Duration::from_secs(20), |s| {
        let away = s.drive.gates.iter().any(|gate| gate.name == name_of(1) && !gate.reachable);
        away && matches!(&s.drive.scene, ResidentScene::Withdrawn { erased, .. } if erased.len() == 1)
    });
    let second = save_here(&mut site, "second.pdf");
    let second = read(&second, &keys);
    second.assert_common();
    assert_eq!((second.said.pending.len(), second.completes.as_ref()), (1, Some(&first.number)));
    assert_eq!(second.between("下列门禁机暂时无法连接：", "。已采取"), name_of(1));
    assert!(second.text.contains("尚未删除暂时无法连接") && !second.text.contains("正在发送"), "{}", second.text);
    assert_eq!(second.between("停止使用时间：", "。"), format!("最迟{}", minute(second.blocked())));
    assert!(second.text.contains(&format!("{}：", name_of(1))) && second.text.contains("后没有联系，满"));
    site.drive.resident(ResidentCommand::Back);

    // Somebody switches it off, and the desk takes no time before it was heard.
    let (gate, consent) = ids(&mut site, &name_of(1));
    let enter = |site: &mut Site, at: Timestamp| {
        let (at, by) = (at.minute_text(), "保安老李".to_owned());
        site.drive.staff(StaffCommand::Deletion(DeletionCommand::SwitchedOff { gate, at, by }));
        site.drive.failures.split_off(0)
    };
    site.drive.failures.clear();
    let now = SystemClock.now();
    let refused = enter(&mut site, now.plus_ms(-3_600_000));
    assert!(matches!(refused[..], [Failure::Field(FieldFault::HeardSince(at))] if at <= now), "{refused:?}");
    let ahead = enter(&mut site, now.plus_ms(3_600_000));
    assert_eq!(ahead, [Failure::Field(FieldFault::SwitchedOffAt)]);
    let entered = |site: &Site| site.drive.told.iter().filter(|event| event.contains("SwitchedOff(")).count();
    assert_eq!(entered(&site), 0, "what is refused is not said to be entered");
    assert_eq!(enter(&mut site, SystemClock.now()), []);
    assert_eq!(entered(&site), 1);
    let third = save_at_desk(&mut site, consent, "third.pdf");
    let third = read(&third, &keys);
    third.assert_common();
    assert_eq!(third.completes.as_ref(), Some(&second.number));
    assert!(third.blocked() < second.blocked(), "sooner than by its lease");
    assert!(third.text.contains("由保安老李到门前关闭人脸功能"), "{}", third.text);

    // It comes back: done, by the gates' own time, and the paper says what it completes.
    site.gates[1].restart(&address).unwrap();
    site.deliver_until("its signature", Duration::from_secs(30), |s| {
        s.drive.gates.iter().any(|gate| gate.name == name_of(1) && gate.reachable && gate.pending == 0)
    });
    let whole = save_at_desk(&mut site, consent, "whole.pdf");
    let whole = read(&whole, &keys);
    whole.assert_common();
    assert!(whole.said.is_complete() && whole.text.contains("〔✓〕全部完成") && whole.text.contains("〔—〕部分完成"));
    assert_eq!(whole.completes.as_ref(), Some(&third.number));
    assert_eq!(whole.between("停止使用时间：", "。"), minute(whole.blocked()));
    assert_eq!(whole.text.matches("人脸特征1组").count(), 2, "{}", whole.text);
    for (name, at) in &whole.said.erased {
        assert!(whole.text.contains(&minute(*at)), "{name} erased at {at:?}: {}", whole.text);
    }
    assert_eq!(whole.between("下列门禁机暂时无法连接：", "。已采取"), "—");
}
