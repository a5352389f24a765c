# What the acceptance scripts share: a swarm of their own on free ports, started by the README's command, and curl.
# Source it; it needs bash and curl alone.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
work="$(mktemp -d)"

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

say() { printf -- '- %s\n' "$*"; }

# A port of 127.0.0.1 on which nobody listens, below those that the kernel lends to outgoing connections, and none that a service
# is to have.
ports=()
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    case " ${ports[*]} " in *" $port "*) continue ;; esac
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
}

# No account of whoever runs this is charged, and no server on the machine takes part.
unset OPENAI_API_KEY ANTHROPIC_API_KEY GEMINI_API_KEY GOOGLE_API_KEY XAI_API_KEY HF_TOKEN
unset OLLAMA_API_KEY LMSTUDIO_API_KEY LLAMA_API_KEY TINYLLAMA_API_KEY
for variable in "${!PAS_@}"; do [ "$variable" = PAS_CHROMIUM ] || unset "$variable"; done
nobody="http://127.0.0.1:1"
env_file="$work/.env"
# What calls a provider or a server.
doors=(llama tinyllama openai anthropic gemini grok huggingface ollama lmstudio)

# Ports that differ.
while :; do
  registry_port="$(free_port)" events_port="$(free_port)" monitor_port="$(free_port)" router_port="$(free_port)"
  classifier_port="$(free_port)" gateway_port="$(free_port)" hmi_port="$(free_port)"
  ports=("$registry_port" "$events_port" "$monitor_port" "$router_port" "$classifier_port" "$gateway_port" "$hmi_port")
  for door in "${doors[@]}"; do ports+=("$(free_port)"); done
  [ "$(printf '%s\n' "${ports[@]}" | sort -u | wc -l)" -ne "${#ports[@]}" ] || break
done
door_ports=("${ports[@]:7}")
registry="http://127.0.0.1:$registry_port"
events="http://127.0.0.1:$events_port"
monitor="http://127.0.0.1:$monitor_port"
gateway="http://127.0.0.1:$gateway_port"
hmi="http://127.0.0.1:$hmi_port"

# Starts the swarm; what is given goes into the registry's section of the settings, a line each.
start_swarm() {
  {
    printf 'swarm:\n  registry_url: %s\n  events_url: %s\n  origins: [%s]\n  bind: [127.0.0.1]\n' \
      "$registry" "$events" "$hmi"
    printf 'event_stream:\n  port: %s\n' "$events_port"
    printf 'heartbeat_monitor:\n  port: %s\n' "$monitor_port"
    printf 'provider_router:\n  port: %s\n' "$router_port"
    printf 'classifier:\n  port: %s\n' "$classifier_port"
    printf 'gateway:\n  port: %s\n  router_url: http://127.0.0.1:%s\n' "$gateway_port" "$router_port"
    printf 'hmi:\n  port: %s\n  gateway_url: %s\n  monitor_url: %s\n  router_url: http://127.0.0.1:%s\n' \
      "$hmi_port" "$gateway" "$monitor" "$router_port"
    local index
    for index in "${!doors[@]}"; do
      local base="PAS_${doors[index]^^}_BASE_URL"
      printf '%s:\n  port: %s\n  env_file: %s\n  router_url: http://127.0.0.1:%s\n' \
        "${doors[index]}" "${door_ports[index]}" "$env_file" "$router_port"
      [ -n "${!base:-}" ] || printf '  base_url: %s\n' "$nobody"
    done
    printf 'registry:\n  port: %s\n' "$registry_port"
    [ $# -eq 0 ] || printf '  %s\n' "$@"
  } >"$work/pas.yaml"
  "$root/scripts/start_pas_services.sh" --config "$work/pas.yaml" --data-dir "$work/data" >"$work/start.log" 2>&1 ||
    { cat "$work/start.log" >&2; fail "the swarm did not start"; }
}

stop_swarm() {
  "$root/scripts/stop_pas_services.sh" --data-dir "$work/data" >"$work/stop.log" 2>&1 ||
    { cat "$work/stop.log" >&2; fail "the swarm did not stop"; }
}

# door NAME: where the adapter or local model of this section is.
door() {
  local index
  for index in "${!doors[@]}"; do
    [ "${doors[index]}" != "$1" ] || echo "http://127.0.0.1:${door_ports[index]}"
  done
}

# scripted SECTION PORT FLAG…: a scripted provider in place of the one that this section calls, as the variable says that is for it.
scripted_pids=()
scripted() {
  local section="$1" port="$2"
  shift 2
  case " ${ports[*]} " in *" $port "*) fail "port $port is a service's" ;; esac
  local program="${CARGO_TARGET_DIR:-$root/target}/debug/pas-scripted-provider"
  [ -x "$program" ] || cargo build --quiet --manifest-path "$root/Cargo.toml" --package pas-testkit --bin pas-scripted-provider
  "$program" --port "$port" "$@" >>"$work/$section.log" 2>&1 &
  scripted_pids+=("$!")
  declare -g "scripted_${section}=http://127.0.0.1:$port" "scripted_${section}_pid=$!"
  export "PAS_${section^^}_BASE_URL=http://127.0.0.1:$port"
  wait_for 10 "the scripted provider for $section" is_listening "$port"
}
is_listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# invoke JSON: the answer, which must be one.
invoke() {
  local answer
  answer="$(send POST "$gateway/invoke" "$1")"
  [ "${answer##*$'\n'}" = 200 ] || { printf '%s\n' "$answer" >&2; return 1; }
  printf '%s\n' "${answer%$'\n'*}"
}

# answered_by NAME JSON: whether that is who answers.
answered_by() { [ "$(invoke "$2" 2>/dev/null | field name)" = "$1" ]; }

cleanup() {
  local pid
  for pid in "${scripted_pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  [ ! -e "$work/data/run" ] || "$root/scripts/stop_pas_services.sh" --data-dir "$work/data" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT

# get URL: the body.
get() { curl --silent --show-error --max-time 10 "$1"; }

# send METHOD URL JSON: the body, then the status on a line of its own.
send() {
  curl --silent --show-error --max-time 10 --request "$1" --header 'content-type: application/json' --data "$3" \
    --write-out '\n%{http_code}\n' "$2"
}

# field NAME: the first string of that name in the JSON on standard input.
field() { sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p" | head -n 1; }

# number NAME: the first number of that name in the JSON on standard input.
number() { sed -n "s/.*\"$1\": *\\([0-9][0-9]*\\).*/\\1/p" | head -n 1; }

# wait_for SECONDS WHAT COMMAND…: runs the command until it succeeds.
wait_for() {
  local seconds="$1" what="$2"
  shift 2
  local end=$((SECONDS + seconds))
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || fail "$what: not within $seconds s"
    sleep 0.2
  done
}
