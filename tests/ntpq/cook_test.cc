// Values made readable: what ntpq 4.2.8 prints for good ones, and safe text for hostile ones.
#include "ntpq/cook.h"

#include <stdlib.h>

#include "ntpd/wire/variable_values.h"
#include "ntpq/text.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq {
namespace {

Display Signed() { return {nullptr, true, RefidStyle::kIpv4, {1795304967, 0}}; }

std::string Cooked(std::string_view name, std::string_view value, Scope scope = Scope::kPeer,
                   const Display& display = Signed()) {
  return CookValue(name, value, scope, display);
}

void CooksAsTheReference(void**) {
  assert_string_equal(Cooked("leap", "2").c_str(), "10");
  assert_string_equal(Cooked("reach", "0x1ff").c_str(), "777");
  assert_string_equal(Cooked("refid", "127.127.1.0").c_str(), "LOCAL(0)");
  assert_string_equal(Cooked("refid", "127.127.15.3").c_str(), "REFCLK(15,3)");
  assert_string_equal(Cooked("refid", "76.79.67.76", Scope::kClock).c_str(), "LOCL");
  assert_string_equal(Cooked("clock", "0xe0000000.ffffffff").c_str(),
                      "e0000000.ffffffff  Sat, Feb  2 2019 11:39:44.999");
  assert_string_equal(Cooked("rec", "0x00000000.00000000").c_str(), "(no time)");
  assert_string_equal(Cooked("flash", "0x1610").c_str(),
                      "1610 pkt_auth, peer_stratum, peer_dist, peer_unreach");
  assert_string_equal(Cooked("filtdelay", " 1 2 3").c_str(), "     1.00    2.00    3.00");
  assert_string_equal(Cooked("offset", "0.019").c_str(), "+0.019");
  assert_string_equal(Cooked("offset", "-0.5").c_str(), "-0.5");
}

// 32-bit seconds begin again in February 2036: a time just after it is not in 1900.
void PutsTimesIntoTheNearestEra(void**) {
  assert_string_equal(Cooked("reftime", "0x00000001.00000000").c_str(),
                      "00000001.00000000  Thu, Feb  7 2036  6:28:17.000");
  Display later = Signed();
  later.now = {2085978600, 0};
  assert_string_equal(Cooked("reftime", "0xffffffff.00000000", Scope::kPeer, later).c_str(),
                      "ffffffff.00000000  Thu, Feb  7 2036  6:28:15.000");
}

void MarksWhatItCannotCook(void**) {
  assert_string_equal(Cooked("srcadr", "10.0.0.1x").c_str(), "10.0.0.1x?");
  assert_string_equal(Cooked("leap", "7").c_str(), "7?");
  assert_string_equal(Cooked("refid", "garbage").c_str(), "garbage?");
  assert_string_equal(Cooked("rec", "zz").c_str(), "zz?");
  assert_string_equal(Cooked("filtoffset", "1.5 -2 x 4").c_str(), "1.5 -2 x 4?");
  assert_string_equal(Cooked("reach", "-1").c_str(), "-1?");
  assert_string_equal(Cooked("flash", "0x10000").c_str(), "0x10000?");
}

void LeavesOutPlusSignsUnlessAsked(void**) {
  Display plain = Signed();
  plain.signs = false;
  assert_string_equal(Cooked("offset", "0.019", Scope::kPeer, plain).c_str(), "0.019");
  assert_string_equal(Cooked("filtoffset", "0.02", Scope::kPeer, plain).c_str(), "    0.02");
}

// Bug 3479 of the reference: octets of a reference identifier that a terminal obeys.
void SpellsOutWhatATerminalWouldObey(void**) {
  for (const char* name : {"refid", "srcadr", "offset", "version", "flash", "rec", "leap"}) {
    for (int byte = 0; byte < 256; ++byte) {
      const char octets[2] = {'A', static_cast<char>(byte)};
      const std::string text = Cooked(name, std::string_view(octets, 2));
      for (char c : text) assert_true(c >= 0x20 && c < 0x7f);
    }
  }
  assert_string_equal(Printable("\x1b[31m\x80\x7f").c_str(), "^[[31mM-^@^?");
}

void DecodesOnlyWholeNumbersInRange(void**) {
  assert_true(wire::DecodeUnsigned("18446744073709551615").has_value());
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "18446744073709551616", "1x", "0x1"})
    assert_false(wire::DecodeUnsigned(text).has_value());
  for (const char* text : {"", ".", "-", "1e5", "nan", "inf", "1.2.3", "--1", "1000000000000",
                           "99999999999999999999999999999999999999"})
    assert_false(wire::DecodeFixed(text).has_value());
  assert_true(wire::DecodeFixed(".5") == 0.5);
  for (const char* text : {"", "0x1", "1.", ".1", "0x123456789.0", "0x1.123456789", "x.y"})
    assert_false(wire::DecodeTimestamp(text).has_value());
  for (const char* text : {"", "1 2 3 4 5 6 7 8 9", "1 x", " "})
    assert_false(wire::DecodeSeries(text).has_value());
  for (const char* text : {"", "10.0.0.1:", "10.0.0.1:65536", ":1", "[::1", "1.2.3"})
    assert_false(wire::DecodeAddress(text).has_value());
}

int SetZone(void**) {
  setenv("TZ", "UTC", 1);
  tzset();
  return 0;
}

}  // namespace
}  // namespace ntpward::ntpq

int main() {
  using namespace ntpward::ntpq;
  const CMUnitTest tests[] = {
      cmocka_unit_test(CooksAsTheReference),
      cmocka_unit_test(PutsTimesIntoTheNearestEra),
      cmocka_unit_test(MarksWhatItCannotCook),
      cmocka_unit_test(LeavesOutPlusSignsUnlessAsked),
      cmocka_unit_test(SpellsOutWhatATerminalWouldObey),
      cmocka_unit_test(DecodesOnlyWholeNumbersInRange),
  };
  return cmocka_run_group_tests(tests, SetZone, nullptr);
}
