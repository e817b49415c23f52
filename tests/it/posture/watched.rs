//! The judge of the watched day (`packaging/setup/network.sh`, in `make test`) lets a clean day pass and finds each thing it is there for.

use std::path::Path;
use std::process::Command;

const LISTENING: &str = concat!(
    "10 execve(\"/x/menka\", [\"menka\"], 0x1 /* 1 vars */) = 0\n",
    "10 clone3({flags=CLONE_VM} <unfinished ...>\n",
    "11 execve(\"/x/menka-gate\", [\"menka-gate\", \"run\"], 0x1) = 0\n",
    "10 <... clone3 resumed>) = 11\n",
    "11 bind(3, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0\n",
    "11 getsockname(3, {sa_family=AF_INET, sin_port=htons(4455), sin_addr=inet_addr(\"127.0.0.1\")}, [16]) = 0\n",
    "10 clone(child_stack=NULL) = 12\n",
    "12 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 5\n",
    "12 connect(5, {sa_family=AF_INET, sin_port=htons(4455), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0\n",
    "12 socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_UDP) = 7\n",
    "12 bind(7, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0\n",
    "12 sendto(7, \"q\", 1, MSG_NOSIGNAL, {sa_family=AF_INET, sin_port=htons(5353), sin_addr=inet_addr(\"224.0.0.251\")}, 16) = 1\n",
    "10 socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 6\n",
    "10 connect(6, {sa_family=AF_UNIX, sun_path=@\"/tmp/.X11-unix/X3\"}, 20) = 0\n",
    "12 socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 8\n",
    "12 bind(8, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr(\"0.0.0.0\")}, 16) = 0\n",
    "12 connect(8, {sa_family=AF_INET, sin_port=htons(60000), sin_addr=inet_addr(\"192.168.78.10\")}, 16) = 0\n",
    "12 sendto(8, \"q\", 1, MSG_NOSIGNAL, NULL, 0) = 1\n",
);
/// What the list of local sockets says of that day.
const LIST: &str = "### Local sockets\n\n| socket | what for | in the watched day |\n|---|---|---|\n\
    | `unix:@/tmp/.X11-unix/X*` | the display | yes |\n\
    | `unix:*/wayland-*` | the display | not in this day: it runs on X11 |\n";
const PACKETS: &str = concat!(
    "out0 udp 192.168.77.2 5 203.0.113.1 9\n",
    "lo tcp 127.0.0.1 9999 127.0.0.1 4455\n",
    "lo udp 127.0.0.1 40000 224.0.0.251 5353\n",
    "out0 icmp6-143 fe80::1 0 ff02::16 0\n",
    "lan0 udp 192.168.78.1 40001 192.168.78.10 60000\n",
    "lan0 udp 192.168.78.10 60000 192.168.78.1 40001\n",
);

/// Whether the judge lets a day pass, and what it says otherwise.
fn judged(packets: &str, calls: &str, list: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = Command::new("python3")
        .arg(root.join("packaging/setup/network.py"))
        .arg("judge")
        .args([write("packets", packets), write("calls", calls), write("list", list)])
        .args(["192.168.78.10:60000", "lan0"])
        .output()
        .unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if run.status.success() { Ok(said(&run.stdout)) } else { Err(said(&run.stderr)) }
}

// Shows: L2-11, N8-5
#[test]
fn p38_the_judge_of_the_watched_day_finds_what_it_is_there_for() {
    let clean = format!("{PACKETS}lost 0\n");
    let said = judged(&clean, LISTENING, LIST).expect("a clean day passes");
    assert!(said.contains("packets between desk and gates: 1\n") && said.contains("packets elsewhere: 0\n"), "{said}");
    assert!(said.contains("packets between desk and card board, on its interface: 2\n"), "{said}");
    let out = "sin_port=htons(443), sin_addr=inet_addr(\"198.51.100.7\")}, 16) = -1 ENETUNREACH";
    for (packets, calls, says) in [
        (format!("{clean}out0 udp 192.168.77.2 40000 192.168.77.1 53\n"), "", "goes to no gate"),
        (format!("{clean}out0 tcp 192.168.77.2 40000 198.51.100.7 443\n"), "", "goes to no gate"),
        (format!("{clean}lo tcp 127.0.0.1 40000 127.0.0.1 8080\n"), "", "goes to no gate"),
        (format!("{PACKETS}lost 3\n"), "", "lost packets"),
        (PACKETS.to_owned(), "", "lost packets: None"),
        (clean.replace("203.0.113.1 9", "203.0.113.1 53"), "", "did not even see"),
        (clean.clone(), &format!("12 connect(5, {{sa_family=AF_INET, {out}\n"), "where no gate is"),
        (clean.clone(), "10 socket(AF_INET6, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 5\n", "neither TCP nor UDP"),
        (clean.replace("224.0.0.251 5353", "224.0.0.252 5355"), "", "goes to no gate"),
        (clean.replace("lo udp", "out0 udp"), "", "goes to no gate"),
        // The board's packets on another interface, at another address and port of the board's, and to another board.
        (clean.replace("lan0 udp", "out0 udp"), "", "goes to no gate"),
        (format!("{clean}lan0 udp 192.168.78.1 40001 192.168.78.10 60001\n"), "", "goes to no gate"),
        (format!("{clean}lan0 udp 192.168.78.1 40001 192.168.78.255 60000\n"), "", "goes to no gate"),
        (format!("{clean}lan0 tcp 192.168.78.1 40001 192.168.78.10 60000\n"), "", "goes to no gate"),
        (
            clean.clone(),
            "12 connect(8, {sa_family=AF_INET, sin_port=htons(60000), sin_addr=inet_addr(\"192.168.78.11\")}, 16) = 0\n",
            "where no gate is",
        ),
        (
            clean.clone(),
            "12 socket(AF_INET, SOCK_DGRAM, 0) = 9\n12 bind(9, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr(\"0.0.0.0\")}, 16) = 0\n",
            "was for nobody",
        ),
        (
            clean.clone(),
            concat!(
                "12 socket(AF_INET, SOCK_DGRAM, 0) = 9\n",
                "12 bind(9, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr(\"0.0.0.0\")}, 16) = 0\n",
                "12 recvfrom(9, \"x\", 64, 0, NULL, NULL) = 1\n",
            ),
            "for nobody in particular was used",
        ),
        (
            clean.clone(),
            "10 clone(x) = 14\n14 execve(\"/usr/bin/lp\", [\"lp\"], 0x1) = 0\n14 connect(3, {sa_family=AF_INET, sin_port=htons(4455), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0\n",
            "lp connected to an IP address",
        ),
        (
            clean.clone(),
            "10 clone(x) = 14\n14 execve(\"/usr/bin/lp\", [\"lp\"], 0x1) = 0\n14 connect(3, {sa_family=AF_UNIX, sun_path=\"/run/other\"}, 16) = 0\n",
            "does not list: unix:/run/other",
        ),
        (
            clean.clone(),
            "12 sendto(7, \"q\", 1, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr(\"198.51.100.7\")}, 16) = 1\n",
            "used sendto",
        ),
        (
            clean.clone(),
            "10 bind(5, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"0.0.0.0\")}, 16) = 0\n",
            "used bind",
        ),
        (clean.clone(), "10 socket(AF_BLUETOOTH, SOCK_RAW, BTPROTO_HCI) = 5\n", "does not list: AF_BLUETOOTH"),
        (
            clean.clone(),
            "10 connect(5, {sa_family=AF_UNIX, sun_path=\"/run/avahi-daemon/socket\"}, 110) = 0\n",
            "does not list: unix:/run/avahi-daemon/socket",
        ),
        (
            clean.clone(),
            "10 clone(x) = 13\n13 execve(\"/x/menka\", [\"menka\", \"--face-engine\"], 0x1) = 0\n13 socket(AF_UNIX, SOCK_STREAM, 0) = 3\n",
            "engine child made a socket",
        ),
    ] {
        let fault = judged(&packets, &format!("{LISTENING}{calls}"), LIST).expect_err(says);
        assert!(fault.contains(says), "{says}: {fault}");
    }
    let unsought: String = LISTENING.lines().filter(|l| !l.contains("5353")).map(|l| format!("{l}\n")).collect();
    assert!(judged(&clean, &unsought, LIST).expect_err("no search").contains("gates were not looked for"));
    let boardless: String = LISTENING.lines().filter(|l| !l.contains("(8, ")).map(|l| format!("{l}\n")).collect();
    assert!(judged(&clean, &boardless, LIST).expect_err("no board").contains("nothing went to the card board"));
    assert!(judged(&clean, "", LIST).expect_err("no day").contains("this was no day at the desk"));
}

#[test]
fn p38_the_list_of_local_sockets_says_what_a_day_uses_neither_more_nor_less() {
    let clean = format!("{PACKETS}lost 0\n");
    let row = |list: &str, row: &str| format!("{list}{row}\n");
    let unused = row(LIST, "| `unix:/run/pcscd/pcscd.comm` | card readers | yes |");
    let said = judged(&clean, LISTENING, &unused).expect_err("listed and not used");
    assert!(said.contains("did not use: unix:/run/pcscd/pcscd.comm"), "{said}");
    let wrong = LIST.replace("| yes |", "| not in this day: it has no display |");
    let said = judged(&clean, LISTENING, &wrong).expect_err("used and said not to be");
    assert!(said.contains("says that this day does not use"), "{said}");
    for silent in ["", "no", "not in this day:", "not in this day: ."] {
        let vague = row(LIST, &format!("| `unix:/run/other` | something | {silent} |"));
        assert!(judged(&clean, LISTENING, &vague).expect_err(silent).contains("neither 'yes' nor"), "{silent}");
    }
    let either = LIST.replace("`unix:@/tmp/.X11-unix/X*`", "`unix:/tmp/.X11-unix/X*` `unix:@/tmp/.X11-unix/X*`");
    judged(&clean, LISTENING, &either).expect("one of the ways of a row is enough");
}

/// Without a namespace nothing can be watched: then the day fails, and only the switch lets it end well.
#[test]
fn p38_a_day_that_cannot_be_watched_fails_unless_that_was_allowed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let tool = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    // A kernel that allows none, and a day that nobody clicks through.
    tool("unshare", "#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n");
    tool("Xvfb", "#!/bin/sh\nexit 3\n");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = |optional: &str| {
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        let mut script = Command::new("bash");
        script.arg(root.join("packaging/setup/network.sh")).arg("/bin/true").env("PATH", path);
        script.env("MENKA_NETWORK_OPTIONAL", optional).env("MENKA_GUI_SHOTS", folder.path().join("shots"));
        let ran = script.output().unwrap();
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    for refused in ["", "no", "1"] {
        let (code, said) = run(refused);
        assert!(code == Some(2) && said.contains("nothing can be watched"), "{refused}: {code:?} {said}");
    }
    let (_, said) = run("yes");
    assert!(said.contains("Xvfb did not start"), "allowed: it goes on to click through: {said}");
}
