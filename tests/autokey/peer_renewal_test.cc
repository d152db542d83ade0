// Peers prove each other anew before 2^19 s are over: neither loses a poll by it, whatever the
// renewal meets. The real key process is behind each.
#include "ntpd/autokey/peer_renewal.h"

#include <algorithm>

#include "ntpd/autokey/peer_dance.h"
#include "tests/autokey/peer_pair.h"
#include "tests/support/authority.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {
namespace {

using Scheme = PeerPair::Scheme;
using wire::AutokeyCode;

constexpr uint32_t kInterval = 1024;
constexpr uint32_t kDay = 86400;

// Two that follow each other, at the slowest polls.
struct Slow : PeerPair {
  explicit Slow(Scheme scheme = Scheme::kTrail, uint8_t automax = 12, int poll = 10)
      : PeerPair(scheme, automax) {
    one->host.Synchronise();
    two->host.Synchronise();
    assert_true(Settle());
    one->poll = two->poll = poll;
    for (int i = 0; i < 4; ++i) (void)Poll(1U << poll);
    started = one->dance->dance().started();
  }
  double Age() { return one->context().mono - started; }
  // Every packet is authentic at both ends meanwhile.
  void PollFor(double seconds, uint32_t interval = kInterval) {
    for (const double end = Age() + seconds; Age() < end;) {
      const Turn turn = Poll(interval);
      assert_true(turn.at_one == Heard::kTime && turn.at_two == Heard::kTime);
      assert_true(one->dance->identified() && two->dance->identified());
      assert_true(one->dance->dance().has_cookie() && two->dance->dance().has_cookie());
    }
  }
  void ExpectNothingLost() {
    assert_true(one->restarts.empty() && two->restarts.empty());
    assert_int_equal(one->naks_sent + two->naks_sent, 0);
    assert_int_equal(one->dance->flags() & 0xffff, two->dance->flags() & 0xffff);
  }
  static size_t Lines(const PeerHost& host, std::string_view beginning) {
    return static_cast<size_t>(
        std::count_if(host.statistics.begin(), host.statistics.end(),
                      [&](const std::string& line) { return line.starts_with(beginning); }));
  }
  // Just before a renewal is due.
  void Ripen() {
    constexpr uint32_t kSeldom = 16384;
    const double due = ClientDance::kRefreshSeconds - RenewingDance::kRenewalSeconds;
    PollFor(due - Age() - 2 * kSeldom, kSeldom);
    PollFor(due - Age() - 2 * kInterval);
    assert_false(one->dance->renewing() || two->dance->renewing());
  }
  void PollUntilRenewing() {
    for (int i = 0; i < 8 && !one->dance->renewing(); ++i) (void)Poll(kInterval);
    assert_true(one->dance->renewing());
  }

  MonoTime started;
};

void NotOnePollIsLostInAMonth(void**) {
  for (const Scheme scheme : {Scheme::kTrail, Scheme::kIff, Scheme::kPrivate}) {
    Slow pair(scheme);
    const size_t cookies = Slow::Lines(*pair.one, "cook ");
    pair.PollFor(30.0 * kDay);
    pair.ExpectNothingLost();
    // Every 2^19 s less 2^16.
    const MonoTime now = pair.one->context().mono;
    for (const auto* host : {&*pair.one, &*pair.two}) {
      assert_true(now - host->dance->dance().started() <
                  ClientDance::kRefreshSeconds - RenewingDance::kRenewalSeconds + 60 * kInterval);
      if (scheme == Scheme::kIff) assert_int_equal(Slow::Lines(*host, "iff "), 1 + 5);
      if (scheme != Scheme::kPrivate) assert_true(Slow::Lines(*host, "cert ") >= 1 + 5);
    }
    // They agreed once, and that goes on.
    assert_int_equal(Slow::Lines(*pair.one, "cook "), cookies);
  }
}

// A table of 37 s since 2017 that expires `days` after the beginning.
LeapValues TableOf(uint32_t days) {
  return {37, NtpSeconds{3692217600}, NtpSeconds{kPeersNow + days * kDay}};
}

size_t TimesHeard(const PeerHost& host, uint32_t days) {
  const LeapValues table = TableOf(days);
  return Slow::Lines(
      host, "leap TAI offset 37 at 3692217600 expire " + std::to_string(table.expiry.value));
}

bool KnowsATable(const PeerHost& host) { return (host.dance->flags() & kLeap) != 0; }

// Before there is one it is asked for every 4.5 h, afterwards by each renewal; and that there is
// one is said all the time.
void ATableThatIsAnnouncedLaterIsHeardOf(void**) {
  for (const Scheme scheme : {Scheme::kIff, Scheme::kPrivate}) {
    Slow pair(scheme);
    // Nobody said at the beginning that there would be one.
    pair.one->host.state.SetLeap(TableOf(200));
    pair.PollFor(0.25 * kDay);
    assert_int_equal(TimesHeard(*pair.two, 200), 1);
    pair.PollFor(6.0 * kDay);
    assert_int_equal(TimesHeard(*pair.two, 200), 2);
    pair.one->host.state.SetLeap(TableOf(300));
    for (int i = 0; i < 6; ++i) {
      pair.PollFor(kDay);
      assert_true(KnowsATable(*pair.two));
    }
    assert_int_equal(TimesHeard(*pair.two, 300), 1);
    assert_int_equal(TimesHeard(*pair.two, 200), 2);
    assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
  }
}

void ATableIsAskedForAnewWhenItExpired(void**) {
  Slow pair(Scheme::kIff);
  pair.one->host.state.SetLeap(TableOf(8));
  pair.PollFor(7.5 * kDay);
  assert_true(KnowsATable(*pair.two));
  pair.PollFor(kDay);
  assert_false(KnowsATable(*pair.two));
  pair.one->host.state.SetLeap(TableOf(300));
  pair.PollFor(0.5 * kDay);
  assert_true(KnowsATable(*pair.two));
  assert_int_equal(TimesHeard(*pair.two, 300), 1);
}

void WhoHasNoTableIsAskedSeldom(void**) {
  Slow pair(Scheme::kIff);
  pair.PollFor(30.0 * kDay);
  pair.ExpectNothingLost();
  const size_t asked = Slow::Lines(*pair.two, "8205");
  assert_true(asked >= 150);
  assert_true(asked <= static_cast<size_t>(30 * kDay / ClientDance::kTableAgainSeconds));
  assert_false(KnowsATable(*pair.two));
}

// `automax` 9, or polls of more than an hour: every packet announces a list, or every other one.
void ListsOfFewKeysLeaveRoomForProofs(void**) {
  struct Pace {
    uint8_t automax;
    int poll;
  };
  for (const Pace pace : {Pace{9, 10}, Pace{12, 12}, Pace{12, 13}}) {
    Slow pair(Scheme::kIff, pace.automax, pace.poll);
    pair.PollFor(10.0 * kDay, 1U << pace.poll);
    pair.ExpectNothingLost();
    for (const auto* host : {&*pair.one, &*pair.two})
      assert_int_equal(Slow::Lines(*host, "iff "), 1 + 1);
  }
}

// ... and for the answers and the end of what is never proved anew.
void ListsOfOneKeyAreNoWayToBeBelievedForEver(void**) {
  Slow pair(Scheme::kTrail, 9);
  pair.Ripen();
  pair.lose_to_one = true;
  for (int i = 0; i < 80; ++i) (void)pair.Poll(kInterval);
  assert_false(pair.one->restarts.empty());
  assert_true(pair.one->restarts.front() == Restart::kRefresh);
}

// Anybody can ask ASSOC in the peer's name between two of its packets.
void AForgedBeginningInARenewalForgetsNothing(void**) {
  Slow pair(Scheme::kIff);
  pair.Ripen();
  pair.PollUntilRenewing();
  const auto forged = AssociationRequest(pair.one->host.state, AssocId{111});
  for (int i = 0; i < 24; ++i) {
    for (PeerHost* host : {&*pair.one, &*pair.two})
      (void)host->dance->OnField(forged, false, host->context());
    pair.PollFor(kInterval);
  }
  pair.ExpectNothingLost();
}

// A new host key, certificate and half of the cookie at once. What it signs counts as soon as it is
// proved by the new key: in a renewal that has every turn, as the old proofs are good for nothing.
void APeersNewKeyIsProvedWithoutStartingOver(void**) {
  for (const Scheme scheme : {Scheme::kTrail, Scheme::kIff}) {
    Slow pair(scheme);
    pair.PollFor(RenewingDance::kRetrySeconds);
    pair.RenewKeysOfTwoByACrash();
    int lost = 0;
    for (int good = 0; good < 4; ++lost) {
      const auto turn = pair.Poll(kInterval);
      const bool both = turn.at_one == Heard::kTime && turn.at_two == Heard::kTime;
      good = both ? good + 1 : 0;
      assert_true(lost < 12);
    }
    pair.PollFor(20 * kInterval);
    assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
  }
}

bool Knows(const PeerHost& host, const PeerHost& other) {
  return host.dance->dance().trail().server()->key == other.host.state.certificate().key;
}

// A reload gives cookie and lists to the new key process, and what was proved goes on under the old
// key's signatures until the new one is proved beside.
void APeersNewKeyCostsNoPollAtAReload(void**) {
  for (const Scheme scheme : {Scheme::kTrail, Scheme::kIff}) {
    // With every number of keys that may be left of its list.
    for (int polls = 0; polls < 6; ++polls) {
      Slow pair(scheme);
      for (int i = 0; i < polls; ++i) pair.PollFor(kInterval);
      const size_t cookies = Slow::Lines(*pair.one, "cook ");
      pair.RenewKeysOfTwo();
      assert_false(Knows(*pair.one, *pair.two));
      pair.PollFor(20 * kInterval);
      assert_true(Knows(*pair.one, *pair.two));
      pair.PollFor(2.0 * kDay);
      pair.ExpectNothingLost();
      assert_int_equal(Slow::Lines(*pair.one, "cook "), cookies);
    }
  }
}

void NeitherDoesAnotherBeforeTheFirstIsProved(void**) {
  for (int polls = 0; polls < 16; ++polls) {
    Slow pair(Scheme::kIff);
    pair.RenewKeysOfTwo();
    for (int i = 0; i < polls; ++i) pair.PollFor(kInterval);
    pair.RenewKeysOfTwo(1);
    pair.PollFor(60 * kInterval);
    assert_true(Knows(*pair.one, *pair.two));
    pair.ExpectNothingLost();
  }
}

void LostPacketsDelayTheProofOfANewKeyAndNoMore(void**) {
  for (int lost = 0; lost < 28; lost += 3) {
    Slow pair(Scheme::kIff, 12, 6);
    pair.RenewKeysOfTwo();
    for (int i = 0; i < 14; ++i) {
      pair.lose_to_two = lost == 2 * i;
      pair.lose_to_one = lost == 2 * i + 1;
      (void)pair.Poll(64);
    }
    pair.lose_to_one = pair.lose_to_two = false;
    pair.PollFor(300.0 * 64, 64);
    assert_true(Knows(*pair.one, *pair.two));
    pair.ExpectNothingLost();
  }
}

// Off the path nobody begins a renewal; who answers in the peer's place begins one that fails, and
// the peer's own is not put off for longer than that takes.
void AForgedNewKeyEndsNothing(void**) {
  for (const bool answers : {false, true}) {
    Slow pair(Scheme::kIff);
    PeerPair stranger(Scheme::kTrail);
    wire::AutokeyField field;
    const Certificate& forged = stranger.two->host.state.certificate();
    field.head = {false, false, static_cast<uint8_t>(AutokeyCode::kSign), 222};
    field.has_value = true;
    field.timestamp = {kPeersNow};
    field.filestamp = forged.filestamp;
    field.value = forged.der;
    const std::vector<uint8_t> bytes = EncodedField(field);
    for (int i = 0; i < 40; ++i) {
      (void)pair.one->dance->OnField(bytes, answers, pair.one->context());
      pair.PollFor(kInterval);
      if (!answers) assert_false(pair.one->dance->renewing());
    }
    pair.RenewKeysOfTwo();
    pair.PollFor(60 * kInterval);
    assert_true(Knows(*pair.one, *pair.two));
    pair.ExpectNothingLost();
  }
}

// The other end does not take the questions for a new start.
void ACertificateThatIsAskedForInBetweenForgetsNothing(void**) {
  Slow pair;
  pair.Ripen();
  const size_t lists = Slow::Lines(*pair.two, "auto ");
  pair.PollUntilRenewing();
  pair.PollFor(20 * kInterval);
  pair.ExpectNothingLost();
  // A list lives four polls, and was asked for once more.
  assert_in_range(Slow::Lines(*pair.two, "auto ") - lists, 4, 12);
}

void LostPacketsDelayARenewalAndNoMore(void**) {
  for (int lost = 0; lost < 24; ++lost) {
    Slow pair(Scheme::kIff);
    pair.Ripen();
    for (int i = 0; i < 12; ++i) {
      pair.lose_to_two = lost == 2 * i;
      pair.lose_to_one = lost == 2 * i + 1;
      (void)pair.Poll(kInterval);
    }
    pair.lose_to_one = pair.lose_to_two = false;
    pair.PollFor(RenewingDance::kRenewalSeconds);
    pair.ExpectNothingLost();
    assert_true(pair.one->context().mono - pair.one->dance->dance().started() <
                2 * RenewingDance::kRenewalSeconds);
  }
}

std::vector<uint8_t> Answer(AutokeyCode code, bool error, std::string_view value) {
  wire::AutokeyField field;
  field.head = {true, error, static_cast<uint8_t>(code), 111};
  const std::vector<uint8_t> forged(64, 0x11);
  field.has_value = !value.empty();
  field.timestamp = {kPeersNow + 30U * kDay};
  field.filestamp = {kPeersNow};
  field.value = AsBytes(value);
  field.signature = forged;
  return EncodedField(field);
}

// Whoever sits in between and answers in the peer's place can keep it from being proved anew, and
// no more; for the rest of the 2^19 s it is believed what was proved.
void ForgedAnswersEndARenewalAndNothingElse(void**) {
  for (int kind = 0; kind < 4; ++kind) {
    Slow pair(Scheme::kIff);
    pair.Ripen();
    pair.PollUntilRenewing();
    while (pair.Age() < ClientDance::kRefreshSeconds - 4 * kInterval) {
      const AutokeyCode code = kind == 3   ? AutokeyCode::kAutokey
                               : kind == 2 ? AutokeyCode::kIff
                                           : AutokeyCode::kCertificate;
      const auto forged = Answer(code, kind != 1, kind == 1 ? "nonsense" : "");
      const Bytes field = forged;
      for (int i = 0; i < 10; ++i)
        assert_true(pair.one->dance->OnField(field, true, pair.one->context()).dance.restart ==
                    Restart::kNone);
      const auto turn = pair.Poll(kInterval);
      assert_true(turn.at_one == Heard::kTime && turn.at_two == Heard::kTime);
    }
    pair.ExpectNothingLost();
    assert_true(pair.one->dance->identified());
  }
}

// A peer that answers no question is not believed for longer than before.
void WhoIsNotProvedAnewInTimeStartsOver(void**) {
  Slow pair;
  pair.Ripen();
  pair.lose_to_one = true;
  for (int i = 0; i < 80; ++i) (void)pair.Poll(kInterval);
  assert_false(pair.one->restarts.empty());
  assert_true(pair.one->restarts.front() == Restart::kRefresh);
  pair.lose_to_one = false;
  pair.one->poll = pair.two->poll = 4;
  assert_true(pair.Settle());
}

// One that failed is tried again, and not only when the end of the 2^19 s is near.
void AProofThatWeWantIsTriedUntilItSucceeds(void**) {
  Slow pair(Scheme::kIff);
  PeerRenewal renewal(AssocId{111}, pair.one->policy, pair.one->context().mono);
  const ClientDance& running = pair.one->dance->dance();
  const PeerRenewal::Pace pace{.follows = true, .interval = kInterval};
  assert_false(renewal.TakeTurn(running, pace, pair.one->context()));
  renewal.Want(pair.one->context().mono);
  for (int tries = 0; tries < 3; ++tries) {
    assert_true(renewal.TakeTurn(running, pace, pair.one->context()));
    // Nobody answers.
    for (int polls = 0; renewal.active(); ++polls) {
      assert_true(polls < 3 * PeerRenewal::kMaxTurns);
      (void)renewal.NextRequest(pair.one->context());
      (void)renewal.TakeTurn(running, pace, pair.one->context());
      (void)renewal.TakeTurn(running, pace, pair.one->context());
    }
    assert_false(renewal.TakeTurn(running, pace, pair.one->context()));
    pair.one->host.time.seconds += static_cast<uint32_t>(RenewingDance::kRetrySeconds);
  }
}

void WhatAReloadInterruptsBeginsAgainAtOnce(void**) {
  Slow pair(Scheme::kIff);
  pair.Ripen();
  pair.PollUntilRenewing();
  (void)pair.one->dance->OnHostMaterial({}, pair.one->context());
  assert_false(pair.one->dance->renewing());
  pair.PollFor(2 * kInterval);
  assert_true(pair.one->dance->renewing());
  pair.PollFor(20 * kInterval);
  assert_true(pair.Age() > 0 && pair.one->dance->dance().started() != pair.started);
  pair.ExpectNothingLost();
}

void TheLossOfAKeyProcessInARenewalIsSurvived(void**) {
  for (int polls = 0; polls < 8; ++polls) {
    Slow pair(Scheme::kIff);
    pair.Ripen();
    pair.PollUntilRenewing();
    for (int i = 0; i < polls; ++i) (void)pair.Poll(kInterval);
    pair.one->LoseKeys();
    pair.one->poll = pair.two->poll = 4;
    assert_true(pair.Settle());
    pair.one->poll = pair.two->poll = 10;
    for (int i = 0; i < 2; ++i) (void)pair.Poll(kInterval);
    pair.PollFor(RenewingDance::kRenewalSeconds);
    pair.ExpectNothingLost();
  }
}

void OneThatStartsAnewInARenewalIsTakenBack(void**) {
  Slow pair;
  pair.Ripen();
  pair.PollUntilRenewing();
  pair.one->poll = pair.two->poll = 4;
  pair.two->StartDanceAnew(AssocId{333});
  assert_true(pair.Settle());
  assert_true(pair.one->restarts.empty());
}

void LateAnswersFindTheirOwnDance(void**) {
  Slow pair(Scheme::kIff);
  pair.Ripen();
  pair.PollUntilRenewing();
  PeerDance& dance = *pair.one->dance;
  for (uint32_t ticket = 0; ticket < 64; ++ticket) {
    for (const uint32_t generation : {0U, 1U, 2U, 255U}) {
      const uint32_t any = generation << 24 | ticket;
      assert_true(dance.OnVerdict(any, msg::VerdictCode::kBad, pair.one->context()).restart ==
                  Restart::kNone);
      (void)dance.OnValueAnswer(any, {}, pair.one->context());
    }
  }
  pair.PollFor(30 * kInterval);
  pair.ExpectNothingLost();
  assert_false(dance.renewing());
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NotOnePollIsLostInAMonth),
      cmocka_unit_test(ATableThatIsAnnouncedLaterIsHeardOf),
      cmocka_unit_test(ATableIsAskedForAnewWhenItExpired),
      cmocka_unit_test(WhoHasNoTableIsAskedSeldom),
      cmocka_unit_test(ListsOfFewKeysLeaveRoomForProofs),
      cmocka_unit_test(ListsOfOneKeyAreNoWayToBeBelievedForEver),
      cmocka_unit_test(AForgedBeginningInARenewalForgetsNothing),
      cmocka_unit_test(APeersNewKeyIsProvedWithoutStartingOver),
      cmocka_unit_test(APeersNewKeyCostsNoPollAtAReload),
      cmocka_unit_test(NeitherDoesAnotherBeforeTheFirstIsProved),
      cmocka_unit_test(LostPacketsDelayTheProofOfANewKeyAndNoMore),
      cmocka_unit_test(AForgedNewKeyEndsNothing),
      cmocka_unit_test(ACertificateThatIsAskedForInBetweenForgetsNothing),
      cmocka_unit_test(LostPacketsDelayARenewalAndNoMore),
      cmocka_unit_test(ForgedAnswersEndARenewalAndNothingElse),
      cmocka_unit_test(WhoIsNotProvedAnewInTimeStartsOver),
      cmocka_unit_test(AProofThatWeWantIsTriedUntilItSucceeds),
      cmocka_unit_test(WhatAReloadInterruptsBeginsAgainAtOnce),
      cmocka_unit_test(TheLossOfAKeyProcessInARenewalIsSurvived),
      cmocka_unit_test(OneThatStartsAnewInARenewalIsTakenBack),
      cmocka_unit_test(LateAnswersFindTheirOwnDance),
  };
  return cmocka_run_group_tests(tests, LoadCrypto, nullptr);
}
