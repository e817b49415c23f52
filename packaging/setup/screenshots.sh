#!/usr/bin/env bash
# Draws every page of both windows, in both languages, at 1366x768 and 1024x600, into var/screenshots, and clicks through the real windows.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
shots=$root/var/screenshots
rm -rf "$shots"
mkdir -p "$shots"
cd "$root"
cargo build --features practice --bins
MENKA_SHOTS=$shots ICED_TEST_BACKEND=tiny-skia cargo test --features practice --test it -- ui_staff::pictures ui_resident
MENKA_GUI_SHOTS=$shots/windows bash packaging/setup/gui.sh target/debug/menka
echo "screens rendered: $(find "$shots" -name '*.png' | wc -l)"
