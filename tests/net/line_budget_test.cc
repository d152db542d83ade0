// What strangers cause to be said is bounded.
#include "ntpd/net/reporter.h"

#include "tests/net/harness.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;

void LinesThatStrangersCauseAreBounded(void**) {
  Harness h;
  for (int i = 0; i < 5000; ++i) {
    h.node.reporter.CryptoStatistics("10.0.0.1", "error 1");
    h.node.reporter.Log(LogLevel::kInfo, "somebody said something");
    while (i % 50 == 0 && h.supervisor.far.Receive()) {
    }
  }
  LineBudget budget(10, 20);
  const MonoTime start = Timebase::Mono();
  int taken = 0;
  for (int i = 0; i < 1000; ++i) taken += budget.Take(start);
  assert_int_equal(taken, 20);
  assert_int_equal(budget.TakeLost(), 980);
  for (int i = 0; i < 1000; ++i) taken += budget.Take(start + 1);
  assert_int_equal(taken, 30);
  // Room is left for what must be said.
  while (h.supervisor.far.Receive()) {
  }
  h.node.link.Accuse(msg::Role::kClock, {});
  assert_int_equal(h.Accusations(), 1);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(LinesThatStrangersCauseAreBounded),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
