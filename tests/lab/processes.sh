# What /proc says of ntpd's processes. Sourced after lab.sh.
# shellcheck shell=bash

# process_field PID NAME: a line of its status, e.g. Seccomp.
process_field() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }

process_uid() { process_field "$1" Uid | cut -f 2; }

# Its effective capabilities by name; "none".
process_capabilities() {
  local names
  names=$(capsh --decode="$(process_field "$1" CapEff)" | sed 's/^[^=]*=//')
  echo "${names:-none}"
}

# Those namespaces that it does not share with process OTHER; "none".
process_namespaces() { # PID OTHER
  local kind own=
  for kind in ipc mnt net pid user uts; do
    [ "$(readlink "/proc/$1/ns/$kind")" = "$(readlink "/proc/$2/ns/$kind")" ] || own="$own,$kind"
  done
  own=${own#,}
  echo "${own:-none}"
}

# Its open descriptors, "NUMBER KIND" a line: null, pipe, udp, socket, or a file's path.
process_descriptors() {
  local fd target inode
  for fd in $(find "/proc/$1/fd" -mindepth 1 -printf '%f\n' | sort -n); do
    target=$(readlink "/proc/$1/fd/$fd") || continue
    case $target in
      /dev/null) echo "$fd null" ;;
      pipe:*) echo "$fd pipe" ;;
      anon_inode:*) echo "$fd ${target#anon_inode:}" ;;
      socket:*)
        inode=${target//[!0-9]/}
        if grep -qE " $inode +[0-9]+ +[0-9a-f]+ +[0-9]+ *$" "/proc/$1/net/udp" "/proc/$1/net/udp6" 2>/dev/null; then
          echo "$fd udp"
        else
          echo "$fd socket"
        fi
        ;;
      *) echo "$fd $target" ;;
    esac
  done
}

# The same in one line, runs of a kind together: "0-1 null, 3-10 pipe".
process_descriptors_line() {
  process_descriptors "$1" | awk '
    function flush() { if (kind != "") line = line (line == "" ? "" : ", ") first (last > first ? "-" last : "") " " kind }
    { number = $1; $1 = ""; sub(/^ /, "")
      if ($0 == kind && number == last + 1) { last = number; next }
      flush(); kind = $0; first = last = number }
    END { flush(); print line }'
}

# The five processes of one ntpd, given the supervisor's pid.
process_table() {
  local role pid format='%-14s %7s %6s %-9s %-8s %-12s %s\n'
  # shellcheck disable=SC2059 # one format for all lines
  printf "$format" process pid uid seccomp no_new namespaces capabilities
  # shellcheck disable=SC2059
  printf "$format" "" "" "" mode _privs "own" ""
  for role in supervisor net clock keys resolve; do
    pid=$1
    [ "$role" = supervisor ] || pid=$(role_pid "$1" "$role") || continue
    # shellcheck disable=SC2059
    printf "$format" "$([ "$role" = supervisor ] && echo ntpd || echo "ntpd-$role")" "$pid" "$(process_uid "$pid")" \
      "$(process_field "$pid" Seccomp)" "$(process_field "$pid" NoNewPrivs)" \
      "$(process_namespaces "$pid" "$1")" "$(process_capabilities "$pid")"
    echo "  descriptors: $(process_descriptors_line "$pid")" | sed -E 's/(.{60,100}, )/\1\n               /g'
  done
}
