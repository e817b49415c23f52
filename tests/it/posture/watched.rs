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
);
const PACKETS: &str = concat!(
    "out0 udp 192.168.77.2 5 203.0.113.1 9\n",
    "lo tcp 127.0.0.1 9999 127.0.0.1 4455\n",
    "lo udp 127.0.0.1 40000 224.0.0.251 5353\n",
    "out0 icmp6-143 fe80::1 0 ff02::16 0\n",
);

/// Whether the judge lets a day pass, and what it says otherwise.
fn judged(packets: &str, calls: &str) -> Result<String, String> {
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
        .args([write("packets", packets), write("calls", calls), root.join("SECURITY.md")])
        .output()
        .unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if run.status.success() { Ok(said(&run.stdout)) } else { Err(said(&run.stderr)) }
}

// Shows: L2-11, N8-5
#[test]
fn p38_the_judge_of_the_watched_day_finds_what_it_is_there_for() {
    let clean = format!("{PACKETS}lost 0\n");
    let said = judged(&clean, LISTENING).expect("a clean day passes");
    assert!(said.contains("packets between desk and gates: 1\n") && said.contains("packets elsewhere: 0\n"), "{said}");
    let out = "sin_port=htons(443), sin_addr=inet_addr(\"198.51.100.7\")}, 16) = -1 ENETUNREACH";
    for (packets, calls, says) in [
        (format!("{clean}out0 udp 192.168.77.2 40000 192.168.77.1 53\n"), "", "goes to no gate"),
        (format!("{clean}out0 tcp 192.168.77.2 40000 198.51.100.7 443\n"), "", "goes to no gate"),
        (format!("{clean}lo tcp 127.0.0.1 40000 127.0.0.1 8080\n"), "", "goes to no gate"),
        (format!("{PACKETS}lost 3\n"), "", "lost packets"),
        (PACKETS.to_owned(), "", "lost packets: None"),
        (clean.replace("203.0.113.1 9", "203.0.113.1 53"), "", "did not even see"),
        (clean.clone(), &format!("12 connect(5, {{sa_family=AF_INET, {out}\n"), "where no gate is"),
        (clean.clone(), "10 socket(AF_INET6, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 5\n", "not TCP"),
        (clean.replace("224.0.0.251 5353", "224.0.0.252 5355"), "", "goes to no gate"),
        (clean.replace("lo udp", "out0 udp"), "", "goes to no gate"),
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
        let fault = judged(&packets, &format!("{LISTENING}{calls}")).expect_err(says);
        assert!(fault.contains(says), "{says}: {fault}");
    }
    let unsought: String = LISTENING.lines().filter(|l| !l.contains("5353")).map(|l| format!("{l}\n")).collect();
    assert!(judged(&clean, &unsought).expect_err("no search").contains("gates were not looked for"));
    assert!(judged(&clean, "").expect_err("no day").contains("this was no day at the desk"));
}
