#!/usr/bin/env bash
# What happened, in order, resumable, with curl alone against what the README's command starts: events are published, one
# and many; whoever reads them by server-sent events goes on where it was after the event stream was killed; what an agent
# says of itself by its beats is an event. Phase 0 comes first: what held before still holds.
set -euo pipefail
here="$(dirname "$0")"
[ $# -eq 0 ] || { echo "usage: scripts/acceptance/phase2-events.sh" >&2; exit 2; }
"$here/phase0.sh" --fast
# shellcheck source=lib.sh
source "$here/lib.sh"

log() { printf '{"event_type":"log","agent":"Coder","message":"%s"}' "$1"; }

# publish JSON: the answer to an event or a batch, which must be taken as new.
publish() {
  local answer
  answer="$(send POST "$events/events" "$1")"
  [ "${answer##*$'\n'}" = 201 ] || fail "not published: $1: $answer"
  printf '%s\n' "${answer%$'\n'*}"
}

# pid SERVICE: its process, by what the launcher knows.
pid() {
  "${CARGO_TARGET_DIR:-$root/target}/release/pas" --config "$work/pas.yaml" --data-dir "$work/data" status --json |
    sed -n "/\"service\": \"$1\"/,/}/p" | number pid
}

# follow FILE CURL-ARGUMENT…: reads the logs of the stream into the file, in the background; the swarm tells of itself, too.
follow() {
  local file="$1"
  shift
  : >"$file"
  curl --silent --no-buffer --max-time 60 "$@" "$events/events/stream?type=log" >"$file" &
  reader=$!
}

# hang_up: ends the reader.
hang_up() {
  kill "$reader" 2>/dev/null || true
  wait "$reader" 2>/dev/null || true
}

# messages FILE: what the logs in a file of server-sent events say, a line each.
messages() { sed -n 's/^data:.*"message":"\([^"]*\)".*/\1/p' "$1"; }

answers() { get "$events/health" | grep -q '"status":"ok"'; }
restarted() { local now; now="$(pid event-stream)" && [ -n "$now" ] && [ "$now" != "$1" ] && answers; }

start_swarm
say "the swarm is up"

one="$(publish "$(log one)")"
epoch="$(number epoch <<<"$one")"
seq="$(number seq <<<"$one")"
[ -n "$epoch" ] && [ -n "$seq" ] || fail "no place in the answer: $one"
follow "$work/live" --header "Last-Event-ID: $epoch:$seq"
batch="$(publish "[$(log two),$(log three)]")"
three="$(number last_seq <<<"$batch")"
[ "$batch" = "{\"epoch\":$epoch,\"first_seq\":$((three - 1)),\"last_seq\":$three,\"cursor\":\"$epoch:$three\"}" ] && [ "$three" -gt $((seq + 1)) ] ||
  fail "not places that follow $seq: $batch"
wait_for 10 "what is published is told" grep -q '"message":"three"' "$work/live"
hang_up
[ "$(messages "$work/live" | tr '\n' ' ')" = "two three " ] || fail "not told as published: $(cat "$work/live")"
last="$(sed -n 's/^id: *//p' "$work/live" | tail -n 1)"
[ "$last" = "$epoch:$three" ] || fail "the last id is $last"
say "one event and a batch were published, and told up to $last"

publish "$(log four)" >/dev/null
keyed='{"event_type":"log","message":"five","idempotency_key":"five"}'
five="$(publish "$keyed")"
killed="$(pid event-stream)"
kill -KILL "$killed"
wait_for 30 "the event stream is started again" restarted "$killed"
say "the event stream was killed, and started again"

again="$(send POST "$events/events" "$keyed")"
[ "$again" = "$five"$'\n200' ] || fail "what came before is not known by its key: $again"
publish "$(log six)" >/dev/null
follow "$work/resumed" --header "Last-Event-ID: $last"
wait_for 10 "the stream goes on" grep -q '"message":"six"' "$work/resumed"
hang_up
[ "$(messages "$work/resumed" | tr '\n' ' ')" = "four five six " ] ||
  fail "it did not go on where it was: $(cat "$work/resumed")"
say "the stream went on after $last: nothing missing, nothing twice"

agent='{"name":"Coder","type":"agent","role":"execution","heartbeat_interval_s":60,"ttl_s":120}'
id="$(send POST "$registry/register" "$agent" | field service_id)"
beat="{\"service_id\":\"$id\",\"run_id\":\"R-001\",\"activity\":\"running\",\"progress\":0.25,\"token_usage\":{\"ctx_used\":1200,\"ctx_limit\":16000},\"resources\":{\"cpu\":0.5,\"mem_mb\":256}}"
answer="$(send PUT "$registry/heartbeat" "$beat")"
[ "${answer##*$'\n'}" = 200 ] || fail "the beat was not taken: $answer"
told() { get "$events/events?type=$1&$2" | grep -q "$3"; }
wait_for 10 "an event that says it is registered" told registered "since=$last" "\"service_id\":\"$id\""
wait_for 10 "a heartbeat event" told heartbeat 'agent=Coder&run_id=R-001' '"status":"running","progress":0.25'
told heartbeat agent=Coder '"token_usage":{"ctx_used":1200,"ctx_limit":16000}' || fail "the event lacks the tokens"
get "$events/snapshot" | grep -q '"agent":"Coder"' || fail "the agent is not in the snapshot"
say "the agent's beat is a heartbeat event, and in the snapshot"

printf 'phase 2, events: passed\n'
