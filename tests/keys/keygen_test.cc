// ntp-keygen: the guide's calls, what they leave in the directory, and what they never do.
#include "keys/keygen.h"

#include <algorithm>

#include "keys/certificate_maker.h"
#include "keys/farm_seeds.h"
#include "keys/symmetric_file.h"
#include "tests/keys/key_data.h"
#include "tests/keys/workshop.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;

void TheGuidesServerCallMakesTheReferencesFiles(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-I", "-p", "serverpassword"}, kSmall)));
  const std::vector<std::string> names = {"ntpkey_IFFkey_server.4004293698",
                                          "ntpkey_RSA-MD5cert_server.4004293698",
                                          "ntpkey_RSAhost_server.4004293698",
                                          "ntpkey_cert_server",
                                          "ntpkey_host_server",
                                          "ntpkey_iffkey_server"};
  assert_true(w.Names() == names);
  assert_string_equal(w.Link("ntpkey_host_server").c_str(), "ntpkey_RSAhost_server.4004293698");
  assert_string_equal(w.Link("ntpkey_cert_server").c_str(), "ntpkey_RSA-MD5cert_server.4004293698");
  assert_string_equal(w.Link("ntpkey_iffkey_server").c_str(), "ntpkey_IFFkey_server.4004293698");
  assert_int_equal(w.Mode("ntpkey_RSAhost_server.4004293698"), 0600);
  assert_int_equal(w.Mode("ntpkey_IFFkey_server.4004293698"), 0600);
  assert_true(w.Opens("ntpkey_host_server", "serverpassword"));
  assert_false(w.Opens("ntpkey_host_server", "other"));
  assert_true(ReadIffKey(AsBytes(w.Text("ntpkey_iffkey_server")), AsBytes("serverpassword")).ok());
  const auto certificate = w.Certificate();
  assert_true(certificate.trusted);
  assert_string_equal(certificate.subject.c_str(), "server");
  assert_int_equal(certificate.filestamp.value, 4004293698U);
  assert_int_equal(certificate.not_before, 1795304898);
  assert_true(w.out.empty());
  assert_true(w.Text("ntpkey_host_server").starts_with("# ntpkey_RSAhost_server.4004293698\n# "));
}

void TheExportIsTheGroupKeyAndNothingElse(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-I", "-p", "serverpassword"}, kSmall)));
  const auto before = w.Contents();
  w.clock += 100;
  assert_true(w.Run({"-e", "-p", "serverpassword"}));
  assert_true(w.Contents() == before);
  assert_true(w.out.starts_with("# ntpkey_iffpar_server.4004293698\n# "));
  assert_true(w.out.ends_with("-----END DSA PRIVATE KEY-----\n"));
  const auto client = ReadIffKey(AsBytes(w.out), {});
  assert_true(client.ok() && client->has_public() && !client->has_secret());
  assert_int_equal(client->filestamp.value, 4004293698U);
}

// From the reference's own file, which has no public value.
void TheReferencesGroupKeyIsReExportedWithItsPublicValue(void**) {
  for (const std::string generation : {"426", "428"}) {
    Workshop w;
    w.Put("ntpkey_iffkey_server", DataText(generation + "_iffkey_server"));
    assert_true(w.Run({"-e", "-p", "serverpassword"}));
    const auto client = ReadIffKey(AsBytes(w.out), {});
    const auto reference = ReadIffKey(Data(generation + "_iffpar_server_traditional"), {});
    assert_true(client.ok());
    assert_int_equal(BN_cmp(client->v.get(), reference->v.get()), 0);
    assert_int_equal(client->filestamp.value, reference->filestamp.value);
  }
}

void TheGuidesClientCallMakesAnUntrustedCertificate(void**) {
  Workshop w;
  assert_true(w.Run(With({"-H", "-p", "clientpassword", "-s", "client"}, kSmall)));
  assert_int_equal(w.Names().size(), 4);
  const auto certificate = ReadCertificateFile(AsBytes(w.Text("ntpkey_cert_client")));
  assert_true(certificate.ok());
  assert_false(certificate->trusted);
  assert_string_equal(certificate->subject.c_str(), "client");
}

// `ntp-keygen -T -q PW`: the guide's update, which the reference cannot do.
void TheGuidesUpdateRenewsTheCertificate(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-I", "-l", "90", "-p", "serverpassword"}, kSmall)));
  const std::string host_key = w.Text("ntpkey_host_server");
  for (const auto& call : {std::vector<std::string>{"-T", "-q", "serverpassword"},
                           std::vector<std::string>{"-q", "serverpassword"}}) {
    w.clock += 1000;
    const auto before = w.Contents();
    assert_true(w.Run(call));
    assert_true(w.out.empty());
    const auto certificate = w.Certificate();
    assert_true(certificate.filestamp == NtpFromUnix(w.clock));
    assert_int_equal(certificate.not_before, w.clock);
    // Kept from the old one.
    assert_int_equal(certificate.not_after - certificate.not_before, 90 * 86400);
    assert_true(certificate.trusted);
    assert_string_equal(certificate.scheme.name.c_str(), "RSA-MD5");
    assert_true(w.Text("ntpkey_host_server") == host_key);
    // Every older file is as it was.
    const auto after = w.Contents();
    for (const auto& [name, text] : before)
      if (!w.Link(name).starts_with("ntpkey_RSA-MD5cert")) assert_true(after.at(name) == text);
  }
}

// As awk cuts it from a CRLF ntp.conf, which the daemon reads without the carriage return.
void APasswordFromACrlfFileIsTheOneThatTheDaemonReads(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-I", "-p", "serverpassword\r"}, kSmall)));
  assert_true(w.Opens("ntpkey_host_server", "serverpassword"));
  w.clock += 1000;
  assert_true(w.Run({"-T", "-q", "serverpassword\r"}));
  assert_true(w.arguments_left.find("serverpassword") == std::string::npos);
  assert_false(w.Run({"-T", "-q", "\r"}));
}

void AWrongPasswordChangesNothingAndIsNotPrinted(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-I", "-p", "serverpassword"}, kSmall)));
  const auto before = w.Contents();
  w.clock += 100;
  for (const auto& call : {std::vector<std::string>{"-T", "-q", "hunter22"},
                           {"-T", "-p", "hunter22"},
                           {"-e", "-p", "hunter22"},
                           {"-T"},
                           {"-p", "hunter22", "-q", "hunter23"}}) {
    assert_false(w.Run(call));
    assert_true(w.error.find("wrong password") != std::string::npos);
    for (const auto* text : {&w.out, &w.err, &w.error}) {
      assert_true(text->find("hunter2") == std::string::npos);
      assert_true(text->find("serverpassword") == std::string::npos);
    }
    assert_true(w.out.empty());
    assert_true(w.Contents() == before);
  }
  // Nor does `ps` see it any longer.
  assert_true(w.arguments_left.find("hunter2") == std::string::npos);
}

void TheReferencesMeaningOfQIsKept(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-I", "-p", "serverpassword"}, kSmall)));
  const auto before = w.Contents();
  assert_true(w.Run({"-p", "serverpassword", "-q", "other"}));
  assert_true(w.out.starts_with("# ntpkey_iffkey_server.4004293698\n"));
  const auto key = ReadIffKey(AsBytes(w.out), AsBytes("other"));
  assert_true(key.ok() && key->has_secret());
  assert_false(ReadIffKey(AsBytes(w.out), AsBytes("serverpassword")).ok());
  assert_true(w.Contents() == before);
}

// Files under the default password: -q is then what the reference takes it for.
void QExportsWhenTheFilesHaveTheDefaultPassword(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-I"}, kSmall)));
  assert_true(w.Opens("ntpkey_host_server", "server"));
  assert_true(w.Run({"-q", "other"}));
  assert_true(ReadIffKey(AsBytes(w.out), AsBytes("other")).ok());
}

void AnUpdateInAnEmptyDirectoryMakesKeysWithThatPassword(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-q", "pw"}, kSmall)));
  assert_true(w.Opens("ntpkey_host_server", "pw"));
  assert_true(w.Certificate().trusted);
  assert_true(w.out.empty());
}

void TheReferencesOldKeysAreRenewed(void**) {
  Workshop w;
  w.Put("ntpkey_host_server", DataText("426_host_server"));
  w.Put("ntpkey_cert_server", DataText("426_cert_server"));
  w.clock += 1000;
  assert_true(w.Run({"-T", "-q", "serverpassword"}));
  assert_true(BelongsTo(w.Certificate(),
                        ReadRsaKey(Data("426_host_server"), AsBytes(kServerPassword))->key.get()));
}

void AGroupNameGoesIntoSubjectAndFiles(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-I", "-i", "grp", "-p", "pw"}, kSmall)));
  assert_string_equal(w.Certificate().subject.c_str(), "server@grp");
  assert_string_equal(w.Link("ntpkey_iffkey_grp").c_str(), "ntpkey_IFFkey_grp.4004293698");
  w.clock += 100;
  assert_true(w.Run({"-e", "-p", "pw"}));
  assert_true(w.out.starts_with("# ntpkey_iffpar_grp.4004293698\n"));
  assert_true(w.Run({"-p", "pw"}));
  assert_string_equal(w.Certificate().subject.c_str(), "server@grp");
}

void ASignKeySignsTheCertificate(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-S", "RSA", "-p", "pw"}, kSmall)));
  const auto sign = ReadRsaKey(AsBytes(w.Text("ntpkey_sign_server")), AsBytes("pw"));
  const auto host = ReadRsaKey(AsBytes(w.Text("ntpkey_host_server")), AsBytes("pw"));
  assert_true(BelongsTo(w.Certificate(), sign->key.get()));
  assert_false(BelongsTo(w.Certificate(), host->key.get()));
  w.clock += 100;
  assert_true(w.Run({"-p", "pw"}));
  assert_true(BelongsTo(w.Certificate(), sign->key.get()));
}

void ASignKeyMayBeDsa(void**) {
  Workshop w;
  assert_true(w.Run({"-T", "-S", "DSA", "-m", "1024", "-p", "pw"}));
  assert_string_equal(w.Link("ntpkey_sign_server").c_str(), "ntpkey_DSAsign_server.4004293698");
  assert_string_equal(w.Link("ntpkey_cert_server").c_str(),
                      "ntpkey_DSA-SHA256cert_server.4004293698");
  const auto sign = ReadSignKey(AsBytes(w.Text("ntpkey_sign_server")), AsBytes("pw"));
  assert_true(sign->is_dsa() && BelongsTo(w.Certificate(), sign->key.get()));
  assert_true(w.err.find("Warning: ntpd 4.2.x verifies few DSA signatures") != std::string::npos);
  w.clock += 100;
  assert_true(w.Run({"-T", "-c", "DSA-SHA1", "-p", "pw"}));
  assert_int_equal(w.Certificate().scheme.nid, 113);
  const auto before = w.Contents();
  w.clock += 100;
  assert_false(w.Run({"-T", "-c", "RSA-SHA256", "-p", "pw"}));
  assert_true(w.error.find("the sign key is DSA") != std::string::npos);
  assert_true(w.Contents() == before);
  // Back to RSA.
  assert_true(w.Run({"-T", "-S", "RSA", "-m", "512", "-p", "pw"}));
  assert_string_equal(w.Certificate().scheme.name.c_str(), "RSA-SHA256");
  Workshop rsa;
  assert_false(rsa.Run({"-T", "-c", "DSA-SHA1", "-m", "512", "-p", "pw"}));
  assert_true(rsa.error.find("-S DSA") != std::string::npos);
  assert_true(rsa.Names().empty());
}

void ModuliThatCannotServeAreRefusedWithTheReason(void**) {
  Workshop w;
  for (const char* bits : {"256", "368", "511"}) {
    assert_false(w.Run({"-T", "-p", "pw", "-m", bits}));
    assert_true(w.error.find("none of less than 368 can carry a cookie") != std::string::npos);
  }
  for (const char* bits : {"4097", "8192", "16384"}) {
    assert_false(w.Run({"-T", "-p", "pw", "-m", bits}));
    assert_true(w.error.find("do not fit into a packet") != std::string::npos);
  }
  for (const char* bits : {"0", "-1", "99999999999", "2k", ""}) {
    assert_false(w.Run({"-T", "-p", "pw", "-m", bits}));
    assert_true(w.error.find("expected a number") != std::string::npos);
  }
  assert_true(w.Names().empty());
}

void TheLargestModulusFitsAndMoreBesidesItMayNot(void**) {
  assert_true(FitsPacket(1512, 512));
  assert_false(FitsPacket(1513, 512));
  assert_false(FitsPacket(1901, 64));
  Workshop w;
  assert_true(w.Run({"-T", "-p", "pw", "-m", "4096"}));
  assert_true(FitsPacket(w.Certificate().der.size(), 512));
  // A long name and a public value of GQ are too much for it.
  w.clock += 100;
  w.Put("ntpkey_host_" + std::string(60, 'n'), w.Text("ntpkey_host_server"));
  const auto before = w.Contents();
  assert_false(w.Run({"-T", "-G", "-b", "1600", "-p", "pw", "-s", std::string(60, 'n')}));
  assert_true(w.error.find("does not fit into a packet") != std::string::npos);
  assert_true(w.Contents() == before);
}

void LifetimeSchemeAndCipherAreTaken(void**) {
  Workshop w;
  assert_true(
      w.Run({"-T", "-p", "pw", "-m", "1024", "-c", "RSA-SHA512", "-l", "7", "-C", "aes-128-cbc"}));
  const auto certificate = w.Certificate();
  assert_string_equal(certificate.scheme.name.c_str(), "RSA-SHA512");
  assert_int_equal(certificate.not_after - certificate.not_before, 7 * 86400);
  assert_true(w.Opens("ntpkey_host_server", "pw"));
  assert_false(w.Run({"-T", "-p", "pw", "-C", "rot13", "-H", "-m", "512"}));
}

void ASchemeWhoseDigestDoesNotFitTheKeyIsRefused(void**) {
  const std::pair<const char*, int> schemes[] = {{"RSA-SHA384", 617}, {"RSA-SHA512", 745}};
  for (const auto& [scheme, least] : schemes) {
    Workshop w;
    const std::string bits = std::to_string(least - 1);
    assert_false(w.Run({"-T", "-I", "-p", "pw", "-m", bits, "-c", scheme}));
    assert_string_equal(w.error.c_str(),
                        (std::string(scheme) + " needs a sign key of " + std::to_string(least) +
                         " bits or more, and this one has " + bits +
                         ": make a longer one (-m), or take another scheme (-c)")
                            .c_str());
    // Neither a file nor a group that was made in vain.
    assert_true(w.Names().empty());
    assert_true(w.err.find("IFF") == std::string::npos);
    assert_true(w.Run({"-T", "-p", "pw", "-m", std::to_string(least), "-c", scheme}));
  }
  for (const char* scheme : {"RSA-MD5", "RSA-SHA1", "RSA-RIPEMD160", "RSA-SHA224", "RSA-SHA256"}) {
    Workshop w;
    assert_true(w.Run({"-T", "-p", "pw", "-m", "512", "-c", scheme}));
  }
}

void DefaultsAreStrong(void**) {
  Workshop w;
  assert_true(w.Run({"-T", "-p", "pw"}));
  assert_string_equal(w.Certificate().scheme.name.c_str(), "RSA-SHA256");
  assert_int_equal(ReadRsaKey(AsBytes(w.Text("ntpkey_host_server")), AsBytes("pw"))->octets(), 256);
  assert_true(w.err.find("Warning") == std::string::npos);
}

// CVE-2015-3405, CVE-2021-22212.
void SymmetricKeysAreReadBackAndDiffer(void**) {
  Workshop w;
  assert_true(w.Run({"-M"}));
  assert_string_equal(w.Link("ntp.keys").c_str(), "ntpkey_MD5key_server.4004293698");
  assert_int_equal(w.Mode("ntp.keys"), 0600);
  std::vector<std::string> secrets;
  for (int run = 0; run < 30; ++run) {
    const std::string text = w.Text("ntp.keys");
    const auto file = ParseSymmetricFile(AsBytes(text), "ntp.keys");
    assert_true(file->errors.empty() && file->warnings.empty());
    assert_int_equal(file->keys.size(), 30);
    for (size_t i = 0; i < 30; ++i) {
      const Bytes secret = file->SecretOf(file->keys[i]);
      assert_int_equal(secret.size(), i < 20 ? 20 : 16);
      assert_int_equal(file->keys[i].id.value, i + 1);
      secrets.push_back(ntpward::test::ToHex(secret));
    }
    ++w.clock;
    assert_true(w.Run({"-M"}));
  }
  std::sort(secrets.begin(), secrets.end());
  assert_true(std::adjacent_find(secrets.begin(), secrets.end()) == secrets.end());
  assert_int_equal(w.Names().size(), 32);
}

void AnOperatorsSymmetricFileIsKept(void**) {
  Workshop w;
  w.Put("ntp.keys", "1 MD5 precious\n");
  assert_true(w.Run({"-M"}));
  assert_string_equal(w.Text("ntp.keys.saved.4004293698").c_str(), "1 MD5 precious\n");
}

void AnExportWithoutGroupKeysSaysHowToMakeThem(void**) {
  Workshop w;
  assert_false(w.Run({"-e"}));
  assert_true(w.error.find("ntp-keygen -T -I") != std::string::npos);
  assert_true(w.out.empty() && w.Names().empty());
}

void BadArgumentsAreRefusedBeforeAnythingIsMade(void**) {
  for (const auto& call : std::vector<std::vector<std::string>>{{"-m", "511"},
                                                                {"-m", "4097"},
                                                                {"-m", "x"},
                                                                {"-m"},
                                                                {"-b", "255"},
                                                                {"-b", "2049"},
                                                                {"-V", "1"},
                                                                {"-V", "63"},
                                                                {"-v", "0"},
                                                                {"-V", "3", "-v", "1"},
                                                                {"--mv-client", "0"},
                                                                {"-T", "-P"},
                                                                {"-c", "DSA-SHA512"},
                                                                {"-c", "nonsense"},
                                                                {"-l", "0"},
                                                                {"-i", "a/b"},
                                                                {"-i", ""},
                                                                {"-s", "../x"},
                                                                {"-s", "a b"},
                                                                {"-S", "EC"},
                                                                {"-Z"},
                                                                {"--nonsense"},
                                                                {"-p", ""},
                                                                {"stray"}}) {
    Workshop w;
    assert_false(w.Run(call));
    assert_false(w.error.empty());
    assert_true(w.Names().empty());
  }
  Workshop w;
  assert_false(w.Run({"--farm"}));
  assert_string_equal(w.error.c_str(), "--farm: unknown, or its value is missing");
  // By the name that was typed.
  assert_false(w.Run({"--certificate"}));
  assert_string_equal(w.error.c_str(), "--certificate: unknown, or its value is missing");
  assert_false(w.Run({"--help=all"}));
  assert_string_equal(w.error.c_str(), "--help: unknown, or its value is missing");
}

// What a farm's servers read (farm_seeds.h).
void AFarmsSecretIsReadBackAndNewEachTime(void**) {
  Workshop w;
  assert_true(w.Run({"--farm", "pool"}));
  const std::string name = "ntpkey_farm_pool.4004293698";
  assert_true(w.Names() == (std::vector<std::string>{"ntpkey_farm_pool", name}));
  assert_string_equal(w.Link("ntpkey_farm_pool").c_str(), name.c_str());
  assert_int_equal(w.Mode(name), 0600);
  const std::string text = w.Text(name);
  assert_true(text.starts_with("# " + name + "\n# "));
  assert_true(w.out.empty());
  const auto first = ParseFarmFile(AsBytes(text));
  assert_true(first.ok());
  // The log shows nothing of it.
  assert_true(w.err.find(ntpward::test::ToHex(first->bytes())) == std::string::npos);
  assert_true(w.Run({"--farm=pool"}));
  assert_string_equal(w.Link("ntpkey_farm_pool").c_str(), "ntpkey_farm_pool.4004293699");
  const std::string second_text = w.Text("ntpkey_farm_pool");
  const auto second = ParseFarmFile(AsBytes(second_text));
  assert_true(second.ok());
  assert_false(EqualConstantTime(first->bytes(), second->bytes()));
  for (const char* bad : {"", "a/b", "..", "a b"}) assert_false(w.Run({"--farm", bad}));
  assert_false(w.Run({"--farm", "pool", "-M"}));
  assert_int_equal(w.Names().size(), 3);
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheGuidesServerCallMakesTheReferencesFiles),
      cmocka_unit_test(TheExportIsTheGroupKeyAndNothingElse),
      cmocka_unit_test(TheReferencesGroupKeyIsReExportedWithItsPublicValue),
      cmocka_unit_test(TheGuidesClientCallMakesAnUntrustedCertificate),
      cmocka_unit_test(TheGuidesUpdateRenewsTheCertificate),
      cmocka_unit_test(APasswordFromACrlfFileIsTheOneThatTheDaemonReads),
      cmocka_unit_test(AWrongPasswordChangesNothingAndIsNotPrinted),
      cmocka_unit_test(TheReferencesMeaningOfQIsKept),
      cmocka_unit_test(QExportsWhenTheFilesHaveTheDefaultPassword),
      cmocka_unit_test(AnUpdateInAnEmptyDirectoryMakesKeysWithThatPassword),
      cmocka_unit_test(TheReferencesOldKeysAreRenewed),
      cmocka_unit_test(AGroupNameGoesIntoSubjectAndFiles),
      cmocka_unit_test(ASignKeySignsTheCertificate),
      cmocka_unit_test(ASignKeyMayBeDsa),
      cmocka_unit_test(ModuliThatCannotServeAreRefusedWithTheReason),
      cmocka_unit_test(TheLargestModulusFitsAndMoreBesidesItMayNot),
      cmocka_unit_test(LifetimeSchemeAndCipherAreTaken),
      cmocka_unit_test(ASchemeWhoseDigestDoesNotFitTheKeyIsRefused),
      cmocka_unit_test(DefaultsAreStrong),
      cmocka_unit_test(SymmetricKeysAreReadBackAndDiffer),
      cmocka_unit_test(AnOperatorsSymmetricFileIsKept),
      cmocka_unit_test(AnExportWithoutGroupKeysSaysHowToMakeThem),
      cmocka_unit_test(BadArgumentsAreRefusedBeforeAnythingIsMade),
      cmocka_unit_test(AFarmsSecretIsReadBackAndNewEachTime),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
