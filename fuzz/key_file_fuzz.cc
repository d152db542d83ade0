// links: keys
//
// Any octets as a key file: refused, or a key whose numbers belong together and survive an export.
#include "keys/crypto_setup.h"
#include "keys/iff_key.h"
#include "keys/private_key.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto crypto = keys::CryptoSetup::ForTool();
  CHECK(crypto.ok());
  const Bytes file(data, size);
  // Without a password: the cost of deriving a key is what the file says.
  if (const auto rsa = keys::ReadRsaKey(file, {}); rsa.ok()) CHECK(!rsa->PublicDer().empty());
  const auto group = keys::ReadIffKey(file, {});
  if (!group.ok() || !group->has_public()) return 0;
  const std::string text = "# fuzz.1\n" + keys::WriteIffParameters(*group);
  const auto again = keys::ReadIffKey(AsBytes(text), {});
  CHECK(again.ok() && again->has_public() && !again->has_secret());
  CHECK(BN_cmp(again->v.get(), group->v.get()) == 0);
  return 0;
}
