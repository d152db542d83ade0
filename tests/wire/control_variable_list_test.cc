// Lists of `name=value`: written as ntpd 4.2.8 lays them out, read whatever they hold.
#include <algorithm>
#include <array>
#include <cmath>

#include "ntpd/wire/control_message.h"
#include "ntpd/wire/variable_list.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::wire {
namespace {

// Every item as "name|value;", a bare name as "name;", an error as "!".
std::string Items(std::string_view text, VariableLimits limits = {}) {
  VariableListReader reader(text, limits);
  std::string items;
  while (true) {
    const auto next = reader.Next();
    if (!next.ok()) {
      items += "!";
      if (next.error() != VariableReject::kValueTooLong) return items;
      continue;
    }
    if (!next->has_value()) return items;
    items += (*next)->name;
    if ((*next)->value) items += "|" + std::string(*(*next)->value);
    items += ";";
  }
}

void WrapsWhereTheReferenceWraps(void**) {
  VariableListWriter list;
  list.AddQuoted("version", "ntpd 4.2.8p18-o Sat Nov 21 23:27:49 UTC 2026 (1)");
  list.AddQuoted("processor", "x86_64");
  list.AddQuoted("system", "Linux/6.18.44-fc-v657");
  list.AddUnsigned("leap", 0);
  list.AddUnsigned("stratum", 7);
  list.AddSigned("precision", -25);
  list.AddFixed("rootdelay", 0.045, 3);
  list.AddFixed("rootdisp", 10.629, 3);
  list.Add("refid", "10.77.0.15");
  list.AddTimestamp("reftime", NtpTimestamp::FromRaw(0xeeacac82601ea377U));
  list.AddHex("flags", 0x80003);
  list.Finish();
  assert_string_equal(
      list.text().c_str(),
      "version=\"ntpd 4.2.8p18-o Sat Nov 21 23:27:49 UTC 2026 (1)\",\r\n"
      "processor=\"x86_64\", system=\"Linux/6.18.44-fc-v657\", leap=0, stratum=7,\r\n"
      "precision=-25, rootdelay=0.045, rootdisp=10.629, refid=10.77.0.15,\r\n"
      "reftime=0xeeacac82.601ea377, flags=0x80003\r\n");
}

void AllowsCutsBetweenItemsOnly(void**) {
  VariableListWriter list;
  list.Add("a", "1");
  list.Add("b", "2");
  list.Finish();
  assert_int_equal(list.cuts().size(), 1);
  assert_string_equal(list.text().substr(list.cuts()[0]).c_str(), "b=2\r\n");
}

void WritesNothingThatNeedsEscaping(void**) {
  VariableListWriter list;
  list.AddQuoted("host", "a\"b\x1b[31m\n\xff");
  list.Add("refid", std::string_view("A\0\rB", 4));
  list.Finish();
  assert_string_equal(list.text().c_str(), "host=\"a?b?[31m??\", refid=A??B\r\n");
}

void WritesNumbersInBoundedForm(void**) {
  VariableListWriter list;
  list.AddFixed("a", NAN, 3);
  list.AddFixed("b", INFINITY, 3);
  list.AddFixed("c", -1e300, 1);
  const std::array<double, 2> series = {0.05, 16000};
  list.AddSeries("filtdelay", series);
  assert_string_equal(list.text().c_str(),
                      "a=0.000, b=0.000, c=-1000000000000000.0, filtdelay= 0.05 16000.00");
}

void LeavesOutWhatExceedsAPayload(void**) {
  VariableListWriter list;
  const std::string value(400, 'x');
  for (int i = 0; i < 100; ++i) list.Add("name", value);
  list.Finish();
  assert_true(list.text().size() <= kMaxControlPayload);
  assert_true(list.text().size() > kMaxControlPayload - 500);
}

void ReadsNamesAndValues(void**) {
  assert_string_equal(Items("leap=0, stratum=7,\r\nrefid=10.0.0.1\r\n").c_str(),
                      "leap|0;stratum|7;refid|10.0.0.1;");
  assert_string_equal(Items("stratum , leap,,  rootdelay\r\n").c_str(), "stratum;leap;rootdelay;");
  assert_string_equal(Items("a= 1 2 , b=\"x, y\", c=\"\", d=").c_str(),
                      "a|1 2;b|\"x, y\";c|\"\";d|;");
  assert_string_equal(Items("").c_str(), "");
  assert_string_equal(Items(" ,\r\n,").c_str(), "");
  assert_string_equal(Items("=5, a").c_str(), "|5;a;");
}

void ReadsAnyOctet(void**) {
  const std::string text("\x80=\0\x1b\xff, b=2", 10);
  assert_string_equal(Items(text).substr(0, 3).c_str(), "\x80|");
  for (size_t size = 0; size <= text.size(); ++size) Items(text.substr(0, size));
}

void StopsAtAQuoteThatDoesNotClose(void**) {
  assert_string_equal(Items("a=1, b=\"open, c=3").c_str(), "a|1;!");
}

void SkipsALongValueAndStopsAtALongName(void**) {
  assert_string_equal(Items("a=" + std::string(10, 'v') + ", b=2", {5, 9}).c_str(), "!b|2;");
  assert_string_equal(Items("a=" + std::string(9, 'v'), {5, 9}).c_str(), "a|vvvvvvvvv;");
  assert_string_equal(Items("abcdef=1, b=2", {5, 9}).c_str(), "!");
  assert_string_equal(Items(std::string(256, 'n')).c_str(), "!");
  assert_string_equal(Items("a=" + std::string(2048, 'v') + ",b").c_str(), "!b;");
}

// All items but the last, which the end of the text may have cut.
std::string WithoutLast(std::string items) {
  if (!items.empty()) items.pop_back();
  return items.substr(0, items.rfind(';') + 1);
}

void ATruncationCostsNothingThatCameBeforeIt(void**) {
  const std::string text = "name = \"quoted, text\" tail,\r\nfiltdelay= 0.1 0.2, last=x\r\n";
  const std::string whole = "name|\"quoted, text\" tail;filtdelay|0.1 0.2;last|x;";
  assert_string_equal(Items(text).c_str(), whole.c_str());
  for (size_t size = 0; size <= text.size(); ++size) {
    // A copy of exact size, so that a sanitizer sees any read past its end.
    const std::vector<char> part(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string items = Items(std::string_view(part.data(), part.size()));
    assert_true(whole.starts_with(WithoutLast(items)));
    // An item counts once something of the next was read.
    const size_t before = static_cast<size_t>(std::count(items.begin(), items.end(), ';'));
    assert_true(before >= (size > text.find("last") ? 3U : size > text.find("filt") ? 2U : 0U));
    // Inside the quotes no value is made up.
    if (size > text.find('"') && size <= text.find("text\"") + 4)
      assert_string_equal(items.c_str(), "!");
  }
}

void UnquotesOnlyWholeQuotes(void**) {
  assert_true(Unquoted("\"x\"") == "x");
  assert_true(Unquoted("\"\"").empty());
  assert_true(Unquoted("\"") == "\"");
  assert_true(Unquoted("\"x\" y") == "\"x\" y");
}

}  // namespace
}  // namespace ntpward::wire

int main() {
  using namespace ntpward::wire;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WrapsWhereTheReferenceWraps),
      cmocka_unit_test(AllowsCutsBetweenItemsOnly),
      cmocka_unit_test(WritesNothingThatNeedsEscaping),
      cmocka_unit_test(WritesNumbersInBoundedForm),
      cmocka_unit_test(LeavesOutWhatExceedsAPayload),
      cmocka_unit_test(ReadsNamesAndValues),
      cmocka_unit_test(ReadsAnyOctet),
      cmocka_unit_test(StopsAtAQuoteThatDoesNotClose),
      cmocka_unit_test(SkipsALongValueAndStopsAtALongName),
      cmocka_unit_test(ATruncationCostsNothingThatCameBeforeIt),
      cmocka_unit_test(UnquotesOnlyWholeQuotes),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
