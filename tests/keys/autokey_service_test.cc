// The key process is no oracle: what it signs it composed, and what it proves it limits.
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <unistd.h>

#include "keys/iff.h"
#include "keys/rsa.h"
#include "tests/keys/key_data.h"
#include "tests/keys/service_harness.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::VerdictCode;
using ntpward::test::ToHex;

const AddressPair kPath{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};

KeyPair ServerKey() {
  auto key = ReadRsaKey(Data("428_host_server"), AsBytes(kServerPassword));
  CHECK(key.ok());
  return std::move(key).value();
}

bool Verifies(EVP_PKEY* key, NtpSeconds timestamp, NtpSeconds filestamp, Bytes value,
              Bytes signature) {
  std::vector<uint8_t> covered(12 + value.size());
  Writer w(covered);
  w.U32(timestamp.value), w.U32(filestamp.value), w.U32(static_cast<uint32_t>(value.size()));
  w.Put(value);
  DigestContextPtr context(EVP_MD_CTX_new());
  CHECK(EVP_DigestVerifyInit(context.get(), nullptr, EVP_md5(), nullptr, key) == 1);
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), covered.data(),
                          covered.size()) == 1;
}

bool Verifies(const msg::ValueAnswer& answer) {
  return Verifies(ServerKey().key.get(), answer.timestamp, answer.filestamp, answer.value.span(),
                  answer.signature.span());
}

struct PublicKey {
  std::vector<uint8_t> modulus;
  uint32_t exponent = 65537;
};
PublicKey PublicOf(const EVP_PKEY* key) {
  BigPtr n = Number();
  BIGNUM* raw = n.get();
  CHECK(EVP_PKEY_get_bn_param(key, "n", &raw) == 1);
  return {NumberOctets(n.get())};
}

msg::CookieIssue CookieRequest(uint32_t now = 1) {
  const PkeyPtr key(EVP_RSA_gen(512));
  msg::CookieIssue issue;
  issue.request = 11;
  issue.now = {now};
  issue.path = kPath;
  Set(&issue.modulus, PublicOf(key.get()).modulus);
  issue.exponent = 65537;
  return issue;
}

msg::CertificateIssue CertificateRequest(std::string_view subject) {
  const PkeyPtr key(EVP_RSA_gen(512));
  msg::CertificateIssue issue;
  issue.now = {1};
  issue.filestamp = {4004293705U};
  SetText(&issue.subject, subject);
  Set(&issue.modulus, PublicOf(key.get()).modulus);
  issue.exponent = 65537;
  return issue;
}

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

void IssuedCertificatesAreMadeFromFourValues(void**) {
  Harness h;
  h.StartServer();
  auto request = CertificateRequest("client");
  request.trusted = true;
  h.Ask(request);
  const auto& answer = h.LastAnswer();
  assert_true(answer.code == VerdictCode::kGood);
  assert_int_equal(answer.filestamp.value, 4004293705U);
  assert_true(Verifies(answer));
  const uint8_t* at = answer.value.span().data();
  const X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(answer.value.size())));
  assert_non_null(certificate.get());
  assert_int_equal(X509_verify(certificate.get(), ServerKey().key.get()), 1);
  char* names[] = {X509_NAME_oneline(X509_get_subject_name(certificate.get()), nullptr, 0),
                   X509_NAME_oneline(X509_get_issuer_name(certificate.get()), nullptr, 0)};
  assert_string_equal(names[0], "/CN=client");
  assert_string_equal(names[1], "/CN=server");
  OPENSSL_free(names[0]), OPENSSL_free(names[1]);
  // trustRoot only where the operator allows it.
  assert_int_equal(X509_get_ext_by_NID(certificate.get(), NID_ext_key_usage, -1), -1);
}

void TrustRootNeedsTheOperatorsLeave(void**) {
  Harness h;
  h.start.allow_trusted_issue = true;
  h.StartServer();
  auto request = CertificateRequest("client");
  for (const bool trusted : {false, true}) {
    request.trusted = trusted;
    h.Ask(request);
    const uint8_t* at = h.LastAnswer().value.span().data();
    const X509Ptr certificate(
        d2i_X509(nullptr, &at, static_cast<long>(h.LastAnswer().value.size())));
    assert_true((X509_get_ext_by_NID(certificate.get(), NID_ext_key_usage, -1) >= 0) == trusted);
  }
}

void NobodyGetsACertificateInOurName(void**) {
  Harness h;
  h.StartServer();
  h.Ask(CertificateRequest("server"));
  assert_true(h.LastAnswer().code == VerdictCode::kNotAllowed);
  for (const std::string& subject :
       {std::string("a b"), std::string("a\nb"), std::string("x\0y", 3), std::string("\xff")}) {
    h.Ask(CertificateRequest(subject));
    assert_true(h.LastAnswer().code == VerdictCode::kBad);
  }
}

void AnExpiredServerIssuesNothing(void**) {
  Harness h;
  h.Start({{msg::KeyFileKind::kHost, "426_host_expired"},
           {msg::KeyFileKind::kCertificate, "426_cert_expired"}});
  assert_true(h.service.ready());
  h.Ask(CertificateRequest("client"));
  assert_true(h.LastAnswer().code == VerdictCode::kNotAllowed);
  Harness unsynchronised;
  unsynchronised.StartServer();
  auto request = CertificateRequest("client");
  request.now = {0};
  unsynchronised.Ask(request);
  assert_true(unsynchronised.LastAnswer().code == VerdictCode::kNotAllowed);
}

void TheLongestCertificateFits(void**) {
  Harness h;
  h.Start({{msg::KeyFileKind::kHost, "428_host_server_2048"},
           {msg::KeyFileKind::kCertificate, "428_cert_server_sha256"}});
  assert_true(h.service.ready());
  auto request = CertificateRequest(std::string(255, 'x'));
  Set(&request.modulus, std::vector<uint8_t>(512, 0xff));
  h.Ask(request);
  // A common name ends at 64 characters in X.509; whatever OpenSSL says, nobody dies of it.
  assert_true(h.LastAnswer().code == VerdictCode::kGood ||
              h.LastAnswer().code == VerdictCode::kBad);
  SetText(&request.subject, std::string(64, 'x'));
  h.Ask(request);
  assert_true(h.LastAnswer().code == VerdictCode::kGood);
}

void ProvesTheGroup(void**) {
  Harness h;
  h.StartServer();
  const auto client = ReadIffKey(Data("428_iffpar_server_traditional"), {});
  const auto challenge = DrawIffChallenge(*client);
  msg::IdentityProve prove;
  prove.now = {1};
  Set(&prove.challenge, challenge);
  h.Ask(prove);
  assert_int_equal(h.LastAnswer().filestamp.value, 4004293699U);
  assert_true(VerifyIff(*client, challenge, h.LastAnswer().value.span()));
}

void ChallengesOfEveryOtherLengthAreRefused(void**) {
  Harness h;
  h.StartServer();
  for (size_t size = 1; size <= msg::kMaxModulus; size += size < 30 ? 1 : 37) {
    msg::IdentityProve prove;
    prove.now = {1};
    Set(&prove.challenge, std::vector<uint8_t>(size, 0xff));
    h.time.Advance(1);
    h.Ask(prove);
    assert_true((h.LastAnswer().code == VerdictCode::kGood) == (size == 20));
  }
  msg::IdentityProve prove;
  Set(&prove.challenge, std::vector<uint8_t>(20, 1));
  for (const auto scheme : {msg::IdentityScheme::kGq, msg::IdentityScheme::kMv}) {
    prove.scheme = scheme;
    h.Ask(prove);
    assert_true(h.LastAnswer().code == VerdictCode::kUnknownKey);
  }
}

struct Identified {
  Harness client;
  Harness server;
  Identified() {
    client.StartClient();
    server.StartServer();
  }
  msg::ValueAnswer Challenge(uint16_t association, std::string_view group = "server") {
    msg::IdentityChallenge challenge;
    challenge.now = {1};
    challenge.association = {association};
    SetText(&challenge.group, group);
    client.Ask(challenge);
    return client.LastAnswer();
  }
  msg::ValueAnswer Prove(const msg::ValueAnswer& challenge) {
    msg::IdentityProve prove;
    prove.now = {1};
    Set(&prove.challenge, challenge.value.span());
    server.Ask(prove);
    return server.LastAnswer();
  }
  VerdictCode Verify(uint16_t association, const msg::ValueAnswer& proof) {
    msg::IdentityVerify verify;
    verify.association = {association};
    verify.filestamp = proof.filestamp;
    Set(&verify.value, proof.value.span());
    client.Ask(verify);
    return client.LastVerdict();
  }
};

void AClientVerifiesItsServer(void**) {
  Identified both;
  const auto challenge = both.Challenge(5);
  assert_int_equal(challenge.filestamp.value, 4004293699U);
  assert_int_equal(challenge.value.size(), 20);
  assert_true(both.Verify(5, both.Prove(challenge)) == VerdictCode::kGood);
}

void AChallengeIsGoodForOneAnswer(void**) {
  Identified both;
  const auto proof = both.Prove(both.Challenge(5));
  assert_true(both.Verify(5, proof) == VerdictCode::kGood);
  assert_true(both.Verify(5, proof) == VerdictCode::kUnknownKey);
  // A proof for one challenge is none for the next, nor for another association's.
  const auto old_proof = both.Prove(both.Challenge(5));
  both.Challenge(5);
  assert_true(both.Verify(5, old_proof) == VerdictCode::kBad);
  both.Challenge(6);
  assert_true(both.Verify(6, old_proof) == VerdictCode::kBad);
}

void AnotherGenerationOfTheGroupKeyIsTold(void**) {
  Identified both;
  auto proof = both.Prove(both.Challenge(5));
  proof.filestamp.value += 1;
  assert_true(both.Verify(5, proof) == VerdictCode::kFilestamp);
}

void NothingIsProvedWithoutAPublicValue(void**) {
  Identified both;
  assert_true(both.Challenge(5, "mute").code == VerdictCode::kUnknownKey);
  assert_true(both.Challenge(5, "stranger").code == VerdictCode::kUnknownKey);
}

void GarbageProofsAreRefused(void**) {
  Identified both;
  for (const size_t size : {size_t{1}, size_t{19}, size_t{41}, size_t{1200}}) {
    both.Challenge(5);
    msg::ValueAnswer proof;
    proof.filestamp = {4004293699U};
    Set(&proof.value, std::vector<uint8_t>(size, 0x30));
    assert_true(both.Verify(5, proof) == VerdictCode::kBad);
  }
}

msg::CookieOpen Ciphertext(uint16_t association, uint32_t cookie) {
  std::array<uint8_t, 4> plain{};
  Writer(plain).U32(cookie);
  msg::CookieOpen open;
  open.association = {association};
  Set(&open.ciphertext, OaepEncrypt(ServerKey().key.get(), plain));
  return open;
}

std::vector<uint8_t> SealWith(Harness& h, uint16_t association) {
  msg::SealRequest request;
  request.association = {association};
  request.path = kPath;
  request.key = {0x5fe916ea};
  std::vector<uint8_t> header(48, 0);
  header[0] = 0xe3;
  Set(&request.covered, header);
  h.FromNet(request);
  const Bytes mac = h.out.sealed.back().mac.span();
  return {mac.begin(), mac.end()};
}

void ACookieIsKeptAndUsedButNeverShown(void**) {
  Harness h;
  h.StartClient();
  h.Ask(Ciphertext(5, 0x71a8a65c));
  assert_true(h.LastVerdict() == VerdictCode::kGood);
  auto hasher = std::move(SessionKeyHasher::Create()).value();
  std::vector<uint8_t> header(48, 0);
  header[0] = 0xe3;
  const auto expected = hasher.Mac(hasher.Derive(kPath, KeyId{0x5fe916ea}, 0x71a8a65c), header);
  assert_string_equal(ToHex(SealWith(h, 5)).c_str(), ("5fe916ea" + ToHex(expected.span())).c_str());
  assert_true(SealWith(h, 6).empty());
  // The server's reply under the same cookie, the other way round.
  header[0] = 0x24;
  msg::CheckMac check;
  check.association = {5};
  check.path = kPath.Reversed();
  check.key = {0x5fe916ea};
  Set(&check.covered, header);
  Set(&check.digest,
      hasher.Mac(hasher.Derive(kPath.Reversed(), KeyId{0x5fe916ea}, 0x71a8a65c), header).span());
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

void AssociationsAreBounded(void**) {
  Harness h;
  h.StartClient();
  size_t kept = 0;
  for (uint16_t i = 1; i <= kMaxAssociations + 10; ++i) {
    h.time.Advance(1);
    h.Ask(Ciphertext(i, i));
    kept += h.LastVerdict() == VerdictCode::kGood;
  }
  assert_int_equal(kept, kMaxAssociations);
}

void AReplacedNetStartsWithoutCookies(void**) {
  Harness h;
  h.StartClient();
  h.Ask(Ciphertext(5, 1));
  h.FromSupervisor(msg::KeysRollSeed{});
  assert_true(SealWith(h, 5).empty());
}

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
      cmocka_unit_test(IssuedCertificatesAreMadeFromFourValues),
      cmocka_unit_test(TrustRootNeedsTheOperatorsLeave),
      cmocka_unit_test(NobodyGetsACertificateInOurName),
      cmocka_unit_test(AnExpiredServerIssuesNothing),
      cmocka_unit_test(TheLongestCertificateFits),
      cmocka_unit_test(ProvesTheGroup),
      cmocka_unit_test(ChallengesOfEveryOtherLengthAreRefused),
      cmocka_unit_test(AClientVerifiesItsServer),
      cmocka_unit_test(AChallengeIsGoodForOneAnswer),
      cmocka_unit_test(AnotherGenerationOfTheGroupKeyIsTold),
      cmocka_unit_test(NothingIsProvedWithoutAPublicValue),
      cmocka_unit_test(GarbageProofsAreRefused),
      cmocka_unit_test(ACookieIsKeptAndUsedButNeverShown),
      cmocka_unit_test(BadCiphertextsLeaveTheOldCookie),
      cmocka_unit_test(AForgottenAssociationIsForgottenWhole),
      cmocka_unit_test(AssociationsAreBounded),
      cmocka_unit_test(AReplacedNetStartsWithoutCookies),
      cmocka_unit_test(AFloodOfClientsDelaysNeitherMacsNorOurOwnDance),
      cmocka_unit_test(TheRateOfPrivateOperationsIsLimited),
      cmocka_unit_test(MalformedMessagesAreReportedAndNothingIsDone),
      cmocka_unit_test(NetIsNotHeardBeforeTheKeysAreLoaded),
      cmocka_unit_test(SeedsAreKeptOnDisk),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
