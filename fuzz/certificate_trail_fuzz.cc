// links: autokey
//
// Certificates one after the other, each behind its length, as answers to what the trail asks for.
// However they are made: a trail ends, comes back to no name, and verifies each step by the next.
#include <algorithm>

#include "ntpd/autokey/certificate_cache.h"
#include "ntpd/autokey/trail.h"

using namespace ntpward;
using namespace ntpward::autokey;

namespace {

constexpr std::string_view kOwn = "client";

void CheckInstalled(const Trail& trail) {
  constexpr AssocId kHolder{1};
  for (const auto source :
       {CertificateSource::kProved, CertificateSource::kByTrail, CertificateSource::kStranger}) {
    CertificateCache cache;
    trail.InstallInto(cache, source, kHolder);
    CHECK(cache.entries().size() <= Trail::kMaxLength);
    cache.Drop(kHolder);
    CHECK(cache.entries().empty());
  }
  CHECK(trail.last()->self_signed() && trail.last()->trusted);
  CHECK(trail.expiry() <= trail.server()->not_after);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader reader(Bytes(data, size));
  Trail trail;
  std::vector<std::string> subjects;
  while (reader.remaining() >= 2) {
    const Bytes der = reader.Take(std::min<size_t>(reader.U16(), reader.remaining()));
    auto certificate = ParseCertificate(der, NtpSeconds{});
    if (!certificate.ok()) continue;
    if (subjects.empty()) trail.Start(certificate->subject);
    const std::string subject = certificate->subject, issuer = certificate->issuer;
    if (trail.Add(*certificate, kOwn) != Outcome::kOk) continue;
    CHECK(!trail.complete() || subject == issuer);
    CHECK(subject == issuer || issuer != kOwn);
    // Without trust it is the first alone, and is asked for again.
    if (trail.server() == nullptr) continue;
    CHECK(std::find(subjects.begin(), subjects.end(), subject) == subjects.end());
    subjects.push_back(subject);
    CHECK(subjects.size() <= Trail::kMaxLength);
    if (trail.complete()) return CheckInstalled(trail), 0;
    CHECK(trail.wanted() == issuer);
  }
  return 0;
}
