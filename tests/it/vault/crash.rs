//! The program is killed in the middle of writing, twenty times: everything that was acknowledged is there.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use menka::domain::Realm;
use menka::domain::id::ResidentId;
use menka::domain::resident::{AgeBand, ResidentDraft};
use menka::secret::random_bytes;
use menka::vault::Vault;

use super::site::*;

/// The folder that the child writes to; without it the child's test does nothing.
const FOLDER: &str = "MENKA_TEST_CRASH_FOLDER";

/// The child: this test binary, started again by the test below.
#[test]
fn crash_child_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let mut vault = Vault::unlock(&dir, Realm::Real, &passphrase(), NOW).unwrap();
    let east = vault.gates().unwrap().remove(0).id;
    loop {
        let draft = ResidentDraft::parse(None, "王小明", "3-1201", AgeBand::Adult, None, last_day(), NOW).unwrap();
        let id = ResidentId::from_bytes(random_bytes());
        vault.record_resident(&draft, id, NOW).unwrap();
        let number = u32::from_be_bytes(random_bytes());
        vault.issue_card(id, &uid(number | 1), &[east], last_day(), NOW).unwrap();
        // Acknowledged: said only after both writes returned.
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nACK {id} {}", number | 1).unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn twenty_kills_lose_nothing_that_was_acknowledged() {
    let (folder, mut vault) = new_vault(Realm::Real);
    gate(&mut vault, "东门");
    drop(vault);
    let mut acknowledged: Vec<(ResidentId, u32)> = vec![];
    for round in 0..20 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "vault::crash::crash_child_writes_until_it_is_killed", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let read = |line: String, all: &mut Vec<(ResidentId, u32)>| {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let ["ACK", id, number] = words[..] {
                all.push((ResidentId::parse(id).unwrap(), number.parse().unwrap()));
                return true;
            }
            false
        };
        // Some writes, then a moment that differs from round to round, then SIGKILL.
        let mut seen = 0;
        while seen < 1 + round % 3 {
            let line = lines.next().expect("the child ended by itself").unwrap();
            seen += usize::from(read(line, &mut acknowledged));
        }
        std::thread::sleep(Duration::from_micros(round as u64 * 700));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            read(line, &mut acknowledged);
        }
    }
    let mut vault = unlock(&folder, Realm::Real).unwrap();
    assert!(acknowledged.len() >= 30, "{} acknowledged", acknowledged.len());
    for (id, number) in &acknowledged {
        assert_eq!(vault.current_card(*id).unwrap().unwrap().uid, uid(*number));
        assert_eq!(vault.resident_by_card(&uid(*number)).unwrap(), Some(*id));
    }
    let queued = vault.queue_counts().unwrap()[0].pending as usize;
    assert!(queued >= acknowledged.len(), "every acknowledged card is on its way");
    let report = vault.audit().unwrap();
    assert!(report.is_sound(), "{report:?}");
    resident(&mut vault, "李雷", "9-901");
}
