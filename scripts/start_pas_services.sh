#!/usr/bin/env bash
# Builds PAS and starts every service of it in the background; run it again and nothing changes.
#
#   scripts/start_pas_services.sh [--demo] [--config FILE] [--data-dir DIR]
#
# With --demo it shows a scripted swarm instead, in the foreground and over data of its own, until Ctrl-C; it needs no key.
# What is missing on a fresh Debian or Ubuntu is installed when this runs as root, and Rust by rustup; else the command
# is printed.
# Paths are relative to the repository, from wherever this is called.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

demo=false
flags=()
for argument in "$@"; do
  case "$argument" in
  --demo) demo=true ;;
  *) flags+=("$argument") ;;
  esac
done

say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Installs what a build needs and a fresh machine lacks.
require_system_packages() {
  local missing=()
  command -v cc >/dev/null || missing+=(gcc libc6-dev)
  command -v make >/dev/null || missing+=(make)
  command -v curl >/dev/null || missing+=(curl ca-certificates)
  if [ "${#missing[@]}" -eq 0 ]; then
    return
  fi
  local install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  command -v apt-get >/dev/null || fail "missing: ${missing[*]} (Debian's names); install them and run this again"
  [ "$(id -u)" -eq 0 ] || fail "missing: ${missing[*]}. Run this, then this script again:
  sudo sh -c '$install'"
  say "installing ${missing[*]}"
  DEBIAN_FRONTEND=noninteractive sh -c "$install" >"$log" 2>&1 || { cat "$log" >&2; fail "that did not work"; }
}

# The toolchain itself comes with the first build: rust-toolchain.toml says which.
install_rust() {
  local install="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal"
  local help="cargo is missing. Install Rust $1 or later (apt's is too old), then run this script again:
  $install"
  [ "$(id -u)" -eq 0 ] || fail "$help"
  say "installing Rust with rustup"
  bash -o pipefail -c "$install" >"$log" 2>&1 || { cat "$log" >&2; fail "$help"; }
  PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
}

# Cargo is not taken from apt: what Debian and Ubuntu ship is older than this workspace needs.
require_cargo() {
  local needed found
  needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
  fi
  command -v cargo >/dev/null || install_rust "$needed"
  found=$(cargo --version | cut -d' ' -f2)
  [ "$(printf '%s\n' "$needed" "$found" | sort -V | head -n 1)" = "$needed" ] \
    || fail "cargo $found is too old: Rust $needed or later is needed (rustup update; apt's is too old)"
}

# Without it all works but the screens, which then say what to do.
web() {
  say "building the web interface"
  scripts/web.sh >"$log" 2>&1 </dev/null || { cat "$log" >&2; say "going on without the web interface"; }
}

# Builds in release; shows one line, and cargo's own output only when it fails.
build() {
  local started=$SECONDS outcome=0
  # A process group of its own, which ends as one: cargo and the compilers that it runs.
  set -m
  cargo build --release --locked --bins --workspace --exclude pas-tests --exclude pas-testkit >"$log" 2>&1 </dev/null &
  builder=$!
  set +m
  [ -t 1 ] || say "building: the first time takes some minutes"
  while [ -t 1 ] && kill -0 "$builder" 2>/dev/null; do
    printf '\rbuilding: %s crates, %s s' "$(grep -c Compiling "$log" || true)" "$((SECONDS - started))"
    sleep 0.5
  done
  wait "$builder" || outcome=$?
  builder=
  if [ -t 1 ]; then
    printf '\r\033[K'
  fi
  [ "$outcome" -eq 0 ] || { cat "$log" >&2; fail "the build failed"; }
  say "built: $(grep -c Compiling "$log" || true) crates, $((SECONDS - started)) s"
}

builder=
end() {
  [ -z "$builder" ] || kill -- "-$builder" 2>/dev/null || true
  rm -f "$log"
}

log=$(mktemp)
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
require_system_packages
require_cargo
web
build
pas="${CARGO_TARGET_DIR:-target}/release/pas"
if "$demo"; then
  end
  exec "$pas" demo "${flags[@]}"
fi
"$pas" up --detach "${flags[@]}"

status=$("$pas" status --json "${flags[@]}" | tr -d ' \n' | tr '{' '\n')
url() { sed -n "s/.*\"service\":\"$1\".*\"url\":\"\([^\"]*\)\".*/\1/p" <<<"$status" | head -n 1; }
registry=$(url registry)
cat <<NEXT

Look: $(url hmi)

Try:
  curl -s $registry/health
  curl -s $registry/register -H 'content-type: application/json' \\
    -d '{"name":"test-service","type":"model","role":"experimental","url":"http://127.0.0.1:8888","caps":["infer"],"ctx_limit":32768}'
  curl -s '$registry/discover?role=experimental'
More models: cp .env.example .env and put a key of a provider into it, or start Ollama (docs/guides/providers.md).
More: $pas status, $pas logs -f, scripts/start_pas_services.sh --demo.  Stop: scripts/stop_pas_services.sh
NEXT
