// links: keys
//
// The requests of mode 6 that the key process reads: a line about keys that is understood is
// written again as text, and that says the same.
#include <string>

#include "keys/change_request.h"
#include "keys/trust_command.h"

using namespace ntpward;

namespace {

std::string Written(const keys::TrustCommand& command) {
  std::string line = command.trust ? "trustedkey" : "untrustedkey";
  for (const auto& item : command.keys) line += " " + std::to_string(item.key.value);
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto request = keys::ParseChangeRequest(Bytes(data, size));
  if (!request) return 0;
  const auto command = keys::ParseTrustCommand(request->text);
  if (!command.ok()) return 0;
  CHECK(keys::IsTrustCommand(request->text));
  const auto again = keys::ParseTrustCommand(Written(*command));
  CHECK(again.ok() && again->trust == command->trust && again->keys.size() == command->keys.size());
  for (size_t i = 0; i < again->keys.size(); ++i) CHECK(again->keys[i].key == command->keys[i].key);
  return 0;
}
