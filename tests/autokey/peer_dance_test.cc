// Two peers prove each other, agree on a cookie and follow each other's lists, whatever happens to
// one of them. The real key process is behind each.
#include "ntpd/autokey/peer_dance.h"

#include "tests/autokey/peer_pair.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {
namespace {

using Scheme = PeerPair::Scheme;

struct Synchronised : PeerPair {
  explicit Synchronised(Scheme scheme = Scheme::kTrail, uint8_t automax = 12)
      : PeerPair(scheme, automax) {
    one->host.Synchronise();
    two->host.Synchronise();
  }
};

void TwoPeersProveEachOtherAndAgree(void**) {
  Synchronised pair;
  assert_true(pair.Settle());
  for (const auto* host : {&*pair.one, &*pair.two}) {
    assert_int_equal(host->dance->flags(), 0x83f01);
    assert_true(host->dance->dance().identity() == "TC");
    assert_true(host->restarts.empty());
    assert_int_equal(host->naks_sent, 0);
  }
}

void PeersOfAGroupProveThatTheyBelongToIt(void**) {
  Synchronised pair(Scheme::kIff);
  assert_true(pair.Settle());
  for (const auto* host : {&*pair.one, &*pair.two}) {
    assert_true(host->dance->dance().identity() == "IFF");
    assert_true((host->dance->flags() & kVerified) != 0);
  }
}

void PeersWithTheGroupsPrivateCertificateNeedNoOther(void**) {
  Synchronised pair(Scheme::kPrivate);
  assert_true(pair.Settle());
  for (const auto* host : {&*pair.one, &*pair.two}) {
    assert_true(host->dance->dance().identity() == "PC");
    for (const auto& line : host->statistics) assert_false(line.starts_with("cert "));
  }
}

// What the fields of the first packet say that Two sends once it has heard One.
std::vector<int> FirstCodesOfTwo(Scheme scheme) {
  Synchronised pair(scheme);
  (void)pair.two->Receive(*pair.one->Send());
  const auto sent = pair.two->Send();
  const auto packet = wire::ParsePacket(*sent);
  std::vector<int> codes;
  for (const auto& field : packet->extensions())
    codes.push_back(field.field[0] << 8 | field.field[1]);
  return codes;
}

// With a private certificate ntpd 4.2.6 knows who answers it, and starts over when that one asks.
void OnlyAPrivatePeerAsksWhoTheOtherIsBeforeItAnswers(void**) {
  assert_true(FirstCodesOfTwo(Scheme::kPrivate) == (std::vector<int>{0x0201, 0x8201}));
  assert_true(FirstCodesOfTwo(Scheme::kTrail) == (std::vector<int>{0x8201, 0x0201}));
  assert_true(FirstCodesOfTwo(Scheme::kIff) == (std::vector<int>{0x8201, 0x0201}));
}

// What it announces from then on looks older than what it announced before, for as long as its
// clock was ahead.
void APeerWhoseClockWasAheadIsFollowedAgain(void**) {
  Synchronised pair(Scheme::kTrail, 6);
  constexpr int32_t kAhead = 30 * 86400;
  pair.two->host.time.Step(kAhead);
  assert_true(pair.Settle());
  pair.two->host.time.Step(-kAhead);
  for (int i = 0; i < 40; ++i) (void)pair.Poll();
  int followed = 0;
  for (int i = 0; i < 20; ++i) followed += pair.Poll().at_one == Heard::kTime ? 1 : 0;
  assert_true(followed >= 15);
  assert_int_equal(pair.one->restarts.size(), 1);
  assert_true(pair.one->restarts[0] == Restart::kFailures);
}

// What it says cannot be signed, so that no cookie can be agreed: it goes by the other's list, as a
// broadcast client.
void APeerWithoutTimeTakesItByTheOthersList(void**) {
  PeerPair pair;
  pair.one->host.Synchronise();
  int good = 0, refused = 0;
  for (int i = 0; i < 30; ++i) {
    const PeerPair::Turn turn = pair.Poll();
    good += turn.at_two == Heard::kTime ? 1 : 0;
    refused += turn.at_two == Heard::kRefused ? 1 : 0;
    assert_true(turn.at_one == Heard::kNothing);
  }
  assert_true(good >= 20);
  // One list in 2000 ends so soon: the next identifier would be that of a symmetric key.
  assert_true(refused <= 1);
  assert_true(pair.two->dance->identified());
  assert_false(pair.two->dance->dance().has_cookie());
  assert_false(pair.one->dance->identified());
  // It has got time, and the cookie follows.
  pair.two->host.Synchronise();
  assert_true(pair.Settle());
  assert_true(pair.two->dance->dance().has_cookie());
  assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
}

void TwoPeersWithoutTimeWaitForIt(void**) {
  PeerPair pair;
  for (int i = 0; i < 60; ++i) {
    const PeerPair::Turn turn = pair.Poll();
    assert_true(turn.at_one == Heard::kNothing && turn.at_two == Heard::kNothing);
  }
  pair.two->host.Synchronise();
  for (int i = 0; i < 20; ++i) (void)pair.Poll();
  pair.one->host.Synchronise();
  assert_true(pair.Settle());
  assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
}

// Their packets pass each other on the way.
void PeersThatStartTogetherComeTogether(void**) {
  Synchronised pair;
  bool both_bare = false;
  for (int i = 0; i < 40 && !both_bare; ++i) {
    pair.one->host.time.seconds += 16, pair.two->host.time.seconds += 16;
    const auto first = pair.one->Send();
    const auto second = pair.two->Send();
    const Heard at_two = pair.two->Receive(*first);
    const Heard at_one = pair.one->Receive(*second);
    both_bare = at_one == Heard::kTime && at_two == Heard::kTime && pair.one->last_was_bare &&
                pair.two->last_was_bare;
  }
  assert_true(both_bare);
  assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
}

void ListsFollowEachOtherWithoutALoss(void**) {
  Synchronised pair(Scheme::kTrail, 6);  // five keys at 16 s
  assert_true(pair.Settle());
  for (int i = 0; i < 60; ++i) {
    const PeerPair::Turn turn = pair.Poll();
    assert_true(turn.at_one == Heard::kTime);
    assert_true(turn.at_two == Heard::kTime);
  }
  int lists = 0;
  for (const auto& line : pair.one->statistics) lists += line.starts_with("auto seq 4 ") ? 1 : 0;
  assert_true(lists >= 10);
}

// The other keeps what was proved, and only gets another half of the cookie.
void APeerThatStartsAnewIsTakenBack(void**) {
  Synchronised pair;
  assert_true(pair.Settle());
  pair.two->StartDanceAnew(AssocId{333});
  assert_true(pair.Settle());
  assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
  assert_int_equal(pair.one->naks_sent + pair.two->naks_sent, 0);
  pair.one->StartDanceAnew(AssocId{444});
  assert_true(pair.Settle());
  assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
}

// As a daemon that was started anew: it has no time yet, and goes by a list that is hashed with 0.
void APeerThatStartsAnewWithoutTimeIsTakenBack(void**) {
  Synchronised pair;
  assert_true(pair.Settle());
  pair.two->StartDanceAnew(AssocId{333});
  pair.two->host.synchronised = false;
  int good = 0;
  for (int i = 0; i < 20; ++i) good += pair.Poll().at_two == Heard::kTime ? 1 : 0;
  assert_true(good >= 10);
  pair.two->host.synchronised = true;
  assert_true(pair.Settle());
  assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
  assert_int_equal(pair.one->naks_sent + pair.two->naks_sent, 0);
}

void PeersOutliveTheLossOfTheirKeyProcess(void**) {
  Synchronised pair;
  assert_true(pair.Settle());
  pair.two->LoseKeys();
  assert_true(pair.Settle());
  pair.one->LoseKeys();
  pair.two->LoseKeys();
  assert_true(pair.Settle());
  assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
}

void LostPacketsDelayAndNoMore(void**) {
  // Each packet of the dance is lost once, from one and from two.
  for (int lost = 0; lost < 32; ++lost) {
    Synchronised pair;
    for (int i = 0; i < 16; ++i) {
      pair.lose_to_two = lost == 2 * i;
      pair.lose_to_one = lost == 2 * i + 1;
      (void)pair.Poll();
    }
    pair.lose_to_one = pair.lose_to_two = false;
    assert_true(pair.Settle(10));
    assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
  }
}

void AMatchingCryptoNakStartsOver(void**) {
  Synchronised pair;
  assert_true(pair.Settle());
  pair.one->dance->OnCryptoNak(pair.one->context());
  assert_int_equal(pair.one->dance->flags(), 0);
  pair.one->host.Ask(msg::ForgetAssociation{.association = pair.one->id});
  assert_true(pair.Settle());
  assert_true(pair.two->restarts.empty());
}

// One that keeps failing in answers to us has another cookie: it is told so.
void OnlyAnswersWithBadMacsLeadToANak(void**) {
  Synchronised pair;
  assert_true(pair.Settle());
  PeerDance& dance = *pair.one->dance;
  for (int i = 0; i < 50; ++i) dance.OnPacketVerdict(msg::VerdictCode::kBad, false, true);
  for (int i = 0; i < 50; ++i) dance.OnPacketVerdict(msg::VerdictCode::kBad, true, false);
  assert_false(dance.TakeNak());
  dance.OnPacketVerdict(msg::VerdictCode::kBad, true, true);
  dance.OnPacketVerdict(msg::VerdictCode::kBad, true, true);
  dance.OnPacketVerdict(msg::VerdictCode::kGood, true, true);
  dance.OnPacketVerdict(msg::VerdictCode::kBad, true, true);
  assert_false(dance.TakeNak());
  for (int i = 0; i < PeerDance::kMostBadMacs; ++i)
    dance.OnPacketVerdict(msg::VerdictCode::kBad, true, true);
  assert_true(dance.TakeNak());
  assert_false(dance.TakeNak());
}

// A host's own root is no root for others: who is no trusted host is followed by nobody, and
// follows. Its only other certificate is one that we signed, which is all there is to learn of it.
void AnUntrustedPeerFollowsATrustedOneAndLosesNoPoll(void**) {
  for (const Scheme scheme : {Scheme::kTrail, Scheme::kIff}) {
    PeerPair pair(scheme, 12, false);
    pair.one->host.Synchronise();
    pair.two->host.Synchronise();
    for (int i = 0; i < 20; ++i) {
      assert_true(pair.Poll().at_one == Heard::kNothing);
      (void)pair.one->dance->TakeHaste(pair.one->context());
    }
    for (int i = 0; i < 600; ++i) {
      const PeerPair::Turn turn = pair.Poll();
      assert_true(turn.at_two == Heard::kTime);
      assert_true(turn.at_one == Heard::kNothing);
    }
    assert_int_equal(pair.two->dance->flags() & 0x3f01, 0x3f01);
    assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
    // Its operator is told so once.
    assert_int_equal(pair.one->events.size(), 1);
    assert_true(pair.one->events[0].find("no trail but one that comes back to us") !=
                std::string::npos);
    // The trusted end knows that it is followed, and follows nobody by its own word.
    assert_true(pair.one->dance->follower_since().has_value());
    assert_true(pair.one->dance->dance().ends_in_us());
    assert_false(pair.one->dance->identified() || pair.one->dance->follows_list());
    assert_false(pair.one->dance->TakeHaste(pair.one->context()));
  }
}

void ARefreshStartsOver(void**) {
  Synchronised pair;
  assert_true(pair.Settle());
  pair.one->host.time.seconds += 524288, pair.two->host.time.seconds += 524288;
  assert_true(pair.Settle());
  assert_false(pair.one->restarts.empty());
  assert_true(pair.one->restarts.front() == Restart::kRefresh);
}

// Neither a peer that never has time nor a forger keeps us at a faster pace than our own.
void HasteIsRationed(void**) {
  PeerPair pair;
  pair.one->host.Synchronise();
  int hastened = 0;
  for (int i = 0; i < 600; ++i) {
    (void)pair.Poll(2);
    hastened += pair.one->dance->TakeHaste(pair.one->context()) ? 1 : 0;
  }
  assert_in_range(hastened, 24, 24 + 1200 / 64 + 1);
}

void NothingIsHastenedWhenAllIsSaid(void**) {
  Synchronised pair;
  assert_true(pair.Settle());
  for (int i = 0; i < 40; ++i) (void)pair.Poll();
  assert_false(pair.one->dance->TakeHaste(pair.one->context()));
}

// With IFF and with private certificates.
void AnotherGroupThatIsPinnedEndsAPeersProofAtTheReload(void**) {
  for (const auto scheme : {PeerPair::Scheme::kIff, PeerPair::Scheme::kPrivate}) {
    Synchronised pair(scheme);
    assert_true(pair.Settle());
    PeerHost& one = *pair.one;
    assert_true(one.dance->OnHostMaterial({}, one.context()).restart == Restart::kNone);
    DancePolicy policy = one.policy;
    policy.group = "other";
    assert_true(one.dance->OnPolicy(policy, one.context()).restart == Restart::kPolicy);
    assert_false(one.dance->identified());
    assert_false(pair.Settle());
  }
}

// In the middle of the dance what the other end asks is answered by the key that it was shown.
void ANewKeyAtAReloadStartsNoDanceOver(void**) {
  for (const Scheme scheme : {Scheme::kTrail, Scheme::kIff}) {
    for (int polls = 0; polls < 12; ++polls) {
      Synchronised pair(scheme);
      for (int i = 0; i < polls; ++i) (void)pair.Poll();
      pair.RenewKeysOfTwo();
      assert_true(pair.Settle());
      assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
    }
  }
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TwoPeersProveEachOtherAndAgree),
      cmocka_unit_test(PeersOfAGroupProveThatTheyBelongToIt),
      cmocka_unit_test(PeersWithTheGroupsPrivateCertificateNeedNoOther),
      cmocka_unit_test(OnlyAPrivatePeerAsksWhoTheOtherIsBeforeItAnswers),
      cmocka_unit_test(APeerWhoseClockWasAheadIsFollowedAgain),
      cmocka_unit_test(APeerWithoutTimeTakesItByTheOthersList),
      cmocka_unit_test(TwoPeersWithoutTimeWaitForIt),
      cmocka_unit_test(PeersThatStartTogetherComeTogether),
      cmocka_unit_test(ListsFollowEachOtherWithoutALoss),
      cmocka_unit_test(APeerThatStartsAnewIsTakenBack),
      cmocka_unit_test(APeerThatStartsAnewWithoutTimeIsTakenBack),
      cmocka_unit_test(PeersOutliveTheLossOfTheirKeyProcess),
      cmocka_unit_test(LostPacketsDelayAndNoMore),
      cmocka_unit_test(AMatchingCryptoNakStartsOver),
      cmocka_unit_test(OnlyAnswersWithBadMacsLeadToANak),
      cmocka_unit_test(AnUntrustedPeerFollowsATrustedOneAndLosesNoPoll),
      cmocka_unit_test(ARefreshStartsOver),
      cmocka_unit_test(HasteIsRationed),
      cmocka_unit_test(NothingIsHastenedWhenAllIsSaid),
      cmocka_unit_test(AnotherGroupThatIsPinnedEndsAPeersProofAtTheReload),
      cmocka_unit_test(ANewKeyAtAReloadStartsNoDanceOver),
  };
  return cmocka_run_group_tests(tests, LoadCrypto, nullptr);
}
