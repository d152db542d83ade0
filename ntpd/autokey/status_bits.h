// The bits of Autokey's status words: the host's, which ASSOC carries, and an association's.
//
// RFC 5906 section 10 (status word), with the bits 0x100 to 0x4000 that ntpd 4.2.6 and 4.2.8 keep
// beside them for each association. The upper 16 bits are OpenSSL's number of the signature scheme.
#pragma once

#include <cstdint>

namespace ntpward::autokey {

enum StatusBit : uint32_t {
  kEnabled = 0x0001,
  kTai = 0x0002,      // leap values available; ours: a verified table
  kPrivate = 0x0010,  // scheme PC
  kIff = 0x0020,
  kGq = 0x0040,
  kMv = 0x0080,
  kTrusted = 0x0100,   // CERT: the trail ended at a trusted certificate
  kVerified = 0x0200,  // VRFY: the identity was proved, or the operator does without
  kProven = 0x0400,    // PROV: a signature was verified after that
  kCookie = 0x0800,    // COOK: a cookie was received, opened and kept
  kAutokey = 0x1000,   // AUTO: autokey values; lit at ASSOC for a unicast server
  kSigned = 0x2000,    // SIGN: the server signed our certificate
  kLeap = 0x4000,      // LEAP: a leap table came under the server's signature
};

// What a host may say of itself. All else of a received word is dropped, so that nobody can light
// the bits of our own progress.
inline constexpr uint32_t kHostBits = kEnabled | kTai | kPrivate | kIff | kGq | kMv;
inline constexpr uint32_t kSchemeMask = 0xffff0000;

// OpenSSL's number of the signature scheme in a status word.
constexpr int SchemeOf(uint32_t word) { return static_cast<int>(word >> 16); }

}  // namespace ntpward::autokey
