# Leap second tables for tests, in the form of NIST and IERS.
# shellcheck shell=bash

ntp_seconds() { echo $(($(date -u -d "$1" +%s) + 2208988800)); }

# The days of the real table, on which TAI - UTC became 10 s, 11 s and so on.
LEAP_DAYS='1972-01-01 1972-07-01 1973-01-01 1974-01-01 1975-01-01 1976-01-01 1977-01-01 1978-01-01 1979-01-01
1980-01-01 1981-07-01 1982-07-01 1983-07-01 1985-07-01 1988-01-01 1990-01-01 1991-01-01 1992-07-01 1993-07-01
1994-07-01 1996-01-01 1997-07-01 1999-01-01 2006-01-01 2009-01-01 2012-07-01 2015-07-01 2017-01-01'

# write_table FILE EXPIRY [NEXT]: the real table under another expiry, and one more entry at NEXT if it is there; hash
# included.
write_table() {
  local updated expiry hash day offset=9 entries=''
  updated=$(ntp_seconds 2025-07-07)
  expiry=$(ntp_seconds "$2")
  for day in $LEAP_DAYS ${3:-}; do
    offset=$((offset + 1))
    entries+="$(ntp_seconds "$day")"$'\t'"$offset"$'\n'
  done
  hash=$(printf '%s' "$updated$expiry$(tr -d '\t\n' <<<"$entries")" | sha1sum)
  cat >"$1" <<TEXT
# A table for this test.
#\$	$updated
#@	$expiry
${entries}#h	$(echo "${hash%% *}" | fold -w 8 | sed 's/^0*\(.\)/\1/' | tr '\n' ' ')
TEXT
}
