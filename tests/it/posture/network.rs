//! A network of one's own: a test runs itself again in a fresh network namespace, where no route leads anywhere.

use std::process::Command;

/// Set in the second run.
const INSIDE: &str = "MENKA_TEST_IN_NAMESPACE";

/// Whether this is the second run, inside.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs the test of this name again in a namespace of its own. Where the kernel does not allow one the test fails, unless
/// `MENKA_NETWORK_OPTIONAL=yes` lets it go without: then it prints so.
pub fn run_inside(test: &str) {
    let allowed = |flags: &[&str]| {
        let tried = Command::new("unshare").args(flags).arg("true").output();
        tried.map_err(|e| e.to_string()).and_then(|t| match t.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&t.stderr).trim().to_owned()),
        })
    };
    let flags: &[&str] = match (allowed(&["-n"]), allowed(&["-rn"])) {
        (Ok(()), _) => &["-n"],
        (_, Ok(())) => &["-rn"],
        (Err(why), Err(_)) => {
            let optional = std::env::var("MENKA_NETWORK_OPTIONAL").is_ok_and(|said| said == "yes");
            assert!(optional, "no network namespace (MENKA_NETWORK_OPTIONAL=yes goes without): {why}");
            return println!("not run: no network namespace: {why}");
        }
    };
    let me = std::env::current_exe().unwrap();
    let run = Command::new("unshare")
        .args(flags)
        .arg(me)
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "inside the namespace:\n{said}");
    assert!(said.contains("1 passed"), "the test ran inside:\n{said}");
    print!("{said}");
}

/// Runs `ip` inside.
pub fn ip(words: &str) {
    assert!(is_inside(), "the network of the machine that runs the tests is left alone");
    let run = Command::new("ip").args(words.split(' ')).output().unwrap();
    assert!(run.status.success(), "ip {words}: {}", String::from_utf8_lossy(&run.stderr));
}
