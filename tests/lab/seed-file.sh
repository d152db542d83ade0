# The file of a server's private values (keys/seed_file.h), read and made older. Sourced.
# shellcheck shell=bash

seed_octets() { od -An -v -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n'; } # FILE OFFSET COUNT, as hexadecimal
put_octets() {                                                       # FILE OFFSET HEXADECIMAL
  # shellcheck disable=SC2001,SC2059 # two octets each; they are the format
  printf "$(sed 's/../\\x&/g' <<<"$3")" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# The value that cookies are made from.
newest_seed() { # FILE
  local offset=0
  [[ $(seed_octets "$1" 12 8) > $(seed_octets "$1" 4108 8) ]] || offset=4096
  seed_octets "$1" $((offset + 28)) 4
}

# As if it had been written so many seconds earlier.
age_seed_file() { # FILE SECONDS
  local offset written
  for offset in 0 4096; do
    [ "$(seed_octets "$1" "$offset" 8)" = "$(printf NTPWSEED | od -An -tx1 | tr -d ' \n')" ] || continue
    written=$((16#$(seed_octets "$1" $((offset + 20)) 4) - $2))
    put_octets "$1" $((offset + 20)) "$(printf %08x "$written")"
    put_octets "$1" $((offset + 480)) \
      "$(dd if="$1" bs=1 skip="$offset" count=480 status=none | sha256sum | cut -c 1-64)"
  done
}
