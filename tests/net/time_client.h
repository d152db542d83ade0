// A client of our time server: where it is, whom it asks, and what it sends.
#pragma once

#include "tests/net/harness.h"

namespace ntpward::test {

inline const IpAddress kClient = IpAddress::V4(127, 0, 0, 1);
inline const IpAddress kAsked = IpAddress::V4(127, 0, 0, 7);

inline wire::Header RequestHeader() {
  wire::Header request;
  request.leap = wire::Leap::kNone;
  request.poll = 6;
  request.transmit = NtpTimestamp::FromRaw(0x1122334455667788);
  return request;
}

}  // namespace ntpward::test
