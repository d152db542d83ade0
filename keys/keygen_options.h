// ntp-keygen's command line, as ntp-keygen 4.2.8 takes it.
#pragma once

#include <optional>
#include <string>

#include "privsep/base/result.h"
#include "privsep/base/secret.h"

namespace ntpward::keys {

struct KeygenOptions {
  bool help = false;
  bool version = false;
  bool trusted = false;                 // -T
  bool host_key = false;                // -H
  bool iff_key = false;                 // -I
  bool export_parameters = false;       // -e
  bool symmetric = false;               // -M
  int debug = 0;                        // -d, -D N
  int identity_bits = 2048;             // -b
  int modulus_bits = 2048;              // -m
  int lifetime_days = 365;              // -l
  std::string cipher = "aes-256-cbc";   // -C
  std::optional<std::string> scheme;    // -c; none: the existing certificate's, else RSA-SHA256
  std::optional<std::string> group;     // -i, or behind the @ of -s
  std::optional<std::string> host;      // -s, before the @
  std::optional<std::string> sign_key;  // -S: "RSA"
  Secret password;                      // -p; empty: the host's name
  Secret export_password;               // -q

  // Something is to be made besides an export; names alone make nothing.
  bool makes_something() const {
    return trusted || host_key || iff_key || sign_key || scheme || lifetime_days != 365;
  }
};

// Wipes the passwords in `argv`, where `ps` could see them. An error is for standard error.
Result<KeygenOptions> ParseKeygenOptions(int argc, char** argv);

// What --help prints.
std::string KeygenUsage();

}  // namespace ntpward::keys
