// Both sides with the real key process behind each, on key files that the reference wrote.
//
// The end of it is what counts: a plain packet sealed with the cookie of one side is accepted by
// the other, and its reply too.
#include "ntpd/autokey/client_dance.h"
#include "tests/autokey/key_host.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {
namespace {

const AddressPair kPath{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};
constexpr uint32_t kNow = 4004300000;

const std::vector<File> kServerFiles = {
    {KeyFileKind::kHost, "tests/keys/data/426_host_server"},
    {KeyFileKind::kCertificate, "tests/keys/data/426_cert_server"},
    {KeyFileKind::kIffKey, "tests/keys/data/426_iffkey_server"}};

std::vector<File> ClientFiles(const std::string& group_file) {
  return {{KeyFileKind::kHost, "tests/keys/data/426_host_client"},
          {KeyFileKind::kCertificate, "tests/autokey/data/426_cert_client"},
          {KeyFileKind::kIffPar, "tests/keys/data/" + group_file}};
}

struct Pair {
  explicit Pair(const std::string& group_file, DancePolicy policy = {})
      : server("serverpassword", kServerFiles, kNow),
        client("clientpassword", ClientFiles(group_file), kNow),
        dance(AssocId{43118}, std::move(policy), MonoTime{}) {
    server.Synchronise();
  }
  DanceContext context() {
    return {client.state, client.certificates, MonoTime{}, NtpSeconds{kNow}, client.synchronised};
  }
  void Run(const DanceResult& result) {
    if (!result.event.empty()) event = result.event;
    for (const ClientJob& job : result.jobs) {
      std::visit([&](const auto& operation) { client.Ask(operation); }, job.operation);
      if (std::holds_alternative<msg::ForgetAssociation>(job.operation)) continue;
      if (std::holds_alternative<msg::IdentityChallenge>(job.operation)) {
        Run(dance.OnValueAnswer(job.ticket, client.out.answer, context()));
      } else {
        Run(dance.OnVerdict(job.ticket, client.out.verdict.code, context()));
      }
    }
  }
  NextField::Kind Poll() {
    const NextField next = dance.NextRequest(context());
    Run(next.effects);
    if (next.kind != NextField::Kind::kField) return next.kind;
    const ServerContext there{server.state, server.certificates, NtpSeconds{kNow}, true};
    ServerAnswer answer = server.side.OnRequest(next.field, kPath, there);
    if (answer.kind == ServerAnswer::Kind::kAskKeys) {
      std::visit([&](const auto& operation) { server.Ask(operation); }, *answer.operation);
      answer = server.side.OnValueAnswer(answer.pending, server.out.answer);
    }
    Run(dance.OnResponse(answer.field, context()));
    return next.kind;
  }

  Host server, client;
  ClientDance dance;
  std::string event;
};

std::array<uint8_t, wire::kHeaderSize> Encoded(const wire::Header& header) {
  std::array<uint8_t, wire::kHeaderSize> bytes{};
  Writer writer(bytes);
  wire::EncodeHeader(writer, header);
  CHECK(writer.Finish());
  return bytes;
}

// A plain exchange under the cookie: sealed here, checked and sealed there, checked here.
bool PlainExchangeWorks(Pair& pair) {
  wire::Header request;
  request.transmit = NtpTimestamp::FromRaw(0x1234567890abcdef);
  const KeyId key{0x5fe916ea};
  msg::SealRequest seal;
  seal.association = AssocId{43118};
  seal.path = kPath;
  seal.key = key;
  CHECK(seal.covered.Assign(Encoded(request)));
  pair.client.Ask(seal);
  if (pair.client.out.sealed.mac.empty()) return false;

  msg::ServeBatch batch;
  batch.reply.leap = 0;
  batch.reply.stratum = 2;
  msg::ServeJob job;
  job.path = kPath;
  job.key = key;
  CHECK(job.covered.Assign(Encoded(request)));
  CHECK(job.digest.Assign(pair.client.out.sealed.mac.span().subspan(4)));
  job.receive = NtpTimestamp::FromRaw(uint64_t{kNow} << 32);
  CHECK(batch.jobs.Push(job));
  pair.server.Ask(batch);
  const msg::ServeResult& done = pair.server.out.serve_done.results[0];
  if (done.outcome != msg::ServeOutcome::kSealed) return false;

  wire::Header reply;
  reply.leap = wire::Leap::kNone;
  reply.mode = wire::Mode::kServer;
  reply.stratum = 2;
  reply.origin = request.transmit;
  reply.receive = job.receive;
  reply.transmit = done.transmit;
  msg::CheckMac check;
  check.association = AssocId{43118};
  check.path = kPath.Reversed();
  check.key = key;
  CHECK(check.covered.Assign(Encoded(reply)));
  CHECK(check.digest.Assign(done.mac.span().subspan(4)));
  pair.client.Ask(check);
  return pair.client.out.verdict.code == msg::VerdictCode::kGood;
}

void TheGuideEndsAtItsWordAndItsCookieWorks(void**) {
  Pair pair("426_iffpar_server_traditional");
  assert_false(PlainExchangeWorks(pair));
  for (int i = 0; i < 4; ++i) assert_true(pair.Poll() == NextField::Kind::kField);
  assert_true(pair.dance.proven());
  assert_true(pair.dance.identity() == "IFF");
  assert_int_equal(pair.dance.flags(), 0x81f21);
  assert_true(PlainExchangeWorks(pair));
  pair.client.Synchronise();
  assert_true(pair.Poll() == NextField::Kind::kField);
  assert_int_equal(pair.dance.flags(), 0x83f21);
  assert_true(pair.Poll() == NextField::Kind::kPlain);
  assert_string_equal(pair.client.certificates.Lines()[0].text.c_str(), "client server 0x4");
}

void LeapTableIsSignedAndVerified(void**) {
  Pair pair("426_iffpar_server_traditional");
  pair.server.state.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{4019845448}});
  pair.server.Synchronise();
  for (int i = 0; i < 4; ++i) (void)pair.Poll();
  pair.client.Synchronise();
  for (int i = 0; i < 2; ++i) (void)pair.Poll();
  assert_int_equal(pair.dance.flags(), 0x87f23);
}

void CookieIsGoneAfterStartingOver(void**) {
  Pair pair("426_iffpar_server_traditional");
  for (int i = 0; i < 4; ++i) (void)pair.Poll();
  assert_true(PlainExchangeWorks(pair));
  pair.Run(pair.dance.OnCryptoNak(pair.context()));
  assert_false(PlainExchangeWorks(pair));
  for (int i = 0; i < 4; ++i) (void)pair.Poll();
  assert_true(PlainExchangeWorks(pair));
}

void TheReferencesOwnExportIsRefusedWithItsFix(void**) {
  Pair pair("426_iffpar_server_pkcs8");
  for (int i = 0; i < 10; ++i) (void)pair.Poll();
  assert_false(pair.dance.proven());
  assert_true(pair.dance.refusal().find("ntp-keygen -e") != std::string::npos);
}

void TheReferencesOwnExportDoesWhereTheOperatorSaysSo(void**) {
  Pair pair("426_iffpar_server_pkcs8", {"", true, false});
  for (int i = 0; i < 3; ++i) (void)pair.Poll();
  assert_true(pair.dance.proven());
  assert_true(pair.dance.identity() == "TC");
  assert_true(PlainExchangeWorks(pair));
}

// The statement of another limit: the server hands the cookie of any address to whoever asks for it
// with a key of his own, and that cookie then seals packets in the client's name.
void ACookieGoesToWhoeverAsksWhichIsALimitOfTheProtocol(void**) {
  Pair pair("426_iffpar_server_traditional");
  for (int i = 0; i < 4; ++i) (void)pair.Poll();
  Host thief("serverpassword",
             {{KeyFileKind::kHost, "tests/keys/data/428_host_server"},
              {KeyFileKind::kCertificate, "tests/keys/data/428_cert_server"}},
             kNow);
  const auto key = ParseRsaPublicKey(thief.state.public_key());
  msg::CookieIssue issue;
  issue.now = NtpSeconds{kNow};
  issue.path = kPath;
  issue.modulus = key->modulus;
  issue.exponent = key->exponent;
  pair.server.Ask(issue);
  msg::CookieOpen open;
  open.association = AssocId{1};
  CHECK(open.ciphertext.Assign(pair.server.out.answer.value.span()));
  thief.Ask(open);
  assert_true(thief.out.verdict.code == msg::VerdictCode::kGood);
  msg::SealRequest seal;
  seal.path = kPath;
  seal.key = KeyId{0x5fe916ea};
  CHECK(seal.covered.Assign(Encoded(wire::Header{})));
  seal.association = AssocId{1};
  thief.Ask(seal);
  seal.association = AssocId{43118};
  pair.client.Ask(seal);
  assert_false(thief.out.sealed.mac.empty());
  assert_true(thief.out.sealed.mac == pair.client.out.sealed.mac);
}

void AnotherGroupsKeyIsRefused(void**) {
  Pair pair("428_iffpar_server_traditional");
  for (int i = 0; i < 20; ++i) {
    (void)pair.Poll();
    assert_false((pair.dance.flags() & (kVerified | kCookie)) != 0);
  }
  assert_false(pair.dance.refusal().empty());
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheGuideEndsAtItsWordAndItsCookieWorks),
      cmocka_unit_test(LeapTableIsSignedAndVerified),
      cmocka_unit_test(CookieIsGoneAfterStartingOver),
      cmocka_unit_test(TheReferencesOwnExportIsRefusedWithItsFix),
      cmocka_unit_test(TheReferencesOwnExportDoesWhereTheOperatorSaysSo),
      cmocka_unit_test(ACookieGoesToWhoeverAsksWhichIsALimitOfTheProtocol),
      cmocka_unit_test(AnotherGroupsKeyIsRefused),
  };
  return cmocka_run_group_tests(tests, LoadCrypto, nullptr);
}
