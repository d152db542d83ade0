// Symmetric MACs: recomputed for packets that reference daemons sent to each other.
#include "keys/mac.h"

#include <map>
#include <sstream>

#include "keys/symmetric_file.h"
#include "tests/keys/key_data.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using ntpward::test::FromHex;
using ntpward::test::ToHex;

MacAlgorithm Algorithm(const std::string& type) {
  auto algorithm = MacAlgorithm::Create(type);
  CHECK(algorithm.ok());
  return std::move(algorithm).value();
}

void CapturedMacsAreRecomputed(void**) {
  const auto file = ParseSymmetricFile(test::Data("428_ntp.keys"), "ntp.keys");
  std::map<uint32_t, const SymmetricKey*> keys;
  for (const auto& key : file->keys) keys[key.id.value] = &key;
  std::istringstream lines(test::DataText("symmetric_macs.txt"));
  std::map<std::string, int> seen;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string reference, packet;
    uint32_t id = 0;
    words >> reference >> id >> packet;
    const SymmetricKey& key = *keys.at(id);
    auto algorithm = Algorithm(key.type);
    const auto bytes = FromHex(packet);
    const auto mac = algorithm.Compute(file->SecretOf(key), Bytes(bytes).first(48));
    // 4.2.8 sends 32 octets of which 20 are the digest when the digest is SHA256.
    assert_string_equal(ToHex(mac.span()).c_str(),
                        ToHex(Bytes(bytes).subspan(52, mac.size())).c_str());
    ++seen[key.type];
  }
  assert_true(seen["MD5"] >= 12 && seen["SHA1"] >= 12 && seen["AES128CMAC"] >= 8);
  assert_true(seen["RIPEMD160"] >= 4 && seen["SHA256"] >= 2);
}

// RFC 4493 section 4.
void CmacMatchesItsStandard(void**) {
  auto cmac = Algorithm("AES128CMAC");
  const auto key = FromHex("2b7e151628aed2a6abf7158809cf4f3c");
  assert_string_equal(ToHex(cmac.Compute(key, {}).span()).c_str(),
                      "bb1d6929e95937287fa37d129b756746");
  assert_string_equal(
      ToHex(cmac.Compute(key, FromHex("6bc1bee22e409f96e93d7e117393172a")).span()).c_str(),
      "070a16b46b4d4144f79bdd9dd04a287c");
}

void CmacSecretsOfOtherLengthsAreFittedTo16Octets(void**) {
  auto cmac = Algorithm("AES128CMAC");
  const auto text = AsBytes("covered");
  assert_true(cmac.Compute(FromHex("0102"), text) ==
              cmac.Compute(FromHex("01020000000000000000000000000000"), text));
  assert_true(cmac.Compute(FromHex("2b7e151628aed2a6abf7158809cf4f3cff"), text) ==
              cmac.Compute(FromHex("2b7e151628aed2a6abf7158809cf4f3c"), text));
}

// RFC 1305 appendix C; both forms of a hexadecimal key are the same key.
void DesCheckSumsAreThoseOfOpenssl(void**) {
  auto des = Algorithm("DES");
  std::istringstream lines(test::DataText("des_macs.txt"));
  int seen = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string type, text, octets, packet, sum;
    words >> type >> text >> octets >> packet >> sum;
    const auto file = ParseSymmetricFile(AsBytes("1 " + type + " " + text), "k");
    assert_int_equal(file->keys.size(), 1);
    assert_string_equal(file->keys[0].type.c_str(), "DES");
    const auto secret = file->SecretOf(file->keys[0]);
    assert_string_equal(ToHex(secret).c_str(), octets.substr(0, 2 * secret.size()).c_str());
    assert_string_equal(ToHex(des.Compute(secret, FromHex(packet)).span()).c_str(), sum.c_str());
    ++seen;
  }
  assert_int_equal(seen, 9);
}

// FIPS 113 appendix 2 gives the message's own length: the last block is filled with zeros.
void DesFillsTheLastBlockWithZeros(void**) {
  auto des = Algorithm("DES");
  const auto sum =
      des.Compute(FromHex("0123456789abcdef"), AsBytes("7654321 Now is the time for "));
  assert_string_equal(ToHex(sum.span()).c_str(), "f1d30f6849312ca4");
  assert_int_equal(des.size(), 8);
  assert_int_equal(des.Compute({}, {}).size(), 8);
}

// The context keeps its last key.
void CmacKeysThatTakeTurnsAreNotMixedUp(void**) {
  auto cmac = Algorithm("AES128CMAC");
  const auto key = FromHex("2b7e151628aed2a6abf7158809cf4f3c");
  const auto message = FromHex("6bc1bee22e409f96e93d7e117393172a");
  const auto expected = cmac.Compute(key, message);
  const auto zero = cmac.Compute({}, message);
  assert_false(expected == zero);
  for (int i = 0; i < 2; ++i) {
    assert_true(cmac.Compute(key, message) == expected);
    assert_true(cmac.Compute(key, message) == expected);
    assert_false(cmac.Compute(key, {}) == expected);
    assert_true(cmac.Compute({}, message) == zero);
  }
}

void LongDigestsAreCutTo20Octets(void**) {
  assert_int_equal(Algorithm("SHA512").size(), 20);
  assert_int_equal(Algorithm("SHA1").size(), 20);
  assert_int_equal(Algorithm("MD5").size(), 16);
}

void UnknownTypesAreNone(void**) {
  for (const char* type : {"", "NULL", "SHAKE256", "A", "HMAC"}) {
    assert_false(IsMacType(type));
    assert_false(MacAlgorithm::Create(type).ok());
  }
}

// CVE-2020-15025 leaked memory with each CMAC; run under LeakSanitizer this must stay flat.
void AMillionCmacsLeakNothing(void**) {
  auto cmac = Algorithm("AES128CMAC");
  const auto key = FromHex("2b7e151628aed2a6abf7158809cf4f3c");
  const uint8_t packet[48] = {};
  MacDigest last;
  for (int i = 0; i < 1000000; ++i) last = cmac.Compute(key, packet);
  assert_int_equal(last.size(), 16);
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(CapturedMacsAreRecomputed),
      cmocka_unit_test(CmacMatchesItsStandard),
      cmocka_unit_test(CmacSecretsOfOtherLengthsAreFittedTo16Octets),
      cmocka_unit_test(DesCheckSumsAreThoseOfOpenssl),
      cmocka_unit_test(DesFillsTheLastBlockWithZeros),
      cmocka_unit_test(CmacKeysThatTakeTurnsAreNotMixedUp),
      cmocka_unit_test(LongDigestsAreCutTo20Octets),
      cmocka_unit_test(UnknownTypesAreNone),
      cmocka_unit_test(AMillionCmacsLeakNothing),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
