// Nonces that make a request by mode 6 good once, and for a short while only.
//
// A nonce carries the time of its making under a MAC by a key that lives as long as this process,
// which is over the address that asked, too: what was seen on the way is of no use elsewhere. So
// nothing is kept of nonces that were merely asked for, and nobody can crowd out another's by
// asking. They are good in the order of their making only: who holds a request back cannot have it
// done after a later one.
#pragma once

#include <utility>

#include "keys/mac.h"
#include "privsep/base/address.h"
#include "privsep/base/types.h"
#include "privsep/msg/command.h"

namespace ntpward::keys {

class CommandNonces {
 public:
  static constexpr double kLifetime = 30;  // s
  using Nonce = InlineBytes<msg::kCommandNonceOctets>;

  // Draws the key. Fails when OpenSSL has no AES-CMAC.
  static Result<CommandNonces> Create();

  // `source`: whose requests it is to be good for; a scope does not count.
  Nonce Make(MonoTime now, const IpAddress& source);
  // Whether it is one of ours, for `source`, not too old, not used, and made after every one that
  // was used. A good one is used up by this.
  [[nodiscard]] bool Take(Bytes nonce, MonoTime now, const IpAddress& source);

 private:
  explicit CommandNonces(MacAlgorithm algorithm) : algorithm_(std::move(algorithm)) {}
  Nonce Sealed(uint32_t number, uint32_t made_s, const IpAddress& source);

  MacAlgorithm algorithm_;
  LockedBytes key_;
  uint32_t last_ = 0;  // number of the last one made
  uint32_t used_ = 0;  // number of the last one used
};

}  // namespace ntpward::keys
