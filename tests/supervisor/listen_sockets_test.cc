// How the listening sockets are set up: real sockets, in a network namespace.
#include "ntpd/supervisor/listen_sockets.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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

// Hears what is sent to port 123 of `to`.
bool Hears(const ListenSocket& socket, const IpAddress& to) {
  const UniqueFd client(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage address{};
  const socklen_t length = SocketAddress{to, kNtpPort}.ToSockaddr(&address);
  CHECK(sendto(client.get(), "x", 1, 0, reinterpret_cast<sockaddr*>(&address), length) == 1);
  char octet = 0;
  return recv(socket.fd.get(), &octet, 1, MSG_DONTWAIT) == 1;
}

// All that a system call filter could ever leave open, not only what it does.
void Spoil(const ListenSocket& socket) {
  const int fd = socket.fd.get();
  sockaddr_storage far{};
  const socklen_t length = SocketAddress{kOwn, 9}.ToSockaddr(&far);
  CHECK(connect(fd, reinterpret_cast<sockaddr*>(&far), length) == 0);
  sock_filter drop_all{BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog program{1, &drop_all};
  const int on = 1;
  CHECK(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0);
  CHECK(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on) == 0);
  const int off = 0;
  CHECK(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &off, sizeof off) == 0);
  CHECK(setsockopt(fd, IPPROTO_IP, IP_TOS, &on, sizeof on) == 0);
  CHECK(shutdown(fd, SHUT_RDWR) == 0);
}

void NothingDoneToASocketOutlivesItsRenewal(void**) {
  for (const char* lines : {"", "interface listen 192.0.2.1\n"}) {
    ntpward::test::KeptLines log;
    ListenSockets listening(&log, 0);
    assert_true(listening.Open(Parse(lines), {}).ok());
    const IpAddress where = *lines == 0 ? IpAddress::V4(0, 0, 0, 0) : kOwn;
    const ListenSocket* socket = Find(listening, where);
    const uint16_t index = socket->index;
    assert_true(Hears(*socket, kOwn));
    Spoil(*socket);
    assert_false(Hears(*socket, kOwn));
    assert_true(listening.Renew());
    socket = Find(listening, where);
    assert_int_equal(socket->index, index);
    assert_true(Hears(*socket, kOwn));
    assert_int_equal(OptionOf(*socket, IPPROTO_IP, IP_PKTINFO), 1);
    assert_int_equal(OptionOf(*socket, IPPROTO_IP, IP_TOS), 0);
  }
}

void APortThatIsTakenMeanwhileIsSaidAndOpenedLater(void**) {
  for (const char* lines : {"", "interface listen 192.0.2.1\n"}) {
    ntpward::test::KeptLines log;
    ListenSockets listening(&log, 0);
    assert_true(listening.Open(Parse(lines), {}).ok());
    const IpAddress where = *lines == 0 ? IpAddress::V4(0, 0, 0, 0) : kOwn;
    const size_t all = listening.sockets().size();
    UniqueFd another(dup(Find(listening, where)->fd.get()));
    assert_false(listening.Renew());
    assert_true(
        log.all.back().find("unable to bind to " + SocketAddress{where, kNtpPort}.ToString()) !=
        std::string::npos);
    assert_null(Find(listening, where));
    std::vector<uint16_t> gone;
    assert_true(listening.Refresh(&gone).empty());
    assert_false(listening.IsComplete());
    another.Close();
    assert_int_equal(listening.Refresh(&gone).size(), 1);
    assert_true(listening.IsComplete() && gone.empty());
    assert_int_equal(listening.sockets().size(), all);
    assert_true(Hears(*Find(listening, where), kOwn));
  }
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
      cmocka_unit_test(NothingDoneToASocketOutlivesItsRenewal),
      cmocka_unit_test(APortThatIsTakenMeanwhileIsSaidAndOpenedLater),
  };
  return cmocka_run_group_tests(tests, test::EnterOwnNetwork, nullptr);
}
