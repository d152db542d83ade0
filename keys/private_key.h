// Private keys in PEM: PKCS#8 and the traditional forms, with or without a password.
#pragma once

#include "keys/key_text.h"
#include "keys/openssl.h"

namespace ntpward::keys {

// Encrypted with single DES.
bool IsSingleDes(const PemBlock& block);
// Fails when the file itself asks for more work than a password is worth: it may be another host's,
// and to try it would never end.
Status CheckDecryptionCost(const PemBlock& block);
// Why a block could not be opened; `reason` is OpenSSL's.
std::string WhyUnreadable(const PemBlock& block, Bytes password, const std::string& reason);
// OpenSSL's callback for a password; `user` points to the Bytes.
int GivePassword(char* buffer, int size, int writing, void* user);

struct PrivateKey {
  PkeyPtr key;
  bool encrypted = false;
  bool weak_encryption = false;  // single DES: what ntp-keygen 4.2.6 wrote
};

// Reads one block. `password` may be empty. An error names the likely cause: wrong password,
// missing legacy provider, damage.
Result<PrivateKey> ReadPrivateKey(const PemBlock& block, Bytes password);

// PKCS#8, encrypted with `password` by PBES2: PBKDF2 with HMAC-SHA256, `cipher` an OpenSSL name
// ("aes-256-cbc"). ntpd 4.2.8 reads it. The text is no secret beyond its encryption.
Result<std::string> WritePrivateKey(const EVP_PKEY* key, Bytes password, const std::string& cipher);

// The same for a key that is PKCS#8 already.
Result<std::string> SealPkcs8(PKCS8_PRIV_KEY_INFO* key, Bytes password, const std::string& cipher);

// Autokey's cookies need room for OAEP around 4 octets; more than 4096 bits fit no extension field.
inline constexpr int kMinRsaBits = 368;
inline constexpr int kMaxRsaBits = 4096;

// A host key, which is RSA, or a sign key, which may also be DSA.
struct KeyPair {
  PkeyPtr key;
  NtpSeconds filestamp;
  std::string name;  // as its first line says
  bool weak_encryption = false;

  // Of a signature; of a DSA signature the largest.
  size_t octets() const { return static_cast<size_t>(EVP_PKEY_get_size(key.get())); }
  bool is_dsa() const { return EVP_PKEY_is_a(key.get(), "DSA") == 1; }
  // PKCS#1 RSAPublicKey, DER: what a COOK request carries.
  std::vector<uint8_t> PublicDer() const;
};

// Beyond these nobody verifies a DSA signature.
inline constexpr int kMinDsaBits = 512;
inline constexpr int kMaxDsaBits = 3072;

// Reads ntpkey_host_H and checks that the key is consistent in itself.
Result<KeyPair> ReadRsaKey(Bytes file, Bytes password);
// The same for ntpkey_sign_H: RSA or DSA.
Result<KeyPair> ReadSignKey(Bytes file, Bytes password);

}  // namespace ntpward::keys
