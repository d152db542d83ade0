// Which of the last samples is believed, and what an empty or lost stage costs.
#include "ntpd/core/clock_filter.h"

#include <cmath>

#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

constexpr double kPhi = 15e-6;
constexpr double kPrecision = 1e-6;
constexpr double kPoll = 64;

MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }
Sample MakeSample(double when, double offset, double delay, double dispersion = 1e-5) {
  return {At(when), offset, delay, dispersion};
}
bool Near(double a, double b, double tolerance = 1e-9) { return std::abs(a - b) < tolerance; }

void ShortestDelayWins(void**) {
  ClockFilter filter(kPhi, kPrecision);
  filter.Add(MakeSample(0, 0.001, 0.050), kPoll);
  filter.Add(MakeSample(2, 0.002, 0.010), kPoll);
  assert_true(filter.Add(MakeSample(4, 0.009, 0.090), kPoll) == ClockFilter::Outcome::kKept);
  assert_true(Near(filter.offset(), 0.002));
  assert_true(Near(filter.delay(), 0.010));
  assert_true(filter.time() == At(2));
}

void OldSampleLosesToAFreshOneOfLikeDelay(void**) {
  ClockFilter filter(kPhi, kPrecision);
  filter.Add(MakeSample(0, 0.001, 0.010), kPoll);
  // A thousand seconds cost 15 ms of dispersion, more than the delay's 5 ms.
  filter.Add(MakeSample(1000, 0.002, 0.020), 1024);
  assert_true(Near(filter.offset(), 0.002));
}

void OneSampleLeavesTheRestUnknown(void**) {
  ClockFilter filter(kPhi, kPrecision);
  assert_false(filter.has_sample());
  assert_true(filter.dispersion() == kMaxDispersion);
  filter.Add(MakeSample(0, 0.001, 0.010), kPoll);
  assert_true(filter.dispersion() > 7.9);
}

void TwoGoodSamplesAreEnough(void**) {
  ClockFilter filter(kPhi, kPrecision);
  filter.Add(MakeSample(0, 0.001, 0.010), kPoll);
  filter.Add(MakeSample(2, 0.001, 0.010), kPoll);
  assert_true(filter.dispersion() < 1e-4);
}

// RFC 5905 section 10: eight stages of equal age and dispersion keep that dispersion; jitter is the
// RMS of seven differences.
void FullFilterFollowsTheFormulas(void**) {
  ClockFilter filter(kPhi, kPrecision);
  for (int i = 0; i < 8; ++i)
    filter.Add(MakeSample(0, i == 0 ? 0.0 : 0.001, 0.010 + 0.001 * i, 0.002), kPoll);
  assert_true(Near(filter.offset(), 0.0));
  assert_true(Near(filter.dispersion(), 0.002));
  assert_true(Near(filter.jitter(), 0.001));
}

void LostPollsDriveASourceOut(void**) {
  ClockFilter filter(kPhi, kPrecision);
  filter.AddLost(At(0));
  assert_false(filter.has_sample());
  for (int i = 0; i < 8; ++i) filter.Add(MakeSample(i, 0, 0.010), kPoll);
  double last = filter.dispersion();
  for (int i = 0; i < 8; ++i) {
    filter.AddLost(At(10 + i));
    assert_true(filter.dispersion() > last || filter.dispersion() == kMaxDispersion);
    last = filter.dispersion();
  }
  assert_true(last > 7.9);
}

void LonelySpikeIsIgnoredAndASecondOneBelieved(void**) {
  ClockFilter filter(kPhi, kPrecision);
  for (int i = 0; i < 8; ++i) filter.Add(MakeSample(64 * i, i % 2 ? 1e-4 : 0, 0.010), kPoll);
  const double before = filter.offset();
  assert_true(filter.Add(MakeSample(520, 0.9, 0.001), kPoll) == ClockFilter::Outcome::kPopcorn);
  assert_true(filter.offset() == before);
  assert_true(filter.Add(MakeSample(584, 0.9, 0.001), kPoll) == ClockFilter::Outcome::kBetter);
  assert_true(Near(filter.offset(), 0.9));
}

void SlewShrinksAllOffsets(void**) {
  ClockFilter filter(kPhi, kPrecision);
  filter.Add(MakeSample(0, 0.010, 0.010), kPoll);
  filter.Add(MakeSample(2, 0.011, 0.010), kPoll);
  filter.OnSlewed(0.004);
  assert_true(Near(filter.offset(), 0.007));
  assert_true(Near(filter.Stages(At(2))[1].offset, 0.006));
}

void StagesShowNewestFirstAndEmptyOnesAsUnknown(void**) {
  ClockFilter filter(kPhi, kPrecision);
  filter.Add(MakeSample(0, 0.001, 0.010), kPoll);
  filter.Add(MakeSample(100, 0.002, 0.020), kPoll);
  const auto stages = filter.Stages(At(100));
  assert_true(Near(stages[0].offset, 0.002) && Near(stages[0].dispersion, 1e-5));
  assert_true(Near(stages[1].delay, 0.010) && Near(stages[1].dispersion, 1e-5 + 100 * kPhi));
  for (size_t i = 2; i < stages.size(); ++i) assert_true(stages[i].dispersion == kMaxDispersion);
}

void ResetForgetsEverything(void**) {
  ClockFilter filter(kPhi, kPrecision);
  filter.Add(MakeSample(0, 0.5, 0.010), kPoll);
  filter.Reset();
  assert_false(filter.has_sample());
  assert_true(filter.dispersion() == kMaxDispersion);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ShortestDelayWins),
      cmocka_unit_test(OldSampleLosesToAFreshOneOfLikeDelay),
      cmocka_unit_test(OneSampleLeavesTheRestUnknown),
      cmocka_unit_test(TwoGoodSamplesAreEnough),
      cmocka_unit_test(FullFilterFollowsTheFormulas),
      cmocka_unit_test(LostPollsDriveASourceOut),
      cmocka_unit_test(LonelySpikeIsIgnoredAndASecondOneBelieved),
      cmocka_unit_test(SlewShrinksAllOffsets),
      cmocka_unit_test(StagesShowNewestFirstAndEmptyOnesAsUnknown),
      cmocka_unit_test(ResetForgetsEverything),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
