// What came of an Autokey message: the reference's sixteen results, with its numbers and its words,
// and one that it has no word for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "privsep/base/bytes.h"

namespace ntpward::autokey {

// The numbers and texts of ntpd 4.2.6 and 4.2.8, which scripts read in cryptostats.
enum class Outcome : uint8_t {
  kOk = 0,
  kLength = 1,
  kTimestamp = 2,
  kFilestamp = 3,
  kPublicKey = 4,
  kDigestType = 5,
  kIdentityType = 6,
  kSignatureLength = 7,
  kSignature = 8,
  kCertificateSignature = 9,
  kPeriod = 10,
  kCookie = 11,
  kLeapValues = 12,
  kCertificate = 13,
  kIdentity = 14,
  kProtocol = 15,
  // Of ours alone: the reference calls it kPeriod, too, "host_certificate_expired". Has its number.
  kNotYetValid = 16,
};
inline constexpr size_t kOutcomes = 17;

// "success", "bad_timestamp"; never empty.
std::string_view OutcomeText(Outcome outcome);

// The line of cryptostats for a message that failed: "82070084 5265 10e bad_or_missing_group key".
// `first_word` is the first word of the extension field, `association` the identifier in it.
std::string OutcomeLine(uint32_t first_word, uint32_t association, Outcome outcome);
// That word of any field; 0 of one that is shorter.
uint32_t FirstWord(Bytes field);

}  // namespace ntpward::autokey
