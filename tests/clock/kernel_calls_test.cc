// What is asked of the kernel. clock_adjtime is this file's own, so that no clock is ever touched.
#include <sys/timex.h>

#include <vector>

#include "ntpd/clock/guard.h"
#include "ntpd/clock/kernel_clock.h"
#include "tests/clock/fake_device.h"
#include "tests/support/cmocka_cc.h"

namespace {
std::vector<timex> calls;  // NOLINT: what the C library would call has no object to be in
}  // namespace

extern "C" int clock_adjtime(clockid_t clock, timex* request) noexcept {
  if (clock != CLOCK_REALTIME) return -1;
  calls.push_back(*request);
  return TIME_OK;
}

namespace ntpward::clock {
namespace {

constexpr MonoTime kNow = MonoTime::FromNanoseconds(1000000000);

int EmptyCalls(void**) {
  calls.clear();
  return 0;
}

void TheTaiOffsetIsSetInACallOfItsOwn(void**) {
  KernelClock clock;
  msg::ClockAdjust request;
  request.synchronised = true;
  request.tai = int16_t{37};
  assert_true(clock.SetStatus(request, kNow).ok());
  assert_int_equal(calls.size(), 2);
  assert_int_equal(calls[0].modes, ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR);
  assert_int_equal(calls[0].status & STA_UNSYNC, 0);
  assert_int_equal(calls[1].modes, ADJ_TAI);
  assert_int_equal(calls[1].constant, 37);
  // Nobody said anything of it: the kernel keeps what it has.
  calls.clear();
  request.tai.reset();
  assert_true(clock.SetStatus(request, kNow).ok());
  assert_int_equal(calls.size(), 1);
}

void AnOffsetThatJumpsNeverGetsThere(void**) {
  KernelClock clock;
  Guard guard({.step_limit = 1000});
  const auto tell = [&](int16_t tai) {
    calls.clear();
    msg::ClockAdjust request;
    request.tai = tai;
    return guard.Apply(request, &clock, kNow, test::Heard).refusal;
  };
  assert_true(tell(37) == msg::ClockRefusal::kNone);
  assert_int_equal(calls.back().modes, ADJ_TAI);
  assert_true(tell(39) == msg::ClockRefusal::kTaiJump);
  assert_true(calls.empty());
  assert_true(tell(9) == msg::ClockRefusal::kTaiJump);
  assert_true(calls.empty());
  assert_true(tell(38) == msg::ClockRefusal::kNone);
  assert_int_equal(calls.back().constant, 38);
}

void LeapSecondsAreTheKernels(void**) {
  KernelClock clock;
  for (const auto& [leap, bit] : {std::pair(1, STA_INS), std::pair(2, STA_DEL), std::pair(0, 0)}) {
    calls.clear();
    msg::ClockAdjust request;
    request.leap = static_cast<uint8_t>(leap);
    assert_true(clock.SetStatus(request, kNow).ok());
    assert_int_equal(calls[0].status & (STA_INS | STA_DEL), bit);
    assert_true((calls[0].status & STA_UNSYNC) != 0);
  }
}

void NegativeStepsHaveAPositiveFraction(void**) {
  KernelClock clock;
  assert_true(clock.Step(-0.25, kNow).ok());
  assert_int_equal(calls[0].modes, ADJ_SETOFFSET | ADJ_NANO);
  assert_int_equal(calls[0].time.tv_sec, -1);
  assert_int_equal(calls[0].time.tv_usec, 750000000);
}

}  // namespace
}  // namespace ntpward::clock

int main() {
  using namespace ntpward::clock;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(TheTaiOffsetIsSetInACallOfItsOwn, EmptyCalls),
      cmocka_unit_test_setup(AnOffsetThatJumpsNeverGetsThere, EmptyCalls),
      cmocka_unit_test_setup(LeapSecondsAreTheKernels, EmptyCalls),
      cmocka_unit_test_setup(NegativeStepsHaveAPositiveFraction, EmptyCalls),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
