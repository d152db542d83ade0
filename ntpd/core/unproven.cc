#include "ntpd/core/unproven.h"

#include <algorithm>

namespace ntpward::core {
namespace {

bool MayGo(const Unproven& one, MonoTime now) {
  if (one.refused) return true;
  if (!one.answered) return now - one.trial.since() >= kFirstAnswerSeconds;
  return now - *one.answered >= kSilenceSeconds || now - one.trial.advanced() >= kStandstillSeconds;
}

// Those that were refused, those that never answered, then the one that has stood still for
// longest.
bool GoesBefore(const Unproven& one, const Unproven& other) {
  if (one.refused != other.refused) return one.refused;
  if (one.answered.has_value() != other.answered.has_value()) return !one.answered;
  return one.trial.advanced() < other.trial.advanced();
}

size_t ShareOf(const IpAddress& network, std::span<const Unproven> tried,
               const UnprovenLimits& limits) {
  return static_cast<size_t>(std::count_if(tried.begin(), tried.end(), [&](const Unproven& one) {
    return (one.answered || limits.all_count) && InOneNetwork(one.address, network);
  }));
}

}  // namespace

void Trial::Note(int step, bool proved, MonoTime now) {
  if (proved_ && !proved) *this = Trial(now);
  if (proved && !proved_) proved_since_ = now;
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

std::vector<AssocId> TooManyLetIn(std::vector<LetIn> let_in) {
  std::stable_sort(let_in.begin(), let_in.end(), [](const LetIn& a, const LetIn& b) {
    return a.by_trail != b.by_trail ? a.by_trail : a.since < b.since;
  });
  std::vector<IpAddress> stay;
  std::vector<AssocId> gone;
  for (const LetIn& one : let_in) {
    const auto neighbours = std::count_if(stay.begin(), stay.end(), [&](const auto& other) {
      return InOneNetwork(other, one.address);
    });
    if (stay.size() < kMostLetIn && static_cast<size_t>(neighbours) < kMostLetInOfNetwork) {
      stay.push_back(one.address);
    } else {
      gone.push_back(one.id);
    }
  }
  return gone;
}

UnprovenPlace PlaceForUnproven(std::span<const Unproven> tried, const IpAddress& newcomer,
                               const UnprovenLimits& limits, MonoTime now) {
  // A network that has its share makes room within it.
  const bool within = ShareOf(newcomer, tried, limits) >= limits.of_network;
  if (!within && tried.size() < limits.places) return {.free = true, .goes = {}};
  const Unproven* goes = nullptr;
  bool too_many = false;
  for (const Unproven& one : tried) {
    if (within && !InOneNetwork(one.address, newcomer)) continue;
    // Those that came together, before any of them had answered.
    const bool exceeds =
        !within && one.answered && ShareOf(one.address, tried, limits) > limits.of_network;
    if (!exceeds && (too_many || !MayGo(one, now))) continue;
    if (goes == nullptr || (exceeds && !too_many) || GoesBefore(one, *goes)) goes = &one;
    too_many |= exceeds;
  }
  if (goes == nullptr) return {};
  return {.free = true, .goes = goes->id};
}

}  // namespace ntpward::core
