// What net asks of ntpd-clock, over real pipes; the test answers as ntpd-clock.
#include "ntpd/net/steering.h"

#include <poll.h>

#include <atomic>
#include <thread>

#include "privsep/msg/resolve.h"
#include "tests/net/peers.h"

namespace ntpward::net {
namespace {

using test::CountOf;
using test::Duplex;
using test::Next;

struct Fixture {
  Duplex clock;
  Duplex supervisor;
  SupervisorLink link{&supervisor.near};
  Timebase time;
  Reporter reporter{&link, &time};
  Steering steering{&clock.near, &time, &link, &reporter};
  core::Engine engine{core::EngineConfig{}, Timebase::Mono()};

  int Accusations() { return CountOf<msg::Misbehaviour>(&supervisor.far); }
};

// The clock's side of one step: `answer` gets the request and replies over `channel`.
template <typename Answer>
std::thread AnswerOnce(Channel* channel, Answer answer) {
  return std::thread([channel, answer] {
    pollfd readable{channel->in_fd(), POLLIN, 0};
    (void)poll(&readable, 1, 5000);
    if (const auto request = Next<msg::ClockAdjust>(channel)) answer(channel, *request);
  });
}

void AStepWaitsAndTakesTheState(void**) {
  Fixture f;
  std::thread clock = AnswerOnce(&f.clock.far, [](Channel* channel, const msg::ClockAdjust& asked) {
    // Another state that was under way comes first.
    (void)channel->Send(msg::ClockState{.request = asked.request - 1});
    (void)channel->Send(msg::ClockState{.request = asked.request,
                                        .is_virtual = true,
                                        .since = Timebase::Mono(),
                                        .correction = *asked.step});
  });
  const StepOutcome stepped = f.steering.Step(2.5);
  clock.join();
  assert_true(stepped == StepOutcome::kMade);
  assert_true(f.time.state().is_virtual);
  const double correction = f.time.Correction().seconds();
  assert_true(correction > 2.49 && correction < 2.51);
}

void ARefusedStepIsNoStep(void**) {
  Fixture f;
  std::thread clock = AnswerOnce(&f.clock.far, [](Channel* channel, const msg::ClockAdjust& asked) {
    (void)channel->Send(
        msg::ClockState{.request = asked.request, .refusal = msg::ClockRefusal::kStepBudget});
  });
  const StepOutcome stepped = f.steering.Step(2.5);
  clock.join();
  assert_true(stepped == StepOutcome::kRefused);
  assert_int_equal(f.Accusations(), 0);
}

void AWholeSlewIsDoneWhenTheClockSaysSo(void**) {
  Fixture f;
  for (const auto refusal : {msg::ClockRefusal::kNone, msg::ClockRefusal::kSlewLimit}) {
    std::thread clock = AnswerOnce(&f.clock.far, [refusal](Channel* channel,
                                                           const msg::ClockAdjust& asked) {
      const bool slew = asked.slew == 0.1 && !asked.step;
      (void)channel->Send(msg::ClockState{
          .request = asked.request, .refusal = slew ? refusal : msg::ClockRefusal::kSystemError});
    });
    const bool slewing = f.steering.SlewWhole(0.1, f.engine);
    clock.join();
    assert_int_equal(slewing, refusal == msg::ClockRefusal::kNone);
  }
}

void AStepWithoutAnswerEnds(void**) {
  Fixture f;
  const MonoTime before = Timebase::Mono();
  assert_true(f.steering.Step(1) == StepOutcome::kUnknown);
  assert_true(Timebase::Mono() - before < 10);
  const auto line = Next<msg::LogLine>(&f.supervisor.far);
  assert_true(line && line->text.text() == "clock: no answer to a step");
}

void OtherAnswersDoNotProlongAStep(void**) {
  Fixture f;
  // A clock that talks all the time, but never of the step.
  std::atomic<bool> ended = false;
  std::thread clock([&] {
    while (!ended) (void)f.clock.far.Send(msg::ClockState{.request = 0x7fffffff});
  });
  const MonoTime before = Timebase::Mono();
  const StepOutcome stepped = f.steering.Step(1);
  ended = true;
  clock.join();
  assert_true(stepped == StepOutcome::kUnknown);
  assert_true(Timebase::Mono() - before < 10);
}

void AMalformedAnswerIsAccusedAndNotApplied(void**) {
  Fixture f;
  std::thread clock = AnswerOnce(&f.clock.far, [](Channel* channel, const msg::ClockAdjust& asked) {
    (void)channel->Send(msg::ResolveRequest{.index = 1});
    (void)channel->Send(
        msg::ClockState{.request = asked.request, .is_virtual = true, .correction = 99});
  });
  const StepOutcome stepped = f.steering.Step(1);
  clock.join();
  assert_true(stepped == StepOutcome::kUnknown);
  assert_false(f.steering.OnReadable());
  assert_false(f.time.state().is_virtual);
  assert_int_equal(f.Accusations(), 1);
  // The successor says its state, and is believed.
  f.steering.OnRestarted();
  assert_true(f.clock.far.Send(msg::ClockState{.is_virtual = true}) == SendOutcome::kSent);
  assert_true(f.steering.OnReadable());
  assert_true(f.time.state().is_virtual);
}

void TheSameCourseIsNotSentAgain(void**) {
  Fixture f;
  core::ClockTick tick;
  tick.frequency = Ppm{12};
  for (int i = 0; i < 5; ++i) f.steering.Run(tick, f.engine);
  assert_int_equal(CountOf<msg::ClockAdjust>(&f.clock.far), 1);
  tick.slew = 0.001;
  f.steering.Run(tick, f.engine);
  f.steering.Run(tick, f.engine);
  assert_int_equal(CountOf<msg::ClockAdjust>(&f.clock.far), 2);
  tick.slew = 0;
  f.steering.Run(tick, f.engine);
  assert_int_equal(CountOf<msg::ClockAdjust>(&f.clock.far), 1);
  f.steering.Run(tick, f.engine);
  assert_int_equal(CountOf<msg::ClockAdjust>(&f.clock.far), 0);
  f.steering.OnRestarted();
  f.steering.Run(tick, f.engine);
  assert_int_equal(CountOf<msg::ClockAdjust>(&f.clock.far), 1);
}

void ARefusedSlewIsToldOnceAndTheFrequencyIsSaidAgain(void**) {
  Fixture f;
  core::ClockTick tick{Ppm{12}, 0.0005};
  f.steering.Run(tick, f.engine);
  const auto asked = Next<msg::ClockAdjust>(&f.clock.far);
  assert_true(asked && *asked->slew == 0.0005);
  // Of an older request, or accepted: nothing to tell.
  for (const auto& [request, refusal] :
       {std::pair(asked->request - 1, msg::ClockRefusal::kSlewBudget),
        std::pair(asked->request, msg::ClockRefusal::kNone)}) {
    (void)f.clock.far.Send(msg::ClockState{.request = request, .refusal = refusal});
    assert_true(f.steering.OnReadable());
    assert_false(f.steering.TakeSlewRefusal());
  }
  (void)f.clock.far.Send(
      msg::ClockState{.request = asked->request, .refusal = msg::ClockRefusal::kSlewBudget});
  assert_true(f.steering.OnReadable());
  assert_true(f.steering.TakeSlewRefusal());
  assert_false(f.steering.TakeSlewRefusal());
  tick.slew = 0;
  f.steering.Run(tick, f.engine);
  const auto again = Next<msg::ClockAdjust>(&f.clock.far);
  assert_true(again && again->frequency->value == 12 && *again->slew == 0);
}

void ALeapSecondIsAskedForOnTheLastDayOfItsMonth(void**) {
  Fixture f;
  f.engine.SetLeapNotice(wire::Leap::kAddSecond);
  assert_true(f.engine.AddLocalClock(AssocId{1}, {}, Timebase::Mono()));
  (void)f.engine.Tick(Timebase::Mono(), f.time.Now());
  assert_true(f.engine.system().leap == wire::Leap::kAddSecond);
  struct Day {
    uint32_t noon;  // NTP seconds
    uint8_t leap;
  };
  // 30 December 2026 to 1 January 2027, 28 and 29 February 2028.
  for (const Day day : {Day{4007620800, 0}, Day{4007707200, 1}, Day{4007793600, 0},
                        Day{4044340800, 0}, Day{4044427200, 1}}) {
    const double off =
        (NtpTimestamp::FromRaw(uint64_t{day.noon} << 32) - SystemTimeNow()).seconds();
    f.time.SetState({.is_virtual = true, .since = Timebase::Mono(), .correction = off});
    f.steering.Forget();
    f.steering.Run({}, f.engine);
    const auto asked = Next<msg::ClockAdjust>(&f.clock.far);
    assert_true(asked && asked->leap == day.leap);
  }
}

void MeasuringOnlyAsksNothing(void**) {
  Fixture f;
  assert_false(f.steering.leaves_clock_alone());
  f.steering.SetMeasureOnly(true);
  assert_true(f.steering.leaves_clock_alone());
  core::ClockTick tick;
  tick.frequency = Ppm{12};
  f.steering.Run(tick, f.engine);
  assert_true(f.steering.Step(1) == StepOutcome::kRefused);
  assert_int_equal(CountOf<msg::ClockAdjust>(&f.clock.far), 0);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AStepWaitsAndTakesTheState),
      cmocka_unit_test(ARefusedStepIsNoStep),
      cmocka_unit_test(AWholeSlewIsDoneWhenTheClockSaysSo),
      cmocka_unit_test(AStepWithoutAnswerEnds),
      cmocka_unit_test(OtherAnswersDoNotProlongAStep),
      cmocka_unit_test(AMalformedAnswerIsAccusedAndNotApplied),
      cmocka_unit_test(TheSameCourseIsNotSentAgain),
      cmocka_unit_test(ARefusedSlewIsToldOnceAndTheFrequencyIsSaidAgain),
      cmocka_unit_test(ALeapSecondIsAskedForOnTheLastDayOfItsMonth),
      cmocka_unit_test(MeasuringOnlyAsksNothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
