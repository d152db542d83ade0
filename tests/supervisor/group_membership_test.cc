// Which groups the listening sockets are members of: real sockets, in a network namespace.
#include "ntpd/supervisor/group_membership.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "ntpd/config/parser.h"
#include "tests/supervisor/own_network.h"
#include "tests/supervisor/parsed_config.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/kept_lines.h"

namespace ntpward::supervisor {
namespace {

using namespace ntpward::supervisor::test;
using ntpward::test::KeptLines;

ListenSocket Bound(uint16_t index, const IpAddress& local) {
  ListenSocket out;
  out.index = index;
  const bool v4 = local.family == Family::kIpv4;
  out.fd = UniqueFd(socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  CHECK(out.fd.valid());
  sockaddr_storage where{};
  const socklen_t length = SocketAddress{local, 0}.ToSockaddr(&where);
  CHECK(bind(out.fd.get(), reinterpret_cast<sockaddr*>(&where), length) == 0);
  out.local = {local, 123};
  return out;
}

// A second join is refused; one that was not is taken back.
bool IsMember(const ListenSocket& socket, const IpAddress& group) {
  group_req request{};
  request.gr_interface = if_nametoindex("lo");
  (void)SocketAddress{group, 0}.ToSockaddr(&request.gr_group);
  const int level = group.family == Family::kIpv4 ? IPPROTO_IP : IPPROTO_IPV6;
  if (setsockopt(socket.fd.get(), level, MCAST_JOIN_GROUP, &request, sizeof request) != 0) {
    CHECK(errno == EADDRINUSE);
    return true;
  }
  CHECK(setsockopt(socket.fd.get(), level, MCAST_LEAVE_GROUP, &request, sizeof request) == 0);
  return false;
}

bool MayBroadcast(const ListenSocket& socket) {
  int on = 0;
  socklen_t length = sizeof on;
  CHECK(getsockopt(socket.fd.get(), SOL_SOCKET, SO_BROADCAST, &on, &length) == 0);
  return on != 0;
}

const IpAddress kAny = IpAddress::V4(0, 0, 0, 0);
const IpAddress kNtp = IpAddress::V4(224, 0, 1, 1);
const IpAddress kOther = IpAddress::V4(239, 1, 1, 1);

struct Site {
  KeptLines log;
  GroupMembership groups{&log};
  std::vector<ListenSocket> sockets;

  void Use(const std::string& text) {
    groups.Configure(Parse(text));
    groups.Apply(sockets);
  }
  const ListenSocket& first() const { return sockets.front(); }
};

void TheConfiguredGroupsAreJoined(void**) {
  Site site;
  site.sockets.push_back(Bound(0, kAny));
  site.Use("multicastclient\nmanycastserver 239.1.1.1\n");
  assert_true(IsMember(site.first(), kNtp) && IsMember(site.first(), kOther));
  assert_true(site.log.all.empty());
  // Again, as when an interface came: nothing changes, and nothing is complained of.
  site.groups.Apply(site.sockets);
  assert_true(IsMember(site.first(), kNtp) && IsMember(site.first(), kOther));
  assert_true(site.log.all.empty());
}

void AReloadLeavesWhatIsNoLongerWanted(void**) {
  Site site;
  site.sockets.push_back(Bound(0, kAny));
  site.Use("multicastclient 224.0.1.1 239.1.1.1\n");
  site.Use("multicastclient 239.1.1.1\n");
  assert_false(IsMember(site.first(), kNtp));
  assert_true(IsMember(site.first(), kOther));
  site.Use("server 10.0.0.1\n");
  assert_false(IsMember(site.first(), kOther));
}

void ANewSocketJoinsToo(void**) {
  Site site;
  site.sockets.push_back(Bound(0, kAny));
  site.Use("multicastclient\n");
  site.sockets.clear();
  site.sockets.push_back(Bound(1, kAny));
  site.groups.Apply(site.sockets);
  assert_true(IsMember(site.first(), kNtp));
}

void ASocketThatWasBoundAnewJoinsAgain(void**) {
  Site site;
  site.sockets.push_back(Bound(0, kAny));
  site.Use("multicastclient\n");
  site.sockets[0] = Bound(0, kAny);
  site.groups.Forget();
  site.groups.Apply(site.sockets);
  assert_true(IsMember(site.first(), kNtp));
}

void NothingIsJoinedUnasked(void**) {
  Site site;
  site.sockets.push_back(Bound(0, kAny));
  site.Use("server 10.0.0.1\nbroadcastclient\nmanycastclient 239.1.1.1 key 1\nkeys /k\n");
  assert_false(IsMember(site.first(), kNtp) || IsMember(site.first(), kOther));
}

// A socket of the group hears it on the interfaces that others listen on.
void ASocketOfTheGroupJoinsIt(void**) {
  Site site;
  site.sockets.push_back(Bound(0, IpAddress::V4(192, 0, 2, 1)));
  site.sockets.push_back(Bound(1, kNtp));
  site.Use("multicastclient 224.0.1.1 239.1.1.1\n");
  assert_true(IsMember(site.sockets[1], kNtp));
  assert_false(IsMember(site.sockets[1], kOther));
  // Nobody hears the other one.
  assert_int_equal(site.log.all.size(), 1);
  site.sockets[0].drop = true;
  site.groups.Apply(site.sockets);
  assert_false(IsMember(site.sockets[1], kNtp));
}

void WithoutASocketForItThatIsSaidOnce(void**) {
  Site site;
  site.sockets.push_back(Bound(0, IpAddress::V4(192, 0, 2, 1)));
  site.Use("multicastclient\n");
  site.groups.Apply(site.sockets);
  assert_int_equal(site.log.all.size(), 1);
  assert_true(site.log.all[0].find("hears nothing") != std::string::npos);
  assert_false(IsMember(site.first(), kNtp));
}

void ADroppingSocketJoinsNothing(void**) {
  Site site;
  site.sockets.push_back(Bound(0, kAny));
  site.sockets[0].drop = true;
  site.Use("multicastclient\n");
  assert_false(IsMember(site.first(), kNtp));
}

void OnlyBroadcastLinesGiveTheRightToBroadcast(void**) {
  Site site;
  site.sockets.push_back(Bound(0, kAny));
  site.Use("broadcastclient\n");
  assert_false(MayBroadcast(site.first()));
  site.Use("broadcast 192.0.2.255\n");
  assert_true(MayBroadcast(site.first()));
  site.Use("server 10.0.0.1\n");
  assert_false(MayBroadcast(site.first()));
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheConfiguredGroupsAreJoined),
      cmocka_unit_test(AReloadLeavesWhatIsNoLongerWanted),
      cmocka_unit_test(ANewSocketJoinsToo),
      cmocka_unit_test(ASocketThatWasBoundAnewJoinsAgain),
      cmocka_unit_test(NothingIsJoinedUnasked),
      cmocka_unit_test(ASocketOfTheGroupJoinsIt),
      cmocka_unit_test(WithoutASocketForItThatIsSaidOnce),
      cmocka_unit_test(ADroppingSocketJoinsNothing),
      cmocka_unit_test(OnlyBroadcastLinesGiveTheRightToBroadcast),
  };
  return cmocka_run_group_tests(tests, ntpward::supervisor::test::EnterOwnNetwork, nullptr);
}
