// The names of the configuration, by index: all that ntpd-resolve will ever look up.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "privsep/base/token_bucket.h"
#include "privsep/msg/resolve.h"

namespace ntpward::resolve {

class NameTable {
 public:
  // False when an index is set twice.
  [[nodiscard]] bool Add(const msg::ResolveName& name);
  // None when the configuration has no such name.
  const msg::ResolveName* Find(uint16_t index) const;
  size_t size() const { return names_.size(); }

 private:
  std::vector<msg::ResolveName> names_;
};

// How often ntpd-net may have names looked up: as often as an honest one asks for all of them, a
// few times in its first minute and then once a minute, and as much again. Name servers must not
// pay for one that was taken over.
class LookUpRate {
 public:
  // `names`: how many the configuration has.
  explicit LookUpRate(size_t names)
      : bucket_(static_cast<double>(names) / kSeconds, static_cast<double>(names) * kAtOnce) {}

  // True when one more may be looked up at `now`; it is then counted.
  bool Take(MonoTime now) { return bucket_.Take(now); }

 private:
  static constexpr double kSeconds = 32;  // between look-ups of each name
  static constexpr double kAtOnce = 8;    // of each name

  TokenBucket bucket_;
};

// What getaddrinfo's result (0 or EAI_...) means: kTemporary is what another try in a while may
// mend, kPermanent is the name's own fault.
msg::ResolveOutcome OutcomeOf(int failure);

// Looks one name up with getaddrinfo; blocks for as long as the system's resolver does.
msg::ResolveAnswer LookUp(const msg::ResolveName& name);

// The same, as far as `rate` allows one more at `now`; else kTooOften.
msg::ResolveAnswer Answer(const msg::ResolveName& name, LookUpRate* rate, MonoTime now);

}  // namespace ntpward::resolve
