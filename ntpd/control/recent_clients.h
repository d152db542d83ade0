// The list of recent clients as READ_MRU walks it.
#pragma once

#include <cstdint>
#include <optional>

#include "privsep/base/address.h"
#include "privsep/base/types.h"

namespace ntpward::control {

// A client, by address; of its requests the last one gives port, version, mode and rules.
struct RecentClient {
  SocketAddress client;
  IpAddress local;  // which address of ours it asked; none: it came to all of them
  NtpTimestamp first;
  NtpTimestamp last;
  uint64_t count = 0;
  uint8_t version = 0;
  uint8_t mode = 0;
  uint16_t access = 0;  // core::Access bits
};

// Ordered by the time of the last request. Owned by the shell; nothing returned is kept.
class RecentClients {
 public:
  virtual ~RecentClients() = default;
  virtual std::optional<RecentClient> Oldest() const = 0;
  // The client after that one; none after the newest, and when there is no such client.
  virtual std::optional<RecentClient> After(const IpAddress& client) const = 0;
  virtual std::optional<RecentClient> Find(const IpAddress& client) const = 0;
};

}  // namespace ntpward::control
