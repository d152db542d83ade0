// The system's clock, as far as it can be tested without the right to move it: each call says that
// it failed. The right is dropped first, and no call is made when that does not work.
#include "ntpd/clock/kernel_clock.h"

#include <sys/timex.h>

#include <cmath>

#include "ntpd/clock/guard.h"
#include "privsep/capabilities.h"
#include "tests/clock/fake_device.h"
#include "tests/support/child.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::clock {
namespace {

constexpr MonoTime kNow = MonoTime::FromNanoseconds(1000000000);

// Runs `body` in a child that may not move the clock; 99 when that cannot be had.
template <typename Body>
int WithoutTheRight(Body body) {
  return test::RunInChild([&] {
           if (!KeepOnlyCapabilities({}).ok() || KernelClock::Allowed() ||
               HasCapability(CAP_SYS_TIME))
             return 99;
           return body();
         })
      .exit_status;
}

void EachCallFailsWithoutTheRight(void**) {
  assert_int_equal(WithoutTheRight([] {
                     KernelClock clock;
                     if (clock.SetFrequency(Ppm{0}, kNow).ok()) return 1;
                     if (clock.Slew(0, kNow).ok()) return 2;
                     if (clock.Step(0, kNow).ok()) return 3;
                     if (clock.SetStatus({}, MonoTime()).ok()) return 4;
                     return 0;
                   }),
                   0);
}

void AFailedRequestIsSystemErrorAndChangesNothing(void**) {
  assert_int_equal(WithoutTheRight([] {
                     timex before{};
                     timex after{};
                     if (adjtimex(&before) < 0) return 1;
                     KernelClock clock;
                     Guard guard({.step_limit = 1000});
                     msg::ClockAdjust request{.frequency = Ppm{1}, .slew = 0.0, .step = 0.0};
                     const msg::ClockState state = guard.Apply(request, &clock, kNow, test::Heard);
                     if (state.refusal != msg::ClockRefusal::kSystemError) return 2;
                     if (state.is_virtual || state.frequency.value != 0) return 3;
                     if (adjtimex(&after) < 0) return 4;
                     return before.freq == after.freq && before.status == after.status ? 0 : 5;
                   }),
                   0);
}

void ShowsTheSystemsTime(void**) {
  const KernelClock clock;
  const double before = static_cast<double>(time(nullptr));
  const double shown = clock.UnixSeconds(kNow);
  assert_true(shown >= before && shown < before + 60);
}

}  // namespace
}  // namespace ntpward::clock

int main() {
  using namespace ntpward::clock;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EachCallFailsWithoutTheRight),
      cmocka_unit_test(AFailedRequestIsSystemErrorAndChangesNothing),
      cmocka_unit_test(ShowsTheSystemsTime),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
