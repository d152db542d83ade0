#include "ntpd/supervisor/kept_trust.h"

#include <algorithm>

namespace ntpward::supervisor {
namespace {

using config::KeyRange;

// `ranges` without one key.
std::vector<KeyRange> Without(KeyId key, std::span<const KeyRange> ranges) {
  std::vector<KeyRange> rest;
  for (const KeyRange& range : ranges) {
    const bool inside = range.first.value <= key.value && key.value <= range.last.value;
    if (!inside) {
      rest.push_back(range);
      continue;
    }
    if (range.first.value < key.value)
      rest.push_back({range.where, range.first, KeyId{key.value - 1}});
    if (key.value < range.last.value)
      rest.push_back({range.where, KeyId{key.value + 1}, range.last});
  }
  return rest;
}

bool Holds(std::span<const KeyRange> ranges, KeyId key) {
  return std::any_of(ranges.begin(), ranges.end(), [key](const KeyRange& range) {
    return range.first.value <= key.value && key.value <= range.last.value;
  });
}

}  // namespace

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

std::vector<KeyRange> KeptTrust::Over(std::span<const KeyRange> ranges) const {
  std::vector<KeyRange> now(ranges.begin(), ranges.end());
  for (const auto& [key, trusted] : trusted_) {
    if (Holds(now, key) == trusted) continue;
    if (trusted)
      now.push_back({{}, key, key});
    else
      now = Without(key, now);
  }
  return now;
}

}  // namespace ntpward::supervisor
