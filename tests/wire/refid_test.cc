// Reference identifiers: shown as an operator expects, and never able to harm a terminal.
#include "ntpd/wire/refid.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::wire {
namespace {

void TextIsACodeOrAnAddress(void**) {
  assert_string_equal(RefidText(RefidCode("INIT"), 16).c_str(), "INIT");
  assert_string_equal(RefidText(RefidCode("RATE"), 0).c_str(), "RATE");
  assert_string_equal(RefidText(0x47505300, 1).c_str(), "GPS");
  assert_string_equal(RefidText(0x7f7f0100, 8).c_str(), "127.127.1.0");
  assert_string_equal(RefidText(0x0a4d0001, 2).c_str(), "10.77.0.1");
  assert_string_equal(RefidText(0, 16).c_str(), "");
}

// ntpq's bug 3479: unsafe characters of a refid reached the terminal.
void NoRefidHoldsAnUnsafeCharacter(void**) {
  for (uint32_t octet = 0; octet < 256; ++octet) {
    const std::string text = RefidText(octet << 24 | 0x414141, 0);
    for (char c : text) assert_true(c > ' ' && c < 0x7f && c != ',');
    assert_int_equal(text.size(), octet == 0 ? 0 : 4);
  }
}

void KissCodesAreRecognised(void**) {
  assert_int_equal(KissFromRefid(0x44454e59), Kiss::kDeny);
  assert_int_equal(KissFromRefid(RefidCode("RATE")), Kiss::kRate);
  assert_int_equal(KissFromRefid(RefidCode("RSTR")), Kiss::kRstr);
  assert_int_equal(KissFromRefid(RefidCode("rate")), Kiss::kNone);
  assert_int_equal(KissFromRefid(0), Kiss::kNone);
}

void UpstreamIsNamedByItsAddress(void**) {
  assert_int_equal(RefidOfUpstream(IpAddress::V4(10, 77, 0, 1), 5), 0x0a4d0001);
  assert_int_equal(RefidOfUpstream(*IpAddress::Parse("2001:db8::1"), 5), 5);
}

}  // namespace
}  // namespace ntpward::wire

int main() {
  using namespace ntpward::wire;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TextIsACodeOrAnAddress),
      cmocka_unit_test(NoRefidHoldsAnUnsafeCharacter),
      cmocka_unit_test(KissCodesAreRecognised),
      cmocka_unit_test(UpstreamIsNamedByItsAddress),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
