#include "ntpd/core/unproven.h"

#include <vector>

#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

MonoTime At(double seconds) { return MonoTime() + seconds; }

std::vector<Unproven> Four(bool heard = false) {
  return {{{11}, At(3), heard}, {{12}, At(1), heard}, {{13}, At(2), heard}, {{14}, At(4), heard}};
}

void AFewFindAPlaceAtOnce(void**) {
  std::vector<Unproven> tried;
  for (uint16_t i = 0; i < kMostUnproven; ++i) {
    const UnprovenPlace place = PlaceForUnproven(tried, At(0));
    assert_true(place.free);
    assert_int_equal(place.goes.value, 0);
    tried.push_back({{static_cast<uint16_t>(i + 1)}, At(0), false});
  }
  assert_false(PlaceForUnproven(tried, At(0)).free);
}

void TheOldestThatNeverAnsweredGoesAfterItsTime(void**) {
  const std::vector<Unproven> tried = Four();
  assert_false(PlaceForUnproven(tried, At(1 + kFirstAnswerSeconds - 0.01)).free);
  const UnprovenPlace place = PlaceForUnproven(tried, At(1 + kFirstAnswerSeconds));
  assert_true(place.free);
  assert_int_equal(place.goes.value, 12);
}

void WhoAnsweredStays(void**) {
  std::vector<Unproven> tried = Four(true);
  assert_false(PlaceForUnproven(tried, At(100000)).free);
  tried[3].heard = false;
  assert_int_equal(PlaceForUnproven(tried, At(100000)).goes.value, 14);
  assert_false(PlaceForUnproven(tried, At(4 + kFirstAnswerSeconds - 0.01)).free);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AFewFindAPlaceAtOnce),
      cmocka_unit_test(TheOldestThatNeverAnsweredGoesAfterItsTime),
      cmocka_unit_test(WhoAnsweredStays),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
