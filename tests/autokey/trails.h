// Certificates of names and keys, and the trails that they make.
#pragma once

#include <string>
#include <vector>

#include "ntpd/autokey/certificate_cache.h"
#include "ntpd/autokey/trail.h"
#include "tests/support/authority.h"

namespace ntpward::autokey::test {

struct Names {
  std::string subject, issuer;
};

// Keys 0.. belong to the names in order of their first use.
inline Certificate Make(const Names& names, int subject_key, int issuer_key, bool trusted = false,
                        CalendarSeconds not_before = CalendarSeconds{kTestNow} - 100,
                        uint32_t filestamp = kTestNow - 20000) {
  CertificateSpec spec;
  spec.subject = names.subject;
  spec.issuer = names.issuer;
  spec.not_before = not_before;
  if (trusted) spec.usages = kTrustRoot;
  return MakeParsed(spec, TestKey::Shared(subject_key)->pkey(), TestKey::Shared(issuer_key)->pkey(),
                    filestamp);
}

inline Trail Started(const std::string& server) {
  Trail trail;
  trail.Start(server);
  return trail;
}

inline std::vector<std::string> Texts(const CertificateCache& cache) {
  std::vector<std::string> texts;
  for (const auto& line : cache.Lines()) texts.push_back(line.text);
  return texts;
}

}  // namespace ntpward::autokey::test
