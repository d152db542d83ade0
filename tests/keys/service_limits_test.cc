// What a taken-over net cannot do to the key process: flood it, confuse it, or make it forget.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "tests/keys/autokey_requests.h"
#include "tests/keys/served_client.h"
#include "tests/keys/workshop.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::VerdictCode;

void AFloodOfClientsDelaysNeitherMacsNorOurOwnDance(void**) {
  Harness h;
  h.StartClient();
  const auto issue = CookieRequest();
  for (int i = 0; i < 1000; ++i) h.FromNet(issue);
  size_t busy = 0;
  for (const auto& answer : h.out.answers) busy += answer.code == VerdictCode::kBusy;
  assert_int_equal(busy, h.out.answers.size());
  assert_true(busy >= 960);
  // A MAC is answered before any of what is queued.
  assert_true(SealWith(h, 5).empty());
  assert_int_equal(h.out.sealed.size(), 1);
  // Our own cookie comes first.
  h.FromNet(Ciphertext(5, 1));
  h.service.RunOne(h.out);
  assert_int_equal(h.out.verdicts.size(), 1);
  assert_true(h.LastVerdict() == VerdictCode::kGood);
  size_t done = 0;
  while (h.service.HasWork()) h.service.RunOne(h.out), ++done;
  assert_int_equal(done, 1000 - busy);
}

void TheRateOfPrivateOperationsIsLimited(void**) {
  Harness h;
  h.StartServer();
  msg::IdentityProve prove;
  prove.now = {1};
  Set(&prove.challenge, std::vector<uint8_t>(20, 1));
  for (int i = 0; i < 2000; ++i) {
    h.time.Advance(0.001);
    h.Ask(prove);
  }
  size_t good = 0;
  for (const auto& answer : h.out.answers) good += answer.code == VerdictCode::kGood;
  assert_in_range(good, 390, 402);  // a burst of 200, then 100 a second for 2 s
  for (int i = 0; i < 200; ++i) h.Ask(msg::SignatureUpdate{.now = {1}});
  assert_int_equal(h.out.signed_values.back().timestamp.value, 0);
  assert_true(h.out.signed_values.back().host_public_key.empty());
}

// Six of 3072 bits cost what twenty of 2048 do: clients may use the same share of the processor.
void ALongKeyIsUsedLessOften(void**) {
  Workshop w;
  assert_true(w.Run({"-T", "-m", "3072", "-p", "serverpassword"}));
  Harness h;
  h.Start({{msg::KeyFileKind::kHost, w.path + "/ntpkey_host_server"},
           {msg::KeyFileKind::kCertificate, w.path + "/ntpkey_cert_server"}});
  assert_true(h.service.ready());
  const auto good = [&](const auto& request) {
    const size_t before = h.out.answers.size();
    size_t count = 0;
    for (int i = 0; i < 250; ++i) h.Ask(request);
    for (size_t i = before; i < h.out.answers.size(); ++i)
      count += h.out.answers[i].code == VerdictCode::kGood;
    return count;
  };
  assert_int_equal(good(CookieRequest(0)), 59);  // 200 / 1.5^3
  assert_int_equal(good(msg::KeyListMake{.association = {5}, .path = kAutokeyPath, .count = 1}),
                   29);  // 100 / 1.5^3
  h.time.Advance(2);
  for (int i = 0; i < 50; ++i) h.Ask(Ciphertext(5, 1));
  const auto opened = [](const msg::Verdict& v) { return v.code != VerdictCode::kBusy; };
  assert_int_equal(std::count_if(h.out.verdicts.begin(), h.out.verdicts.end(), opened), 29);
}

// Anybody can have us make associations, and each of those proofs may cost as much as twelve
// signatures.
void StrangersDelayNeitherOurOwnDanceNorOurLists(void**) {
  Harness h;
  h.StartClient();
  msg::CookieOpen stranger = Ciphertext(6, 1);
  stranger.stranger = true;
  msg::KeyListMake strange_list{
      .association = {7}, .path = kAutokeyPath, .stranger = true, .count = 1};
  for (int i = 0; i < 500; ++i) h.Ask(stranger), h.Ask(strange_list);
  assert_true(h.LastVerdict() == VerdictCode::kBusy);
  assert_true(h.LastAnswer().code == VerdictCode::kBusy);
  h.Ask(Ciphertext(5, 1));
  assert_true(h.LastVerdict() == VerdictCode::kGood);
  h.Ask(msg::KeyListMake{.association = {5}, .path = kAutokeyPath, .count = 1});
  assert_true(h.LastAnswer().code == VerdictCode::kGood);
  // What waits of theirs waits behind ours.
  h.time.Advance(10);
  h.FromNet(stranger);
  h.FromNet(Ciphertext(5, 2));
  const size_t before = h.out.verdicts.size();
  h.service.RunOne(h.out);
  assert_int_equal(h.out.verdicts.size(), before + 1);
  h.FromNet(msg::ForgetAssociation{.association = {6}});
  assert_true(h.LastVerdict() == VerdictCode::kUnknownKey);
  assert_false(h.service.HasWork());
}

void MalformedMessagesAreReportedAndNothingIsDone(void**) {
  Harness h;
  h.StartServer();
  msg::Encoded whole;
  msg::Encode(CookieRequest(), &whole);
  size_t reports = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    h.service.HandleNet(Bytes(whole.span()).first(size), h.out);
    assert_int_equal(h.out.misbehaviours.size(), ++reports);
  }
  // What only the supervisor, or only keys, may say.
  msg::Encoded other;
  msg::Encode(msg::KeysRollSeed{}, &other);
  h.service.HandleNet(other.span(), h.out);
  msg::Encode(msg::Verdict{}, &other);
  h.service.HandleNet(other.span(), h.out);
  assert_int_equal(h.out.misbehaviours.size(), reports + 2);
  assert_int_equal(h.out.misbehaviours.back().message_type, static_cast<int>(msg::Type::kVerdict));
  assert_true(h.out.misbehaviours.back().culprit == msg::Role::kNet);
  assert_false(h.service.HasWork());
  assert_int_equal(h.out.answers.size(), 0);
}

void NetIsNotHeardBeforeTheKeysAreLoaded(void**) {
  Harness h;
  h.FromNet(CookieRequest());
  assert_false(h.service.HasWork());
  assert_int_equal(h.out.answers.size() + h.out.misbehaviours.size(), 0);
}

// At a reload two processes have the file for a moment: one that serves, one that waits.
struct Reload {
  Reload() {
    for (Harness* h : {&before, &after}) h->start.seed_fd = dup(file.get());
    before.StartServer();
    after.waits = true;
    after.StartServer();
  }
  const UniqueFd file{NewSeedFile()};
  Harness before, after;
};

void ASeedThatIsRolledWhileTheSuccessorWaitsIsNotLost(void**) {
  Reload reload;
  auto& [file, before, after] = reload;
  before.FromSupervisor(msg::KeysRollSeed{});
  ServedClient client;
  client.FetchCookie(before);
  after.FromSupervisor(msg::KeysServe{});
  assert_true(client.IsServed(after));
  ServedClient newcomer;
  newcomer.FetchCookie(after);
  assert_int_equal(newcomer.cookie, client.cookie);
}

void OneThatWaitsRollsNothing(void**) {
  Reload reload;
  auto& [file, before, after] = reload;
  for (Harness* h : {&after, &before}) h->time.Advance(131073), h->service.Tick(h->out);
  const auto record = SeedFile(UniqueFd(dup(file.get()))).Load();
  assert_int_equal(record->sequence, 2);  // the start and one roll
  after.FromSupervisor(msg::KeysServe{});
  after.service.Tick(after.out);
  assert_int_equal(SeedFile(UniqueFd(dup(file.get()))).Load()->entries[0].seed,
                   record->entries[0].seed);
}

void SeedsAreKeptOnDisk(void**) {
  char name[] = "/tmp/ntpward_seed_XXXXXX";
  const int fd = mkstemp(name);
  assert_true(fd >= 0);
  std::vector<msg::ValueAnswer> cookies;
  std::vector<uint32_t> newest;
  for (int run = 0; run < 2; ++run) {
    Harness h;
    h.start.seed_fd = dup(fd);
    h.StartServer();
    h.Ask(msg::SignatureUpdate{.now = {1}});
    if (run == 1) assert_false(h.out.Logged("damaged"));
    const auto record = SeedFile(UniqueFd(dup(fd))).Load();
    assert_true(record.has_value());
    newest.push_back(record->entries[0].seed);
  }
  assert_int_equal(newest[0], newest[1]);
  assert_int_equal(pwrite(fd, "rubbish", 7, 100), 7);
  assert_int_equal(pwrite(fd, "rubbish", 7, 4200), 7);
  Harness damaged;
  damaged.start.seed_fd = dup(fd);
  damaged.StartServer();
  assert_true(damaged.out.Logged("server seed file is damaged"));
  close(fd), unlink(name);
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AFloodOfClientsDelaysNeitherMacsNorOurOwnDance),
      cmocka_unit_test(TheRateOfPrivateOperationsIsLimited),
      cmocka_unit_test(ALongKeyIsUsedLessOften),
      cmocka_unit_test(StrangersDelayNeitherOurOwnDanceNorOurLists),
      cmocka_unit_test(MalformedMessagesAreReportedAndNothingIsDone),
      cmocka_unit_test(NetIsNotHeardBeforeTheKeysAreLoaded),
      cmocka_unit_test(ASeedThatIsRolledWhileTheSuccessorWaitsIsNotLost),
      cmocka_unit_test(OneThatWaitsRollsNothing),
      cmocka_unit_test(SeedsAreKeptOnDisk),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
