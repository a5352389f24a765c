#!/usr/bin/env bash
# Measures which lines the tests run, and fails below 80 %. Needs cargo-llvm-cov, and LLVM's tools of the compiler's own
# version: rustup's component llvm-tools, or the distribution's llvm-N.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo llvm-cov --version >/dev/null 2>&1 || {
  echo "cargo-llvm-cov is missing: cargo install cargo-llvm-cov" >&2
  exit 1
}
major="$(rustc --version --verbose | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')"
if command -v "llvm-profdata-$major" >/dev/null; then
  export LLVM_COV="llvm-cov-$major" LLVM_PROFDATA="llvm-profdata-$major"
fi
# What is counted is the product: not the tests, nor what they stand on.
exec cargo llvm-cov nextest --workspace --ignore-filename-regex '(^|/)(tests|testkit)/' --fail-under-lines 80 "$@"
