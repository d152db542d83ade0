// ntp-keygen: the guide's calls, what they leave in the directory, and what they never do.
#include "keys/keygen.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "keys/certificate_maker.h"
#include "keys/symmetric_file.h"
#include "tests/keys/key_data.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;

// A keys directory of its own with a clock of its own, and the tool run in it.
class Workshop {
 public:
  Workshop() {
    char name[] = "/tmp/ntpward_keygen_XXXXXX";
    CHECK(mkdtemp(name) != nullptr);
    path = name;
  }
  ~Workshop() {
    for (const auto& name : Names()) unlink((path + "/" + name).c_str());
    rmdir(path.c_str());
  }

  // True when it succeeded. `out` and `err` hold what it wrote.
  bool Run(std::vector<std::string> words) {
    std::vector<char*> argv;
    words.insert(words.begin(), "ntp-keygen");
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    auto options = ParseKeygenOptions(static_cast<int>(words.size()), argv.data());
    for (const std::string& word : words) arguments_left += word + " ";
    if (!options.ok()) return error = options.error().text, false;
    auto directory = KeyDirectory::Open(path);
    CHECK(directory.ok());
    char *out_data = nullptr, *err_data = nullptr;
    size_t out_size = 0, err_size = 0;
    KeygenEnvironment environment;
    environment.host_name = "server";
    environment.now = [this] { return clock; };
    environment.wait_second = [this] { ++clock; };
    environment.out = open_memstream(&out_data, &out_size);
    environment.err = open_memstream(&err_data, &err_size);
    Keygen keygen(std::move(options).value(), std::move(directory).value(), environment);
    const Status done = keygen.Run();
    fclose(environment.out), fclose(environment.err);
    out.assign(out_data, out_size), err.assign(err_data, err_size);
    free(out_data), free(err_data);
    error = done.ok() ? "" : done.error().text;
    return done.ok();
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    DIR* directory = opendir(path.c_str());
    while (const dirent* entry = readdir(directory))
      if (const std::string name = entry->d_name; name != "." && name != "..")
        names.push_back(name);
    closedir(directory);
    std::sort(names.begin(), names.end());
    return names;
  }
  std::map<std::string, std::string> Contents() const {
    std::map<std::string, std::string> all;
    for (const auto& name : Names()) all[name] = Text(name);
    return all;
  }
  std::string Text(const std::string& name) const {
    const auto bytes = ntpward::test::ReadFile(path + "/" + name);
    return std::string(AsText(bytes));
  }
  std::string Link(const std::string& name) const {
    char target[256] = {};
    return readlink((path + "/" + name).c_str(), target, sizeof target - 1) > 0 ? target : "";
  }
  void Put(const std::string& name, std::string_view text) const {
    FILE* file = fopen((path + "/" + name).c_str(), "w");
    CHECK(file != nullptr && fwrite(text.data(), 1, text.size(), file) == text.size());
    fclose(file);
  }
  mode_t Mode(const std::string& name) const {
    struct stat status {};
    CHECK(stat((path + "/" + name).c_str(), &status) == 0);
    return status.st_mode & 07777;
  }
  OwnCertificate Certificate() const {
    auto certificate = ReadCertificateFile(AsBytes(Text("ntpkey_cert_server")));
    CHECK(certificate.ok());
    return std::move(certificate).value();
  }
  bool Opens(const std::string& name, std::string_view password) const {
    return ReadRsaKey(AsBytes(Text(name)), AsBytes(password)).ok();
  }

  std::string path;
  int64_t clock = 1795304898;  // NTP 4004293698
  std::string out, err, error, arguments_left;
};

// Fast keys; what they are does not matter here.
const std::vector<std::string> kSmall = {"-m", "512", "-b", "512", "-c", "RSA-MD5"};

std::vector<std::string> With(std::vector<std::string> words,
                              const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

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
  assert_true(w.Run(With({"-T", "-I", "-p", "serverpassword"}, kSmall)));
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
    assert_true(certificate.trusted);
    assert_string_equal(certificate.scheme.name.c_str(), "RSA-MD5");
    assert_true(w.Text("ntpkey_host_server") == host_key);
    // Every older file is as it was.
    const auto after = w.Contents();
    for (const auto& [name, text] : before)
      if (!w.Link(name).starts_with("ntpkey_RSA-MD5cert")) assert_true(after.at(name) == text);
  }
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

// Two runs in one second, and the second would overwrite: it waits for the next.
void ADatedNameNeverChangesItsContent(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-I", "-p", "pw"}, kSmall)));
  const auto first = w.Contents();
  assert_true(w.Run(With({"-H", "-I", "-p", "pw"}, kSmall)));
  for (const auto& [name, text] : w.Contents())
    if (w.Link(name).empty() && first.contains(name)) assert_true(text == first.at(name));
  assert_string_equal(w.Link("ntpkey_host_server").c_str(), "ntpkey_RSAhost_server.4004293699");
  assert_true(w.Certificate().trusted);
  assert_true(
      BelongsTo(w.Certificate(),
                ReadRsaKey(AsBytes(w.Text("ntpkey_host_server")), AsBytes("pw"))->key.get()));
}

void APlainFileInALinksPlaceIsKept(void**) {
  Workshop w;
  w.Put("ntpkey_host_server", DataText("428_host_server"));
  w.Put("ntpkey_cert_server", DataText("428_cert_server"));
  w.clock += 1000;
  assert_true(w.Run({"-q", "serverpassword"}));
  assert_true(w.Text("ntpkey_cert_server.saved.4004294698") == DataText("428_cert_server"));
  assert_true(w.Text("ntpkey_host_server") == DataText("428_host_server"));
  assert_true(w.Certificate().trusted);
  assert_string_equal(w.Certificate().scheme.name.c_str(), "RSA-MD5");
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

void WhatIsNotThereYetIsSaid(void**) {
  for (const char* option : {"-G", "-P"}) {
    Workshop w;
    assert_false(w.Run({option}));
    assert_true(w.error.find("not supported yet") != std::string::npos);
    assert_true(w.Names().empty());
  }
  Workshop w;
  assert_false(w.Run({"-V", "3"}));
  assert_true(w.error.find("not supported yet") != std::string::npos);
  assert_false(w.Run({"-S", "DSA"}));
  assert_false(w.Run({"-e"}));
  assert_true(w.error.find("ntp-keygen -T -I") != std::string::npos);
  assert_true(w.out.empty() && w.Names().empty());
}

void BadArgumentsAreRefusedBeforeAnythingIsMade(void**) {
  for (const auto& call : std::vector<std::vector<std::string>>{{"-m", "511"},
                                                                {"-m", "4097"},
                                                                {"-m", "x"},
                                                                {"-m"},
                                                                {"-b", "1"},
                                                                {"-c", "DSA-SHA1"},
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
}

void AFailedWriteLeavesTheOldKeysInUse(void**) {
  if (getuid() == 0) {
    // Root writes everywhere; a directory in the link's place cannot be replaced by anybody.
    Workshop w;
    assert_true(w.Run(With({"-T", "-p", "pw"}, kSmall)));
    w.clock += 100;
    const auto before = w.Contents();
    assert_int_equal(mkdir((w.path + "/.ntpkey_new." + std::to_string(getpid())).c_str(), 0700), 0);
    assert_false(w.Run(With({"-H", "-p", "pw"}, kSmall)));
    assert_int_equal(rmdir((w.path + "/.ntpkey_new." + std::to_string(getpid())).c_str()), 0);
    assert_true(w.Contents() == before);
    return;
  }
  Workshop w;
  assert_true(w.Run(With({"-T", "-p", "pw"}, kSmall)));
  const auto before = w.Contents();
  w.clock += 100;
  assert_int_equal(chmod(w.path.c_str(), 0500), 0);
  assert_false(w.Run(With({"-H", "-p", "pw"}, kSmall)));
  assert_int_equal(chmod(w.path.c_str(), 0700), 0);
  assert_true(w.Contents() == before);
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
      cmocka_unit_test(AWrongPasswordChangesNothingAndIsNotPrinted),
      cmocka_unit_test(TheReferencesMeaningOfQIsKept),
      cmocka_unit_test(QExportsWhenTheFilesHaveTheDefaultPassword),
      cmocka_unit_test(AnUpdateInAnEmptyDirectoryMakesKeysWithThatPassword),
      cmocka_unit_test(ADatedNameNeverChangesItsContent),
      cmocka_unit_test(APlainFileInALinksPlaceIsKept),
      cmocka_unit_test(TheReferencesOldKeysAreRenewed),
      cmocka_unit_test(AGroupNameGoesIntoSubjectAndFiles),
      cmocka_unit_test(ASignKeySignsTheCertificate),
      cmocka_unit_test(LifetimeSchemeAndCipherAreTaken),
      cmocka_unit_test(DefaultsAreStrong),
      cmocka_unit_test(SymmetricKeysAreReadBackAndDiffer),
      cmocka_unit_test(AnOperatorsSymmetricFileIsKept),
      cmocka_unit_test(WhatIsNotThereYetIsSaid),
      cmocka_unit_test(BadArgumentsAreRefusedBeforeAnythingIsMade),
      cmocka_unit_test(AFailedWriteLeavesTheOldKeysInUse),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
