// A farm's servers: each answers the clients of the others, without a word between them.
#include "keys/farm_seeds.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "tests/keys/served_client.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using ntpward::test::FromHex;
using ntpward::test::ToHex;

constexpr int64_t kUnix = 1795311200;
constexpr uint8_t kRevoke = 17;
constexpr int64_t kEpoch = int64_t{1} << kRevoke;

Secret SecretOf(uint8_t octet) {
  const std::vector<uint8_t> octets(FarmSeeds::kSecretOctets, octet);
  return std::move(Secret::Copy(octets)).value();
}

bool Counts(FarmSeeds& farm, int64_t now, uint32_t seed) {
  const auto& seeds = farm.Counting(now);
  return std::find(seeds.begin(), seeds.end(), seed) != seeds.end();
}

// Computed by `openssl dgst -sha256 -mac HMAC` over "ntpward farm seed", 0x11 and the epoch.
void TheSeedIsTheHmacOfTheEpoch(void**) {
  FarmSeeds farm(SecretOf(0x0b), kRevoke);
  assert_int_equal(farm.Newest(13697 * kEpoch), 0x25579168);
}

// Computed by Python's hmac over the label.
void TheFingerprintTellsSecretsApart(void**) {
  assert_string_equal(FarmFingerprint(SecretOf(0x0b)).c_str(), "38840520");
  assert_true(FarmFingerprint(SecretOf(1)) != FarmFingerprint(SecretOf(2)));
}

void MembersAgreeAndStrangersDoNot(void**) {
  FarmSeeds one(SecretOf(1), kRevoke), other(SecretOf(1), kRevoke), stranger(SecretOf(2), kRevoke);
  for (int64_t now = kUnix; now < kUnix + 4 * kEpoch; now += kEpoch / 3) {
    assert_int_equal(one.Newest(now), other.Newest(now));
    assert_false(Counts(stranger, now, one.Newest(now)));
  }
}

void AnotherEpochLengthIsAnotherFarm(void**) {
  FarmSeeds one(SecretOf(1), 17), other(SecretOf(1), 18);
  assert_true(one.Newest(0) != other.Newest(0));
}

// A member whose clock is ahead already makes cookies of the next epoch.
void TheNextEpochCountsAlready(void**) {
  FarmSeeds farm(SecretOf(1), kRevoke), ahead(SecretOf(1), kRevoke);
  assert_true(Counts(farm, kUnix, ahead.Newest(kUnix + kEpoch)));
  assert_false(Counts(farm, kUnix, ahead.Newest(kUnix + 2 * kEpoch)));
}

void SeedsCountAsLongAsTheirCookies(void**) {
  for (const int revoke : {3, 14, 17, 20, 31}) {
    FarmSeeds farm(SecretOf(1), static_cast<uint8_t>(revoke));
    const uint32_t seed = farm.Newest(kUnix);
    for (int64_t later = 0; later <= 524288; later += 4096)
      assert_true(Counts(farm, kUnix + later, seed));
  }
  FarmSeeds farm(SecretOf(1), kRevoke);
  const uint32_t seed = farm.Newest(kUnix);
  assert_false(Counts(farm, kUnix + 524288 + 65536 + 2 * kEpoch, seed));
}

void ReadsTheSecretWithWhatMailDoesToIt(void**) {
  const std::string hex(64, 'a');
  const std::string texts[] = {hex, hex + "\n",
                               "# ntpkey_farm_f.4004300000\r\n\r\n  " + hex + " \r\n",
                               "#\n\n" + std::string(64, 'A') + "\n\n"};
  for (const std::string& text : texts) {
    const auto secret = ParseFarmFile(AsBytes(text));
    assert_true(secret.ok());
    assert_string_equal(ToHex(secret->bytes()).c_str(), hex.c_str());
  }
}

void RefusesWhatIsNoSecret(void**) {
  const std::string hex(64, '0');
  const std::string texts[] = {"",
                               "# only a comment\n",
                               hex + "0",
                               hex.substr(1),
                               hex + "\n" + hex,
                               "g" + hex.substr(1),
                               hex.substr(0, 32) + " " + hex.substr(32)};
  for (const std::string& text : texts) assert_false(ParseFarmFile(AsBytes(text)).ok());
  for (size_t size = 0; size < hex.size(); ++size)
    assert_false(ParseFarmFile(AsBytes(hex).first(size)).ok());
}

// ------------------------------------------------------------------------- as a service

void StartMember(Harness& h, const char* secret_file) {
  using msg::KeyFileKind;
  h.Start({{KeyFileKind::kHost, "428_host_server"},
           {KeyFileKind::kCertificate, "428_cert_server"},
           {KeyFileKind::kFarm, secret_file, "farm"}});
}

void EachMemberAnswersTheOthersClients(void**) {
  Harness one, other, stranger;
  StartMember(one, "farm_secret");
  StartMember(other, "farm_secret");
  stranger.StartServer();
  ServedClient client;
  client.FetchCookie(one);
  assert_true(client.IsServed(one));
  assert_true(client.IsServed(other));
  assert_false(client.IsServed(stranger));
}

// Beside it nothing of the secret is logged, and nothing where there is no farm.
void TheFingerprintIsLogged(void**) {
  Harness member, alone;
  StartMember(member, "farm_secret");
  alone.StartServer();
  constexpr std::string_view kSaid = "the farm's secret has the fingerprint ";
  assert_true(member.out.Logged(kSaid));
  // The members' epochs have to be of one length.
  assert_true(member.out.Logged(", with epochs of 2^17 s (revoke)"));
  assert_false(alone.out.Logged(kSaid));
}

void ClientsLiveThroughTheEpochsOnEveryMember(void**) {
  Harness one, other;
  StartMember(one, "farm_secret");
  StartMember(other, "farm_secret");
  ServedClient client;
  client.FetchCookie(one);
  for (double age = 0; age < 524288; age += 4096) {
    assert_true(client.IsServed(other));
    for (Harness* h : {&one, &other}) h->time.Advance(4096), h->service.Tick(h->out);
  }
  ServedClient later;
  later.FetchCookie(other);
  assert_true(later.cookie != client.cookie);
  assert_true(later.IsServed(one));
}

// Its clients hold cookies of the value 0 that 4.2.8 uses, and must not lose their server.
void ClientsOfBeforeTheFarmAreKept(void**) {
  Harness h;
  h.start.seed_fd = NewSeedFile();
  StartMember(h, "farm_secret");
  ServedClient client;
  client.cookie = 0x9498bc2a;  // MD5(10.77.0.2, 10.77.0.1, 0, 0)
  assert_true(client.IsServed(h));
}

// Who has the secret knows the cookies of every member: the line goes because it is known to
// others.
void WhoLeavesTheFarmAnswersNoneOfItsCookies(void**) {
  const int file = NewSeedFile();
  Harness before, member, left;
  ServedClient of_before, of_farm, of_next_epoch, newcomer;
  before.start.seed_fd = dup(file);
  before.StartServer();
  of_before.FetchCookie(before);
  member.start.seed_fd = dup(file);
  StartMember(member, "farm_secret");
  of_farm.FetchCookie(member);
  member.time.Advance(140000);
  member.service.Tick(member.out);
  of_next_epoch.FetchCookie(member);
  for (ServedClient* client : {&of_before, &of_farm, &of_next_epoch})
    assert_true(client->IsServed(member));
  left.start.seed_fd = dup(file);
  left.time.Advance(140001);
  left.StartServer();
  assert_true(left.out.Logged("has left its farm"));
  assert_true(of_before.IsServed(left));
  assert_false(of_farm.IsServed(left));
  assert_false(of_next_epoch.IsServed(left));
  newcomer.FetchCookie(left);
  // For good, and said once.
  Harness again;
  again.start.seed_fd = file;
  again.time.Advance(140002);
  again.StartServer();
  assert_false(again.out.Logged("farm"));
  assert_true(newcomer.IsServed(again) && of_before.IsServed(again));
  assert_false(of_farm.IsServed(again));
}

// A client keeps its cookie for six days, and a seed is new every 36 hours.
void TheSeedThatWasRightLastIsTriedFirst(void**) {
  FakeTime time;
  KeyState state({}, &time);
  state.farm.emplace(SecretOf(1), kRevoke);
  state.seeds.StartNew(time.mono, 1);
  state.seeds.Roll(time.mono, 2);
  const uint32_t last = state.farm->Counting(state.UnixNow())[5];
  size_t tries = 0;
  const auto tries_for = [&](const IpAddress& client, uint32_t wanted) {
    tries = 0;
    const bool found = state.FindSeed(&state.guesses.Of(client), [&](uint32_t seed) {
      ++tries;
      return seed == wanted;
    });
    return found ? tries : 0;
  };
  const IpAddress client = IpAddress::V4(192, 0, 2, 1);
  assert_int_equal(tries_for(client, 2), 1);
  assert_int_equal(tries_for(client, last), 8);
  assert_int_equal(tries_for(client, last), 1);
  // Who has no cookie moves nothing, and each seed is tried once.
  assert_int_equal(tries_for(client, 3), 0);
  const size_t all = tries;
  assert_int_equal(all, 2 + state.farm->Counting(state.UnixNow()).size());
  assert_int_equal(tries_for(client, last), 1);
  // A number that there is not any more.
  state.farm.reset();
  assert_int_equal(tries_for(client, 2), 1);
  assert_int_equal(tries_for(client, 1), 2);
  assert_int_equal(tries_for(client, 1), 1);
}

// The other members would not know a seed that this one drew by itself.
void ACompromiseDoesNotLeaveTheFarm(void**) {
  Harness one, other;
  StartMember(one, "farm_secret");
  StartMember(other, "farm_secret");
  one.FromSupervisor(msg::KeysRollSeed{});
  assert_true(one.out.Logged("stays until its epoch ends"));
  ServedClient client;
  client.FetchCookie(one);
  assert_true(client.IsServed(other));
}

void AMissingOrBrokenSecretRefusesTheStart(void**) {
  for (const char* file : {"", "428_cert_server"}) {
    Harness h;
    StartMember(h, file);
    assert_false(h.service.ready());
    assert_int_equal(h.out.failures.size(), 1);
  }
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheSeedIsTheHmacOfTheEpoch),
      cmocka_unit_test(TheFingerprintTellsSecretsApart),
      cmocka_unit_test(TheFingerprintIsLogged),
      cmocka_unit_test(MembersAgreeAndStrangersDoNot),
      cmocka_unit_test(AnotherEpochLengthIsAnotherFarm),
      cmocka_unit_test(TheNextEpochCountsAlready),
      cmocka_unit_test(SeedsCountAsLongAsTheirCookies),
      cmocka_unit_test(ReadsTheSecretWithWhatMailDoesToIt),
      cmocka_unit_test(RefusesWhatIsNoSecret),
      cmocka_unit_test(EachMemberAnswersTheOthersClients),
      cmocka_unit_test(ClientsLiveThroughTheEpochsOnEveryMember),
      cmocka_unit_test(ClientsOfBeforeTheFarmAreKept),
      cmocka_unit_test(WhoLeavesTheFarmAnswersNoneOfItsCookies),
      cmocka_unit_test(TheSeedThatWasRightLastIsTriedFirst),
      cmocka_unit_test(ACompromiseDoesNotLeaveTheFarm),
      cmocka_unit_test(AMissingOrBrokenSecretRefusesTheStart),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
