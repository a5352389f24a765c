#!/usr/bin/env bash
# Fuzzes what reads bytes that it did not write: the journal's recovery. FUZZ_SECONDS (30) says how long.
# libFuzzer is linked in, so that neither a nightly compiler nor cargo-fuzz is needed.
set -euo pipefail
cd "$(dirname "$0")/../crates/journal/fuzz"

target="$(rustc -vV | sed -n 's/^host: //p')"
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
coverage+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
coverage+=" -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
RUSTC_BOOTSTRAP=1 RUSTFLAGS="--cfg fuzzing $coverage" cargo build --quiet --release --locked --target "$target"

mkdir -p corpus
# In memory where there is such a place: each input opens a journal three times, and forces it to the disk.
[ -d /dev/shm ] && export TMPDIR=/dev/shm
exec "${CARGO_TARGET_DIR:-target}/$target/release/recovery" -max_total_time="${FUZZ_SECONDS:-30}" -max_len=4096 corpus seeds
