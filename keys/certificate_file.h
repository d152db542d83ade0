// The host's own certificate, ntpkey_cert_H: self-signed X.509 v3 (RFC 5906 section 8, appendix H).
#pragma once

#include <string>
#include <vector>

#include "keys/key_text.h"
#include "keys/openssl.h"

namespace ntpward::keys {

// A signature scheme of the protocol: an RSA signature with some digest, or DSA with SHA-1, SHA-224
// or SHA-256.
struct SignatureScheme {
  int nid = 0;              // md5WithRSAEncryption 8, sha256WithRSAEncryption 668, ...
  std::string name;         // OpenSSL's short name, "RSA-MD5", "RSA-SHA256"; "DSA-SHA256"
  std::string digest_name;  // "MD5", "SHA256"

  bool dsa = false;  // of DSA keys; else of RSA keys

  // By OpenSSL's names, as `ntp-keygen -c` takes them, or DSA-SHA1 and its like. Fails, naming it,
  // for anything else.
  static Result<SignatureScheme> FromName(const std::string& name);
  static Result<SignatureScheme> FromNid(int nid);
};

// What ntp-keygen gives a certificate, in days, and the longest.
inline constexpr int kUsualLifetimeDays = 365;
inline constexpr int kMostLifetimeDays = 36500;

struct OwnCertificate {
  NtpSeconds filestamp;
  std::string name;
  std::string subject;  // common name, printable ASCII
  SignatureScheme scheme;
  bool trusted = false;      // extended key usage trustRoot
  bool private_use = false;  // extended key usage of the PC scheme
  int64_t not_before = 0;    // Unix seconds
  int64_t not_after = 0;
  std::vector<uint8_t> der;
  PkeyPtr public_key;

  // From its beginning to its end, in days, of those that ntp-keygen takes (-l).
  int lifetime_days() const;
  bool ExpiredAt(int64_t unix_seconds) const { return unix_seconds > not_after; }
  bool NotYetValidAt(int64_t unix_seconds) const { return unix_seconds < not_before; }
};

// Checks what ntpd 4.2.8 checks at start: self-signed, filestamp not after notBefore, notBefore not
// after notAfter. Whether it is valid now is the caller's question.
Result<OwnCertificate> ReadCertificateFile(Bytes file);

// The certificate was made for this key.
bool BelongsTo(const OwnCertificate& certificate, const EVP_PKEY* key);

// For the operator: the command that makes a certificate of the same kind for the keys that are
// there. It mends what a loss of power left between the moves of two links, too.
std::string HowToCertify(const OwnCertificate& certificate);

// The object identifiers of the two usages that Autokey gives a meaning of its own.
inline constexpr const char* kTrustRootOid = "1.3.6.1.5.5.7.48.1.11";
inline constexpr const char* kPrivateOid = "1.3.6.1.4";

// Whether a message with a certificate of so many octets, and its sender's signature, fits into a
// packet.
bool FitsPacket(size_t certificate, size_t signature);

}  // namespace ntpward::keys
