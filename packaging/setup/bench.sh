#!/bin/bash
# Speed, as ratios taken in one run: the search among templates, the desk, the way to a gate, the vault against plain SQLite. faiss comes
# from its package registry into a virtual environment that is made once; without it that part says so. Ends with every `target, ` line again
# and their counts. A missed target fails nothing unless its bench says so; a wrong answer does.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo=${CARGO:-cargo}
venv=var/bench-venv
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import faiss' 2>/dev/null; then
  { python3 -m venv "$venv" && "$venv/bin/pip" install -q 'faiss-cpu==1.15.1' 'numpy==2.4.6'; } || echo "faiss: not run: it could not be installed"
fi
if "$venv/bin/python" -c 'import faiss' 2>/dev/null; then
  MENKA_FAISS="$PWD/$venv/bin/python"
  export MENKA_FAISS
fi
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
failed=()
bench() {
  "$cargo" bench --features practice --bench "$1" | tee -a "$lines" || failed+=("$1")
}
bench matcher
bench desk
# The way to a gate: sealed envelopes with durable acks beside the disk's own durable writes and bare TCP; the first sync of many people and a
# change of one in a hundred (MENKA_BENCH: people of the large part).
bench sync
bench vault
echo
grep '^target, ' "$lines" || echo "no target was told"
count() { echo "targets $1: $(grep -cE "^target, .*: $2" "$lines" || true)"; }
count met 'met \('
count missed 'missed \('
count 'not run' 'not run: '
if [ ${#failed[@]} -gt 0 ]; then
  echo "benches that failed: ${failed[*]}"
  exit 1
fi
