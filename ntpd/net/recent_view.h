// The rate limiter's table as mode 6 lists it.
#pragma once

#include "ntpd/control/recent_clients.h"

namespace ntpward::net {

class TimeServer;

class RecentView : public control::RecentClients {
 public:
  // `server` must outlive this object; null: an empty list.
  void SetServer(const TimeServer* server) { server_ = server; }

  std::optional<control::RecentClient> Oldest() const override;
  std::optional<control::RecentClient> After(const IpAddress& client) const override;
  std::optional<control::RecentClient> Find(const IpAddress& client) const override;

 private:
  const TimeServer* server_ = nullptr;
};

}  // namespace ntpward::net
