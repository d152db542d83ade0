#include "ntpd/autokey/cached_certificate.h"

#include <algorithm>

namespace ntpward::autokey {

CertificateSource CachedCertificate::source() const {
  CHECK(!holders.empty());
  const auto best = std::min_element(holders.begin(), holders.end(),
                                     [](auto& a, auto& b) { return a.second < b.second; });
  return best->second;
}

}  // namespace ntpward::autokey
