// Other hosts' public keys, and the one question asked of them: did this key sign these octets?
//
// Keys and signatures come from anyone on the network. Only sizes that cannot cost more than a few
// milliseconds are taken. 512-bit RSA with MD5 is accepted, because the reference's own files are
// of that kind; the documentation says what it is worth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ntpd/autokey/outcome.h"
#include "privsep/base/bytes.h"
#include "privsep/msg/keys.h"
#include "privsep/openssl/owners.h"

namespace ntpward::autokey {

inline constexpr size_t kMinModulusOctets = 32;   // 256 bits, the least that ntp-keygen makes
inline constexpr size_t kMaxModulusOctets = 512;  // 4096 bits
// The least that OAEP with SHA-1 can put a cookie under.
inline constexpr size_t kMinCookieModulusOctets = 46;

enum class KeyKind : uint8_t { kRsa, kDsa };

// A public key that passed the bounds above. Of DSA only `info` has the numbers: DsaNumbersOf.
struct PublicKey {
  KeyKind kind = KeyKind::kRsa;
  InlineBytes<kMaxModulusOctets> modulus;  // RSA: big-endian, odd, no leading zero octet
  uint32_t exponent = 0;                   // RSA: odd, at least 3
  size_t signature_size = 0;               // octets of a signature; DSA: the most it can have
  std::vector<uint8_t> info;               // DSA: SubjectPublicKeyInfo, DER; RSA: empty

  friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

// An RSA key as COOK requests carry it: PKCS#1 RSAPublicKey, DER, nothing behind it. None when it
// is anything else, or outside the bounds above.
std::optional<PublicKey> ParseRsaPublicKey(Bytes der);
// A SubjectPublicKeyInfo, DER. None for other kinds than RSA and DSA, and outside the bounds.
std::optional<PublicKey> ParsePublicKeyInfo(Bytes der);

// The same of a key that OpenSSL has read.
std::optional<PublicKey> PublicKeyOf(const EVP_PKEY* pkey);
// The reverse; none when OpenSSL does not take it.
PkeyPtr PkeyOf(const PublicKey& key);

// The numbers of a DSA key, for the key process to make a certificate of. None for an RSA key, and
// for one that no certificate is issued for: p below 512 bits, q outside 160..256 bits.
std::optional<msg::DsaNumbers> DsaNumbersOf(const PublicKey& key);

// Whether OpenSSL's number names a signature scheme of RSA or DSA that can be verified here.
bool IsKnownScheme(int nid);
// "md5WithRSAEncryption"; "unknown" for a scheme that IsKnownScheme refuses.
std::string_view SchemeName(int nid);

// kOk only when OpenSSL reports exact success: an error is not success (CVE-2009-0021). Otherwise
// kDigestType (scheme unknown or not of this kind of key), kSignatureLength, or kSignature.
Outcome VerifySignature(int nid, const PublicKey& key, Bytes data, Bytes signature);

}  // namespace ntpward::autokey
