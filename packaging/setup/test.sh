#!/bin/sh
# Everything that `make test` runs, headless. Ends with `name: value` lines.
set -eu
start=$(date +%s)
MENKA_REQUIRE_DEVICES=1
export MENKA_REQUIRE_DEVICES
cargo build --features practice --bins
if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --features practice --no-fail-fast
else
  cargo test --features practice --no-fail-fast --lib --bins --test it
fi
cargo test --features practice --doc
bash packaging/setup/chaos.sh smoke
# A short look at each parser; what a longer one ever found is tried again too.
bash packaging/setup/fuzz.sh 2
bash packaging/setup/network.sh target/debug/menka
MENKA_GUI_SCRIPT=resident.py MENKA_GUI_SHOTS=var/gui/resident bash packaging/setup/gui.sh target/debug/menka
bash packaging/setup/boards.sh target/debug/menka-gate
sh packaging/setup/shipped.sh
[ -d /sys/kernel/config/gpio-sim ] ||
  echo "not run: the GPIO door: this kernel has no gpio-sim; make test-camera opens one in a machine of its own"
echo "test minutes: $(( ($(date +%s) - start) / 60 ))"
