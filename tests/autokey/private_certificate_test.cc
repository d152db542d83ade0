// Scheme PC: what the one private certificate of a group proves, and what it must not.
#include "tests/autokey/couple.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;

// A server and a client; both have the group's key and certificate unless told otherwise.
struct Group {
  explicit Group(int server_key = 0, DancePolicy policy = {})
      : server("server", TestKey::Shared(server_key), false),
        client("client", TestKey::Shared(0), false) {
    server.MakePrivate("net");
    client.MakePrivate("net");
    server.Sign(kTestNow);
    meeting.emplace(client, server, std::move(policy));
  }
  Meeting* operator->() { return &*meeting; }

  Party server, client;
  std::optional<Meeting> meeting;
};

void AsksNeitherCertificatesNorIdentity(void**) {
  Group group;
  assert_true(group->Poll() == AutokeyCode::kAssociation);
  assert_int_equal(group->dance.flags(), 0x83311);
  assert_false(group->dance.proven());
  assert_true(group->dance.identity().empty());
  assert_true(group->Poll() == AutokeyCode::kCookie);
  assert_int_equal(group->dance.flags(), 0x83f11);
  assert_true(group->dance.proven());
  assert_true(group->dance.identity() == "PC");
  assert_string_equal(group->dance.group().c_str(), "net");
  assert_int_equal(group->events.size(), 1);
  assert_true(group->events[0].find("proved its identity: PC, group \"net\"") != std::string::npos);
  group->client_synchronised = true;
  group.client.Sign(group->now);
  for (int i = 0; i < 40; ++i) assert_false(group->Poll().has_value());
  assert_int_equal(group.client.certificates.entries().size(), 1);
}

void ExpectReason(const std::string& line) {
  assert_true(line.find("does not have the key of our private certificate \"net\"") !=
              std::string::npos);
  assert_true(line.find("ntp-keygen -P") != std::string::npos);
}

void AServerWithoutTheKeyProvesNothing(void**) {
  Group group(1);
  for (int i = 0; i < 40; ++i) group->Poll();
  assert_false(group->dance.proven());
  assert_true(group->dance.identity().empty());
  assert_true(group->events.size() >= 1);
  for (const auto& event : group->events) assert_true(event.find("proved") == std::string::npos);
  // Its word is that it cannot; the log says why that is, and what mends it, and says it once.
  assert_int_equal(group->events.size(), 1);
  ExpectReason(group->dance.refusal());
  ExpectReason(group->events[0]);
}

// The reference's server gives its cookie to anybody, and signs it by its own key.
void AServerThatSignsByAnotherKeyIsRefusedWithTheReason(void**) {
  Group group(1);
  for (int i = 0; i < ClientDance::kMaxMisfits; ++i) {
    assert_true(group->dance.refusal().empty());
    assert_true(group->PollUntil(AutokeyCode::kCookie));
    wire::AutokeyField field;
    field.head = {true, false, static_cast<uint8_t>(AutokeyCode::kCookie),
                  group->dance.association().value};
    field.has_value = true;
    field.timestamp = NtpSeconds{group->now};
    field.filestamp = NtpSeconds{kTestNow - 200};
    const std::vector<uint8_t> cookie(64, 0x11);
    field.value = cookie;
    group->Deliver(group.server.SignField(field));
  }
  ExpectReason(group->dance.refusal());
  assert_true(group->restarts.back() == Restart::kIdentity);
}

// The word of ASSOC is unsigned: neither showing nor hiding the bit gets anyone in.
void BothHaveAPrivateCertificateOrNeither(void**) {
  Party open("server", TestKey::Shared(1), true, kIff);
  Party closed("client", TestKey::Shared(0), false);
  closed.MakePrivate("net");
  open.Sign(kTestNow);
  Meeting hides(closed, open, {"", true, true});
  for (int i = 0; i < 4; ++i) assert_true(hides.Poll() == AutokeyCode::kAssociation);
  assert_true(hides.last.outcome == Outcome::kIdentityType);
  assert_true(hides.dance.refusal().find("no private certificate") != std::string::npos);

  Group group;
  Party plain("client", TestKey::Shared(2), false);
  plain.AddGroup("net");
  Meeting shows(plain, group.server, {"", true, true});
  for (int i = 0; i < 4; ++i) assert_true(shows.Poll() == AutokeyCode::kAssociation);
  assert_true(shows.dance.refusal().find("has a private certificate") != std::string::npos);
}

void AnotherNameIsAnotherGroup(void**) {
  Group group;
  group.server.MakePrivate("other");
  group.server.Sign(kTestNow);
  group->Poll();
  assert_int_equal(group->dance.flags(), 0);
  assert_true(group->dance.refusal().find("another private certificate") != std::string::npos);
}

void APinnedGroupIsNotTradedForThePrivateOne(void**) {
  Group group(0, {"pinned", true, true});
  for (int i = 0; i < 3; ++i) assert_true(group->Poll() == AutokeyCode::kAssociation);
  assert_false(group->dance.proven());
  assert_true(group->dance.refusal().find("not for the group \"pinned\"") != std::string::npos);
}

void TheServerGivesNothingToStrangers(void**) {
  Group group;
  Party stranger("stranger", TestKey::Shared(3), false);
  Meeting meeting(stranger, group.server);
  const auto ask = [&](AutokeyCode code, Bytes value) {
    wire::AutokeyField field;
    field.head = {false, false, static_cast<uint8_t>(code), 7};
    field.has_value = true;
    field.value = value;
    field.filestamp = NtpSeconds{kTestNow - 200};
    std::vector<uint8_t> bytes(wire::kMaxExtensionArea);
    Writer writer(bytes);
    wire::EncodeAutokeyField(writer, field);
    assert_true(writer.Finish());
    bytes.resize(writer.size());
    return meeting.Answer(bytes);
  };
  const auto cannot = [](const std::vector<uint8_t>& answer) {
    return answer.size() == 8 && answer[0] == 0xc2;
  };
  // A cookie for a key that is not the group's.
  assert_true(cannot(ask(AutokeyCode::kCookie, stranger.host.public_key())));
  assert_false(cannot(ask(AutokeyCode::kCookie, group.client.host.public_key())));
  // A certificate under the group's name.
  assert_true(cannot(ask(AutokeyCode::kSign, stranger.host.certificate().der)));
  // The private certificate itself: "none".
  const auto certificate = ask(AutokeyCode::kCertificate, AsBytes(std::string_view("net")));
  assert_int_equal(certificate.size(), 8);
  assert_int_equal(certificate[0], 0x82);
}

void StartsOverAndComesBack(void**) {
  Group group;
  for (int i = 0; i < 2; ++i) group->Poll();
  group->RunJobs(group->dance.OnCryptoNak(group->context()));
  assert_false(group->dance.proven());
  assert_true(group->dance.identity().empty());
  for (int i = 0; i < 2; ++i) group->Poll();
  assert_true(group->dance.proven());
}

// Keys of one group, one after the other, and the hosts that get them at different times.
struct RollOver : Couple {
  RollOver() {
    Install(&server, 0);
    Install(&client, 0);
    Begin(0x83f11);
  }
  // `group`: as the certificate is named.
  void Install(Party* host, int key, std::string_view group = "net") {
    Party renewed(host->name, TestKey::Shared(key), false);
    renewed.MakePrivate(group);
    renewed.Sign(kTestNow + static_cast<uint32_t>(elapsed));
    GiveKeys(renewed, host);
  }
  void InstallHere(int key, std::string_view group = "net") {
    Install(&client, key, group);
    Note(dance.OnHostMaterial({.certificate = true, .key = true, .signer = true}, context()));
  }
  double Age() const { return MonoTime::FromSeconds(elapsed) - dance.started(); }
};

void AnotherKeyIsProvedWithoutLosingTime(void**) {
  RollOver group;
  group.PollFor(1000);
  group.Install(&group.server, 1);
  group.PollFor(1000);
  assert_true(group.asked.empty());
  group.InstallHere(1);
  // Another reload on its heels, of nothing new.
  group.Poll();
  group.Note(group.dance.OnHostMaterial({}, group.context()));
  group.PollFor(1000);
  group.ExpectNothingLost();
  assert_true(group.Age() <= 1000);
  assert_int_equal(group.dance.flags(), 0x83f11);
  assert_int_equal(group.Asked(AutokeyCode::kCookie), 1);
  assert_true(group.dance.identity() == "PC");
}

void AnotherKeyMayBeHereEarlierThanThere(void**) {
  RollOver group;
  group.InstallHere(1);
  group.PollFor(1000);
  group.ExpectNothingLost();
  assert_int_equal(group.Asked(AutokeyCode::kCookie), 1);
  group.Install(&group.server, 1);
  group.PollFor(RenewingDance::kRetrySeconds);
  group.ExpectNothingLost();
  assert_true(group.Age() <= 1000);
  assert_int_equal(group.Asked(AutokeyCode::kCookie), 2);
}

// What is signed by the key before counts no more, and what it proved ends in its time.
void WhoHasOnlyTheKeyBeforeIsNotBelievedForLonger(void**) {
  RollOver group;
  group.PollFor(1000);
  group.InstallHere(1);
  group.PollFor(ClientDance::kRefreshSeconds - group.Age() - 100);
  group.ExpectNothingLost();
  group.PollFor(200);
  assert_false(group.restarts.empty());
  assert_true(group.restarts[0] == Restart::kRefresh);
  group.PollFor(100000);
  assert_false(group.dance.proven());
}

void WithoutACookieOnlyTheNewKeyCounts(void**) {
  RollOver group;
  group.dance.OnKeysRestarted();
  group.InstallHere(1);
  group.PollFor(1000);
  assert_false(group.dance.proven());
  group.Install(&group.server, 1);
  group.PollFor(1000);
  assert_true(group.dance.proven());
}

void AnotherPrivateGroupStartsOver(void**) {
  RollOver group;
  group.InstallHere(1, "other");
  assert_int_equal(group.restarts.size(), 1);
  assert_true(group.restarts[0] == Restart::kHost);
  assert_false(group.dance.proven());
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AsksNeitherCertificatesNorIdentity),
      cmocka_unit_test(AServerWithoutTheKeyProvesNothing),
      cmocka_unit_test(AServerThatSignsByAnotherKeyIsRefusedWithTheReason),
      cmocka_unit_test(BothHaveAPrivateCertificateOrNeither),
      cmocka_unit_test(AnotherNameIsAnotherGroup),
      cmocka_unit_test(APinnedGroupIsNotTradedForThePrivateOne),
      cmocka_unit_test(TheServerGivesNothingToStrangers),
      cmocka_unit_test(StartsOverAndComesBack),
      cmocka_unit_test(AnotherKeyIsProvedWithoutLosingTime),
      cmocka_unit_test(AnotherKeyMayBeHereEarlierThanThere),
      cmocka_unit_test(WhoHasOnlyTheKeyBeforeIsNotBelievedForLonger),
      cmocka_unit_test(WithoutACookieOnlyTheNewKeyCounts),
      cmocka_unit_test(AnotherPrivateGroupStartsOver),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
