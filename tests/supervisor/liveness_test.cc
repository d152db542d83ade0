// When a role that still runs counts as dead.
#include "ntpd/supervisor/liveness.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::supervisor {
namespace {

using msg::Role;

void WhoAnswersIsAskedForEver(void**) {
  Liveness net(Role::kNet);
  for (int i = 0; i < 100000; ++i) {
    const auto question = net.Ask();
    assert_true(question.has_value());
    assert_true(net.OnAnswer({question->number}));
    assert_int_equal(net.unanswered(), 0);
  }
}

void WhoLeavesSixUnansweredHangs(void**) {
  Liveness clock(Role::kClock);
  for (int i = 0; i < 6; ++i) assert_true(clock.Ask().has_value());
  assert_false(clock.Ask().has_value());
  clock.Reset();
  assert_true(clock.Ask().has_value());
}

void ALateAnswerSettlesWhatWasAskedBefore(void**) {
  Liveness keys(Role::kKeys);
  uint32_t last = 0;
  for (int i = 0; i < 6; ++i) last = keys.Ask()->number;
  assert_true(keys.OnAnswer({last - 2}));
  assert_int_equal(keys.unanswered(), 2);
  // The first ones were lost; nobody can answer them any more.
  assert_false(keys.OnAnswer({last - 3}));
  assert_true(keys.OnAnswer({last}));
}

void AnAnswerToNothingIsRefused(void**) {
  Liveness net(Role::kNet);
  assert_false(net.OnAnswer({0}));
  assert_false(net.OnAnswer({1}));
  const uint32_t number = net.Ask()->number;
  assert_false(net.OnAnswer({number + 1}));
  assert_false(net.OnAnswer({number - 1}));
  assert_true(net.OnAnswer({number}));
  assert_false(net.OnAnswer({number}));
}

void ALookUpMayTakeMinutes(void**) {
  Liveness resolve(Role::kResolve);
  for (int i = 0; i < 120; ++i) assert_true(resolve.Ask().has_value());
  assert_false(resolve.Ask().has_value());
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WhoAnswersIsAskedForEver),
      cmocka_unit_test(WhoLeavesSixUnansweredHangs),
      cmocka_unit_test(ALateAnswerSettlesWhatWasAskedBefore),
      cmocka_unit_test(AnAnswerToNothingIsRefused),
      cmocka_unit_test(ALookUpMayTakeMinutes),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
