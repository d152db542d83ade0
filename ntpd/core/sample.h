// What one exchange tells, and why a reply tells nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "privsep/base/types.h"

namespace ntpward::core {

// One measurement of a source against our clock, seconds (RFC 5905 section 8).
struct Sample {
  MonoTime time;          // when the reply came
  double offset = 0;      // how far the source is ahead of us
  double delay = 0;       // round trip less the source's own time; at least the precision
  double dispersion = 0;  // the error bound of the readings themselves
};

// What the key process said of a reply's MAC. No value: the reply carried none.
enum class MacResult : uint8_t { kGood, kBad, kCryptoNak };
struct MacVerdict {
  KeyId key;  // the identifier that the reply carried
  MacResult result = MacResult::kBad;
};

// Why a reply was not believed. Each is a counter; none of those up to kCryptoNak changes anything
// but counters, because their sender is unproved.
enum class Reject : uint8_t {
  kNotAsked,        // nothing is in flight
  kZeroOrigin,      // CVE-2015-8138: zero is never a nonce
  kBogusOrigin,     // not the nonce in flight
  kDuplicate,       // the nonce of the exchange before, already answered
  kBadMode,         // not the mode that the association expects
  kNoMac,           // the association is keyed, the reply is bare (CVE-2015-1798)
  kBadMac,          // the MAC does not check, or is of another key (CVE-2015-7974)
  kCryptoNak,       // origin matched: the server could not check our MAC
  kOutOfStep,       // a peer's packet that answers none or an old one of ours; it was noted
  kRate,            // kiss of death: slowed down
  kDenied,          // kiss of death DENY or RSTR: stopped
  kKiss,            // another stratum 0 code: no time in it
  kBadTimestamp,    // receive or transmit time is zero, or the round trip is impossible
  kUnsynchronised,  // leap alarm or a stratum out of range
  kBadHeader,       // root distance or reference time makes no sense
};

}  // namespace ntpward::core
