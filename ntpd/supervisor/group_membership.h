// The multicast groups that listening sockets are members of, and the right to send broadcasts.
//
// Done here, so that ntpd-net needs no right to choose groups: it gets sockets that hear what the
// configuration names and nothing else.
#pragma once

#include <set>
#include <tuple>
#include <vector>

#include "ntpd/config/config.h"
#include "ntpd/supervisor/listen_sockets.h"
#include "privsep/base/log.h"

namespace ntpward::supervisor {

class GroupMembership {
 public:
  // `log` must outlive this object.
  explicit GroupMembership(Logger* log) : log_(log) {}

  // What is wanted from the next Apply on: `multicastclient`, `manycastserver`, and whether there
  // are `broadcast` lines.
  void Configure(const config::Config& config);
  // Joins on every interface, and leaves what is no longer wanted. May be called at any time, and
  // has to be when an interface comes; the sockets keep what they have when they are handed over
  // again.
  void Apply(const std::vector<ListenSocket>& sockets);
  // The sockets were bound anew and are members of nothing, whatever index they have.
  void Forget() { members_.clear(); }

 private:
  // Socket, interface, group.
  using Member = std::tuple<uint16_t, unsigned, IpAddress>;

  void ApplyTo(const ListenSocket& socket, const std::set<unsigned>& interfaces);
  static bool Change(const ListenSocket& socket, unsigned interface, const IpAddress& group,
                     int option);

  Logger* log_;
  std::vector<IpAddress> groups_;
  bool broadcasts_ = false;
  bool warned_ = false;
  std::set<Member> members_;
};

}  // namespace ntpward::supervisor
