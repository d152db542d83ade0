// What ntpd-keys says to questions of more than one kind: a verdict, or a value with its signature.
#pragma once

#include "privsep/msg/codec.h"

namespace ntpward::msg {

inline constexpr size_t kMaxModulus = 512;       // octets: 4096 bits
inline constexpr size_t kMaxSubject = 255;       // a certificate's common name
inline constexpr size_t kMaxCertificate = 1900;  // DER
inline constexpr size_t kMaxField = 2048;        // an extension field in all (as ntpd 4.2.x)

// Identity schemes by their bit in the host status word (RFC 5906; autokey flags bits 4..7).
enum class IdentityScheme : uint8_t { kNone = 0, kPc = 1, kIff = 2, kGq = 3, kMv = 4, kLast = kMv };

enum class VerdictCode : uint8_t {
  kGood = 0,
  kBad,         // MAC, proof or ciphertext wrong
  kUnknownKey,  // no such key, no cookie yet, no parameters for the group
  kNotAllowed,  // the key is not trusted, bound to another role, or its address list says no
  kFilestamp,   // identity: the server's group key is of another generation than our file
  kBusy,        // over the rate of private-key operations: ask again later
  kSequence,    // the MAC is good, but the key does not come next in the list that was accepted
  kLast = kSequence,
};

// keys -> net: answers CheckMac, IdentityVerify, CookieOpen and KeyListAccept.
struct Verdict {
  static constexpr Type kType = Type::kVerdict;
  uint32_t request = 0;
  VerdictCode code = VerdictCode::kBad;

  static auto Fields(auto& m) { return std::tie(m.request, m.code); }
};

// keys -> net: answers CookieIssue, IdentityProve, CertificateIssue, IdentityChallenge and
// KeyListMake with the value part of an extension field, signed unless `now` was 0.
struct ValueAnswer {
  static constexpr Type kType = Type::kValueAnswer;
  uint32_t request = 0;
  VerdictCode code = VerdictCode::kBad;
  NtpSeconds timestamp;
  NtpSeconds filestamp;
  InlineBytes<kMaxCertificate> value;
  InlineBytes<kMaxModulus> signature;

  bool Valid() const { return (code == VerdictCode::kGood) == !value.empty(); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.code, m.timestamp, m.filestamp, m.value, m.signature);
  }
};

}  // namespace ntpward::msg
