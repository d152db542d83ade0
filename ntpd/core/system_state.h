// What this host says of its own clock: the system variables of RFC 5905 section 11.
//
// One writer (the engine), many readers: replies to clients, mode 6, the published page.
#pragma once

#include <algorithm>

#include "ntpd/core/parameters.h"
#include "ntpd/wire/packet.h"
#include "ntpd/wire/refid.h"
#include "ntpd/wire/status_word.h"
#include "privsep/base/types.h"

namespace ntpward::core {

struct SystemState {
  wire::Leap leap = wire::Leap::kAlarm;
  uint8_t stratum = wire::kStratumUnsynchronised;
  int8_t precision = -20;                    // log2 s
  double root_delay = 0;                     // s
  double root_dispersion = 0;                // s, at `updated`
  MonoTime updated;                          // when the dispersion was right
  uint32_t refid = wire::RefidCode("INIT");  // INIT, STEP: why not synchronised
  NtpTimestamp reference;                    // when the clock was last corrected
  AssocId system_peer;                       // 0: none
  wire::SystemSource source = wire::SystemSource::kUnspecified;
  double offset = 0;   // s, combined, at the last update
  double jitter = 0;   // s, of the combined offset
  double phi = 15e-6;  // s/s

  bool synchronised() const { return leap != wire::Leap::kAlarm; }
  // Grows until the next update (RFC 5905 section 11.3).
  double RootDispersionAt(MonoTime now) const {
    return std::min(kMaxDispersion, root_dispersion + phi * std::max(0.0, now - updated));
  }
};

}  // namespace ntpward::core
