// How lines come apart into words: blanks, comments, quotes, special characters, line ends.
#include "ntpd/config/config.h"
#include "tests/config/support.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::config {
namespace {

const Association* Only(const Parsed& parsed) {
  if (parsed.config.associations.size() != 1) print_error("%s", Shown(parsed).c_str());
  assert_int_equal(parsed.config.associations.size(), 1);
  return &parsed.config.associations[0];
}

void TabsAndBlanksSeparateWords(void**) {
  const Parsed parsed = ParseConf("\t server\t\th \tkey\v5\f\n");
  assert_int_equal(Only(parsed)->key.value.value, 5);
  assert_int_equal(Only(parsed)->where.column, 3);
  assert_int_equal(Only(parsed)->key.where.column, 18);
}

void ACommentBeginsAnywhereOutsideQuotes(void**) {
  const Parsed parsed = ParseConf("# server a\n   # server b\nserver h # key 5\nserver i#burst\n");
  assert_int_equal(parsed.config.associations.size(), 2);
  assert_true(parsed.config.associations[0].key.value.is_none());
  assert_string_equal(parsed.config.associations[1].host.c_str(), "i");
  assert_true(Says(parsed, "4:8: warning: '#' right behind this word begins a comment"));
  const Parsed quoted = ParseConf("logfile \"/a#b c\"# x\n");
  assert_string_equal(quoted.config.output.logfile.value.c_str(), "/a#b c");
  assert_int_equal(quoted.diagnostics.size(), 0);
}

void AnOpenQuoteEndsWithTheLine(void**) {
  const Parsed parsed = ParseConf("logfile \"/a b\nserver h\n");
  assert_string_equal(parsed.config.output.logfile.value.c_str(), "/a b");
  assert_true(Says(parsed, "1:9: warning: the quotation mark that opens here is not closed"));
  assert_int_equal(parsed.config.associations.size(), 1);
}

void SpecialCharactersAreOrdinaryInFreeText(void**) {
  const Parsed parsed = ParseConf("logfile a=b,c;(d)|{e}\nsetvar x=y\nsetvar z = u=v default\n");
  assert_string_equal(parsed.config.output.logfile.value.c_str(), "a=b,c;(d)|{e}");
  assert_int_equal(parsed.config.system.variables.size(), 2);
  assert_string_equal(parsed.config.system.variables[0].value.c_str(), "y");
  assert_string_equal(parsed.config.system.variables[1].value.c_str(), "u=v");
  assert_true(parsed.config.system.variables[1].by_default);
}

void KeyRangesNeedNoBlanks(void**) {
  const Parsed parsed = ParseConf("trustedkey (1...3)5( 7 ... 9 )\n");
  const Authentication& auth = parsed.config.authentication;
  assert_int_equal(auth.trusted.size(), 3);
  assert_true(auth.IsTrusted(KeyId{2}) && auth.IsTrusted(KeyId{5}) && auth.IsTrusted(KeyId{9}));
  assert_false(auth.IsTrusted(KeyId{4}) || auth.IsTrusted(KeyId{6}));
}

void ReadsTheLineEndsOfOtherSystems(void**) {
  const Parsed parsed = ParseConf("server h iburst\r\n\r\n# c\r\nlogfile /a\r\nserver i\r\n");
  assert_int_equal(parsed.diagnostics.size(), 0);
  assert_int_equal(parsed.config.associations.size(), 2);
  assert_string_equal(parsed.config.output.logfile.value.c_str(), "/a");
}

void NeedsNoNewlineAtTheEnd(void**) { assert_true(Only(ParseConf("server h iburst"))->iburst); }

void SkipsAByteOrderMark(void**) {
  assert_string_equal(Only(ParseConf("\xef\xbb\xbfserver h\n"))->host.c_str(), "h");
}

void KeepsUtf8InFileNames(void**) {
  const Parsed parsed = ParseConf("logfile /var/log/h\xc3\xa4user.log\n");
  assert_string_equal(parsed.config.output.logfile.value.c_str(), "/var/log/h\xc3\xa4user.log");
  assert_int_equal(parsed.diagnostics.size(), 0);
}

void RefusesWordsOfMoreThan1023Octets(void**) {
  const std::string just(1023, 'x');
  assert_int_equal(ParseConf("logfile " + just).config.output.logfile.value.size(), 1023);
  for (const char* quote : {"", "\""}) {
    const Parsed parsed = ParseConf("logfile " + std::string(quote) + just + "x" + quote + "\n");
    assert_true(Says(parsed, "1:9: error: word too long: expected at most 1023 octets"));
    assert_false(parsed.config.output.logfile.is_set());
  }
  // Neither a long comment nor a long line matters.
  assert_int_equal(ParseConf("# " + std::string(5000, 'x') + "\n").diagnostics.size(), 0);
}

void StopsAtEnd(void**) {
  const Parsed parsed = ParseConf("server h\nend # of it\nserver i\nnonsense\n");
  assert_int_equal(parsed.config.associations.size(), 1);
  assert_int_equal(parsed.diagnostics.size(), 0);
}

void ReadsHexadecimalAndFloatingNumbers(void**) {
  const Parsed parsed =
      ParseConf("server h key 0x10\ntos mindist .5 maxdist 1e-3\nnonvolatile +1e-7");
  assert_int_equal(Only(parsed)->key.value.value, 16);
  assert_true(parsed.config.system.tos.mindist.value == 0.5);
  assert_true(parsed.config.system.tos.maxdist.value == 0.001);
  assert_int_equal(parsed.diagnostics.size(), 0);
}

void QuotesInMessagesWhatIsNotPrintable(void**) {
  assert_string_equal(Quoted("a\x1b[2J\xff").c_str(), "'a\\x1b[2J\\xff'");
  assert_string_equal(Quoted(std::string(60, 'a')).c_str(),
                      ("'" + std::string(40, 'a') + "...'").c_str());
}

}  // namespace
}  // namespace ntpward::config

int main() {
  using namespace ntpward::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TabsAndBlanksSeparateWords),
      cmocka_unit_test(ACommentBeginsAnywhereOutsideQuotes),
      cmocka_unit_test(AnOpenQuoteEndsWithTheLine),
      cmocka_unit_test(SpecialCharactersAreOrdinaryInFreeText),
      cmocka_unit_test(KeyRangesNeedNoBlanks),
      cmocka_unit_test(ReadsTheLineEndsOfOtherSystems),
      cmocka_unit_test(NeedsNoNewlineAtTheEnd),
      cmocka_unit_test(SkipsAByteOrderMark),
      cmocka_unit_test(KeepsUtf8InFileNames),
      cmocka_unit_test(RefusesWordsOfMoreThan1023Octets),
      cmocka_unit_test(StopsAtEnd),
      cmocka_unit_test(ReadsHexadecimalAndFloatingNumbers),
      cmocka_unit_test(QuotesInMessagesWhatIsNotPrintable),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
