// links: keys
//
// Any octets as a file of GQ or MV: refused, or numbers that belong together and survive an export.
#include "keys/crypto_setup.h"
#include "keys/gq_key.h"
#include "keys/mv_authority.h"
#include "keys/private_key.h"

using namespace ntpward;

namespace {

const std::string kHeader = "# fuzz.1\n";

void TryGq(Bytes file) {
  const auto key = keys::ReadGqKey(file, {});
  if (!key.ok()) return;
  const std::string text = kHeader + keys::WriteGqParameters(*key);
  const auto again = keys::ReadGqKey(AsBytes(text), {});
  CHECK(again.ok() && !again->has_secret() && BN_cmp(again->n.get(), key->n.get()) == 0);
}

void TryMv(Bytes file) {
  (void)keys::ReadMvServerKey(file, {}).ok();
  if (auto authority = keys::ReadMvAuthority(file, {}); authority.ok())
    (void)keys::RevokeMvClient(&*authority, 0).ok();
  const auto key = keys::ReadMvClientKey(file, {});
  if (!key.ok() || !key->has_public()) return;
  const std::string text = kHeader + keys::WriteMvClientKey(*key);
  const auto again = keys::ReadMvClientKey(AsBytes(text), {});
  CHECK(again.ok() && BN_cmp(again->xhat.get(), key->xhat.get()) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto crypto = keys::CryptoSetup::ForTool();
  CHECK(crypto.ok());
  const Bytes file(data, size);
  (void)keys::ReadSignKey(file, {}).ok();
  TryGq(file);
  TryMv(file);
  return 0;
}
