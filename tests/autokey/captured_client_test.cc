// Our client fed with what reference servers answered to reference clients.
//
// Each request of ours is compared with the captured one octet for octet: what a reference client
// sent is what a reference server accepts.
#include "ntpd/autokey/announced_list.h"
#include "ntpd/autokey/client_dance.h"
#include "tests/autokey/captured_dances.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::autokey::test {
namespace {

using ntpward::test::ToHex;

constexpr uint32_t kOwnWordMask = 0xffff00ff;
const AddressPair kBroadcasts{IpAddress::V4(10, 77, 0, 1), IpAddress::V4(10, 77, 0, 255)};

NtpSeconds U32At(Bytes field, size_t at) { return NtpSeconds{Reader(field.subspan(at)).U32()}; }

wire::AutokeyField Parsed(Bytes field) {
  auto parsed = wire::ParseAutokeyField(field);
  CHECK(parsed.ok());
  return *parsed;
}

// A client that heard a broadcast has sent no ASSOC, and so no word: then that of plain RSA with
// MD5.
uint32_t OwnWord(const CapturedDance& dance) {
  return dance.pushed.empty() ? U32At(dance.exchanges[0].request, 12).value & kOwnWordMask
                              : uint32_t{0x80001};
}

// The identifier is not signed.
std::vector<uint8_t> WithAssociation(std::vector<uint8_t> field, uint32_t association) {
  Writer(MutableBytes(field).subspan(4)).U32(association);
  return field;
}

// The replay of one captured dance, with the captured signatures of the client.
struct Replay {
  explicit Replay(const CapturedDance& captured, std::string_view group = {},
                  bool has_public = true, msg::IdentityScheme scheme = msg::IdentityScheme::kIff,
                  bool optional = false)
      : dance(captured),
        association(static_cast<uint16_t>(U32At(captured.exchanges[1].request, 4).value)),
        client(AssocId{association}, {"", optional, false}, MonoTime{}) {
    material = MaterialOf(captured.host("client"), OwnWord(captured));
    if (!group.empty()) {
      msg::GroupParameters parameters;
      CHECK(parameters.group.Assign(AsBytes(group)));
      parameters.scheme = scheme;
      parameters.has_public = has_public;
      parameters.filestamp = captured.host("server").certificate_filestamp;
      CHECK(material.groups.Push(parameters));
    }
    CHECK(host.SetMaterial(material).ok());
    cache.SetOwn(host.certificate());
  }

  DanceContext context() { return {host, cache, MonoTime{}, now, now.value != 0}; }

  // Our clock was set: the client's values get the captured time and signature.
  void Synchronise(Bytes sign_request) {
    const auto field = Parsed(sign_request);
    now = field.timestamp;
    CHECK(host.DueUpdate(MonoTime{}, now, true).has_value());
    msg::SignedValues values;
    values.timestamp = field.timestamp;
    CHECK(values.certificate.Assign(field.signature));
    host.OnSignedValues(values);
  }

  void Run(DanceResult result, Bytes identity_request) {
    for (const auto& line : result.statistics) statistics.push_back(line);
    if (!result.event.empty()) events.push_back(result.event);
    outcomes.push_back(result.outcome);
    if (result.leap) leap = result.leap;
    for (const ClientJob& job : result.jobs) {
      if (std::holds_alternative<msg::ForgetAssociation>(job.operation)) continue;
      if (std::holds_alternative<msg::IdentityChallenge>(job.operation)) {
        const auto field = Parsed(identity_request);
        msg::ValueAnswer challenge;
        challenge.code = msg::VerdictCode::kGood;
        challenge.filestamp = field.filestamp;
        CHECK(challenge.value.Assign(field.value));
        Run(client.OnValueAnswer(job.ticket, challenge, context()), {});
      } else {
        Run(client.OnVerdict(job.ticket, msg::VerdictCode::kGood, context()), {});
      }
    }
  }

  // Every captured exchange; the requests must be equal.
  void All() {
    Bytes identity_request;
    for (const Exchange& exchange : dance.exchanges)
      if (exchange.code() >= 7) identity_request = exchange.request;
    if (!dance.pushed.empty()) HearAssociation();
    for (const Exchange& exchange : dance.exchanges) {
      if (exchange.code() == 4) continue;
      if (exchange.code() == 6) Synchronise(exchange.request);
      const NextField next = client.NextRequest(context());
      assert_true(next.kind == NextField::Kind::kField);
      // In a search each question has the search's identifier, and the client that follows its own.
      const auto request =
          exchange.code() == 1 ? WithAssociation(exchange.request, association) : exchange.request;
      assert_string_equal(ToHex(next.field).c_str(), ToHex(request).c_str());
      const auto response = exchange.code() == 1 ? WithAssociation(exchange.response, association)
                                                 : exchange.response;
      Run(client.OnResponse(response, context()), identity_request);
      words.push_back(client.flags());
    }
  }

  // The reference takes ASSOC from a broadcast; ours asks for it.
  void HearAssociation() {
    const NextField next = client.NextRequest(context());
    assert_true(next.kind == NextField::Kind::kField);
    assert_int_equal(next.field[1], 1);
    Run(client.OnResponse(WithAssociation(dance.pushed[0], association), context()), {});
  }

  void ExpectAllGood() const {
    for (const Outcome outcome : outcomes) assert_int_equal(outcome, Outcome::kOk);
  }

  const CapturedDance& dance;
  uint16_t association;
  ClientDance client;
  msg::HostMaterial material;
  HostState host;
  CertificateCache cache;
  NtpSeconds now;
  std::vector<std::string> statistics, events;
  std::vector<Outcome> outcomes;
  std::vector<uint32_t> words;
  std::optional<LeapValues> leap;
};

void DancesTrustedCertificatesWithReference426(void**) {
  Replay replay(FindDance("s04a"), {}, false, msg::IdentityScheme::kIff, true);
  replay.All();
  replay.ExpectAllGood();
  assert_int_equal(replay.client.flags(), 0x83f01);
  assert_true(replay.client.identity() == "TC");
  assert_true(replay.client.proven());
}

void DancesTrustedCertificatesWithReference428(void**) {
  Replay replay(FindDance("s04b"), {}, false, msg::IdentityScheme::kIff, true);
  replay.All();
  replay.ExpectAllGood();
  assert_int_equal(replay.client.flags(), 0x83f01);
}

void DancesWithKeysOf2048BitsAndSha256(void**) {
  Replay replay(FindDance("s13a"), {}, false, msg::IdentityScheme::kIff, true);
  replay.All();
  replay.ExpectAllGood();
  assert_int_equal(replay.client.flags(), 0x29c3f01);
}

// The reference's own clients fail here at random: see WithoutDsaPadding.
void DancesWithAServerThatSignsByDsa(void**) {
  Replay replay(FindDance("s13d"), {}, false, msg::IdentityScheme::kIff, true);
  replay.All();
  replay.ExpectAllGood();
  assert_int_equal(replay.client.flags(), 0x713f01);
}

void ReachesTheGuidesWordWithReference426(void**) {
  Replay replay(FindDance("s01c"), "server");
  replay.All();
  replay.ExpectAllGood();
  const std::vector<uint32_t> expected = {0x81021, 0x81121, 0x81321, 0x81f21, 0x83f21};
  assert_true(replay.words == expected);
  assert_true(replay.client.identity() == "IFF");
  assert_true(replay.client.refusal().empty());
}

void ReachesTheGuidesWordWithReference428(void**) {
  Replay replay(FindDance("s02c"), "server");
  replay.All();
  replay.ExpectAllGood();
  assert_int_equal(replay.client.flags(), 0x83f21);
}

void ProvesIdentityByGuillouQuisquater(void**) {
  Replay replay(FindDance("s05a"), "server", true, msg::IdentityScheme::kGq);
  replay.All();
  replay.ExpectAllGood();
  assert_int_equal(replay.client.flags(), 0x83f41);
  assert_true(replay.client.identity() == "GQ");
}

// Digests of signature and sizes of keys are each host's own.
void DancesWithEveryMixOfKeysAndDigests(void**) {
  Replay equal(FindDance("s13b"), {}, false, msg::IdentityScheme::kIff, true);
  equal.All();
  equal.ExpectAllGood();
  assert_int_equal(equal.client.flags(), 0x413f01);
  Replay mixed(FindDance("s13e"), {}, false, msg::IdentityScheme::kIff, true);
  mixed.All();
  mixed.ExpectAllGood();
  assert_int_equal(mixed.client.flags(), 0x83f01);
}

void FollowsItsGroupByTheNamesOfReference428(void**) {
  Replay replay(FindDance("s14a"), "grp");
  replay.All();
  replay.ExpectAllGood();
  assert_int_equal(replay.client.flags(), 0x83f21);
  assert_true(replay.client.identity() == "IFF");
}

void FollowsTheServersThatASearchFinds(void**) {
  for (const char* dance : {"s18a", "s18b"}) {
    Replay replay(FindDance(dance), {}, false, msg::IdentityScheme::kIff, true);
    replay.All();
    assert_int_equal(replay.client.flags() & 0x3f01, 0x3f01);
    assert_true(replay.client.proven());
  }
}

// The lists are announced under the signature of the key that the dance proved.
void FollowsTheBroadcastServersOfTheReference(void**) {
  for (const char* dance : {"s07a", "s07b", "s22a"}) {
    Replay replay(FindDance(dance), {}, false, msg::IdentityScheme::kIff, true);
    replay.All();
    assert_int_equal(replay.client.flags() & 0x3f01, 0x3f01);
    const Exchange& asked = replay.dance.exchange(4);
    const uint32_t server = U32At(asked.request, 4).value;
    assert_int_equal(server, U32At(replay.dance.pushed[0], 4).value);
    assert_string_equal(ToHex(AnnouncementRequest(server)).c_str(), ToHex(asked.request).c_str());
    const auto check = [&](const wire::AutokeyField& field) {
      return replay.client.CheckServer(field, replay.context());
    };
    for (const auto& announcement : {replay.dance.pushed[1], asked.response}) {
      AnnouncedList list(AssocId{replay.association}, msg::KeyListUse::kBroadcast, kBroadcasts);
      const auto result = list.OnAnnouncement(announcement, server, check);
      assert_int_equal(result.outcome, Outcome::kOk);
      assert_true(result.accept.has_value());
      list.OnVerdict(msg::VerdictCode::kGood);
      assert_true(list.accepted());
      assert_int_equal(list.sequence(), 99);
      assert_false(list.key().is_none());
    }
  }
}

// The reference looks at no dates.
void RefusesAServerWhoseCertificateHasExpired(void**) {
  Replay replay(FindDance("s12h"), {}, false, msg::IdentityScheme::kIff, true);
  for (size_t i = 0; i < 2; ++i) {
    (void)replay.client.NextRequest(replay.context());
    replay.Run(replay.client.OnResponse(replay.dance.exchanges[i].response, replay.context()), {});
  }
  assert_int_equal(replay.outcomes[0], Outcome::kOk);
  assert_int_equal(replay.outcomes[1], Outcome::kPeriod);
  assert_int_equal(replay.client.flags() & 0x100, 0);
}

// No certificate, no identity exchange: the cookie's signature by the group's key is the proof.
void ProvesIdentityByThePrivateCertificate(void**) {
  for (const char* dance : {"s11a", "s11b"}) {
    Replay replay(FindDance(dance));
    replay.All();
    replay.ExpectAllGood();
    const std::vector<uint32_t> expected = {0x83311, 0x83f11};
    assert_true(replay.words == expected);
    assert_true(replay.client.identity() == "PC");
    assert_true(replay.client.proven());
    assert_true(replay.client.NextRequest(replay.context()).kind == NextField::Kind::kPlain);
    assert_string_equal(replay.cache.Lines()[0].text.c_str(), "server server 0x8");
    assert_int_equal(replay.cache.Lines().size(), 1);
  }
}

void FollowsATrailOfReference428(void**) {
  Replay replay(FindDance("s15b"), {}, false, msg::IdentityScheme::kIff, true);
  replay.All();
  assert_int_equal(replay.client.flags() & 0xff00, 0x3f00);
  std::vector<std::string> lines;
  for (const auto& line : replay.cache.Lines()) lines.push_back(line.text);
  const std::vector<std::string> expected = {"client middle 0x4", "server server 0x5",
                                             "middle server 0x6", "client client 0x0"};
  assert_true(lines == expected);
}

void LightsTheLeapBitForAVerifiedTable(void**) {
  Replay replay(FindDance("s09a"), "server");
  replay.All();
  replay.ExpectAllGood();
  assert_int_equal(replay.client.flags(), 0x87f23);
  assert_true(replay.leap.has_value());
  assert_int_equal(replay.leap->tai, 37);
  assert_int_equal(replay.leap->epoch.value, 3692217600);
  assert_int_equal(replay.leap->expiry.value, 4019845448);
}

// The server was asked before it had time: nothing is refused, nothing starts over.
void FollowsATrailOfTwoAndWaitsForItsSecondCertificate(void**) {
  Replay replay(FindDance("s15a"), {}, false, msg::IdentityScheme::kIff, true);
  replay.All();
  replay.ExpectAllGood();
  assert_int_equal(replay.client.flags(), 0x83f01);
  std::vector<std::string> lines;
  for (const auto& line : replay.cache.Lines()) lines.push_back(line.text);
  const std::vector<std::string> expected = {"client middle 0x4", "server server 0x5",
                                             "middle server 0x6", "client client 0x0"};
  assert_true(lines == expected);
}

void PrintsWhatTheReferencePrints(void**) {
  Replay replay(FindDance("s01c"), "server");
  replay.All();
  const std::vector<std::string> expected = {
      "assoc 43118 43118 host server md5WithRSAEncryption",
      "cert server server 0x5 md5WithRSAEncryption (8) fs 4004293698",
      "iff server fs 4004293698",
      "cook ts 4004293712 fs 4004293705",
      "sign client server 0x4 md5WithRSAEncryption (8) fs 4004293698",
  };
  assert_true(replay.statistics == expected);
  const auto lines = replay.cache.Lines();
  assert_int_equal(lines.size(), 3);
  assert_string_equal(lines[0].text.c_str(), "client server 0x4");
  assert_string_equal(lines[0].until.c_str(), "202711212349");
  assert_string_equal(lines[1].text.c_str(), "server server 0x5");
  assert_string_equal(lines[1].until.c_str(), "202711212348");
  assert_string_equal(lines[2].text.c_str(), "client client 0x0");
}

// The reference goes on without a proof here; the guide does not.
void RefusesTheReferencesServerWhenTheGroupKeyIsMissing(void**) {
  Replay replay(FindDance("s01c"));
  for (size_t i = 0; i < 2; ++i) {
    (void)replay.client.NextRequest(replay.context());
    replay.Run(replay.client.OnResponse(replay.dance.exchanges[i].response, replay.context()), {});
  }
  assert_int_equal(replay.client.flags(), 0);
  assert_false(replay.client.refusal().empty());
  assert_int_equal(replay.cache.Lines().size(), 1);
}

// Any octet of a signed answer that is changed costs the signature; of an unsigned one, at worst
// the step. The state is that of before.
void RefusesEveryChangedOctetOfSignedAnswers(void**) {
  const CapturedDance& dance = FindDance("s01c");
  for (const size_t step : {2U, 3U, 4U}) {
    const auto& genuine = dance.exchanges[step].response;
    for (size_t at = 0; at < genuine.size(); at += 5) {
      Replay replay(dance, "server");
      for (size_t i = 0; i < step; ++i) {
        (void)replay.client.NextRequest(replay.context());
        replay.Run(replay.client.OnResponse(dance.exchanges[i].response, replay.context()),
                   dance.exchanges[2].request);
      }
      if (step == 4) replay.Synchronise(dance.exchanges[4].request);
      (void)replay.client.NextRequest(replay.context());
      const uint32_t before = replay.client.flags();
      auto changed = genuine;
      changed[at] ^= 1;
      replay.outcomes.clear();
      replay.Run(replay.client.OnResponse(changed, replay.context()), {});
      // Padding is not signed, and not read.
      const auto parsed = wire::ParseAutokeyField(changed);
      const size_t value_end = 20 + wire::ParseAutokeyField(genuine)->value.size();
      const bool padding = parsed.ok() && at >= value_end && at < (value_end + 3) / 4 * 4;
      assert_int_equal(replay.client.flags() == before, !padding);
      assert_int_equal(replay.outcomes[0] != Outcome::kOk, !padding);
    }
  }
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(DancesTrustedCertificatesWithReference426),
      cmocka_unit_test(DancesTrustedCertificatesWithReference428),
      cmocka_unit_test(DancesWithKeysOf2048BitsAndSha256),
      cmocka_unit_test(DancesWithAServerThatSignsByDsa),
      cmocka_unit_test(ReachesTheGuidesWordWithReference426),
      cmocka_unit_test(ReachesTheGuidesWordWithReference428),
      cmocka_unit_test(ProvesIdentityByGuillouQuisquater),
      cmocka_unit_test(DancesWithEveryMixOfKeysAndDigests),
      cmocka_unit_test(FollowsItsGroupByTheNamesOfReference428),
      cmocka_unit_test(FollowsTheServersThatASearchFinds),
      cmocka_unit_test(FollowsTheBroadcastServersOfTheReference),
      cmocka_unit_test(RefusesAServerWhoseCertificateHasExpired),
      cmocka_unit_test(ProvesIdentityByThePrivateCertificate),
      cmocka_unit_test(FollowsATrailOfReference428),
      cmocka_unit_test(LightsTheLeapBitForAVerifiedTable),
      cmocka_unit_test(FollowsATrailOfTwoAndWaitsForItsSecondCertificate),
      cmocka_unit_test(PrintsWhatTheReferencePrints),
      cmocka_unit_test(RefusesTheReferencesServerWhenTheGroupKeyIsMissing),
      cmocka_unit_test(RefusesEveryChangedOctetOfSignedAnswers),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
