// What net may have sealed and checked, and what it may not: keys are bound to their roles.
#include <unistd.h>

#include "keys/mac.h"
#include "tests/keys/key_data.h"
#include "tests/keys/served_client.h"
#include "tests/keys/service_harness.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using ntpward::test::FromHex;
using ntpward::test::ToHex;

struct Key {
  uint32_t id;
  const char* type;
  std::vector<uint8_t> secret;
};
// As in 428_ntp.keys.
const Key kServeKey{
    1, "MD5", {'s', 'e', 'c', 'r', 'e', 't', 'M', 'D', '5', 'a', 's', 'c', 'i', 'i'}};
const Key kUpstreamKey{3, "SHA1", FromHex("0123456789abcdef0123456789abcdef01234567")};
const Key kControlKey{4, "SHA1", {'s', 'h', 'a', 'A', 's', 'c', 'i', 'i'}};

std::vector<uint8_t> MacOf(const Key& key, Bytes covered) {
  auto algorithm = MacAlgorithm::Create(key.type);
  CHECK(algorithm.ok());
  const MacDigest digest = algorithm->Compute(key.secret, covered);
  return {digest.span().begin(), digest.span().end()};
}

void ASymmetricRequestIsCheckedAndItsReplySealed(void**) {
  Harness h;
  h.StartServer();
  const auto request = ClientHeader();
  const auto result = Serve(h, Batch(1, request, MacOf(kServeKey, request)));
  assert_true(result.outcome == msg::ServeOutcome::kSealed);
  assert_true(result.transmit == h.time.system);
  const auto mac = MacOf(kServeKey, ExpectedReply(result));
  assert_string_equal(ToHex(result.mac.span()).c_str(), ("00000001" + ToHex(mac)).c_str());
}

// As ntpd 4.2.8: they count for the MAC of the request, and the reply has none.
void FieldsBehindTheHeaderAreUnderItsMac(void**) {
  Harness h;
  h.StartServer();
  const auto request = ClientHeader();
  const std::vector<uint8_t> fields(msg::kMaxFields, 0x5a);
  auto covered = request;
  covered.insert(covered.end(), fields.begin(), fields.end());
  auto batch = Batch(1, request, MacOf(kServeKey, covered));
  assert_true(Serve(h, batch).outcome == msg::ServeOutcome::kNak);
  Set(&batch.fields, fields);
  const auto result = Serve(h, batch);
  assert_true(result.outcome == msg::ServeOutcome::kSealed);
  const auto mac = MacOf(kServeKey, ExpectedReply(result));
  assert_string_equal(ToHex(result.mac.span()).c_str(), ("00000001" + ToHex(mac)).c_str());
  batch.fields.span()[msg::kMaxFields - 1] ^= 1;
  assert_true(Serve(h, batch).outcome == msg::ServeOutcome::kNak);
  // The same for a cookie: anybody could make that MAC (RFC 5906 section 10).
  ServedClient client;
  client.FetchCookie(h);
  auto sealed = Batch(client.key_id.value, request, client.Mac(kPath, covered));
  Set(&sealed.fields, fields);
  assert_true(Serve(h, sealed).outcome == msg::ServeOutcome::kRefused);
}

void AWrongMacOrKeyIsAnsweredWithANak(void**) {
  Harness h;
  h.StartServer();
  const auto request = ClientHeader();
  auto digest = MacOf(kServeKey, request);
  digest[0] ^= 1;
  assert_true(Serve(h, Batch(1, request, digest)).outcome == msg::ServeOutcome::kNak);
  digest[0] ^= 1;
  // In the file but not trusted; not in the file at all; a good MAC under another key's number
  // (CVE-2015-7974).
  for (const uint32_t key : {2u, 14u, 77u})
    assert_true(Serve(h, Batch(key, request, digest)).outcome == msg::ServeOutcome::kNak);
  // A MAC of every other length.
  for (size_t size = 1; size <= 64; ++size) {
    std::vector<uint8_t> other(size, 0);
    std::copy_n(digest.begin(), std::min(size, digest.size()), other.begin());
    const bool right = size == digest.size();
    assert_true((Serve(h, Batch(1, request, other)).outcome == msg::ServeOutcome::kSealed) ==
                right);
  }
}

// RFC 1305 appendix C: 12 octets in all.
void ADesKeyServesAndIsToldAsWeak(void**) {
  Harness h;
  h.start.crypto_enabled = false;
  h.Start({{msg::KeyFileKind::kSymmetric, "older_ntp.keys"}}, "",
          {{.key = KeyId{1}, .serve = true},
           {.key = KeyId{3}, .upstream = true},
           {.key = KeyId{5}, .control = true}});
  assert_true(h.out.Logged("key 3 is a DES key: it can be broken in hours"));
  const auto request = ClientHeader();
  const Key des{1, "DES", FromHex("0123456789abcdef")};
  const auto result = Serve(h, Batch(1, request, MacOf(des, request)));
  assert_true(result.outcome == msg::ServeOutcome::kSealed);
  const auto mac = MacOf(des, ExpectedReply(result));
  assert_int_equal(result.mac.size(), 12);
  assert_string_equal(ToHex(result.mac.span()).c_str(), ("00000001" + ToHex(mac)).c_str());
  for (size_t size = 1; size < 8; ++size) {
    auto shorter = MacOf(des, request);
    shorter.resize(size);
    assert_true(Serve(h, Batch(1, request, shorter)).outcome == msg::ServeOutcome::kNak);
  }
}

// Else a taken-over net could make replies of the upstream that shares the key.
void AnUpstreamsKeyNeverServes(void**) {
  Harness h;
  h.StartServer();
  const auto request = ClientHeader();
  const auto result = Serve(h, Batch(3, request, MacOf(kUpstreamKey, request)));
  assert_true(result.outcome == msg::ServeOutcome::kRefused);
  assert_true(result.mac.empty());
  assert_true(Serve(h, Batch(4, request, MacOf(kControlKey, request))).outcome ==
              msg::ServeOutcome::kRefused);
}

void OnlyClientModeIsServed(void**) {
  Harness h;
  h.StartServer();
  for (int mode = 0; mode < 8; ++mode) {
    if (mode == 3) continue;
    const auto request = ClientHeader(static_cast<uint8_t>(0xe0 | mode));
    assert_true(Serve(h, Batch(1, request, MacOf(kServeKey, request))).outcome ==
                msg::ServeOutcome::kRefused);
  }
}

void VersionAndPollOfTheRequestComeBack(void**) {
  Harness h;
  h.StartServer();
  const auto request = ClientHeader(0x1b);  // version 3
  const auto result = Serve(h, Batch(1, request, MacOf(kServeKey, request)));
  const auto mac = MacOf(kServeKey, ExpectedReply(result, 0x1c));
  assert_string_equal(ToHex(result.mac.span()).c_str(), ("00000001" + ToHex(mac)).c_str());
}

// With a real clock keys believes nobody about the time, and a small delay to the wire only.
void ARealClockIgnoresNetsCorrection(void**) {
  Harness h;
  h.StartServer();
  const auto request = ClientHeader();
  auto batch = Batch(1, request, MacOf(kServeKey, request));
  batch.reply.correction = NtpDuration::FromSeconds(3600);
  assert_true(Serve(h, batch).transmit == h.time.system);
  batch.reply.wire_delay = NtpDuration::FromSeconds(1.0 / 1024);
  assert_true(Serve(h, batch).transmit - h.time.system == NtpDuration::FromSeconds(1.0 / 1024));
  batch.reply.wire_delay = NtpDuration::FromSeconds(100);
  assert_true((Serve(h, batch).transmit - h.time.system).seconds() < 0.02);
  batch.reply.wire_delay = NtpDuration::FromSeconds(-100);
  assert_true(Serve(h, batch).transmit == h.time.system);
}

void AVirtualClockServesTheCorrectedTime(void**) {
  Harness h;
  h.start.virtual_clock = true;
  h.StartServer();
  const auto request = ClientHeader();
  auto batch = Batch(1, request, MacOf(kServeKey, request));
  batch.reply.correction = NtpDuration::FromSeconds(3600);
  assert_true(Serve(h, batch).transmit - h.time.system == NtpDuration::FromSeconds(3600));
}

void AClientsCookieOpensTheServersReplies(void**) {
  Harness h;
  h.StartServer();
  ServedClient client;
  client.FetchCookie(h);
  assert_true(client.IsServed(h));
  client.cookie ^= 1;
  assert_false(client.IsServed(h));
}

void ClientsLiveThroughRolls(void**) {
  Harness h;
  h.StartServer();
  ServedClient old_client;
  old_client.FetchCookie(h);
  double age = 0;
  while (age < 524288) {  // 2^19 s
    assert_true(old_client.IsServed(h));
    h.time.Advance(4096), age += 4096;
    h.service.Tick(h.out);
  }
  ServedClient new_client;
  new_client.FetchCookie(h);
  assert_true(new_client.cookie != old_client.cookie);
  for (int i = 0; i < 100; ++i) h.time.Advance(4096), h.service.Tick(h.out);
  assert_false(old_client.IsServed(h));
}

void ARollAfterACompromiseKeepsClientsButChangesCookies(void**) {
  Harness h;
  h.StartServer();
  ServedClient before;
  before.FetchCookie(h);
  h.FromSupervisor(msg::KeysRollSeed{});
  ServedClient after;
  after.FetchCookie(h);
  assert_true(after.cookie != before.cookie);
  assert_true(before.IsServed(h) && after.IsServed(h));
}

constexpr uint32_t kCookieOf428 = 0x9498bc2a;  // MD5(10.77.0.2, 10.77.0.1, 0, 0)

// ntpd 4.2.8 servers use 0 for ever; their clients would never recover from its loss.
void ClientsOfAReference428ServerAreTakenOver(void**) {
  Harness h;
  h.start.seed_fd = NewSeedFile();
  h.StartServer();
  ServedClient client;
  client.cookie = kCookieOf428;
  assert_true(client.IsServed(h));
  h.time.Advance(700000);
  h.service.Tick(h.out);
  assert_false(client.IsServed(h));
}

// Anybody can make that cookie, so that it counts where a server runs for the first time alone: not
// where the seed file is missing, was lost to damage, or aged too long.
void TheReferencesCookieIsOfNoUseLater(void**) {
  const int file = NewSeedFile();
  ServedClient client;
  client.cookie = kCookieOf428;
  Harness without_file;
  without_file.StartServer();
  assert_false(client.IsServed(without_file));
  Harness first;
  first.start.seed_fd = dup(file);
  first.StartServer();
  Harness long_after;
  long_after.start.seed_fd = dup(file);
  long_after.time.Advance(9 * 86400);
  long_after.StartServer();
  assert_false(client.IsServed(long_after));
  for (const off_t slot : {0, 4096}) assert_int_equal(pwrite(file, "rubbish", 7, slot), 7);
  Harness damaged;
  damaged.start.seed_fd = file;
  damaged.StartServer();
  assert_false(client.IsServed(damaged));
}

// What a client over its rate is granted for its good MAC, nobody else may use up.
void ACookieThatAnybodyCanMakeLiftsNoLimit(void**) {
  Harness h;
  h.start.seed_fd = NewSeedFile();
  h.StartServer();
  const auto outcome_of = [&](ServedClient& client) {
    const auto request = ClientHeader();
    auto batch = Batch(client.key_id.value, request, client.Mac(kPath, request));
    batch.jobs[0].over_limit = true;
    return Serve(h, batch).outcome;
  };
  ServedClient stranger, client;
  stranger.cookie = kCookieOf428;
  client.FetchCookie(h);
  assert_true(outcome_of(stranger) == msg::ServeOutcome::kNak);
  assert_true(outcome_of(client) == msg::ServeOutcome::kSealed);
}

void WithoutCryptoAutokeyIsUnknown(void**) {
  Harness h;
  h.start.crypto_enabled = false;
  h.Start({});
  ServedClient client;
  assert_false(client.IsServed(h));
  assert_true(h.out.serve_done.back().results[0].outcome == msg::ServeOutcome::kNak);
}

msg::Sealed Seal(Harness& h, uint32_t key, Bytes covered, uint16_t association = 0) {
  msg::SealRequest request;
  request.request = 3;
  request.association = {association};
  request.path = kPath;
  request.key = {key};
  Set(&request.covered, covered);
  h.FromNet(request);
  CHECK(h.out.sealed.back().request == 3);
  return h.out.sealed.back();
}

msg::VerdictCode Check(Harness& h, uint32_t key, Bytes covered, Bytes digest,
                       uint16_t association = 0) {
  msg::CheckMac request;
  request.association = {association};
  request.path = kPath;
  request.key = {key};
  Set(&request.covered, covered);
  Set(&request.digest, digest);
  h.FromNet(request);
  return h.LastVerdict();
}

void AnUpstreamsKeySealsPlainRequestsOnly(void**) {
  Harness h;
  h.StartServer();
  const auto request = ClientHeader();
  assert_string_equal(ToHex(Seal(h, 3, request).mac.span()).c_str(),
                      ("00000003" + ToHex(MacOf(kUpstreamKey, request))).c_str());
  for (int mode = 0; mode < 8; ++mode) {
    if (mode == 3) continue;
    assert_true(Seal(h, 3, ClientHeader(static_cast<uint8_t>(0xe0 | mode))).mac.empty());
  }
  // With anything behind the header it could be an extension field of the attacker's choice.
  auto longer = request;
  longer.resize(76);
  assert_true(Seal(h, 3, longer).mac.empty());
  assert_true(Seal(h, 3, Bytes(request).first(12)).mac.empty());
}

void AServingKeySealsNoRequests(void**) {
  Harness h;
  h.StartServer();
  for (const uint32_t key : {1u, 2u, 4u, 77u})
    assert_true(Seal(h, key, ClientHeader()).mac.empty());
}

void AControlKeySealsResponsesOnly(void**) {
  Harness h;
  h.StartServer();
  std::vector<uint8_t> response(64, 0);
  response[0] = 0x16, response[1] = 0x82;
  assert_string_equal(ToHex(Seal(h, 4, response).mac.span()).c_str(),
                      ("00000004" + ToHex(MacOf(kControlKey, response))).c_str());
  response[1] = 0x02;  // a request: would command another host
  assert_true(Seal(h, 4, response).mac.empty());
  response[1] = 0x82;
  assert_true(Seal(h, 1, response).mac.empty());
  assert_true(Seal(h, 3, response).mac.empty());
}

void MacsOfRepliesAreJudgedByRole(void**) {
  Harness h;
  h.StartServer();
  const auto reply = ClientHeader(0x24);
  assert_true(Check(h, 3, reply, MacOf(kUpstreamKey, reply)) == msg::VerdictCode::kGood);
  auto bad = MacOf(kUpstreamKey, reply);
  bad[19] ^= 0x80;
  assert_true(Check(h, 3, reply, bad) == msg::VerdictCode::kBad);
  // A client's key must not be able to serve us (CVE-2016-1567).
  assert_true(Check(h, 1, reply, MacOf(kServeKey, reply)) == msg::VerdictCode::kNotAllowed);
  assert_true(Check(h, 77, reply, bad) == msg::VerdictCode::kUnknownKey);
  const auto control = ClientHeader(0x16);
  assert_true(Check(h, 4, control, MacOf(kControlKey, control)) == msg::VerdictCode::kGood);
  assert_true(Check(h, 3, control, MacOf(kUpstreamKey, control)) == msg::VerdictCode::kNotAllowed);
  const auto private_mode = ClientHeader(0x17);
  assert_true(Check(h, 4, private_mode, MacOf(kControlKey, private_mode)) ==
              msg::VerdictCode::kNotAllowed);
}

// CVE-2018-7170: a key with an address list makes nobody else a time source.
void AListedKeyServesUsFromItsAddressesAlone(void**) {
  Harness h;
  h.start.crypto_enabled = false;
  h.Start({{msg::KeyFileKind::kSymmetric, "listed_ntp.keys"}}, "",
          {{.key = {1}, .upstream = true}});
  assert_true(h.service.ready());
  const Key key{1, "MD5", {'s', 'e', 'c', 'r', 'e', 't'}};
  const auto reply = ClientHeader(0x24);
  const auto from = [&](const IpAddress& source) {
    msg::CheckMac request;
    request.path = {source, IpAddress::V4(10, 77, 0, 2)};
    request.key = {key.id};
    Set(&request.covered, reply);
    Set(&request.digest, MacOf(key, reply));
    h.FromNet(request);
    return h.LastVerdict();
  };
  assert_true(from(IpAddress::V4(10, 77, 0, 1)) == msg::VerdictCode::kGood);
  assert_true(from(IpAddress::V4(192, 0, 2, 7)) == msg::VerdictCode::kGood);
  for (const IpAddress& other : {IpAddress::V4(10, 77, 1, 1), IpAddress::V4(192, 0, 2, 8),
                                 IpAddress::V4(0, 0, 0, 0), *IpAddress::Parse("::ffff:10.77.0.1")})
    assert_true(from(other) == msg::VerdictCode::kNotAllowed);
}

void AnAssociationWithoutCookieSealsNothing(void**) {
  Harness h;
  h.StartServer();
  assert_true(Seal(h, 0x5fe916ea, ClientHeader(), 9).mac.empty());
  assert_true(Check(h, 0x5fe916ea, ClientHeader(0x24), std::vector<uint8_t>(16, 0), 9) ==
              msg::VerdictCode::kUnknownKey);
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ASymmetricRequestIsCheckedAndItsReplySealed),
      cmocka_unit_test(FieldsBehindTheHeaderAreUnderItsMac),
      cmocka_unit_test(AWrongMacOrKeyIsAnsweredWithANak),
      cmocka_unit_test(ADesKeyServesAndIsToldAsWeak),
      cmocka_unit_test(AnUpstreamsKeyNeverServes),
      cmocka_unit_test(OnlyClientModeIsServed),
      cmocka_unit_test(VersionAndPollOfTheRequestComeBack),
      cmocka_unit_test(ARealClockIgnoresNetsCorrection),
      cmocka_unit_test(AVirtualClockServesTheCorrectedTime),
      cmocka_unit_test(AClientsCookieOpensTheServersReplies),
      cmocka_unit_test(ClientsLiveThroughRolls),
      cmocka_unit_test(ARollAfterACompromiseKeepsClientsButChangesCookies),
      cmocka_unit_test(ClientsOfAReference428ServerAreTakenOver),
      cmocka_unit_test(TheReferencesCookieIsOfNoUseLater),
      cmocka_unit_test(ACookieThatAnybodyCanMakeLiftsNoLimit),
      cmocka_unit_test(WithoutCryptoAutokeyIsUnknown),
      cmocka_unit_test(ADesKeyServesAndIsToldAsWeak),
      cmocka_unit_test(AnUpstreamsKeySealsPlainRequestsOnly),
      cmocka_unit_test(AServingKeySealsNoRequests),
      cmocka_unit_test(AControlKeySealsResponsesOnly),
      cmocka_unit_test(MacsOfRepliesAreJudgedByRole),
      cmocka_unit_test(AListedKeyServesUsFromItsAddressesAlone),
      cmocka_unit_test(AnAssociationWithoutCookieSealsNothing),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
