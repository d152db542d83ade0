// Passwords, keys from files, and the MACs that they make.
#include "ntpq/keyfile.h"

#include "tests/ntpq/bench.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

void TakesLongPasswordsAsHexadecimal(void**) {
  Bench bench;
  assert_true(bench.session.SetPassword("000102030405060708090a0b0c0d0e0f"));
  assert_int_equal(bench.session.password.size(), 16);
  assert_int_equal(bench.session.password.bytes()[15], 15);
  assert_true(bench.session.SetPassword("exactly20characters!"));
  assert_int_equal(bench.session.password.size(), 20);
  assert_false(bench.session.SetPassword("twenty-one characters"));
  assert_false(bench.session.SetPassword(""));
  assert_int_equal(bench.session.password.size(), 20);
}

void FindsAKeyInAKeyFile(void**) {
  Bench bench;
  const char* file = "# keys\n 1 MD5 other\n7 SHA1 ctlpass # control\n8 NOPE x\n";
  assert_true(TakeKey(bench.session, KeyId{7}, file).ok());
  assert_true(bench.session.key_type.name == "SHA1");
  assert_true(AsText(bench.session.password.bytes()) == "ctlpass");
  assert_false(TakeKey(bench.session, KeyId{8}, file).ok());
  assert_false(TakeKey(bench.session, KeyId{9}, file).ok());
}

// RFC 1305 appendix C; computed by `openssl enc -des-cbc`.
void MakesDesCheckSumsOfEveryFormOfAKey(void**) {
  const std::vector<uint8_t> covered(16, 0x2a);
  const auto mac = [&](std::string_view key) {
    return MakeMac(*FindKeyType("des"), KeyId{7}, AsBytes(key), covered);
  };
  const std::vector<uint8_t> expected = {0,    0,    0,    7,    0x31, 0x76,
                                         0x47, 0x75, 0x0c, 0x8a, 0xa4, 0x3d};
  assert_true(*mac("0123456789abcdef") == expected);
  assert_false(mac("0123456789abcdee").ok());
  assert_false(mac("123456789").ok());
  assert_true(mac("x").ok());

  Bench bench;
  Session& session = bench.session;
  const std::string_view file = "1 S 0123456789ABCDEF\n2 N 8091a2b3c4d5e6f7\n3 A x\n4 S 00\n";
  for (const uint32_t key : {1u, 2u}) {
    assert_true(TakeKey(session, KeyId{key}, file).ok());
    assert_string_equal(session.key_type.name.data(), "DES");
    assert_true(*mac(AsText(session.password.bytes())) == expected);
  }
  assert_true(TakeKey(session, KeyId{3}, file).ok());
  assert_string_equal(std::string(AsText(session.password.bytes())).c_str(), "x");
  assert_string_equal(TakeKey(session, KeyId{4}, file).error().text.c_str(), "key 4 is malformed");
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TakesLongPasswordsAsHexadecimal),
      cmocka_unit_test(FindsAKeyInAKeyFile),
      cmocka_unit_test(MakesDesCheckSumsOfEveryFormOfAKey),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
