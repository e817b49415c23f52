//! Offline verifier of what a desk signed: needs no vault, no window, no network. Exit code 0: genuine; 1: not; 2:
//! could not be asked.

use std::io::Write;
use std::process::ExitCode;

use menka::evidence::certificate::{self, Keys, Step};
use menka::evidence::{EvidenceError, Kind, checkpoint, hex, parse_key, statement};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(text) => say(&mut std::io::stdout(), &text, ExitCode::SUCCESS),
        Err(Failure::NotGenuine(error)) => {
            say(&mut std::io::stderr(), &format!("NOT GENUINE: {error}\n"), ExitCode::from(1))
        }
        Err(Failure::Fails(step)) => {
            let text = format!("NOT PROVEN: {step}\n不能证明：{}\n", step.chinese());
            say(&mut std::io::stderr(), &text, ExitCode::from(1))
        }
        Err(Failure::Usage(text)) => {
            say(&mut std::io::stderr(), &format!("menka-verify: {text}\n\n{USAGE}"), ExitCode::from(2))
        }
    }
}

const USAGE: &str = "\
usage:
  menka-verify receipt FILE --key HEX      a signed consent record or statement of deletion (COSE_Sign1)
  menka-verify deletion FILE --key HEX     a deletion certificate (the .json beside the paper), step by step
  menka-verify checkpoint FILE --key HEX   a signed head of the evidence log (C2SP signed note)

HEX is the desk's public key, 64 hex digits, as posted at the desk. Get it on another way than the file.
";

enum Failure {
    NotGenuine(EvidenceError),
    Fails(Step),
    Usage(String),
}

fn run(arguments: &[String]) -> Result<String, Failure> {
    let [what, file, flag, key] = arguments else {
        return Err(Failure::Usage("four arguments are needed".into()));
    };
    if flag != "--key" {
        return Err(Failure::Usage(format!("unknown option {flag}")));
    }
    let key = parse_key(key).map_err(|error| Failure::Usage(error.to_string()))?;
    match what.as_str() {
        "receipt" => receipt(&read(file)?, &key).map_err(Failure::NotGenuine),
        "deletion" => deletion(&read(file)?, &key).map_err(Failure::Fails),
        "checkpoint" => head(&read(file)?, &key).map_err(Failure::NotGenuine),
        other => Err(Failure::Usage(format!("unknown command {other}"))),
    }
}

fn receipt(bytes: &[u8], key: &[u8; 32]) -> Result<String, EvidenceError> {
    let read = statement::verify(bytes, key)?;
    let kind = match read.kind {
        Kind::Consent => "consent record",
        Kind::Deletion => "statement of deletion",
    };
    let json: serde_json::Value = serde_json::from_slice(&read.payload).map_err(|_| EvidenceError::Malformed)?;
    let text = serde_json::to_string_pretty(&json).map_err(|_| EvidenceError::Malformed)?;
    Ok(format!("GENUINE: {kind}, signed by {}\n{text}\n", hex(key)))
}

fn deletion(bytes: &[u8], key: &[u8; 32]) -> Result<String, Step> {
    let checked = certificate::verify(bytes, &Keys { station: *key, ..Keys::default() })?;
    let state = if checked.is_complete() { "COMPLETE 全部完成" } else { "PARTLY DONE 部分完成" };
    let mut text = format!("GENUINE: deletion certificate {}, {state}\n", checked.certificate);
    if let Some(first) = &checked.supplement_of {
        text.push_str(&format!("supplement to 补充: {first}\n"));
    }
    text.push_str(&format!("consent record 同意记录: {}\nreason 原因: {}\n", checked.record, checked.reason));
    for (gate, at) in &checked.erased {
        text.push_str(&format!("erased and read back 已删除并回读: {gate}, {} (UTC+8)\n", at.minute_text()));
    }
    for (gate, at) in &checked.pending {
        text.push_str(&format!(
            "not erased yet 尚未删除: {gate}, stopped at the latest 最迟停用 {} (UTC+8)\n",
            at.minute_text()
        ));
    }
    Ok(text)
}

fn head(bytes: &[u8], key: &[u8; 32]) -> Result<String, EvidenceError> {
    let text = std::str::from_utf8(bytes).map_err(|_| EvidenceError::Malformed)?;
    let head = checkpoint::verify(text, key)?;
    Ok(format!("GENUINE: head of {}\nrecords: {}\nroot: {}\n", head.origin, head.size, hex(&head.root)))
}

fn read(file: &str) -> Result<Vec<u8>, Failure> {
    let cannot = |error: std::io::Error| Failure::Usage(format!("{file} cannot be read: {error}"));
    let length = std::fs::metadata(file).map_err(cannot)?.len();
    if length > statement::LEN_MAX as u64 {
        return Err(Failure::NotGenuine(EvidenceError::TooLarge));
    }
    std::fs::read(file).map_err(cannot)
}

fn say(to: &mut dyn Write, text: &str, code: ExitCode) -> ExitCode {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Ok(()) => code,
        Err(_) => ExitCode::from(2),
    }
}
