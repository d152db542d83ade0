// Requests by mode 6 that would change something, under the control key of the server under test.
#pragma once

#include <string>
#include <vector>

#include "keys/mac.h"
#include "tests/keys/service_harness.h"
#include "tests/support/vectors.h"

namespace ntpward::keys::test {

// Of 428_ntp.keys: 1 serves, 3 is an upstream's, 4 is the control key; 2 and 5 are there and
// unused.
inline constexpr KeyId kControl{4};

inline std::vector<uint8_t> MacOf(const char* type, std::string_view secret, Bytes covered) {
  auto algorithm = MacAlgorithm::Create(type);
  CHECK(algorithm.ok());
  const MacDigest digest = algorithm->Compute(AsBytes(secret), covered);
  return {digest.span().begin(), digest.span().end()};
}

inline constexpr uint8_t kWriteVariables = 3, kConfigure = 8, kSaveConfig = 9;

// What comes before the MAC of a request.
inline std::vector<uint8_t> Covered(std::string_view line, uint8_t operation = kConfigure) {
  std::vector<uint8_t> octets = {0x16, operation, 0, 1, 0, 0, 0, 0, 0, 0};
  octets.push_back(static_cast<uint8_t>(line.size() >> 8));
  octets.push_back(static_cast<uint8_t>(line.size()));
  octets.insert(octets.end(), line.begin(), line.end());
  octets.resize((octets.size() + 7) / 8 * 8);
  return octets;
}

inline msg::Command Request(Bytes covered) {
  msg::Command command;
  command.request = 9;
  command.key = kControl;
  Set(&command.covered, covered);
  Set(&command.digest, MacOf("SHA1", "shaAscii", covered));
  return command;
}
inline msg::Command Request(std::string_view line) { return Request(Covered(line)); }

inline std::string NewNonce(Harness& h, const IpAddress& asker = {}) {
  h.FromNet(msg::CommandNonceRequest{.request = 5, .source = asker});
  CHECK(h.out.nonces.back().request == 5);
  return " nonce=" + ntpward::test::ToHex(h.out.nonces.back().nonce.span());
}

inline msg::CommandOutcome Ask(Harness& h, const msg::Command& command) {
  const size_t before = h.out.commands.size();
  h.FromNet(command);
  CHECK(h.out.commands.size() == before + 1 && h.out.commands.back().request == 9);
  return h.out.commands.back().outcome;
}
inline msg::CommandOutcome Say(Harness& h, const std::string& line) {
  return Ask(h, Request(line + NewNonce(h)));
}

}  // namespace ntpward::keys::test
