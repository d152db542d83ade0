# What the tests of monitoring tools share: a synchronised host, one that never is, and the unpacked tools.
# shellcheck shell=bash disable=SC2034 # used by the tests that source this
# shellcheck source=tests/lab/lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lab.sh"

TOOLS=$BUILD/monitoring
PLUGINS=$TOOLS/usr/lib/nagios/plugins
MUNIN_LIBDIR=$TOOLS/usr/share/munin
PYTHONPATH=$TOOLS/usr/lib/python3/dist-packages
PERL5LIB=$TOOLS/usr/share/perl5
PYTHONDONTWRITEBYTECODE=1
# There is no name server in the laboratory, and finding that out need not take minutes.
RES_OPTIONS="retry:1 retrans:1"
TERM=xterm
export MUNIN_LIBDIR PYTHONPATH PERL5LIB PYTHONDONTWRITEBYTECODE RES_OPTIONS TERM

# `client` follows `server`, which says that it is at stratum 1; `lonely` asks an address where nobody is.
tools_lab() {
  lab_begin
  lab_host server
  lab_host client
  lab_host lonely
  # Their package netbase brings it, which a minimal Debian has not.
  local host
  for host in server client lonely; do
    [ -s "$LAB_DIR/$host/etc/services" ] || printf 'ntp\t123/udp\n' >"$LAB_DIR/$host/etc/services"
  done
  lab_switch server client lonely
  printf 'server 127.127.1.0\nfudge 127.127.1.0 stratum 0 refid GPS\n' >"$LAB_DIR/server/etc/ntp.conf"
  printf 'server 10.77.0.1 iburst\n' >"$LAB_DIR/client/etc/ntp.conf"
  printf 'server 10.77.0.9 iburst\n' >"$LAB_DIR/lonely/etc/ntp.conf"
  expect "TheToolsAreThere" test -x "$TOOLS/usr/bin/ntpstat"
}
tools_start() {
  expect "TheServerStarts" start_ntpd server
  expect "TheClientStarts" start_ntpd client
  expect "TheLonelyHostStarts" start_ntpd lonely
  expect "TheClientIsSynchronised" wait_until 60 tools_synchronised
}
tools_synchronised() {
  on client ntpq -pn
  grep -q '^\*10\.77\.0\.1 ' "$OUT"
}

# The value of one variable, as ntpq on HOST shows it; ASSOCIATION is 0, or &1.
ntpq_value() { # HOST ASSOCIATION NAME
  on "$1" ntpq -n -c "rv $2 $3"
  sed -n "s/^.*\\b$3=\\([^, ]*\\).*/\\1/p" "$OUT"
}
# Both are numbers, and differ by no more than LIMIT.
near() { # A B LIMIT
  awk -v a="$1" -v b="$2" -v limit="$3" '
    function number(text) { return text ~ /^-?[0-9.]+(e-?[0-9]+)?$/ }
    BEGIN { exit !(number(a) && number(b) && a - b <= limit + 1e-12 && b - a <= limit + 1e-12) }'
}
# agrees HOST ASSOCIATION NAME SCALE LIMIT FUNCTION: what FUNCTION prints is ntpq's value times SCALE. The value
# must not have changed meanwhile.
agrees() {
  local before shown after
  before=$(ntpq_value "$1" "$2" "$3")
  shown=$("$6")
  after=$(ntpq_value "$1" "$2" "$3")
  [ "$before" = "$after" ] && near "$shown" "$(awk -v a="$before" -v s="$4" 'BEGIN { printf "%.12f", a * s }')" "$5"
}

# bend_ntpq HOW: an ntpq for the tools whose output sed has changed. `BENT` is the directory for PATH.
bend_ntpq() {
  BENT=$LAB_DIR/bent
  mkdir -p "$BENT"
  # shellcheck disable=SC2016 # expanded in the script
  printf '#!/bin/sh\n"%s" "$@" | sed -E '"'%s'"'\n' "$BUILD/bin/ntpq" "$1" >"$BENT/ntpq"
  chmod +x "$BENT/ntpq"
}

shows() { grep -qE -- "$1" "$OUT"; }
# OUT has these lines and no other: each of them matches one of the expressions.
only_shows() {
  local arguments=() pattern
  [ -s "$OUT" ] || return 1
  for pattern in "$@"; do arguments+=(-e "$pattern"); done
  ! grep -qvxE "${arguments[@]}" "$OUT"
}
exits() { [ "$STATUS" -eq "$1" ]; }
