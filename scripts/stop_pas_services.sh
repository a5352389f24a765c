#!/usr/bin/env bash
# Stops every service that scripts/start_pas_services.sh has started, gracefully.
#
#   scripts/stop_pas_services.sh [--config FILE] [--data-dir DIR]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

exec "${CARGO_TARGET_DIR:-target}/release/pas" down "$@"
