#!/bin/sh
# Shows that what is shipped holds no practice code: no picture camera, no practice site, no way to bring in a picture.
set -eu
cargo build --bins
for program in menka menka-gate menka-verify; do
  if nm -C "target/debug/$program" 2>/dev/null | grep -q 'menka::practice'; then
    echo "$program holds practice code" >&2
    exit 1
  fi
  if "target/debug/$program" --practice /nonexistent >/dev/null 2>&1; then
    echo "$program takes --practice" >&2
    exit 1
  fi
done
if MENKA_PACKAGE=1 cargo build --features practice --bins >/dev/null 2>&1; then
  echo "the package build took the feature practice" >&2
  exit 1
fi
if ldd target/debug/menka | grep -q 'libdlib'; then
  echo "menka links libdlib, whose data package carries the 68-point model" >&2
  exit 1
fi
echo "shipped binaries without practice code: 3"
