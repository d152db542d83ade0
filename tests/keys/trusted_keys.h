// Which keys of 428_ntp.keys a key service lets whom use: what commands change.
#pragma once

#include "tests/keys/service_harness.h"

namespace ntpward::keys::test {

// Whether a client's request under a key is answered.
msg::ServeOutcome Served(Harness& h, uint32_t key, const char* type, std::string_view secret);
bool Serves1(Harness& h);
bool Serves2(Harness& h);

// Whether net may ask a server under the key; `first` is the packet's first octet.
bool Asks(Harness& h, uint32_t key, uint8_t first = 0xe3);

// Nothing was changed since StartServer(), and the supervisor heard of nothing.
void AssertUnchanged(Harness& h);

}  // namespace ntpward::keys::test
