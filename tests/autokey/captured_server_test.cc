// Our server asked what reference clients asked reference servers.
//
// With the reference's keys and signatures put in, each answer must be the captured one, octet for
// octet. Signatures are checked as well, so that the captures prove the verifier too.
#include <algorithm>

#include "ntpd/autokey/own_key_list.h"
#include "ntpd/autokey/server_side.h"
#include "tests/autokey/captured_dances.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::autokey::test {
namespace {

using ntpward::test::ToHex;

constexpr size_t kNoValue = 8;  // octets of an answer that only says "cannot", or "none"
constexpr uint8_t kDefaultAutomax = 12;
const AddressPair kPath{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};

wire::AutokeyField Parsed(Bytes field) {
  auto parsed = wire::ParseAutokeyField(field);
  CHECK(parsed.ok());
  return *parsed;
}

// A server with the captured server's public material.
struct Replay {
  explicit Replay(const CapturedDance& captured) : dance(captured) {
    // A broadcast server is asked for no ASSOC: it sends it unasked.
    const auto association =
        Parsed(captured.pushed.empty() ? captured.exchange(1).response : captured.pushed[0]);
    msg::HostMaterial material = MaterialOf(captured.host("server"), association.filestamp.value);
    CHECK(host.SetMaterial(material).ok());
    cache.SetOwn(host.certificate());
    const bool leap_values = std::ranges::any_of(
        captured.exchanges, [](const Exchange& exchange) { return exchange.code() == 5; });
    if (leap_values && (association.filestamp.value & kTai) != 0) {
      const auto values = Parsed(captured.exchange(5).response);
      Reader reader(values.value);
      LeapValues table;
      table.tai = reader.U32();
      table.epoch.value = reader.U32();
      table.expiry.value = reader.U32();
      host.SetLeap(table);
      has_table = table.tai != 0;
    }
  }

  // The first synchronisation, at the time and with the signatures of the capture.
  void Synchronise() {
    if (now.value != 0) return;
    msg::SignedValues values;
    if (host.is_private()) {
      // No certificate is exchanged: a cookie's filestamp tells when values were signed.
      now = Parsed(dance.exchange(3).response).filestamp;
    } else {
      const auto answered = std::ranges::find_if(dance.exchanges, [](const Exchange& exchange) {
        return exchange.code() == 2 && exchange.response.size() > kNoValue;
      });
      const auto certificate = Parsed(answered->response);
      now = certificate.timestamp;
      CHECK(values.certificate.Assign(certificate.signature));
    }
    CHECK(host.DueUpdate(MonoTime{}, now, true).has_value());
    values.timestamp = now;
    for (const Exchange& exchange : dance.exchanges)
      if (exchange.code() == 5) CHECK(values.leap.Assign(Parsed(exchange.response).signature));
    host.OnSignedValues(values);
  }

  // The captured list, as if it were ours.
  const OwnKeyList* List(uint32_t association) {
    const auto announced = Parsed(dance.exchange(4).response);
    if (association != announced.head.association) return nullptr;
    const AssocId own{static_cast<uint16_t>(association)};
    list.emplace(own, msg::KeyListUse::kBroadcast, kDefaultAutomax);
    CHECK(list->Due(kPath, 4, now, MonoTime{}).has_value());
    msg::ValueAnswer made;
    made.timestamp = announced.timestamp;
    made.filestamp = announced.filestamp;
    CHECK(made.value.Assign(announced.value) && made.signature.Assign(announced.signature));
    made.code = msg::VerdictCode::kGood;
    CHECK(list->OnMade(made));
    return &*list;
  }

  std::vector<uint8_t> Answer(const Exchange& exchange) {
    ServerContext context{host, cache, now, now.value != 0};
    context.key_lists = [this](uint32_t association) { return List(association); };
    ServerAnswer answer = side.OnRequest(exchange.request, kPath, context);
    if (answer.kind == ServerAnswer::Kind::kAskKeys) {
      operations.push_back(*answer.operation);
      msg::ValueAnswer value;
      if (exchange.response.size() > kNoValue) {
        const auto field = Parsed(exchange.response);
        value.code = msg::VerdictCode::kGood;
        value.timestamp = field.timestamp;
        value.filestamp = field.filestamp;
        CHECK(value.value.Assign(field.value));
        CHECK(value.signature.Assign(field.signature));
      }
      answer = side.OnValueAnswer(answer.pending, value);
    }
    assert_true(answer.kind == ServerAnswer::Kind::kReply);
    return answer.field;
  }

  const CapturedDance& dance;
  HostState host;
  CertificateCache cache;
  ServerSide side;
  NtpSeconds now;
  std::vector<ServerOperation> operations;
  std::optional<OwnKeyList> list;
  bool has_table = false;
};

// 4.2.8 lights the bit for a table without having one, and sends zeros when it is asked. We do not.
std::vector<uint8_t> Expected(const Exchange& exchange, bool has_table) {
  std::vector<uint8_t> expected = exchange.response;
  if (exchange.code() != 1 || has_table) return expected;
  const uint32_t word = Parsed(expected).filestamp.value & ~kTai;
  Writer(MutableBytes(expected).subspan(12)).U32(word);
  return expected;
}

bool IsTrail(const CapturedDance& dance) { return dance.name.substr(0, 3) == "s15"; }

void AnswersAsTheReferenceDid(void**) {
  size_t compared = 0;
  for (const CapturedDance& dance : CapturedDances()) {
    if (IsTrail(dance)) continue;
    Replay replay(dance);
    for (const Exchange& exchange : dance.exchanges) {
      const bool association = exchange.code() == 1;
      // Before it has time it says that it has no certificate.
      const bool waits = exchange.code() == 2 && exchange.response.size() == kNoValue;
      if (association ? Parsed(exchange.response).timestamp.value != 0 : !waits)
        replay.Synchronise();
      assert_string_equal(ToHex(replay.Answer(exchange)).c_str(),
                          ToHex(Expected(exchange, replay.has_table)).c_str());
      ++compared;
    }
  }
  assert_true(compared >= 80);
}

void CapturedAnswersCarryTheServersSignature(void**) {
  size_t verified = 0;
  for (const CapturedDance& dance : CapturedDances()) {
    if (IsTrail(dance)) continue;
    const Replay replay(dance);
    const Certificate& server = replay.host.certificate();
    for (const Exchange& exchange : dance.exchanges) {
      const auto field = wire::ParseAutokeyField(exchange.response);
      if (!field.ok() || field->signature.empty()) continue;
      assert_int_equal(
          VerifySignature(server.scheme, server.key, field->signed_part, field->signature),
          Outcome::kOk);
      ++verified;
    }
  }
  assert_true(verified >= 60);
}

void PassesOnOnlyWhatTheKeyProcessNeeds(void**) {
  const CapturedDance& dance = FindDance("s01c");
  Replay replay(dance);
  replay.Synchronise();
  for (const Exchange& exchange : dance.exchanges) (void)replay.Answer(exchange);
  assert_int_equal(replay.operations.size(), 3);
  const auto& prove = std::get<msg::IdentityProve>(replay.operations[0]);
  assert_string_equal(ToHex(prove.challenge.span()).c_str(),
                      "2b67e8bce285aa667f4cc5ba0829f823c418f00d");
  assert_true(prove.scheme == msg::IdentityScheme::kIff);
  // Of the client's parameters: which generation of the group's key it has.
  assert_int_equal(prove.filestamp.value, 0xeeacac42U);
  const auto& cookie = std::get<msg::CookieIssue>(replay.operations[1]);
  assert_int_equal(cookie.modulus.size(), 64);
  assert_int_equal(cookie.exponent, 3);
  assert_true(cookie.path == kPath);
  const auto& issue = std::get<msg::CertificateIssue>(replay.operations[2]);
  assert_true(issue.subject.text() == "client");
  assert_true(issue.modulus == cookie.modulus);
  assert_int_equal(issue.filestamp.value, 4004293698);
  assert_false(issue.trusted);
}

void AnswersAreTheSameWhateverTheAssociation(void**) {
  const CapturedDance& dance = FindDance("s01c");
  Replay replay(dance);
  replay.Synchronise();
  for (Exchange exchange : dance.exchanges) {
    Writer(MutableBytes(exchange.request).subspan(4)).U32(0xfffffffe);
    const auto answer = replay.Answer(exchange);
    assert_int_equal(Reader(Bytes(answer).subspan(4)).U32(), 0xfffffffe);
  }
}

// Certificates of a trail go out unsigned, because the key process signs no octets of others; the
// reference's clients do not check that signature.
void ServesTheTrailOfItsOwnServer(void**) {
  const CapturedDance& dance = FindDance("s15a");
  HostState host;
  CertificateCache cache;
  ServerSide side;
  const auto word = Parsed(dance.exchange(1).response).filestamp.value;
  assert_true(host.SetMaterial(MaterialOf(dance.host("middle"), word)).ok());
  cache.SetOwn(host.certificate());
  const NtpSeconds now{4004293878};
  assert_true(host.DueUpdate(MonoTime{}, now, true).has_value());
  msg::SignedValues values;
  values.timestamp = now;
  host.OnSignedValues(values);
  const ServerContext context{host, cache, now, true};

  std::vector<const Exchange*> with_certificate;
  for (const Exchange& exchange : dance.exchanges) {
    if (exchange.code() != 2) continue;
    const auto answer = side.OnRequest(exchange.request, kPath, context);
    // Nobody has signed its certificate yet: as captured, "none".
    assert_int_equal(answer.field.size(), 8);
    if (exchange.response.size() > 8) with_certificate.push_back(&exchange);
  }
  assert_int_equal(with_certificate.size(), 2);
  for (const Exchange* exchange : with_certificate) {
    const auto field = Parsed(exchange->response);
    cache.Install(*ParseCertificate(field.value, field.filestamp), true);
  }
  for (const Exchange* exchange : with_certificate) {
    const auto answer = side.OnRequest(exchange->request, kPath, context);
    const auto ours = Parsed(answer.field);
    const auto theirs = Parsed(exchange->response);
    assert_true(
        std::equal(ours.value.begin(), ours.value.end(), theirs.value.begin(), theirs.value.end()));
    assert_int_equal(ours.timestamp.value, theirs.timestamp.value);
    assert_int_equal(ours.filestamp.value, theirs.filestamp.value);
    assert_int_equal(ours.signature.size(), 0);
  }
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AnswersAsTheReferenceDid),
      cmocka_unit_test(CapturedAnswersCarryTheServersSignature),
      cmocka_unit_test(PassesOnOnlyWhatTheKeyProcessNeeds),
      cmocka_unit_test(AnswersAreTheSameWhateverTheAssociation),
      cmocka_unit_test(ServesTheTrailOfItsOwnServer),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
