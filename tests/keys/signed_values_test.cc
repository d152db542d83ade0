// What the key process tells of itself and signs: it composed all of it, at its own time.
#include "tests/keys/autokey_requests.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::VerdictCode;
using ntpward::test::ToHex;

void TellsWhatIsPublic(void**) {
  Harness h;
  h.StartServer();
  h.FromNet(msg::HostMaterialRequest{.request = 4});
  const auto& material = h.out.material.back();
  assert_int_equal(material.request, 4);
  assert_true(material.crypto_enabled);
  assert_true(material.subject.text() == "server");
  assert_int_equal(material.status_word, 0x80021);
  assert_true(material.digest_name.text() == "md5");
  assert_int_equal(material.host_key_filestamp.value, 4004293699U);
  assert_string_equal(ToHex(material.host_public_key.span()).c_str(),
                      ToHex(ServerKey().PublicDer()).c_str());
  assert_true(material.groups.empty());
}

void ListsGroupsAndWhetherTheyCanBeProved(void**) {
  Harness h;
  h.StartClient();
  h.FromNet(msg::HostMaterialRequest{});
  const auto& material = h.out.material.back();
  assert_int_equal(material.status_word, 0x80001);
  assert_int_equal(material.groups.size(), 2);
  assert_true(material.groups[0].has_public && !material.groups[1].has_public);
  assert_int_equal(material.groups[0].filestamp.value, 4004293699U);
}

void WithoutCryptoThereIsNothingToTell(void**) {
  Harness h;
  h.start.crypto_enabled = false;
  h.Start({});
  h.FromNet(msg::HostMaterialRequest{.request = 4});
  assert_false(h.out.material.back().crypto_enabled);
  h.Ask(CookieRequest());
  assert_true(h.LastAnswer().code == VerdictCode::kUnknownKey);
}

void SignsItsOwnValues(void**) {
  Harness h;
  h.StartServer();
  h.Ask(
      msg::SignatureUpdate{.request = 8, .now = {1}, .tai = 37, .leap_epoch = 5, .leap_expiry = 6});
  const auto& values = h.out.signed_values.back();
  const KeyPair key = ServerKey();
  const auto now = h.time.system.seconds();
  assert_int_equal(values.timestamp.value, now);
  assert_true(Verifies(key.key.get(), {now}, {4004293699U}, key.PublicDer(),
                       values.host_public_key.span()));
  const auto certificate = ReadCertificateFile(Data("428_cert_server"));
  assert_true(Verifies(key.key.get(), {now}, certificate->filestamp, certificate->der,
                       values.certificate.span()));
  const auto leap = ntpward::test::FromHex("000000250000000500000006");
  assert_true(Verifies(key.key.get(), {now}, {4004293699U}, leap, values.leap.span()));
}

void AnswersCarryTheTimeOfTheLastUpdate(void**) {
  Harness h;
  h.StartServer();
  h.Ask(CookieRequest());
  assert_int_equal(h.LastAnswer().filestamp.value, 0);
  h.Ask(msg::SignatureUpdate{.now = {1}});
  const auto updated = h.time.system.seconds();
  h.time.Advance(50);
  h.Ask(CookieRequest());
  assert_int_equal(h.LastAnswer().filestamp.value, updated);
  assert_int_equal(h.LastAnswer().timestamp.value, updated + 50);
  assert_true(Verifies(h.LastAnswer()));
}

void AnUnsynchronisedHostSignsNothing(void**) {
  Harness h;
  h.StartServer();
  h.Ask(CookieRequest(0));
  assert_true(h.LastAnswer().code == VerdictCode::kGood);
  assert_int_equal(h.LastAnswer().timestamp.value, 0);
  assert_true(h.LastAnswer().signature.empty());
}

// With a real clock net cannot have a value signed for another time than now.
void NetCannotChooseATimestamp(void**) {
  Harness h;
  h.StartServer();
  const auto now = h.time.system.seconds();
  h.Ask(CookieRequest(4100000000U));
  assert_int_equal(h.LastAnswer().timestamp.value, now);
  h.Ask(msg::SignatureUpdate{.now = {4100000000U}});
  assert_int_equal(h.out.signed_values.back().timestamp.value, now);
  Harness virtual_clock;
  virtual_clock.start.virtual_clock = true;
  virtual_clock.StartServer();
  virtual_clock.Ask(CookieRequest(4100000000U));
  assert_int_equal(virtual_clock.LastAnswer().timestamp.value, 4100000000U);
}

// The same request twice never gives the same signed value, so no value is of net's choosing.
void CiphertextsAndProofsAreNeverChosen(void**) {
  Harness h;
  h.StartServer();
  const auto issue = CookieRequest();
  h.Ask(issue), h.Ask(issue);
  assert_false(h.out.answers[0].value == h.out.answers[1].value);
  msg::IdentityProve prove;
  prove.now = {1};
  Set(&prove.challenge, std::vector<uint8_t>(20, 3));
  h.Ask(prove), h.Ask(prove);
  assert_false(h.out.answers[2].value == h.out.answers[3].value);
  for (const auto& answer : h.out.answers) assert_true(Verifies(answer));
}

// A key with exponent 3 and a huge modulus would show the padded plaintext: the padding is ours.
void ATrivialExponentDoesNotMakeTheCiphertextChosen(void**) {
  Harness h;
  h.StartServer();
  auto issue = CookieRequest();
  issue.exponent = 3;
  Set(&issue.modulus, std::vector<uint8_t>(512, 0xff));
  h.Ask(issue), h.Ask(issue);
  assert_false(h.out.answers[0].value == h.out.answers[1].value);
}

void LeapValuesAreBounded(void**) {
  Harness h;
  h.StartServer();
  msg::Encoded bytes;
  msg::Encode(msg::SignatureUpdate{.now = {1}, .tai = 255}, &bytes);
  bytes.span()[bytes.size() - 9] = 0;  // tai = 0 …
  bytes.span()[bytes.size() - 1] = 1;  // … but an expiry
  h.service.HandleNet(bytes.span(), h.out);
  bytes.span()[bytes.size() - 11] = 1;  // tai = 65536
  h.service.HandleNet(bytes.span(), h.out);
  assert_int_equal(h.out.misbehaviours.size(), 2);
  assert_false(h.service.HasWork());
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TellsWhatIsPublic),
      cmocka_unit_test(ListsGroupsAndWhetherTheyCanBeProved),
      cmocka_unit_test(WithoutCryptoThereIsNothingToTell),
      cmocka_unit_test(SignsItsOwnValues),
      cmocka_unit_test(AnswersCarryTheTimeOfTheLastUpdate),
      cmocka_unit_test(AnUnsynchronisedHostSignsNothing),
      cmocka_unit_test(NetCannotChooseATimestamp),
      cmocka_unit_test(CiphertextsAndProofsAreNeverChosen),
      cmocka_unit_test(ATrivialExponentDoesNotMakeTheCiphertextChosen),
      cmocka_unit_test(LeapValuesAreBounded),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
