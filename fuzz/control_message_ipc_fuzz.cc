// links: privsep
//
// Messages between the supervisor and ntpd-net.
#include "fuzz/round_trip.h"
#include "privsep/msg/control.h"
#include "privsep/msg/runtime_line.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  RoundTrip<msg::NetStart>(bytes);
  RoundTrip<msg::NetAssociation>(bytes);
  RoundTrip<msg::NetRestrict>(bytes);
  RoundTrip<msg::NetEnd>(bytes);
  RoundTrip<msg::LeapTable>(bytes);
  RoundTrip<msg::NetProcesses>(bytes);
  RoundTrip<msg::NetSocket>(bytes);
  RoundTrip<msg::NetSocketGone>(bytes);
  RoundTrip<msg::NetAddresses>(bytes);
  RoundTrip<msg::NetRoleRestarted>(bytes);
  RoundTrip<msg::NetTerminate>(bytes);
  RoundTrip<msg::NetDrift>(bytes);
  RoundTrip<msg::NetStatistics>(bytes);
  RoundTrip<msg::NetStatus>(bytes);
  RoundTrip<msg::NetQuit>(bytes);
  RoundTrip<msg::RuntimeLine>(bytes);
  RoundTrip<msg::NetSaveConfig>(bytes);
  RoundTrip<msg::NetConfigSaved>(bytes);
  return 0;
}
