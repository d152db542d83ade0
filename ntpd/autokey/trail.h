// The certificate trail from a server to a trusted root, followed one certificate at a time.
//
// RFC 5906 section 11 and ntpd 4.2.8. Each certificate must be the one that was asked for, and must
// verify the one before it. The trail is kept apart from the cache until the identity was accepted.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ntpd/autokey/certificate.h"

namespace ntpward::autokey {

class Trail {
 public:
  // Longer trails, and those that come back to a name, are refused.
  static constexpr size_t kMaxLength = 8;

  // Forgets everything; the first certificate must be that of `server`.
  void Start(std::string server);

  // The next certificate of the trail. `own_subject`: a certificate that we issued ourselves is a
  // loop. On failure nothing changes: kCertificate (another name than asked for, a loop, too long),
  // kCertificateSignature (it did not sign the one before it), kPeriod or kNotYetValid (the one
  // before was not made within its validity).
  Outcome Add(Certificate certificate, std::string_view own_subject);

  // The subject to ask for.
  const std::string& wanted() const { return wanted_; }
  // A trusted self-signed certificate was reached.
  bool complete() const { return complete_; }
  // The server's own certificate, whose key signs its messages; null before it came.
  const Certificate* server() const { return steps_.empty() ? nullptr : &steps_.front(); }
  // The last certificate received; null before the first.
  const Certificate* last() const { return steps_.empty() ? nullptr : &steps_.back(); }

  // The server's certificate first.
  const std::vector<Certificate>& steps() const { return steps_; }
  // When the first of its certificates expires; there must be one.
  CalendarSeconds expiry() const;

 private:
  std::string wanted_;
  std::vector<Certificate> steps_;
  bool complete_ = false;
};

}  // namespace ntpward::autokey
