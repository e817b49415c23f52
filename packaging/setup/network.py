#!/usr/bin/env python3
"""Watches packets, and judges what a day at the desk sent and opened. Called by network.sh.

network.py watch PACKETS                    until SIGTERM: one line a packet, on every interface of this network namespace
network.py judge PACKETS CALLS SECURITY.md BOARD INTERFACE
    fails unless IP traffic went to gates, and to the card board BOARD (ip:port) on its INTERFACE only, and the list of local sockets in
    SECURITY.md says what was used: neither more nor less
"""
import collections
import fnmatch
import ipaddress
import os
import re
import signal
import socket
import struct
import sys

ETH_P_ALL, ETH_P_IP, ETH_P_IPV6, ETH_P_ARP = 3, 0x0800, 0x86DD, 0x0806
# Sent at the beginning, so that a watcher that sees nothing is not taken for a network on which nothing is.
CANARY = ("203.0.113.1", 9)
# Where a desk asks for gates that wait to be paired, while that page is open.
GROUP = ("224.0.0.251", 5353)
# Programs that the desk runs and that answer for their own sockets: a gate is judged by its packets, the speech service belongs to the desktop.
OTHERS = ("menka-gate", "speech-dispatcher")
# What the kernel sends by itself on an interface that comes up: router and neighbour discovery, group membership.
KERNELS_OWN = {130, 131, 132, 133, 135, 136, 143}


def describe(kind, data):
    """`protocol source port destination port` of one packet."""
    if kind == ETH_P_IP and len(data) >= 20:
        size = (data[0] & 15) * 4
        protocol, source, target, rest = data[9], data[12:16], data[16:20], data[size:]
    elif kind == ETH_P_IPV6 and len(data) >= 40:
        protocol, source, target, rest = data[6], data[8:24], data[24:40], data[40:]
        while protocol in (0, 43, 60) and len(rest) >= 8:
            protocol, rest = rest[0], rest[(rest[1] + 1) * 8:]
    elif kind == ETH_P_ARP:
        return "arp - 0 - 0"
    else:
        return f"ethertype-{kind:04x} - 0 - 0"
    ports = struct.unpack("!HH", rest[:4]) if protocol in (6, 17) and len(rest) >= 4 else (0, 0)
    name = {6: "tcp", 17: "udp", 1: "icmp"}.get(protocol, f"ip-{protocol}")
    if protocol == 58 and rest:
        name = f"icmp6-{rest[0]}"
    return f"{name} {ipaddress.ip_address(source)} {ports[0]} {ipaddress.ip_address(target)} {ports[1]}"


def watch(path):
    ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(ETH_P_ALL))
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
    out = open(path, "w", buffering=1)
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    ear.settimeout(0.5)
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"canary", CANARY)
    while not stopped:
        try:
            data, (interface, kind, _, _, _) = ear.recvfrom(65535)
        except (TimeoutError, InterruptedError):
            continue
        print(interface, describe(kind, data), file=out)
    # struct tpacket_stats: packets, drops. A watcher that lost packets has nothing to say.
    lost = struct.unpack("II", ear.getsockopt(263, 6, 8))[1]
    print("lost", lost, file=out)


def calls(path):
    """(pid, call) in order, with calls that were interrupted put together again."""
    begun = {}
    for line in open(path, errors="replace"):
        match = re.match(r"(\d+)\s+(.*)", line.rstrip("\n"))
        if not match:
            continue
        pid, text = int(match[1]), match[2]
        if text.endswith("<unfinished ...>"):
            begun[pid] = text[: -len("<unfinished ...>")]
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", text)
        if resumed:
            text = begun.pop(pid, "") + resumed[1]
        yield pid, text


def programs(every):
    """Which program made each call: `menka`, `engine` or `menka-gate`."""
    parents, execs = {}, collections.defaultdict(list)
    for at, (pid, text) in enumerate(every):
        born = re.match(r"(?:clone3?|v?fork)\(.*\)\s+= (\d+)", text)
        if born:
            parents[int(born[1])] = (pid, at)
        ran = re.match(r'execve\("([^"]+)", \[(.*?)\]', text)
        if ran and text.endswith("= 0"):
            name = os.path.basename(ran[1])
            execs[pid].append((at, "engine" if "--face-engine" in ran[2] else name))

    def at_time(pid, at):
        own = [name for when, name in execs[pid] if when <= at]
        if own:
            return own[-1]
        parent = parents.get(pid)
        return at_time(*parent) if parent else "unknown"

    return at_time


def listed(security):
    """The rows of SECURITY.md's table of local sockets: (patterns of the first column, whether the last one says that a day uses it)."""
    text = open(security, encoding="utf-8").read()
    part = text.split("### Local sockets", 1)[1].split("\n#", 1)[0]
    rows = []
    for line in part.splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            used, said = cells[0], cells[-1]
            if said != "yes" and not re.fullmatch(r"not in this day: .{8,}", said):
                sys.exit(f"network: SECURITY.md says neither 'yes' nor 'not in this day: why' of {used}")
            rows.append((re.findall(r"`([^`]+)`", used), said == "yes"))
    return rows


def sockets_said(rows, local):
    """What is wrong with the table: sockets that no row lists, rows that say "yes" and were not used, and the other way round."""
    faults = []
    used = lambda patterns: [n for n in local if any(fnmatch.fnmatchcase(n, p) for p in patterns)]
    every = [p for patterns, _ in rows for p in patterns]
    unlisted = sorted(set(local) - set(used(every)))
    faults += [f"a local socket that SECURITY.md does not list: {name} ({local[name]} times)" for name in unlisted]
    for patterns, said in rows:
        if said and not used(patterns):
            faults.append(f"SECURITY.md lists a local socket that this day did not use: {' '.join(patterns)}")
        if not said and used(patterns):
            faults.append(f"SECURITY.md says that this day does not use a local socket that it used: {used(patterns)}")
    return faults


def judge(packets, trace, security, board, board_interface):
    board_address, board_port = board.rsplit(":", 1)
    board = (board_address, int(board_port))
    faults = []
    every = list(calls(trace))
    program = programs(every)
    gate_ports, local, connected, to_board = set(), collections.Counter(), collections.Counter(), 0
    # Of the desk's own sockets: what kind each is, and which datagram sockets took a port without having said to whom.
    kinds, open_ended = {}, set()
    searches = asked = 0
    for at, (pid, text) in enumerate(every):
        who = program(pid, at)
        inet = re.search(r'sin6?_port=htons\((\d+)\).*?(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)"', text)
        unix = re.search(r'sa_family=AF_UNIX, sun_path=(@?"[^"]*")', text)
        call = text.split("(", 1)[0]
        if who == "menka-gate" and call == "getsockname" and inet:
            gate_ports.add(int(inet[1]))
        if who in OTHERS:
            continue
        fd = (re.match(r"\w+\((\d+)", text) or [None, None])[1]
        if call == "socket":
            family = text[len("socket("):].split(",", 1)[0]
            if who == "engine" and not text.endswith("(Operation not permitted)"):
                faults.append(f"the engine child made a socket: {text}")
            if family not in ("AF_INET", "AF_INET6", "AF_UNIX"):
                local[family] += 1
            made = re.search(r"= (\d+)$", text)
            if made:
                kinds[made[1]] = "tcp" if "SOCK_STREAM" in text else "udp"
                open_ended.discard(made[1])
            if family in ("AF_INET", "AF_INET6") and "SOCK_STREAM" not in text:
                # Looking for gates on the pairing page, or asking a board: own address, group and board are checked below.
                searches += 1
                if family != "AF_INET" or "SOCK_DGRAM" not in text or who != "menka":
                    faults.append(f"a socket that is neither TCP nor UDP of the desk: {text}")
        if call in ("connect", "bind", "sendto", "sendmsg") and unix:
            local["unix:" + unix[1].replace('"', "")] += 1
        if call == "connect" and inet:
            there = (inet[2], int(inet[1]))
            if who == "menka" and kinds.get(fd) == "udp" and there == board:
                to_board += 1
                open_ended.discard(fd)
            elif who == "menka":
                connected[there] += 1
            else:
                faults.append(f"{who} connected to an IP address: {text}")
        asks = call == "sendto" and inet and (inet[2], int(inet[1])) == GROUP
        own_end = call == "bind" and inet and (inet[2], int(inet[1])) == ("127.0.0.1", 0)
        # A question to a board: any free port, and the very next thing is to say that it is for that board alone.
        for_board = call == "bind" and inet and (inet[2], int(inet[1])) == ("0.0.0.0", 0) and kinds.get(fd) == "udp"
        if call in ("sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg") and fd in open_ended and who == "menka":
            faults.append(f"a datagram socket that is for nobody in particular was used: {text}")
        if asks and who == "menka":
            asked += 1
        elif own_end and who == "menka":
            pass
        elif for_board and who == "menka":
            open_ended.add(fd)
        elif call in ("bind", "listen", "sendto", "sendmsg", "sendmmsg") and inet:
            faults.append(f"{who} used {call} with an IP address: {text}")
    for (address, port), times in connected.items():
        if address != "127.0.0.1" or port not in gate_ports:
            faults.append(f"the desk connected {times} times to {address}:{port}, where no gate is")

    faults += [f"a datagram socket took a port and was for nobody: {fd}" for fd in open_ended]

    to_gates = kernels = canaries = other = to_group = board_packets = 0
    lost = None
    for line in open(packets):
        fields = line.split()
        if fields[0] == "lost":
            lost = int(fields[1])
            continue
        interface, name, source, source_port, target, target_port = fields
        if (target, int(target_port)) == CANARY and name == "udp":
            canaries += 1
        elif name.startswith("icmp6-") and int(name[6:]) in KERNELS_OWN:
            kernels += 1
        elif name == "ip-2" and interface == "lo":
            # A gate that shows a pairing code joins the group; the kernel says so on the same interface.
            kernels += 1
        elif (
            name == "udp" and interface == "lo" and source == "127.0.0.1"
            and ((target, int(target_port)) == GROUP or (target == "127.0.0.1" and int(source_port) == GROUP[1]))
        ):
            to_group += 1
        elif (
            name == "udp" and interface == board_interface
            and board in ((target, int(target_port)), (source, int(source_port)))
        ):
            board_packets += 1
        elif (
            name == "tcp" and interface == "lo" and source == target == "127.0.0.1"
            and ({int(source_port), int(target_port)} & gate_ports)
        ):
            to_gates += 1
        else:
            other += 1
            if other <= 20:
                faults.append(f"a packet that goes to no gate: {line.strip()}")
    if canaries == 0:
        faults.append("the watcher did not even see the packet that it sent itself")
    if lost != 0:
        faults.append(f"the watcher lost packets: {lost}")
    if asked == 0 or searches == 0 or to_group < asked:
        faults.append(f"gates were not looked for: {searches} sockets, {asked} questions, {to_group} packets")
    if to_gates == 0 or not connected:
        faults.append("nothing went to a gate: this was no day at the desk")

    if to_board == 0 or board_packets < to_board:
        faults.append(f"nothing went to the card board: {to_board} sockets, {board_packets} packets")

    faults += sockets_said(listed(security), local)
    for name in sorted(local):
        print(f"local socket {name}: {local[name]}")
    print(f"paired gates seen: {len({p for _, p in connected})}")
    print(f"packets between desk and gates: {to_gates}")
    print(f"packets between desk and card board, on its interface: {board_packets}")
    print(f"packets of the kernel's own: {kernels}")
    print(f"questions for gates that wait to be paired, on the interface chosen: {asked}")
    print(f"packets of multicast DNS, on the interface chosen: {to_group}")
    print(f"packets elsewhere: {other}")
    for fault in faults:
        print(f"network: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch(sys.argv[2])
    else:
        judge(*sys.argv[2:7])
