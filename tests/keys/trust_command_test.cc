// The lines that trust and revoke keys, and where others are wrong.
#include "keys/trust_command.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

// The column of the error; -1: there is none.
int ErrorColumn(std::string_view line) {
  const auto parsed = ParseTrustCommand(line);
  return parsed.ok() ? -1 : parsed.error().column;
}

void TheFormIsRead(void**) {
  const auto parsed = ParseTrustCommand("untrustedkey 1 \t 65535\t20");
  assert_true(parsed.ok());
  assert_false(parsed->trust);
  assert_int_equal(parsed->keys.size(), 3);
  assert_int_equal(parsed->keys[1].key.value, 65535);
  assert_int_equal(parsed->keys[1].column, 17);
  assert_int_equal(parsed->keys[2].column, 23);
  assert_true(IsTrustCommand("untrustedkey 1") && IsTrustCommand(" trustedkey"));
  assert_false(IsTrustCommand("trustedkeys 1") || IsTrustCommand("server trustedkey"));
}

void OtherFormsAreRefusedAtTheirColumn(void**) {
  struct Row {
    std::string line;
    int column;
  };
  const std::string nonce = " nonce=00112233445566778899aabbccddeeff";
  const Row rows[] = {
      {"", 0},
      {" ", 0},
      {" trustedkey 1", 0},
      {"trustedkey 1 ", 12},
      {"trustedkey 1\t", 12},
      {"trustedkey", 10},
      {"Trustedkey 1", 0},
      {"trustedkeys 1", 0},
      {"controlkey 1", 0},
      {"server 10.0.0.1 key 1", 0},
      {"trustedkey 0", 11},
      {"trustedkey 01", 11},
      {"trustedkey 1 65536", 13},
      {"trustedkey 4294967297", 11},
      {"trustedkey 99999999999999999999", 11},
      {"trustedkey -1", 11},
      {"trustedkey +1", 11},
      {"trustedkey 1x", 11},
      {"trustedkey 0x1", 11},
      {"trustedkey 1,2", 11},
      {"trustedkey (1 ... 9)", 11},
      {"trustedkey 1 # comment", 13},
      {"trustedkey 1\n", 11},
      {"trustedkey 1\ntrustedkey 2", 11},
      {std::string("trustedkey 1\0", 13), 11},
      {"trustedkey \"1\"", 11},
      {"trustedkey" + nonce, 11},
      {"trustedkey 1" + nonce, 13},
      {"trustedkey 1" + nonce + " 2", 13},
      {"trustedkey 1" + nonce + nonce, 13},
      {"trustedkey 1" + nonce + "0", 13},
      {"trustedkey 1" + nonce.substr(0, nonce.size() - 1), 13},
      {"trustedkey 1 nonce=", 13},
      {"trustedkey 1 nonce=00112233445566778899AABBCCDDEEFF", 13},
      {"trustedkey 1 nonce=0011223344556677889gaabbccddeeff", 13},
      {"trustedkey 1 NONCE=00112233445566778899aabbccddeeff", 13},
  };
  for (const Row& row : rows) {
    if (ErrorColumn(row.line) != row.column) print_message("line: %s\n", row.line.c_str());
    assert_int_equal(ErrorColumn(row.line), row.column);
  }
}

void MoreKeysThanFitAreRefused(void**) {
  std::string line = "trustedkey";
  for (size_t i = 0; i < msg::kMaxCommandKeys; ++i) line += " 7";
  assert_int_equal(ErrorColumn(line), -1);
  assert_int_equal(ErrorColumn(line + " 8"), line.size() + 1);
}

void EveryPrefixOfALineIsRefusedOrShorter(void**) {
  const std::string line = "trustedkey 12 345";
  for (size_t size = 0; size < line.size(); ++size) {
    // "trustedkey 1", "12", "12 3", "12 34": complete by themselves.
    const bool complete = size == 12 || size == 13 || size >= 15;
    assert_true(ParseTrustCommand(line.substr(0, size)).ok() == complete);
  }
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheFormIsRead),
      cmocka_unit_test(OtherFormsAreRefusedAtTheirColumn),
      cmocka_unit_test(MoreKeysThanFitAreRefused),
      cmocka_unit_test(EveryPrefixOfALineIsRefusedOrShorter),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
