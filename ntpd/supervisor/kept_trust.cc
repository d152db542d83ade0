#include "ntpd/supervisor/kept_trust.h"

namespace ntpward::supervisor {

void KeptTrust::Take(const msg::RuntimeTrust& change) {
  for (const msg::TrustedNow& key : change.keys) trusted_[key.key] = key.trusted;
}

std::vector<msg::RuntimeTrust> KeptTrust::Messages() const {
  std::vector<msg::RuntimeTrust> messages;
  for (const auto& [key, trusted] : trusted_) {
    if (messages.empty() || messages.back().keys.full()) messages.emplace_back();
    CHECK(messages.back().keys.Push({key, trusted}));
  }
  return messages;
}

}  // namespace ntpward::supervisor
