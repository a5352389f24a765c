#!/usr/bin/env bash
# Providers behind one door, with curl alone against what the README's command starts, and a scripted provider in place of each
# real one: credentials come from .env, adapters register, what is asked for by capability is answered by one of them, and its
# cost is on the receipt and in the statistics. Phase 3 comes first: what held before still holds.
set -euo pipefail
here="$(dirname "$0")"
[ $# -eq 0 ] || { echo "usage: scripts/acceptance/phase5.sh" >&2; exit 2; }
"$here/phase3.sh"
# shellcheck source=lib.sh
source "$here/lib.sh"

# Two providers, each with keys of its own.
scripted openai "$(free_port)" --manner openai --key sk-one-0123456789 --key sk-two-0123456789 --model gpt-4.1
scripted anthropic "$(free_port)" --manner anthropic --key sk-ant-0123456789 --model claude-haiku-5-5
start_swarm
say "the swarm is up"

openai="$(door openai)" anthropic="$(door anthropic)"
get "$anthropic/health" | grep -q '"reason":"no_credential: set ANTHROPIC_API_KEY, in the environment or in .env"' ||
  fail "an adapter without a credential does not say so: $(get "$anthropic/health")"
"${CARGO_TARGET_DIR:-$root/target}/release/pas" --data-dir "$work/data" status | grep -q '^anthropic *not configured' ||
  fail "an adapter without a credential is not shown as not configured"
say "without credentials the adapters are not configured, and say what to set"

printf 'OPENAI_API_KEY=sk-one-0123456789,sk-two-0123456789\nANTHROPIC_API_KEY=sk-ant-0123456789\n' >"$env_file"
is_well() { get "$1/health" | grep -q '"status":"ok","service"'; }
wait_for 20 "the adapter of OpenAI has its credentials" is_well "$openai"
wait_for 20 "the adapter of Anthropic has its credential" is_well "$anthropic"
is_listed() { get "$registry/discover?name=openai" | grep -q '"models":"gpt-4.1"'; }
wait_for 20 "OpenAI's list of models is registered" is_listed
say "credentials from .env are taken while the adapters run, and the providers' models are registered"

plan='{"target":{"type":"model","require_caps":["plan"]},"payload":{"prompt":"a plan"}}'
is_answered() { invoke "$plan" >/dev/null 2>&1; }
wait_for 20 "a plan is made" is_answered
answer="$(invoke "$plan")"
case "$(field name <<<"$answer")" in openai | anthropic) ;; *) fail "nobody external made a plan: $answer" ;; esac
run_id="$(field run_id <<<"$answer")"
receipt="$(get "$gateway/receipts/$run_id")"
grep -Eq '"cost_estimate":\{"usd":[0-9.]*[1-9][^,]*,"state":"confirmed"' <<<"$receipt" || fail "the receipt has no cost: $receipt"
say "a plan is made by an external model, and its cost is on the receipt"

chat='{"model":"gpt-4.1","messages":[{"role":"user","content":"hello"}]}'
answer="$(send POST "$scripted_openai/__script" '{"path":"/chat","status":429,"retry_after_s":600,"key":"sk-one-0123456789","times":null}')"
[ "${answer##*$'\n'}" = 200 ] || fail "the scripted provider refuses its script: $answer"
for _ in 1 2 3 4 5 6; do
  answer="$(send POST "$gateway/v1/chat/completions" "$chat")"
  [ "${answer##*$'\n'}" = 200 ] || fail "with one key limited a call failed: $answer"
done
get "$openai/metrics" | grep -q '^pas_adapter_credential_changes_total{provider="openai"} [1-9]' ||
  fail "no key was limited"
say "while one key is limited, the other answers every call"

has_cost() { get "$gateway/receipts/stats?group_by=service" | grep -q '"openai"'; }
wait_for 10 "the statistics have the service" has_cost
stats="$(get "$gateway/receipts/stats?group_by=service")"
grep -Eq '"key":"openai".*"usd":\{"confirmed":[0-9.]*[1-9]' <<<"$stats" || fail "no cost by service: $stats"
say "the statistics have the cost by service"

for url in "$openai/health" "$openai/metrics" "$registry/discover?status=any" "$gateway/receipts" "$events/events?limit=1000"; do
  said="$(get "$url")"
  [ -n "$said" ] || fail "$url says nothing"
  case "$said" in *sk-one* | *sk-two* | *sk-ant*) fail "a credential is at $url" ;; esac
done
found="$(grep -rl 'sk-one\|sk-two\|sk-ant' "$work/data")" || [ $? -eq 1 ] || fail "the files can't be searched"
[ -z "$found" ] || fail "a credential is in $found"
for process in $("${CARGO_TARGET_DIR:-$root/target}/release/pas" --data-dir "$work/data" status --json | grep -o '"pid":[0-9]*' | cut -d: -f2); do
  case "$(tr '\0' ' ' <"/proc/$process/cmdline")" in *sk-*) fail "a credential is among the arguments of $process" ;; esac
done
say "no credential is anywhere but in .env"

stop_swarm
echo "phase 5: all as promised"
