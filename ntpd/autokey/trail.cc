#include "ntpd/autokey/trail.h"

#include <algorithm>
#include <utility>

namespace ntpward::autokey {

void Trail::Start(std::string server) {
  wanted_ = std::move(server);
  steps_.clear();
  complete_ = false;
}

Outcome Trail::Add(Certificate certificate, std::string_view own_subject) {
  // Asked for by name: anything else answers another question, or an older one.
  if (complete_ || certificate.subject != wanted_) return Outcome::kCertificate;
  if (!certificate.self_signed()) {
    const bool seen = std::any_of(steps_.begin(), steps_.end(), [&](const Certificate& step) {
      return step.subject == certificate.issuer;
    });
    if (certificate.issuer == own_subject || seen || steps_.size() + 1 >= kMaxLength)
      return Outcome::kCertificate;
  }
  if (!steps_.empty()) {
    const Certificate& before = steps_.back();
    if (!VerifyCertificate(before, certificate.key)) return Outcome::kCertificateSignature;
    const Outcome period = certificate.PeriodAt(before.not_before);
    if (period != Outcome::kOk) return period;
  }
  // Self-signed but not trusted proves nothing: its owner has yet to be signed by somebody.
  if (certificate.self_signed() && !certificate.trusted) return Outcome::kOk;
  complete_ = certificate.self_signed();
  wanted_ = certificate.issuer;
  steps_.push_back(std::move(certificate));
  return Outcome::kOk;
}

CalendarSeconds Trail::expiry() const {
  CHECK(!steps_.empty());
  return std::min_element(steps_.begin(), steps_.end(),
                          [](const auto& a, const auto& b) { return a.not_after < b.not_after; })
      ->not_after;
}

}  // namespace ntpward::autokey
