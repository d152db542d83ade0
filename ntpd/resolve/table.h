// The names of the configuration, by index: all that ntpd-resolve will ever look up.
#pragma once

#include <optional>
#include <string>
#include <vector>

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

// What getaddrinfo's result (0 or EAI_...) means: kTemporary is what another try in a while may
// mend, kPermanent is the name's own fault.
msg::ResolveOutcome OutcomeOf(int failure);

// Looks one name up with getaddrinfo; blocks for as long as the system's resolver does.
msg::ResolveAnswer LookUp(const msg::ResolveName& name);

}  // namespace ntpward::resolve
