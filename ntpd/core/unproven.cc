#include "ntpd/core/unproven.h"

#include <algorithm>

namespace ntpward::core {
namespace {

bool MayGo(const Unproven& one, MonoTime now) {
  if (!one.answered) return now - one.trial.since() >= kFirstAnswerSeconds;
  return now - *one.answered >= kSilenceSeconds || now - one.trial.advanced() >= kStandstillSeconds;
}

// Those that never answered before those that did, then the one that has stood still for longest.
bool GoesBefore(const Unproven& one, const Unproven& other) {
  if (one.answered.has_value() != other.answered.has_value()) return !one.answered;
  return one.trial.advanced() < other.trial.advanced();
}

}  // namespace

void Trial::Note(int step, bool proved, MonoTime now) {
  if (proved_ && !proved) *this = Trial(now);
  proved_ = proved;
  if (step <= furthest_) return;
  furthest_ = step;
  advanced_ = now;
}

bool InOneNetwork(const IpAddress& a, const IpAddress& b) {
  const size_t octets = a.family == Family::kIpv4 ? 3 : 8;
  return a.family == b.family && a.scope == b.scope &&
         std::equal(a.octets.begin(), a.octets.begin() + octets, b.octets.begin());
}

bool HasRoomByTrail(std::span<const IpAddress> let_in, const IpAddress& newcomer) {
  const auto neighbours =
      static_cast<size_t>(std::count_if(let_in.begin(), let_in.end(), [&](const IpAddress& one) {
        return InOneNetwork(one, newcomer);
      }));
  return let_in.size() < kMostByTrail && neighbours < kMostByTrailOfNetwork;
}

UnprovenPlace PlaceForUnproven(std::span<const Unproven> tried, const IpAddress& newcomer,
                               const UnprovenLimits& limits, MonoTime now) {
  const auto neighbours =
      static_cast<size_t>(std::count_if(tried.begin(), tried.end(), [&](const Unproven& one) {
        return InOneNetwork(one.address, newcomer);
      }));
  // A network that has its share makes room within it.
  const bool within = neighbours >= limits.of_network;
  if (!within && tried.size() < limits.places) return {.free = true, .goes = {}};
  const Unproven* goes = nullptr;
  for (const Unproven& one : tried) {
    if (within && !InOneNetwork(one.address, newcomer)) continue;
    if (MayGo(one, now) && (goes == nullptr || GoesBefore(one, *goes))) goes = &one;
  }
  if (goes == nullptr) return {};
  return {.free = true, .goes = goes->id};
}

}  // namespace ntpward::core
