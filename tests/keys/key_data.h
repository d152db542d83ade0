// The key files of tests/keys/data, and OpenSSL made ready for them.
#pragma once

#include <string>
#include <vector>

#include "privsep/base/bytes.h"

namespace ntpward::keys::test {

inline constexpr std::string_view kServerPassword = "serverpassword";
inline constexpr std::string_view kClientPassword = "clientpassword";

// A group setup for cmocka: loads providers. Returns 0.
int LoadCrypto(void** state);

std::vector<uint8_t> Data(const std::string& name);
std::string DataText(const std::string& name);

}  // namespace ntpward::keys::test
