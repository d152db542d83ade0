// Truechimers, survivors, and what they say together.
#include "ntpd/core/selection.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using wire::Selection;

const Parameters kParameters;

Candidate Source(uint16_t id, double offset, double distance = 0.010, double jitter = 0.0001,
                 uint8_t stratum = 2) {
  Candidate c;
  c.id = AssocId{id};
  c.offset = offset;
  c.root_distance = distance;
  c.jitter = jitter;
  c.stratum = stratum;
  return c;
}
SelectionResult Run(const std::vector<Candidate>& candidates,
                    std::optional<AssocId> previous = std::nullopt,
                    const Parameters& parameters = kParameters) {
  return Select(candidates, parameters, previous);
}

void NothingComesOfNothing(void**) {
  const auto result = Run({});
  assert_false(result.system_peer.has_value());
  assert_true(result.survivors.empty());
}

void OneSourceIsFollowed(void**) {
  const auto result = Run({Source(1, 0.5)});
  assert_int_equal(*result.system_peer, 0);
  assert_true(result.marks[0] == Selection::kSystemPeer);
  assert_true(result.combined.offset == 0.5);
}

void FalsetickerIsOutvoted(void**) {
  const auto result = Run({Source(1, 0.001), Source(2, 0.200), Source(3, -0.001)});
  assert_true(result.marks[1] == Selection::kFalsetick);
  assert_int_equal(result.survivors.size(), 2);
  assert_true(std::abs(result.combined.offset) < 0.001);
}

void TwoThatDisagreeAreBothUnbelieved(void**) {
  const auto result = Run({Source(1, 0), Source(2, 1)});
  assert_false(result.system_peer.has_value());
  for (Selection mark : result.marks) assert_true(mark == Selection::kFalsetick);
}

void AMinorityNeverWins(void**) {
  // Two agree, three disagree with them and with each other.
  const auto result =
      Run({Source(1, 0), Source(2, 0.001), Source(3, 1), Source(4, 2), Source(5, 3)});
  assert_false(result.system_peer.has_value());
}

// The intersection of what is left is inside every truechimer, and there is a majority of them:
// checked against counting at every endpoint.
void IntersectionAgreesWithCounting(void**) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> offset(-1, 1), distance(0.01, 0.5);
  for (int round = 0; round < 3000; ++round) {
    std::vector<Candidate> candidates;
    const size_t n = 1 + random() % 7;
    for (size_t i = 0; i < n; ++i)
      candidates.push_back(Source(static_cast<uint16_t>(i + 1), offset(random), distance(random)));
    size_t most = 0;
    for (const Candidate& at : candidates) {
      for (double point : {at.offset - at.root_distance, at.offset + at.root_distance}) {
        size_t inside = 0;
        for (const Candidate& c : candidates)
          inside += std::abs(c.offset - point) <= c.root_distance + 1e-12;
        most = std::max(most, inside);
      }
    }
    const std::vector<bool> truechimers = Intersect(candidates);
    const auto count =
        static_cast<size_t>(std::count(truechimers.begin(), truechimers.end(), true));
    if (count > 0) assert_true(2 * most > n);
    if (2 * most <= n) assert_int_equal(count, 0);
    if (most == n) assert_int_equal(count, n);
  }
}

void TrueSourceSurvivesAnyMajority(void**) {
  std::vector<Candidate> candidates = {Source(1, 0), Source(2, 0.001), Source(3, 9)};
  candidates[2].always_true = true;
  const auto result = Run(candidates);
  assert_true(result.marks[2] != Selection::kFalsetick);
}

void MinsaneWantsThatManyTruechimers(void**) {
  Parameters parameters;
  parameters.minsane = 3;
  assert_false(Run({Source(1, 0), Source(2, 0)}, std::nullopt, parameters).system_peer.has_value());
  assert_true(Run({Source(1, 0), Source(2, 0), Source(3, 0)}, std::nullopt, parameters)
                  .system_peer.has_value());
}

void PreferredSourceRulesAlone(void**) {
  std::vector<Candidate> candidates = {Source(1, 0, 0.001), Source(2, 0.004, 0.02),
                                       Source(3, 0.001)};
  candidates[1].prefer = true;
  const auto result = Run(candidates);
  assert_int_equal(*result.system_peer, 1);
  assert_true(result.combined.offset == 0.004);
}

void PreferredFalsetickerDoesNotRule(void**) {
  std::vector<Candidate> candidates = {Source(1, 0), Source(2, 5), Source(3, 0.001)};
  candidates[1].prefer = true;
  assert_true(Run(candidates).marks[1] == Selection::kFalsetick);
}

void OutliersAreDroppedDownToMinclock(void**) {
  std::vector<Candidate> candidates;
  for (uint16_t i = 0; i < 6; ++i)
    candidates.push_back(Source(static_cast<uint16_t>(i + 1), i == 5 ? 0.009 : 0.0001 * i, 0.02));
  const auto result = Run(candidates);
  assert_true(result.marks[5] == Selection::kOutlier);
  assert_in_range(result.survivors.size(), 3, 5);
}

void SourcesWithinTheirJitterAllSurvive(void**) {
  std::vector<Candidate> candidates;
  for (uint16_t i = 0; i < 6; ++i)
    candidates.push_back(Source(static_cast<uint16_t>(i + 1), 1e-5 * i, 0.02, 0.001));
  assert_int_equal(Run(candidates).survivors.size(), 6);
}

void MoreThanMaxclockAreBackups(void**) {
  std::vector<Candidate> candidates;
  for (uint16_t i = 0; i < 12; ++i)
    candidates.push_back(Source(static_cast<uint16_t>(i + 1), 0, 0.01 + 0.0001 * i, 0.01));
  const auto result = Run(candidates);
  assert_int_equal(result.survivors.size(), 10);
  assert_true(result.marks[11] == Selection::kBackup);
}

void LowerStratumIsTheSystemPeer(void**) {
  const auto result = Run({Source(1, 0, 0.010, 0.0001, 3), Source(2, 0, 0.020, 0.0001, 1)});
  assert_int_equal(*result.system_peer, 1);
}

void SystemPeerDoesNotHopBetweenEquals(void**) {
  const std::vector<Candidate> candidates = {Source(1, 0, 0.010), Source(2, 0, 0.009)};
  assert_int_equal(*Run(candidates).system_peer, 1);
  assert_int_equal(*Run(candidates, AssocId{1}).system_peer, 0);
  const std::vector<Candidate> better = {Source(1, 0, 0.010), Source(2, 0, 0.009, 0.0001, 1)};
  assert_int_equal(*Run(better, AssocId{1}).system_peer, 1);
}

void CombiningWeighsByDistance(void**) {
  const auto result = Run({Source(1, 0.000, 0.010), Source(2, 0.004, 0.030)});
  assert_true(std::abs(result.combined.offset - 0.001) < 1e-12);
  assert_true(result.combined.jitter > 0.001);
}

void LeapNeedsAMajorityOfSurvivors(void**) {
  std::vector<Candidate> candidates = {Source(1, 0), Source(2, 0), Source(3, 0)};
  candidates[0].leap = wire::Leap::kAddSecond;
  assert_true(Run(candidates).leap == wire::Leap::kNone);
  candidates[1].leap = wire::Leap::kAddSecond;
  assert_true(Run(candidates).leap == wire::Leap::kAddSecond);
  candidates[1].leap = wire::Leap::kDeleteSecond;
  assert_true(Run(candidates).leap == wire::Leap::kNone);
}

void AFalsetickersLeapDoesNotCount(void**) {
  std::vector<Candidate> candidates = {Source(1, 0), Source(2, 0), Source(3, 4)};
  candidates[2].leap = wire::Leap::kAddSecond;
  assert_true(Run(candidates).leap == wire::Leap::kNone);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NothingComesOfNothing),
      cmocka_unit_test(OneSourceIsFollowed),
      cmocka_unit_test(FalsetickerIsOutvoted),
      cmocka_unit_test(TwoThatDisagreeAreBothUnbelieved),
      cmocka_unit_test(AMinorityNeverWins),
      cmocka_unit_test(IntersectionAgreesWithCounting),
      cmocka_unit_test(TrueSourceSurvivesAnyMajority),
      cmocka_unit_test(MinsaneWantsThatManyTruechimers),
      cmocka_unit_test(PreferredSourceRulesAlone),
      cmocka_unit_test(PreferredFalsetickerDoesNotRule),
      cmocka_unit_test(OutliersAreDroppedDownToMinclock),
      cmocka_unit_test(SourcesWithinTheirJitterAllSurvive),
      cmocka_unit_test(MoreThanMaxclockAreBackups),
      cmocka_unit_test(LowerStratumIsTheSystemPeer),
      cmocka_unit_test(SystemPeerDoesNotHopBetweenEquals),
      cmocka_unit_test(CombiningWeighsByDistance),
      cmocka_unit_test(LeapNeedsAMajorityOfSurvivors),
      cmocka_unit_test(AFalsetickersLeapDoesNotCount),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
