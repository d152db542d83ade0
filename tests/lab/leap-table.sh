# Leap second tables for tests, in the form of NIST and IERS.
# shellcheck shell=bash

ntp_seconds() { echo $(($(date -u -d "$1" +%s) + 2208988800)); }

# write_table FILE EXPIRY [NEXT]: the last two entries of the real table under another expiry, and one more at
# NEXT if it is there; hash included.
write_table() {
  local updated expiry next='' hash
  updated=$(ntp_seconds 2025-07-07)
  expiry=$(ntp_seconds "$2")
  [ -z "${3:-}" ] || next=$(ntp_seconds "$3")
  hash=$(printf '%s' "${updated}${expiry}364469760036369221760037${next:+${next}38}" | sha1sum)
  cat >"$1" <<TEXT
# A table for this test.
#\$	$updated
#@	$expiry
3644697600	36	# 1 Jul 2015
3692217600	37	# 1 Jan 2017
${next:+$next	38}
#h	$(echo "${hash%% *}" | fold -w 8 | sed 's/^0*\(.\)/\1/' | tr '\n' ' ')
TEXT
}
