// links: keys
//
// Any octets as a file of symmetric keys: bounded secrets; what was understood, written out in
// hexadecimal and read again, is the same.
#include "keys/crypto_setup.h"
#include "keys/symmetric_file.h"

using namespace ntpward;

namespace {

// Only secrets of 11 octets and more can be written in hexadecimal (21 digits and more).
std::string Render(const keys::SymmetricFile& file) {
  std::string text;
  for (const keys::SymmetricKey& key : file.keys) {
    if (key.length < 11) continue;
    text += std::to_string(key.id.value) + " " + key.type + " ";
    for (const uint8_t octet : file.SecretOf(key)) {
      text += "0123456789abcdef"[octet >> 4];
      text += "0123456789abcdef"[octet & 15];
    }
    text += "\n";
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto crypto = keys::CryptoSetup::ForTool();
  CHECK(crypto.ok());
  const auto file = keys::ParseSymmetricFile(Bytes(data, size), "f");
  CHECK(file.ok());
  for (const keys::SymmetricKey& key : file->keys)
    CHECK(key.id.is_symmetric() && key.length <= keys::kMaxSymmetricSecret);
  for (const std::string& error : file->errors) CHECK(error.starts_with("f:"));
  const std::string text = Render(*file);
  const auto again = keys::ParseSymmetricFile(AsBytes(text), "g");
  CHECK(again.ok() && again->errors.empty() && Render(*again) == text);
  return 0;
}
