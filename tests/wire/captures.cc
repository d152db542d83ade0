#include "tests/wire/captures.h"

#include <sstream>
#include <string>

#include "tests/support/vectors.h"

namespace ntpward::wire::test {

std::vector<Capture> ReadCaptures() {
  const std::vector<uint8_t> file = ntpward::test::ReadFile("tests/wire/data/packets.txt");
  std::istringstream lines(std::string(AsText(file)));
  std::vector<Capture> captures;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    Capture capture;
    std::string digest, hex;
    words >> capture.mode >> capture.fields >> digest >> hex;
    CHECK(!words.fail());
    if (digest != "-") capture.digest_size = static_cast<size_t>(std::atoi(digest.c_str()));
    capture.datagram = ntpward::test::FromHex(hex);
    captures.push_back(capture);
  }
  CHECK(!captures.empty());
  return captures;
}

}  // namespace ntpward::wire::test
