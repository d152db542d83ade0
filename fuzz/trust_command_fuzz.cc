// links: keys
//
// The request of mode 6 that the key process reads: what is understood is written again as text,
// and that says the same.
#include <string>
#include <vector>

#include "keys/trust_command.h"

using namespace ntpward;

namespace {

std::vector<uint8_t> Written(const keys::TrustCommand& command) {
  std::string line = command.trust ? "trustedkey" : "untrustedkey";
  for (const auto& item : command.keys) line += " " + std::to_string(item.key.value);
  if (!command.nonce.empty()) line += " nonce=";
  for (const uint8_t octet : command.nonce.span()) {
    line += "0123456789abcdef"[octet >> 4];
    line += "0123456789abcdef"[octet & 15];
  }
  const size_t padded = (12 + line.size() + 7) / 8 * 8;
  std::vector<uint8_t> octets(padded);
  Writer writer(octets);
  writer.U16(0x1608);
  writer.Zeros(8);
  writer.U16(static_cast<uint16_t>(line.size()));
  writer.Put(AsBytes(line));
  return octets;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto command = keys::ParseTrustCommand(Bytes(data, size));
  if (!command.ok()) return 0;
  const auto again = keys::ParseTrustCommand(Written(*command));
  CHECK(again.ok() && again->trust == command->trust && again->keys.size() == command->keys.size());
  for (size_t i = 0; i < again->keys.size(); ++i) CHECK(again->keys[i].key == command->keys[i].key);
  CHECK(EqualConstantTime(again->nonce.span(), command->nonce.span()));
  return 0;
}
