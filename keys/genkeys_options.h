// ntp-genkeys' command line and the places of its files, as in ntpd 4.1.
#pragma once

#include <string>
#include <string_view>

#include "privsep/base/result.h"

namespace ntpward::keys {

struct GenkeysOptions {
  bool help = false;
  bool version = false;
  bool parameters = false;  // -g d: Diffie-Hellman
  bool symmetric = false;   // -g m
  bool rsa = false;         // -g r; none of the three: all
  bool force = false;       // -f: although there are files in use
  bool here = false;        // -h: into the current directory, without links
  bool no_links = false;    // -l, -h
  bool dry_run = false;     // -n
  bool trash = false;       // -t: remove the files that links pointed to
  int modulus_bits = 1024;  // -m, ntpward's own: 512 (the only length of 4.1) to 1024
  std::string configuration = "/etc/ntp.conf";  // -c
  std::string key_file;                         // -k: in place of `keys` in it
};

// An error is for standard error.
Result<GenkeysOptions> ParseGenkeysOptions(int argc, char** argv);
std::string GenkeysUsage();

// The names by which a daemon of that guide finds its files.
struct GenkeysPlaces {
  std::string symmetric, private_key, public_key, parameters;
};

// What `text`, an ntp.conf, says in its lines keys, keysdir and crypto (privatekey, publickey,
// dhparms), else ntp.keys, ntpkey, ntpkey_HOST and ntpkey_dh in keysdir (/usr/local/etc). Included
// files and lines that are not understood do not count: ntpd tells of those.
GenkeysPlaces PlacesIn(std::string_view text, const std::string& host);

}  // namespace ntpward::keys
