// ntp.keys: what ntpd 4.2.8 accepts is accepted, what is wrong is said by line and column.
#include "keys/symmetric_file.h"

#include "tests/keys/key_data.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using ntpward::test::ToHex;

SymmetricFile Parse(std::string_view text) {
  auto file = ParseSymmetricFile(AsBytes(text), "ntp.keys");
  CHECK(file.ok());
  return std::move(file).value();
}

std::string SecretHex(const SymmetricFile& file, size_t index) {
  return ToHex(file.SecretOf(file.keys.at(index)));
}

void ReadsTheReferencesFile(void**) {
  const auto file = Parse(test::DataText("428_ntp.keys"));
  assert_int_equal(file.errors.size(), 0);
  assert_int_equal(file.keys.size(), 13);
  assert_string_equal(file.keys[0].type.c_str(), "MD5");
  assert_int_equal(file.keys[0].id.value, 1);
  assert_string_equal(SecretHex(file, 0).c_str(), ToHex(AsBytes("secretMD5ascii")).c_str());
  assert_string_equal(SecretHex(file, 5).c_str(), "000102030405060708090a0b0c0d0e0f101112131415");
  assert_string_equal(file.keys[7].type.c_str(), "AES128CMAC");
}

void CommentsBlanksAndLineEndsDoNoHarm(void**) {
  const auto file =
      Parse("# a comment\r\n\n  \t\n\t7 \tsha1  secret#not this\r\n8 m x # y\n9 MD5 end");
  assert_int_equal(file.errors.size(), 0);
  assert_int_equal(file.keys.size(), 3);
  assert_string_equal(file.keys[0].type.c_str(), "SHA1");
  assert_string_equal(SecretHex(file, 0).c_str(), ToHex(AsBytes("secret")).c_str());
  assert_string_equal(file.keys[1].type.c_str(), "MD5");
  assert_int_equal(file.keys[2].id.value, 9);
}

void TwentyCharactersAreLiteralTwentyOneAreHexadecimal(void**) {
  const auto file = Parse("1 MD5 aaaaaaaaaaaaaaaaaaaa\n2 MD5 aaaaaaaaaaaaaaaaaaaaa\n");
  assert_int_equal(file.keys[0].length, 20);
  assert_int_equal(file.keys[1].length, 11);
  // The odd last digit is the upper half.
  assert_string_equal(SecretHex(file, 1).c_str(), "aaaaaaaaaaaaaaaaaaaaa0");
}

void LongKeysAndNulOctetsSurvive(void**) {
  const std::string hex = "00112233445566778899aabbccddeeff00112233445566778899aabbccddee00";
  const auto file = Parse("1 SHA1 " + hex + "\n2 AES128CMAC 00000000000000000000000000000000\n");
  assert_int_equal(file.keys[0].length, 32);
  assert_string_equal(SecretHex(file, 0).c_str(), hex.c_str());
  assert_string_equal(SecretHex(file, 1).c_str(), std::string(32, '0').c_str());
  const auto longest = Parse("1 SHA1 " + std::string(128, 'f') + "\n");
  assert_int_equal(longest.keys[0].length, 64);
  assert_int_equal(Parse("1 SHA1 " + std::string(129, 'f') + "\n").errors.size(), 1);
}

void ErrorsNameLineAndColumn(void**) {
  struct Row {
    const char *text, *where;
  };
  const Row rows[] = {
      {"0 MD5 x\n", "ntp.keys:1:1:"},
      {"\n 65536 MD5 x\n", "ntp.keys:2:2:"},
      {"x MD5 y\n", "ntp.keys:1:1:"},
      {"1x MD5 y\n", "ntp.keys:1:1:"},
      {"99999999999 MD5 y\n", "ntp.keys:1:1:"},
      {"1\n", "ntp.keys:1:2:"},
      {"1 MD5  # gone\n", "ntp.keys:1:6:"},
      {"1 MD5 00112233445566778899g0\n", "ntp.keys:1:27:"},
      {"1 MD5 x 10.0.0.1,nonsense\n", "ntp.keys:1:18:"},
      {"1 MD5 x 10.0.0.0/x\n", "ntp.keys:1:18:"},
      {"1 MD5 x ,\n", "ntp.keys:1:9:"},
      {"1 S 010101010101010\n",
       "ntp.keys:1:20: a DES key of type S or N has 16 hexadecimal digits"},
      {"1 S 01010101010101010\n", "ntp.keys:1:21: a DES key of type S or N has 16 hexadecimal"},
      {"1 N x080808080808080\n", "ntp.keys:1:5: no hexadecimal digit"},
      {"1 S 010101010101010x\n", "ntp.keys:1:20: no hexadecimal digit"},
      {"1 S 0101000101010101\n", "ntp.keys:1:9: octet 3 has even parity: expected an odd number"},
      {"1 n 8080808080808081\n", "ntp.keys:1:19: octet 8 has even parity"},
      {"1 A 123456789\n", "ntp.keys:1:13: a DES key of type A has 1 to 8 characters"},
      {"1 A # gone\n", "ntp.keys:1:4: expected the key's secret"},
  };
  for (const Row& row : rows) {
    const auto file = Parse(row.text);
    assert_true(!file.errors.empty());
    if (!file.errors[0].starts_with(row.where)) print_error("%s\n", file.errors[0].c_str());
    assert_true(file.errors[0].starts_with(row.where));
  }
  assert_int_equal(Parse(std::string_view("1 MD5 a\0b\n", 10)).errors.size(), 1);
}

void ErrorsNeverQuoteASecret(void**) {
  for (const auto& error :
       Parse("1 MD5 5ecre75ecre75ecre7zzz\n5ecre7 MD5\n2 MD5 x 5ecre7\n3 S 5ecre7\n4 A 5ecre75ec\n")
           .errors)
    assert_null(strstr(error.c_str(), "5ecre7"));
}

void UnknownTypesAreSkippedWithAWarning(void**) {
  const auto file =
      Parse("1 DES secret\n2 Sx 0011223344556677\n3 SHAKE128 x\n4 NULL x\n5 Mickey x\n");
  assert_int_equal(file.errors.size(), 0);
  assert_int_equal(file.warnings.size(), 4);
  assert_int_equal(file.keys.size(), 1);
  assert_string_equal(file.keys[0].type.c_str(), "MD5");
}

void DesKeysOfNtpd41AreReadEachWithAWarning(void**) {
  const auto file =
      Parse("1 S 0101010101010101\n2 n FEDCBA9876543210\n3 a secret # A\n4 A x 10.0.0.1");
  assert_int_equal(file.errors.size(), 0);
  assert_int_equal(file.keys.size(), 4);
  for (const auto& key : file.keys) assert_string_equal(key.type.c_str(), kDesType.data());
  assert_string_equal(SecretHex(file, 1).c_str(), "fdb97531eca86420");
  assert_string_equal(SecretHex(file, 2).c_str(), "e6cac6e4cae8");
  assert_string_equal(SecretHex(file, 3).c_str(), "f0");
  assert_int_equal(file.keys[3].addresses.size(), 1);
  assert_int_equal(file.warnings.size(), 4);
  assert_true(file.warnings[2].starts_with("ntp.keys:3:5: key 3 is a DES key: it can be broken"));
}

void TypeMIsLiteralUpTo31CharactersUnlessHexadecimal(void**) {
  const auto file = Parse(
      "1 M abcdefghijklmnopqrstu\n2 M 0123456789abcdef012345\n3 m "
      "1234567890123456789012345678xyz\n");
  assert_int_equal(file.errors.size(), 0);
  assert_int_equal(file.keys.size(), 3);
  assert_int_equal(file.keys[0].length, 21);
  assert_int_equal(file.keys[1].length, 11);
  assert_int_equal(file.keys[2].length, 31);
  assert_int_equal(file.warnings.size(), 2);
  assert_int_equal(Parse("1 M 1234567890123456789012345678wxyz\n").errors.size(), 1);
  assert_int_equal(Parse("1 MD5 abcdefghijklmnopqrstu\n").errors.size(), 1);
}

void TheFirstOfTwoLinesCounts(void**) {
  const auto file = Parse("1 MD5 first\n1 SHA1 second\n");
  assert_int_equal(file.keys.size(), 1);
  assert_string_equal(SecretHex(file, 0).c_str(), ToHex(AsBytes("first")).c_str());
  assert_int_equal(file.warnings.size(), 1);
}

void AddressListsAreKept(void**) {
  const auto file = Parse("1 MD5 x 10.0.0.0/9,2001:db8::/33,192.0.2.1\n");
  assert_int_equal(file.errors.size(), 0);
  const auto& list = file.keys[0].addresses;
  assert_int_equal(list.size(), 3);
  assert_true(list[0].Contains(*IpAddress::Parse("10.127.255.255")));
  assert_false(list[0].Contains(*IpAddress::Parse("10.128.0.0")));
  assert_false(list[0].Contains(*IpAddress::Parse("2001:db8::1")));
  assert_true(list[1].Contains(*IpAddress::Parse("2001:db8:7fff::1")));
  assert_false(list[1].Contains(*IpAddress::Parse("2001:db8:8000::1")));
  assert_true(list[2].Contains(*IpAddress::Parse("192.0.2.1")));
  assert_false(list[2].Contains(*IpAddress::Parse("192.0.2.2")));
}

// Against the definition, bit by bit.
void EveryPrefixLengthMatchesItsBits(void**) {
  const auto base = *IpAddress::Parse("2001:db8:aaaa:5555:f0f0:1234:5678:9abc");
  for (unsigned bits = 0; bits <= 128; ++bits) {
    const KeyAddress prefix{base, static_cast<uint8_t>(bits)};
    for (unsigned flipped = 0; flipped < 128; ++flipped) {
      IpAddress other = base;
      other.octets[flipped / 8] ^= static_cast<uint8_t>(0x80 >> (flipped % 8));
      assert_int_equal(prefix.Contains(other), flipped >= bits);
    }
  }
}

void EveryTruncationIsHarmless(void**) {
  const std::string text = test::DataText("428_ntp.keys");
  for (size_t size = 0; size < text.size(); ++size) {
    const auto file = Parse(std::string_view(text).substr(0, size));
    assert_true(file.keys.size() <= 13);
    for (const auto& key : file.keys) assert_true(file.SecretOf(key).size() <= kMaxSymmetricSecret);
  }
}

void EveryTruncationOfDesKeysIsHarmless(void**) {
  const std::string text = "1 S 0123456789abcdef\n2 N 8091a2b3c4d5e6f7\n3 A password\n";
  for (size_t size = 0; size <= text.size(); ++size)
    for (const auto& key : Parse(text.substr(0, size)).keys) assert_true(key.length <= 8);
}

void ALogFileDoesNotFloodTheLog(void**) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "Nov 21 23:48:18 host daemon: no key here\n";
  assert_true(Parse(text).errors.size() < 20);
  assert_false(Parse(std::string(kMaxSymmetricFile + 1, 'x')).errors.empty());
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ReadsTheReferencesFile),
      cmocka_unit_test(CommentsBlanksAndLineEndsDoNoHarm),
      cmocka_unit_test(TwentyCharactersAreLiteralTwentyOneAreHexadecimal),
      cmocka_unit_test(LongKeysAndNulOctetsSurvive),
      cmocka_unit_test(ErrorsNameLineAndColumn),
      cmocka_unit_test(ErrorsNeverQuoteASecret),
      cmocka_unit_test(UnknownTypesAreSkippedWithAWarning),
      cmocka_unit_test(DesKeysOfNtpd41AreReadEachWithAWarning),
      cmocka_unit_test(TypeMIsLiteralUpTo31CharactersUnlessHexadecimal),
      cmocka_unit_test(TheFirstOfTwoLinesCounts),
      cmocka_unit_test(AddressListsAreKept),
      cmocka_unit_test(EveryPrefixLengthMatchesItsBits),
      cmocka_unit_test(EveryTruncationIsHarmless),
      cmocka_unit_test(EveryTruncationOfDesKeysIsHarmless),
      cmocka_unit_test(ALogFileDoesNotFloodTheLog),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
