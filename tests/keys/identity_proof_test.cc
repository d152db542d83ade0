// Proofs of a group: a challenge is drawn in the key process and good for one answer.
#include "keys/iff.h"
#include "tests/keys/autokey_requests.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::VerdictCode;

void ProvesTheGroup(void**) {
  Harness h;
  h.StartServer();
  const auto client = ReadIffKey(Data("428_iffpar_server_traditional"), {});
  const auto challenge = DrawIffChallenge(*client);
  msg::IdentityProve prove;
  prove.now = {1};
  Set(&prove.challenge, challenge);
  h.Ask(prove);
  assert_int_equal(h.LastAnswer().filestamp.value, 4004293699U);
  assert_true(VerifyIff(*client, challenge, h.LastAnswer().value.span()));
}

void ChallengesOfEveryOtherLengthAreRefused(void**) {
  Harness h;
  h.StartServer();
  for (size_t size = 1; size <= msg::kMaxModulus; size += size < 30 ? 1 : 37) {
    msg::IdentityProve prove;
    prove.now = {1};
    Set(&prove.challenge, std::vector<uint8_t>(size, 0xff));
    h.time.Advance(1);
    h.Ask(prove);
    assert_true((h.LastAnswer().code == VerdictCode::kGood) == (size == 20));
  }
  msg::IdentityProve prove;
  Set(&prove.challenge, std::vector<uint8_t>(20, 1));
  for (const auto scheme : {msg::IdentityScheme::kGq, msg::IdentityScheme::kMv}) {
    prove.scheme = scheme;
    h.Ask(prove);
    assert_true(h.LastAnswer().code == VerdictCode::kUnknownKey);
  }
}

struct Identified {
  Harness client;
  Harness server;
  Identified() {
    client.StartClient();
    server.StartServer();
  }
  msg::ValueAnswer Challenge(uint16_t association, std::string_view group = "server") {
    msg::IdentityChallenge challenge;
    challenge.now = {1};
    challenge.association = {association};
    SetText(&challenge.group, group);
    client.Ask(challenge);
    return client.LastAnswer();
  }
  msg::ValueAnswer Prove(const msg::ValueAnswer& challenge) {
    msg::IdentityProve prove;
    prove.now = {1};
    Set(&prove.challenge, challenge.value.span());
    server.Ask(prove);
    return server.LastAnswer();
  }
  VerdictCode Verify(uint16_t association, const msg::ValueAnswer& proof) {
    msg::IdentityVerify verify;
    verify.association = {association};
    verify.filestamp = proof.filestamp;
    Set(&verify.value, proof.value.span());
    client.Ask(verify);
    return client.LastVerdict();
  }
};

void AClientVerifiesItsServer(void**) {
  Identified both;
  const auto challenge = both.Challenge(5);
  assert_int_equal(challenge.filestamp.value, 4004293699U);
  assert_int_equal(challenge.value.size(), 20);
  assert_true(both.Verify(5, both.Prove(challenge)) == VerdictCode::kGood);
}

void AChallengeIsGoodForOneAnswer(void**) {
  Identified both;
  const auto proof = both.Prove(both.Challenge(5));
  assert_true(both.Verify(5, proof) == VerdictCode::kGood);
  assert_true(both.Verify(5, proof) == VerdictCode::kUnknownKey);
  // A proof for one challenge is none for the next, nor for another association's.
  const auto old_proof = both.Prove(both.Challenge(5));
  both.Challenge(5);
  assert_true(both.Verify(5, old_proof) == VerdictCode::kBad);
  both.Challenge(6);
  assert_true(both.Verify(6, old_proof) == VerdictCode::kBad);
}

void AnotherGenerationOfTheGroupKeyIsTold(void**) {
  Identified both;
  auto proof = both.Prove(both.Challenge(5));
  proof.filestamp.value += 1;
  assert_true(both.Verify(5, proof) == VerdictCode::kFilestamp);
}

void NothingIsProvedWithoutAPublicValue(void**) {
  Identified both;
  assert_true(both.Challenge(5, "mute").code == VerdictCode::kUnknownKey);
  assert_true(both.Challenge(5, "stranger").code == VerdictCode::kUnknownKey);
}

void GarbageProofsAreRefused(void**) {
  Identified both;
  for (const size_t size : {size_t{1}, size_t{19}, size_t{41}, size_t{1200}}) {
    both.Challenge(5);
    msg::ValueAnswer proof;
    proof.filestamp = {4004293699U};
    Set(&proof.value, std::vector<uint8_t>(size, 0x30));
    assert_true(both.Verify(5, proof) == VerdictCode::kBad);
  }
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ProvesTheGroup),
      cmocka_unit_test(ChallengesOfEveryOtherLengthAreRefused),
      cmocka_unit_test(AClientVerifiesItsServer),
      cmocka_unit_test(AChallengeIsGoodForOneAnswer),
      cmocka_unit_test(AnotherGenerationOfTheGroupKeyIsTold),
      cmocka_unit_test(NothingIsProvedWithoutAPublicValue),
      cmocka_unit_test(GarbageProofsAreRefused),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
