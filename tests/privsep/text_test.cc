// Text as every folder sees it.
#include "privsep/base/text.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward {
namespace {

void HexDigitsHaveTheirValueAndNothingElseHasOne(void**) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  for (int c = -128; c < 128; ++c) {
    const size_t at = kDigits.find(static_cast<char>(c));
    const int expected =
        at == std::string_view::npos ? -1 : static_cast<int>(at < 16 ? at : at - 6);
    assert_int_equal(HexDigit(static_cast<char>(c)), expected);
  }
}

void HexNumbersHaveNoLeadingZeros(void**) {
  assert_string_equal(HexNumber(0).c_str(), "0x0");
  assert_string_equal(HexNumber(0x83f21).c_str(), "0x83f21");
  assert_string_equal(HexNumber(~uint64_t{0}).c_str(), "0xffffffffffffffff");
}

void CaseCountsForLettersOfAsciiOnly(void**) {
  assert_true(EqualIgnoringCase("aZ09-", "Az09-"));
  assert_true(EqualIgnoringCase("", ""));
  assert_false(EqualIgnoringCase("ab", "abc"));
  assert_false(EqualIgnoringCase("@", "`"));
  assert_false(EqualIgnoringCase("[", "{"));
  assert_false(EqualIgnoringCase("\xc4", "\xe4"));
}

void TrimsBlanksAtTheEndsOnly(void**) {
  assert_true(Trimmed(" \t\v\f a b\r\n") == "a b");
  assert_true(Trimmed("a") == "a");
  assert_true(Trimmed(" \r\n").empty());
  assert_true(Trimmed("").empty());
}

void TakesOnePairOfBracketsOff(void**) {
  assert_true(WithoutBrackets("[::1]") == "::1");
  assert_true(WithoutBrackets("[[a]]") == "[a]");
  for (const std::string_view text : {"", "[", "]", "[]", "a", "[a", "a]", "[a]b"})
    assert_true(WithoutBrackets(text) == text);
}

void ANameIsSafeInFilesLogsAndStrings(void**) {
  assert_false(IsPrintableName(""));
  assert_true(IsPrintableName(std::string(255, 'x')));
  assert_false(IsPrintableName(std::string(256, 'x')));
  assert_true(IsPrintableName("host@group"));
  for (int c = 0; c < 256; ++c) {
    const bool good = c > ' ' && c < 0x7f && c != '"';
    const std::string name = {'a', static_cast<char>(c)};
    if (IsPrintableName(name) != good) fail_msg("character %d", c);
  }
}

}  // namespace
}  // namespace ntpward

int main() {
  using namespace ntpward;
  const CMUnitTest tests[] = {
      cmocka_unit_test(HexDigitsHaveTheirValueAndNothingElseHasOne),
      cmocka_unit_test(ANameIsSafeInFilesLogsAndStrings),
      cmocka_unit_test(HexNumbersHaveNoLeadingZeros),
      cmocka_unit_test(CaseCountsForLettersOfAsciiOnly),
      cmocka_unit_test(TrimsBlanksAtTheEndsOnly),
      cmocka_unit_test(TakesOnePairOfBracketsOff),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
