// Helpers for tests that compare with known bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "privsep/base/bytes.h"

namespace ntpward::test {

// "0a 1B" -> {0x0a, 0x1b}; blanks are skipped, anything else that is no hex digit aborts the test.
std::vector<uint8_t> FromHex(std::string_view hex);
std::string ToHex(Bytes bytes);
// A whole file; aborts when it cannot be read. Paths are relative to the project's root, where
// tests are run.
std::vector<uint8_t> ReadFile(const std::string& path);

}  // namespace ntpward::test
