// Signatures, cookies and identity proofs: recomputed for what reference daemons sent to each
// other.
#include <map>
#include <sstream>

#include "keys/der.h"
#include "keys/iff.h"
#include "keys/private_key.h"
#include "keys/rsa.h"
#include "tests/keys/key_data.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using ntpward::test::FromHex;
using ntpward::test::ToHex;

KeyPair Host(const std::string& file, std::string_view password) {
  auto key = ReadRsaKey(Data(file), AsBytes(password));
  CHECK(key.ok());
  return std::move(key).value();
}

IffKey Iff(const std::string& file, std::string_view password = {}) {
  auto key = ReadIffKey(Data(file), AsBytes(password));
  CHECK(key.ok());
  return std::move(key).value();
}

void CheckSignature(std::istringstream& words) {
  std::string file, digest, value, signature;
  uint32_t timestamp = 0, filestamp = 0;
  words >> file >> digest >> timestamp >> filestamp >> value >> signature;
  const KeyPair key = Host(file, kServerPassword);
  const auto signer = Signer::Create(key.key.get(), digest);
  assert_true(signer.ok());
  const auto made = signer->Sign({timestamp}, {filestamp}, FromHex(value));
  assert_string_equal(ToHex(made).c_str(), signature.c_str());
}

void CheckCookie(std::istringstream& words) {
  std::string file, password, ciphertext, plain;
  words >> file >> password >> ciphertext >> plain;
  const KeyPair key = Host(file, password);
  const auto opened = OaepDecrypt(key.key.get(), FromHex(ciphertext), 4);
  assert_true(opened.has_value());
  assert_string_equal(ToHex(*opened).c_str(), plain.c_str());
}

void CheckProof(std::istringstream& words) {
  std::string file, challenge, response;
  words >> file >> challenge >> response;
  const IffKey key = Iff(file);
  assert_true(VerifyIff(key, FromHex(challenge), FromHex(response)));
  auto other = FromHex(challenge);
  other[3] ^= 1;
  assert_false(VerifyIff(key, other, FromHex(response)));
}

void CapturedValuesAreRecomputed(void**) {
  std::istringstream lines(DataText("autokey_values.txt"));
  std::map<std::string, int> seen;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    ++seen[kind];
    if (kind == "sign") CheckSignature(words);
    if (kind == "cookie") CheckCookie(words);
    if (kind == "iff") CheckProof(words);
  }
  assert_true(seen["sign"] >= 8 && seen["cookie"] == 2 && seen["iff"] == 2);
}

void IffProvesAndVerifies(void**) {
  const IffKey server = Iff("426_iffkey_server", kServerPassword);
  const IffKey client = Iff("426_iffpar_server_traditional");
  for (int i = 0; i < 50; ++i) {
    const auto challenge = DrawIffChallenge(client);
    assert_int_equal(challenge.size(), 20);
    const auto response = ProveIff(server, challenge);
    assert_true(VerifyIff(client, challenge, response));
  }
}

// With the modulus 2^159+1.. about one challenge in 256 has a leading zero octet: padded on the
// left, it is the number that the server sees.
void ShortChallengesArePaddedOnTheLeft(void**) {
  const IffKey server = Iff("426_iffkey_server", kServerPassword);
  std::vector<uint8_t> challenge(20, 0);
  challenge[19] = 5;
  assert_true(VerifyIff(server, challenge, ProveIff(server, challenge)));
}

void ChallengesAndProofsDiffer(void**) {
  const IffKey server = Iff("426_iffkey_server", kServerPassword);
  const auto challenge = DrawIffChallenge(server);
  assert_true(challenge != DrawIffChallenge(server));
  assert_true(ProveIff(server, challenge) != ProveIff(server, challenge));
}

void AnotherGroupsProofIsRefused(void**) {
  const IffKey other = Iff("428_iffkey_server", kServerPassword);
  const IffKey client = Iff("426_iffpar_server_traditional");
  const auto challenge = DrawIffChallenge(client);
  assert_false(VerifyIff(client, challenge, ProveIff(other, challenge)));
}

void EveryDamagedProofIsRefused(void**) {
  const IffKey key = Iff("426_iffkey_server", kServerPassword);
  const auto challenge = DrawIffChallenge(key);
  const auto response = ProveIff(key, challenge);
  for (size_t size = 0; size < response.size(); ++size)
    assert_false(VerifyIff(key, challenge, Bytes(response).first(size)));
  for (size_t bit = 0; bit < response.size() * 8; ++bit) {
    auto damaged = response;
    damaged[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    assert_false(VerifyIff(key, challenge, damaged));
  }
  auto longer = response;
  longer.push_back(0);
  assert_false(VerifyIff(key, challenge, longer));
  for (const size_t size : {size_t{0}, size_t{19}, size_t{21}, size_t{512}})
    assert_false(VerifyIff(key, std::vector<uint8_t>(size, 7), response));
}

// y and y + q prove the same: only the reduced one is taken, so that a proof has one form.
void OnlyReducedProofsPass(void**) {
  const IffKey key = Iff("426_iffkey_server", kServerPassword);
  const auto challenge = DrawIffChallenge(key);
  const auto numbers = ParseIntegers(ProveIff(key, challenge), 2, 20);
  BigPtr sum = Number();
  BN_add(sum.get(), (*numbers)[0].get(), key.q.get());
  const auto forged = WriteIntegers({sum.get(), (*numbers)[1].get()});
  assert_false(VerifyIff(key, challenge, forged));
}

void DerLengthsAreBounded(void**) {
  for (const char* hex : {"", "30", "3080", "3084ffffffff", "308480000000", "30830000060201010201",
                          "3082000602010102"
                          "0101",
                          "300602010102010100", "3006020101028101ff",
                          "30060200"
                          "02020101",
                          "3006020181020101", "30080202000102020001", "300602010102020101",
                          "31060201010201"
                          "01",
                          "3006030101020101"})
    assert_false(ParseIntegers(FromHex(hex), 2, 512).has_value());
  assert_true(ParseIntegers(FromHex("3006020101020100"), 2, 512).has_value());
  assert_false(ParseIntegers(FromHex("3006020101020100"), 3, 512).has_value());
  assert_false(ParseIntegers(FromHex("3007020101020200ff"), 2, 0).has_value());
}

void CookiesOfAnotherLengthAreRefused(void**) {
  const KeyPair key = Host("426_host_client", kClientPassword);
  for (size_t size = 0; size <= 8; ++size) {
    const auto sealed = OaepEncrypt(key.key.get(), std::vector<uint8_t>(size, 9));
    assert_int_equal(OaepDecrypt(key.key.get(), sealed, 4).has_value(), size == 4);
  }
  for (const size_t size : {size_t{0}, size_t{63}, size_t{65}, size_t{512}})
    assert_false(OaepDecrypt(key.key.get(), std::vector<uint8_t>(size, 9), 4).has_value());
  assert_false(OaepDecrypt(key.key.get(), std::vector<uint8_t>(64, 0xff), 4).has_value());
}

void PublicKeysOutOfBoundsAreRefused(void**) {
  std::vector<uint8_t> modulus(64, 0x81);
  assert_non_null(RsaPublicKey(modulus, 65537).get());
  assert_non_null(RsaPublicKey(modulus, 3).get());
  assert_non_null(RsaPublicKey(modulus, 0xffffffff).get());
  for (const uint32_t exponent : {0u, 1u, 2u, 65536u})
    assert_null(RsaPublicKey(modulus, exponent).get());
  for (const size_t size : {size_t{0}, size_t{31}, size_t{513}})
    assert_null(RsaPublicKey(std::vector<uint8_t>(size, 0x81), 3).get());
  modulus[63] = 0x80;
  assert_null(RsaPublicKey(modulus, 3).get());
  modulus[63] = 0x81, modulus[0] = 0;
  assert_null(RsaPublicKey(modulus, 3).get());
}

// No modulus that RSA would make, and all that is known of it is its size: what is sealed is as
// long.
void StrangePublicKeysSealToTheirSize(void**) {
  for (size_t size = 46; size <= 512; size += 13)
    for (const uint32_t exponent : {3u, 0xffffffffu}) {
      const std::vector<uint8_t> modulus(size, 0xff);
      const PkeyPtr key = RsaPublicKey(modulus, exponent);
      assert_non_null(key.get());
      const auto sealed = OaepEncrypt(key.get(), std::vector<uint8_t>(4, 1));
      assert_int_equal(sealed.size(), size);
      assert_true(sealed < modulus);
      // 46 octets have room for the 4 of a cookie and no more.
      if (size == 46) assert_true(OaepEncrypt(key.get(), std::vector<uint8_t>(5, 1)).empty());
    }
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(CapturedValuesAreRecomputed),
      cmocka_unit_test(IffProvesAndVerifies),
      cmocka_unit_test(ShortChallengesArePaddedOnTheLeft),
      cmocka_unit_test(ChallengesAndProofsDiffer),
      cmocka_unit_test(AnotherGroupsProofIsRefused),
      cmocka_unit_test(EveryDamagedProofIsRefused),
      cmocka_unit_test(OnlyReducedProofsPass),
      cmocka_unit_test(DerLengthsAreBounded),
      cmocka_unit_test(CookiesOfAnotherLengthAreRefused),
      cmocka_unit_test(PublicKeysOutOfBoundsAreRefused),
      cmocka_unit_test(StrangePublicKeysSealToTheirSize),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
