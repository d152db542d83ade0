# The servers that are measured: where they are, how they are started, what they can. Sourced by
# tests/bench/run after lab.sh. Each lives on a host of its name, with a clock of its own at stratum 5.
# shellcheck shell=bash

BENCH_KEYS=$'1 MD5 sillypassword\n3 %s %s0123456789abcdef0123456789abcdef\n'
declare -A SERVER_PID=()

# Sets `servers`: ours and the peers that are here; says who is missing.
find_peers() {
  servers=ntpward
  PEER_NTPD=${NTPWARD_PEER_NTPD:-}
  PEER_CHRONYD=${NTPWARD_PEER_CHRONYD:-$(command -v chronyd)}
  if [ -x "$PEER_NTPD" ]; then servers+=" ntpd"; else echo "bench: without ntpd 4.2.8: NTPWARD_PEER_NTPD is not set"; fi
  if [ -x "$PEER_CHRONYD" ]; then servers+=" chrony"; else echo "bench: without chrony: no chronyd in PATH, NTPWARD_PEER_CHRONYD is not set"; fi
}

server_can() { # SERVER KIND
  case $2 in
    autokey | cookie) [ "$1" != chrony ] ;;
    autokey-old) [ "$1" = ntpward ] ;;
    *) true ;;
  esac
}

load_options() { # KIND
  case $1 in
    plain) ;;
    md5) echo --key 1:MD5:73696c6c7970617373776f7264 ;;
    cmac) echo --key 3:AES128CMAC:0123456789abcdef0123456789abcdef ;;
    autokey) echo --autokey ;;
    # A client keeps its cookie for six days, and the seed changes every 36 hours.
    autokey-old) echo --farm "$LAB_DIR/ntpward/etc/bench/ntpkey_farm_bench:2" ;;
  esac
}

# The program of SERVER on HOST, with `lines` of configuration. LAB_PID is its pid.
start_daemon() { # SERVER HOST LINES
  local directory=$LAB_DIR/$2
  printf '%s\n' "$3" >"$directory/etc/bench.conf"
  chmod 600 "$directory/etc/bench.conf"
  case $1 in
    ntpward)
      start "$2" "$directory/out" "$BUILD/bin/ntpd" -n -g -c /etc/bench.conf -l "$directory/ntpd.log" \
        -p "$directory/pid" --no-clock
      ;;
    ntpd) start "$2" "$directory/out" "$PEER_NTPD" -n -g -c /etc/bench.conf -l "$directory/ntpd.log" ;;
    chrony) start "$2" "$directory/out" "$PEER_CHRONYD" -x -d -u root -f /etc/bench.conf ;;
  esac
}

# A server with keys, on the host of its name.
start_server() { # SERVER
  local etc=$LAB_DIR/$1/etc keygen=$BUILD/bin/ntp-keygen
  # shellcheck disable=SC2059 # the format is ours
  if [ "$1" = chrony ]; then
    printf "$BENCH_KEYS" AES128 HEX: >"$etc/bench.keys"
    start_daemon chrony chrony "pidfile $LAB_DIR/chrony/pid
bindcmdaddress $LAB_DIR/chrony/socket
keyfile /etc/bench.keys
local stratum 5
allow"
  else
    printf "$BENCH_KEYS" AES128CMAC '' >"$etc/bench.keys"
    [ "$1" = ntpward ] || keygen=$(dirname "$PEER_NTPD")/ntp-keygen
    local farm='' group=''
    [ "$1" != ntpward ] || group=-I
    mkdir -m 700 "$etc/bench"
    # shellcheck disable=SC2016 # expanded there
    on "$1" sh -c 'cd /etc/bench && "$0" -T $1 -m 2048 -p secret' "$keygen" "$group"
    # For who plays many clients.
    # shellcheck disable=SC2016 # expanded there
    [ "$1" != ntpward ] || { on "$1" sh -c 'cd /etc/bench && "$0" --farm bench' "$keygen" && farm='crypto farm bench'; }
    start_daemon "$1" "$1" "server 127.127.1.0 minpoll 4 maxpoll 4
fudge 127.127.1.0 stratum 5
keys /etc/bench.keys
trustedkey 1 3
keysdir /etc/bench
crypto pw secret
$farm
disable kernel
restrict default nomodify
tos orphanwait 5"
  fi
  chmod 600 "$etc/bench.keys"
  SERVER_PID[$1]=$LAB_PID
  wait_until 15 answers "$1"
}
answers() { on "$1" "$BUILD/bench/ntp-load" --window 1 --seconds 0.1 127.0.0.1:123 && [ "$STATUS" -eq 0 ]; }

# All processes of SERVER.
server_pids() { process_tree "${SERVER_PID[$1]}"; }
process_tree() {
  local child children=()
  echo "$1"
  read -r -a children <"/proc/$1/task/$1/children"
  for child in "${children[@]}"; do process_tree "$child"; done
}

is_synchronised() { # SERVER HOST
  if [ "$1" = chrony ]; then
    grep -q 'Selected source' "$LAB_DIR/$2/out" || [ "$2" = chrony ]
  else
    on "$2" "$BUILD/bin/ntpq" -c 'rv 0 stratum'
    grep -qE 'stratum=([1-9]|1[0-5])$' "$OUT"
  fi
}

seconds_to_follow() { # SERVER HOST LINES
  local begun=$EPOCHREALTIME lines=$3
  : >"$LAB_DIR/$2/out"
  [ "$1" != chrony ] || lines="pidfile $LAB_DIR/$2/pid
bindcmdaddress $LAB_DIR/$2/socket
$lines"
  start_daemon "$1" "$2" "$lines" >/dev/null
  wait_until 300 is_synchronised "$1" "$2" || begun=0
  awk -v from="$begun" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.2f\n", to - from }'
  lab_stop "$LAB_PID"
}

# Keys of SERVER's own making on host newcomer, and the group key of our server.
prepare_guide_client() { # SERVER
  local keygen=$BUILD/bin/ntp-keygen
  [ "$1" = ntpward ] || keygen=$(dirname "$PEER_NTPD")/ntp-keygen
  # shellcheck disable=SC2016 # expanded there
  on ntpward sh -c 'cd /etc/bench && "$0" -e -p secret 2>/dev/null' "$BUILD/bin/ntp-keygen"
  mkdir -m 700 "$LAB_DIR/newcomer/etc/guide-$1"
  cp "$OUT" "$LAB_DIR/newcomer/etc/guide-$1/ntpkey_iffpar_ntpward"
  # shellcheck disable=SC2016 # expanded there
  on newcomer sh -c 'cd "/etc/guide-$1" && "$0" -H -m 2048 -p secret' "$keygen" "$1"
}

seconds_to_complete() { # SERVER
  local begun=$EPOCHREALTIME
  start_daemon "$1" newcomer "keysdir /etc/guide-$1
crypto pw secret
server 10.77.0.1 autokey ident ntpward iburst minpoll 4" >/dev/null
  wait_until 300 is_complete || begun=0
  awk -v from="$begun" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.2f\n", to - from }'
  lab_stop "$LAB_PID"
}
# The guide's word: enabled, IFF, and every step from the trail to the signature.
is_complete() {
  local word
  on newcomer "$BUILD/bin/ntpq" -n -c 'rv &1 flags' -p
  word=$(grep -oE 'flags=0x[0-9a-f]+' "$OUT" | head -n 1)
  [ -n "$word" ] && [ $((${word#flags=} & 0x3f21)) -eq $((0x3f21)) ] && grep -q '^\*10\.77\.0\.1' "$OUT"
}
