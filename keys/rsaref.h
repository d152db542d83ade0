// Keys as RSAREF 2.0 keeps them, one line of text each: what ntp-genkeys of ntpd 4.1 wrote and that
// daemon reads.
//
//     512 AAAA...   modulus length in bits, then base64 of numbers of a fixed number of octets,
//                   big-endian: the modulus (128) and the exponent (128) of a public key; modulus,
//                   public exponent, exponent (128 each), two primes, their two exponents and the
//                   coefficient (64 each) of a private key, the larger prime first
//
// Source: the documentation of ntpd 4.1 ("ntp-genkeys"), RSAREF 2.0.
#pragma once

#include <string>
#include <string_view>

#include "keys/openssl.h"

namespace ntpward::keys {

inline constexpr int kMaxRsarefBits = 1024;
// What KeyText calls such a line.
inline constexpr std::string_view kRsarefLabel = "RSAREF PRIVATE KEY";

// Whether a line, without its newline, has the form of a key, private or public.
bool IsRsarefLine(std::string_view line);

// One line with its newline. `key` is RSA of at most kMaxRsarefBits, private where that is written.
std::string RsarefPublicLine(const EVP_PKEY* key);
LockedBytes RsarefPrivateLine(const EVP_PKEY* key);

// Reads a private key's line; its numbers may contradict each other. Fails for a public key.
Result<PkeyPtr> ReadRsarefLine(Bytes line);

// "LENGTH BASE64\n" for a number of `octets` octets.
std::string RsarefNumberLine(const BIGNUM* number, size_t octets);

}  // namespace ntpward::keys
