// ntp-keygen's command line, as ntp-keygen 4.2.8 takes it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "privsep/base/result.h"
#include "privsep/base/secret.h"

namespace ntpward::keys {

// --renew and its companions: the files that a daemon reads, in the current directory unless
// absolute.
struct RenewalFiles {
  std::string certificate;
  std::string host_key;
  std::string sign_key;  // empty: the host key signs
  std::string name;      // the daemon's name of its host; empty: the host's
};

struct KeygenOptions {
  bool help = false;
  bool version = false;
  bool trusted = false;                 // -T
  bool private_use = false;             // -P
  bool host_key = false;                // -H
  bool gq_key = false;                  // -G
  bool iff_key = false;                 // -I
  int mv_clients = 0;                   // -V; 0: none
  std::vector<int> mv_revoked;          // -v, each from 1
  int mv_client = 1;                    // --mv-client: whose key -e exports
  bool export_parameters = false;       // -e
  bool symmetric = false;               // -M
  std::optional<std::string> farm;      // --farm: whose shared secret is to be made
  int debug = 0;                        // -d, -D N
  std::optional<int> identity_bits;     // -b; none: 2048, for GQ 1016
  int modulus_bits = 2048;              // -m
  std::optional<int> lifetime_days;     // -l; none: the existing certificate's, else 365
  std::string cipher = "aes-256-cbc";   // -C
  std::optional<std::string> scheme;    // -c; none: the existing certificate's, else RSA-SHA256
  std::optional<std::string> group;     // -i, or behind the @ of -s
  std::optional<std::string> host;      // -s, before the @
  std::optional<std::string> sign_key;  // -S: "RSA" or "DSA"
  std::optional<RenewalFiles> renewal;  // --renew: nothing else is done
  Secret password;                      // -p; empty: the host's name
  Secret export_password;               // -q

  // Something is to be made besides an export or a revocation; names alone make nothing.
  bool makes_something() const {
    return trusted || private_use || host_key || gq_key || iff_key || mv_clients != 0 || sign_key ||
           scheme || lifetime_days;
  }
};

// Wipes the passwords in `argv`, where `ps` could see them. An error is for standard error.
Result<KeygenOptions> ParseKeygenOptions(int argc, char** argv);

// What --help prints.
std::string KeygenUsage();

}  // namespace ntpward::keys
