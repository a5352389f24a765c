#!/usr/bin/env bash
# Keeps a swarm of release processes busy, and reports uptime, restarts, leaks and lost connections at the end. Fails
# when there are any of the last three.
#
#   scripts/soak.sh --hours N      fractions are allowed: --hours 0.1
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo build --release --locked --quiet --bins -p pas-registry -p pas-heartbeat-monitor -p pas-event-stream \
  -p pas-provider-router -p pas-classifier -p pas-gateway -p pas-hmi -p pas-cli -p pas-testkit
exec "${CARGO_TARGET_DIR:-target}/release/pas-bench" soak "$@"
