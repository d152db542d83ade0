#include "ntpd/core/rate_limit.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "privsep/base/result.h"

namespace ntpward::core {
namespace {

// How many requests in a row may come at the least headway before the mean counts; an iburst of
// eight must pass (ntpd 4.2.8).
constexpr double kBurstRequests = 8;

uint64_t KeyedHash(const SipKey& key, const IpAddress& address) {
  SipHasher<1, 3> hasher(key);
  Reader reader{Bytes(address.octets)};
  hasher.Word(reader.U64());
  hasher.Word(reader.U64());
  hasher.Word(static_cast<uint64_t>(address.family) << 56 | address.scope);
  return hasher.Finish();
}

AccessFlags Without(AccessFlags flags, Access flag) {
  return AccessFlags(static_cast<uint16_t>(flags.bits & ~static_cast<uint16_t>(flag)));
}

}  // namespace

RateLimiter::RateLimiter(const RateLimitConfig& config, const SipKey& seed)
    : config_(config), seed_(seed) {
  config_.capacity = std::clamp<size_t>(config_.capacity, 1, size_t{1} << 24);
  config_.average_log2 = std::clamp(config_.average_log2, 0, 17);
  nodes_.resize(config_.capacity);
  buckets_.assign(std::bit_ceil(config_.capacity), kNone);
}

uint32_t RateLimiter::Bucket(const IpAddress& address) const {
  return static_cast<uint32_t>(KeyedHash(seed_, address) & (buckets_.size() - 1));
}

uint32_t RateLimiter::Lookup(const IpAddress& address) const {
  uint32_t index = buckets_[Bucket(address)];
  while (index != kNone && nodes_[index].source.address.ip != address) index = nodes_[index].next;
  return index;
}

void RateLimiter::Unchain(uint32_t index) {
  uint32_t* link = &buckets_[Bucket(nodes_[index].source.address.ip)];
  while (*link != index) {
    CHECK(*link != kNone);
    link = &nodes_[*link].next;
  }
  *link = nodes_[index].next;
}

void RateLimiter::Unlink(uint32_t index) {
  Node& node = nodes_[index];
  (node.newer == kNone ? newest_ : nodes_[node.newer].older) = node.older;
  (node.older == kNone ? oldest_ : nodes_[node.older].newer) = node.newer;
}

void RateLimiter::PushNewest(uint32_t index) {
  Node& node = nodes_[index];
  node.newer = kNone;
  node.older = newest_;
  (newest_ == kNone ? oldest_ : nodes_[newest_].newer) = index;
  newest_ = index;
}

uint32_t RateLimiter::Take(const IpAddress& address) {
  uint32_t index;
  if (used_ < nodes_.size()) {
    index = static_cast<uint32_t>(used_++);
  } else {
    index = oldest_;
    Unchain(index);
    Unlink(index);
  }
  Node& node = nodes_[index];
  node = Node();
  node.source.address.ip = address;
  uint32_t& head = buckets_[Bucket(address)];
  node.next = head;
  head = index;
  PushNewest(index);
  return index;
}

// Each request that is served owes one mean headway; what is owed may not pass eight of them. A
// request that is dropped owes nothing, so that a client that slows down is served again.
bool RateLimiter::Exceeds(double* debt, bool first, double interval) const {
  const double headway = std::ldexp(1.0, config_.average_log2);
  *debt = std::max(0.0, *debt - interval);
  // Half a second of grace: the network may bring two requests closer together (ntpd rounds too).
  if (!first && interval + 0.5 < config_.minimum) return true;
  if (*debt + headway > kBurstRequests * headway) return true;
  *debt += headway;
  return false;
}

bool RateLimiter::OnProved(const IpAddress& source, MonoTime now) {
  const uint32_t index = Lookup(source);
  if (index == kNone) return false;
  Node& node = nodes_[index];
  const bool first = !std::exchange(node.proved, true);
  const double interval = first ? 0 : std::max(0.0, now - node.last_proved);
  node.last_proved = now;
  return !Exceeds(&node.debt_proved, first, interval);
}

RateDecision RateLimiter::OnRequest(const RecentRequest& request, MonoTime now) {
  const AccessFlags flags = request.flags;
  uint32_t index = Lookup(request.source.ip);
  if (index == kNone) {
    index = Take(request.source.ip);
    nodes_[index].last = now;
    nodes_[index].source.first = request.received;
  } else {
    Unlink(index);
    PushNewest(index);
  }
  Node& node = nodes_[index];
  const bool exceeds = Exceeds(&node.debt, node.source.count == 0, std::max(0.0, now - node.last));
  node.last = now;
  node.source.address.port = request.source.port;
  node.source.local = request.local.octets;
  node.source.last = request.received;
  ++node.source.count;
  node.source.version = request.version;
  node.source.mode = request.mode;
  const bool limited = exceeds && flags.has(Access::kLimited);
  const RateDecision decision = Decide(limited, flags, now, &node);
  node.source.flags = flags;
  if (!limited) node.source.flags = Without(node.source.flags, Access::kLimited);
  if (decision != RateDecision::kKissOfDeath)
    node.source.flags = Without(node.source.flags, Access::kKod);
  return decision;
}

RateDecision RateLimiter::Decide(bool limited, AccessFlags flags, MonoTime now, Node* node) const {
  if (!limited && !flags.has(Access::kNoServe)) return RateDecision::kServe;
  if (!flags.has(Access::kKod)) return RateDecision::kDrop;
  if (node->last_kod && now - *node->last_kod < config_.kod_interval) return RateDecision::kDrop;
  node->last_kod = now;
  return RateDecision::kKissOfDeath;
}

size_t RateLimiter::RowSize() { return sizeof(Node) + sizeof(uint32_t); }

const RecentSource* RateLimiter::Oldest() const {
  return oldest_ == kNone ? nullptr : &nodes_[oldest_].source;
}

const RecentSource* RateLimiter::Newer(const IpAddress& address) const {
  const uint32_t index = Lookup(address);
  if (index == kNone || nodes_[index].newer == kNone) return nullptr;
  return &nodes_[nodes_[index].newer].source;
}

const RecentSource* RateLimiter::Find(const IpAddress& address) const {
  const uint32_t index = Lookup(address);
  return index == kNone ? nullptr : &nodes_[index].source;
}

}  // namespace ntpward::core
