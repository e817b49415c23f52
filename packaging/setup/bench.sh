#!/bin/bash
# Speed, as ratios taken in one run: the desk, the search among templates. faiss comes from its package registry into a virtual environment
# that is made once; without it that part says so.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo=${CARGO:-cargo}
venv=var/bench-venv
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import faiss' 2>/dev/null; then
  python3 -m venv "$venv" && "$venv/bin/pip" install -q 'faiss-cpu==1.12.0' 'numpy==2.3.4' || echo "faiss: not run: it could not be installed"
fi
if "$venv/bin/python" -c 'import faiss' 2>/dev/null; then
  MENKA_FAISS="$PWD/$venv/bin/python"
  export MENKA_FAISS
fi
"$cargo" bench --features practice --bench matcher
"$cargo" bench --features practice --bench desk
