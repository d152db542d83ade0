// What a key process leaves to its successor at a reload: all of it, once, and nothing that is odd.
#include "keys/heritage.h"

#include "tests/keys/autokey_requests.h"
#include "tests/keys/service_harness.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::KeyFileKind;
using msg::KeyListUse;
using msg::VerdictCode;

using Messages = std::vector<std::vector<uint8_t>>;

const AddressPair kGroup{IpAddress::V4(10, 77, 0, 1), IpAddress::V4(10, 77, 0, 255)};
constexpr AssocId kId{7};

Messages Bequeathed(Harness& h) {
  Messages messages;
  h.FromSupervisor(msg::KeysHandOver{});
  assert_true(h.service.bequeaths());
  assert_true(h.service.Bequeath(
      [&](Bytes message) {
        messages.emplace_back(message.begin(), message.end());
        return true;
      },
      h.out));
  assert_false(h.service.bequeaths() || h.service.serves_net());
  return messages;
}

// As the successor that a reload starts: ready, and waiting.
void StartHeir(Harness& h, bool other_key = false) {
  h.waits = true;
  if (!other_key) return h.StartServer();
  h.Start({{KeyFileKind::kHost, "428_host_server_2048"},
           {KeyFileKind::kCertificate, "428_cert_server_sha256"}});
}

// Whether it took them up.
bool Inherit(Harness& h, const Messages& messages) {
  h.FromSupervisor(msg::KeysHandOver{});
  assert_true(h.service.inherits());
  for (const auto& message : messages) h.service.Inherit(message, h.out);
  if (h.service.inherits()) h.service.GiveUpHeritage(h.out);
  h.FromSupervisor(msg::KeysServe{});
  return h.out.inherited.back().whole;
}

KeyId Take(Harness& h) {
  h.FromNet(msg::KeyListTake{.association = kId});
  return h.out.taken.back().key;
}

const msg::ValueAnswer& MakeList(Harness& h, uint8_t elder = 0, bool again = false) {
  h.Ask(msg::KeyListMake{.now = {1},
                         .association = kId,
                         .path = kGroup,
                         .use = KeyListUse::kBroadcast,
                         .count = 20,
                         .elder = elder,
                         .again = again});
  return h.LastAnswer();
}

msg::KeyListAccept AcceptOf(const msg::ValueAnswer& announced) {
  Reader reader(announced.value.span());
  msg::KeyListAccept accept{.association = kId, .path = kGroup};
  accept.key = KeyId{reader.U32()};
  accept.sequence = static_cast<uint8_t>(reader.U32());
  return accept;
}

VerdictCode Hear(Harness& h, KeyId key) {
  auto hasher = SessionKeyHasher::Create("MD5");
  const std::vector<uint8_t> packet(52, 0x25);
  msg::CheckMac check{.association = kId, .path = kGroup, .key = key};
  Set(&check.covered, packet);
  Set(&check.digest, hasher->Mac(hasher->Derive(kGroup, key, 0), packet).span());
  h.FromNet(check);
  return h.LastVerdict();
}

void CookiesAndListsGoOn(void**) {
  Harness old, heir;
  old.StartServer();
  old.Ask(Ciphertext(5, 0x12345678));
  const msg::KeyListAccept accept = AcceptOf(MakeList(old));
  old.FromNet(accept);
  KeyId heard;
  for (int i = 0; i < 5; ++i) heard = Take(old);
  assert_true(Hear(old, heard) == VerdictCode::kGood);
  const auto sealed = SealWith(old, 5);
  assert_false(sealed.empty());

  StartHeir(heir);
  assert_true(Inherit(heir, Bequeathed(old)));
  assert_true(SealWith(heir, 5) == sealed);
  // Each key is given out once and good once, whichever process is there.
  assert_true(Hear(heir, heard) == VerdictCode::kSequence);
  heir.FromNet(accept);
  assert_true(Hear(heir, heard) == VerdictCode::kSequence);
  for (int i = 0; i < 15; ++i) assert_true(Hear(heir, Take(heir)) == VerdictCode::kGood);
  assert_true(Take(heir).is_none());
  // The old one has nothing to say any more.
  const size_t said = old.out.taken.size();
  old.FromNet(msg::KeyListTake{.association = kId});
  assert_int_equal(old.out.taken.size(), said);
}

void WhatWaitedIsRefusedAndNotForgotten(void**) {
  Harness old;
  old.StartServer();
  old.FromNet(
      msg::KeyListMake{.request = 9, .now = {1}, .association = kId, .path = kGroup, .count = 20});
  old.FromNet(CookieRequest());
  (void)Bequeathed(old);
  assert_int_equal(old.out.answers.size(), 2);
  for (const auto& answer : old.out.answers) assert_true(answer.code == VerdictCode::kBusy);
}

bool SignedBy(const FileRow& host, std::string_view digest, const msg::ValueAnswer& answer) {
  auto key = ReadRsaKey(Data(host.data), AsBytes(kServerPassword));
  CHECK(key.ok());
  std::vector<uint8_t> covered(12 + answer.value.size());
  Writer w(covered);
  w.U32(answer.timestamp.value), w.U32(answer.filestamp.value);
  w.U32(static_cast<uint32_t>(answer.value.size()));
  w.Put(answer.value.span());
  DigestContextPtr context(EVP_MD_CTX_new());
  CHECK(EVP_DigestVerifyInit_ex(context.get(), nullptr, std::string(digest).c_str(), nullptr,
                                nullptr, key->key.get(), nullptr) == 1);
  const Bytes signature = answer.signature.span();
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), covered.data(),
                          covered.size()) == 1;
}

void AReplacedKeySignsListsUntilItIsForgotten(void**) {
  const FileRow first{KeyFileKind::kHost, "428_host_server"};
  const FileRow second{KeyFileKind::kHost, "428_host_server_2048"};
  Harness old, heir;
  old.StartServer();
  const auto value = MakeList(old).value;
  StartHeir(heir, true);
  assert_true(Inherit(heir, Bequeathed(old)));
  assert_true(MakeList(heir, 0, true).value == value);
  assert_true(SignedBy(second, "SHA256", heir.LastAnswer()));
  assert_true(MakeList(heir, 1, true).value == value);
  assert_true(SignedBy(first, "MD5", heir.LastAnswer()));
  assert_true(SignedBy(first, "MD5", MakeList(heir, 1)));
  assert_false(heir.LastAnswer().value == value);
  // Who is not known signs nothing.
  assert_true(SignedBy(second, "SHA256", MakeList(heir, 2)));
  // It is handed on, and keeps its place behind one that signed in between.
  Harness back, again;
  StartHeir(back);
  assert_true(Inherit(back, Bequeathed(heir)));
  assert_true(SignedBy(second, "SHA256", MakeList(back, 1)));
  assert_true(SignedBy(first, "MD5", MakeList(back, 2)));
  // The same keys, read again, replace nothing.
  StartHeir(again);
  assert_true(Inherit(again, Bequeathed(back)));
  assert_true(SignedBy(second, "SHA256", MakeList(again, 1)));
  again.time.Advance(kElderSeconds + 1);
  assert_true(SignedBy(first, "MD5", MakeList(again, 1)));
}

// What clients ask in the middle of a dance that they began under the replaced key.
void AReplacedKeySignsAnswersToClients(void**) {
  const FileRow first{KeyFileKind::kHost, "428_host_server"};
  const FileRow second{KeyFileKind::kHost, "428_host_server_2048"};
  Harness old, heir;
  old.StartServer();
  StartHeir(heir, true);
  assert_true(Inherit(heir, Bequeathed(old)));
  msg::CookieIssue cookie = CookieRequest();
  heir.Ask(cookie);
  assert_true(SignedBy(second, "SHA256", heir.LastAnswer()));
  cookie.elder = 1;
  heir.Ask(cookie);
  assert_true(SignedBy(first, "MD5", heir.LastAnswer()));
  // Its own certificate, too: who goes by the old key checks both.
  msg::CertificateIssue issue = CertificateRequest("client");
  issue.elder = 1;
  heir.Ask(issue);
  assert_true(SignedBy(first, "MD5", heir.LastAnswer()));
  const Bytes der = heir.LastAnswer().value.span();
  const uint8_t* at = der.data();
  const X509Ptr issued(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  const auto key = ReadRsaKey(Data(first.data), AsBytes(kServerPassword));
  assert_true(issued != nullptr && key.ok());
  assert_int_equal(X509_verify(issued.get(), key->key.get()), 1);
  // Of one that is gone the key in use takes the place.
  heir.time.Advance(kElderSeconds + 1);
  heir.Ask(cookie);
  assert_true(SignedBy(second, "SHA256", heir.LastAnswer()));
}

// What it signs is said in the whole group's name.
void AGroupsPrivateKeyIsNotLeftToWhoLeavesTheGroup(void**) {
  const FileRow first{KeyFileKind::kHost, "428_host_server"};
  const FileRow group{KeyFileKind::kHost, "426_host_private"};
  Harness before, member, left;
  const auto start = [](Harness& h, const char* host, const char* certificate) {
    h.waits = true;
    h.Start({{KeyFileKind::kHost, host}, {KeyFileKind::kCertificate, certificate}});
    assert_true(h.service.ready());
  };
  start(before, "428_host_server", "428_cert_server");
  start(member, "426_host_private", "426_cert_private");
  start(left, "428_host_server_2048", "428_cert_server_sha256");
  before.FromSupervisor(msg::KeysServe{});
  assert_true(Inherit(member, Bequeathed(before)));
  assert_true(Inherit(left, Bequeathed(member)));
  for (const uint8_t elder : {uint8_t{1}, uint8_t{2}, uint8_t{3}})
    assert_false(SignedBy(group, "MD5", MakeList(left, elder)));
  // Its own key of the time before goes on.
  assert_true(SignedBy(first, "MD5", MakeList(left, 1)));
}

// Nobody who goes by any of them is told leap values for ever that it cannot check.
void ReplacedKeysSignLeapValues(void**) {
  const FileRow first{KeyFileKind::kHost, "428_host_server"};
  const FileRow second{KeyFileKind::kHost, "428_host_server_2048"};
  Harness old, heir, back;
  old.StartServer();
  StartHeir(heir, true);
  assert_true(Inherit(heir, Bequeathed(old)));
  StartHeir(back);
  assert_true(Inherit(back, Bequeathed(heir)));
  back.Ask(msg::SignatureUpdate{.now = {1}, .tai = 37, .leap_epoch = 5, .leap_expiry = 6});
  const msg::SignedValues& values = back.out.signed_values.back();
  const auto told = [&](Bytes signature) {
    msg::ValueAnswer answer;
    answer.timestamp = values.timestamp;
    answer.filestamp = {4004293699U};
    Set(&answer.value, ntpward::test::FromHex("000000250000000500000006"));
    Set(&answer.signature, signature);
    return answer;
  };
  assert_int_equal(values.elder_leaps.size(), 2);
  assert_true(SignedBy(first, "MD5", told(values.leap.span())));
  assert_true(SignedBy(second, "SHA256", told(values.elder_leaps[0].span())));
  assert_true(SignedBy(first, "MD5", told(values.elder_leaps[1].span())));
  back.time.Advance(kElderSeconds + 1);
  back.Ask(msg::SignatureUpdate{.now = {1}});
  assert_true(back.out.signed_values.back().elder_leaps.empty());
}

void AnotherAssociationsListIsNotSignedAgain(void**) {
  Harness h;
  h.StartServer();
  assert_true(MakeList(h, 0, true).code == VerdictCode::kUnknownKey);
  (void)MakeList(h);
  h.Ask(msg::KeyListMake{
      .now = {1}, .association = kId, .path = kGroup.Reversed(), .count = 20, .again = true});
  assert_true(h.LastAnswer().code == VerdictCode::kUnknownKey);
}

// Any of it may be missing, cut or out of order: then it is as if there had been no predecessor.
void ItIsWholeOrNothing(void**) {
  Harness old;
  old.StartServer();
  old.Ask(Ciphertext(5, 0x12345678));
  (void)MakeList(old);
  const Messages all = Bequeathed(old);
  assert_true(all.size() >= 4);
  const auto refused = [](const Messages& messages) {
    Harness heir;
    StartHeir(heir);
    assert_false(Inherit(heir, messages));
    assert_true(SealWith(heir, 5).empty());
    assert_true(Take(heir).is_none());
    assert_true(MakeList(heir, 1).code == VerdictCode::kGood);
  };
  refused({});
  for (size_t i = 0; i < all.size(); ++i) {
    Messages some = all;
    some.erase(some.begin() + static_cast<long>(i));
    refused(some);
    some = all;
    some.insert(some.begin(), all[i]);
    refused(some);
    for (size_t size = 0; size < all[i].size(); ++size) {
      some = all;
      some[i].resize(size);
      if (size % 7 == 0) refused(some);
    }
  }
}

void AnotherNameOrDigestInheritsNothing(void**) {
  Harness old, sha, client;
  old.StartServer();
  const Messages all = Bequeathed(old);
  SetText(&sha.start.digest_name, "sha1");
  StartHeir(sha);
  assert_false(Inherit(sha, all));
  client.waits = true;
  SetText(&client.start.host, "client");
  client.Start({{KeyFileKind::kHost, "428_host_client", "client"},
                {KeyFileKind::kCertificate, "428_cert_client", "client"}},
               "clientpassword");
  assert_true(client.service.ready());
  assert_false(Inherit(client, all));
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(CookiesAndListsGoOn),
      cmocka_unit_test(WhatWaitedIsRefusedAndNotForgotten),
      cmocka_unit_test(AReplacedKeySignsListsUntilItIsForgotten),
      cmocka_unit_test(AReplacedKeySignsAnswersToClients),
      cmocka_unit_test(AGroupsPrivateKeyIsNotLeftToWhoLeavesTheGroup),
      cmocka_unit_test(ReplacedKeysSignLeapValues),
      cmocka_unit_test(AnotherAssociationsListIsNotSignedAgain),
      cmocka_unit_test(ItIsWholeOrNothing),
      cmocka_unit_test(AnotherNameOrDigestInheritsNothing),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
