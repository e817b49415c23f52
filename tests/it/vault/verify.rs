//! `menka-verify` as a stranger runs it, and another verifier that shares no code with it.

use std::path::Path;
use std::process::{Command, Output};

use menka::domain::Realm;
use menka::evidence::head::{self, Short};
use menka::evidence::hex;

use super::site::*;

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_menka-verify")).args(words).env("LC_ALL", "C").output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap()
}

fn vectors(name: &str) -> String {
    format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn p69_each_document_is_checked_offline_and_a_failing_step_is_named_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let key = vectors("station.key");
    for (command, file, code) in [
        ("receipt", "consent.cose", 0),
        ("replay", "replay.json", 0),
        ("log", "log.jsonl", 3),
        ("certificate", "consent.cose", 1),
    ] {
        let output = run(&[command, &vectors(file), "--key", &key]);
        assert_eq!(output.status.code(), Some(code), "{command}: {}", said(&output));
    }
    let forged = folder.path().join("forged.json");
    let text = std::fs::read_to_string(vectors("replay.json")).unwrap();
    std::fs::write(&forged, text.replace("不录人脸也能进门", "不录人脸不能进门")).unwrap();
    let forged = forged.to_str().unwrap();
    let output = run(&["replay", forged, "--key", &key]);
    assert_eq!((output.status.code(), said(&output).contains("[text]")), (Some(1), true), "{}", said(&output));
    let output = run(&["replay", forged, "--key", &key, "--lang", "zh"]);
    assert!(said(&output).contains("不真实：") || said(&output).starts_with("不真实"), "{}", said(&output));
    assert!(said(&output).contains("文字与当时登记的校验码一致"), "{}", said(&output));
    for words in [
        &["replay", "nowhere.json", "--key", &key][..],
        &["replay", forged],
        &["replay", forged, "--key"],
        &["replay", forged, "--key", "no key"],
        &["sing", forged, "--key", &key],
        &["log", forged, "--key", &key, "--witness", "MK1-3-AAAAA-AAAAA-AAAAA-AAAAA-AAAAAA"],
        &["replay", forged, "--key", &key, "--loud"],
        &["head"],
    ] {
        assert_eq!(run(words).status.code(), Some(2), "{words:?}");
    }
}

#[test]
fn p63_p69_the_log_for_an_inspector_names_nobody_and_is_never_called_witnessed_without_a_witness() {
    let (folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let _ = reader.consent(&mut vault, &[east]).unwrap();
    let (early, note) = vault.take_head(NOW).unwrap();
    let text = vault.export_log("春江区公安分局", "2026-17", NOW.plus_ms(60_000)).unwrap();
    for secret in ["王小明", "3-1201", &reader.resident.to_string(), &reader.showing.to_string()] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(text.lines().next().unwrap().contains("春江区公安分局"));
    let exported = vault.exports().unwrap();
    assert_eq!((exported[0].1.as_str(), exported[0].2.as_str()), ("春江区公安分局", "2026-17"));
    assert_eq!(vault.log_records(0, 1_000).unwrap().last().unwrap().what, "log-exported");

    let file = folder.path().join("log.jsonl");
    std::fs::write(&file, &text).unwrap();
    let (file, key) = (file.to_str().unwrap(), hex(&vault.evidence_public()));
    let output = run(&["log", file, "--key", &key]);
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).starts_with("NOT WITNESSED") && !said(&output).contains("GENUINE"), "{}", said(&output));
    let line = head::line(&note, &vault.evidence_public()).unwrap();
    let short = Short::of(&early).to_string();
    let saved = folder.path().join("head.txt");
    std::fs::write(&saved, &note).unwrap();
    // What the resident takes home witnesses the log as well.
    let home = folder.path().join("home.json");
    std::fs::write(&home, vault.replay_bundle(reader.showing, NOW.plus_ms(70_000)).unwrap()).unwrap();
    let text = vault.export_log("春江区公安分局", "2026-17", NOW.plus_ms(80_000)).unwrap();
    std::fs::write(file, &text).unwrap();
    for witness in [&short, &line, saved.to_str().unwrap(), home.to_str().unwrap()] {
        let output = run(&["log", file, "--key", &key, "--witness", witness]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("not witnessed since"), "what came after the head: {}", said(&output));
    }
    assert_eq!(run(&["head", &line, "--key", &key]).status.code(), Some(0));
    assert_eq!(run(&["head", &line, "--key", &"11".repeat(32)]).status.code(), Some(1));
    assert_eq!(run(&["head", &short]).status.code(), Some(3), "a short head is not signed");

    // The station goes on, and this file is passed off as the whole log.
    resident(&mut vault, "李雷", "3-1202");
    let (late, _) = vault.take_head(NOW.plus_ms(90_000)).unwrap();
    let output = run(&["log", file, "--key", &key, "--witness", &Short::of(&late).to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("[witness]") && said(&output).contains("cut, or an older copy"),
        "{}",
        said(&output)
    );
}

// Shows: J06
#[test]
fn p69_a_verifier_written_from_the_document_alone_agrees() {
    let (folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let _ = reader.consent(&mut vault, &[east]).unwrap();
    for n in 0..9u32 {
        resident(&mut vault, "李雷", &format!("3-{n}"));
    }
    vault.take_head(NOW).unwrap();
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("replay.json"), vault.replay_bundle(reader.showing, NOW).unwrap()).unwrap();
    std::fs::write(out.join("log.jsonl"), vault.export_log("公安", "1", NOW).unwrap()).unwrap();
    std::fs::write(out.join("station.key"), hex(&vault.evidence_public())).unwrap();
    let check = |folder: &Path| Command::new("python3").arg(vectors("check.py")).arg(folder).output();
    let Ok(output) = check(&out) else { return println!("skipped: no python3") };
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("log of"), "{}", said(&output));
    println!("{}", said(&output));
    let text = std::fs::read_to_string(out.join("log.jsonl")).unwrap();
    std::fs::write(out.join("log.jsonl"), text.replacen("\"who\":\"staff", "\"who\":\"stuff", 1)).unwrap();
    assert!(!check(&out).unwrap().status.success(), "it is not a verifier that says yes to everything");
}
