#include "ntpd/control/rate_limiter.h"

#include <algorithm>

namespace ntpward::control {
namespace {

constexpr size_t kBuckets = 2048;  // for each standing
// The half of an IPv6 address that a site can choose from freely is left out of the hash.
constexpr size_t kIpv6Prefix = 8;

// A finaliser with full avalanche; the seed makes its outcome unpredictable, which is enough here
// since nothing of it is ever shown.
uint64_t Mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

uint64_t Prefix(const IpAddress& source) {
  Bytes octets = source.bytes();
  octets = octets.first(std::min(octets.size(), kIpv6Prefix));
  uint64_t value = static_cast<uint64_t>(source.family) << 56;
  for (uint8_t octet : octets) value = (value << 8 | value >> 56) ^ octet;
  return value;
}

bool Take(double& used, MonoTime& updated, RateLimiter::Limit limit, MonoTime now) {
  if (now > updated) {
    used = std::max(0.0, used - (now - updated) * limit.per_second);
    updated = now;
  }
  if (used + 1 > limit.burst) return false;
  used += 1;
  return true;
}

RateLimiter::Limit LimitOf(Standing standing) {
  switch (standing) {
    case Standing::kBelieved:
      return RateLimiter::kBelieved;
    case Standing::kShowsMac:
      return RateLimiter::kMac;
    case Standing::kStranger:
      break;
  }
  return RateLimiter::kStranger;
}

}  // namespace

RateLimiter::RateLimiter(uint64_t seed) : buckets_(kStandings * kBuckets), seed_(seed) {}

bool RateLimiter::Allow(const IpAddress& source, Standing standing, MonoTime now) {
  if (source.is_loopback() && standing != Standing::kShowsMac)
    return Take(loopback_.used, loopback_.updated, kBelieved, now);
  const auto kind = static_cast<size_t>(standing);
  const uint64_t hash = Mix(Mix(Prefix(source) ^ seed_) + seed_);
  Bucket& bucket = buckets_[kind * kBuckets + Mix(hash + kind) % kBuckets];
  return Take(bucket.used, bucket.updated, LimitOf(standing), now);
}

}  // namespace ntpward::control
