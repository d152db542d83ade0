// Events: counted as the status words show them, and unable to flood a log.
#include "ntpd/core/event_tally.h"

#include "ntpd/wire/status_word.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using wire::SystemEvent;

void ANewCodeStartsTheCountAgain(void**) {
  EventTally<SystemEvent> tally;
  for (int i = 0; i < 3; ++i) assert_true(tally.Add(SystemEvent::kFrequencyMode));
  assert_int_equal(tally.count(), 3);
  assert_true(tally.Add(SystemEvent::kSpikeDetect));
  assert_int_equal(tally.count(), 1);
  assert_true(tally.last() == SystemEvent::kSpikeDetect);
}

void TheSixteenthRepetitionIsSuppressed(void**) {
  EventTally<SystemEvent> tally;
  for (int i = 0; i < 15; ++i) assert_true(tally.Add(SystemEvent::kClockStep));
  assert_false(tally.Add(SystemEvent::kClockStep));
  assert_int_equal(tally.count(), 15);
  tally.ClearCount();
  assert_int_equal(tally.count(), 0);
  assert_true(tally.last() == SystemEvent::kClockStep);
  assert_true(tally.Add(SystemEvent::kClockStep));
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ANewCodeStartsTheCountAgain),
      cmocka_unit_test(TheSixteenthRepetitionIsSuppressed),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
