// Autokey's session keys and the digests made with them (RFC 5906 section 10, as ntpd 4.2.8 does).
//
// Used on both sides: with the private value 0, which is no secret, by the process that reads the
// network; with cookies and server seeds by the process that holds them. This pair of files depends
// on nothing else in this folder.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "privsep/base/address.h"
#include "privsep/base/bytes.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::keys {

// MD5 makes 16 octets, SHA-1 and RIPEMD160 20; longer digests do not fit the protocol's MAC.
inline constexpr size_t kMinSessionDigest = 16;
inline constexpr size_t kMaxSessionDigest = 20;

using SessionDigest = InlineBytes<kMaxSessionDigest>;

// What one packet is sealed with. Wiped when it goes: it proves knowledge of the private value.
class SessionKey {
 public:
  explicit SessionKey(const SessionDigest& octets) : octets_(octets) {}
  SessionKey(const SessionKey&) = default;
  SessionKey& operator=(const SessionKey&) = default;
  ~SessionKey();

  Bytes bytes() const { return octets_.span(); }
  // The first four octets: the next identifier of a key list, and with key 0 the server's cookie.
  KeyId next() const { return KeyId{Reader(octets_.span()).U32()}; }

 private:
  SessionDigest octets_;
};

// Holds a digest that was fetched before the sandbox closed, and a context to run it in. One
// thread.
class SessionKeyHasher {
 public:
  // `digest_name` is one that OpenSSL knows ("MD5", "SHA1", "RIPEMD160"); fails, naming it, when
  // there is no such digest or its size is not 16 to 20 octets. `crypto digest` sets it, MD5 if
  // not.
  static Result<SessionKeyHasher> Create(const std::string& digest_name = "MD5");

  // H(source, destination, key, private value): the key for a packet from `path.source`. Both
  // addresses are of one family. `private_value` is 0 for packets with extension fields.
  SessionKey Derive(const AddressPair& path, KeyId key, uint32_t private_value);

  // H(key, covered): the MAC's digest of a packet from its header to its last extension field.
  SessionDigest Mac(const SessionKey& key, Bytes covered);

  // Octets of every key and digest made here, 16..20.
  size_t digest_size() const { return size_; }

 private:
  struct FreeDigest {
    void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
  };
  struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  SessionKeyHasher(EVP_MD* digest, EVP_MD_CTX* context, size_t size)
      : digest_(digest), context_(context), size_(size) {}

  void Begin();
  void Add(Bytes bytes);
  SessionDigest End();

  std::unique_ptr<EVP_MD, FreeDigest> digest_;
  std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
  size_t size_;
};

}  // namespace ntpward::keys
