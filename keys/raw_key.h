// The numbers of a private key just as its file holds them, for keys that are kept in the form of
// RSA or DSA but are neither: the reference puts the numbers of GQ and MV there.
//
// OpenSSL's own objects would complete or refuse such a key. The file may come from another host.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "keys/key_text.h"
#include "keys/openssl.h"

namespace ntpward::keys {

struct RawKey {
  // RSA: n, e, d, p, q. DSA: p, q, g, private, public.
  std::vector<BigPtr> numbers;
  // DSA in PKCS#8 has no place for the public number: there are four.
  bool public_lost = false;
  bool weak_encryption = false;  // single DES: what ntp-keygen 4.2.6 wrote
};

enum class RawForm : uint8_t { kRsa, kDsa };

// Reads one block of PKCS#8 or traditional PEM, with or without a password; each number has at most
// 512 octets and the DER nothing to spare. Errors as ReadPrivateKey's.
Result<RawKey> ReadRawKey(const PemBlock& block, RawForm form, Bytes password);

// The traditional PEM of SEQUENCE { 0, numbers... }, the only form in which DSA keeps its public
// number: p, q, g, public, private; or n, e, d, p, q and the three of RSA's remainders.
// Not encrypted.
std::string WriteRawKey(RawForm form, std::span<const BIGNUM* const> numbers);

// The same under a password. The traditional form derives its key by one round of MD5, so that a
// weak password is found faster than with PKCS#8.
Result<std::string> SealRawKey(RawForm form, std::span<const BIGNUM* const> numbers, Bytes password,
                               const std::string& cipher);

// RSA's numbers in PKCS#8 under a password, as WritePrivateKey does it.
Result<std::string> SealRsaNumbers(std::span<const BIGNUM* const> numbers, Bytes password,
                                   const std::string& cipher);

}  // namespace ntpward::keys
