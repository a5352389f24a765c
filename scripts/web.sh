#!/usr/bin/env bash
# Builds the web interface (services/hmi/web), if anything of it is newer than what is built; the HMI's binary takes it in. It needs
# Node 20.19 or later. Where that is missing, npm gets it into .tools/, and Debian's apt gets npm when this runs as root.
#
#   scripts/web.sh           builds
#   scripts/web.sh COMMAND…  and runs a command there, with that Node
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

needed=20.19
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

has_node() {
  command -v node >/dev/null && npm --version >/dev/null 2>&1 || return 1
  local found
  found="$(node --version)" && [ "$(printf '%s\n' "$needed" "${found#v}" | sort -V | head -n 1)" = "$needed" ]
}

quietly() {
  local log
  log="$(mktemp)"
  "$@" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; return 1; }
  rm -f "$log"
}

require_node() {
  local found="$PATH"
  local tools="$PWD/.tools/node_modules/.bin:$PATH"
  PATH="$tools"
  if has_node; then return; fi
  # Debian's npm works with Debian's node alone: what is in .tools/ must not come before that one here.
  PATH="$found"
  local help="Node $needed or later and npm are needed for the web interface (https://nodejs.org)"
  if ! command -v npm >/dev/null; then
    { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; } || fail "$help"
    echo "installing npm"
    quietly apt-get update -qq || fail "$help"
    DEBIAN_FRONTEND=noninteractive quietly apt-get install -y -qq --no-install-recommends npm || fail "$help"
  fi
  if ! has_node; then
    echo "getting a newer Node into .tools/"
    quietly npm install --prefix .tools --no-save --no-fund --no-audit node@22 npm@11 || fail "$help"
    PATH="$tools"
  fi
  has_node || fail "$help"
}

require_node
cd services/hmi/web

# Once for each lock file: what is installed keeps a copy of the one that it comes from.
if ! cmp --silent package-lock.json node_modules/installed.json; then
  quietly npm ci || fail "what the web interface is built with could not be installed"
  cp package-lock.json node_modules/installed.json
fi

if [ ! -f dist/index.html ] || [ -n "$(find src public index.html vite.config.ts package-lock.json -newer dist/index.html -print -quit)" ]; then
  quietly npm run build || fail "the web interface could not be built"
fi

[ $# -eq 0 ] || exec "$@"
