// links: privsep
//
// Messages of ntpd-resolve.
#include "fuzz/round_trip.h"
#include "privsep/msg/resolve.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  RoundTrip<msg::ResolveName>(bytes);
  RoundTrip<msg::ResolveEnd>(bytes);
  RoundTrip<msg::ResolveRequest>(bytes);
  RoundTrip<msg::ResolveAnswer>(bytes);
  return 0;
}
