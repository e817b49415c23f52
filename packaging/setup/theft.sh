#!/bin/bash
# What a thief learns from the desk's files, disk, dump, swap and memory (theft.py, in real windows). Ends with `name: value` lines; fails when
# something lies where it must not.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
cd "$here"
cargo build --features practice --bins
MENKA_GUI_SCRIPT=theft.py MENKA_GUI_SHOTS=var/gui/theft bash packaging/setup/gui.sh target/debug/menka
