// links: supervisor
//
// Any octets as what a supervisor that crashed left about symmetric keys: not believed, or the last
// word about each key, which is read again once it is written.
#include "ntpd/supervisor/kept_trust_file.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto kept = supervisor::ParseKeptTrust(AsText(Bytes(data, size)));
  if (!kept) return 0;
  const std::string text = supervisor::KeptTrustText(*kept);
  const auto again = supervisor::ParseKeptTrust(text);
  CHECK(again && again->size() == kept->size() && supervisor::KeptTrustText(*again) == text);
  return 0;
}
