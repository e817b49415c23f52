//! Offline verifier of what a desk signed: needs no vault, no window, no network. Says in plain Chinese or English which
//! step fails. docs/evidence.md has the formats, so that a stranger can write another one.

use std::io::Write;
use std::process::ExitCode;

use menka::domain::Realm;
use menka::domain::notice::Language;
use menka::domain::time::Timestamp;
use menka::evidence::export::{Elsewhere, Refused, Witnessed};
use menka::evidence::step::{Failed, Step};
use menka::evidence::{Kind, bundle, certificate, checkpoint, export, head, hex, parse_key, statement};
use menka::secret::Passphrase;
use menka::wire::copy_file::{self, CopyError};
use zeroize::Zeroizing;

const USAGE: &str = "\
menka-verify: checks what a Menka desk signed, offline

  menka-verify receipt FILE --key KEY       a signed consent record or statement of deletion
  menka-verify certificate FILE --key KEY   a deletion certificate, step by step: the .json beside the paper, or the signed
                                            statement alone (which gates signed, which have not)
  menka-verify replay FILE --key KEY        what was shown to a person, with its proofs; --text writes the exact text only
  menka-verify log FILE --key KEY           the whole log; --witness HEAD compares a head that was kept elsewhere
  menka-verify head HEAD [--key KEY]        a head: the line on paper, the scanned code, or a file
  menka-verify checkpoint FILE --key KEY    a signed head as a file (C2SP signed note)
  menka-verify template FILE                opens the copy of your own face template; the pass-phrase is the first line of the
                                            standard input, never a word of the command line; --numbers prints the numbers

  KEY    the desk's public key, 64 hex digits or a file that holds them. Get it on another way than the file.
  HEAD   a line typed from paper (MK1-...), a scanned line (menka-head-1 ...), or a file with either or a signed note.
         As a witness also a replay file. May be given several times.
  --lang zh|en

exit code: 0 genuine; 1 not genuine; 2 could not be asked; 3 nothing wrong was found, but nothing kept elsewhere
           witnesses it
";

/// What came out.
enum Outcome {
    /// Everything passed.
    Genuine(String),
    /// Nothing wrong was found, and nothing witnesses it.
    Unwitnessed(String),
    /// A step failed.
    NotGenuine(String),
    /// It could not be asked.
    Usage(String),
}

fn main() -> ExitCode {
    let outcome = match Asked::parse(std::env::args().skip(1)) {
        Ok(asked) => asked.run().unwrap_or_else(|outcome| outcome),
        Err(outcome) => outcome,
    };
    match outcome {
        Outcome::Genuine(text) => say(&mut std::io::stdout(), &text, 0),
        Outcome::Unwitnessed(text) => say(&mut std::io::stdout(), &text, 3),
        Outcome::NotGenuine(text) => say(&mut std::io::stderr(), &text, 1),
        Outcome::Usage(text) => say(&mut std::io::stderr(), &format!("menka-verify: {text}\n\n{USAGE}"), 2),
    }
}

/// The command line.
struct Asked {
    command: String,
    operand: String,
    key: Option<[u8; 32]>,
    witnesses: Vec<String>,
    text_only: bool,
    numbers: bool,
    language: Language,
}

impl Asked {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Outcome> {
        let usage = |text: &str| Outcome::Usage(text.into());
        let (mut words, mut key, mut witnesses, mut text_only, mut language) = (vec![], None, vec![], false, spoken());
        let mut numbers = false;
        let mut rest = arguments;
        while let Some(word) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| Outcome::Usage(format!("{word} needs a value")));
            match word.as_str() {
                "--key" => key = Some(key_of(&value()?)?),
                "--witness" => witnesses.push(text_or_file(&value()?)?),
                "--text" => text_only = true,
                "--numbers" => numbers = true,
                "--lang" => {
                    language = match value()?.as_str() {
                        "zh" => Language::Chinese,
                        "en" => Language::English,
                        _ => return Err(usage("--lang is zh or en")),
                    }
                }
                option if option.starts_with("--") => return Err(Outcome::Usage(format!("unknown option {option}"))),
                _ => words.push(word),
            }
        }
        let [command, operand] =
            <[String; 2]>::try_from(words).map_err(|_| usage("a command and a file are needed"))?;
        Ok(Self { command, operand, key, witnesses, text_only, numbers, language })
    }

    fn run(&self) -> Result<Outcome, Outcome> {
        match self.command.as_str() {
            "receipt" => self.receipt(None),
            "certificate" => self.certificate(),
            "replay" => self.replay(),
            "log" => self.log(),
            "head" => self.head(),
            "checkpoint" => self.checkpoint(),
            "template" => self.template(),
            other => Err(Outcome::Usage(format!("unknown command {other}"))),
        }
    }

    /// The file beside the paper has the receipts and the consent record in it, so every step can be checked; the statement alone shows
    /// what the desk says.
    fn certificate(&self) -> Result<Outcome, Outcome> {
        let bytes = self.read(certificate::FILE_MAX)?;
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return self.receipt(Some(Kind::Deletion));
        }
        let keys = certificate::Keys { station: self.key()?, ..certificate::Keys::default() };
        let checked = certificate::verify(&bytes, &keys).map_err(|step| self.certificate_refused(&step))?;
        let genuine = self.say("真实：删除证明", "GENUINE: deletion certificate");
        let state = if checked.is_complete() {
            self.say("全部完成", "COMPLETE")
        } else {
            self.say("部分完成", "PARTLY DONE")
        };
        let mut text = format!("{genuine} {}, {state}\n", checked.certificate);
        if checked.realm == Realm::Practice.label() {
            text.push_str(self.say("练习，没有法律效力\n", "PRACTICE: without legal effect\n"));
        }
        let mut line = |label: &str, value: &str| text.push_str(&format!("{label}: {value}\n"));
        if let Some(first) = &checked.supplement_of {
            line(self.say("补充", "supplement to"), first);
        }
        line(self.say("同意记录", "consent record"), &checked.record);
        if checked.one_place {
            let goes_on =
                self.say("只这一道门，同意里的其他门照旧", "this door only; the other doors of the consent go on");
            line(self.say("范围", "extent"), goes_on);
        }
        line(self.say("原因", "reason"), &checked.reason);
        for (gate, at) in &checked.erased {
            let at = at.minute_text();
            line(self.say("已删除并回读", "erased and read back"), &format!("{gate}, {at} (UTC+8)"));
        }
        for (gate, at) in &checked.pending {
            let Some(at) = at else {
                let label =
                    self.say("有回应，未删除，也没有停用", "answers, has not erased, and nothing stops the face there");
                line(label, gate);
                continue;
            };
            let at = at.minute_text();
            let label = self.say("尚未删除，最迟停用", "not erased yet, stopped at the latest");
            line(label, &format!("{gate}, {at} (UTC+8)"));
        }
        for gate in &checked.unproved {
            let label = self.say(
                "最后联系只有前台所写，没有门禁机的签名",
                "last contact by the desk's word only, no signature of the gate",
            );
            line(label, gate);
        }
        Ok(Outcome::Genuine(text))
    }

    fn certificate_refused(&self, step: &certificate::Step) -> Outcome {
        let words = if self.language == Language::Chinese { step.chinese() } else { step.to_string() };
        let (head, failed) = (self.say("不真实", "NOT GENUINE"), self.say("这一步没有通过", "this step failed"));
        Outcome::NotGenuine(format!("{head}: {failed}: {words}\n"))
    }

    fn receipt(&self, wanted: Option<Kind>) -> Result<Outcome, Outcome> {
        let (bytes, key) = (self.read(statement::LEN_MAX)?, self.key()?);
        let read =
            statement::verify(&bytes, &key).map_err(|error| self.refused(Step::Statement, &error.to_string()))?;
        if wanted.is_some_and(|wanted| wanted != read.kind) {
            return Err(self.refused(Step::Shape, self.say("是另一种文件", "it is a document of another kind")));
        }
        let json: serde_json::Value =
            serde_json::from_slice(&read.payload).map_err(|error| self.refused(Step::Shape, &error.to_string()))?;
        let kind = match read.kind {
            Kind::Consent => self.say("同意记录", "consent record"),
            Kind::Deletion => self.say("删除说明", "statement of deletion"),
            Kind::SiteFile => self.say("本处资料", "site file"),
            Kind::Rules => self.say("公开的规则", "public rules"),
            Kind::Introduction => self.say("门禁机介绍", "introduction of a gate"),
            Kind::Assessment => self.say("已登记的影响评估", "registered impact assessment"),
        };
        let complete = match (read.kind, certificate::is_complete(&read.payload)) {
            (Kind::Deletion, Ok(false)) => self
                .say("还有门禁机没有回执，见 pending。\n", "Not complete: gates under \"pending\" have not signed.\n"),
            (Kind::Deletion, Ok(true)) => self.say("全部门禁机都已签回执。\n", "Complete: every gate has signed.\n"),
            _ => "",
        };
        let text = serde_json::to_string_pretty(&json).unwrap_or_default();
        let genuine = self.say("真实", "GENUINE");
        let by = self.say("签名公钥", "signed by");
        Ok(Outcome::Genuine(format!("{genuine}: {kind}, {by} {}\n{complete}{text}\n", hex(&key))))
    }

    fn replay(&self) -> Result<Outcome, Outcome> {
        let read = bundle::verify(&self.read(bundle::LEN_MAX)?, &self.key()?)
            .map_err(|Failed(step)| self.refused(step, ""))?;
        if self.text_only {
            return Ok(Outcome::Genuine(read.text));
        }
        let showing = &read.showing;
        let at = |ms: i64| Timestamp::from_ms(ms).minute_text();
        let end = read.reached_end_at.map_or_else(|| self.say("没有看到结尾", "not read to its end").to_owned(), at);
        let consent = match &read.consent {
            Some(stated) => stated.consent.to_string(),
            None => self.say("没有", "none").to_owned(),
        };
        let practice = self.practice(&read.head.origin);
        Ok(Outcome::Genuine(format!(
            "{}: {} {} ({})\n{practice}{}: {}\n{}: {}\n{}: {end}\n{}: {consent}\n{}: {}\n{}: {} ({})\n\n{}",
            self.say("真实", "GENUINE"),
            showing.notice_id,
            showing.notice_version,
            showing.language,
            self.say("文字校验码 SHA-256", "SHA-256 of the text"),
            showing.text_sha256,
            self.say("打开时间", "opened"),
            at(showing.opened_at),
            self.say("看到结尾", "end on screen"),
            self.say("同意记录", "consent record"),
            self.say("字号", "letters"),
            showing.letters_percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent} %")),
            self.say("日志条数", "records in the log"),
            read.head.size,
            read.head.origin,
            read.text,
        )))
    }

    fn log(&self) -> Result<Outcome, Outcome> {
        let (bytes, key) = (self.read(export::LEN_MAX)?, self.key()?);
        let mut elsewhere = vec![];
        for text in &self.witnesses {
            // What a resident took home holds a head too.
            let head = if text.starts_with('{') {
                bundle::verify(text.as_bytes(), &key)
                    .map(|read| Elsewhere::Signed(read.head))
                    .map_err(|e| e.to_string())
            } else {
                Elsewhere::parse(text, &key).map_err(|e| e.to_string())
            };
            elsewhere.push(head.map_err(|error| Outcome::Usage(format!("--witness: {error}")))?);
        }
        let read = export::verify(&bytes, &key, &elsewhere).map_err(|refused| self.log_refused(&refused))?;
        let at = |ms: i64| Timestamp::from_ms(ms).minute_text();
        let mut text = format!(
            "{}{}: {}\n{}: {}\n{}: {}\n{}: {} / {}\n",
            self.practice(&read.head.origin),
            self.say("日志", "log"),
            read.head.origin,
            self.say("条数", "records"),
            read.head.size,
            self.say("出具时间", "made"),
            at(read.header.made_at),
            self.say("交给", "made for"),
            read.header.authority,
            read.header.case_number,
        );
        for (kept, size) in &read.kept {
            let said = self.say("据本文件，由门禁机保存到第", "kept by a gate, as this file says, up to record");
            text.push_str(&format!("{said} {size}: {} (key {})\n", kept.gate, kept.gate_key));
        }
        match (read.witnessed_to, read.witnessed_at, read.first_at) {
            (Some(size), witnessed_at, _) => {
                let since = witnessed_at.map(at).unwrap_or_default();
                let whole = size >= read.head.size;
                let head = self.say("真实：别处保存的首部对得上", "GENUINE: it fits the head that was kept elsewhere");
                text.insert_str(0, &format!("{head} ({size}/{}, {since})\n", read.head.size));
                if !whole {
                    let after = self.say("此后的条目没有见证，自", "The records after that are not witnessed since");
                    text.push_str(&format!("{after} {since}\n"));
                }
                Ok(Outcome::Genuine(text))
            }
            (None, _, first) => {
                let since = first.map(at).unwrap_or_default();
                let head = self.say(
                    "没有发现问题，但没有见证，自",
                    "NOT WITNESSED: nothing wrong was found, but no head that was kept elsewhere was compared, since",
                );
                text.insert_str(0, &format!("{head} {since}\n"));
                Ok(Outcome::Unwitnessed(text))
            }
        }
    }

    fn log_refused(&self, refused: &Refused) -> Outcome {
        let mut more = String::new();
        if !refused.at.is_empty() {
            let at: Vec<String> = refused.at.iter().take(20).map(u64::to_string).collect();
            more = format!("{} {}", self.say("位置", "at record"), at.join(", "));
        }
        match refused.witness {
            Some(Witnessed::Ahead { kept, here }) => {
                let said = self.say("被截短，或换回了旧的拷贝", "cut, or an older copy was put back");
                more = format!("{said}: {kept} -> {here}");
            }
            Some(Witnessed::Differs { kept }) => {
                more = format!("{} {kept}", self.say("被重新写过，在此条之前", "written anew, before record"));
            }
            Some(Witnessed::Fits { .. }) | None => {}
        }
        self.refused(refused.step, &more)
    }

    fn head(&self) -> Result<Outcome, Outcome> {
        let text = text_or_file(&self.operand)?;
        if let Ok(short) = head::Short::parse(&text) {
            let said = self.say(
                "纸上的首部，写得没有错；它没有签名，要和日志比对",
                "A head from paper, without a slip of the hand; it is not signed: compare it with a log",
            );
            return Ok(Outcome::Unwitnessed(format!("{said} (log FILE --witness {short})\n{}\n", short.size)));
        }
        let key = self.key()?;
        match Elsewhere::parse(&text, &key) {
            Ok(Elsewhere::Signed(found)) => Ok(self.head_genuine(&found)),
            Ok(Elsewhere::Short(_)) => Err(self.refused(Step::Shape, "")),
            Err(error) => Err(self.refused(Step::Head, &error.to_string())),
        }
    }

    fn checkpoint(&self) -> Result<Outcome, Outcome> {
        let bytes = self.read(head::NOTE_MAX)?;
        let text = String::from_utf8(bytes).map_err(|_| self.refused(Step::Shape, ""))?;
        let found = checkpoint::verify(&text, &self.key()?);
        Ok(self.head_genuine(&found.map_err(|error| self.refused(Step::Head, &error.to_string()))?))
    }

    /// The person's own copy. No list of processes and no history of commands shows the pass-phrase.
    fn template(&self) -> Result<Outcome, Outcome> {
        let bytes = self.read(copy_file::LEN_MAX)?;
        let mut line = Zeroizing::new(String::new());
        std::io::stdin().read_line(&mut line).map_err(|error| Outcome::Usage(format!("standard input: {error}")))?;
        let phrase = Passphrase::new(line.trim_end_matches(['\r', '\n']).to_owned());
        let opened = copy_file::open(&bytes, &phrase).map_err(|error| self.template_refused(error))?;
        // EXPOSE: it is the person's own copy, opened with the person's own pass-phrase.
        let numbers = opened.face.expose();
        if self.numbers {
            let lines: Vec<String> = numbers.iter().map(|number| format!("{number}\n")).collect();
            return Ok(Outcome::Genuine(lines.concat()));
        }
        let practice = self.practice(&format!("menka.{}/", opened.realm.label()));
        Ok(Outcome::Genuine(format!(
            "{}\n{practice}{}: {}\n{}: {} float32\n{}: {}\n{}: {}\n{}: {}\n{}: {}\n",
            self.say("已打开：人脸特征的副本", "OPENED: copy of a face template"),
            self.say("方法", "made by"),
            opened.face.engine().as_str(),
            self.say("维数", "dimensions"),
            numbers.len(),
            self.say("同意到", "consent until"),
            opened.ends_on,
            self.say("门禁机里的随机编号", "random number in the gates"),
            hex(&opened.template),
            self.say("同意记录的 SHA-256", "SHA-256 of the consent record"),
            hex(&opened.consent),
            self.say("交出的门禁机", "sealed by the gate"),
            hex(&opened.gate),
        )))
    }

    fn template_refused(&self, error: CopyError) -> Outcome {
        let why = match error {
            CopyError::Malformed => self.say("不是完整的人脸特征副本", "this is not a whole copy of a face template"),
            CopyError::Passphrase => self.say(
                "口令打不开：可能输错了，或者是别人的副本",
                "the pass-phrase does not open it: a slip of the hand, or another person's copy",
            ),
            CopyError::Changed => self.say("口令对，但文件被改动过", "the pass-phrase fits, but the file was changed"),
            CopyError::Cost => self.say("文件要求的计算超出范围", "the file asks for too costly a computation"),
        };
        Outcome::NotGenuine(format!("{}: {why}\n", self.say("打不开", "NOT OPENED")))
    }

    fn head_genuine(&self, found: &checkpoint::Head) -> Outcome {
        let genuine = self.say("真实：日志首部", "GENUINE: head of");
        let (records, practice) = (self.say("条数", "records"), self.practice(&found.origin));
        Outcome::Genuine(format!(
            "{genuine} {}\n{practice}{records}: {}\nroot: {}\n{}\n",
            found.origin,
            found.size,
            hex(&found.root),
            head::Short::of(found),
        ))
    }

    /// A step failed.
    fn refused(&self, step: Step, more: &str) -> Outcome {
        let head = self.say("不真实", "NOT GENUINE");
        let failed = self.say("这一步没有通过", "this step failed");
        let more = if more.is_empty() { String::new() } else { format!("\n{more}") };
        Outcome::NotGenuine(format!("{head}: {failed}: {} [{}]{more}\n", step.words(self.language), step.code()))
    }

    fn practice(&self, origin: &str) -> &'static str {
        if origin.starts_with("menka.practice/") {
            self.say("练习，没有法律效力\n", "PRACTICE: without legal effect\n")
        } else {
            ""
        }
    }

    fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        if self.language == Language::Chinese { zh } else { en }
    }

    fn key(&self) -> Result<[u8; 32], Outcome> {
        self.key.ok_or_else(|| Outcome::Usage("--key is missing".into()))
    }

    fn read(&self, len_max: usize) -> Result<Vec<u8>, Outcome> {
        let cannot = |error: std::io::Error| Outcome::Usage(format!("{} cannot be read: {error}", self.operand));
        if std::fs::metadata(&self.operand).map_err(cannot)?.len() > len_max as u64 {
            return Err(self.refused(Step::Shape, self.say("文件太大", "the file is too large")));
        }
        std::fs::read(&self.operand).map_err(cannot)
    }
}

/// The language of the terminal.
fn spoken() -> Language {
    let set =
        ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    if set.is_some_and(|value| value.starts_with("zh")) { Language::Chinese } else { Language::English }
}

/// A key as digits, or in a file.
fn key_of(text: &str) -> Result<[u8; 32], Outcome> {
    parse_key(text).or_else(|error| {
        let file = std::fs::read_to_string(text).map_err(|_| Outcome::Usage(error.to_string()))?;
        parse_key(&file).map_err(|error| Outcome::Usage(error.to_string()))
    })
}

/// The content of a small file of this name, or the words themselves.
fn text_or_file(text: &str) -> Result<String, Outcome> {
    match std::fs::metadata(text) {
        Ok(file) if file.is_file() => {
            if file.len() > bundle::LEN_MAX as u64 {
                return Err(Outcome::Usage(format!("{text} is too large")));
            }
            std::fs::read_to_string(text).map_err(|error| Outcome::Usage(format!("{text} cannot be read: {error}")))
        }
        _ => Ok(text.to_owned()),
    }
}

fn say(to: &mut dyn Write, text: &str, code: u8) -> ExitCode {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::from(2),
    }
}
