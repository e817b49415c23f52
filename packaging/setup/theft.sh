#!/bin/bash
# What a thief learns from the desk's and a gate's files, disks, dump, swap and memory: words and the vault's keys in the shipped desk's own
# windows (theft.py), then keys and a template in a desk and a gate that have enrolled somebody (tests/chaos/theft.rs). Ends with `name: value`
# lines; fails when something lies where it must not.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
cd "$here"
export MENKA_MODELS=${MENKA_MODELS:-$here/var/models}
export MENKA_PICTURES=${MENKA_PICTURES:-$here/var/pictures}
cargo build --features practice --bins
program=$(cargo test --features practice --test chaos --no-run 2>&1 | sed -n 's/.*Executable .*(\(.*\))$/\1/p')
[ -x "$program" ] || { echo "theft: the test program was not built" >&2; exit 2; }
mkdir -p "$here/target/chaos"
export MENKA_CHAOS_LIBRARY="$here/target/chaos/fault.so"
cc -O1 -Wall -shared -fPIC -o "$MENKA_CHAOS_LIBRARY" "$here/tests/chaos/fault.c" -ldl -lpthread
failed=0
MENKA_THEFT_KEYS="$here/$program" MENKA_GUI_SCRIPT=theft.py MENKA_GUI_SHOTS=var/gui/theft \
  bash packaging/setup/gui.sh target/debug/menka || failed=1
"$program" theft || failed=1
exit "$failed"
