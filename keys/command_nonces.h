// Nonces that make a request by mode 6 good once, and for a short while only.
//
// A nonce carries the time of its making under a MAC by a key that lives as long as this process.
// So nothing is kept of nonces that were merely asked for, and nobody can crowd out another's by
// asking; what is kept are those that were used, until they are too old anyway.
#pragma once

#include <map>
#include <utility>

#include "keys/mac.h"
#include "privsep/base/types.h"
#include "privsep/msg/command.h"

namespace ntpward::keys {

enum class NonceCheck : uint8_t {
  kGood,
  kBad,   // not ours, too old, or used
  kBusy,  // too many were used lately
};

class CommandNonces {
 public:
  static constexpr double kLifetime = 30;  // s
  static constexpr size_t kMostUsed = 1024;
  using Nonce = InlineBytes<msg::kCommandNonceOctets>;

  // Draws the key. Fails when OpenSSL has no AES-CMAC.
  static Result<CommandNonces> Create();

  Nonce Make(MonoTime now);
  // A good nonce is used up by this.
  NonceCheck Take(Bytes nonce, MonoTime now);

 private:
  explicit CommandNonces(MacAlgorithm algorithm) : algorithm_(std::move(algorithm)) {}
  Nonce Sealed(uint32_t number, uint32_t made_s);

  MacAlgorithm algorithm_;
  LockedBytes key_;
  uint32_t last_ = 0;                  // number of the last one made
  std::map<uint32_t, uint32_t> used_;  // by number: when it was made, s
};

}  // namespace ntpward::keys
