// Keys and Autokey: what ntp.conf says about them. Key material itself is never here.
//
// Sources: ntp.conf of ntpd 4.2.8 ("keys", "trustedkey", "crypto", ...), RFC 5906. `controlnonce`,
// `crypto pwfile`, `crypto seedfile`, `crypto farm` and `identity optional` are ntpward's own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/config/diagnostic.h"
#include "privsep/base/secret.h"
#include "privsep/base/types.h"

namespace ntpward::config {

// Symmetric keys `first`..`last`, both included.
struct KeyRange {
  Location where;
  KeyId first;
  KeyId last;
};

// The `crypto` lines, which accumulate. `where` is known once any was read.
struct Crypto {
  Location where;
  Secret password;  // `pw`; empty unless configured
  Location password_where;
  Setting<std::string> password_file;  // `pwfile`: first line of that file; excludes `pw`
  Setting<std::string> host;           // H of the key files' names; default: the host's name
  Setting<std::string> ident;          // group; a server's file names, a 4.2.6 client's group
  Setting<std::string> digest;         // of session keys (md5), as OpenSSL names it
  // Files in place of the links of keysdir, as older guides name them; in keysdir unless absolute.
  Setting<std::string> host_key_file;     // `privatekey` of ntpd 4.1
  Setting<std::string> sign_key_file;     // `sign` of ntpd 4.2
  Setting<std::string> certificate_file;  // `cert` of ntpd 4.2
  Setting<std::string> leap_file;         // `leap`; a `leapfile` line counts in its place
  Setting<std::string> randfile;  // accepted, without effect: the kernel's generator is used
  Setting<std::string> seedfile;  // where the server's private value is kept
  Setting<std::string> farm;      // NAME of ntpkey_farm_NAME: that value is shared with others
  Setting<bool> identity_optional{false};  // for associations without a group of their own

  bool enabled() const { return where.known(); }
};

// Which requests of mode 6 that change something need a nonce, besides the control key's MAC: all,
// those from other hosts, or none (`controlnonce`).
enum class ControlNonce : uint8_t { kAlways, kRemote, kNever };
// As ntp.conf writes it.
std::string_view ControlNonceName(ControlNonce rule);

struct Authentication {
  Setting<std::string> keys_file;  // `keys`; empty: none
  std::vector<KeyRange> trusted;   // all `trustedkey` lines together
  Setting<KeyId> control_key;      // none unless configured
  Setting<KeyId> request_key;
  Setting<ControlNonce> control_nonce{ControlNonce::kRemote};
  Setting<std::string> keys_dir{"/usr/local/etc"};
  Crypto crypto;
  Setting<uint8_t> revoke{17};   // log2 s, 3..31: life of the server's private value
  Setting<uint8_t> automax{12};  // log2 s, 3..31: life of a session key list
  Setting<std::string> ident;    // group of ephemeral associations

  bool IsTrusted(KeyId key) const;
};

}  // namespace ntpward::config
