#!/usr/bin/env bash
# Clicks through a whole day (gui.sh) in a network of its own that has a way out, and watches every packet on every interface and every
# socket of the desk. Fails when anything was sent but: TCP between the desk and its paired gates, UDP between the desk and its card board on that
# board's interface, and questions for gates on the interface that was chosen (that they end with the page: tests/it/pairing.rs). Fails too when the desk used a
# local socket that SECURITY.md does not list, or did not use one that SECURITY.md says a day uses.
#
#   packaging/setup/network.sh [MENKA-PROGRAM]        (default: target/debug/menka)
#
# The other half, a real site in a network that has no way out, on which a face is enrolled, recognised and erased again, is a test of its own
# (part of `make test`):
#
#   cargo test --features practice --test it posture::real -- --nocapture
#
# Where the kernel allows no network namespace both fail, since nothing was watched. MENKA_NETWORK_OPTIONAL=yes lets them end well all the same:
# the day is then clicked through without a watcher, and the last line says `not run`.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(realpath "${1:-$root/target/debug/menka}")

if [ "${MENKA_NETWORK_INSIDE:-}" != yes ]; then
    for tool in unshare nsenter ip strace python3 mount pcscd; do
        command -v "$tool" >/dev/null || { echo "network: $tool is missing: run 'make setup'" >&2; exit 2; }
    done
    # With processes of its own too: whatever is left over ends with it. A gate that outlived its watcher would find its calls refused and spin.
    for flags in -n -rn; do
        flags="$flags -pf --mount-proc --kill-child"
        if why=$(unshare $flags true 2>&1); then
            exec env MENKA_NETWORK_INSIDE=yes unshare $flags bash "${BASH_SOURCE[0]}" "$program"
        fi
    done
    if [ "${MENKA_NETWORK_OPTIONAL:-}" != yes ]; then
        echo "network: no network namespace, so nothing can be watched: $why" >&2
        echo "network: MENKA_NETWORK_OPTIONAL=yes clicks through the day without watching" >&2
        exit 2
    fi
    bash "$root/packaging/setup/gui.sh" "$program"
    echo "network watch: not run: no network namespace: $why"
    exit 0
fi

work=$(mktemp -d)
watcher=
beside=
readers=
stop() {
    [ -n "$readers" ] && kill "$readers" 2>/dev/null || true
    [ -n "$beside" ] && kill "$beside" 2>/dev/null || true
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

# A card board behind a line of its own, as on a real LAN: what the desk sends it leaves by that interface and no other.
unshare -n sleep infinity &
beside=$!
for _ in $(seq 50); do
    [ "$(readlink "/proc/$beside/ns/net")" != "$(readlink /proc/self/ns/net)" ] && break
    sleep 0.1
done
ip link add lan0 type veth peer name board0
ip link set board0 netns "$beside"
at_board() { nsenter -t "$beside" -n "$@"; }
(echo 1 > /proc/sys/net/ipv6/conf/lan0/disable_ipv6) 2>/dev/null || true
ip addr add 192.168.78.1/24 dev lan0
ip link set lan0 up
at_board ip addr add 192.168.78.10/24 dev board0
at_board ip link set board0 up
ip neigh add 192.168.78.10 lladdr "$(at_board ip -o link show board0 | sed 's/.*ether \([^ ]*\).*/\1/')" dev lan0
at_board ip neigh add 192.168.78.1 lladdr "$(ip -o link show lan0 | sed 's/.*ether \([^ ]*\).*/\1/')" dev board0
export MENKA_GUI_BOARD=192.168.78.10:60000 MENKA_GUI_BOARD_BY="nsenter -t $beside -n" MENKA_GUI_GATE="$(dirname "$program")/menka-gate"
sleep 2

# The service of card readers, without a reader, in a folder that only this run sees.
mkdir -p /run/pcscd 2>/dev/null || true
mount -t tmpfs tmpfs /run/pcscd
pcscd --foreground >"$work/readers" 2>&1 &
readers=$!

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
python3 "$root/packaging/setup/network.py" judge "$work/packets" "$work/calls" "$root/SECURITY.md" "$MENKA_GUI_BOARD" lan0
