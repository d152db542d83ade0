// How the listening sockets are set up: real sockets, in a network namespace.
#include "ntpd/supervisor/listen_sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/supervisor/own_network.h"
#include "tests/supervisor/parsed_config.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/kept_lines.h"

namespace ntpward::supervisor {
namespace {

using test::Parse;

int OptionOf(const ListenSocket& socket, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  CHECK(getsockopt(socket.fd.get(), level, name, &value, &length) == 0);
  return value;
}

// NDSS'16: who can have a reply cut into fragments can replace some of them. IPv6 cuts none of a
// reply's size, since every link there takes 1280 octets.
void Ipv4RepliesAreNeverFragmented(void**) {
  ntpward::test::KeptLines log;
  ListenSockets listening(&log, 0);
  assert_true(listening.Open({}, {}).ok());
  int seen = 0;
  for (const ListenSocket& socket : listening.sockets()) {
    if (socket.local.ip.family != Family::kIpv4) continue;
    assert_int_equal(OptionOf(socket, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_DO);
    ++seen;
  }
  assert_int_equal(seen, 1);
}

const IpAddress kOwn = IpAddress::V4(192, 0, 2, 1);
const IpAddress kGroup = IpAddress::V4(224, 0, 1, 1);

const ListenSocket* Find(const ListenSockets& listening, const IpAddress& local) {
  for (const ListenSocket& socket : listening.sockets())
    if (socket.local.ip == local) return &socket;
  return nullptr;
}

// A socket of one address does not hear them.
void GroupsHaveSocketsBesideThoseOfAddresses(void**) {
  ntpward::test::KeptLines log;
  ListenSockets listening(&log, 0);
  const std::string rule = "interface listen 192.0.2.1\n";
  assert_true(listening.Open(Parse(rule + "multicastclient 224.0.1.1 ff05::101\n"), {}).ok());
  assert_false(Find(listening, kOwn)->to_many);
  const ListenSocket* group = Find(listening, kGroup);
  assert_true(group != nullptr && group->to_many && !group->drop);
  // No address of its family is listened on.
  assert_null(Find(listening, *IpAddress::Parse("ff05::101")));
  const uint16_t index = group->index;
  std::vector<uint16_t> gone;
  assert_true(listening.Refresh(&gone).empty() && gone.empty());
  // Nobody wants it any longer, then nobody listens where it would come to.
  assert_true(listening.SetConfiguration(Parse(rule)));
  (void)listening.Refresh(&gone);
  assert_true(gone == std::vector<uint16_t>{index});
  assert_true(listening.SetConfiguration(Parse("interface drop 192.0.2.1\nmulticastclient\n")));
  (void)listening.Refresh(&gone);
  assert_true(Find(listening, kOwn)->drop);
  assert_null(Find(listening, kGroup));
}

void WhatALineNamesAndIsNotThereIsSaid(void**) {
  ntpward::test::KeptLines log;
  Options options;
  WarnOfAbsent(Parse("interface listen 192.0.2.1\ninterface listen lo\ninterface ignore all\n"),
               options, &log);
  assert_true(log.all.empty());
  WarnOfAbsent(Parse("interface listen nosuch0\ninterface ignore 192.0.2.9\n"), options, &log);
  options.interfaces = {"lo", "nosuch1"};
  WarnOfAbsent({}, options, &log);
  assert_int_equal(log.all.size(), 3);
  assert_true(log.all[0].find("ntp.conf:1:1: warning: nosuch0: no such") != std::string::npos);
  assert_true(log.all[1].find("192.0.2.9") != std::string::npos);
  assert_true(log.all[2].find("-I nosuch1") != std::string::npos);
}

void AWildcardHearsGroupsItself(void**) {
  ntpward::test::KeptLines log;
  ListenSockets listening(&log, 0);
  assert_true(listening.Open(Parse("multicastclient\n"), {}).ok());
  assert_null(Find(listening, kGroup));
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(Ipv4RepliesAreNeverFragmented),
      cmocka_unit_test(GroupsHaveSocketsBesideThoseOfAddresses),
      cmocka_unit_test(WhatALineNamesAndIsNotThereIsSaid),
      cmocka_unit_test(AWildcardHearsGroupsItself),
  };
  return cmocka_run_group_tests(tests, test::EnterOwnNetwork, nullptr);
}
