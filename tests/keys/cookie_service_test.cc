// Cookies of our own associations: kept, used, forgotten, never shown.
#include "tests/keys/autokey_requests.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::VerdictCode;
using ntpward::test::ToHex;

void ACookieIsKeptAndUsedButNeverShown(void**) {
  Harness h;
  h.StartClient();
  h.Ask(Ciphertext(5, 0x71a8a65c));
  assert_true(h.LastVerdict() == VerdictCode::kGood);
  auto hasher = std::move(SessionKeyHasher::Create()).value();
  std::vector<uint8_t> header(48, 0);
  header[0] = 0xe3;
  const auto expected =
      hasher.Mac(hasher.Derive(kAutokeyPath, KeyId{0x5fe916ea}, 0x71a8a65c), header);
  assert_string_equal(ToHex(SealWith(h, 5)).c_str(), ("5fe916ea" + ToHex(expected.span())).c_str());
  assert_true(SealWith(h, 6).empty());
  // The server's reply under the same cookie, the other way round.
  header[0] = 0x24;
  msg::CheckMac check;
  check.association = {5};
  check.path = kAutokeyPath.Reversed();
  check.key = {0x5fe916ea};
  Set(&check.covered, header);
  Set(&check.digest,
      hasher.Mac(hasher.Derive(kAutokeyPath.Reversed(), KeyId{0x5fe916ea}, 0x71a8a65c), header)
          .span());
  h.FromNet(check);
  assert_true(h.LastVerdict() == VerdictCode::kGood);
  check.digest.span()[15] ^= 1;
  h.FromNet(check);
  assert_true(h.LastVerdict() == VerdictCode::kBad);
}

void BadCiphertextsLeaveTheOldCookie(void**) {
  Harness h;
  h.StartClient();
  h.Ask(Ciphertext(5, 1));
  const auto before = SealWith(h, 5);
  for (const size_t size : {size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{512}}) {
    msg::CookieOpen open;
    open.association = {5};
    Set(&open.ciphertext, std::vector<uint8_t>(size, 0x41));
    h.Ask(open);
    assert_true(h.LastVerdict() == VerdictCode::kBad);
  }
  assert_true(SealWith(h, 5) == before);
}

void AForgottenAssociationIsForgottenWhole(void**) {
  Harness h;
  h.StartClient();
  h.Ask(Ciphertext(5, 1));
  h.FromNet(Ciphertext(5, 2));  // still queued
  h.FromNet(Ciphertext(6, 3));
  h.FromNet(msg::ForgetAssociation{.association = {5}});
  while (h.service.HasWork()) h.service.RunOne(h.out);
  assert_true(SealWith(h, 5).empty());
  assert_false(SealWith(h, 6).empty());
}

// All that net can have us keep, of everything at once: a full heap for secrets would end us.
void AssociationsAreBounded(void**) {
  Harness h;
  h.StartClient();
  size_t cookies = 0, halves = 0, lists = 0, heard = 0, challenges = 0;
  for (uint16_t i = 1; i <= kMaxAssociations + 10; ++i) {
    h.time.Advance(1);
    msg::CookieOpen open = Ciphertext(i, i);
    h.Ask(open);
    cookies += h.LastVerdict() == VerdictCode::kGood;
    open.symmetric = true;
    h.Ask(open);
    halves += h.LastVerdict() == VerdictCode::kGood;
    h.Ask(msg::KeyListMake{.association = {i}, .path = kAutokeyPath, .count = msg::kMaxKeyList});
    lists += h.LastAnswer().code == VerdictCode::kGood;
    h.Ask(msg::KeyListAccept{.association = {i}, .path = kAutokeyPath, .key = {0x10000}});
    heard += h.LastVerdict() == VerdictCode::kGood;
    msg::IdentityChallenge challenge;
    challenge.association = {i};
    SetText(&challenge.group, "server");
    h.Ask(challenge);
    challenges += h.LastAnswer().code == VerdictCode::kGood;
  }
  for (const size_t kept : {cookies, halves, lists, heard, challenges})
    assert_int_equal(kept, kMaxAssociations);
}

void AReplacedNetStartsWithoutCookies(void**) {
  Harness h;
  h.StartClient();
  h.Ask(Ciphertext(5, 1));
  h.FromSupervisor(msg::KeysRollSeed{});
  assert_true(SealWith(h, 5).empty());
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ACookieIsKeptAndUsedButNeverShown),
      cmocka_unit_test(BadCiphertextsLeaveTheOldCookie),
      cmocka_unit_test(AForgottenAssociationIsForgottenWhole),
      cmocka_unit_test(AssociationsAreBounded),
      cmocka_unit_test(AReplacedNetStartsWithoutCookies),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
