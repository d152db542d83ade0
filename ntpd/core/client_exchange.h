// The exchange of client mode: a nonce goes out as the transmit time and comes back as the origin.
//
// The nonce is 64 random bits, so that an off-path sender must guess it and our clock is not
// disclosed; it is a secret until the reply, and nothing may read it out (CVE-2015-8139).
#pragma once

#include <optional>

#include "ntpd/core/sample.h"
#include "ntpd/wire/packet.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::core {

class ClientExchange {
 public:
  // Starts an exchange and voids the one before. Returns what goes out as the transmit time:
  // `nonce` unless that is zero, which is what an unset field holds.
  NtpTimestamp Start(NtpTimestamp nonce);
  // The request left at `t1` by our clock, sealed with `key` (0: none).
  void OnSent(NtpTimestamp t1, KeyId key);
  // No reply to it can be believed any more.
  void Void() { flight_.reset(); }

  // Does the reply belong to the exchange in flight? Changes nothing.
  Result<void, Reject> Match(const wire::Header& reply) const;
  // The key of the request in flight; 0: none.
  KeyId key() const { return flight_ ? flight_->key : KeyId{}; }
  bool is_sent() const { return flight_ && flight_->t1; }
  // Ends the exchange, once a reply was proved; none when nothing was sent. Gives t1.
  std::optional<NtpTimestamp> Consume();

 private:
  struct Flight {
    NtpTimestamp nonce;
    std::optional<NtpTimestamp> t1;
    KeyId key;
  };
  std::optional<Flight> flight_;
  std::optional<NtpTimestamp> answered_;  // nonce of the last exchange that was consumed
};

}  // namespace ntpward::core
