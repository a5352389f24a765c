#!/usr/bin/env bash
# Measures the bars of what exists against release processes on this machine, and prints them with the load, the
# machine and the date. Takes about twenty minutes; let nothing else run meanwhile.
#
#   scripts/bench.sh [--check] [--json FILE] [--null] [--only PART] [registry|monitor|events|gateway|adapter|swarm|all|hmi]
#
# --check fails when a bar is missed; --json writes the report to FILE too; --null measures the bare proxy in the gateway's
# place, which shows how much of a figure is noise; --only flood|steady|alone|streams|floors|memory|start is a part of the gateway's.
# `hmi` measures the web interface in Chromium, apart from the others; with PAS_BARS_LONG=1 for ten minutes more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

is_hmi=false
case " $* " in *" hmi "*) is_hmi=true ;; esac
# It goes into the HMI's binary.
if $is_hmi; then scripts/web.sh; fi
cargo build --release --locked --quiet --bins -p pas-registry -p pas-heartbeat-monitor -p pas-event-stream \
  -p pas-provider-router -p pas-classifier -p pas-gateway -p pas-hmi -p pas-adapters -p pas-local-llm -p pas-cli -p pas-testkit
# Programs are called from other folders, too.
target="${CARGO_TARGET_DIR:-target}"
case "$target" in /*) ;; *) target="$PWD/$target" ;; esac
release="$target/release"
if $is_hmi; then
  [[ " $* " != *" --check "* ]] || export PAS_BARS_CHECK=1
  PAS_BINARIES="$release" exec scripts/web.sh npm run --silent bars
fi
exec "$release/pas-bench" bars "$@"
