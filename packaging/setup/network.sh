#!/usr/bin/env bash
# Clicks through a whole day (gui.sh) in a network of its own that has a way out, and watches every packet on every interface and every
# socket of the desk. Fails when anything but TCP between the desk and its paired gates was sent, and questions for gates on the interface that
# was chosen while the pairing page was open, or when the desk used a local socket that SECURITY.md does not list.
#
#   packaging/setup/network.sh [MENKA-PROGRAM]        (default: target/debug/menka)
#
# The other half, a real site in a network that has no way out, on which a face is enrolled, recognised and erased again, is a test of its own
# (part of `make test`):
#
#   cargo test --features practice --test it posture::real -- --nocapture
#
# Where the kernel allows no network namespace, it says so and clicks through without watching.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(realpath "${1:-$root/target/debug/menka}")

if [ "${MENKA_NETWORK_INSIDE:-}" != yes ]; then
    for tool in unshare ip strace python3; do
        command -v "$tool" >/dev/null || { echo "network: $tool is missing: run 'make setup'" >&2; exit 2; }
    done
    for flags in -n -rn; do
        if why=$(unshare $flags true 2>&1); then
            exec env MENKA_NETWORK_INSIDE=yes unshare $flags bash "${BASH_SOURCE[0]}" "$program"
        fi
    done
    echo "network watch: not run: no network namespace: $why"
    exec bash "$root/packaging/setup/gui.sh" "$program"
fi

work=$(mktemp -d)
watcher=
stop() {
    [ -n "$watcher" ] && kill "$watcher" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

# A way out that leads to a dead end: whatever tries to leave is seen there as a packet. Neighbours are fixed, so that even a first packet goes.
ip link set lo up
ip link add out0 type veth peer name far0
for end in out0 far0; do
    for setting in accept_ra=0 router_solicitations=0 accept_dad=0; do
        (echo "${setting#*=}" > "/proc/sys/net/ipv6/conf/$end/${setting%=*}") 2>/dev/null || true
    done
    ip link set "$end" up
done
far=$(cat /sys/class/net/far0/address 2>/dev/null || ip -o link show far0 | sed 's/.*ether \([^ ]*\).*/\1/')
ip addr add 192.168.77.2/24 dev out0
ip neigh add 192.168.77.1 lladdr "$far" dev out0
ip route add default via 192.168.77.1 dev out0
if ip -6 addr add fd77::2/64 dev out0 nodad 2>/dev/null; then
    ip -6 neigh add fd77::1 lladdr "$far" dev out0
    ip -6 route add default via fd77::1 dev out0
fi
sleep 2

python3 "$root/packaging/setup/network.py" watch "$work/packets" &
watcher=$!
for _ in $(seq 50); do [ -e "$work/packets" ] && break; sleep 0.1; done

mkdir "$work/bin"
cat > "$work/bin/menka" <<WRAPPER
#!/bin/sh
exec strace -f --seccomp-bpf -qq -s 200 -e trace=network,process -o "$work/calls.\$\$" "$program" "\$@"
WRAPPER
chmod +x "$work/bin/menka"

bash "$root/packaging/setup/gui.sh" "$work/bin/menka"

kill -TERM "$watcher"
wait "$watcher" || true
watcher=
cat "$work"/calls.* > "$work/calls"
python3 "$root/packaging/setup/network.py" judge "$work/packets" "$work/calls" "$root/SECURITY.md"
