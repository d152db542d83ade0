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
#include "privsep/base/sip_hash.h"
#include "privsep/base/types.h"

namespace ntpward::core {

struct RateLimitConfig {
  size_t capacity = 9000;   // sources remembered; at least 1
  int average_log2 = 3;     // `discard average`: the mean headway that is always served, log2 s
  double minimum = 2;       // `discard minimum`: closer requests are dropped, s
  double kod_interval = 8;  // least time between two kisses of death for one source, s
};

// A request as the table notes it.
struct RecentRequest {
  SocketAddress source;
  IpAddress local;  // which address of ours was asked; only shown
  AccessFlags flags;
  uint8_t version = 0;
  uint8_t mode = 0;
  NtpTimestamp received;  // only shown: the clock may be stepped
};

// What is known of one source; the rows of ntpq's mrulist.
struct RecentSource {
  SocketAddress address;  // the port of the last request
  NtpTimestamp first;     // when its first request arrived, and its last
  NtpTimestamp last;
  uint64_t count = 0;
  std::array<uint8_t, 16> local{};  // of the same family; zero: not known
  uint8_t version = 0;
  uint8_t mode = 0;
  // Those in force at the last request; as ntpd 4.2.8 has it, kLimited set only if that was refused
  // as too fast, kKod only if its sender was told so.
  AccessFlags flags;
};

enum class RateDecision : uint8_t { kServe, kDrop, kKissOfDeath };

class RateLimiter {
 public:
  RateLimiter(const RateLimitConfig& config, const SipKey& seed);

  // Notes a request and says what becomes of it. It is refused when its source sends too fast and
  // `flags` has kLimited, or has kNoServe; else served. A refusal is told (kKissOfDeath) only if
  // `flags` has kKod, and at most once in `kod_interval`.
  RateDecision OnRequest(const RecentRequest& request, MonoTime now);
  // Of a request that was refused as too fast and whose MAC was then found good: true when it may
  // be served after all. Such requests have a measure of their own, by the same limits, so that who
  // writes somebody's address without knowing his key cannot use it up.
  bool OnProved(const IpAddress& source, MonoTime now);

  // The sources in the order of their last requests; null at the end, and for an address that is
  // not in the table. What is returned is good until the next request.
  const RecentSource* Oldest() const;
  const RecentSource* Newer(const IpAddress& address) const;
  const RecentSource* Find(const IpAddress& address) const;
  size_t size() const { return used_; }
  size_t capacity() const { return nodes_.size(); }
  // Octets that one source takes.
  static size_t RowSize();
  const RateLimitConfig& config() const { return config_; }

 private:
  static constexpr uint32_t kNone = 0xffffffff;
  struct Node {
    RecentSource source;
    MonoTime last;         // when the last request came
    double debt = 0;       // seconds of headway still owed; drains with time
    MonoTime last_proved;  // of those that OnProved let through, and what they owe
    double debt_proved = 0;
    bool proved = false;
    std::optional<MonoTime> last_kod;
    uint32_t newer = kNone, older = kNone;  // in order of use
    uint32_t next = kNone;                  // in the chain of its bucket
  };

  uint32_t Bucket(const IpAddress& address) const;
  uint32_t Lookup(const IpAddress& address) const;
  uint32_t Take(const IpAddress& address);
  void Unchain(uint32_t index);
  void Unlink(uint32_t index);
  void PushNewest(uint32_t index);
  bool Exceeds(double* debt, bool first, double interval) const;
  RateDecision Decide(bool limited, AccessFlags flags, MonoTime now, Node* node) const;

  RateLimitConfig config_;
  SipKey seed_;
  std::vector<Node> nodes_;
  std::vector<uint32_t> buckets_;
  uint32_t newest_ = kNone, oldest_ = kNone;
  size_t used_ = 0;
};

}  // namespace ntpward::core
