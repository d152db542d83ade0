#include "keys/mac.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <array>

#include "keys/symmetric_file.h"
#include "privsep/base/secret.h"

namespace ntpward::keys {
namespace {

constexpr size_t kAes128Octets = 16;
constexpr size_t kMinDigest = 16;
constexpr size_t kDesBlock = 8;

DigestPtr FetchDigest(const std::string& type) {
  DigestPtr digest(EVP_MD_fetch(nullptr, type.c_str(), nullptr));
  ERR_clear_error();
  if (digest == nullptr || EVP_MD_get_size(digest.get()) < static_cast<int>(kMinDigest)) return {};
  // Digests of no fixed length are no MACs.
  if ((EVP_MD_get_flags(digest.get()) & EVP_MD_FLAG_XOF) != 0) return {};
  return digest;
}

}  // namespace

bool IsMacType(const std::string& type) {
  return type == kCmacType || FetchDigest(type) != nullptr;
}

Result<MacAlgorithm> MacAlgorithm::Create(const std::string& type) {
  MacAlgorithm out;
  if (type == kCmacType) {
    MacPtr mac(EVP_MAC_fetch(nullptr, "CMAC", nullptr));
    if (mac == nullptr) return Fail("OpenSSL does not offer CMAC");
    out.cmac_.reset(EVP_MAC_CTX_new(mac.get()));
    char cipher[] = "AES-128-CBC";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
        OSSL_PARAM_construct_end()};
    if (out.cmac_ == nullptr || EVP_MAC_CTX_set_params(out.cmac_.get(), parameters) != 1)
      return Fail("OpenSSL does not offer AES-128-CMAC: " + OpensslReason());
    out.size_ = kAes128Octets;
    return out;
  }
  if (type == kDesType) {
    // Triple DES with one key three times is single DES, and needs no legacy provider.
    out.des_.reset(EVP_CIPHER_fetch(nullptr, "DES-EDE3-CBC", nullptr));
    if (out.des_ == nullptr) return Fail("OpenSSL does not offer DES: " + OpensslReason());
    out.des_context_.reset(EVP_CIPHER_CTX_new());
    CHECK(out.des_context_ != nullptr);
    out.size_ = kDesBlock;
    return out;
  }
  out.digest_ = FetchDigest(type);
  if (out.digest_ == nullptr) return Fail("OpenSSL does not offer the digest " + type);
  out.context_.reset(EVP_MD_CTX_new());
  CHECK(out.context_ != nullptr);
  out.size_ = std::min(static_cast<size_t>(EVP_MD_get_size(out.digest_.get())), kMaxMacDigest);
  return out;
}

MacDigest MacAlgorithm::Compute(Bytes secret, Bytes covered) {
  if (des_ != nullptr) return ComputeDes(secret, covered);
  return cmac_ != nullptr ? ComputeCmac(secret, covered) : ComputeDigest(secret, covered);
}

// With an algorithm and a context in hand OpenSSL can only fail by a fault of its own or ours.
MacDigest MacAlgorithm::ComputeDigest(Bytes secret, Bytes covered) {
  std::array<uint8_t, EVP_MAX_MD_SIZE> octets{};
  unsigned int written = 0;
  CHECK(EVP_DigestInit_ex2(context_.get(), digest_.get(), nullptr) == 1);
  CHECK(EVP_DigestUpdate(context_.get(), secret.data(), secret.size()) == 1);
  CHECK(EVP_DigestUpdate(context_.get(), covered.data(), covered.size()) == 1);
  CHECK(EVP_DigestFinal_ex(context_.get(), octets.data(), &written) == 1 && written >= size_);
  MacDigest out;
  CHECK(out.Assign(Bytes(octets).first(size_)));
  return out;
}

MacDigest MacAlgorithm::ComputeCmac(Bytes secret, Bytes covered) {
  UseCmacKey(secret.first(std::min(secret.size(), kAes128Octets)));
  MacDigest out;
  CHECK(out.Resize(size_));
  size_t written = 0;
  CHECK(EVP_MAC_update(cmac_.get(), covered.data(), covered.size()) == 1);
  CHECK(EVP_MAC_final(cmac_.get(), out.span().data(), &written, out.size()) == 1 &&
        written == size_);
  return out;
}

MacDigest MacAlgorithm::ComputeDes(Bytes secret, Bytes covered) {
  std::array<uint8_t, 3 * kDesKeySize> key{};
  const Bytes used = secret.first(std::min(secret.size(), kDesKeySize));
  for (size_t i = 0; i < 3; ++i)
    std::copy(used.begin(), used.end(), MutableBytes(key).subspan(i * kDesKeySize).begin());
  std::array<uint8_t, kDesBlock> last{};
  CHECK(EVP_EncryptInit_ex2(des_context_.get(), des_.get(), key.data(), last.data(), nullptr) ==
            1 &&
        EVP_CIPHER_CTX_set_padding(des_context_.get(), 0) == 1);
  Wipe(key);
  while (!covered.empty()) {
    const Bytes next = covered.first(std::min(covered.size(), kDesBlock));
    std::array<uint8_t, kDesBlock> block{};
    std::copy(next.begin(), next.end(), block.begin());
    int written = 0;
    CHECK(EVP_EncryptUpdate(des_context_.get(), last.data(), &written, block.data(), kDesBlock) ==
              1 &&
          written == kDesBlock);
    covered = covered.subspan(next.size());
  }
  MacDigest out;
  CHECK(out.Assign(last));
  return out;
}

// Ready for a new message under `secret`. The key schedule costs more than the rest, and a packet
// and its reply have the same key.
void MacAlgorithm::UseCmacKey(Bytes secret) {
  std::array<uint8_t, kAes128Octets> key{};
  std::copy(secret.begin(), secret.end(), key.begin());
  if (EqualConstantTime(key, cmac_key_)) {
    CHECK(EVP_MAC_init(cmac_.get(), nullptr, 0, nullptr) == 1);
  } else {
    CHECK(EVP_MAC_init(cmac_.get(), key.data(), key.size(), nullptr) == 1);
    cmac_key_.assign(key.begin(), key.end());
  }
  Wipe(key);
}

}  // namespace ntpward::keys
