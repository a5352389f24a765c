#!/usr/bin/env bash
# What runs on this machine comes first while it is there, with curl alone: a small task is answered by a local model, a plan by
# an external one; an external one is taken when the local one is away, and the local one again when it is back; a prompt that a
# local server would cut goes elsewhere. Phase 5 comes first: what held before still holds.
set -euo pipefail
here="$(dirname "$0")"
[ $# -eq 0 ] || { echo "usage: scripts/acceptance/phase6.sh" >&2; exit 2; }
"$here/phase5.sh"
# shellcheck source=lib.sh
source "$here/lib.sh"

scripted openai "$(free_port)" --manner openai --key sk-one-0123456789 --model gpt-4.1
ollama_port="$(free_port)"
scripted ollama "$ollama_port" --manner ollama --model tinyllama:latest=4096
export PAS_TINYLLAMA_BASE_URL="$scripted_ollama"
printf 'OPENAI_API_KEY=sk-one-0123456789\n' >"$env_file"
start_swarm
say "the swarm is up"

# The classifier can do small tasks, too; here it is about models that write.
classifier_id="$(get "$registry/discover?name=tlc-domain-classifier" | field service_id)"
send POST "$registry/pause" "{\"service_id\":\"$classifier_id\",\"reason\":\"phase 6\"}" >/dev/null

light='{"target":{"type":"model","require_caps":["classify_light"]},"payload":{"text":"quantum entanglement physics"},
  "policy":{"prefer":"local"}}'
plan='{"target":{"type":"model","require_caps":["plan"]},"payload":{"prompt":"a plan"},"policy":{"prefer":"local"}}'
is_local() { case "$(invoke "$light" 2>/dev/null | field name)" in ollama | tinyllama) ;; *) return 1 ;; esac; }
wait_for 20 "a small task is answered on this machine" is_local
wait_for 20 "a plan is made by an external model" answered_by openai "$plan"
say "a small task is answered on this machine, a plan by an external model"

get "$registry/discover?name=tinyllama" | grep -q '"ctx_limits":"tinyllama=4096"' ||
  fail "the context that the server really has is not registered"
long="$(printf 'word %.0s' $(seq 1 8000))"
answer="$(invoke "{\"target\":{\"type\":\"model\",\"require_caps\":[\"classify_light\"]},\"payload\":{\"text\":\"$long\"},
  \"policy\":{\"prefer\":\"local\"}}")"
[ "$(field name <<<"$answer")" = openai ] || fail "a prompt that would be cut went to $(field name <<<"$answer")"
get "$gateway/receipts/$(field run_id <<<"$answer")" | grep -q '"context: needs [0-9]*k, has 4k"' ||
  fail "the receipt does not say why"
say "a prompt that the local server would cut goes elsewhere, and the receipt says why"

kill "$scripted_ollama_pid"
wait "$scripted_ollama_pid" 2>/dev/null || true
wait_for 20 "an external model is taken while the local one is away" answered_by openai "$light"
is_told() { get "$(door tinyllama)/health" | grep -q '"reason":"no_backend: '; }
wait_for 20 "the local model says that its server is away" is_told
scripted ollama "$ollama_port" --manner ollama --model tinyllama:latest=4096
wait_for 20 "the local model is taken again" is_local
say "an external model is taken while the local one is away, and the local one again when it is back"

stop_swarm
echo "phase 6: all as promised"
