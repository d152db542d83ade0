#include "ntpq/json_writer.h"

#include <limits>

#include "tests/ntpq/json.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

template <typename Write>
std::string Written(const Write& write) {
  std::string text;
  JsonWriter json([&](std::string_view piece) { text += piece; });
  write(json);
  json.EndLine();
  assert_true(text.ends_with('\n'));
  text.pop_back();
  return text;
}
std::string Number(std::string_view text) {
  return Written([&](JsonWriter& json) { json.NumberText(text); });
}

void PutsCommasBetweenValuesOnly(void**) {
  const std::string text = Written([](JsonWriter& json) {
    json.BeginObject();
    json.Key("a").Unsigned(1);
    json.Key("b");
    json.BeginArray();
    json.Null();
    json.BeginObject();
    json.EndObject();
    json.BeginArray();
    json.EndArray();
    json.Bool(true);
    json.EndArray();
    json.Key("c").Text("x");
    json.EndObject();
  });
  assert_string_equal(text.c_str(), R"({"a":1,"b":[null,{},[],true],"c":"x"})");
}

void GivesEveryOctetBackThroughAscii(void**) {
  std::string octets;
  for (int octet = 0; octet < 256; ++octet) octets += static_cast<char>(octet);
  const std::string text = Written([&](JsonWriter& json) { json.Text(octets); });
  for (const char c : text) assert_true(c >= 0x20 && c < 0x7f);
  const auto value = Json::Parse(text);
  assert_true(value.has_value());
  assert_true(value->text == octets);
}

void KeepsTheDigitsOfExactNumbers(void**) {
  for (const char* text : {"0", "-0.000", "7", "-12", "0.019", "16000.00", "1e-06", "1.6E+07",
                           "999999999999999", "123456789.012345"})
    assert_string_equal(Number(text).c_str(), text);
}

void WritesWhatIsNoExactNumberAsText(void**) {
  for (const char* text : {"", "-", "+1", "007", "1.", ".5", "1e", "1e400", "0x1f", "nan", "inf",
                           "1 ", "1,2", "1234567890123456", "0.1234567890123456", "--1", "1e+-2"})
    assert_string_equal(Number(text).c_str(), ("\"" + std::string(text) + "\"").c_str());
}

void WritesNoIntegersBeyondDoubles(void**) {
  const uint64_t limit = uint64_t{1} << 53;
  const std::string text = Written([&](JsonWriter& json) {
    json.BeginArray();
    json.Unsigned(limit);
    json.Unsigned(limit + 1);
    json.Signed(-static_cast<int64_t>(limit));
    json.Signed(std::numeric_limits<int64_t>::min());
    json.EndArray();
  });
  assert_string_equal(text.c_str(), "[9007199254740992,null,-9007199254740992,null]");
}

void WritesRealsShortAndNoInfinity(void**) {
  const std::string text = Written([](JsonWriter& json) {
    json.BeginArray();
    json.Real(0.045);
    json.Real(-1.5);
    json.Real(std::numeric_limits<double>::infinity());
    json.Real(std::numeric_limits<double>::quiet_NaN());
    json.EndArray();
  });
  assert_string_equal(text.c_str(), "[0.045,-1.5,null,null]");
}

void HandsOverLongTextInPieces(void**) {
  size_t pieces = 0;
  std::string text;
  JsonWriter json([&](std::string_view piece) {
    ++pieces;
    text += piece;
  });
  json.BeginArray();
  for (int i = 0; i < 100000; ++i) {
    json.BeginArray();
    json.EndArray();
  }
  json.EndArray();
  json.EndLine();
  assert_true(pieces > 2);
  const auto value = Json::Parse(text);
  assert_true(value.has_value());
  assert_int_equal(value->items.size(), 100000);
}

// --- the reader that the tests rely on

void TheReaderRefusesWhatIsNotStrict(void**) {
  for (const char* text :
       {"", "{", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "01", "1.", "[1 2]", "nul", "'a'",
        "\"\x80\"", "\"\\u0100\"", "\"\\n\"", "\"a", "{\"a\"}", "1 1", "12345678901234567"})
    assert_false(Json::Parse(text).has_value());
  for (const char* text : {"null", "[]", " { \"a\" : [ 1 , -2.5e-3 ] } ", "\"\\u00e9\\\\\""})
    assert_true(Json::Parse(text).has_value());
}

void TheSchemaFindsWhatDoesNotFit(void**) {
  const auto root = Json::Parse(
      R"({"type":"object","required":["a"],"additionalProperties":false,
          "properties":{"a":{"$ref":"#/$defs/number"},
                        "b":{"anyOf":[{"const":"x"},{"type":"array","items":{"enum":[1,2]}}]}},
          "$defs":{"number":{"type":["integer","null"]}}})");
  assert_true(root.has_value());
  const Schema schema(*root);
  const auto fits = [&](const char* text) { return schema.Validate(*Json::Parse(text)).empty(); };
  assert_true(fits(R"({"a":1})"));
  assert_true(fits(R"({"a":null,"b":[1,2,1]})"));
  assert_true(fits(R"({"a":null,"b":"x"})"));
  assert_false(fits(R"({"a":1.5})"));
  assert_false(fits(R"({"b":"x"})"));
  assert_false(fits(R"({"a":1,"b":"y"})"));
  assert_false(fits(R"({"a":1,"b":[3]})"));
  assert_false(fits(R"({"a":1,"c":1})"));
  assert_false(fits("[]"));
  const Schema odd(*Json::Parse(R"({"maximum":1})"));
  assert_false(odd.Validate(*root).empty());
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(PutsCommasBetweenValuesOnly),
      cmocka_unit_test(GivesEveryOctetBackThroughAscii),
      cmocka_unit_test(KeepsTheDigitsOfExactNumbers),
      cmocka_unit_test(WritesWhatIsNoExactNumberAsText),
      cmocka_unit_test(WritesNoIntegersBeyondDoubles),
      cmocka_unit_test(WritesRealsShortAndNoInfinity),
      cmocka_unit_test(HandsOverLongTextInPieces),
      cmocka_unit_test(TheReaderRefusesWhatIsNotStrict),
      cmocka_unit_test(TheSchemaFindsWhatDoesNotFit),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
