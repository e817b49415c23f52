#!/usr/bin/env bash
# Clicks through the practice site in real windows on a display of its own (Xvfb and openbox), and fails when a click does not lead on.
#
#   packaging/setup/gui.sh [MENKA-PROGRAM]        (default: target/debug/menka)
#
# MENKA_GUI_SCRIPT names another script beside this one (resident.py). Pictures of every step go into MENKA_GUI_SHOTS, by default var/gui. Models and pictures are where `make` fetches them.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(realpath "${1:-$root/target/debug/menka}")
shots=${MENKA_GUI_SHOTS:-$root/var/gui}
export MENKA_MODELS=${MENKA_MODELS:-$root/var/models}
export MENKA_PICTURES=${MENKA_PICTURES:-$root/var/pictures}

for tool in Xvfb openbox xdotool import python3; do
    command -v "$tool" >/dev/null || { echo "gui: $tool is missing: run 'make setup'" >&2; exit 2; }
done
[ -x "$program" ] || { echo "gui: $program is missing: run 'cargo build --features practice --bins'" >&2; exit 2; }

mkdir -p "$shots"
rm -f "$shots"/*.png
work=$(mktemp -d)
server=
manager=
stop() {
    [ -n "$manager" ] && kill "$manager" 2>/dev/null || true
    [ -n "$server" ] && kill "$server" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

# The server itself looks for a free display number and tells it.
Xvfb -displayfd 3 -screen 0 2800x1600x24 -nolisten tcp 3>"$work/display" >"$work/server" 2>&1 &
server=$!
for _ in $(seq 100); do
    [ -s "$work/display" ] && break
    kill -0 "$server" 2>/dev/null || { echo "gui: Xvfb did not start" >&2; cat "$work/server" >&2; exit 2; }
    sleep 0.1
done
[ -s "$work/display" ] || { echo "gui: Xvfb gave no display" >&2; exit 2; }
DISPLAY=:$(tr -d '[:space:]' < "$work/display")
export DISPLAY
openbox >"$work/manager" 2>&1 &
manager=$!
sleep 0.5

python3 "$root/packaging/setup/${MENKA_GUI_SCRIPT:-gui.py}" "$program" "$shots"
echo "gui pictures: $(find "$shots" -name '*.png' | wc -l)"
