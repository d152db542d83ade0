#include "ntpd/core/unproven.h"

namespace ntpward::core {

UnprovenPlace PlaceForUnproven(std::span<const Unproven> tried, MonoTime now) {
  if (tried.size() < kMostUnproven) return {.free = true, .goes = {}};
  const Unproven* oldest = nullptr;
  for (const Unproven& one : tried)
    if (!one.heard && (oldest == nullptr || one.since < oldest->since)) oldest = &one;
  if (oldest == nullptr || now - oldest->since < kFirstAnswerSeconds) return {};
  return {.free = true, .goes = oldest->id};
}

}  // namespace ntpward::core
