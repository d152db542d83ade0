# Killing one role of a running ntpd. Sourced after lab.sh.
# shellcheck shell=bash

# kill_role HOST SUPERVISOR ROLE: it must come back, say why it went, and take no other along.
kill_role() { # HOST SUPERVISOR ROLE
  local old new pids_before pids_after other
  old=$(role_pid "$2" "$3")
  pids_before=$(for other in net clock keys resolve; do [ "$other" = "$3" ] || role_pid "$2" "$other"; done)
  kill -KILL "$old"
  # shellcheck disable=SC2317 # called through expect
  came_back() { new=$(role_pid "$2" "$3") && [ "$new" != "$old" ]; }
  expect "$1: ntpd-$3 ComesBack" wait_until 10 came_back "$@"
  expect "$1: ntpd-$3 SaidWhy" grep -q "ntpd-$3 (pid $old) killed by signal 9" "$LAB_DIR/$1/ntpd.log"
  pids_after=$(for other in net clock keys resolve; do [ "$other" = "$3" ] || role_pid "$2" "$other"; done)
  expect "$1: ntpd-$3 TookNoOtherAlong" test "$pids_before" = "$pids_after"
}
