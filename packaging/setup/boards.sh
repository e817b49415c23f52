#!/bin/bash
# Cross-checks the card board in software with an independent client (PyPI uhppoted) over real UDP on the loopback: what that client writes
# and reads is what a real board's maker documents, so our own client and our board cannot be wrong together.
# usage: boards.sh [MENKA-GATE-PROGRAM]   (default: target/debug/menka-gate, a practice build)
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
gate=$(realpath "${1:-$here/target/debug/menka-gate}")
venv="$here/var/uhppoted"
if [ "$("$venv/bin/pip" show uhppoted 2>/dev/null | sed -n 's/^Version: //p')" != 0.9.1.1 ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" -q --disable-pip-version-check install uhppoted==0.9.1.1
fi
exec "$venv/bin/python" "$here/packaging/setup/boards.py" "$gate"
