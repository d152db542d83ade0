// Who asked lately, and how often: a table of fixed size that decides what `limited` drops.
//
// Only requests belong here, so that a forged flood cannot cost us our own servers' replies
// (CVE-2016-7426). The oldest source makes room for a new one. The hash is keyed, so that a sender
// cannot choose addresses that fall into one chain. Source: ntpd 4.2.8, `discard` and `mru`.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ntpd/core/access.h"
#include "privsep/base/address.h"
#include "privsep/base/types.h"

namespace ntpward::core {

struct RateLimitConfig {
  size_t capacity = 9000;   // sources remembered; at least 1
  int average_log2 = 3;     // `discard average`: the mean headway that is always served, log2 s
  double minimum = 2;       // `discard minimum`: closer requests are dropped, s
  double kod_interval = 8;  // least time between two kisses of death for one source, s
};

// What is known of one source; the rows of ntpq's mrulist.
struct RecentSource {
  SocketAddress address;  // the port of the last request
  MonoTime first;
  MonoTime last;
  uint64_t count = 0;
  uint8_t version = 0;
  uint8_t mode = 0;
  AccessFlags flags;  // those in force at the last request; kLimited set only if it was dropped
};

enum class RateDecision : uint8_t { kServe, kDrop, kKissOfDeath };

class RateLimiter {
 public:
  // `seed` keys the hash: random, kept secret, not reused by another process.
  RateLimiter(const RateLimitConfig& config, const std::array<uint64_t, 2>& seed);

  // Notes a request from `source` and says what becomes of it. It is refused when it comes too fast
  // and `flags` has kLimited, or has kNoServe; else served. A refusal is told (kKissOfDeath) only
  // if `flags` has kKod, and at most once in `kod_interval`.
  RateDecision OnRequest(const SocketAddress& source, AccessFlags flags, uint8_t version,
                         uint8_t mode, MonoTime now);

  // Newest first; stops after `limit` sources.
  std::vector<RecentSource> Recent(size_t limit) const;
  std::optional<RecentSource> Find(const IpAddress& address) const;
  size_t size() const { return used_; }
  size_t capacity() const { return nodes_.size(); }
  const RateLimitConfig& config() const { return config_; }

 private:
  static constexpr uint32_t kNone = 0xffffffff;
  struct Node {
    RecentSource source;
    double debt = 0;  // seconds of headway still owed; drains with time
    std::optional<MonoTime> last_kod;
    uint32_t newer = kNone, older = kNone;  // in order of use
    uint32_t next = kNone;                  // in the chain of its bucket
  };

  uint32_t Bucket(const IpAddress& address) const;
  uint32_t Lookup(const IpAddress& address) const;
  uint32_t Take(const IpAddress& address, MonoTime now);
  void Unchain(uint32_t index);
  void Unlink(uint32_t index);
  void PushNewest(uint32_t index);
  bool Exceeds(Node* node, double interval) const;

  RateLimitConfig config_;
  std::array<uint64_t, 2> seed_;
  std::vector<Node> nodes_;
  std::vector<uint32_t> buckets_;
  uint32_t newest_ = kNone, oldest_ = kNone;
  size_t used_ = 0;
};

}  // namespace ntpward::core
