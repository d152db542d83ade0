// The first answer to a stranger who wants to be our peer and whom no MAC proves: nothing is kept
// of it, and who sends back what was in it can read what is sent to its address.
//
// In the manner of SYN cookies. Each packet of a peer carries the transmit time of the other's last
// one as its origin, so that this time alone has to tell: its seconds are true, and the 32 bits
// below them are a keyed hash of these and of both addresses. Only for answers that nobody takes
// time from: those with an extension field.
//
// A forger who hears nothing has to find those 32 bits by packets. One in 2^32 is right, whichever
// seconds it names and however often the same was tried, since a wrong one tells nothing.
#pragma once

#include "privsep/base/address.h"
#include "privsep/base/sip_hash.h"
#include "privsep/base/types.h"

namespace ntpward::core {

class FirstAnswer {
 public:
  // s; a peer's next packet comes within its poll interval, 2^10 s where it says nothing else.
  static constexpr uint32_t kLifetime = 1200;

  // What was made under another key is not known. It can be the same for ever: no second comes
  // again.
  explicit FirstAnswer(const SipKey& key) : key_(key) {}

  // The transmit time of the answer that goes from `ours` to `stranger` at `now`, by our clock;
  // within a second of that.
  NtpTimestamp TransmitTime(const SocketAddress& stranger, const IpAddress& ours,
                            NtpTimestamp now) const;
  // Is `origin`, in a packet that came from `stranger` to `ours` at `now`, the transmit time of an
  // answer that was sent there, not longer ago than kLifetime?
  bool IsEchoed(NtpTimestamp origin, const SocketAddress& stranger, const IpAddress& ours,
                NtpTimestamp now) const;

 private:
  NtpTimestamp Stamp(uint32_t second, const SocketAddress& stranger, const IpAddress& ours) const;

  SipKey key_;
};

}  // namespace ntpward::core
