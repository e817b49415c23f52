#!/bin/bash
# Kills, bad disks, wrong clocks and bad networks against a real desk and real gates, each a process of its own (tests/chaos). Ends with
# `name: value` lines; fails when anything was lost, doubled, back from the dead or not whole.
#
#   chaos.sh [smoke | all | SECTION...]      (sections: `chaos list`, in tests/chaos/main.rs)
#
# What is tried unless these say otherwise; whatever is left out is said in a line `sampled: ...` at the end, so that nothing sampled is taken
# for complete:
#   CHAOS_KILLS=1000        random kills of the desk, half as many of gates
#   CHAOS_STRIDE=1          every write (or record, or datagram) of acts that take a moment, each with every kind of fault
#   CHAOS_LONG_STRIDE=1     every write of acts before which somebody comes before the camera; one kind of fault at a write, in turn.
#                           Unset, errors there come at one write in three.
#   CHAOS_DUTY_STRIDE=1     every write (or record) of acts of the whole site (first run, unlock, migration, backup, restoring, new
#                           keys, gates among each other); in turn.
#                           Unset, errors in backup, restoring and new keys, and kills while the vault is bound to the chip, come at one in four
#   CHAOS_SLOW_STRIDE=1     faults on the line that somebody must wait for (lost, late, half-open): every record
#   CHAOS_KINDS=all         every kind of fault at each of those writes, not one in turn: four or five times as long
#   CHAOS_JOBS=2            sections beside each other
#   CHAOS_MINUTES=0         no limit; else sections that would begin later do not run, and say so
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
out="$here/target/chaos"
mkdir -p "$out"
rm -f "$out"/*.log
export MENKA_MODELS=${MENKA_MODELS:-$here/var/models}
export MENKA_PICTURES=${MENKA_PICTURES:-$here/var/pictures}
export MENKA_CHAOS_LIBRARY="$out/fault.so"
# What the practice camera and the engine showed once (tests/chaos/faces.rs).
export MENKA_CHAOS_FACES="$out/faces"
rm -rf "$MENKA_CHAOS_FACES"
mkdir -p "$MENKA_CHAOS_FACES"
cc -O1 -Wall -shared -fPIC -o "$MENKA_CHAOS_LIBRARY" "$here/tests/chaos/fault.c" -ldl -lpthread
cd "$here"
# As it ships; the few kills of `smoke`, in `make test`, with what is built there.
profile=release
how=(--release)
if [ "$*" = smoke ]; then
  profile=debug
  how=()
fi
cargo build "${how[@]}" --features practice --bins
program=$(cargo test "${how[@]}" --features practice --test chaos --no-run 2>&1 | sed -n 's/.*Executable .*(\(.*\))$/\1/p')
[ -x "$program" ] || { echo "chaos: the test program was not built" >&2; exit 2; }
# Copies: a build in the meantime changes nothing of what runs.
mkdir -p "$out/run"
cp "$program" "$out/run/chaos"
cp "$here/target/$profile/menka-gate" "$out/run/menka-gate"
program="$out/run/chaos"
export MENKA_CHAOS_GATE="$out/run/menka-gate"

sections=${*:-all}
netem=no
if [ "$sections" = all ]; then
  sections=$("$program" list)
  netem=yes
fi
start=$(date +%s)
running=0
for section in $sections; do
  if [ "${CHAOS_MINUTES:-0}" -gt 0 ] && [ $(( $(date +%s) - start )) -ge $(( CHAOS_MINUTES * 60 )) ]; then
    echo "not run: $section: the time set by CHAOS_MINUTES was over" >"$out/$section.log"
    continue
  fi
  if [ "$running" -ge "${CHAOS_JOBS:-2}" ]; then
    wait -n || true
    running=$((running - 1))
  fi
  { "$program" "$section" >"$out/$section.log" 2>&1 || echo "section $section: FAILED" >>"$out/$section.log"; } &
  running=$((running + 1))
done
wait

# A line that loses, delays, doubles and reorders packets, where the kernel has one.
if [ "$netem" = yes ]; then
  bad='ip link set lo up && tc qdisc add dev lo root netem delay 15ms 8ms loss 3% duplicate 1% reorder 20%'
  if why=$(unshare -n sh -c "$bad" 2>&1); then
    unshare -n sh -c "$bad && exec '$program' netem" >"$out/netem.log" 2>&1 || echo "section netem: FAILED" >>"$out/netem.log"
  else
    echo "not run: a line made bad by the kernel (netem): $why; make test-camera runs it in a machine of its own" >"$out/netem.log"
  fi
fi

for log in "$out"/*.log; do
  echo "== $(basename "$log" .log)"
  cat "$log"
done
echo "=="
grep -h '^sampled: ' "$out"/*.log || true
grep -h '^not run: ' "$out"/*.log || true
for name in tried kills faults lost doubled zombie unsound; do
  echo "$name: $(sed -n "s/^$name: \([0-9]*\)$/\1/p" "$out"/*.log | awk '{ n += $1 } END { print n + 0 }')"
done
echo "chaos minutes: $(( ($(date +%s) - start) / 60 ))"
! grep -q '^section .*: FAILED' "$out"/*.log
