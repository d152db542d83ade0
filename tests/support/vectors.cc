#include "tests/support/vectors.h"

#include <cctype>
#include <cstdio>

#include "privsep/base/text.h"

namespace ntpward::test {
namespace {}  // namespace

std::vector<uint8_t> FromHex(std::string_view hex) {
  std::vector<uint8_t> bytes;
  int high = -1;
  for (char c : hex) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) continue;
    if (high < 0) {
      high = HexDigit(c);
    } else {
      bytes.push_back(static_cast<uint8_t>(high * 16 + HexDigit(c)));
      high = -1;
    }
  }
  CHECK(high < 0);
  return bytes;
}

std::string ToHex(Bytes bytes) {
  std::string hex;
  for (uint8_t byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    hex += digits;
  }
  return hex;
}

std::vector<uint8_t> ReadFile(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) Fatal(__FILE__, __LINE__, path);
  std::vector<uint8_t> bytes;
  uint8_t chunk[4096];
  for (size_t n; (n = std::fread(chunk, 1, sizeof chunk, file)) > 0;)
    bytes.insert(bytes.end(), chunk, chunk + n);
  std::fclose(file);
  return bytes;
}

}  // namespace ntpward::test
