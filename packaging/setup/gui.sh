#!/usr/bin/env bash
# Clicks through the practice site in real windows on a display of its own (Xvfb and openbox), and fails when a click does not lead on.
#
#   packaging/setup/gui.sh [MENKA-PROGRAM]        (default: target/debug/menka)
#
# MENKA_GUI_SCRIPT names another script beside this one (resident.py, keeping.py). Pictures of every step go into MENKA_GUI_SHOTS, by default var/gui. Models and pictures are where `make` fetches them.
#
# The display has a D-Bus session of its own with the desktop portal, as a desktop has: the desk's file dialogs are the portal's, and are clicked.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(realpath "${1:-$root/target/debug/menka}")
shots=${MENKA_GUI_SHOTS:-$root/var/gui}
export MENKA_MODELS=${MENKA_MODELS:-$root/var/models}
export MENKA_PICTURES=${MENKA_PICTURES:-$root/var/pictures}

for tool in Xvfb openbox xdotool import python3 dbus-daemon; do
    command -v "$tool" >/dev/null || { echo "gui: $tool is missing: run 'make setup'" >&2; exit 2; }
done
[ -x "$program" ] || { echo "gui: $program is missing: run 'cargo build --features practice --bins'" >&2; exit 2; }

mkdir -p "$shots"
rm -f "$shots"/*.png
work=$(mktemp -d)
server=
manager=
bus=
speech=
stop() {
    # It waits for its voices, which may wait for a sound card that is not there.
    [ -n "$speech" ] && kill -9 "$speech" 2>/dev/null || true
    [ -n "$bus" ] && kill "$bus" 2>/dev/null || true
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
# The runtime folder is where this session's bus and speech service are; nothing of the caller's own session is used.
mkdir -m 700 "$work/run"
export XDG_RUNTIME_DIR="$work/run" XDG_CURRENT_DESKTOP=GNOME GTK_USE_PORTAL=0 GDK_BACKEND=x11
export XDG_DATA_HOME="$work/data" XDG_CONFIG_HOME="$work/config" XDG_CACHE_HOME="$work/cache" GSETTINGS_BACKEND=memory
unset WAYLAND_DISPLAY SPEECHD_ADDRESS
export DBUS_SESSION_BUS_ADDRESS="unix:path=$work/run/bus"
dbus-daemon --session --nofork --nopidfile --address="$DBUS_SESSION_BUS_ADDRESS" >"$work/bus" 2>&1 &
bus=$!
# As a desktop does: the desk would start the service itself, which then outlives it.
# One voice only: as installed, the service also looks for a speech server at a port of this machine.
if command -v speech-dispatcher >/dev/null; then
    mkdir -p "$work/speechd/modules"
    cp /etc/speech-dispatcher/modules/espeak-ng.conf "$work/speechd/modules/"
    printf '%s\n' 'LogLevel 1' 'AudioOutputMethod "alsa"' 'AddModule "espeak-ng" "sd_espeak-ng" "espeak-ng.conf"' 'DefaultModule espeak-ng' \
        >"$work/speechd/speechd.conf"
    speech-dispatcher -s -t 0 -C "$work/speechd" -L "$work" >"$work/speech" 2>&1 &
    speech=$!
fi
sleep 0.5

python3 "$root/packaging/setup/${MENKA_GUI_SCRIPT:-gui.py}" "$program" "$shots"
echo "gui pictures: $(find "$shots" -name '*.png' | wc -l)"
