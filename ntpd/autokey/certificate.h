// Certificates as Autokey uses them: X.509 from the network made into a small plain value.
//
// The octets come from anyone. What ParseCertificate returns has bounded names of printable ASCII,
// a key within bounds and dates in order, and a self-signed one was signed by its own key. Whether
// it is to be believed is for the trail to decide (RFC 5906 section 11, rules as ntpd 4.2.8 has
// them).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/autokey/calendar.h"
#include "ntpd/autokey/public_key.h"
#include "privsep/base/bytes.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"
#include "privsep/msg/keys.h"

namespace ntpward::autokey {

struct Certificate {
  std::string subject;  // the common name, 1..255 printable ASCII characters without blank or quote
  std::string issuer;   // the same
  InlineBytes<20> serial;  // magnitude, big-endian
  CalendarSeconds not_before = 0;
  CalendarSeconds not_after = 0;
  PublicKey key;
  int scheme = 0;            // OpenSSL's number of the signature scheme
  bool trusted = false;      // extendedKeyUsage is trustRoot and nothing else
  bool private_use = false;  // extendedKeyUsage is private and nothing else (scheme PC)
  InlineBytes<kMaxModulusOctets> group_value;  // GQ's v; empty without subjectKeyIdentifier
  NtpSeconds filestamp;                        // as the message said that carried it
  std::vector<uint8_t> der;                    // at most msg::kMaxCertificate octets

  bool self_signed() const { return subject == issuer; }
  // Two clocks may be apart by so much, in s. What begins later was made by one that was ahead.
  static constexpr CalendarSeconds kMostAhead = 86400;
  bool IsAhead(CalendarSeconds now) const { return not_before > now + kMostAhead; }
  // Whether `time` lies within the validity, ends included.
  bool ValidAt(CalendarSeconds time) const { return PeriodAt(time) == Outcome::kOk; }
  // The same: kOk, kNotYetValid or kPeriod.
  Outcome PeriodAt(CalendarSeconds time) const {
    if (time < not_before) return Outcome::kNotYetValid;
    return time <= not_after ? Outcome::kOk : Outcome::kPeriod;
  }
};

// Takes a certificate apart; `der` must be one certificate and nothing else. Fails with
// kCertificate for anything that breaks a rule: unparsable, oversized, not one common name, dates
// reversed or before `filestamp`, unknown scheme, self-signed but not by its own key; with
// kPublicKey for a key that is no RSA or DSA key within bounds.
Result<Certificate, Outcome> ParseCertificate(Bytes der, NtpSeconds filestamp);

// True only when `certificate` was signed by `issuer`.
bool VerifyCertificate(const Certificate& certificate, const PublicKey& issuer);

}  // namespace ntpward::autokey
