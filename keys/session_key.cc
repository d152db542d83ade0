#include "keys/session_key.h"

#include <array>

#include "privsep/base/secret.h"

namespace ntpward::keys {

SessionKey::~SessionKey() { Wipe(octets_.span()); }

Result<SessionKeyHasher> SessionKeyHasher::Create(const std::string& digest_name) {
  // ntpd-net has no legacy provider, and hashes by the same name.
  EVP_MD* digest = EVP_MD_fetch(nullptr, digest_name.c_str(), "provider!=legacy");
  if (digest == nullptr) return Fail("digest " + digest_name + ": not offered by OpenSSL");
  SessionKeyHasher hasher(digest, EVP_MD_CTX_new(), static_cast<size_t>(EVP_MD_get_size(digest)));
  CHECK(hasher.context_ != nullptr);
  if (hasher.size_ < kMinSessionDigest || hasher.size_ > kMaxSessionDigest)
    return Fail("digest " + digest_name +
                ": its size does not fit Autokey's MAC of 16 to 20 octets");
  return hasher;
}

SessionKey SessionKeyHasher::Derive(const AddressPair& path, KeyId key, uint32_t private_value) {
  std::array<uint8_t, 8> numbers{};
  Writer writer(numbers);
  writer.U32(key.value);
  writer.U32(private_value);
  Begin();
  Add(path.source.bytes());
  Add(path.destination.bytes());
  Add(numbers);
  Wipe(numbers);
  SessionDigest digest = End();
  SessionKey session_key(digest);
  Wipe(digest.span());
  return session_key;
}

SessionDigest SessionKeyHasher::Mac(const SessionKey& key, Bytes covered) {
  Begin();
  Add(key.bytes());
  Add(covered);
  return End();
}

// With a digest and a context in hand OpenSSL can only fail by a fault of its own or ours.
void SessionKeyHasher::Begin() {
  CHECK(EVP_DigestInit_ex2(context_.get(), digest_.get(), nullptr) == 1);
}

void SessionKeyHasher::Add(Bytes bytes) {
  CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

SessionDigest SessionKeyHasher::End() {
  SessionDigest out;
  CHECK(out.Resize(size_));
  unsigned int written = 0;
  CHECK(EVP_DigestFinal_ex(context_.get(), out.span().data(), &written) == 1 && written == size_);
  return out;
}

}  // namespace ntpward::keys
