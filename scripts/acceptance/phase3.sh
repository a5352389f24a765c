#!/usr/bin/env bash
# One door, with curl alone against what the README's command starts: what is registered is found by capability, called, and
# leaves a receipt, a file and an event; what is local is preferred while it is there, and the receipt says why. Phase 2 comes
# first: what held before still holds.
set -euo pipefail
here="$(dirname "$0")"
[ $# -eq 0 ] || { echo "usage: scripts/acceptance/phase3.sh" >&2; exit 2; }
"$here/phase2.sh"
# shellcheck source=lib.sh
source "$here/lib.sh"

classifier="http://127.0.0.1:$classifier_port"

# register NAME URL LABELS
register() {
  send POST "$registry/register" "{\"name\":\"$1\",\"type\":\"model\",\"role\":\"production\",\"url\":\"$2\",
    \"caps\":[\"infer\",\"plan\"],\"labels\":{$3}}" >/dev/null
}

pas() { "${CARGO_TARGET_DIR:-$root/target}/release/pas" --config "$work/pas.yaml" --data-dir "$work/data" "$@"; }

start_swarm
say "the swarm is up"

example='{"target":{"type":"model","role":"production","require_caps":["classify"]},
  "payload":{"text":"quantum entanglement physics"},"policy":{"prefer":"local","timeout_s":30}}'
wait_for 30 "the classifier answers" answered_by tlc-domain-classifier "$example"
answer="$(invoke "$example")"
[ "$(field label <<<"$answer")" = physics ] || fail "that is physics: $answer"
run_id="$(field run_id <<<"$answer")"
say "the first users' own example is answered by the classifier"

[ "$(get "$gateway/receipts/$run_id" | field run_id)" = "$run_id" ] || fail "no receipt of $run_id"
file="$work/data/costs/$run_id.json"
wait_for 10 "the file of the call" test -s "$file"
for part in run_id target_request policy candidates attempts resolved timings_ms cost_estimate status prev hash; do
  grep -q "\"$part\"" "$file" || fail "the file of the call lacks $part"
done
is_told() { get "$events/events?type=receipt&limit=1000" | grep -q "\"call_id\":\"$run_id\""; }
wait_for 10 "the event of the call" is_told
say "the call has its receipt, its file and its event"

summary="$(invoke '{"target":{"type":"model","require_caps":["summarize"]},"payload":{"text":
  "PAS lets many models work as one. Each call leaves a receipt. A receipt says who answered, and why. Bread is baked."}}')"
[ -n "$(field text <<<"$summary")" ] || fail "no summary: $summary"
say "a text is summarised"

plan='{"target":{"type":"model","require_caps":["plan"]},"payload":{"prompt":"a plan"},"policy":{"prefer":"local"}}'
register far "$classifier" '"locality":"external"'
wait_for 10 "the external model answers" answered_by far "$plan"
register near "http://localhost:$classifier_port" '"tier":"light"'
wait_for 10 "the local model is preferred" answered_by near "$plan"
answer="$(invoke "$plan")"
grep -q '"policy":{"name":"local"' <<<"$answer" || fail "the receipt does not say why: $answer"
grep -q '"name":"far"' <<<"$answer" || fail "the receipt does not say who else: $answer"
near="$(get "$registry/discover?name=near" | field service_id)"
send POST "$registry/deregister" "{\"service_id\":\"$near\"}" >/dev/null
wait_for 10 "the external model answers again" answered_by far "$plan"
say "what is local is preferred while it is there"

pas receipts verify >/dev/null || fail "the chain of receipts is broken"
pas explain "$run_id" | grep -q tlc-domain-classifier || fail "the story does not say who answered"
say "the chain is whole, and a call is told as a story"

stop_swarm
echo "phase 3: all as promised"
