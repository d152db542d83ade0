#include "ntpq/mac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>
#include <string>

#include "privsep/base/des_key.h"
#include "privsep/base/secret.h"
#include "privsep/base/text.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kAesKeySize = 16;

struct Free {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

Error Unavailable(const KeyType& type) {
  return Error{"key type " + std::string(type.name) + " is not available here"};
}

// The key is cut or zero-filled to the cipher's key size, as ntpd 4.2.8 does.
Result<std::vector<uint8_t>> Cmac(const KeyType& type, Bytes secret, Bytes covered) {
  std::array<uint8_t, kAesKeySize> key{};
  std::copy_n(secret.begin(), std::min(secret.size(), key.size()), key.begin());
  char cipher[] = "AES-128-CBC";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
      OSSL_PARAM_construct_end()};
  Owned<EVP_MAC> mac(EVP_MAC_fetch(nullptr, "CMAC", nullptr));
  Owned<EVP_MAC_CTX> context(mac ? EVP_MAC_CTX_new(mac.get()) : nullptr);
  std::vector<uint8_t> out(type.size);
  size_t size = 0;
  const bool done = context &&
                    EVP_MAC_init(context.get(), key.data(), key.size(), parameters) == 1 &&
                    EVP_MAC_update(context.get(), covered.data(), covered.size()) == 1 &&
                    EVP_MAC_final(context.get(), out.data(), &size, out.size()) == 1;
  OPENSSL_cleanse(key.data(), key.size());
  if (!done || size != type.size) return Fail(Unavailable(type));
  return out;
}

// Triple DES with one key three times is single DES, and needs no legacy provider. `covered` is
// padded to whole blocks by whoever builds a request.
Result<std::vector<uint8_t>> DesCbc(const KeyType& type, Bytes secret, Bytes covered) {
  const auto form = secret.size() > kDesKeySize ? DesKeyForm::kStandard : DesKeyForm::kText;
  auto octets = DecodeDesKey(form, AsText(secret));
  if (!octets.ok())
    return Fail("a DES key is 1 to 8 characters or 16 hexadecimal digits with odd parity");
  std::array<uint8_t, 3 * kDesKeySize> key{};
  for (size_t i = 0; i < 3; ++i)
    std::copy_n(octets->span().begin(), octets->size(), &key[i * kDesKeySize]);
  Wipe(octets->span());
  const std::array<uint8_t, kDesKeySize> zero{};
  Owned<EVP_CIPHER> cipher(EVP_CIPHER_fetch(nullptr, "DES-EDE3-CBC", nullptr));
  Owned<EVP_CIPHER_CTX> context(EVP_CIPHER_CTX_new());
  std::vector<uint8_t> blocks(covered.size());
  int written = 0;
  const bool done =
      cipher && context && !covered.empty() && covered.size() % kDesKeySize == 0 &&
      EVP_EncryptInit_ex2(context.get(), cipher.get(), key.data(), zero.data(), nullptr) == 1 &&
      EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
      EVP_EncryptUpdate(context.get(), blocks.data(), &written, covered.data(),
                        static_cast<int>(covered.size())) == 1 &&
      static_cast<size_t>(written) == blocks.size();
  Wipe(key);
  if (!done) return Fail(Unavailable(type));
  return std::vector<uint8_t>(blocks.end() - static_cast<std::ptrdiff_t>(type.size), blocks.end());
}

Result<std::vector<uint8_t>> Digest(const KeyType& type, Bytes secret, Bytes covered) {
  Owned<EVP_MD> digest(EVP_MD_fetch(nullptr, std::string(type.name).c_str(), nullptr));
  Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  std::array<uint8_t, EVP_MAX_MD_SIZE> out;
  unsigned size = 0;
  const bool done = digest && context &&
                    EVP_DigestInit_ex2(context.get(), digest.get(), nullptr) == 1 &&
                    EVP_DigestUpdate(context.get(), secret.data(), secret.size()) == 1 &&
                    EVP_DigestUpdate(context.get(), covered.data(), covered.size()) == 1 &&
                    EVP_DigestFinal_ex(context.get(), out.data(), &size) == 1;
  if (!done || size < type.size) return Fail(Unavailable(type));
  return std::vector<uint8_t>(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(type.size));
}

}  // namespace

std::optional<KeyType> FindKeyType(std::string_view name) {
  if (EqualIgnoringCase(name, "M")) name = "MD5";
  for (const KeyType& type : kKeyTypes)
    if (EqualIgnoringCase(name, type.name)) return type;
  return std::nullopt;
}

Result<std::vector<uint8_t>> MakeMac(const KeyType& type, KeyId key, Bytes secret, Bytes covered) {
  const std::vector<uint8_t> digest = TRY(type.name == "AES128CMAC" ? Cmac(type, secret, covered)
                                          : type.name == "DES"      ? DesCbc(type, secret, covered)
                                                               : Digest(type, secret, covered));
  std::vector<uint8_t> mac(4 + digest.size());
  Writer out(mac);
  out.U32(key.value);
  out.Put(digest);
  CHECK(out.Finish());
  return mac;
}

}  // namespace ntpward::ntpq
