#include "keys/server_seeds.h"

#include <algorithm>

namespace ntpward::keys {

static_assert(kSeedKeptSeconds / (1 << kMinRevoke) + 3 < kMaxSeeds);

ServerSeeds::ServerSeeds(uint8_t revoke)
    : interval_seconds_(std::exp2(std::max(revoke, kMinRevoke))) {}

void ServerSeeds::StartNew(MonoTime now, uint32_t fresh, SeedOrigin origin) {
  seeds_.Clear();
  CHECK(seeds_.Push({fresh, now, origin}));
}

void ServerSeeds::SucceedReference(MonoTime now) {
  CHECK(seeds_.size() == 1);
  CHECK(seeds_.Push({kReferenceSeed, now}));
}

bool ServerSeeds::Restore(const SeedRecord& record, MonoTime now, NtpSeconds wall) {
  const auto away = static_cast<int32_t>(wall.value - record.written.value);
  const double absence = std::max(away, int32_t{0});
  seeds_.Clear();
  sequence_ = record.sequence;
  for (const SeedRecord::Entry& entry : record.entries)
    CHECK(seeds_.Push({entry.seed, now + -(entry.age + absence), entry.origin}));
  // The newest was in use until now at the most, so it is judged by its own age.
  if (seeds_.empty() || now - seeds_[0].made > interval_seconds_ + kSeedKeptSeconds) {
    seeds_.Clear();
    return false;
  }
  return true;
}

bool ServerSeeds::RollIsDue(MonoTime now) const {
  return seeds_.empty() || now - seeds_[0].made >= interval_seconds_;
}

void ServerSeeds::Roll(MonoTime now, uint32_t fresh, SeedOrigin origin) {
  WipedVector<Seed, kMaxSeeds> rolled;
  CHECK(rolled.Push({fresh, now, origin}));
  const size_t count = Count(now);
  for (size_t i = 0; i < count; ++i)
    if (!rolled.full()) CHECK(rolled.Push(seeds_[i]));
  seeds_ = rolled;
}

// A seed's age says when the one before it was replaced, so that none is left out.
bool ServerSeeds::LeaveFarm(uint32_t (*draw)()) {
  bool found = false;
  for (Seed& seed : seeds_) {
    if (seed.origin != SeedOrigin::kFarm) continue;
    seed.seed = draw();
    seed.origin = SeedOrigin::kOwn;
    found = true;
  }
  return found;
}

bool ServerSeeds::StillCounts(size_t index, MonoTime now) const {
  return index == 0 || now - seeds_[index - 1].made <= kSeedKeptSeconds;
}

size_t ServerSeeds::Count(MonoTime now) const {
  size_t count = 0;
  while (count < seeds_.size() && StillCounts(count, now)) ++count;
  return count;
}

bool ServerSeeds::Holds(uint32_t seed, size_t count) const {
  return std::any_of(seeds_.begin(), seeds_.begin() + count,
                     [seed](const Seed& known) { return known.seed == seed; });
}

SeedRecord ServerSeeds::NextRecord(MonoTime now, NtpSeconds wall) {
  SeedRecord record;
  record.sequence = ++sequence_;
  record.written = wall;
  const size_t count = Count(now);
  for (size_t i = 0; i < count; ++i) {
    const double age = std::clamp(now - seeds_[i].made, 0.0, 4e9);
    CHECK(record.entries.Push({seeds_[i].seed, static_cast<uint32_t>(age), seeds_[i].origin}));
  }
  return record;
}

}  // namespace ntpward::keys
