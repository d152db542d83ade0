// What READ_ORDLIST lists: listening sockets and access rules.
#include <algorithm>

#include "ntpd/net/daemon_view.h"
#include "ntpd/net/time_server.h"

namespace ntpward::net {
namespace {

using control::InterfaceFlag;

uint32_t GroupsOf(const msg::NetStart& start, Family family) {
  uint32_t count = 0;
  for (const auto* groups : {&start.multicast_groups, &start.manycast_groups})
    for (const IpAddress& group : *groups) count += group.family == family ? 1 : 0;
  return count;
}

// Associations that speak from the listener's address; a wildcard stands for all of its family.
uint32_t PeersOf(const Upstreams& upstreams, const IpAddress& listener) {
  uint32_t count = 0;
  for (const auto& [id, upstream] : upstreams.all()) {
    const IpAddress& local = upstream->local;
    const bool its = listener.is_wildcard() ? local.family == listener.family : local == listener;
    count += its ? 1 : 0;
  }
  return count;
}

control::InterfaceView ViewOf(const Listener& listener, const msg::NetStart& start) {
  control::InterfaceView view;
  const IpAddress& ip = listener.local.ip;
  view.address = listener.local;
  view.enabled = !listener.drop;
  view.name = listener.interface;
  view.flags = listener.flags;
  view.groups = GroupsOf(start, ip.family);
  if (view.groups > 0) view.flags |= InterfaceFlag::kInterfaceHearsMulticast;
  if (start.broadcast_client && !listener.broadcast.is_none()) {
    view.broadcast = listener.broadcast;
    view.flags |= InterfaceFlag::kInterfaceHearsBroadcast;
  }
  view.received = listener.datagrams.received;
  view.sent = listener.datagrams.sent;
  view.send_failed = listener.datagrams.refused;
  const double uptime = Timebase::Mono() - listener.opened;
  view.uptime_s = uptime > 0 ? static_cast<uint64_t>(uptime) : 0;
  return view;
}

}  // namespace

std::vector<control::InterfaceView> DaemonView::Interfaces() const {
  std::vector<control::InterfaceView> rows;
  if (server_ == nullptr) return rows;
  for (const auto& [index, listener] : server_->listeners()) {
    rows.push_back(ViewOf(listener, node_->start));
    rows.back().peers = PeersOf(*upstreams_, listener.local.ip);
  }
  return rows;
}

std::vector<control::RestrictionView> DaemonView::Restrictions() const {
  std::vector<control::RestrictionView> rows;
  for (const core::AccessEntry& entry : node_->access.Entries()) {
    control::RestrictionView row;
    row.address = entry.address;
    row.mask = entry.mask;
    row.hits = entry.hits;
    row.flags = entry.flags.bits;
    row.ntpport = entry.port == core::SourcePort::kNtp;
    row.other_port = entry.port == core::SourcePort::kOther;
    row.is_interface = entry.origin == core::AccessOrigin::kInterface;
    row.is_source = entry.origin == core::AccessOrigin::kSource;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace ntpward::net
