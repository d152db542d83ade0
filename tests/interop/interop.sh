# Hosts of the laboratory that run our daemon or an installed reference daemon, whichever a case names.
#
# Source it and call interop_begin. REFERENCE is the prefix of the reference's installation: its programs are
# started, nothing of it is built or included. A variable named as the host in capitals (SERVER, CLIENT,
# MIDDLE) says whose daemon it runs, `ours` or `reference`. Every host is asked by our ntpq.
# CAPTURES, a directory: what went over the cable, with configuration and key files, is left there.
# shellcheck shell=bash disable=SC2034 # what the callers read

# shellcheck source=tests/lab/lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lab.sh"

KEYS=/etc/ntp/keys

interop_begin() {
  lab_begin
  trap interop_end EXIT
  if [ ! -x "$(reference_program ntpd)" ]; then
    echo "not ok TheReferenceIsThere: no ntpd in ${REFERENCE:-REFERENCE} (bin, sbin)"
    exit 1
  fi
}

# Where an installation keeps its programs differs.
reference_program() {
  local directory
  for directory in bin sbin usr/bin usr/sbin; do
    [ -x "${REFERENCE:-/none}/$directory/$1" ] && echo "$REFERENCE/$directory/$1" && return 0
  done
  return 1
}

# A release before 4.2.8 has no `ident` for one server and no `tos orphanwait`.
is_older() { [[ $("$(reference_program ntpd)" --version 2>&1) == *" 4.2.6"* ]]; }
older_lines() {
  awk '/^(server|peer|manycastclient) .* ident / {
      for (i = 2; i < NF; ++i) if ($i == "ident") { group = $(i + 1); $i = $(i + 1) = "" }
    }
    $1 == "ident" { group = $2; next }
    { print }
    END { if (group) print "crypto ident " group }'
}

interop_end() {
  local status=$?
  # Before lab_end has removed everything.
  [ -z "${CAPTURES:-}" ] || keep_captures
  (exit "$status")
  lab_end
}

keep_captures() {
  local host kept
  kept=$CAPTURES/${CASE:-$(basename "$0" .test)}
  mkdir -p "$kept"
  for host in "${!LAB_HOLDER[@]}"; do
    [ -d "$LAB_DIR/$host/etc/ntp" ] || continue
    mkdir -p "$kept/$host"
    cp -a "$LAB_DIR/$host/etc/ntp/keys/." "$LAB_DIR/$host/etc/ntp.conf" "$kept/$host/" 2>/dev/null
    cp -a "$LAB_DIR/$host/etc/ntp/stats" "$LAB_DIR/$host/etc/ntp.keys" "$LAB_DIR/$host/ntpd.log" "$kept/$host/" 2>/dev/null
  done
  cp "$LAB_DIR"/*.pcap "$kept/" 2>/dev/null
}

# saw WHAT: what the last command printed, for the reader; no claim.
saw() { echo "# $1: $(tr -s ' \n' ' ' <"$OUT")"; }

is_ours() { # HOST
  local kind=${1^^}
  [ "${!kind}" = ours ]
}

# hosts NAME...: on one segment, as 10.77.0.1, .2, ... in this order, with a route for groups. Each has its
# own keys directory, and its password is NAMEpassword unless PASSWORD is set.
hosts() {
  local host
  for host in "$@"; do
    lab_host "$host"
    mkdir -p "$LAB_DIR/$host/etc/ntp/keys" "$LAB_DIR/$host/etc/ntp/stats"
    chmod 700 "$LAB_DIR/$host/etc/ntp/keys"
  done
  lab_switch "$@"
  for host in "$@"; do lab_in "$host" ip route add 224.0.0.0/4 dev veth0; done
  [ -z "${CAPTURES:-}" ] || start "${!#}" "$LAB_DIR/tcpdump.log" \
    tcpdump --immediate-mode -U -Z root -s 0 -i veth0 -w "$LAB_DIR/cap.pcap" udp port 123
}

in_keys() { on "$1" sh -c "cd $KEYS && $2"; }
# keygen HOST OPTIONS: that host's own ntp-keygen; what it printed is in OUT.
keygen() {
  local program=ntp-keygen
  is_ours "$1" || program=$(reference_program ntp-keygen)
  in_keys "$1" "$program $2"
  [ "$STATUS" -eq 0 ]
}
# The other project's tool, or ours, whatever the host runs.
keygen_of() { # ours|reference HOST OPTIONS
  local program=ntp-keygen
  [ "$1" = ours ] || program=$(reference_program ntp-keygen)
  in_keys "$2" "$program $3"
  [ "$STATUS" -eq 0 ]
}

# carry FROM TO SCHEME GROUP [ours|reference]: the clients' part of FROM's group key, under the name that a
# client looks for. EXPORT_OPTIONS are more options of ntp-keygen.
carry() {
  local from=$1 to=$2 scheme=$3 group=$4 tool=${5:-ours}
  keygen_of "$tool" "$from" "-e ${EXPORT_OPTIONS:-} -p ${PASSWORD:-${from}password} >$KEYS/export 2>/dev/null" || return 1
  awk -v scheme="$scheme" '/^# ntpkey_/ { on = index($0, "ntpkey_" scheme "par_") } on' \
    "$LAB_DIR/$from/etc/ntp/keys/export" >"$LAB_DIR/$to/etc/ntp/keys/ntpkey_${scheme}par_$group"
  rm -f "$LAB_DIR/$from/etc/ntp/keys/export"
  [ -s "$LAB_DIR/$to/etc/ntp/keys/ntpkey_${scheme}par_$group" ]
}

# configure HOST, more lines on standard input: what both daemons need, and what only one of them does.
configure() {
  {
    echo "crypto pw ${PASSWORD:-${1}password}"
    echo "keysdir $KEYS"
    echo "statsdir /etc/ntp/stats/"
    echo "filegen cryptostats file cryptostats type none enable"
    echo "statistics cryptostats"
    # Else it waits for minutes before it serves by its own clock.
    is_ours "$1" || echo "disable kernel"
    is_ours "$1" || is_older || echo "tos orphanwait 5"
    if ! is_ours "$1" && is_older; then older_lines; else cat; fi
  } >"$LAB_DIR/$1/etc/ntp.conf"
  chmod 600 "$LAB_DIR/$1/etc/ntp.conf"
}
own_clock() { printf 'server 127.127.1.0 minpoll 4 maxpoll 4\nfudge 127.127.1.0 stratum 5\n'; }

# start_daemon HOST: LAB_PID is its pid; fails unless it answers a query.
start_daemon() {
  if is_ours "$1"; then
    start_ntpd "$1"
    return
  fi
  start "$1" "$LAB_DIR/$1/ntpd.out" "$(reference_program ntpd)" -n -g -c /etc/ntp.conf -l "$LAB_DIR/$1/ntpd.log"
  wait_until 15 answers "$1"
}
answers() {
  on "$1" ntpq -c "rv 0 stratum"
  grep -q stratum= "$OUT"
}
starts() { # HOST...
  local host
  for host in "$@"; do expect "Starts: $host" start_daemon "$host" || exit 1; done
}

# ------------------------------------------------------------------- what a daemon says of itself

is_synchronised() { # HOST
  on "$1" ntpq -c "rv 0 stratum"
  grep -qE 'stratum=([1-9]|1[0-5])$' "$OUT"
}
# Its row of the billboard: follows HOST ADDRESS-PATTERN [TYPE]
follows() {
  on "$1" ntpq -pn
  grep -qE "^\*$2 .* ${3:-u} " "$OUT"
}
reach_of() { # HOST ADDRESS-PATTERN
  on "$1" ntpq -pn
  grep -E "^[*+ ox.#-]?$2 " "$OUT" | awk '{ print $7 }'
}
hears_in() { # HOST ADDRESS-PATTERN COUNT: in so many of the last eight polls
  local bits heard=0
  bits=$(reach_of "$1" "$2")
  bits=$((8#${bits:-0}))
  while [ "$bits" -gt 0 ]; do heard=$((heard + bits % 2)) bits=$((bits / 2)); done
  [ "$heard" -ge "$3" ]
}
# authenticated HOST [CONFIGURED]: the source that it follows is.
authenticated() {
  on "$1" ntpq -c as
  grep -qE "^ +[0-9]+ +[0-9]+ +[0-9a-f]+ +${2:-yes} +yes +ok +sys\.peer " "$OUT"
}
# The association that it follows, or else its first.
association() {
  on "$1" ntpq -c as
  awk '$1 ~ /^[0-9]+$/ && !first { first = $2 } /sys\.peer/ && !chosen { chosen = $2 }
    END { print chosen ? chosen : first }' "$OUT"
}
flags() { # HOST: 0 when there are none
  on "$1" ntpq -c "rv $(association "$1") flags"
  local word
  word=$(grep -oE 'flags=0x[0-9a-f]+' "$OUT" | tail -n 1)
  echo $((${word#flags=} + 0))
}
has_flags() { [ $(($(flags "$1") & $2)) -eq $(($2)) ]; }
complete() { # HOST FLAGS [CONFIGURED]
  has_flags "$1" "$2" && authenticated "$1" "${3:-yes}"
}
identity_is() { # HOST SCHEME; ours only
  on "$1" ntpq -c "rv $(association "$1") identity"
  grep -q "identity=\"$2\"" "$OUT"
}
crypto_line() { grep -qE "$2" "$LAB_DIR/$1/etc/ntp/stats/cryptostats"; }
show() { # HOST...: its billboard and flags word
  local host
  for host in "$@"; do
    on "$host" ntpq -pn -c as
    grep -E '^[*+ ox.#-]?[0-9a-f:.]+ .*|^ +[0-9]+ +[0-9]+ ' "$OUT" | sed "s/^/# $host: /"
    printf '# %s: flags=0x%x\n' "$host" "$(flags "$host")"
  done
}
