// links: privsep
//
// Messages between ntpd-clock and the others, and what every role tells the supervisor.
#include "fuzz/round_trip.h"
#include "privsep/msg/clock.h"
#include "privsep/msg/role.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  RoundTrip<msg::ClockAdjust>(bytes);
  RoundTrip<msg::ClockState>(bytes);
  RoundTrip<msg::ClockStart>(bytes);
  RoundTrip<msg::ClockMirror>(bytes);
  RoundTrip<msg::LogLine>(bytes);
  RoundTrip<msg::RoleReady>(bytes);
  RoundTrip<msg::RoleFailed>(bytes);
  RoundTrip<msg::Misbehaviour>(bytes);
  RoundTrip<msg::LivenessQuestion>(bytes);
  RoundTrip<msg::LivenessAnswer>(bytes);
  return 0;
}
