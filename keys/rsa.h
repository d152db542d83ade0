// Signatures over values, by RSA or DSA, cookies under RSA's OAEP (RFC 5906 section 9), and others'
// public keys.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "keys/openssl.h"
#include "privsep/base/types.h"
#include "privsep/msg/keys.h"

namespace ntpward::keys {

// Signs with one key and one digest, both ready before the sandbox closed.
class Signer {
 public:
  // `key` must outlive the signer. `digest_name` is OpenSSL's; fails for one it does not offer, or
  // that is too long for the key.
  static Result<Signer> Create(EVP_PKEY* key, const std::string& digest_name);

  // Over timestamp || filestamp || length || value. RSASSA-PKCS1-v1_5 is as long as the modulus;
  // DSA has the length that it has, which differs by an octet or two from one signature to the
  // next.
  std::vector<uint8_t> Sign(NtpSeconds timestamp, NtpSeconds filestamp, Bytes value) const;

  const EVP_MD* digest() const { return digest_.get(); }

 private:
  Signer(EVP_PKEY* key, DigestPtr digest) : key_(key), digest_(std::move(digest)) {}
  std::vector<uint8_t> SignBytes(Bytes bytes) const;

  EVP_PKEY* key_;
  DigestPtr digest_;
};

// A public key out of numbers that a client sent. None for numbers that cannot be a key of ours:
// even, or outside 256..4096 bits, or an exponent below 3.
PkeyPtr RsaPublicKey(Bytes modulus, uint32_t exponent);

// The same of DSA; `numbers` is valid and not none. Whether they belong together is not looked at:
// nothing is computed with such a key here.
PkeyPtr DsaPublicKey(const msg::DsaNumbers& numbers);

// What one operation with this private key takes, in those with RSA of 2048 bits; at least 1.
double PrivateCost(const EVP_PKEY* key);

// RSAES-OAEP with SHA-1 and an empty label; the result is as long as the modulus. Empty when the
// key has too few bits for it.
std::vector<uint8_t> OaepEncrypt(EVP_PKEY* key, Bytes plain);
// None but for a ciphertext of exactly the modulus' length that decrypts to `plain_octets`.
std::optional<LockedBytes> OaepDecrypt(EVP_PKEY* key, Bytes ciphertext, size_t plain_octets);

}  // namespace ntpward::keys
