// ntp-keygen's group keys: GQ, MV and private certificates, their exports, and revocation.
#include <openssl/x509v3.h>

#include "keys/gq.h"
#include "keys/iff_key.h"
#include "keys/mv.h"
#include "keys/mv_authority.h"
#include "keys/private_key.h"
#include "tests/keys/key_data.h"
#include "tests/keys/workshop.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;

// The octets of the subjectKeyIdentifier extension, as they lie in the certificate.
std::vector<uint8_t> KeyIdentifier(const OwnCertificate& certificate) {
  const uint8_t* at = certificate.der.data();
  const X509Ptr x509(d2i_X509(nullptr, &at, static_cast<long>(certificate.der.size())));
  CHECK(x509 != nullptr);
  const int index = X509_get_ext_by_NID(x509.get(), NID_subject_key_identifier, -1);
  if (index < 0) return {};
  const ASN1_OCTET_STRING* octets = X509_EXTENSION_get_data(X509_get_ext(x509.get(), index));
  const uint8_t* data = ASN1_STRING_get0_data(octets);
  return {data, data + ASN1_STRING_length(octets)};
}

// The blocks of an export, each from its own '#' line on.
std::vector<std::string> Exports(const std::string& out) {
  std::vector<std::string> parts;
  for (size_t at = out.find("# ntpkey_"); at != std::string::npos;) {
    const size_t next = out.find("# ntpkey_", at + 1);
    parts.push_back(out.substr(at, next == std::string::npos ? next : next - at));
    at = next;
  }
  return parts;
}

bool Proves(const MvServerKey& server, const MvClientKey& client) {
  const auto challenge = DrawMvChallenge(client);
  return VerifyMv(client, challenge, ProveMv(server, challenge));
}

MvClientKey ExportedClient(Workshop& w, int number) {
  CHECK(w.Run({"-e", "-p", "pw", "--mv-client", std::to_string(number)}));
  auto client = ReadMvClientKey(AsBytes(w.out), {});
  CHECK(client.ok());
  return std::move(client).value();
}

MvServerKey InstalledServer(const Workshop& w) {
  auto server = ReadMvServerKey(AsBytes(w.Text("ntpkey_mvkey_server")), AsBytes("pw"));
  CHECK(server.ok());
  return std::move(server).value();
}

void AGqServersCertificateCarriesItsPublicValue(void**) {
  Workshop w;
  assert_true(w.Run({"-T", "-G", "-p", "pw", "-m", "512", "-c", "RSA-MD5"}));
  assert_string_equal(w.Link("ntpkey_gqkey_server").c_str(), "ntpkey_GQkey_server.4004293698");
  const auto key = ReadGqKey(AsBytes(w.Text("ntpkey_gqkey_server")), AsBytes("pw"));
  assert_true(key.ok() && key->has_secret());
  assert_int_equal(key->filestamp.value, 4004293698U);
  // The reference skips two octets and takes the rest for v: so the header must have two.
  const auto octets = KeyIdentifier(w.Certificate());
  assert_true(octets.size() > 2 && octets.size() <= 2 + 127);
  const auto v = NumberOctets(key->v.get());
  assert_true(std::vector<uint8_t>(octets.begin() + 2, octets.end()) == v);
  assert_in_range(BN_num_bits(key->n.get()), kMaxReadableGqBits - 1, kMaxReadableGqBits);
  // A renewed certificate keeps it, and the key stays.
  w.clock += 1000;
  const std::string before = w.Text("ntpkey_gqkey_server");
  assert_true(w.Run({"-T", "-p", "pw"}));
  assert_true(KeyIdentifier(w.Certificate()) == octets);
  assert_true(w.Text("ntpkey_gqkey_server") == before);
}

void ALongerGqValueIsProperDerAndWarnedOf(void**) {
  Workshop w;
  assert_true(w.Run({"-T", "-G", "-p", "pw", "-m", "512", "-b", "1100"}));
  assert_true(w.err.find("4.2.6 cannot read") != std::string::npos);
  const auto octets = KeyIdentifier(w.Certificate());
  assert_int_equal(octets[0], 0x04);
  assert_int_equal(octets[1], 0x81);
  assert_int_equal(octets[2], octets.size() - 3);
}

void TheGqExportLacksTheServersSecret(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-G", "-p", "pw"}, kSmall)));
  const auto server = ReadGqKey(AsBytes(w.Text("ntpkey_gqkey_server")), AsBytes("pw"));
  w.clock += 100;
  const auto before = w.Contents();
  assert_true(w.Run({"-e", "-p", "pw"}));
  assert_true(w.Contents() == before);
  assert_true(w.out.starts_with("# ntpkey_gqpar_server.4004293698\n"));
  const auto client = ReadGqKey(AsBytes(w.out), {});
  assert_true(client.ok() && !client->has_secret());
  const auto challenge = DrawGqChallenge(*client);
  assert_true(
      VerifyGq(*client, NumberOctets(server->v.get()), challenge, ProveGq(*server, challenge)));
  assert_true(w.Run({"-p", "pw", "-q", "other"}));
  assert_true(w.out.starts_with("# ntpkey_gqkey_server.4004293698\n"));
  assert_true(ReadGqKey(AsBytes(w.out), AsBytes("other"))->has_secret());
}

void TheReferencesGqKeysAreExportedAndCertified(void**) {
  for (const std::string generation : {"426", "428"}) {
    Workshop w;
    w.Put("ntpkey_gqkey_server", DataText(generation + "_gqkey_server"));
    assert_true(w.Run({"-T", "-p", "serverpassword", "-m", "512"}));
    const auto key = ReadGqKey(Data(generation + "_gqkey_server"), AsBytes(kServerPassword));
    const auto octets = KeyIdentifier(w.Certificate());
    assert_true(std::vector<uint8_t>(octets.begin() + 2, octets.end()) ==
                NumberOctets(key->v.get()));
    assert_true(w.Run({"-e", "-p", "serverpassword"}));
    const auto client = ReadGqKey(AsBytes(w.out), {});
    const auto reference = ReadGqKey(Data(generation + "_gqpar_server"), {});
    assert_true(client.ok() && client->filestamp == reference->filestamp);
    assert_int_equal(BN_cmp(client->n.get(), reference->n.get()), 0);
    assert_int_equal(BN_cmp(client->b.get(), reference->b.get()), 0);
  }
}

void ExportsComeInTheReferencesOrder(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-I", "-G", "-V", "3", "-i", "grp", "-p", "pw", "-e"}, kSmall)));
  const auto made = Exports(w.out);
  assert_int_equal(made.size(), 3);
  assert_true(made[0].starts_with("# ntpkey_gqpar_grp.4004293698\n"));
  assert_true(made[1].starts_with("# ntpkey_iffpar_grp.4004293698\n"));
  assert_true(made[2].starts_with("# ntpkey_mvpar_grp.4004293698\n"));
  for (const char* kind : {"gqkey", "iffkey", "mvta", "mvkey"})
    assert_true(w.Link(std::string("ntpkey_") + kind + "_grp").ends_with("_grp.4004293698"));
  w.clock += 50;
  assert_true(w.Run({"-e", "-p", "pw"}));
  const auto again = Exports(w.out);
  assert_int_equal(again.size(), 3);
  assert_true(ReadGqKey(AsBytes(again[0]), {}).ok());
  assert_true(ReadIffKey(AsBytes(again[1]), {})->has_public());
  assert_true(ReadMvClientKey(AsBytes(again[2]), {})->has_public());
  assert_true(w.Run({"-q", "other", "-p", "pw"}));
  const auto keys = Exports(w.out);
  assert_int_equal(keys.size(), 3);
  assert_true(ReadGqKey(AsBytes(keys[0]), AsBytes("other")).ok());
  assert_true(ReadIffKey(AsBytes(keys[1]), AsBytes("other")).ok());
  assert_true(ReadMvServerKey(AsBytes(keys[2]), AsBytes("other")).ok());
}

void EachMvClientHasAKeyOfItsOwn(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-V", "3", "-p", "pw"}, kSmall)));
  assert_string_equal(w.Link("ntpkey_mvta_server").c_str(), "ntpkey_MVta_server.4004293698");
  assert_string_equal(w.Link("ntpkey_mvkey_server").c_str(), "ntpkey_MVkey_server.4004293698");
  const MvServerKey server = InstalledServer(w);
  const bool expected[] = {true, true, false};
  for (int i = 1; i <= 3; ++i) {
    const MvClientKey client = ExportedClient(w, i);
    assert_int_equal(Proves(server, client), expected[i - 1]);
    assert_int_equal(w.err.find("is revoked") == std::string::npos, expected[i - 1]);
  }
  assert_true(w.Run({"-e", "-p", "pw"}));
  assert_true(Proves(server, *ReadMvClientKey(AsBytes(w.out), {})));
  assert_false(w.Run({"-e", "-p", "pw", "--mv-client", "4"}));
}

// The other clients' files stay good, and so does everything that is not MV.
void RevocationChangesTheServersKeyAlone(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-V", "4", "-p", "pw"}, kSmall)));
  const MvClientKey first = ExportedClient(w, 1), second = ExportedClient(w, 2);
  const auto before = w.Contents();
  w.clock += 1000;
  assert_true(w.Run({"-v", "1", "-p", "pw"}));
  assert_true(w.out.empty());
  assert_string_equal(w.Link("ntpkey_mvkey_server").c_str(), "ntpkey_MVkey_server.4004294698");
  // Clients want the filestamp of their own file.
  assert_true(w.Text("ntpkey_mvkey_server").starts_with("# ntpkey_MVkey_server.4004293698\n"));
  const MvServerKey server = InstalledServer(w);
  assert_true(server.filestamp == second.filestamp);
  assert_false(Proves(server, first));
  assert_true(Proves(server, second));
  for (const auto& [name, text] : before)
    if (!name.starts_with("ntpkey_mv")) assert_true(w.Contents().at(name) == text);
  // What was revoked stays so.
  w.clock += 1000;
  assert_false(w.Run({"-v", "1", "-p", "pw"}));
  assert_true(w.error.find("revoked already") != std::string::npos);
  assert_true(w.Run({"-v", "2", "-p", "pw"}));
  assert_false(Proves(InstalledServer(w), first) || Proves(InstalledServer(w), second));
  assert_true(Proves(InstalledServer(w), ExportedClient(w, 3)));
  assert_false(w.Run({"-v", "3", "-p", "pw"}));
  Workshop empty;
  assert_false(empty.Run({"-v", "1", "-p", "pw"}));
  assert_true(empty.error.find("ntpkey_mvta_server") != std::string::npos);
}

void AServerWithoutTheAuthorityCanPassItsKeyOn(void**) {
  Workshop authority, server;
  assert_true(authority.Run(With({"-T", "-V", "2", "-p", "pw"}, kSmall)));
  assert_true(authority.Run({"-p", "pw", "-q", "pw"}));
  server.Put("ntpkey_mvkey_server", authority.out);
  assert_true(server.Run({"-p", "pw", "-q", "third"}));
  assert_true(ReadMvServerKey(AsBytes(server.out), AsBytes("third")).ok());
  assert_false(server.Run({"-e", "-p", "pw"}));
  assert_true(server.out.empty());
}

void APrivateCertificateStaysPrivate(void**) {
  Workshop w;
  assert_true(w.Run(With({"-P", "-p", "pw"}, kSmall)));
  assert_true(w.Certificate().private_use && !w.Certificate().trusted);
  w.clock += 1000;
  assert_true(w.Run({"-p", "pw"}));
  assert_true(w.Certificate().private_use && !w.Certificate().trusted);
  w.clock += 1000;
  assert_true(w.Run({"-T", "-p", "pw"}));
  assert_true(w.Certificate().trusted && !w.Certificate().private_use);
  w.clock += 1000;
  assert_true(w.Run({"-P", "-p", "pw"}));
  assert_true(w.Certificate().private_use && !w.Certificate().trusted);
}

void AWrongPasswordChangesNoGroupKey(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-G", "-V", "2", "-p", "pw"}, kSmall)));
  const auto before = w.Contents();
  w.clock += 100;
  for (const auto& call : std::vector<std::vector<std::string>>{
           {"-e", "-p", "wrong"}, {"-v", "1", "-p", "wrong"}, {"-q", "x", "-p", "wrong"}}) {
    assert_false(w.Run(call));
    assert_true(w.error.find("wrong password") != std::string::npos);
    assert_true(w.Contents() == before && w.out.empty());
  }
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AGqServersCertificateCarriesItsPublicValue),
      cmocka_unit_test(ALongerGqValueIsProperDerAndWarnedOf),
      cmocka_unit_test(TheGqExportLacksTheServersSecret),
      cmocka_unit_test(TheReferencesGqKeysAreExportedAndCertified),
      cmocka_unit_test(ExportsComeInTheReferencesOrder),
      cmocka_unit_test(EachMvClientHasAKeyOfItsOwn),
      cmocka_unit_test(RevocationChangesTheServersKeyAlone),
      cmocka_unit_test(AServerWithoutTheAuthorityCanPassItsKeyOn),
      cmocka_unit_test(APrivateCertificateStaysPrivate),
      cmocka_unit_test(AWrongPasswordChangesNoGroupKey),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
