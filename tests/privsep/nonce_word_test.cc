// The word that makes a request good once is found at its end, or nowhere.
#include "privsep/base/nonce_word.h"

#include <string>

#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward {
namespace {

constexpr std::string_view kWord = "nonce=00112233445566778899aabbccddeeff";

void TheWordIsTakenOff(void**) {
  for (const std::string_view blanks : {" ", "\t", " \t  "}) {
    for (const std::string_view text : {"", "server 10.0.0.1", "a=b, c"}) {
      const std::string data = std::string(text) + std::string(blanks) + std::string(kWord);
      const NoncedText split = SplitNonce(data);
      assert_true(split.text == text);
      assert_string_equal(test::ToHex(split.nonce.span()).c_str(),
                          "00112233445566778899aabbccddeeff");
    }
  }
}

void OfSeveralTheLastIsTakenOff(void**) {
  const std::string data = "x " + std::string(kWord) + " " + std::string(kWord);
  assert_true(SplitNonce(data).text == "x " + std::string(kWord));
}

void OtherEndsAreText(void**) {
  const std::string word(kWord);
  const std::string rows[] = {"",
                              word,
                              "x" + word,
                              "x\n" + word,
                              "x " + word + " ",
                              "x " + word + "0",
                              "x " + word.substr(1),
                              "x nonce=",
                              "x nonce=00112233445566778899AABBCCDDEEFF",
                              "x nonce=0011223344556677889gaabbccddeeff",
                              "x NONCE=00112233445566778899aabbccddeeff"};
  for (const std::string& row : rows) {
    const NoncedText split = SplitNonce(row);
    assert_true(split.text == row && split.nonce.empty());
  }
}

void EveryPrefixIsText(void**) {
  const std::string whole = "x " + std::string(kWord);
  for (size_t size = 0; size < whole.size(); ++size)
    assert_true(SplitNonce(whole.substr(0, size)).nonce.empty());
}

}  // namespace
}  // namespace ntpward

int main() {
  using namespace ntpward;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheWordIsTakenOff),
      cmocka_unit_test(OfSeveralTheLastIsTakenOff),
      cmocka_unit_test(OtherEndsAreText),
      cmocka_unit_test(EveryPrefixIsText),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
