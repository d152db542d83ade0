// The leap second file: what is read from a real one, and what is wrong with damaged ones.
#include "ntpd/config/leap_file.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include "ntpd/config/sha1.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::config {
namespace {

std::string Iers() {
  std::stringstream text;
  text << std::ifstream("tests/config/data/leap-seconds.list").rdbuf();
  CHECK(text.str().size() > 1000);
  return text.str();
}

std::string ErrorOf(std::string_view text, HashCheck check = HashCheck::kIgnored) {
  const auto table = ParseLeapFile(text, "leap", check);
  return table.ok() ? "accepted" : ToString(table.error());
}

std::string Hex(const std::array<uint32_t, 5>& words) {
  char text[48];
  std::snprintf(text, sizeof text, "%08x%08x%08x%08x%08x", words[0], words[1], words[2], words[3],
                words[4]);
  return text;
}

// RFC 3174 section 7.3, and lengths about the end of a block (RFC 3174 section 4).
void Sha1IsThatOfTheStandard(void**) {
  const auto of = [](const std::string& text) { return Hex(Sha1(AsBytes(text))); };
  assert_string_equal(of("abc").c_str(), "a9993e364706816aba3e25717850c26c9cd0d89d");
  assert_string_equal(of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").c_str(),
                      "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  assert_string_equal(of(std::string(1000000, 'a')).c_str(),
                      "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  std::string eight;
  for (int i = 0; i < 80; ++i) eight += "01234567";
  assert_string_equal(of(eight).c_str(), "dea356a2cddd90c7a7ecedc5ebb563934f460452");
  assert_string_equal(of("").c_str(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  assert_string_equal(of(std::string(55, 'a')).c_str(), "c1c8bbdc22796e28c0e15163d20899b65621d65a");
  assert_string_equal(of(std::string(56, 'a')).c_str(), "c2db330f6083854c99d4b5bfb6e8f29f201be699");
  assert_string_equal(of(std::string(64, 'a')).c_str(), "0098ba824b5c16427bd7a1122a5a442a25ec644d");
}

void ReadsTheFileOfTheIers(void**) {
  const auto table = ParseLeapFile(Iers(), "leap", HashCheck::kRequired);
  assert_true(table.ok());
  assert_int_equal(table->updated, 3960835200);
  assert_int_equal(table->expiry, 3991593600);
  assert_int_equal(table->seconds.size(), 28);
  assert_true(table->seconds.front() == (LeapSecond{2272060800, 10}));
  assert_true(table->seconds.back() == (LeapSecond{3692217600, 37}));
}

void EveryShorterFileIsRefused(void**) {
  std::string text = Iers();
  while (text.back() == '\n') text.pop_back();
  for (size_t size = 0; size < text.size(); ++size) {
    const auto table =
        ParseLeapFile(std::string_view(text).substr(0, size), "leap", HashCheck::kRequired);
    assert_false(table.ok());
    assert_string_equal(table.error().file.c_str(), "leap");
  }
  assert_true(ParseLeapFile(text, "leap", HashCheck::kRequired).ok());
}

void OneChangedDigitIsNoticed(void**) {
  std::string text = Iers();
  text.replace(text.find("3991593600"), 10, "3991593601");
  const std::string error = ErrorOf(text, HashCheck::kRequired);
  assert_true(error.starts_with("leap:"));
  assert_true(error.find("the hash is not that of this table") != std::string::npos);
  assert_string_equal(ErrorOf(text, HashCheck::kIgnored).c_str(), "accepted");
}

// "0f" as "f": some writers print each word as a number.
void AWordOfTheHashMayLackLeadingZeros(void**) {
  const std::string table = "#@ 3991593600\n2272060800 10\n";
  const auto words = Sha1(AsBytes("3991593600227206080010"));
  char hash[64];
  std::snprintf(hash, sizeof hash, "#h %x %x %x %x %x\n", words[0], words[1], words[2], words[3],
                words[4]);
  assert_string_equal(ErrorOf(table + hash, HashCheck::kRequired).c_str(), "accepted");
  assert_string_equal(ErrorOf(table, HashCheck::kRequired).c_str(),
                      "leap: error: no hash: expected a line '#h' with five words");
  assert_string_equal(ErrorOf(table, HashCheck::kIgnored).c_str(), "accepted");
}

void BlanksCommentsAndCarriageReturnsAreNoMatter(void**) {
  assert_string_equal(ErrorOf("\r\n# x\r\n  # y\n#\t\n#@\t3991593600 # until\r\n"
                              "2272060800\t10#one\r\n2287785600 11 \r\n")
                          .c_str(),
                      "accepted");
}

void ADeletedSecondIsRead(void**) {
  const auto table =
      ParseLeapFile("#@ 4102444800\n3692217600 37\n4007750400 36\n", "leap", HashCheck::kIgnored);
  assert_true(table.ok() && table->seconds.back().tai == 36);
}

struct Case {
  std::string_view text;
  std::string_view error;
};
constexpr Case kWrong[] = {
    {"", "leap: error: no leap seconds: expected lines 'SECONDS TAI'"},
    {"2272060800 10\n", "leap: error: no expiry: expected a line '#@ SECONDS'"},
    {"#@\n", "leap:1:3: error: the line ends here: expected the date of expiry"},
    {"#@ x\n", "leap:1:4: error: 'x' is not it: expected the date of expiry"},
    {"#@ 5\n", "leap:1:5: error: the date of expiry is before 1972"},
    {"#@ 3991593600\n#@ 3991593600\n", "leap:2:1: error: a second date of expiry"},
    {"#$ 99999999999999999999\n",
     "leap:1:4: error: '99999999999999999999' is not it: expected the date of the last change"},
    {"#$ 3991593600 7\n",
     "leap:1:15: error: '7' is not expected here: expected the line's end or '#'"},
    {"2272060800\n", "leap:1:11: error: the line ends here: expected the TAI offset (10 to 255)"},
    {"2272060800 -1\n", "leap:1:12: error: '-1' is not it: expected the TAI offset (10 to 255)"},
    {"2272060800 9\n", "leap:1:13: error: the TAI offset is less than 10"},
    {"2272060800 256\n", "leap:1:12: error: '256' is not it: expected the TAI offset (10 to 255)"},
    {"2272060800 10x\n", "leap:1:12: error: '10x' is not it: expected the TAI offset (10 to 255)"},
    {"2272060801 10\n",
     "leap:1:11: error: no leap second can be there: expected the first second of a month since "
     "1972"},
    {"2272147200 10\n",
     "leap:1:11: error: no leap second can be there: expected the first second of a month since "
     "1972"},
    {"2287785600 11\n2272060800 10\n", "leap:2:14: error: the dates must ascend"},
    {"2272060800 10\n2272060800 11\n", "leap:2:14: error: the dates must ascend"},
    {"2272060800 10\n2287785600 12\n",
     "leap:2:14: error: the TAI offset must change by one second"},
    {"#h 1 2 3 4\n", "leap:1:11: error: expected five words of up to eight hexadecimal digits"},
    {"#h 1 2 3 4 123456789\n",
     "leap:1:12: error: expected five words of up to eight hexadecimal digits"},
    {"#h 1 2 3 4 -5\n", "leap:1:12: error: expected five words of up to eight hexadecimal digits"},
    {"#h 1 2 3 4 5 6\n",
     "leap:1:14: error: '6' is not expected here: expected the line's end or '#'"},
    {"#h 1 2 3 4 5\n#h 1 2 3 4 5\n", "leap:2:1: error: a second hash"},
    {"\x1b[2J\n",
     "leap:1:1: error: '\\x1b[2J' is not it: expected the leap second's date in seconds since "
     "1900"},
};

void EachErrorNamesItsPlaceAndWhatWasExpected(void**) {
  for (const Case& c : kWrong)
    assert_string_equal(ErrorOf(c.text).c_str(), std::string(c.error).c_str());
}

void SizesAreBounded(void**) {
  const std::string table = "#@ 3991593600\n2272060800 10\n";
  assert_string_equal(ErrorOf(table + std::string(kMaxLeapFile - table.size(), '#')).c_str(),
                      "accepted");
  assert_string_equal(ErrorOf(table + std::string(kMaxLeapFile - table.size() + 1, '#')).c_str(),
                      "leap: error: the file is larger than 65536 octets");
}

void WarnsInTheLastFourWeeksAndAfterwards(void**) {
  constexpr FileSeconds kDay = 86400;
  LeapTable table;
  table.expiry = 3991593600;
  const auto at = [&table](FileSeconds left) { return LeapAgeWarning(table, table.expiry - left); };
  assert_string_equal(at(28 * kDay + 1).c_str(), "");
  assert_string_equal(at(28 * kDay).c_str(), "will expire in less than 28 days");
  assert_string_equal(at(kDay + 1).c_str(), "will expire in less than 2 days");
  assert_string_equal(at(kDay).c_str(), "will expire in less than one day");
  assert_string_equal(at(0).c_str(), "expired less than one day ago");
  assert_string_equal(at(-kDay).c_str(), "expired 1 day ago");
  assert_string_equal(at(-147 * kDay - 5).c_str(), "expired 147 days ago");
}

}  // namespace
}  // namespace ntpward::config

int main() {
  using namespace ntpward::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(Sha1IsThatOfTheStandard),
      cmocka_unit_test(ReadsTheFileOfTheIers),
      cmocka_unit_test(EveryShorterFileIsRefused),
      cmocka_unit_test(OneChangedDigitIsNoticed),
      cmocka_unit_test(AWordOfTheHashMayLackLeadingZeros),
      cmocka_unit_test(BlanksCommentsAndCarriageReturnsAreNoMatter),
      cmocka_unit_test(ADeletedSecondIsRead),
      cmocka_unit_test(EachErrorNamesItsPlaceAndWhatWasExpected),
      cmocka_unit_test(SizesAreBounded),
      cmocka_unit_test(WarnsInTheLastFourWeeksAndAfterwards),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
