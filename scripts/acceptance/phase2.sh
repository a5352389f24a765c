#!/usr/bin/env bash
# The swarm on the screen, as its first users asked for it: a real browser looks at what the README's command started, while curl
# registers, beats, calls and falls silent. Phase 2's events come first: what held before still holds.
set -euo pipefail
here="$(dirname "$0")"
[ $# -eq 0 ] || { echo "usage: scripts/acceptance/phase2.sh" >&2; exit 2; }
"$here/phase2-events.sh"
# shellcheck source=lib.sh
source "$here/lib.sh"

# eyes COMMAND…: what the browser is to do or to see (eyes.mjs), and fails when it can't.
eyes() {
  local answer
  # To a browser that has died, a pipe is closed, or bash has forgotten it.
  trap '' PIPE
  { [ -n "${EYES[1]-}" ] && printf '%s\n' "$*" >&"${EYES[1]}" && read -r answer <&"${EYES[0]}"; } 2>/dev/null ||
    answer="failed: the browser is gone"
  trap - PIPE
  [ "$answer" = ok ] || fail "$*: $answer"
}
tab=$'\t'

# register NAME MORE: registers an agent; answers its service_id.
register() { send POST "$registry/register" "{\"name\":\"$1\",\"type\":\"agent\"$2}" | field service_id; }
# beat ID MORE
beat() { [ "$(send PUT "$registry/heartbeat" "{\"service_id\":\"$1\"$2}" | tail -n 1)" = 200 ] || fail "no beat of $1"; }

start_swarm
say "the swarm is up"
get "$hmi/" | grep -q '<div id="app">' || fail "the web interface was not built"
coproc EYES { "$root/scripts/web.sh" node "$root/scripts/acceptance/eyes.mjs" "$hmi"; }

eyes go /tree
eyes see 15000 'text="live"'
architect="$(register Architect ',"role":"coordinator"')"
eyes see 1000 'role=treeitem[name=/^Architect/]'
director="$(register Director-Code ',"role":"coordinator","labels":{"parent":"Architect"}')"
eyes see 1000 'role=treeitem[name=/^Director-Code/][level=3]'
get "$hmi/api/tree" | grep -q '"name":"Architect".*"children":\[{"name":"Director-Code"' || fail "no tree: $(get "$hmi/api/tree")"
say "the tree grows within a second of a registration"

eyes see 5000 'role=treeitem[name=/^Services/]'
eyes see 5000 'role=treeitem[name=/^tlc-domain-classifier/]'
say "models stand under Services"

eyes go /
eyes see 5000 '.card:has-text("Architect") >> role=img[name="beats in time"]'
register Mayfly ',"role":"execution","heartbeat_interval_s":2,"ttl_s":2' >/dev/null
eyes see 2000 '.card:has-text("Mayfly") >> role=img[name="beats in time"]'
eyes see 15000 '.card:has-text("Mayfly") >> role=img[name="beats are missing"]'
eyes see 5000 'role=region[name="Needs a look"] >> text=Mayfly'
beat "$director" ',"activity":"running","progress":0.4'
eyes see 2000 '.card:has-text("Director-Code") >> text="40 %"'
say "marks go green and red, and progress moves"

eyes choose "role=combobox[name=/Update frequency/]$tab"1
call='{"target":{"type":"model","require_caps":["classify"]},"payload":{"text":"quantum entanglement physics"},"agent":"Architect"}'
is_answered() { invoke "$call" >/dev/null 2>&1; }
wait_for 20 "a call is answered" is_answered
eyes see 2000 'role=region[name="Latest calls"] >> role=link[name=/Architect → tlc-domain-classifier/]'
eyes go /receipts
eyes see 10000 'role=row >> text=Architect'
say "receipts appear as calls are made"

eyes click 'role=button[name="Pause all"]'
eyes fill "role=dialog >> role=combobox[name=/Reason/]$tab"lunch
eyes click 'role=dialog >> role=button[name="Pause"]'
eyes see 5000 'role=region[name="Who is paused"] >> text=/everyone: ([0-9]+) of \1 paused/'
is_refused() { [[ "$(send POST "$gateway/invoke" "$call")" == *'"code":"paused"'* ]]; }
wait_for 5 "an agent's call is refused" is_refused
eyes click 'role=button[name="Resume all"]'
eyes fill "role=dialog >> role=combobox[name=/Reason/]$tab"lunch is over
eyes click 'role=dialog >> role=button[name="Resume"]'
eyes see 5000 'role=region[name="Who is resumed"] >> text=/everyone: ([0-9]+) of \1 resumed/'
wait_for 5 "an agent's call is answered" is_answered
say "pause all stops the calls of agents, resume all lets them on, and each acknowledgement is shown"

eyes go /
eyes see 15000 'text="live"'
eyes click 'role=button[name="Settings"]'
eyes check 'role=checkbox[name=/Sounds/]'
eyes check 'role=checkbox[name=/Narration/]'
eyes click 'role=dialog >> role=button[name="Close"]'
send POST "$events/events" '{"event_type":"status_update","agent":"Architect","event":"completed","task_id":"T-1"}' >/dev/null
eyes heard Architect completed task
eyes heard tone
say "sounds and narration tell of a task that is complete"

exec {EYES[1]}>&-
wait "${EYES_PID-}" || true
stop_swarm
echo "phase 2: all as promised"
