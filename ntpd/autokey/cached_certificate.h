// A certificate that is kept, with what is known about it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "ntpd/autokey/certificate.h"

namespace ntpward::autokey {

// As ntpd 4.2.8 shows them in `cert="SUBJECT ISSUER 0xFLAGS"`.
enum CertificateFlag : uint8_t {
  kCertificateTrusted = 0x01,
  kCertificateSigned = 0x02,  // its issuer's key verified it, in a trail
  kCertificateValid = 0x04,   // it came by the protocol
  kCertificatePrivate = 0x08,
  kCertificateError = 0x80,  // its issuer's key did not verify it
};

// By whose dance a certificate came, the most trustworthy first.
enum class CertificateSource : uint8_t {
  kProved,    // on a line of the operator's, and its identity was proved; or it is our own
  kByTrail,   // on such a line, and accepted by its trail alone
  kStranger,  // of a peer or broadcast server that a packet made
};

struct CachedCertificate {
  uint64_t id = 0;  // no other of the same cache ever has it
  Certificate certificate;
  uint8_t flags = 0;
  // The associations that it came by; our own has the identifier 0. Never empty.
  std::map<AssocId, CertificateSource> holders;

  // Of the best of them.
  CertificateSource source() const;
  // What clients may be given: no private and no failed one.
  bool served() const { return (flags & (kCertificatePrivate | kCertificateError)) == 0; }
  // Clients refuse what begins after the time that its answer is stamped with: whoever issued it
  // may have a clock that is ahead of ours, by little or much. Our own is ours to show. Null:
  // nobody knows the time yet.
  bool BegunAt(std::optional<CalendarSeconds> now) const {
    return !now || (flags & kCertificateValid) == 0 || certificate.not_before <= *now;
  }
  // The end of every trail.
  bool root() const { return certificate.self_signed() && certificate.trusted; }
};

}  // namespace ntpward::autokey
