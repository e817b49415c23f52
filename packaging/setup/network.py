#!/usr/bin/env python3
"""Watches packets, and judges what a day at the desk sent and opened. Called by network.sh.

network.py watch PACKETS                    until SIGTERM: one line a packet, on every interface of this network namespace
network.py judge PACKETS CALLS SECURITY.md  fails unless IP traffic went to gates only and every local socket is in the list of SECURITY.md
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
    """The local sockets that SECURITY.md lists: patterns in the first column of the table below the heading."""
    text = open(security, encoding="utf-8").read()
    part = text.split("### Local sockets", 1)[1].split("\n#", 1)[0]
    return [p for line in part.splitlines() if line.startswith("| `") for p in re.findall(r"`([^`]+)`", line.split("|")[1])]


def judge(packets, trace, security):
    faults = []
    every = list(calls(trace))
    program = programs(every)
    gate_ports, fds, local, connected = set(), {}, collections.Counter(), collections.Counter()
    searches = asked = 0
    for at, (pid, text) in enumerate(every):
        who = program(pid, at)
        inet = re.search(r'sin6?_port=htons\((\d+)\).*?(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)"', text)
        unix = re.search(r'sa_family=AF_UNIX, sun_path=(@?"[^"]*")', text)
        call = text.split("(", 1)[0]
        if who == "menka-gate" and call == "getsockname" and inet:
            gate_ports.add(int(inet[1]))
        if who not in ("menka", "engine"):
            continue
        if call == "socket":
            family = text[len("socket("):].split(",", 1)[0]
            if who == "engine" and not text.endswith("(Operation not permitted)"):
                faults.append(f"the engine child made a socket: {text}")
            if family not in ("AF_INET", "AF_INET6", "AF_UNIX"):
                local[family] += 1
            if family in ("AF_INET", "AF_INET6") and "SOCK_STREAM" not in text:
                # Looking for gates, on the pairing page only: its own address and the group are checked below.
                searches += 1
                if family != "AF_INET" or "SOCK_DGRAM" not in text or who != "menka":
                    faults.append(f"a socket that is not TCP: {text}")
        if call in ("connect", "bind", "sendto", "sendmsg") and unix:
            local["unix:" + unix[1].replace('"', "")] += 1
        if call == "connect" and inet:
            connected[(inet[2], int(inet[1]))] += 1
        asks = call == "sendto" and inet and (inet[2], int(inet[1])) == GROUP
        own_end = call == "bind" and inet and (inet[2], int(inet[1])) == ("127.0.0.1", 0)
        if asks and who == "menka":
            asked += 1
        elif own_end and who == "menka":
            pass
        elif call in ("bind", "listen", "sendto", "sendmsg", "sendmmsg") and inet:
            faults.append(f"{who} used {call} with an IP address: {text}")
    for (address, port), times in connected.items():
        if address != "127.0.0.1" or port not in gate_ports:
            faults.append(f"the desk connected {times} times to {address}:{port}, where no gate is")

    to_gates = kernels = canaries = other = to_group = 0
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

    patterns = listed(security)
    unlisted = [name for name in local if not any(fnmatch.fnmatchcase(name, p) for p in patterns)]
    faults += [f"a local socket that SECURITY.md does not list: {name} ({local[name]} times)" for name in unlisted]
    for name in sorted(local):
        print(f"local socket {name}: {local[name]}")
    print(f"paired gates seen: {len({p for _, p in connected})}")
    print(f"packets between desk and gates: {to_gates}")
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
        judge(*sys.argv[2:5])
