#include "ntpd/core/unproven.h"

#include <vector>

#include "ntpd/core/mobilisation.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

MonoTime At(double seconds) { return MonoTime() + seconds; }

IpAddress Network(uint8_t third, uint8_t last = 1) { return IpAddress::V4(10, 0, third, last); }
const IpAddress kNewcomer = IpAddress::V4(192, 0, 2, 1);

UnprovenPlace Ask(const std::vector<Unproven>& tried, double now,
                  const IpAddress& newcomer = kNewcomer) {
  return PlaceForUnproven(tried, newcomer, {}, At(now));
}

Unproven One(uint16_t id, double since, std::optional<double> answered = std::nullopt) {
  Unproven one{{id}, Network(static_cast<uint8_t>(id)), Trial(At(since)), std::nullopt};
  if (answered) one.answered = At(*answered);
  return one;
}

std::vector<Unproven> Four(std::optional<double> answered = std::nullopt) {
  return {One(11, 3, answered), One(12, 1, answered), One(13, 2, answered), One(14, 4, answered)};
}

void AFewFindAPlaceAtOnce(void**) {
  std::vector<Unproven> tried;
  for (uint16_t i = 0; i < kMostUnproven; ++i) {
    const UnprovenPlace place = Ask(tried, 0);
    assert_true(place.free);
    assert_int_equal(place.goes.value, 0);
    tried.push_back(One(static_cast<uint16_t>(i + 1), 0));
  }
  assert_false(Ask(tried, 0).free);
}

void TheOldestThatNeverAnsweredGoesAfterItsTime(void**) {
  const std::vector<Unproven> tried = Four();
  assert_false(Ask(tried, 1 + kFirstAnswerSeconds - 0.01).free);
  const UnprovenPlace place = Ask(tried, 1 + kFirstAnswerSeconds);
  assert_true(place.free);
  assert_int_equal(place.goes.value, 12);
}

void WhoAnswersAndGetsFurtherStays(void**) {
  std::vector<Unproven> tried = Four(100000);
  for (Unproven& one : tried) one.trial.Note(1, false, At(100000));
  assert_false(Ask(tried, 100000 + kSilenceSeconds - 0.01).free);
  tried[3].answered.reset();
  assert_int_equal(Ask(tried, 100000).goes.value, 14);
}

void WhoWasRefusedGoesAtOnce(void**) {
  std::vector<Unproven> tried = Four(10);
  tried[3].refused = true;
  assert_int_equal(Ask(tried, 10).goes.value, 14);
  // To a neighbour as well, and nobody else does.
  assert_int_equal(Ask(tried, 10, Network(14, 2)).goes.value, 14);
  assert_false(Ask(tried, 10, Network(13, 2)).free);
}

void WhoFellSilentGoes(void**) {
  std::vector<Unproven> tried = Four(10);
  tried[2].answered = At(5);
  assert_false(Ask(tried, 5 + kSilenceSeconds - 0.01).free);
  assert_int_equal(Ask(tried, 5 + kSilenceSeconds).goes.value, 13);
}

void WhoTalksForHoursWithoutGettingFurtherGoes(void**) {
  double now = 4;
  for (; now < 10000; now += 10) {
    std::vector<Unproven> tried = Four(now);
    tried[1].trial.Note(1, false, At(200));
    const UnprovenPlace place = Ask(tried, now);
    assert_true(place.free == (now >= 2 + kStandstillSeconds));
    if (place.free) assert_int_equal(place.goes.value, 13);
  }
}

void StartingOverIsNoProgress(void**) {
  Trial trial(At(0));
  trial.Note(3, false, At(10));
  for (int i = 0; i < 50; ++i) trial.Note(i % 4, false, At(20 + i));
  assert_true(trial.advanced() == At(10));
  trial.Note(4, false, At(100));
  assert_true(trial.advanced() == At(100));
  assert_true(trial.since() == At(0));
}

void WhoLosesItsProofIsTriedAsIfItHadJustCome(void**) {
  Trial trial(At(0));
  trial.Note(12, true, At(10));
  trial.Note(12, true, At(5000));
  assert_true(trial.since() == At(0));
  trial.Note(0, false, At(6000));
  assert_true(trial.since() == At(6000) && trial.advanced() == At(6000));
  trial.Note(1, false, At(6010));
  assert_true(trial.advanced() == At(6010));
}

void ANetworkHasOnePlace(void**) {
  std::vector<Unproven> tried = {One(7, 0, 0)};
  for (int last = 2; last < 256; ++last)
    assert_false(Ask(tried, 15, Network(7, static_cast<uint8_t>(last))).free);
  assert_true(Ask(tried, 15, Network(8, 2)).free);
  // Another of its addresses takes the place of one that may go, and nobody else's.
  tried.push_back(One(9, -100));
  const UnprovenPlace place = Ask(tried, kSilenceSeconds, Network(7, 9));
  assert_true(place.free);
  assert_int_equal(place.goes.value, 7);
}

// Off the path anybody can write a packet in a neighbour's name.
void ForgedNeighboursTakeNobodysShare(void**) {
  const std::vector<Unproven> tried = {One(7, 0), One(7, 1)};
  assert_true(Ask(tried, 2, Network(7, 9)).free);
  assert_int_equal(Ask(tried, 2, Network(7, 9)).goes.value, 0);
}

// Those that ask together, before any of them has answered, have to share a place afterwards.
void NeighboursThatCameTogetherMakeRoom(void**) {
  std::vector<Unproven> tried;
  for (uint16_t i = 1; i <= kMostUnproven; ++i) {
    const IpAddress from = Network(7, static_cast<uint8_t>(i));
    assert_true(Ask(tried, 0, from).free);
    tried.push_back({{i}, from, Trial(At(0)), std::nullopt});
  }
  assert_false(Ask(tried, 1).free);
  for (Unproven& one : tried) one.answered = At(1);
  for (uint16_t id = 21; id < 20 + kMostUnproven; ++id) {
    const UnprovenPlace place = Ask(tried, 2);
    assert_in_range(place.goes.value, 1, kMostUnproven);
    std::erase_if(tried, [&](const Unproven& one) { return one.id == place.goes; });
    tried.push_back(One(id, 2, 2));
  }
  assert_false(Ask(tried, 2).free);
}

// A farm of addresses in few networks never shuts out who comes from elsewhere.
void ManyAddressesOfOneNetworkShutNobodyOut(void**) {
  std::vector<Unproven> tried;
  for (int i = 0; i < 10000; ++i) {
    const IpAddress from = Network(static_cast<uint8_t>(i % 3), static_cast<uint8_t>(i % 251));
    const double now = i / 100.0;
    const UnprovenPlace place = Ask(tried, now, from);
    assert_true(Ask(tried, now).free);
    if (!place.free) continue;
    std::erase_if(tried, [&](const Unproven& one) { return one.id == place.goes; });
    tried.push_back({{static_cast<uint16_t>(i + 1)}, from, Trial(At(now)), At(now)});
  }
  assert_int_equal(tried.size(), 3);
}

void NetworksAreOfOneFamilyAndOneLink(void**) {
  const auto v6 = [](const char* text) { return *IpAddress::Parse(text); };
  assert_true(InOneNetwork(v6("2001:db8::1"), v6("2001:db8::ffff:0:0:1")));
  assert_false(InOneNetwork(v6("2001:db8::1"), v6("2001:db8:0:1::1")));
  IpAddress one = v6("fe80::1");
  IpAddress other = v6("fe80::2");
  assert_true(InOneNetwork(one, other));
  one.scope = 1, other.scope = 2;
  assert_false(InOneNetwork(one, other));
  assert_true(InOneNetwork(Network(1, 1), Network(1, 255)));
  assert_false(InOneNetwork(Network(1), Network(2)));
  assert_false(InOneNetwork(v6("a00:100::"), IpAddress::V4(10, 0, 1, 0)));
}

// `identity optional` lets in whoever comes: not more of them than leave room for those that prove
// who they are.
void WhoIsLetInByATrailAloneHasFewPlaces(void**) {
  std::vector<LetIn> let_in;
  uint16_t id = 0;
  const auto enter = [&](const IpAddress& from) {
    ++id;
    let_in.push_back({{id}, from, At(id)});
  };
  for (uint8_t last = 1; last <= kMostLetInOfNetwork; ++last) enter(Network(1, last));
  assert_true(TooManyLetIn(let_in).empty());
  enter(Network(1, 200));
  // The one that came last goes, wherever it stands.
  std::swap(let_in.front(), let_in.back());
  assert_true(TooManyLetIn(let_in) == std::vector<AssocId>{{id}});
  let_in.erase(let_in.begin());
  for (uint8_t third = 2; let_in.size() < kMostLetIn; ++third) enter(Network(third));
  assert_true(TooManyLetIn(let_in).empty());
  enter(Network(200));
  enter(Network(201));
  const auto last = static_cast<uint16_t>(id - 1);
  const std::vector<AssocId> gone = {{last}, {id}};
  assert_true(TooManyLetIn(let_in) == gone);
  assert_true(2 * kMostLetIn <= kMostEphemeral);
}

// A broadcast server whose trail is shown anew after a reload goes for no peer that has shown none.
void WhoHasShownATrailGoesBeforeFollowers(void**) {
  std::vector<LetIn> let_in;
  for (uint16_t id = 1; id <= kMostLetIn; ++id)
    let_in.push_back({{id}, Network(static_cast<uint8_t>(id)), At(id)});
  let_in.push_back({{100}, Network(100), At(1000), true});
  assert_true(TooManyLetIn(let_in) == std::vector<AssocId>{{kMostLetIn}});
}

void SinceWhenOneIsProvedIsKept(void**) {
  Trial trial(At(0));
  trial.Note(3, false, At(5));
  trial.Note(12, true, At(10));
  trial.Note(12, true, At(20));
  assert_true(trial.proved_since() == At(10));
}

void LimitsMayBeOthers(void**) {
  const UnprovenLimits limits{.places = 3, .of_network = 2};
  std::vector<Unproven> tried = {One(1, 0, 0)};
  assert_true(PlaceForUnproven(tried, Network(1, 9), limits, At(0)).free);
  tried.push_back({{2}, Network(1, 9), Trial(At(0)), At(0)});
  assert_false(PlaceForUnproven(tried, Network(1, 10), limits, At(0)).free);
  assert_true(PlaceForUnproven(tried, Network(2), limits, At(0)).free);
  tried.push_back(One(3, 0));
  assert_false(PlaceForUnproven(tried, Network(2), limits, At(0)).free);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AFewFindAPlaceAtOnce),
      cmocka_unit_test(TheOldestThatNeverAnsweredGoesAfterItsTime),
      cmocka_unit_test(WhoAnswersAndGetsFurtherStays),
      cmocka_unit_test(WhoWasRefusedGoesAtOnce),
      cmocka_unit_test(WhoFellSilentGoes),
      cmocka_unit_test(WhoTalksForHoursWithoutGettingFurtherGoes),
      cmocka_unit_test(StartingOverIsNoProgress),
      cmocka_unit_test(WhoLosesItsProofIsTriedAsIfItHadJustCome),
      cmocka_unit_test(ANetworkHasOnePlace),
      cmocka_unit_test(ForgedNeighboursTakeNobodysShare),
      cmocka_unit_test(NeighboursThatCameTogetherMakeRoom),
      cmocka_unit_test(ManyAddressesOfOneNetworkShutNobodyOut),
      cmocka_unit_test(NetworksAreOfOneFamilyAndOneLink),
      cmocka_unit_test(WhoIsLetInByATrailAloneHasFewPlaces),
      cmocka_unit_test(WhoHasShownATrailGoesBeforeFollowers),
      cmocka_unit_test(SinceWhenOneIsProvedIsKept),
      cmocka_unit_test(LimitsMayBeOthers),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
