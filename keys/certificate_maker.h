// Makes certificates: the host's own (ntp-keygen) and those issued to clients (SIGN).
//
// A certificate is made from the few values below alone, never from copied octets, so that whoever
// asks for one chooses nothing else that gets signed.
#pragma once

#include <string>
#include <vector>

#include "keys/certificate_file.h"
#include "keys/openssl.h"
#include "keys/unix_time.h"

namespace ntpward::keys {

// X.509 v3 as ntp-keygen 4.2.8 makes it: names of one CN, basicConstraints CA:TRUE, keyUsage
// digitalSignature and keyCertSign, GQ's value, then the usage that Autokey gives a meaning of its
// own.
struct CertificateContent {
  std::string subject;  // printable ASCII, 1..255 octets
  std::string issuer;
  uint32_t serial = 0;     // NTP seconds of generation
  int64_t not_before = 0;  // Unix seconds
  int lifetime_days = kUsualLifetimeDays;
  bool trusted = false;              // trustRoot
  bool private_use = false;          // the PC scheme
  std::vector<uint8_t> group_value;  // v of the GQ scheme, as subjectKeyIdentifier; empty: none
};

// Fails, naming the smallest modulus that would do, when an RSA key is too short for the scheme's
// digest and the padding around it (RFC 8017 section 9.2).
Status CheckKeySize(const SignatureScheme& scheme, const EVP_PKEY* signing_key);

// The DER. Fails when OpenSSL refuses the key or the digest.
Result<std::vector<uint8_t>> MakeCertificate(const CertificateContent& content,
                                             EVP_PKEY* subject_key, EVP_PKEY* signing_key,
                                             const SignatureScheme& scheme);

// A certificate's DER as a file has it.
std::string PemCertificate(Bytes der);

}  // namespace ntpward::keys
