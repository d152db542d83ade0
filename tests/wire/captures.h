// The captured datagrams of tests/wire/data/packets.txt.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace ntpward::wire::test {

struct Capture {
  int mode = 0;
  size_t fields = 0;
  std::optional<size_t> digest_size;  // none: no MAC
  std::vector<uint8_t> datagram;
};

// At least one; aborts when the file is missing or malformed.
std::vector<Capture> ReadCaptures();

}  // namespace ntpward::wire::test
