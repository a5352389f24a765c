#!/usr/bin/env bash
# Measures the bars of what exists against release processes on this machine, and prints them with the load, the
# machine and the date. Takes about twenty minutes; let nothing else run meanwhile.
#
#   scripts/bench.sh [--check] [--json FILE] [--null] [--only PART] [registry|monitor|events|gateway|adapter|swarm|all]
#
# --check fails when a bar is missed; --json writes the report to FILE too; --null measures the bare proxy in the gateway's
# place, which shows how much of a figure is noise; --only flood|steady|alone|streams|floors|memory|start is a part of the gateway's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo build --release --locked --quiet --bins -p pas-registry -p pas-heartbeat-monitor -p pas-event-stream \
  -p pas-provider-router -p pas-classifier -p pas-gateway -p pas-adapters -p pas-local-llm -p pas-cli -p pas-testkit
exec "${CARGO_TARGET_DIR:-target}/release/pas-bench" bars "$@"
