# What monitoring costs, and what it costs the service of time. Sourced by tests/bench/run.
# shellcheck shell=bash disable=SC2154 # figures, rounds, each, second and servers are the caller's

MANY_ASSOCIATIONS=1000
MANY_CLIENTS=${MANY_CLIENTS:-1000000}
LONGEST=${LONGEST:-1800} # s, of one command
WATCHED_ADDRESS=10.79.0.1 # a server's, on the loopback interface

# Servers that speak mode 6.
watched() { [[ $1 != chrony ]]; }
# Each server is read by the ntpq that came with it.
ntpq_of() { if [ "$1" = ntpward ]; then echo "$BUILD/bin/ntpq"; else echo "$(dirname "$PEER_NTPD")/ntpq"; fi; }

make_watched_host() { # HOST
  lab_host "$1"
  lab_in "$1" ip addr add "$WATCHED_ADDRESS/32" dev lo
  lab_in "$1" ip route add local 10.80.0.0/16 dev lo
  lab_in "$1" ip route add blackhole 10.81.0.0/16
}

# Monitors ask from 10.80.0.0/16, as hosts that the operator has named: strangers get short answers only.
# Runs SERVER as host `SERVER-watched`, with lines of its own. LAB_PID is its pid.
start_watched() { # SERVER LINES
  local host=$1-watched
  [ -n "${LAB_HOLDER[$host]:-}" ] || make_watched_host "$host"
  start_daemon "$1" "$host" "server 127.127.1.0 minpoll 4 maxpoll 4
fudge 127.127.1.0 stratum 5
disable kernel
restrict default nomodify
restrict 10.80.0.0 mask 255.255.0.0 nomodify
tos orphanwait 5
$2"
  SERVER_PID[$host]=$LAB_PID
  wait_until 60 is_synchronised "$1" "$host" || echo "bench: $host is not synchronised"
  place "$host" 1
}
stop_watched() { lab_stop "${SERVER_PID[$1-watched]}"; }

# Seconds that the command takes, at most LONGEST; its output goes to OUT.
seconds_of() { # HOST COMMAND...
  local begun=$EPOCHREALTIME
  lab_in "$1" timeout "$LONGEST" taskset -c "$second" $real_time "${@:2}" >"$OUT" 2>/dev/null
  [ $? -ne 124 ] || echo "bench: $1 is cut off after $LONGEST s" >&2
  awk -v from="$begun" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", to - from }'
}

# The billboard of a thousand associations.
billboard() {
  local round server number lines=''
  for ((number = 0; number < MANY_ASSOCIATIONS; number++)); do
    lines+="server 10.81.$((number / 250)).$((number % 250 + 1))"$'\n'
  done
  for server in $servers; do ! watched "$server" || start_watched "$server" "$lines"; done
  for ((round = 1; round <= rounds; round++)); do
    for server in $servers; do
      watched "$server" || continue
      note billboard "$server" "$round" "$(seconds_of "$server-watched" "$(ntpq_of "$server")" -pn)"
      [ "$(wc -l <"$OUT")" -eq $((MANY_ASSOCIATIONS + 3)) ] || echo "bench: $server showed $(wc -l <"$OUT") lines"
      sleep 2 # until we may ask as much again
    done
  done
  for server in $servers; do ! watched "$server" || stop_watched "$server"; done
  table "Seconds for ntpq -pn of $MANY_ASSOCIATIONS associations" billboard
}

# Latency of 200 requests a second at SERVER-watched, while COMMAND runs when there is one.
latency_during() { # WHAT SERVER ROUND COMMAND...
  local class=$real_time other=''
  if [ $# -gt 3 ]; then
    "${@:4}" &
    other=$!
    sleep 0.3
  fi
  note_latency "$1" "$2" "$3" "$(load "$2-watched" --rate 200 --seconds "$each")"
  [ -z "$other" ] || wait "$other"
}

# Ten thousand requests for variables a second, from 2000 monitors.
readvar() {
  local round server
  for server in $servers; do ! watched "$server" || start_watched "$server" ''; done
  for ((round = 1; round <= rounds; round++)); do
    for server in $servers; do
      watched "$server" || continue
      latency_during watched-calm "$server" "$round"
      latency_during watched-read "$server" "$round" read_variables "$server" "$round"
    done
  done
  for server in $servers; do ! watched "$server" || stop_watched "$server"; done
  table "10,000 READVAR a second: share answered, answers per second of processor time" readvar-answered readvar-cpu
  table "Latency of 200 time requests a second in us: alone, and meanwhile; share lost" \
    watched-calm-p50 watched-read-p50 watched-calm-p99 watched-read-p99 watched-calm-lost watched-read-lost
}
read_variables() { # SERVER ROUND
  local pid pids=() line
  for pid in $(server_pids "$1-watched"); do pids+=(--pid "$pid"); done
  line=$(lab_in "$1-watched" taskset -c "$second" $real_time "$BUILD/bench/ntp-readers" "${pids[@]}" --seconds $((each + 1)) \
    "$WATCHED_ADDRESS:123")
  note readvar-answered "$1" "$2" "$(field answered <<<"$line")"
  note readvar-cpu "$1" "$2" "$(field answers_cpu_s <<<"$line")"
}

# The list of a million recent clients; three times, since it is long.
recent() {
  local round server
  for server in $servers; do
    watched "$server" || continue
    start_watched "$server" "mru maxdepth $((MANY_CLIENTS + 1000)) mindepth $((MANY_CLIENTS + 1000)) maxage 86400 initalloc 1000 incalloc 1000"
    lab_in "$server-watched" "$BUILD/bench/ntp-clients" - "$MANY_CLIENTS" 0 127.0.0.1:123
  done
  for ((round = 1; round <= (rounds < 3 ? rounds : 3); round++)); do
    for server in $servers; do
      watched "$server" || continue
      latency_during listed-calm "$server" "$round"
      latency_during listed "$server" "$round" list_clients "$server" "$round"
    done
  done
  for server in $servers; do ! watched "$server" || stop_watched "$server"; done
  table "Seconds for ntpq -n -c mrulist of $MANY_CLIENTS clients, and rows of them that came" mrulist mrulist-rows
  table "Latency of 200 time requests a second in us: alone, and meanwhile; share lost" \
    listed-calm-p50 listed-p50 listed-calm-p99 listed-p99 listed-calm-lost listed-lost
}
list_clients() { # SERVER ROUND
  note mrulist "$1" "$2" "$(seconds_of "$1-watched" "$(ntpq_of "$1")" -n -c mrulist)"
  note mrulist-rows "$1" "$2" "$(grep -c ' 127\.' "$OUT")"
}
