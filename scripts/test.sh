#!/usr/bin/env bash
# Checks everything: format, lints, docs, and every test on this machine. `--long` adds what takes longer
# (default heartbeat intervals, mutants, fuzzing, a soak). Ends with the test runner's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."

long=false
case "${1:-}" in
'') ;;
--long) long=true ;;
*)
  echo "usage: scripts/test.sh [--long]" >&2
  exit 2
  ;;
esac

step() { printf '\n== %s\n' "$*"; }

step "web interface: types and units"
scripts/web.sh npm run --silent check
scripts/web.sh npm test --silent

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --workspace --all-targets --quiet -- -D warnings

step "the fuzz target's own lock file"
cargo metadata --locked --format-version 1 --filter-platform "$(rustc -vV | sed -n 's/^host: //p')" \
  --manifest-path crates/journal/fuzz/Cargo.toml >/dev/null

step "docs"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

step "dependencies"
if cargo deny --version >/dev/null 2>&1; then
  cargo deny --log-level error check bans licenses sources
else
  echo "SKIPPED: cargo-deny is missing (cargo install cargo-deny --locked)"
fi

step "npm clients"
# Once for each lock file: what is installed keeps a copy of the one that it comes from.
if ! cmp --silent tests/node/package-lock.json tests/node/node_modules/installed.json; then
  command -v npm >/dev/null || { echo "npm is missing: sudo apt-get install nodejs npm" >&2; exit 1; }
  npm --prefix tests/node ci --loglevel error >/dev/null
  cp tests/node/package-lock.json tests/node/node_modules/installed.json
fi

step "python clients"
# Once for each list of requirements, likewise.
if ! cmp --silent tests/python/requirements.txt tests/python/venv/installed.txt; then
  python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    { echo "Python 3.11 or its venv is missing: sudo apt-get install python3 python3-venv" >&2; exit 1; }
  rm -rf tests/python/venv
  python3 -m venv tests/python/venv
  tests/python/venv/bin/pip install --quiet --disable-pip-version-check --no-deps -r tests/python/requirements.txt
  tests/python/venv/bin/pip check --quiet --disable-pip-version-check
  cp tests/python/requirements.txt tests/python/venv/installed.txt
fi

step "doctests"
cargo test --workspace --doc --quiet

step "acceptance: what was promised, with curl, with short intervals"
cargo build --workspace --quiet
command -v "${PAS_CHROMIUM:-/usr/bin/chromium}" >/dev/null ||
  { echo "Chromium is missing: sudo apt-get install chromium (or set PAS_CHROMIUM)" >&2; exit 1; }
scripts/acceptance/phase6.sh

step "web interface: in a browser, over real services"
scripts/web.sh npm run --silent browser

if $long; then
  step "the first users' steps, word for word"
  scripts/acceptance/phase0.sh
  step "mutants: each must be caught by the test that it names"
  tests/mutants/run.sh
  step "fuzzing, ${FUZZ_SECONDS:-30} s a target"
  scripts/fuzz.sh
  step "bars of the web interface, ten minutes among them"
  PAS_BARS_LONG=1 scripts/bench.sh --check hmi
  step "soak, 10 minutes"
  scripts/soak.sh --hours 0.17
fi

step "tests"
if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --workspace --run-ignored "$($long && echo all || echo default)"
else
  cargo test --workspace -- $($long && echo --include-ignored)
fi
