#!/bin/bash
# Builds the fuzz targets with libFuzzer on the stable compiler and runs each for a while. Ends with `name: value` lines.
# usage: fuzz.sh [seconds a target]
set -eu
seconds=${1:-60}
began=$(date +%s)
here=$(cd "$(dirname "$0")/../.." && pwd)
out="$here/target/fuzz"
mkdir -p "$out/logs" "$out/found"
# Coverage by LLVM's own pass; --target keeps build scripts and macros out of it.
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
RUSTFLAGS=$(echo $RUSTFLAGS)
export RUSTFLAGS
cargo build --manifest-path "$here/fuzz/Cargo.toml" --release --target "$host" --target-dir "$out"
unset RUSTFLAGS
built=$(date +%s)
bins="$out/$host/release"
"$bins/seeds" "$out/seeds"
targets=0
crashes=0
lines=""
for source in "$here"/fuzz/fuzz_targets/*.rs; do
  target=$(basename "$source" .rs)
  [ "$target" != seeds ] || continue
  targets=$((targets + 1))
  mkdir -p "$out/corpus/$target" "$here/fuzz/regressions/$target"
  log="$out/logs/$target.log"
  # What was ever found is tried first; a finding is kept as a file and goes there with its fix.
  if "$bins/$target" "$out/corpus/$target" "$out/seeds/$target" "$here/fuzz/regressions/$target" \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="$out/found/$target-" >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    lines="$lines
fuzz $target runs: $runs"
  else
    crashes=$((crashes + 1))
    tail -40 "$log"
    lines="$lines
fuzz $target: FAILED, see target/fuzz/found"
  fi
done
rmdir --ignore-fail-on-non-empty "$here"/fuzz/regressions/* "$here/fuzz/regressions" 2>/dev/null || true
echo "$lines" | sed 1d
echo "fuzz targets: $targets"
echo "fuzz seconds a target: $seconds"
echo "fuzz build seconds: $((built - began))"
echo "fuzz crashes: $crashes"
[ "$crashes" = 0 ]
