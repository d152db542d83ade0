// When a source is asked: volleys, reach, back-off, politeness.
#include "ntpd/core/poll_schedule.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }

// Polls as the schedule says until `until`; answers each after 0.1 s if `answers`.
std::vector<double> Run(PollSchedule* schedule, double until, bool answers) {
  std::vector<double> sent;
  while (!schedule->stopped() && schedule->next() <= At(until)) {
    const MonoTime now = schedule->next();
    schedule->OnPoll(now);
    sent.push_back(now.seconds());
    if (answers) schedule->OnAnswer(now + 0.1);
  }
  return sent;
}

// The longest run that `discard minimum 2 average 3` of ntpd 4.2.8 lets pass: never closer than 2
// s, never more than 64 s of headway owed.
bool ServerWouldLimit(const std::vector<double>& sent) {
  double debt = 0, last = -1000;
  for (double t : sent) {
    if (t - last < 1.999) return true;
    debt = std::max(0.0, debt - (t - last)) + 8;
    if (debt > 64) return true;
    last = t;
  }
  return false;
}

void IburstSendsEightTwoSecondsApart(void**) {
  PollSchedule schedule({6, 10, true, false}, 1, At(0));
  const auto sent = Run(&schedule, 60, true);
  assert_int_equal(sent.size(), 8);
  for (size_t i = 0; i < sent.size(); ++i)
    assert_true(std::abs(sent[i] - 2.0 * static_cast<double>(i)) < 1e-6);
  assert_int_equal(schedule.reach(), 1);
  assert_false(ServerWouldLimit(sent));
}

void WithoutIburstTheFirstPollIsSingle(void**) {
  PollSchedule schedule({6, 10, false, false}, 1, At(0));
  assert_int_equal(Run(&schedule, 60, true).size(), 1);
}

void BurstSendsAVolleyAtEachPollWhileReachable(void**) {
  PollSchedule schedule({6, 6, false, true}, 1, At(0));
  const auto sent = Run(&schedule, 300, true);
  assert_int_equal(sent.size(), 1 + 8 * 3);  // volleys start a poll after the end of the last
  assert_false(ServerWouldLimit(sent));
}

void DeadServerGetsOneVolleyAndThenSinglePolls(void**) {
  PollSchedule schedule({4, 10, true, false}, 1, At(0));
  const auto sent = Run(&schedule, 14 + 16.5 * 10, false);
  assert_in_range(sent.size(), 8 + 9, 8 + 11);
}

void DeadServerIsAskedLessAndLess(void**) {
  PollSchedule schedule({4, 10, true, false}, 1, At(0));
  const auto sent = Run(&schedule, 20000, false);
  assert_int_equal(schedule.poll(), 10);
  assert_true(sent.size() < 50);
}

void FirstAnswerAfterASilenceStartsAVolley(void**) {
  PollSchedule schedule({6, 10, true, false}, 1, At(0));
  Run(&schedule, 1000, false);
  const MonoTime back = schedule.next();
  schedule.OnPoll(back);
  assert_true(schedule.OnAnswer(back + 0.1));
  assert_true(std::abs(schedule.next() - (back + 2.0)) < 1e-6);
  assert_int_equal(Run(&schedule, back.seconds() + 30, true).size(), 7);
}

void ReachRegisterShiftsOncePerPollNotPerPacket(void**) {
  PollSchedule schedule({4, 4, true, false}, 1, At(0));
  Run(&schedule, 14 + 16 * 3 + 8, true);
  assert_int_equal(schedule.reach(), 0xf);
  Run(&schedule, 14 + 16 * 5 + 10, false);
  assert_int_equal(schedule.reach(), 0x3c);
}

void PollEffectTellsLostAndUnreachable(void**) {
  PollSchedule schedule({4, 4, false, false}, 1, At(0));
  Run(&schedule, 1, true);
  int lost = 0, unreachable = 0;
  for (int i = 0; i < 10; ++i) {
    const auto effect = schedule.OnPoll(schedule.next());
    lost += effect.lost;
    unreachable += effect.unreachable;
    assert_int_equal(effect.lost, i >= 2);
    assert_int_equal(effect.unreachable, i == 7);
  }
  assert_int_equal(lost, 8);
  assert_int_equal(unreachable, 1);
}

void ExtendBurstIsBoundedAndWithinTheServersLimits(void**) {
  PollSchedule schedule({6, 10, true, false}, 1, At(0));
  std::vector<double> sent;
  while (schedule.next() <= At(600)) {
    const MonoTime now = schedule.next();
    schedule.OnPoll(now);
    sent.push_back(now.seconds());
    schedule.OnAnswer(now + 0.1);
    if (now < At(200)) schedule.ExtendBurst(now + 0.1);
  }
  int close = 0;
  for (size_t i = 1; i < sent.size(); ++i) close += sent[i] - sent[i - 1] < 16;
  assert_int_equal(close, PollSchedule::kMaxVolley - 1);
  assert_false(ServerWouldLimit(sent));
  // Eight packets take 14 s, so a dance of eight steps is never slowed down.
  assert_true(std::abs(sent[7] - 14) < 1e-6);
}

void ExtendBurstAfterTheLastPacketGoesOnAtTwoSeconds(void**) {
  PollSchedule schedule({6, 10, true, false}, 1, At(0));
  for (int i = 0; i < 8; ++i) schedule.OnPoll(schedule.next());
  assert_true(schedule.next() > At(60));
  assert_true(schedule.ExtendBurst(At(14.1)));
  assert_true(std::abs(schedule.next() - At(16)) < 1e-6);
}

void ExtendBurstNeedsAVolley(void**) {
  PollSchedule schedule({6, 10, false, false}, 1, At(0));
  schedule.OnPoll(At(0));
  assert_false(schedule.ExtendBurst(At(0.1)));
}

void RestartingOverAndOverIsNoFlood(void**) {
  PollSchedule schedule({6, 10, true, false}, 1, At(0));
  std::vector<double> sent;
  for (int i = 0; i < 50; ++i) {
    const MonoTime now = schedule.next();
    schedule.OnPoll(now);
    sent.push_back(now.seconds());
    schedule.Restart(now + 0.05);
  }
  assert_false(ServerWouldLimit(sent));
}

// Whoever makes us start over at each request: the second request of a new start never comes.
void WhoMakesUsStartOverAgainAndAgainWaitsLonger(void**) {
  PollSchedule schedule({4, 10, true, false}, 1, At(0));
  double longest = 0;
  for (int i = 0; i < 20; ++i) {
    const MonoTime now = schedule.next();
    schedule.OnPoll(now);
    schedule.Restart(now + 0.01);
    const double pause = schedule.next() - now;
    assert_true(pause >= longest);
    longest = std::max(pause, longest);
    assert_true(i == 0 ? pause <= 2 : pause >= std::min(64.0, 4.0 * (1 << (i - 1))));
    assert_true(pause <= 64.1);
  }
  assert_true(longest > 64);
  // A sample now and then buys no patience; a server that serves is trusted again.
  for (int i = 0; i < 7; ++i) schedule.OnSample();
  schedule.Restart(At(10000));
  schedule.Hasten(At(10001));
  assert_true(schedule.next() == At(10064));
  for (int i = 0; i < 8; ++i) schedule.OnSample();
  schedule.Restart(At(20000));
  assert_true(schedule.next() == At(20000));
}

void TwoSourcesDoNotFallIntoStep(void**) {
  PollSchedule a({6, 6, false, false}, 1, At(0)), b({6, 6, false, false}, 2, At(0));
  const auto sent_a = Run(&a, 6400, true), sent_b = Run(&b, 6400, true);
  int together = 0;
  const size_t n = std::min(sent_a.size(), sent_b.size());
  for (size_t i = 1; i < n; ++i) {
    together += std::abs(sent_a[i] - sent_b[i]) < 0.01;
    assert_true(sent_a[i] - sent_a[i - 1] > 62 && sent_a[i] - sent_a[i - 1] < 66);
  }
  assert_true(together < 10);
}

void PollLimitsAreClamped(void**) {
  PollSchedule low({-5, -9, false, false}, 1, At(0));
  assert_int_equal(low.poll(), 3);
  assert_int_equal(low.maxpoll(), 3);
  PollSchedule high({99, 99, false, false}, 1, At(0));
  assert_int_equal(high.poll(), 17);
  high.OnPoll(At(0));
  assert_true(high.next() - At(0) < 140000);
}

// Answered polls until minpoll is what it was.
int PollsUntilForgiven(PollSchedule* schedule, int minpoll) {
  for (int polls = 0; polls < 10000; ++polls) {
    if (schedule->minpoll() == minpoll) return polls;
    const MonoTime now = schedule->next();
    schedule->OnPoll(now);
    schedule->OnAnswer(now + 0.1);
    schedule->SetSystemPoll(minpoll);
  }
  return -1;
}

void RateIsForgivenStepByStep(void**) {
  PollSchedule schedule({4, 6, false, false}, 1, At(0));
  schedule.OnPoll(At(0));
  schedule.OnRate(7, At(0.1));
  assert_int_equal(schedule.minpoll(), 7);
  assert_int_equal(schedule.poll(), 7);
  assert_true(schedule.next() - At(0) > 120);
  // Three steps, eight answered polls each: no sooner.
  assert_int_equal(PollsUntilForgiven(&schedule, 4), 24);
  schedule.SetSystemPoll(4);
  assert_int_equal(schedule.poll(), 4);
}

void RateAgainIsForgivenLater(void**) {
  PollSchedule schedule({4, 6, false, false}, 1, At(0));
  int polls = 0;
  for (int kiss = 0; kiss < 10; ++kiss) {
    schedule.OnRate(0, schedule.next());
    assert_int_equal(schedule.minpoll(), 5);
    const int now = PollsUntilForgiven(&schedule, 4);
    assert_true(now >= polls);
    polls = now;
  }
  assert_int_equal(polls, PollSchedule::kMostPenance);
}

void SilenceIsNoForgiveness(void**) {
  PollSchedule schedule({4, 6, false, false}, 1, At(0));
  schedule.OnRate(0, At(0));
  for (int i = 0; i < 100; ++i) schedule.OnPoll(schedule.next());
  // Nor is more than one answer to one poll.
  for (int i = 0; i < 100; ++i) schedule.OnAnswer(schedule.next());
  assert_int_equal(schedule.minpoll(), 5);
}

void ASuccessorOwesWhatItsPredecessorSent(void**) {
  for (const double owed : {10.0, 40.0, 58.0, 1e9}) {
    const double debt = std::min(owed, 58.0);
    PollSchedule schedule({4, 6, true, false, owed}, 1, At(100));
    double level = debt, last = 100;
    int in_first_minute = 0;
    // Servers want 2 s between any two.
    assert_true(schedule.next() >= At(102));
    for (; schedule.next() < At(160); ++in_first_minute) {
      const MonoTime now = schedule.next();
      level = std::max(0.0, level - (now.seconds() - last)) + 8;
      last = now.seconds();
      assert_true(level <= 64);
      schedule.OnPoll(now);
      schedule.OnAnswer(now + 0.1);
    }
    assert_true(in_first_minute >= 7);
  }
}

void SystemPollStaysWithinTheConfiguredOnes(void**) {
  PollSchedule schedule({6, 8, false, false}, 1, At(0));
  schedule.OnPoll(At(0));
  schedule.OnAnswer(At(1));
  for (int poll = 0; poll < 20; ++poll) {
    schedule.SetSystemPoll(poll);
    assert_int_equal(schedule.poll(), std::clamp(poll, 6, 8));
  }
}

void HasteStaysWithinTheServersLimits(void**) {
  PollSchedule schedule({.minpoll = 6, .maxpoll = 6}, 1, MonoTime());
  MonoTime now;
  int packets = 0;
  for (; now < MonoTime::FromSeconds(600); ++packets) {
    (void)schedule.OnPoll(now);
    schedule.Hasten(now);
    assert_true(schedule.next() - now >= PollSchedule::kBurstSpacing);
    now = schedule.next();
  }
  // The first few at 2 s, then as many as 8 s of headway each allow.
  assert_in_range(packets, 75, 90);
}

// Forgers in the other end's name must not make it be asked less when they are gone.
void ACrowdIsMetEveryTwoSecondsAndLeavesNoTrace(void**) {
  PollSchedule schedule({.minpoll = 6, .maxpoll = 10}, 1, MonoTime());
  MonoTime now;
  for (int packets = 0; packets < 300; ++packets) {
    (void)schedule.OnPoll(now);
    schedule.Hasten(now, PollSchedule::Haste::kCrowded);
    assert_true(std::abs(schedule.next() - now - PollSchedule::kBurstSpacing) < 1e-6);
    now = schedule.next();
  }
  assert_int_equal(schedule.poll(), 6);
  (void)schedule.OnPoll(now);
  assert_true(schedule.headway(now) <= 66);
}

void WhoToldUsToSlowDownIsNotHurried(void**) {
  PollSchedule schedule({.minpoll = 6, .maxpoll = 10}, 1, MonoTime());
  (void)schedule.OnPoll(MonoTime());
  schedule.OnRate(8, MonoTime());
  const MonoTime planned = schedule.next();
  schedule.Hasten(MonoTime());
  schedule.Hasten(MonoTime(), PollSchedule::Haste::kCrowded);
  assert_true(schedule.next() == planned);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(IburstSendsEightTwoSecondsApart),
      cmocka_unit_test(WithoutIburstTheFirstPollIsSingle),
      cmocka_unit_test(BurstSendsAVolleyAtEachPollWhileReachable),
      cmocka_unit_test(DeadServerGetsOneVolleyAndThenSinglePolls),
      cmocka_unit_test(DeadServerIsAskedLessAndLess),
      cmocka_unit_test(FirstAnswerAfterASilenceStartsAVolley),
      cmocka_unit_test(ReachRegisterShiftsOncePerPollNotPerPacket),
      cmocka_unit_test(PollEffectTellsLostAndUnreachable),
      cmocka_unit_test(ExtendBurstIsBoundedAndWithinTheServersLimits),
      cmocka_unit_test(ExtendBurstAfterTheLastPacketGoesOnAtTwoSeconds),
      cmocka_unit_test(ExtendBurstNeedsAVolley),
      cmocka_unit_test(RestartingOverAndOverIsNoFlood),
      cmocka_unit_test(WhoMakesUsStartOverAgainAndAgainWaitsLonger),
      cmocka_unit_test(TwoSourcesDoNotFallIntoStep),
      cmocka_unit_test(PollLimitsAreClamped),
      cmocka_unit_test(RateIsForgivenStepByStep),
      cmocka_unit_test(RateAgainIsForgivenLater),
      cmocka_unit_test(SilenceIsNoForgiveness),
      cmocka_unit_test(ASuccessorOwesWhatItsPredecessorSent),
      cmocka_unit_test(SystemPollStaysWithinTheConfiguredOnes),
      cmocka_unit_test(HasteStaysWithinTheServersLimits),
      cmocka_unit_test(ACrowdIsMetEveryTwoSecondsAndLeavesNoTrace),
      cmocka_unit_test(WhoToldUsToSlowDownIsNotHurried),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
