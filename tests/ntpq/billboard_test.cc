// Rows of the billboard that no recording has: odd intervals, types, missing and hostile values.
#include "ntpq/billboard.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq {
namespace {

constexpr uint32_t kNow = 0xeeacac87;

Display At() {
  Display display;
  display.now = {static_cast<time_t>(kNow - kUnixToNtpSeconds), 0};
  return display;
}

std::string Row(const std::string& variables, BillboardStyle style = {},
                std::string* complaints = nullptr) {
  std::string ignored;
  const BillboardRow row =
      ReadRow({AssocId{1000}, 0x9614}, variables, complaints != nullptr ? *complaints : ignored);
  return RenderRow(row, style, At(), "host");
}

std::string When(uint32_t seconds_ago) {
  char text[32];
  snprintf(text, sizeof text, "rec=0x%08x.00000000", kNow - seconds_ago);
  return Row(text).substr(38, 4);
}

void ShowsIntervalsInFourCharacters(void**) {
  assert_string_equal(When(0).c_str(), "   -");
  assert_string_equal(When(1).c_str(), "   1");
  assert_string_equal(When(2048).c_str(), "2048");
  assert_string_equal(When(2049).c_str(), " 34m");
  assert_string_equal(When(17999).c_str(), "300m");
  assert_string_equal(When(18300).c_str(), "  5h");
  assert_string_equal(When(345800).c_str(), " 96h");
  assert_string_equal(When(350000).c_str(), "  4d");
  assert_string_equal(When(86300000).c_str(), "999d");
  assert_string_equal(When(86400000).c_str(), "  3y");
  assert_string_equal(When(900000000).c_str(), " 29y");
  assert_string_equal(When(static_cast<uint32_t>(-5)).c_str(), "   -");  // from our future
}

void ShowsTypesByMode(void**) {
  const auto type = [](const std::string& variables) { return Row(variables)[36]; };
  assert_int_equal(type("hmode=1, srcadr=10.0.0.1"), 's');
  assert_int_equal(type("hmode=2, srcadr=10.0.0.1"), 'S');
  assert_int_equal(type("hmode=3, srcadr=10.0.0.1"), 'u');
  assert_int_equal(type("hmode=3, srcadr=127.127.1.0"), 'l');
  assert_int_equal(type("hmode=3, srcadr=0.0.0.0"), 'p');
  assert_int_equal(type("hmode=3, srcadr=224.0.1.1"), 'a');
  assert_int_equal(type("hmode=5, srcadr=224.0.1.1"), 'M');
  assert_int_equal(type("hmode=5, srcadr=10.0.0.255"), 'B');
  assert_int_equal(type("hmode=6, srcadr=10.0.0.1"), 'b');
  assert_int_equal(type("dstadr=10.0.0.255"), 'b');
  assert_int_equal(type("srcadr=10.0.0.1"), '?');
}

void CutsWhatDoesNotFit(void**) {
  assert_string_equal(
      Row("srcadr=10.0.0.1, dstadr=10.0.0.2, hmode=3, stratum=2, hpoll=12, ppoll=17, reach=0x1f, "
          "refid=10.1.2.3, delay=123456.789, offset=-98765.4321, jitter=0.0004")
          .c_str(),
      "*10.0.0.1        10.1.2.3         2 u    -  68m   37  123456.  -98765.   0.000\n");
}

void ShowsARowWithoutAnyVariable(void**) {
  assert_string_equal(
      Row("").c_str(),
      "*0.0.0.0                          0 ?    -    1    0    0.000    0.000   0.000\n");
}

void ShowsReferencesSafely(void**) {
  const auto refid = [](const std::string& value) { return Row("refid=" + value).substr(17, 8); };
  assert_string_equal(refid("A\x1b[m").c_str(), ".A?[m.  ");
  assert_string_equal(refid("\"INIT\"").c_str(), ".INIT.  ");
  assert_string_equal(refid("toolong").c_str(), ".tool.  ");
  assert_string_equal(refid("127.0.0.1").c_str(), ".ORPH.  ");
  assert_string_equal(refid("10.0.0.1, flash=0x800").c_str(), "(loop)  ");
}

void GoesOnBehindAMalformedAddress(void**) {
  std::string complaints;
  const std::string row = Row("srcadr=1.2.3\x07, stratum=3", {}, &complaints);
  assert_string_equal(complaints.c_str(), "malformed srcadr=1.2.3^G\n");
  assert_true(row.find(" 3 ?") != std::string::npos);
}

void BoundsEveryNumber(void**) {
  for (const char* name : {"stratum", "reach", "hpoll", "ppoll", "hmode", "flash", "delay",
                           "offset", "jitter", "rec", "reftime"}) {
    for (const char* value : {"-9223372036854775808", "18446744073709551615", "0xffffffffffffffff",
                              "99999999999999999999999", "1e308", "nan", "-", ""}) {
      const std::string row = Row(std::string(name) + "=" + value);
      assert_true(row.size() < 120);
    }
  }
}

void GivesALongNameALineOfItsOwn(void**) {
  const std::string variables = "srcadr=2001:db8:1234:5678:9abc:def0:1234:5678, hmode=3";
  const std::string row = Row(variables, {BillboardKind::kRefid, true});
  assert_true(row.starts_with("*2001:db8:1234:5678:9abc:def0:1234:5678\n" + std::string(17, ' ')));
  assert_true(Row(variables).starts_with("*2001:db8:1234:5 "));
}

}  // namespace
}  // namespace ntpward::ntpq

int main() {
  using namespace ntpward::ntpq;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ShowsIntervalsInFourCharacters),
      cmocka_unit_test(ShowsTypesByMode),
      cmocka_unit_test(CutsWhatDoesNotFit),
      cmocka_unit_test(ShowsARowWithoutAnyVariable),
      cmocka_unit_test(ShowsReferencesSafely),
      cmocka_unit_test(GoesOnBehindAMalformedAddress),
      cmocka_unit_test(BoundsEveryNumber),
      cmocka_unit_test(GivesALongNameALineOfItsOwn),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
