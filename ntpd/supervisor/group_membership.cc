#include "ntpd/supervisor/group_membership.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

namespace ntpward::supervisor {
namespace {

// Loopback alone does not count: nobody else is there.
std::set<unsigned> Interfaces() {
  std::set<unsigned> indices;
  for (const InterfaceAddress& entry : LocalAddresses()) {
    const unsigned index = if_nametoindex(entry.interface.c_str());
    if (index != 0 && !entry.address.is_loopback()) indices.insert(index);
  }
  return indices;
}

}  // namespace

void GroupMembership::Configure(const config::Config& config) {
  groups_.clear();
  for (const config::Group& group : config.multicast_groups) groups_.push_back(group.address);
  for (const config::Group& group : config.manycast_groups)
    if (std::find(groups_.begin(), groups_.end(), group.address) == groups_.end())
      groups_.push_back(group.address);
  broadcasts_ = std::any_of(config.associations.begin(), config.associations.end(),
                            [](const config::Association& line) {
                              return line.kind == config::AssociationKind::kBroadcast;
                            });
  warned_ = false;
}

bool GroupMembership::Change(const ListenSocket& socket, unsigned interface, const IpAddress& group,
                             int option) {
  group_req request{};
  request.gr_interface = interface;
  (void)SocketAddress{group, 0}.ToSockaddr(&request.gr_group);
  const int level = group.family == Family::kIpv4 ? IPPROTO_IP : IPPROTO_IPV6;
  return setsockopt(socket.fd.get(), level, option, &request, sizeof request) == 0;
}

void GroupMembership::Apply(const std::vector<ListenSocket>& sockets) {
  const std::set<unsigned> interfaces = Interfaces();
  // An index is never used twice: what is gone left its groups when it was closed.
  std::erase_if(members_, [&](const Member& member) {
    return std::none_of(sockets.begin(), sockets.end(), [&](const ListenSocket& socket) {
      return socket.index == std::get<0>(member);
    });
  });
  for (const ListenSocket& socket : sockets) ApplyTo(socket, interfaces);
  const bool heard = std::any_of(sockets.begin(), sockets.end(), [](const ListenSocket& socket) {
    return socket.local.ip.is_wildcard() && !socket.drop;
  });
  if (groups_.empty() || heard || warned_) return;
  warned_ = true;
  log_->Log(LogLevel::kError,
            "multicastclient and manycastserver hear nothing: with interface lines or -I there is "
            "no wildcard socket");
}

void GroupMembership::ApplyTo(const ListenSocket& socket, const std::set<unsigned>& interfaces) {
  if (socket.local.ip.family == Family::kIpv4) {
    const int on = broadcasts_ ? 1 : 0;
    (void)setsockopt(socket.fd.get(), SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  }
  // What was sent to a group never reaches a socket that is bound to an address.
  if (!socket.local.ip.is_wildcard() || socket.drop) return;
  std::set<Member> wanted;
  for (const IpAddress& group : groups_)
    if (group.family == socket.local.ip.family)
      for (const unsigned interface : interfaces) wanted.insert({socket.index, interface, group});
  std::erase_if(members_, [&](const Member& member) {
    if (std::get<0>(member) != socket.index || wanted.contains(member)) return false;
    (void)Change(socket, std::get<1>(member), std::get<2>(member), MCAST_LEAVE_GROUP);
    return true;
  });
  for (const Member& member : wanted) {
    if (members_.contains(member)) continue;
    const auto& [index, interface, group] = member;
    if (!Change(socket, interface, group, MCAST_JOIN_GROUP) && errno != EADDRINUSE) {
      log_->Log(LogLevel::kWarning, "group " + group.ToString() + " on interface " +
                                        std::to_string(interface) + ": " + std::strerror(errno));
      continue;
    }
    members_.insert(member);
  }
}

}  // namespace ntpward::supervisor
