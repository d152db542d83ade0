// GQ: the captured exchange of ntpd 4.2.6, files of both references, and what an impostor may try.
#include "keys/gq.h"

#include "keys/der.h"
#include "keys/identity_numbers.h"
#include "keys/raw_key.h"
#include "tests/keys/key_data.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using ntpward::test::FromHex;
using ntpward::test::ToHex;

// Folder s05a: what crossed the wire between 4.2.6's client and server.
constexpr const char* kChallenge =
    "33acca9134aa5c30f2ef029c92a91ac6142cde2d8079f4f81fd6f733a51f0a16";
constexpr const char* kResponse =
    "3035022100b283c55ed5ec3e2ea364055f093f4f42fc1434e3601ef043b4ddc6c8968b764a"
    "0210713454d2894852ac72662ebee5337477";
constexpr const char* kPublic = "3a7f95b95bc8ac1082c4f4ee8a44a02deca31dd5acdefc2ef25fd90ffd47a07e";

GqKey Server(const std::string& generation = "426") {
  auto key = ReadGqKey(Data(generation + "_gqkey_server"), AsBytes(kServerPassword));
  CHECK(key.ok());
  return std::move(key).value();
}
GqKey Client(const std::string& generation = "426") {
  auto key = ReadGqKey(Data(generation + "_gqpar_server"), {});
  CHECK(key.ok());
  return std::move(key).value();
}
std::string Hex(const BigPtr& number) { return ToHex(NumberOctets(number.get())); }
BigPtr Big(const std::string& hex) {
  BigPtr number = Number();
  SetNumber(number.get(), FromHex(hex));
  return number;
}
std::vector<uint8_t> PublicOf(const GqKey& key) { return NumberOctets(key.v.get()); }
std::vector<uint8_t> Response(const BIGNUM* y, const BIGNUM* h) {
  const LockedBytes der = WriteIntegers({y, h});
  return {der.begin(), der.end()};
}

void VerifiesTheCapturedExchange(void**) {
  const GqKey key = Client();
  assert_true(VerifyGq(key, FromHex(kPublic), FromHex(kChallenge), FromHex(kResponse)));
  auto other = FromHex(kChallenge);
  other.back() ^= 2;
  assert_false(VerifyGq(key, FromHex(kPublic), other, FromHex(kResponse)));
  assert_false(VerifyGq(Client("428"), FromHex(kPublic), FromHex(kChallenge), FromHex(kResponse)));
}

void ReadsTheFilesOfBothReferences(void**) {
  const GqKey old = Server();
  assert_string_equal(Hex(old.v).c_str(), kPublic);
  assert_true(old.weak_encryption);
  assert_int_equal(old.filestamp.value, 4004293450U);
  for (const std::string generation : {"426", "428"}) {
    const GqKey server = Server(generation), client = Client(generation);
    assert_true(server.has_secret() && !client.has_secret());
    assert_int_equal(BN_cmp(server.n.get(), client.n.get()), 0);
    assert_int_equal(BN_cmp(server.b.get(), client.b.get()), 0);
    const auto challenge = DrawGqChallenge(client);
    assert_true(VerifyGq(client, PublicOf(server), challenge, ProveGq(server, challenge)));
  }
  assert_false(ReadGqKey(Data("426_gqkey_server"), AsBytes("wrong")).ok());
  assert_false(ReadGqKey(Data("426_gqkey_server"), {}).ok());
}

void EachProofIsForOneChallengeAndNeverTheSame(void**) {
  const GqKey server = Server(), client = Client();
  const auto challenge = DrawGqChallenge(client);
  assert_int_equal(challenge.size(), 32);
  const auto first = ProveGq(server, challenge), second = ProveGq(server, challenge);
  assert_true(first != second);
  assert_false(VerifyGq(client, PublicOf(server), DrawGqChallenge(client), first));
}

// A challenge that the reference would have sent short and shifted.
void AShortChallengeIsPaddedOnTheLeft(void**) {
  const GqKey server = Server(), client = Client();
  std::vector<uint8_t> challenge(32);
  challenge[31] = 5;
  assert_true(VerifyGq(client, PublicOf(server), challenge, ProveGq(server, challenge)));
  assert_false(
      VerifyGq(client, PublicOf(server), Bytes(challenge).subspan(1), ProveGq(server, challenge)));
}

// Values whose powers everybody knows: with v = y = 1, h = bighash(1) holds for any b.
void TrivialNumbersProveNothing(void**) {
  const GqKey key = Client();
  const auto r = DrawGqChallenge(key);
  BigPtr zero = Number(), one = Big("01"), last = Number(), genuine = Big(kPublic);
  CHECK(BN_copy(last.get(), key.n.get()) != nullptr && BN_sub_word(last.get(), 1) == 1);
  for (const BIGNUM* v : {zero.get(), one.get(), last.get(), key.n.get(), genuine.get()}) {
    std::vector<uint8_t> octets = NumberOctets(v);
    if (octets.empty()) octets = {0};
    for (const BIGNUM* y : {zero.get(), one.get(), last.get(), static_cast<BIGNUM*>(key.n.get())})
      for (const BIGNUM* x : {zero.get(), one.get(), last.get()})
        assert_false(VerifyGq(key, octets, r, Response(y, BigHash(x).get())));
  }
}

void NumbersOutOfBoundsAreRefused(void**) {
  const GqKey key = Client();
  const auto numbers = ParseIntegers(FromHex(kResponse), 2, 32);
  BigPtr beyond = Number();
  CHECK(BN_add(beyond.get(), (*numbers)[0].get(), key.n.get()) == 1);
  const auto response = Response(beyond.get(), (*numbers)[1].get());
  assert_false(VerifyGq(key, FromHex(kPublic), FromHex(kChallenge), response));
  auto long_value = FromHex(kPublic);
  long_value.insert(long_value.begin(), 0);
  assert_false(VerifyGq(key, long_value, FromHex(kChallenge), FromHex(kResponse)));
  assert_false(VerifyGq(key, {}, FromHex(kChallenge), FromHex(kResponse)));
  assert_false(VerifyGq(key, FromHex(kPublic), {}, FromHex(kResponse)));
}

void TruncatedAndPaddedResponsesAreRefused(void**) {
  const GqKey key = Client();
  const auto v = FromHex(kPublic), r = FromHex(kChallenge), response = FromHex(kResponse);
  for (size_t size = 0; size < response.size(); ++size)
    assert_false(VerifyGq(key, v, r, Bytes(response).first(size)));
  auto longer = response;
  longer.push_back(0);
  assert_false(VerifyGq(key, v, r, longer));
  // The same numbers in other encodings: lengths and leading octets that are not needed.
  for (const std::string text :
       {"308135022100b283c55ed5ec3e2ea364055f093f4f42fc1434e3601ef043b4ddc6c8968b764a"
        "0210713454d2894852ac72662ebee5337477",
        "303602220000b283c55ed5ec3e2ea364055f093f4f42fc1434e3601ef043b4ddc6c8968b764a"
        "0210713454d2894852ac72662ebee5337477",
        "30340220b283c55ed5ec3e2ea364055f093f4f42fc1434e3601ef043b4ddc6c8968b764a"
        "0210713454d2894852ac72662ebee5337477",
        "3080022100b283c55ed5ec3e2ea364055f093f4f42fc1434e3601ef043b4ddc6c8968b764a"
        "0210713454d2894852ac72662ebee53374770000"})
    assert_false(VerifyGq(key, v, r, FromHex(text)));
}

// ntpd 4.2.8p18 takes the exponent where the secret is meant.
void TheBrokenReferencesAnswerIsRefused(void**) {
  const GqKey server = Server("428"), client = Client("428");
  const auto challenge = DrawGqChallenge(client);
  BigContextPtr context = SecretScratch();
  BigPtr k = Number(), y = Number();
  DrawBelow(k.get(), server.n.get());
  const BigPtr r = ReducedChallenge(challenge, server.n.get(), context.get());
  CHECK(BN_mod_exp(y.get(), server.b.get(), r.get(), server.n.get(), context.get()) == 1 &&
        BN_mod_mul(y.get(), y.get(), k.get(), server.n.get(), context.get()) == 1);
  assert_false(
      VerifyGq(client, PublicOf(server), challenge, Response(y.get(), BigHash(k.get()).get())));
}

std::string File(const std::string& pem) { return "# ntpkey_GQkey_g.4004293450\n#\n\n" + pem; }

void NewKeysOfEverySizeProveAndAreReadBack(void**) {
  for (const int bits : {256, 257, 512, 1016}) {
    const auto key = MakeGqKey(bits);
    assert_true(key.ok());
    assert_in_range(BN_num_bits(key->n.get()), bits - 1, bits);
    const auto sealed = WriteGqKey(*key, AsBytes("pw"), "aes-256-cbc");
    const auto server = ReadGqKey(AsBytes(File(*sealed)), AsBytes("pw"));
    const auto client = ReadGqKey(AsBytes(File(WriteGqParameters(*key))), {});
    assert_true(server.ok() && server->has_secret() && client.ok() && !client->has_secret());
    const auto challenge = DrawGqChallenge(*client);
    assert_true(VerifyGq(*client, PublicOf(*server), challenge, ProveGq(*server, challenge)));
  }
}

std::string Text(std::initializer_list<const BIGNUM*> numbers) {
  return File(WriteRawKey(RawForm::kRsa, std::span(numbers.begin(), numbers.size())));
}

void HostileFilesAreRefused(void**) {
  const GqKey key = Server();
  const BIGNUM *n = key.n.get(), *b = key.b.get(), *u = key.u.get(), *v = key.v.get();
  const BIGNUM* one = BN_value_one();
  BigPtr even = Number(), zero = Number(), last = Number(), small = Big("0b"), huge = Number();
  CHECK(BN_lshift1(even.get(), n) == 1 && BN_copy(last.get(), n) != nullptr &&
        BN_sub_word(last.get(), 1) == 1 && BN_set_bit(huge.get(), 4096) == 1 &&
        BN_set_bit(huge.get(), 0) == 1);
  assert_true(ReadGqKey(AsBytes(Text({n, b, one, u, v, one, one, one})), {}).ok());
  const std::vector<std::string> hostile = {
      Text({even.get(), b, one, u, v, one, one, one}),
      Text({small.get(), one, one, one, one, one, one, one}),
      Text({huge.get(), b, one, one, one, one, one, one}),
      Text({zero.get(), b, one, one, one, one, one, one}),
      Text({n, zero.get(), one, one, one, one, one, one}),
      Text({n, one, one, one, one, one, one, one}),
      Text({n, last.get(), one, one, one, one, one, one}),
      Text({n, n, one, one, one, one, one, one}), Text({n, b, one, zero.get(), v, one, one, one}),
      Text({n, b, one, u, one, one, one, one}), Text({n, b, one, v, u, one, one, one}),
      Text({n, b, one, n, v, one, one, one}),
      Text({n, b, one, last.get(), last.get(), one, one, one}),
      // A true RSA key: its d is not 1.
      Text({n, b, b, u, v, one, one, one}), DataText("428_host_server_traditional"),
      DataText("428_iffpar_server_traditional"), DataText("428_cert_server")};
  for (const std::string& text : hostile) assert_false(ReadGqKey(AsBytes(text), {}).ok());
}

void EveryTruncationOfAFileIsRefused(void**) {
  const std::string text = File(WriteGqParameters(Client()));
  assert_true(ReadGqKey(AsBytes(text), {}).ok());
  for (size_t size = 0; size + 1 < text.size(); ++size)
    assert_false(ReadGqKey(AsBytes(std::string_view(text).substr(0, size)), {}).ok());
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(VerifiesTheCapturedExchange),
      cmocka_unit_test(ReadsTheFilesOfBothReferences),
      cmocka_unit_test(EachProofIsForOneChallengeAndNeverTheSame),
      cmocka_unit_test(AShortChallengeIsPaddedOnTheLeft),
      cmocka_unit_test(TrivialNumbersProveNothing),
      cmocka_unit_test(NumbersOutOfBoundsAreRefused),
      cmocka_unit_test(TruncatedAndPaddedResponsesAreRefused),
      cmocka_unit_test(TheBrokenReferencesAnswerIsRefused),
      cmocka_unit_test(NewKeysOfEverySizeProveAndAreReadBack),
      cmocka_unit_test(HostileFilesAreRefused),
      cmocka_unit_test(EveryTruncationOfAFileIsRefused),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
