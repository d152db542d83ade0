// GQ, MV and PC in the key process: which files load, what the status word says, how a server
// proves and a client verifies.
#include "keys/gq_key.h"
#include "keys/group.h"
#include "tests/keys/key_data.h"
#include "tests/keys/service_harness.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::IdentityScheme;
using msg::KeyFileKind;
using msg::VerdictCode;

const FileRow kHost{KeyFileKind::kHost, "428_host_server"};
const FileRow kCertificate{KeyFileKind::kCertificate, "428_cert_server"};
const AssocId kAssociation{7};

uint32_t StatusWord(Harness& h) {
  h.FromNet(msg::HostMaterialRequest{});
  return h.out.material.back().status_word;
}

struct Exchange {
  IdentityScheme scheme;
  std::string server_file, client_file;
  std::vector<uint8_t> group_public;
  size_t challenge_octets;
};

std::vector<uint8_t> GqPublic(const std::string& file) {
  const auto key = ReadGqKey(Data(file), AsBytes(kServerPassword));
  CHECK(key.ok());
  return NumberOctets(key->v.get());
}

std::vector<Exchange> Exchanges() {
  return {{IdentityScheme::kIff, "428_iffkey_server", "428_iffpar_server_traditional", {}, 20},
          {IdentityScheme::kGq, "426_gqkey_server", "426_gqpar_server",
           GqPublic("426_gqkey_server"), 32},
          {IdentityScheme::kGq, "428_gqkey_server", "428_gqpar_server",
           GqPublic("428_gqkey_server"), 64},
          {IdentityScheme::kMv, "mvkey_server", "mvpar_client1", {}, 64},
          {IdentityScheme::kMv, "mvta_server", "mvpar_client2", {}, 64}};
}

KeyFileKind KeyKind(IdentityScheme scheme) {
  return scheme == IdentityScheme::kGq   ? KeyFileKind::kGqKey
         : scheme == IdentityScheme::kMv ? KeyFileKind::kMvKey
                                         : KeyFileKind::kIffKey;
}
KeyFileKind ParKind(IdentityScheme scheme) {
  return scheme == IdentityScheme::kGq   ? KeyFileKind::kGqPar
         : scheme == IdentityScheme::kMv ? KeyFileKind::kMvPar
                                         : KeyFileKind::kIffPar;
}

// A server with its key and a client with its own, which ask each other.
struct Pair {
  explicit Pair(const Exchange& e) : exchange(e) {
    server.Start({kHost, kCertificate, {KeyKind(e.scheme), e.server_file}});
    client.Start({kHost, kCertificate, {ParKind(e.scheme), e.client_file, "grp"}});
    CHECK(server.service.ready() && client.service.ready());
  }
  msg::ValueAnswer Challenge() {
    msg::IdentityChallenge challenge;
    challenge.now = {1};
    challenge.association = kAssociation;
    challenge.scheme = exchange.scheme;
    SetText(&challenge.group, "grp");
    client.Ask(challenge);
    return client.LastAnswer();
  }
  msg::ValueAnswer Prove(Bytes challenge) {
    msg::IdentityProve prove;
    prove.now = {1};
    prove.scheme = exchange.scheme;
    Set(&prove.challenge, challenge);
    server.Ask(prove);
    return server.LastAnswer();
  }
  VerdictCode Verify(Bytes value, NtpSeconds filestamp, Bytes group_public) {
    msg::IdentityVerify verify;
    verify.association = kAssociation;
    verify.filestamp = filestamp;
    Set(&verify.value, value);
    Set(&verify.group_public, group_public);
    client.Ask(verify);
    return client.LastVerdict();
  }
  // The verdict on a proof whose filestamp is off by so much.
  VerdictCode Run(uint32_t ahead = 0) {
    const auto answer = Prove(Challenge().value.span());
    CHECK(answer.code == VerdictCode::kGood);
    return Verify(answer.value.span(), {answer.filestamp.value + ahead}, exchange.group_public);
  }
  Exchange exchange;
  Harness server, client;
};

void EachSchemeProvesTheGroup(void**) {
  for (const Exchange& exchange : Exchanges()) {
    Pair pair(exchange);
    const auto challenge = pair.Challenge();
    assert_true(challenge.code == VerdictCode::kGood);
    assert_int_equal(challenge.value.size(), exchange.challenge_octets);
    assert_false(challenge.signature.empty());
    assert_true(pair.Run() == VerdictCode::kGood);
  }
}

void TheStatusWordShowsWhatIsLoaded(void**) {
  const std::vector<std::pair<FileRow, uint32_t>> rows = {
      {{KeyFileKind::kIffKey, "428_iffkey_server"}, 0x80021},
      {{KeyFileKind::kGqKey, "428_gqkey_server"}, 0x80041},
      {{KeyFileKind::kMvKey, "mvkey_server"}, 0x80081}};
  Harness all;
  all.Start({kHost, kCertificate, rows[0].first, rows[1].first, rows[2].first});
  assert_int_equal(StatusWord(all), 0x800e1);
  for (const auto& [file, word] : rows) {
    Harness h;
    h.Start({kHost, kCertificate, file});
    assert_int_equal(StatusWord(h), word);
  }
  Harness pc;
  pc.Start(
      {{KeyFileKind::kHost, "426_host_private"}, {KeyFileKind::kCertificate, "426_cert_private"}});
  assert_int_equal(StatusWord(pc), 0x80011);
}

void EachGroupIsListedWithItsScheme(void**) {
  Harness h;
  h.Start({kHost,
           kCertificate,
           {KeyFileKind::kIffPar, "428_iffpar_server_traditional", "grp"},
           {KeyFileKind::kGqPar, "428_gqpar_server", "grp"},
           {KeyFileKind::kMvPar, "mvpar_client1", "grp"},
           {KeyFileKind::kMvPar, "mvpar_pkcs8", "mute"}});
  h.FromNet(msg::HostMaterialRequest{});
  const auto& groups = h.out.material.back().groups;
  assert_int_equal(groups.size(), 4);
  const IdentityScheme schemes[] = {IdentityScheme::kIff, IdentityScheme::kGq, IdentityScheme::kMv,
                                    IdentityScheme::kMv};
  for (size_t i = 0; i < 4; ++i) {
    assert_true(groups[i].scheme == schemes[i]);
    assert_int_equal(groups[i].has_public, i != 3);
  }
  assert_int_equal(groups[1].filestamp.value, 4004293451U);
  assert_true(h.out.Logged("mvpar_pkcs8: the group key carries no public value"));
}

// RFC 5906: a server's GQ secret may be renewed alone; IFF and MV keys come in pairs.
void FilestampsMustFit(void**) {
  for (const Exchange& exchange : Exchanges()) {
    const bool later_is_good = exchange.scheme == IdentityScheme::kGq;
    assert_true(Pair(exchange).Run(1) ==
                (later_is_good ? VerdictCode::kGood : VerdictCode::kFilestamp));
    assert_true(Pair(exchange).Run(0xffffffffU) == VerdictCode::kFilestamp);
  }
}

void AChallengeIsGoodForOneAnswer(void**) {
  for (const Exchange& exchange : Exchanges()) {
    Pair pair(exchange);
    const auto answer = pair.Prove(pair.Challenge().value.span());
    const auto verify = [&] {
      return pair.Verify(answer.value.span(), answer.filestamp, exchange.group_public);
    };
    assert_true(verify() == VerdictCode::kGood);
    assert_true(verify() == VerdictCode::kUnknownKey);
    (void)pair.Challenge();
    assert_true(verify() == VerdictCode::kBad);
    assert_true(verify() == VerdictCode::kUnknownKey);
  }
}

void GqNeedsTheCertificatesValue(void**) {
  for (const Exchange& exchange : Exchanges()) {
    if (exchange.scheme != IdentityScheme::kGq) continue;
    Exchange without = exchange;
    without.group_public.clear();
    assert_true(Pair(without).Run() == VerdictCode::kUnknownKey);
    Exchange other = exchange;
    other.group_public.back() ^= 1;
    assert_true(Pair(other).Run() == VerdictCode::kBad);
    other.group_public.assign(512, 0xff);
    assert_true(Pair(other).Run() == VerdictCode::kBad);
  }
}

void ChallengesOfAnotherLengthAreRefused(void**) {
  for (const Exchange& exchange : Exchanges()) {
    Pair pair(exchange);
    for (const size_t octets : {size_t{1}, exchange.challenge_octets - 1,
                                exchange.challenge_octets + 1, msg::kMaxModulus})
      assert_true(pair.Prove(std::vector<uint8_t>(octets, 1)).code == VerdictCode::kBad);
    // Numbers that are no challenges of ours: an answer all the same, or none, but no end.
    for (const uint8_t fill : {uint8_t{0}, uint8_t{255}}) {
      const std::vector<uint8_t> odd(exchange.challenge_octets, fill);
      assert_true(pair.Prove(odd).code == VerdictCode::kGood);
    }
  }
}

void SchemesThatAreNotLoadedAreUnknown(void**) {
  Harness h;
  h.StartServer();
  for (const auto scheme : {IdentityScheme::kGq, IdentityScheme::kMv}) {
    msg::IdentityProve prove;
    prove.scheme = scheme;
    Set(&prove.challenge, std::vector<uint8_t>(64, 1));
    h.Ask(prove);
    assert_true(h.LastAnswer().code == VerdictCode::kUnknownKey);
    msg::IdentityChallenge challenge;
    challenge.association = kAssociation;
    challenge.scheme = scheme;
    SetText(&challenge.group, "server");
    h.Ask(challenge);
    assert_true(h.LastAnswer().code == VerdictCode::kUnknownKey);
  }
}

void ARevokedClientDoesNotVerify(void**) {
  Exchange revoked = Exchanges()[3];
  revoked.client_file = "mvpar_revoked";
  assert_true(Pair(revoked).Run() == VerdictCode::kBad);
  // And whoever lacks the number cannot even ask.
  revoked.client_file = "mvpar_pkcs8";
  assert_true(Pair(revoked).Challenge().code == VerdictCode::kUnknownKey);
}

void AServerNeedsAServersFile(void**) {
  for (const auto& [kind, file] :
       std::vector<std::pair<KeyFileKind, std::string>>{{KeyFileKind::kGqKey, "428_gqpar_server"},
                                                        {KeyFileKind::kMvKey, "mvpar_client1"},
                                                        {KeyFileKind::kMvKey, "428_gqkey_server"},
                                                        {KeyFileKind::kGqKey, "mvkey_server"}}) {
    Harness h;
    h.Start({kHost, kCertificate, {kind, file}});
    assert_true(h.service.failed());
    assert_int_equal(h.out.failures.size(), 1);
    assert_true(h.out.failures[0].starts_with("keys/" + file + ": "));
  }
}

void SingleDesOfGroupFilesIsWarnedOf(void**) {
  Harness h;
  h.Start({kHost,
           kCertificate,
           {KeyFileKind::kIffKey, "426_iffkey_server"},
           {KeyFileKind::kGqKey, "426_gqkey_server"}});
  assert_true(h.service.ready());
  assert_true(h.out.Logged("keys/426_iffkey_server: it is encrypted with single DES"));
  assert_true(h.out.Logged("keys/426_gqkey_server: it is encrypted with single DES"));
}

void ClientsSecretsThatEverybodyCanReadAreWarnedOf(void**) {
  Harness h;
  h.Start({kHost,
           kCertificate,
           {KeyFileKind::kIffPar, "428_iffpar_server_traditional", "grp", true},
           {KeyFileKind::kGqPar, "428_gqpar_server", "grp", true},
           {KeyFileKind::kMvPar, "mvpar_client1", "grp", true}});
  assert_true(h.service.ready());
  assert_false(h.out.Logged("chmod 600 keys/428_iffpar_server_traditional"));
  assert_true(h.out.Logged("chmod 600 keys/428_gqpar_server"));
  assert_true(h.out.Logged("chmod 600 keys/mvpar_client1"));
}

void AServersGqKeyServesAClientWithAWarning(void**) {
  Exchange own = Exchanges()[2];
  own.client_file = own.server_file;
  Pair pair(own);
  assert_true(pair.client.out.Logged("holds the group's secret"));
  assert_true(pair.Run() == VerdictCode::kGood);
}

// A proof of MV costs as much as several signatures: fewer of them are given a second.
void CostlyProofsUseUpTheRateSooner(void**) {
  Pair iff(Exchanges()[0]), gq(Exchanges()[2]);
  const auto served = [](Pair& pair, size_t octets) {
    int count = 0;
    const std::vector<uint8_t> challenge(octets, 1);
    while (count < 1000 && pair.Prove(challenge).code == VerdictCode::kGood) ++count;
    return count;
  };
  assert_int_equal(served(iff, 20), 200);
  assert_int_equal(served(gq, 64), 200);
  assert_true(ProofCost(IdentityScheme::kMv, 256) >= 10);
  assert_true(ProofCost(IdentityScheme::kGq, 512) > ProofCost(IdentityScheme::kGq, 256));
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EachSchemeProvesTheGroup),
      cmocka_unit_test(TheStatusWordShowsWhatIsLoaded),
      cmocka_unit_test(EachGroupIsListedWithItsScheme),
      cmocka_unit_test(FilestampsMustFit),
      cmocka_unit_test(AChallengeIsGoodForOneAnswer),
      cmocka_unit_test(GqNeedsTheCertificatesValue),
      cmocka_unit_test(ChallengesOfAnotherLengthAreRefused),
      cmocka_unit_test(SchemesThatAreNotLoadedAreUnknown),
      cmocka_unit_test(ARevokedClientDoesNotVerify),
      cmocka_unit_test(AServerNeedsAServersFile),
      cmocka_unit_test(SingleDesOfGroupFilesIsWarnedOf),
      cmocka_unit_test(ClientsSecretsThatEverybodyCanReadAreWarnedOf),
      cmocka_unit_test(AServersGqKeyServesAClientWithAWarning),
      cmocka_unit_test(CostlyProofsUseUpTheRateSooner),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
