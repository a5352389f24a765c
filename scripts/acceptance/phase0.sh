#!/usr/bin/env bash
# The first users' own steps, with curl alone against what the README's command starts: a service registers, is found,
# falls silent, is marked down, and leaves the list; an alert tells of each step; the database survives a restart.
# Takes four minutes with the default intervals; `--fast` does the same with short ones.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

service='{"name":"test-service","type":"model","role":"experimental","url":"http://127.0.0.1:8888","caps":["infer"],"ctx_limit":32768}'
down_within=180
gone_within=240
settings=()
case "${1:-}" in
'') ;;
--fast)
  service="${service%\}},\"heartbeat_interval_s\":1,\"ttl_s\":2}"
  down_within=10
  gone_within=20
  settings=('boot_grace_s: 1')
  ;;
*) fail "usage: scripts/acceptance/phase0.sh [--fast]" ;;
esac

listed() { get "$registry/discover?name=$1&status=$2" | grep -q "\"name\":\"$1\""; }
unlisted() { ! listed "$1" "$2"; }
alerted() { get "$monitor/alerts?service=test-service" | grep -q "\"action\":\"$1\""; }

start_swarm "${settings[@]}"
say "the swarm is up"

answer="$(send POST "$registry/register" "$service")"
began=$SECONDS
[ "${answer##*$'\n'}" = 201 ] || fail "the registration was not accepted: $answer"
id="$(field service_id <<<"$answer")"
say "registered as $id"

get "$registry/discover?role=experimental" | grep -q '"name":"test-service"' || fail "it is not found by its role"
say "found by its role"

wait_for $((down_within - (SECONDS - began))) "marked down" listed test-service down
say "marked down after $((SECONDS - began)) s"
wait_for $((gone_within - (SECONDS - began))) "taken off the list" unlisted test-service any
say "taken off the list after $((SECONDS - began)) s"
get "$registry/services/$id" | grep -q '"kind":"evicted"' || fail "its history does not say that it was evicted"

for action in marked_degraded marked_down deregistered; do
  wait_for 10 "an alert that says $action" alerted "$action"
done
say "an alert tells of each step"

again="$(send POST "$registry/register" "$service")"
[ "$(field service_id <<<"$again")" = "$id" ] || fail "it came back under another id: $again"
lasting='{"name":"lasting","type":"agent","role":"execution","heartbeat_interval_s":3600,"ttl_s":3600}'
lasting_id="$(send POST "$registry/register" "$lasting" | field service_id)"
stop_swarm
start_swarm "${settings[@]}"
get "$registry/discover?name=lasting&status=any" | grep -q "$lasting_id" || fail "a service was lost over a restart"
alerted deregistered || fail "an alert was lost over a restart"
say "services and alerts survived a restart"

printf 'phase 0: passed\n'
