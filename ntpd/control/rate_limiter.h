// Token buckets that bound how often one source gets an answer to mode 6.
//
// The reference does not limit mode 6; answers are up to fifty times as long as requests, and
// source addresses can be forged. Memory is fixed: sources share buckets by a seeded hash of their
// /32 or /64, so that nobody can fill or empty a table.
// It comes before the MAC: so whoever can send in a monitor's name can use up its bucket. What has
// a MAC then has a bucket of its own, so that an operator with a key is not locked out with it. No
// bucket serves two kinds of senders: those of the larger limit would leave the others nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "privsep/base/address.h"
#include "privsep/base/types.h"

namespace ntpward::control {

// What speaks for the sender of a request; each has buckets of its own.
enum class Standing : uint8_t {
  kStranger,
  kBelieved,  // the operator opened his network by a line of its own, or he has proved his address
  kShowsMac,  // that nobody has checked yet
};
inline constexpr size_t kStandings = 3;

class RateLimiter {
 public:
  struct Limit {
    double per_second;
    double burst;
  };
  // Enough for `ntpq -p` with 100 associations, sent back to back.
  static constexpr Limit kStranger{20, 200};
  // Monitoring asks in bursts: `ntpq -p` with 1,000 associations does not wait. So may this host,
  // whose addresses cannot be forged from outside.
  static constexpr Limit kBelieved{500, 2000};
  // As many as a time server looks at beyond `limited`.
  static constexpr Limit kMac{500, 500};

  // `seed` is unpredictable to outsiders, so that none can choose to share another's bucket.
  explicit RateLimiter(uint64_t seed);

  // Takes a token of the source's bucket; false when there is none left. Times must not go back;
  // one that does adds no tokens.
  [[nodiscard]] bool Allow(const IpAddress& source, Standing standing, MonoTime now);

 private:
  struct Bucket {
    double used = 0;  // tokens taken and not yet refilled
    MonoTime updated;
  };

  std::vector<Bucket> buckets_;  // those of one standing after those of another
  Bucket loopback_;
  uint64_t seed_;
};

}  // namespace ntpward::control
