// The symmetric keys in use, each bound to the roles that ntp.conf gives it.
//
// A key that is configured only for an upstream seals requests to it and nothing else: else whoever
// takes over the process that asks could forge that upstream's replies for everybody who shares it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "keys/mac.h"
#include "keys/symmetric_file.h"

namespace ntpward::keys {

enum class KeyUse : uint8_t {
  kServe,      // answer clients
  kUpstream,   // ask a server, and believe it
  kControl,    // mode 6
  kPeer,       // be the active end of a symmetric association
  kPassive,    // be the other end
  kBroadcast,  // send broadcasts
  kListen,     // believe broadcasts
};

// What a key may be used for; all false: it is not trusted.
struct KeyUses {
  bool serve = false;
  bool upstream = false;
  bool control = false;
  bool peer = false;
  bool broadcast = false;
  bool listen = false;

  bool Allows(KeyUse use) const;
  KeyUses With(const KeyUses& more) const;
  bool any() const { return serve || upstream || control || peer || broadcast || listen; }
};

enum class MacCheck : uint8_t {
  kGood,
  kBad,
  kUnknown,     // no such key, or not trusted for anything
  kNotAllowed,  // trusted, but not for this use, or not from this address
};

class SymmetricKeys {
 public:
  SymmetricKeys() = default;
  // Takes the keys of a file that has no errors; prepares the algorithms they need.
  static Result<SymmetricKeys> Create(SymmetricFile file);

  // Adds uses to a key, as ntp.conf gives them; they add up. False when there is no such key.
  bool Trust(KeyId id, const KeyUses& uses);
  // What a command said of the key while the daemon runs; a later one counts, and one about no key
  // of ours does nothing. Not trusted: it is good for nothing. Trusted: it has the uses that
  // ntp.conf gives it; one that no line mentions is for clients, as in `trustedkey`, and
  // for broadcasts where `listens`. So a command never gives a key of ours a second role.
  void SetRuntime(KeyId id, bool trusted);
  // Adds uses that a line of configuration gave while the daemon runs. False when there is no such
  // key, or it is the control key.
  bool Bind(KeyId id, const KeyUses& uses);
  void SetListens(bool listens) { listens_ = listens; }
  // In the key file, whether trusted or not.
  bool Has(KeyId id) const { return keys_.contains(id); }
  // ntp.conf's control key.
  bool IsControl(KeyId id) const;
  // Keys that ntp.conf gives a use and a command took it from, for a warning.
  std::vector<KeyId> Revoked() const;
  // Keys with which a client could pose as one of our servers, for a warning.
  std::vector<KeyId> SharedByRoles() const;

  // `source`: the sender's address, checked against the key's address list; null: do not check.
  MacCheck Check(KeyId id, KeyUse use, Bytes covered, Bytes digest, const IpAddress* source);
  // None when the key is not there or not for this use.
  std::optional<MacDigest> Seal(KeyId id, KeyUse use, Bytes covered);

  size_t size() const { return keys_.size(); }

 private:
  struct Entry {
    SymmetricKey key;
    MacAlgorithm* algorithm = nullptr;  // one of algorithms_
    KeyUses configured;
    KeyUses bound;                // by lines of configuration since the start
    std::optional<bool> runtime;  // what a command said last
  };
  KeyUses UsesOf(const Entry& entry) const;
  Bytes SecretOf(const Entry& entry) const { return file_.SecretOf(entry.key); }

  SymmetricFile file_;
  std::map<std::string, MacAlgorithm> algorithms_;  // by type; nodes stay where they are
  std::map<KeyId, Entry> keys_;
  bool listens_ = false;
};

}  // namespace ntpward::keys
