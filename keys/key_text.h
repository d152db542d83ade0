// The text form that all of ntp-keygen's files share: a comment with name and filestamp, then PEM.
//
//     # ntpkey_RSAhost_server.4004293698
//     # Sat Nov 21 23:48:18 2026
//
//     -----BEGIN ENCRYPTED PRIVATE KEY-----
//
// In place of the block a private key of ntpd 4.1 has one line (keys/rsaref.h).
//
// The operator supplies it, maybe through mail or a terminal: CRLF, indentation, other line lengths
// and text around the PEM block do no harm. As ntpd 4.2.8 does, only the number after the last '.'
// of the first comment counts as filestamp; the file's real name is not looked at.
#pragma once

#include <string>
#include <vector>

#include "privsep/base/bytes.h"
#include "privsep/base/result.h"
#include "privsep/base/secret.h"
#include "privsep/base/types.h"

namespace ntpward::keys {

inline constexpr size_t kMaxKeyText =
    128 * 1024;                              // an MV authority's file at its largest is 80 KiB
inline constexpr size_t kMaxPemBlocks = 64;  // an MV authority's file holds one for each client

struct PemBlock {
  std::string label;       // "ENCRYPTED PRIVATE KEY"; kRsarefLabel
  std::string encryption;  // traditional form: DEK-Info's value ("DES-EDE3-CBC,…"), or empty
  Secret pem;              // BEGIN line to END line, as OpenSSL reads it; or RSAREF's line
};

struct KeyText {
  std::string name;              // "ntpkey_RSAhost_server.4004293698"
  NtpSeconds filestamp;          // not 0
  std::vector<PemBlock> blocks;  // at least one
};

// Errors say what is wrong, not in which file: the caller knows its name.
Result<KeyText> ParseKeyText(Bytes file);

}  // namespace ntpward::keys
