#include "ntpd/supervisor/group_membership.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace ntpward::supervisor {
namespace {

bool IsListenedOn(const InterfaceAddress& entry, const std::vector<ListenSocket>& sockets) {
  return std::any_of(sockets.begin(), sockets.end(), [&](const ListenSocket& socket) {
    const IpAddress& local = socket.local.ip;
    return !socket.drop && (local == entry.address ||
                            (local.is_wildcard() && local.family == entry.address.family));
  });
}

// Loopback alone does not count: nobody else is there.
std::set<unsigned> Interfaces(const std::vector<ListenSocket>& sockets) {
  std::set<unsigned> indices;
  for (const InterfaceAddress& entry : LocalAddresses()) {
    const unsigned index = InterfaceIndex(entry);
    if (index != 0 && !entry.address.is_loopback() && IsListenedOn(entry, sockets))
      indices.insert(index);
  }
  return indices;
}

// Those that it can hear: what was sent to a group never reaches a socket that is bound to an
// address of ours.
bool Hears(const ListenSocket& socket, const IpAddress& group) {
  const IpAddress& local = socket.local.ip;
  return !socket.drop && local.family == group.family &&
         (local.is_wildcard() || local.octets == group.octets);
}

}  // namespace

void GroupMembership::Configure(const config::Config& config) {
  groups_ = WantedOfMany(config).groups;
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
  const std::set<unsigned> interfaces = Interfaces(sockets);
  // An index is used twice only after Forget(): what is gone left its groups when it was closed.
  std::erase_if(members_, [&](const Member& member) {
    return std::none_of(sockets.begin(), sockets.end(), [&](const ListenSocket& socket) {
      return socket.index == std::get<0>(member);
    });
  });
  for (const ListenSocket& socket : sockets) ApplyTo(socket, interfaces);
  const bool deaf = std::any_of(groups_.begin(), groups_.end(), [&](const IpAddress& group) {
    return std::none_of(sockets.begin(), sockets.end(),
                        [&](const ListenSocket& socket) { return Hears(socket, group); });
  });
  if (!std::exchange(warned_, warned_ || deaf) && deaf)
    log_->Log(LogLevel::kError,
              "multicastclient or manycastserver hears nothing: no address is listened on from "
              "which the group could be heard");
}

void GroupMembership::ApplyTo(const ListenSocket& socket, const std::set<unsigned>& interfaces) {
  if (socket.local.ip.family == Family::kIpv4) {
    const int on = broadcasts_ ? 1 : 0;
    (void)setsockopt(socket.fd.get(), SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  }
  std::set<Member> wanted;
  for (const IpAddress& group : groups_) {
    if (!Hears(socket, group)) continue;
    for (const unsigned interface : interfaces)
      if (socket.local.ip.scope == 0 || socket.local.ip.scope == interface)
        wanted.insert({socket.index, interface, group});
  }
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
