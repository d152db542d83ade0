#include "ntpd/core/kept_out.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

const MonoTime kNow = MonoTime() + 1000;

IpAddress Host(uint8_t last) { return IpAddress::V4(10, 0, 0, last); }

void ItKeepsOutThatVeryAddressForAWhile(void**) {
  KeptOut out;
  out.Add(Host(1), kNow);
  assert_true(out.Holds(Host(1), kNow));
  assert_true(out.Holds(Host(1), kNow + (KeptOut::kSeconds - 0.01)));
  assert_false(out.Holds(Host(1), kNow + KeptOut::kSeconds));
  assert_false(out.Holds(Host(2), kNow));
}

void OneThatComesAgainIsKeptOutFromThenOn(void**) {
  KeptOut out;
  out.Add(Host(1), kNow);
  out.Add(Host(1), kNow + 200);
  assert_int_equal(out.size(), 1);
  assert_true(out.Holds(Host(1), kNow + 400));
}

void ItIsBounded(void**) {
  KeptOut out;
  for (uint8_t i = 0; i < 2 * KeptOut::kMost; ++i) out.Add(Host(i), kNow + i);
  assert_int_equal(out.size(), KeptOut::kMost);
  assert_false(out.Holds(Host(KeptOut::kMost - 1), kNow + 130));
  assert_true(out.Holds(Host(KeptOut::kMost), kNow + 130));
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ItKeepsOutThatVeryAddressForAWhile),
      cmocka_unit_test(OneThatComesAgainIsKeptOutFromThenOn),
      cmocka_unit_test(ItIsBounded),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
