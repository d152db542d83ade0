// A group's key is made anew: the server goes on proving the group to clients that still have the
// parameters of a generation before it.
#include "keys/generations.h"

#include "keys/gq_key.h"
#include "tests/keys/key_data.h"
#include "tests/keys/service_harness.h"
#include "tests/keys/workshop.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::IdentityScheme;
using msg::KeyFileKind;
using msg::VerdictCode;

struct Scheme {
  IdentityScheme scheme;
  KeyFileKind key, parameters;
  const char* name;     // "iff"
  const char* letters;  // "IFF"
};
const Scheme kSchemes[] = {
    {IdentityScheme::kIff, KeyFileKind::kIffKey, KeyFileKind::kIffPar, "iff", "IFF"},
    {IdentityScheme::kGq, KeyFileKind::kGqKey, KeyFileKind::kGqPar, "gq", "GQ"},
    {IdentityScheme::kMv, KeyFileKind::kMvKey, KeyFileKind::kMvPar, "mv", "MV"}};

constexpr uint32_t kFirst = 4004293698U;
constexpr uint32_t kApart = 1000;

// A keys directory whose group keys were made three times, and what was exported each time.
class Group {
 public:
  static constexpr uint32_t kGenerations = 3;

  Group() {
    for (uint32_t i = 0; i < kGenerations; ++i) Renew({"-T", "-G", "-I", "-V", "3", "-b", "512"});
  }
  void Renew(std::vector<std::string> what) {
    CHECK(server.Run(With(std::move(what), {"-m", "512", "-c", "RSA-MD5", "-p", "pw"})));
    said = server.err;
    CHECK(server.Run({"-e", "-p", "pw"}));
    Keep(server.out);
    server.clock += kApart;
  }
  std::string KeyFile(const Scheme& scheme, uint32_t stamp) const {
    return At(std::string("ntpkey_") + scheme.letters + "key_server." + std::to_string(stamp));
  }
  std::string ParameterFile(const Scheme& scheme, uint32_t stamp) const {
    return At(std::string("ntpkey_") + scheme.name + "par_server." + std::to_string(stamp));
  }
  std::vector<uint8_t> GqPublic() const {
    const auto key = ReadGqKey(AsBytes(server.Text("ntpkey_gqkey_server")), AsBytes("pw"));
    CHECK(key.ok());
    return NumberOctets(key->v.get());
  }
  std::string At(const std::string& name) const { return server.path + "/" + name; }

  Workshop server;
  std::string said;  // of ntp-keygen, at the last renewal

 private:
  // Each part of an export under the name in its first line.
  void Keep(const std::string& text) const {
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find("# ntpkey_", at + 1), text.size());
      server.Put(text.substr(at + 2, text.find('\n', at) - at - 2), text.substr(at, end - at));
      at = end;
    }
  }
};

FileRow Row(KeyFileKind kind, const std::string& path, bool earlier = false) {
  return {kind, path, "server", false, earlier};
}

// The key process as a SIGHUP finds the directory: `newest` in use, these before it.
void StartServer(Harness* h, const Group& group, const Scheme& scheme, const std::string& newest,
                 const std::vector<std::string>& earlier) {
  std::vector<FileRow> files = {Row(KeyFileKind::kHost, group.At("ntpkey_host_server")),
                                Row(KeyFileKind::kCertificate, group.At("ntpkey_cert_server")),
                                Row(scheme.key, newest)};
  for (const std::string& path : earlier) files.push_back(Row(scheme.key, path, true));
  h->Start(files, "pw");
}

msg::ValueAnswer Prove(Harness* server, const Scheme& scheme, const msg::ValueAnswer& challenge) {
  msg::IdentityProve prove;
  prove.now = {1};
  prove.scheme = scheme.scheme;
  prove.filestamp = challenge.filestamp;
  Set(&prove.challenge, challenge.value.span());
  server->Ask(prove);
  return server->LastAnswer();
}

// What a client with these parameters makes of the server.
VerdictCode Verdict(Harness* server, const Scheme& scheme, const std::string& parameters,
                    const std::vector<uint8_t>& gq_public) {
  Harness client;
  client.Start({{KeyFileKind::kHost, "428_host_server"},
                {KeyFileKind::kCertificate, "428_cert_server"},
                Row(scheme.parameters, parameters)});
  msg::IdentityChallenge challenge;
  challenge.now = {1};
  challenge.association = {7};
  challenge.scheme = scheme.scheme;
  SetText(&challenge.group, "server");
  client.Ask(challenge);
  const auto proof = Prove(server, scheme, client.LastAnswer());
  if (proof.code != VerdictCode::kGood) return proof.code;
  msg::IdentityVerify verify;
  verify.association = {7};
  verify.filestamp = proof.filestamp;
  Set(&verify.value, proof.value.span());
  if (scheme.scheme == IdentityScheme::kGq) Set(&verify.group_public, gq_public);
  client.Ask(verify);
  return client.LastVerdict();
}

void ClientsOfEachGenerationAreServed(void**) {
  const Group group;
  const uint32_t last = kFirst + 2 * kApart;
  for (const Scheme& scheme : kSchemes) {
    Harness server;
    StartServer(&server, group, scheme, group.KeyFile(scheme, last),
                {group.KeyFile(scheme, last), group.KeyFile(scheme, kFirst + kApart),
                 group.KeyFile(scheme, kFirst)});
    assert_true(server.service.ready());
    for (uint32_t stamp = kFirst; stamp <= last; stamp += kApart)
      assert_true(Verdict(&server, scheme, group.ParameterFile(scheme, stamp), group.GqPublic()) ==
                  VerdictCode::kGood);
  }
}

void WithoutTheOldFileItsClientsAreTold(void**) {
  const Group group;
  for (const Scheme& scheme : kSchemes) {
    Harness server;
    StartServer(&server, group, scheme, group.KeyFile(scheme, kFirst + kApart), {});
    const auto verdict =
        Verdict(&server, scheme, group.ParameterFile(scheme, kFirst), group.GqPublic());
    // GQ takes a later filestamp, and finds that it proves nothing.
    assert_true(verdict == (scheme.scheme == IdentityScheme::kGq ? VerdictCode::kBad
                                                                 : VerdictCode::kFilestamp));
  }
}

// What lies in the directory and is not linked is not in service.
void OneThatIsNewerThanTheKeyInUseIsLeftOut(void**) {
  const Group group;
  for (const Scheme& scheme : kSchemes) {
    Harness server;
    StartServer(&server, group, scheme, group.KeyFile(scheme, kFirst),
                {group.KeyFile(scheme, kFirst + kApart)});
    assert_true(Verdict(&server, scheme, group.ParameterFile(scheme, kFirst + kApart),
                        group.GqPublic()) != VerdictCode::kGood);
    assert_true(Verdict(&server, scheme, group.ParameterFile(scheme, kFirst), group.GqPublic()) ==
                VerdictCode::kGood);
  }
}

// `-v` keeps the filestamp, so the servers' numbers from before it must not answer for it.
void ARevokedClientOfMvStaysRevoked(void**) {
  Group group;
  const Scheme& mv = kSchemes[2];
  const uint32_t last = kFirst + 2 * kApart;
  assert_true(group.server.Run({"-v", "1", "-p", "pw"}));
  Harness server;
  StartServer(&server, group, mv, group.At("ntpkey_mvkey_server"),
              {group.KeyFile(mv, last), group.KeyFile(mv, kFirst)});
  assert_true(Verdict(&server, mv, group.ParameterFile(mv, last), {}) == VerdictCode::kBad);
  assert_true(Verdict(&server, mv, group.ParameterFile(mv, kFirst), {}) == VerdictCode::kGood);
  // Nor once there is a generation after it: its newer file came first.
  const std::string revoked = group.At(group.server.Link("ntpkey_mvkey_server"));
  group.server.clock += kApart;
  group.Renew({"-T", "-V", "3", "-b", "512"});
  Harness later;
  StartServer(&later, group, mv, group.At("ntpkey_mvkey_server"),
              {revoked, group.KeyFile(mv, last), group.KeyFile(mv, kFirst)});
  assert_true(Verdict(&later, mv, group.ParameterFile(mv, last), {}) == VerdictCode::kBad);
}

// GQ is proved with the value in the certificate, and there is one certificate.
void ARenewedGqKeyKeepsItsPublicValue(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-G", "-p", "pw"}, kSmall)));
  const auto read = [&] {
    auto key = ReadGqKey(AsBytes(w.Text("ntpkey_gqkey_server")), AsBytes("pw"));
    CHECK(key.ok());
    return std::move(key).value();
  };
  const GqKey first = read();
  w.clock += kApart;
  assert_true(w.Run(With({"-T", "-G", "-p", "pw"}, kSmall)));
  const GqKey second = read();
  assert_int_equal(BN_cmp(first.v.get(), second.v.get()), 0);
  assert_int_not_equal(BN_cmp(first.n.get(), second.n.get()), 0);
  assert_int_not_equal(BN_cmp(first.u.get(), second.u.get()), 0);
  assert_true(w.err.find("Keeping the public value of ntpkey_GQkey_server.") != std::string::npos);
  // Where the modulus has no room for it, the operator is told what that means.
  w.clock += kApart;
  assert_true(w.Run({"-T", "-G", "-b", "256", "-m", "512", "-c", "RSA-MD5", "-p", "pw"}));
  assert_true(w.err.find("Warning: the public value changes") != std::string::npos);
  assert_int_not_equal(BN_cmp(read().v.get(), second.v.get()), 0);
}

void AnEarlierGqKeyOfAnotherPublicValueIsLeftOutWithAWarning(void**) {
  Harness h;
  h.Start({{KeyFileKind::kHost, "428_host_server"},
           {KeyFileKind::kCertificate, "428_cert_server"},
           {KeyFileKind::kGqKey, "428_gqkey_server"},
           {KeyFileKind::kGqKey, "426_gqkey_server", "server", false, true}});
  assert_true(h.service.ready());
  assert_true(h.out.Logged("keys/426_gqkey_server: another public value is in the certificate"));
}

// Its password may have changed since; the key in use must not fall with it.
void AnEarlierKeyThatCannotBeReadIsLeftOutWithAWarning(void**) {
  Harness h;
  h.Start({{KeyFileKind::kHost, "428_host_server"},
           {KeyFileKind::kCertificate, "428_cert_server"},
           {KeyFileKind::kIffKey, "428_iffkey_server"},
           {KeyFileKind::kIffKey, "mvkey_server", "server", false, true},
           {KeyFileKind::kIffKey, "428_iffpar_server_traditional", "server", false, true}});
  assert_true(h.service.ready());
  assert_true(h.out.Logged("keys/mvkey_server: "));
  assert_true(h.out.Logged("keys/428_iffpar_server_traditional: it is a client's group key"));
}

// Filestamps begin anew in 2036.
void AKeyOf2036IsYoungerThanOneBefore(void**) {
  struct Dated {
    NtpSeconds filestamp;
  };
  Generations<Dated> young;
  young.SetCurrent({{5}});
  assert_true(young.AddEarlier({{4294967000U}}));
  assert_int_equal(young.For({4294967000U})->filestamp.value, 4294967000U);
  Generations<Dated> old;
  old.SetCurrent({{4294967000U}});
  assert_false(old.AddEarlier({{5}}));
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ClientsOfEachGenerationAreServed),
      cmocka_unit_test(WithoutTheOldFileItsClientsAreTold),
      cmocka_unit_test(OneThatIsNewerThanTheKeyInUseIsLeftOut),
      cmocka_unit_test(AKeyOf2036IsYoungerThanOneBefore),
      cmocka_unit_test(ARevokedClientOfMvStaysRevoked),
      cmocka_unit_test(ARenewedGqKeyKeepsItsPublicValue),
      cmocka_unit_test(AnEarlierGqKeyOfAnotherPublicValueIsLeftOutWithAWarning),
      cmocka_unit_test(AnEarlierKeyThatCannotBeReadIsLeftOutWithAWarning),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
