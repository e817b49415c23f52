#!/bin/sh
# Prints which test shows which duty (docs/requirements.md); fails when a duty in scope has none.
set -eu
cargo test -q --features practice --test it trace::every_duty_in_scope_has_a_test -- --exact --nocapture >target/trace.txt 2>&1 || {
  cat target/trace.txt
  exit 1
}
grep -v -e '^running' -e '^test result' -e '^\.*$' target/trace.txt
