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

// By the dances of two servers in turn.
class Caches {
 public:
  void Accept(const Trail& trail, CertificateSource source) {
    CHECK(trail.last()->self_signed() && trail.last()->trusted);
    CHECK(trail.expiry() <= trail.server()->not_after);
    const AssocId holder = accepted_++ % 2 == 0 ? kFirst : kSecond;
    cache_.Accept(trail, source, holder);
    CHECK(cache_.entries().size() <= 2 * Trail::kMaxLength);
    for (const Certificate& step : trail.steps())
      CHECK(step.private_use || cache_.FindForClient(step.subject) != nullptr);
  }
  ~Caches() {
    cache_.Drop(kFirst);
    cache_.Drop(kSecond);
    CHECK(cache_.entries().empty());
  }

 private:
  static constexpr AssocId kFirst{1}, kSecond{2};
  CertificateCache cache_;
  int accepted_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader reader(Bytes(data, size));
  constexpr CertificateSource kSources[] = {CertificateSource::kProved, CertificateSource::kByTrail,
                                            CertificateSource::kStranger};
  Caches caches;
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
    CHECK(trail.wanted() == issuer);
    if (!trail.complete()) continue;
    caches.Accept(trail, kSources[reader.remaining() % std::size(kSources)]);
    subjects.clear();
  }
  return 0;
}
