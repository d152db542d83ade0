#include "ntpd/supervisor/kept_trust.h"

namespace ntpward::supervisor {

bool KeptTrust::Take(const msg::RuntimeTrust& change) {
  bool changed = false;
  for (const msg::TrustedNow& key : change.keys) {
    const auto [entry, added] = trusted_.try_emplace(key.key, key.trusted);
    changed |= added || entry->second != key.trusted;
    entry->second = key.trusted;
  }
  return changed;
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
