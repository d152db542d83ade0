# A laboratory for tests that start the real programs: hosts that are namespaces of their own.
#
# Source it from a bash script and call lab_begin; BUILD names the build directory (absolute, or from
# the project's root). Works as root, and without root in a user namespace. Nothing of the machine is
# changed: a host has its own network, host name and /etc; everything in it runs without
# CAP_SYS_TIME; the files are in LAB_DIR, which is removed at the end with every process started here.
# shellcheck shell=bash disable=SC2034 # STATUS is for the scripts that source this

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-build}
[[ $BUILD = /* ]] || BUILD=$LAB_ROOT/$BUILD
# Tools of the administrator are not in every user's PATH.
PATH=$BUILD/bin:$PATH:/usr/sbin:/sbin
export BUILD PATH
LC_ALL=C
export LC_ALL

declare -A LAB_HOLDER=() # host -> pid that keeps its namespaces
LAB_PIDS=()              # started in the background, newest last
LAB_FAILED=0

# Prepares LAB_DIR. With the rights to make namespaces it goes on; else it runs the script anew as
# root of a user namespace. Where that is forbidden too, the test fails: it has shown nothing.
lab_begin() {
  if ! unshare --net --uts --mount true 2>/dev/null; then
    if [ -z "${LAB_IN_USER_NAMESPACE:-}" ] && unshare --user --map-root-user --net --uts --mount true; then
      LAB_IN_USER_NAMESPACE=1 exec unshare --user --map-root-user --mount "$BASH" "$0"
    fi
    echo "not ok NamespacesCanBeMade: neither as this user nor in a user namespace"
    exit 1
  fi
  LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/ntpward-lab.XXXXXX")
  OUT=$LAB_DIR/out # what `run` and `on` printed
  : >"$OUT"
  STATUS=0
  trap lab_end EXIT
  trap 'exit 130' INT TERM
}

lab_end() {
  local status=$? pid host
  for ((pid = ${#LAB_PIDS[@]} - 1; pid >= 0; --pid)); do lab_stop "${LAB_PIDS[pid]}"; done
  for host in "${!LAB_HOLDER[@]}"; do kill -KILL "${LAB_HOLDER[$host]}" 2>/dev/null; done
  wait 2>/dev/null
  [ "$status" -ne 0 ] || status=$LAB_FAILED
  if [ "$status" -ne 0 ]; then
    for host in "${!LAB_HOLDER[@]}"; do
      [ -s "$LAB_DIR/$host/ntpd.log" ] || continue
      echo "# the log of $host:"
      tail -n 40 "$LAB_DIR/$host/ntpd.log" | sed 's/^/#   /'
    done
  fi
  rm -rf "$LAB_DIR"
  exit "$status"
}

# ------------------------------------------------------------------------------------- claims

# expect NAME COMMAND...: NAME holds if COMMAND succeeds.
expect() {
  local name=$1
  shift
  if "$@" >/dev/null 2>&1; then
    echo "ok $name"
    return 0
  fi
  LAB_FAILED=1
  echo "not ok $name: $*"
  tail -n 20 "$OUT" 2>/dev/null | sed 's/^/#   /'
  return 1
}

# The opposite: fails if COMMAND succeeds.
refuse() { ! "$@"; }

# wait_until SECONDS COMMAND...: tries it four times a second; fails when the time is over.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.25
  done
}

# run COMMAND...: its output goes to OUT, its status to STATUS. Ended after a minute.
run() {
  STATUS=0
  timeout -k 5 60 setpriv --bounding-set -sys_time --inh-caps -sys_time -- "$@" >"$OUT" 2>&1 </dev/null || STATUS=$?
}

# ------------------------------------------------------------------------------------- hosts

# lab_host NAME: a host with loopback only. Its /etc is a copy that belongs to it.
lab_host() {
  local name=$1 etc=$LAB_DIR/$1/etc
  # A second one of the name would seem ready while its holder is still outside, in the machine's own network.
  if [ -n "${LAB_HOLDER[$name]:-}" ]; then
    echo "not ok HostsHaveNamesOfTheirOwn: $name"
    exit 1
  fi
  mkdir -p "$etc"
  # What this user may not read, no test needs.
  cp -a /etc/. "$etc/" 2>/dev/null
  rm -f "$etc/resolv.conf" "$etc/ntp.conf"
  : >"$etc/resolv.conf"
  printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n' >"$etc/hosts"
  echo "hosts: files" >"$etc/nsswitch.conf"
  # shellcheck disable=SC2016 # expanded inside
  unshare --net --uts --mount sh -c '
    hostname "$1" && mount --bind "$2" /etc && ip link set lo up || exit 1
    # An address that is tentative cannot be bound.
    for which in all default; do
      echo 0 2>/dev/null >"/proc/sys/net/ipv6/conf/$which/accept_dad"
    done
    : >"$3"
    exec sleep infinity' holder "$name" "$etc" "$LAB_DIR/$name/ready" </dev/null >/dev/null 2>&1 &
  LAB_HOLDER[$name]=$!
  if ! wait_until 10 test -e "$LAB_DIR/$name/ready"; then
    echo "not ok HostsCanBeMade: namespaces for $name"
    exit 1
  fi
}

# lab_wire A B: a cable between two hosts. They get 10.77.0.1 and .2, fd77::1 and ::2, and know each
# other's names.
lab_wire() {
  local a=$1 b=$2 number=0 host other
  lab_in "$a" ip link add name veth0 type veth peer name veth0 netns "${LAB_HOLDER[$b]}" || exit 1
  for host in "$a" "$b"; do
    number=$((number + 1))
    lab_in "$host" ip addr add "10.77.0.$number/24" brd + dev veth0 || exit 1
    lab_in "$host" ip -6 addr add "fd77::$number/64" dev veth0 nodad 2>/dev/null
    lab_in "$host" ip link set veth0 up || exit 1
    for other in "$a" "$b"; do echo "10.77.0.$number $host" >>"$LAB_DIR/$other/etc/hosts"; done
  done
}

# lab_switch HOST...: all of them on one segment, as 10.77.0.1, .2, ... in this order, and known to each
# other by name.
lab_switch() {
  local number=0 host other
  lab_host switch
  lab_in switch ip link add name segment type bridge || exit 1
  lab_in switch ip link set segment up || exit 1
  for host in "$@"; do
    number=$((number + 1))
    lab_in switch ip link add name "port$number" type veth peer name veth0 netns "${LAB_HOLDER[$host]}" || exit 1
    lab_in switch ip link set "port$number" master segment up || exit 1
    lab_in "$host" ip addr add "10.77.0.$number/24" brd + dev veth0 || exit 1
    lab_in "$host" ip -6 addr add "fd77::$number/64" dev veth0 nodad 2>/dev/null
    lab_in "$host" ip link set veth0 up || exit 1
    for other in "$@"; do echo "10.77.0.$number $host" >>"$LAB_DIR/$other/etc/hosts"; done
  done
}

# lab_in HOST COMMAND...: runs it there, as it is. Replaces the subshell that it is called in.
lab_in() (_lab_exec "$@")
_lab_exec() {
  local host=$1
  shift
  # Entering a mount namespace loses the working directory.
  # shellcheck disable=SC2016 # expanded inside
  exec nsenter --target "${LAB_HOLDER[$host]}" --net --uts --mount \
    setpriv --bounding-set -sys_time --inh-caps -sys_time -- \
    sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
}

# on HOST COMMAND...: as `run`, on that host.
on() {
  local host=$1
  shift
  STATUS=0
  (_lab_exec "$host" timeout -k 5 60 "$@") >"$OUT" 2>&1 </dev/null || STATUS=$?
}

# start HOST LOG COMMAND...: in the background; LAB_PID is the pid of COMMAND itself.
start() {
  local host=$1 log=$2
  shift 2
  (_lab_exec "$host" "$@") </dev/null >>"$log" 2>&1 &
  LAB_PID=$!
  LAB_PIDS+=("$LAB_PID")
}

# lab_stop PID: ends what `start` began; TERM first, KILL after 5 s.
lab_stop() {
  local i
  kill -TERM "$1" 2>/dev/null || return 0
  for ((i = 0; i < 50; ++i)); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null
  wait "$1" 2>/dev/null
  return 0
}

# ------------------------------------------------------------------------------------- ntpd

# start_ntpd HOST [OPTION...]: with that host's /etc/ntp.conf and a virtual clock. Its log is
# LAB_DIR/HOST/ntpd.log, its pid LAB_PID. Fails unless it serves within 15 s.
start_ntpd() {
  local host=$1
  shift
  local directory=$LAB_DIR/$host
  rm -f "$directory/ntpd.pid"
  start "$host" "$directory/ntpd.out" ntpd -n -g -c /etc/ntp.conf -l "$directory/ntpd.log" \
    -p "$directory/ntpd.pid" --no-clock "$@"
  wait_until 15 _ntpd_started "$LAB_PID" "$directory/ntpd.pid"
}
_ntpd_started() { [ -s "$2" ] || ! kill -0 "$1" 2>/dev/null; [ -s "$2" ]; }

# role_pid SUPERVISOR ROLE: the pid of its ntpd-ROLE; fails if there is none.
role_pid() {
  local directory
  for directory in /proc/[0-9]*; do
    grep -qs "^PPid:[[:space:]]$1\$" "$directory/status" || continue
    # Not its comm: a program that is run by descriptor has none that is its name.
    [ "$(tr '\0' ' ' 2>/dev/null <"$directory/cmdline" | cut -d ' ' -f 1)" = "ntpd-$2" ] || continue
    echo "${directory#/proc/}"
    return 0
  done
  return 1
}
