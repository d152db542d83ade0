#include "ntpd/autokey/outcome.h"

#include <array>
#include <cstdio>

namespace ntpward::autokey {
namespace {

constexpr std::array<std::string_view, kOutcomes> kTexts = {
    "success",
    "bad_field_format_or_length",
    "bad_timestamp",
    "bad_filestamp",
    "bad_or_missing_public_key",
    "unsupported_digest_type",
    "unsupported_identity_type",
    "bad_signature_length",
    "signature_not_verified",
    "certificate_not_verified",
    "host_certificate_expired",
    "bad_or_missing_cookie",
    "bad_or_missing_leapseconds",
    "bad_or_missing_certificate",
    "bad_or_missing_group key",
    "protocol_error",
    "host_certificate_not_yet_valid",
};
// Results are numbered from here in cryptostats.
constexpr unsigned kEventBase = 0x100;

unsigned Number(Outcome outcome) {
  return static_cast<unsigned>(outcome == Outcome::kNotYetValid ? Outcome::kPeriod : outcome);
}

}  // namespace

std::string_view OutcomeText(Outcome outcome) { return kTexts[static_cast<size_t>(outcome)]; }

uint32_t FirstWord(Bytes field) { return Reader(field).U32(); }

std::string OutcomeLine(uint32_t first_word, uint32_t association, Outcome outcome) {
  char line[48];
  std::snprintf(line, sizeof line, "%08x %u %x ", first_word, association,
                kEventBase + Number(outcome));
  return std::string(line).append(OutcomeText(outcome));
}

}  // namespace ntpward::autokey
