// What a table says of a moment, up to both sides of the moment when it changes.
#include "ntpd/core/leap_schedule.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using wire::Leap;
using Seconds = LeapSchedule::Seconds;

constexpr Seconds k2015 = 3644697600;
constexpr Seconds k2017 = 3692217600;
constexpr Seconds k2027 = 4007750400;
constexpr Seconds kExpiry = 4023388800;  // 2027-07-01
constexpr Seconds kDay = 86400;

NtpTimestamp At(Seconds seconds) {
  return NtpTimestamp::FromRaw(static_cast<uint64_t>(seconds) << 32);
}

LeapSchedule Table(uint8_t last) {
  return LeapSchedule({{k2015, 36}, {k2017, 37}, {k2027, last}}, kExpiry);
}

void NoTableSaysNothing(void**) {
  const LeapSchedule none;
  assert_true(none.empty());
  assert_false(none.ValidAt(At(k2027)));
  assert_null(none.CurrentAt(At(k2027)));
  assert_null(none.NextAt(At(k2027)));
  assert_false(none.NoticeAt(At(k2027)).has_value());
}

void TheOffsetChangesAtItsSecond(void**) {
  const LeapSchedule table = Table(38);
  assert_null(table.CurrentAt(At(k2015 - 1)));
  assert_int_equal(table.CurrentAt(At(k2015))->tai, 36);
  assert_int_equal(table.CurrentAt(At(k2017 - 1))->tai, 36);
  assert_int_equal(table.CurrentAt(At(k2027 - 1))->tai, 37);
  assert_int_equal(table.NextAt(At(k2027 - 1))->at, k2027);
  assert_int_equal(table.CurrentAt(At(k2027))->tai, 38);
  assert_null(table.NextAt(At(k2027)));
}

void ALeapSecondIsAnnouncedOnItsDay(void**) {
  const std::pair<uint8_t, Leap> kinds[] = {{38, Leap::kAddSecond}, {36, Leap::kDeleteSecond}};
  for (const auto& [tai, leap] : kinds) {
    const LeapSchedule table = Table(tai);
    assert_true(table.NoticeAt(At(k2027 - kDay - 1)) == Leap::kNone);
    assert_true(table.NoticeAt(At(k2027 - kDay)) == leap);
    assert_true(table.NoticeAt(At(k2027 - 1)) == leap);
    assert_true(table.NoticeAt(At(k2027)) == Leap::kNone);
  }
}

void TheFirstEntryIsNoLeapSecond(void**) {
  assert_true(Table(38).NoticeAt(At(k2015 - 1)) == Leap::kNone);
}

void AnExpiredTableAnnouncesNothing(void**) {
  const LeapSchedule table({{k2017, 37}, {k2027, 38}}, k2027 - 3600);
  assert_true(table.NoticeAt(At(k2027 - 3601)) == Leap::kAddSecond);
  assert_false(table.NoticeAt(At(k2027 - 3600)).has_value());
  assert_false(table.ValidAt(At(k2027 - 3600)));
  assert_int_equal(table.CurrentAt(At(k2027))->tai, 38);
}

void TheEraOfATimestampIsKnown(void**) {
  const Seconds k2040 = 4417977600;
  const LeapSchedule table({{k2017, 37}, {k2040, 38}}, k2040 + 100 * kDay);
  assert_int_equal(LeapSchedule::Unfold(At(k2040)), k2040);
  assert_true(table.NoticeAt(At(k2040 - 1)) == Leap::kAddSecond);
  assert_int_equal(table.CurrentAt(At(k2040))->tai, 38);
  assert_int_equal(table.CurrentAt(At(k2040 - 1))->tai, 37);
}

void TheLastDayOfAMonthIsKnown(void**) {
  assert_false(IsLastDayOfMonth(At(k2027 - kDay - 1)));
  assert_true(IsLastDayOfMonth(At(k2027 - kDay)));
  assert_true(IsLastDayOfMonth(At(k2027 - 1)));
  assert_false(IsLastDayOfMonth(At(k2027)));
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NoTableSaysNothing),
      cmocka_unit_test(TheOffsetChangesAtItsSecond),
      cmocka_unit_test(ALeapSecondIsAnnouncedOnItsDay),
      cmocka_unit_test(TheFirstEntryIsNoLeapSecond),
      cmocka_unit_test(AnExpiredTableAnnouncesNothing),
      cmocka_unit_test(TheEraOfATimestampIsKnown),
      cmocka_unit_test(TheLastDayOfAMonthIsKnown),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
