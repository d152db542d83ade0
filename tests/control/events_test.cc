// Events: counted as the status words show them, and unable to flood a log.
#include "ntpd/control/events.h"

#include "ntpd/control/rate_limiter.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::control {
namespace {

using wire::PeerEvent;
using wire::SystemEvent;

void SystemLineHoldsTheStatusAfterTheEvent(void**) {
  EventCounter events;
  wire::SystemStatus now;
  now.leap = 0;
  now.source = wire::SystemSource::kNtp;
  assert_string_equal(ReportSystemEvent(events, SystemEvent::kClockSync, now)->c_str(),
                      "0.0.0.0 0615 05 clock_sync");
  assert_string_equal(ReportSystemEvent(events, SystemEvent::kClockStep, now, "+1.5 s")->c_str(),
                      "0.0.0.0 061c 0c clock_step +1.5 s");
}

void PeerLineNamesTheServer(void**) {
  EventCounter events;
  wire::PeerStatus now;
  now.configured = true;
  assert_string_equal(
      ReportPeerEvent(events, IpAddress::V4(10, 77, 0, 1), PeerEvent::kMobilize, now)->c_str(),
      "10.77.0.1 8011 81 mobilize");
  now.reachable = true;
  assert_string_equal(
      ReportPeerEvent(events, *IpAddress::Parse("fd77::1"), PeerEvent::kReachable, now)->c_str(),
      "fd77::1 9014 84 reachable");
}

void ANewCodeStartsTheCountAgain(void**) {
  EventCounter events;
  assert_true(events.Note(4) && events.Note(4) && events.Note(4));
  assert_int_equal(events.count(), 3);
  assert_true(events.Note(3));
  assert_int_equal(events.count(), 1);
  assert_int_equal(events.last(), 3);
}

void TheSixteenthRepetitionIsSuppressed(void**) {
  EventCounter events;
  for (int i = 0; i < 15; ++i) assert_true(events.Note(12));
  assert_false(events.Note(12));
  assert_false(ReportPeerEvent(events, {}, PeerEvent::kBadAuth, {}).has_value());
  assert_int_equal(events.count(), 15);
  events.Clear();
  assert_int_equal(events.last(), 12);
  assert_true(events.Note(12));
}

void DetailIsMadePrintable(void**) {
  EventCounter events;
  assert_string_equal(ReportSystemEvent(events, SystemEvent::kRestart, {},
                                        "a\nb\x1b"
                                        "c")
                          ->c_str(),
                      "0.0.0.0 c016 06 restart a?b?c");
}

void LimiterRefillsAtItsRate(void**) {
  RateLimiter limiter(5);
  const IpAddress source = *IpAddress::Parse("2001:db8::1");
  const MonoTime start = MonoTime::FromSeconds(10);
  while (limiter.Allow(source, start)) {
  }
  int allowed = 0;
  for (int i = 0; i < 100; ++i) allowed += limiter.Allow(source, start + 1.0);
  assert_int_equal(allowed, 20);
  // The same /64, and time that went back, bring nothing.
  assert_false(limiter.Allow(*IpAddress::Parse("2001:db8::ffff"), start + 1.0));
  assert_false(limiter.Allow(source, start));
}

void LoopbackMayAskInBursts(void**) {
  RateLimiter limiter(5);
  const IpAddress local = IpAddress::V4(127, 0, 0, 1);
  for (int i = 0; i < 1000; ++i) assert_true(limiter.Allow(local, MonoTime()));
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SystemLineHoldsTheStatusAfterTheEvent),
      cmocka_unit_test(PeerLineNamesTheServer),
      cmocka_unit_test(ANewCodeStartsTheCountAgain),
      cmocka_unit_test(TheSixteenthRepetitionIsSuppressed),
      cmocka_unit_test(DetailIsMadePrintable),
      cmocka_unit_test(LimiterRefillsAtItsRate),
      cmocka_unit_test(LoopbackMayAskInBursts),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
