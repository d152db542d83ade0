// How the listening sockets are set up: real sockets, in a network namespace.
#include "ntpd/supervisor/listen_sockets.h"

#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include "privsep/capabilities.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/kept_lines.h"

namespace ntpward::supervisor {
namespace {

int EnterOwnNetwork(void**) {
  return unshare(HasCapability(CAP_SYS_ADMIN) ? CLONE_NEWNET : CLONE_NEWNET | CLONE_NEWUSER);
}

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

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {cmocka_unit_test(Ipv4RepliesAreNeverFragmented)};
  return cmocka_run_group_tests(tests, EnterOwnNetwork, nullptr);
}
