# The Autokey guide, step by step, as an operator types it: a trusted server and one client.
#
# Sourced after lab.sh. The caller has hosts "server" and "client" with a cable between them, and
# defines `typed HOST COMMAND-LINE`, which shows the line and runs it by `guide_run`.
# shellcheck shell=bash disable=SC2034 # what the callers read

GUIDE_KEYS=/etc/ntp/keys
# What the guide's flags word must have: enabled, IFF, and every step from the trail to the signature.
GUIDE_FLAGS=0x3f21

# guide_run HOST COMMAND-LINE: in that host's keys directory. As `on`: OUT and STATUS say the rest.
guide_run() { on "$1" sh -c "cd $GUIDE_KEYS && $2"; }

guide_write_conf() { # HOST, lines on standard input
  local etc=$LAB_DIR/$1/etc
  rm -rf "$etc/ntp"
  mkdir -p "$etc/$(dirname "${GUIDE_KEYS#/etc/}")"
  mkdir -m 700 "$etc/${GUIDE_KEYS#/etc/}"
  cat >"$etc/ntp.conf"
  chmod 600 "$etc/ntp.conf"
}

# Both configurations. The server has its own clock only, so that it needs no one else. More lines of the
# client's and of the server's are arguments.
guide_configure() {
  guide_write_conf server <<TEXT
crypto pw serverpassword
crypto randfile /dev/urandom
keysdir $GUIDE_KEYS
server 127.127.1.0
fudge 127.127.1.0 stratum 5
$2
TEXT
  guide_write_conf client <<TEXT
crypto pw clientpassword
keysdir $GUIDE_KEYS
server server autokey iburst
$1
TEXT
}

# Makes all keys and carries the group key over. Fails at the first command that does.
# More arguments of the first ntp-keygen of each side: KEYGEN_OPTIONS.
guide_make_keys() {
  local mail=$LAB_DIR/mail file
  typed server "ntp-keygen -T -I -p serverpassword${KEYGEN_OPTIONS:+ $KEYGEN_OPTIONS}" && [ "$STATUS" -eq 0 ] || return 1
  typed server "ntp-keygen -e -p serverpassword > $mail" && [ "$STATUS" -eq 0 ] || return 1
  # One of its first lines names the file that it is to be.
  file=$(head -n 5 "$mail" | grep -o 'ntpkey_iffpar_server\.[0-9]*' | head -n 1)
  [ -n "$file" ] || return 1
  typed client "ntp-keygen -H -p clientpassword${KEYGEN_OPTIONS:+ $KEYGEN_OPTIONS}" && [ "$STATUS" -eq 0 ] || return 1
  typed client "cp $mail $file && ln -s $file ntpkey_iffpar_server" && [ "$STATUS" -eq 0 ]
}

# The guide's update: a new certificate under the same keys.
guide_update() { # HOST
  local trusted=
  [ "$1" = server ] && trusted='-T '
  # shellcheck disable=SC2016 # expanded by the host's shell
  typed "$1" "ntp-keygen $trusted"'-q `awk '"'/crypto pw/ { print \$3 }'"' </etc/ntp.conf`'
}

guide_server_is_synchronised() {
  guide_run server "ntpq -c 'rv 0 stratum'"
  grep -qE 'stratum=([1-9]|1[0-5])$' "$OUT"
}

# The client's first association: its number, its flags word (0x0 if it says none).
guide_association() {
  guide_run client "ntpq -c as"
  awk '$1 == 1 { print $2 }' "$OUT"
}
guide_flags() {
  guide_run client "ntpq -c 'rv &1 flags'"
  local flags
  flags=$(grep -oE 'flags=0x[0-9a-fA-F]+' "$OUT" | head -n 1)
  echo "${flags:-flags=0x0}" | cut -d = -f 2
}

guide_is_chosen() {
  guide_run client "ntpq -pn"
  grep -qE '^\*10\.77\.0\.1 ' "$OUT"
}
guide_is_authenticated() {
  guide_run client "ntpq -c as"
  grep -qE '^ +1 +[0-9]+ +[0-9a-f]+ +yes +yes +ok +sys\.peer ' "$OUT"
}
guide_has_all_flags() { [ $(($(guide_flags) & GUIDE_FLAGS)) -eq $((GUIDE_FLAGS)) ]; }
guide_is_complete() { guide_has_all_flags && guide_is_chosen && guide_is_authenticated; }
