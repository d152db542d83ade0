// supervisor -> keys: the configuration and its files, and what becomes of a replaced ntpd-net.
#pragma once

#include "privsep/msg/codec.h"

namespace ntpward::msg {

// Where a request by mode 6 that changes something needs a nonce, besides its MAC (`controlnonce`).
enum class ControlNonce : uint8_t { kAlways = 0, kRemote, kNever, kLast = kNever };

// First message after the cage is shut.
struct KeysStart {
  static constexpr Type kType = Type::kKeysStart;
  bool crypto_enabled = false;
  bool virtual_clock = false;
  bool allow_trusted_issue = false;  // may SIGN keep a client's trustRoot usage
  InlineText<64> host;               // H of ntpkey_host_H; also the default password
  InlineText<64> ident;              // `crypto ident`: the group of our own server keys
  InlineText<16> digest_name;        // session key digest
  uint8_t revoke = 17;               // log2 s between server seeds, 4..31
  int32_t seed_fd = -1;              // state file of the server seed, read-write; -1: none
  ControlNonce control_nonce = ControlNonce::kRemote;
  bool listens = false;  // broadcasts of others are listened to
  // Each file that is there must be usable, as for a reload; else what only clients need (the key
  // of a group) may be left out with a warning, so that one bad file keeps no daemon from starting.
  bool strict = false;

  bool Valid() const { return revoke >= 3 && revoke <= 31 && !digest_name.empty(); }
  static auto Fields(auto& m) {
    return std::tie(m.crypto_enabled, m.virtual_clock, m.allow_trusted_issue, m.host, m.ident,
                    m.digest_name, m.revoke, m.seed_fd, m.control_nonce, m.listens, m.strict);
  }
};

// `crypto pw`; the sender wipes its copies at once.
struct KeysPassword {
  static constexpr Type kType = Type::kKeysPassword;
  InlineBytes<256> password;
  static auto Fields(auto& m) { return std::tie(m.password); }
};

enum class KeyFileKind : uint8_t {
  kHost = 0,     // ntpkey_host_H, required with crypto
  kSign,         // ntpkey_sign_H
  kCertificate,  // ntpkey_cert_H, required with crypto
  kIffKey,       // ntpkey_iffkey_G
  kGqKey,
  kMvKey,
  kIffPar,  // ntpkey_iffpar_G
  kGqPar,
  kMvPar,
  kSymmetric,  // keys FILE
  kFarm,       // ntpkey_farm_NAME, the secret that a farm's servers share
  kLast = kFarm,
};

// A file that the supervisor opened read-only and that the role inherited; read it to its end, then
// close it. `fd` -1: expected but missing, `name` says which.
struct KeysFile {
  static constexpr Type kType = Type::kKeysFile;
  KeyFileKind kind = KeyFileKind::kHost;
  int32_t fd = -1;
  InlineText<64> group;  // H or G of the name
  InlineText<512> name;  // for messages to the operator
  bool world_readable = false;
  // A server's group key of a generation before the one in use; these come after it, newest first.
  bool earlier = false;

  static auto Fields(auto& m) {
    return std::tie(m.kind, m.fd, m.group, m.name, m.world_readable, m.earlier);
  }
};

// What a symmetric key may be used for: the union of its roles in ntp.conf.
struct TrustedKey {
  KeyId key;
  bool serve = false;      // clients may use it: in trustedkey
  bool upstream = false;   // `key N` on a line that makes us a client
  bool control = false;    // controlkey
  bool peer = false;       // `key N` on a peer line
  bool broadcast = false;  // `key N` on a broadcast line
  bool listen = false;     // in trustedkey, and broadcasts are listened to

  bool Valid() const { return key.is_symmetric(); }
  static auto Fields(auto& m) {
    return std::tie(m.key, m.serve, m.upstream, m.control, m.peer, m.broadcast, m.listen);
  }
};

// May be sent several times; they add up.
struct KeysTrusted {
  static constexpr Type kType = Type::kKeysTrusted;
  InlineVector<TrustedKey, 300> keys;
  static auto Fields(auto& m) { return std::tie(m.keys); }
};

// Everything was sent: load, then answer RoleReady or RoleFailed.
struct KeysEnd {
  static constexpr Type kType = Type::kKeysEnd;
  uint8_t reserved = 0;
  static auto Fields(auto& m) { return std::tie(m.reserved); }
};

// After RoleReady: listen to net from now on. At a reload it comes when the one before is dead and
// all that it had done is told: two at once would execute net's commands in no order, and each roll
// seeds that the other does not know. The seed file is read now.
struct KeysServe {
  static constexpr Type kType = Type::kKeysServe;
  uint8_t reserved = 0;
  static auto Fields(auto& m) { return std::tie(m.reserved); }
};

// At a reload, to both key processes: the one that serves net does so no more and gives what it
// holds to the one that is ready (heritage.h), which answers KeysInherited.
struct KeysHandOver {
  static constexpr Type kType = Type::kKeysHandOver;
  uint8_t reserved = 0;
  static auto Fields(auto& m) { return std::tie(m.reserved); }
};

// keys -> supervisor: all of it has come, and net need not know that there is another; or there is
// nothing to go on with.
struct KeysInherited {
  static constexpr Type kType = Type::kKeysInherited;
  bool whole = false;
  static auto Fields(auto& m) { return std::tie(m.whole); }
};

// After KeysServe, when net was replaced because it misbehaved or died: cookies that it has seen
// may be known to others, so new ones are made from a new seed (clients' old ones stay good), and
// what was kept for its associations is forgotten. No answer.
struct KeysRollSeed {
  static constexpr Type kType = Type::kKeysRollSeed;
  uint8_t reserved = 0;
  static auto Fields(auto& m) { return std::tie(m.reserved); }
};

}  // namespace ntpward::msg
