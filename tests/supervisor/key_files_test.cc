// Which files the key process is given, and with what rights they are kept.
#include "ntpd/supervisor/key_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "ntpd/supervisor/renew.h"
#include "privsep/fds.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/scratch_directory.h"

namespace ntpward::supervisor {
namespace {

namespace fs = std::filesystem;
using namespace ntpward::test;

config::Config CryptoConfig(const ScratchDirectory& directory) {
  config::Config config;
  config.authentication.crypto.where.line = 1;
  config.authentication.crypto.host.value = "here";
  config.authentication.keys_dir.value = directory.path;
  return config;
}

const KeyFile* Find(const std::vector<KeyFile>& files, msg::KeyFileKind kind,
                    const std::string& group) {
  for (const KeyFile& file : files)
    if (file.kind == kind && file.group == group) return &file;
  return nullptr;
}

void TheLinkWinsElseTheNewestDate(void** state) {
  const ScratchDirectory& at = In(state);
  for (const char* name :
       {"ntpkey_iffpar_linked.3000000009", "ntpkey_iffpar_linked", "ntpkey_iffpar_dated.3000000001",
        "ntpkey_iffpar_dated.3000000003", "ntpkey_iffpar_dated.2999999999",
        "ntpkey_iffpar_a.dotted.name", "ntpkey_iffpar_b.dotted.name.3000000001"})
    Put(at.At(name), name);
  const auto files = OpenKeyFiles(CryptoConfig(at)).files;
  const auto path_of = [&](const char* group) {
    const KeyFile* file = Find(files, msg::KeyFileKind::kIffPar, group);
    assert_non_null(file);
    assert_true(file->fd.valid());
    return fs::path(file->path).filename().string();
  };
  assert_string_equal(path_of("linked").c_str(), "ntpkey_iffpar_linked");
  assert_string_equal(path_of("dated").c_str(), "ntpkey_iffpar_dated.3000000003");
  assert_string_equal(path_of("a.dotted.name").c_str(), "ntpkey_iffpar_a.dotted.name");
  assert_string_equal(path_of("b.dotted.name").c_str(), "ntpkey_iffpar_b.dotted.name.3000000001");
}

// Filestamps begin anew on 2036-02-07: files of one digit are younger than those of ten.
void FilesOf2036AreYoungerThanThoseBefore(void** state) {
  constexpr int64_t kBefore = 2085978400, kAfter = 2085978600;
  const ScratchDirectory& at = In(state);
  config::Config config = CryptoConfig(at);
  config.authentication.crypto.ident.value = "grp";
  for (const char* name :
       {"ntpkey_iffpar_dated.4294967000", "ntpkey_iffpar_dated.5", "ntpkey_iffpar_10.0.0.1",
        "ntpkey_iffkey_grp", "ntpkey_IFFkey_grp.4294967000", "ntpkey_IFFkey_grp.5",
        "ntpkey_IFFkey_grp.4294967296", "ntpkey_IFFkey_grp.05", "ntpkey_iffkey_grp.saved.40"})
    Put(at.At(name), name);
  const auto name_of = [](const KeyFile& file) { return fs::path(file.path).filename().string(); };
  const auto files = OpenKeyFiles(config, kAfter).files;
  const KeyFile* dated = Find(files, msg::KeyFileKind::kIffPar, "dated");
  assert_non_null(dated);
  assert_string_equal(name_of(*dated).c_str(), "ntpkey_iffpar_dated.5");
  std::vector<std::string> earlier;
  for (const KeyFile& file : files)
    if (file.earlier) earlier.push_back(name_of(file));
  const std::vector<std::string> expected = {"ntpkey_iffkey_grp.saved.40", "ntpkey_IFFkey_grp.5",
                                             "ntpkey_IFFkey_grp.4294967000"};
  assert_true(earlier == expected);
  // Until then a number of few digits is a part of the group's name.
  const auto today = OpenKeyFiles(config, kBefore).files;
  assert_non_null(Find(today, msg::KeyFileKind::kIffPar, "dated.5"));
  assert_non_null(Find(today, msg::KeyFileKind::kIffPar, "10.0.0.1"));
}

// --- renewal

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + " ";
  return text;
}

void ARenewalNamesTheFilesThatTheDaemonLoads(void** state) {
  const ScratchDirectory& at = In(state);
  config::Config config = CryptoConfig(at);
  auto words = RenewalWords(config);
  assert_true(words.ok());
  assert_string_equal(Joined(*words).c_str(),
                      ("--renew-name here --renew-host-key " + at.At("ntpkey_host_here") +
                       " --renew " + at.At("ntpkey_cert_here") + " ")
                          .c_str());
  // One that is there is used unasked.
  Put(at.At("ntpkey_sign_here"), "key");
  config::Crypto& crypto = config.authentication.crypto;
  crypto.ident.value = "grp";
  crypto.host_key_file.value = "/etc/other/key";
  crypto.host_key_file.where.line = 1;
  crypto.certificate_file.value = "mine.pem";
  crypto.certificate_file.where.line = 1;
  words = RenewalWords(config);
  assert_true(words.ok());
  assert_string_equal(Joined(*words).c_str(),
                      ("--renew-name here --renew-host-key /etc/other/key --renew-sign-key " +
                       at.At("ntpkey_sign_here") + " --renew " + at.At("mine.pem") + " -i grp ")
                          .c_str());
  fs::create_directory(at.At("directory"));
  crypto.certificate_file.value = "directory";
  words = RenewalWords(config);
  assert_false(words.ok());
  assert_true(words.error().text.ends_with("/directory: is a directory"));
}

// --- earlier keys

// What the key process then does with them is its own: tests/keys/generations_test.cc.
void AServersEarlierGroupKeysComeAlong(void** state) {
  const ScratchDirectory& at = In(state);
  for (const char* name : {"ntpkey_IFFkey_here.4000000001", "ntpkey_IFFkey_here.4000000002",
                           "ntpkey_IFFkey_here.4000000003", "ntpkey_IFFkey_here.4000000004",
                           "ntpkey_IFFkey_here.4000000005", "ntpkey_IFFkey_here.draft",
                           "ntpkey_IFFkey_here.b.4000000009", "ntpkey_IFFkey_other.4000000008",
                           "ntpkey_GQkey_grp.4000000006", "ntpkey_GQkey_grp.4000000005",
                           "ntpkey_mvkey_here", "ntpkey_mvkey_here.saved.4000000001"})
    Put(at.At(name), name);
  fs::create_symlink("ntpkey_IFFkey_here.4000000005", at.At("ntpkey_iffkey_here"));
  // As ntp-keygen 4.2.8 links a group's key.
  fs::create_symlink("ntpkey_GQkey_grp.4000000006", at.At("ntpkey_gqkey_here"));
  const auto files = OpenKeyFiles(CryptoConfig(at)).files;
  std::string earlier;
  for (const KeyFile& file : files) {
    if (!file.earlier) continue;
    assert_true(file.fd.valid());
    earlier += fs::path(file.path).filename().string() + " ";
  }
  assert_string_equal(earlier.c_str(),
                      "ntpkey_IFFkey_here.4000000005 ntpkey_IFFkey_here.4000000004 "
                      "ntpkey_IFFkey_here.4000000003 ntpkey_IFFkey_here.4000000002 "
                      "ntpkey_GQkey_grp.4000000006 ntpkey_GQkey_grp.4000000005 "
                      "ntpkey_mvkey_here.saved.4000000001 ");
  // The one in use comes first, and by its link.
  const KeyFile* iff = Find(files, msg::KeyFileKind::kIffKey, "here");
  assert_false(iff->earlier);
  assert_true(iff->path.ends_with("/ntpkey_iffkey_here"));
}

// Other files are needed more.
void EarlierGroupKeysTakeOnlyTheRoomThatIsLeft(void** state) {
  const ScratchDirectory& at = In(state);
  Put(at.At("ntpkey_iffkey_here"), "key");
  Put(at.At("ntpkey_IFFkey_here.4000000001"), "key");
  Put(at.At("ntpkey_IFFkey_here.4000000002"), "key");
  const size_t before = OpenKeyFiles(CryptoConfig(at)).files.size();
  for (size_t i = before; i < static_cast<size_t>(kMaxKeyFiles) + 1; ++i)
    Put(at.At("ntpkey_iffpar_" + std::to_string(i)), "parameters");
  const auto files = OpenKeyFiles(CryptoConfig(at)).files;
  assert_int_equal(files.size(), kMaxKeyFiles);
  assert_true(files.back().earlier);
  assert_false(files[files.size() - 2].earlier);
}

// A start must not fail of the group keys of servers that nobody asks.
void ParametersOfNamedGroupsHaveRoomFirst(void** state) {
  const ScratchDirectory& at = In(state);
  config::Config config = CryptoConfig(at);
  config.authentication.keys_file.value = at.At("keys");
  config.associations.emplace_back().ident = "zebra";
  for (int i = 0; i < kMaxKeyFiles; ++i)
    Put(at.At("ntpkey_iffpar_" + std::to_string(i)), "parameters");
  Put(at.At("ntpkey_gqpar_zebra"), "parameters");
  Put(at.At("keys"), "1 M secret");
  const OpenedKeyFiles opened = OpenKeyFiles(config);
  assert_int_equal(opened.files.size(), kMaxKeyFiles);
  assert_non_null(Find(opened.files, msg::KeyFileKind::kGqPar, "zebra"));
  assert_non_null(Find(opened.files, msg::KeyFileKind::kSymmetric, ""));
  // Host key, certificate, symmetric keys and the named group have their place.
  assert_int_equal(opened.left_out.size(), 4);
}

// Under neither name that the configuration knows, it may be that of the group in the certificate.
void ServerKeysOfOtherGroupsAreOpenedOnlyWithoutOurOwn(void** state) {
  const ScratchDirectory& at = In(state);
  config::Config config = CryptoConfig(at);
  const auto kind = msg::KeyFileKind::kIffKey;
  Put(at.At("ntpkey_iffkey_one"), "key");
  Put(at.At("ntpkey_iffkey_two"), "key");
  assert_non_null(Find(OpenKeyFiles(config).files, kind, "one"));
  assert_non_null(Find(OpenKeyFiles(config).files, kind, "two"));
  config.authentication.crypto.ident.value = "two";
  assert_null(Find(OpenKeyFiles(config).files, kind, "one"));
  assert_non_null(Find(OpenKeyFiles(config).files, kind, "two"));
  config.authentication.crypto.ident.value = "";
  Put(at.At("ntpkey_iffkey_here"), "key");
  assert_null(Find(OpenKeyFiles(config).files, kind, "two"));
  assert_non_null(Find(OpenKeyFiles(config).files, kind, "here"));
}

// Without a word about it the server would go on as one that has no group key.
void AGroupKeyThatCannotBeOpenedIsNotPassedOver(void** state) {
  const ScratchDirectory& at = In(state);
  const config::Config config = CryptoConfig(at);
  const auto kind = msg::KeyFileKind::kIffKey;
  assert_null(Find(OpenKeyFiles(config).files, kind, "here"));
  fs::create_symlink("nowhere", at.At("ntpkey_iffkey_here"));
  const auto dangling = OpenKeyFiles(config).files;
  assert_non_null(Find(dangling, kind, "here"));
  assert_string_equal(Find(dangling, kind, "here")->problem.c_str(),
                      "is a link that points nowhere");
  fs::remove(at.At("ntpkey_iffkey_here"));
  fs::create_directory(at.At("ntpkey_iffkey_here"));
  const auto directory = OpenKeyFiles(config).files;
  assert_non_null(Find(directory, kind, "here"));
  assert_string_equal(Find(directory, kind, "here")->problem.c_str(), "is a directory");
}

// The certificate would seem to belong to the host key, which it does not.
void ASignKeyThatCannotBeOpenedIsNotPassedOver(void** state) {
  const ScratchDirectory& at = In(state);
  const config::Config config = CryptoConfig(at);
  const auto kind = msg::KeyFileKind::kSign;
  assert_null(Find(OpenKeyFiles(config).files, kind, "here"));
  fs::create_symlink("nowhere", at.At("ntpkey_sign_here"));
  const auto files = OpenKeyFiles(config).files;
  assert_non_null(Find(files, kind, "here"));
  assert_string_equal(Find(files, kind, "here")->problem.c_str(), "is a link that points nowhere");
}

// As older guides write them: `crypto privatekey FILE sign FILE cert FILE`.
void FilesThatTheConfigurationNamesTakeTheLinksPlace(void** state) {
  const ScratchDirectory& at = In(state);
  config::Config config = CryptoConfig(at);
  config::Crypto& crypto = config.authentication.crypto;
  crypto.host_key_file.Set("mine", {0, 1, 1});
  crypto.certificate_file.Set(at.At("elsewhere"), {0, 1, 1});
  crypto.sign_key_file.Set("missing", {0, 1, 1});
  Put(at.At("mine"), "key");
  Put(at.At("elsewhere"), "certificate");
  const auto files = OpenKeyFiles(config).files;
  const auto of = [&](msg::KeyFileKind kind) {
    for (const KeyFile& file : files)
      if (file.kind == kind) return &file;
    return static_cast<const KeyFile*>(nullptr);
  };
  assert_string_equal(of(msg::KeyFileKind::kHost)->path.c_str(), at.At("mine").c_str());
  assert_true(of(msg::KeyFileKind::kHost)->fd.valid());
  assert_string_equal(of(msg::KeyFileKind::kCertificate)->path.c_str(), at.At("elsewhere").c_str());
  // What is named and missing is told to ntpd-keys, which refuses.
  assert_non_null(of(msg::KeyFileKind::kSign));
  assert_false(of(msg::KeyFileKind::kSign)->fd.valid());
}

void MissingFilesAreNamedAndOddOnesAreNotOpened(void** state) {
  const ScratchDirectory& at = In(state);
  assert_int_equal(mkfifo(at.At("ntpkey_cert_here").c_str(), 0600), 0);
  Put(at.At("ntp.keys"), "1 M secret\n");
  fs::permissions(at.At("ntp.keys"), fs::perms(0644));
  config::Config config = CryptoConfig(at);
  config.authentication.keys_file.value = at.At("ntp.keys");
  const auto files = OpenKeyFiles(config).files;
  const KeyFile* host = Find(files, msg::KeyFileKind::kHost, "here");
  assert_non_null(host);
  assert_false(host->fd.valid());
  assert_string_equal(host->path.c_str(), at.At("ntpkey_host_here").c_str());
  const KeyFile* certificate = Find(files, msg::KeyFileKind::kCertificate, "here");
  assert_non_null(certificate);
  assert_false(certificate->fd.valid());
  assert_null(Find(files, msg::KeyFileKind::kSign, "here"));
  const KeyFile* symmetric = Find(files, msg::KeyFileKind::kSymmetric, "");
  assert_non_null(symmetric);
  assert_true(symmetric->fd.valid() && symmetric->world_readable);
  fs::permissions(at.At("ntp.keys"), fs::perms(0640));
  assert_false(Find(OpenKeyFiles(config).files, msg::KeyFileKind::kSymmetric, "")->world_readable);
}

void SeedFileIsPrivateAndNoLink(void** state) {
  const ScratchDirectory& at = In(state);
  config::Config config = CryptoConfig(at);
  assert_true(OpenSeedFile(config).ok());
  assert_int_equal(ModeOf(at.At("ntpkey_seed_here")), 0600);
  fs::permissions(at.At("ntpkey_seed_here"), fs::perms(0644));
  assert_true(OpenSeedFile(config).ok());
  assert_int_equal(ModeOf(at.At("ntpkey_seed_here")), 0600);
  config.authentication.crypto.seedfile.value = at.At("link");
  fs::create_symlink(at.At("ntpkey_seed_here"), at.At("link"));
  assert_false(OpenSeedFile(config).ok());
  config.authentication.crypto.seedfile.value = at.At("fifo");
  assert_int_equal(mkfifo(at.At("fifo").c_str(), 0600), 0);
  assert_false(OpenSeedFile(config).ok());
}

void PasswordIsTheFirstLineOfAFile(void** state) {
  const ScratchDirectory& at = In(state);
  config::Config config = CryptoConfig(at);
  unsetenv("CREDENTIALS_DIRECTORY");
  assert_true(ReadPasswordFile(config)->empty());
  const std::string path = at.At("pw");
  config.authentication.crypto.password_file.value = path;
  assert_false(ReadPasswordFile(config).ok());
  Put(path, "open sesame\r\nmore\n");
  assert_true(AsText(ReadPasswordFile(config)->bytes()) == "open sesame");
  Put(path, "\nnot this\n");
  assert_false(ReadPasswordFile(config).ok());
  Put(path, std::string(256, 'a'));
  assert_int_equal(ReadPasswordFile(config)->size(), 256);
  Put(path, std::string(257, 'a'));
  assert_false(ReadPasswordFile(config).ok());
  fs::remove(path);
  assert_int_equal(mkfifo(path.c_str(), 0600), 0);
  assert_false(ReadPasswordFile(config).ok());
  config.authentication.crypto.password_file.value.clear();
  Put(at.At("crypto-pw"), "credential\n");
  setenv("CREDENTIALS_DIRECTORY", at.path.c_str(), 1);
  assert_true(AsText(ReadPasswordFile(config)->bytes()) == "credential");
  unsetenv("CREDENTIALS_DIRECTORY");
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      IN_A_DIRECTORY(TheLinkWinsElseTheNewestDate),
      IN_A_DIRECTORY(FilesOf2036AreYoungerThanThoseBefore),
      IN_A_DIRECTORY(ARenewalNamesTheFilesThatTheDaemonLoads),
      IN_A_DIRECTORY(AServersEarlierGroupKeysComeAlong),
      IN_A_DIRECTORY(EarlierGroupKeysTakeOnlyTheRoomThatIsLeft),
      IN_A_DIRECTORY(ParametersOfNamedGroupsHaveRoomFirst),
      IN_A_DIRECTORY(ServerKeysOfOtherGroupsAreOpenedOnlyWithoutOurOwn),
      IN_A_DIRECTORY(AGroupKeyThatCannotBeOpenedIsNotPassedOver),
      IN_A_DIRECTORY(ASignKeyThatCannotBeOpenedIsNotPassedOver),
      IN_A_DIRECTORY(FilesThatTheConfigurationNamesTakeTheLinksPlace),
      IN_A_DIRECTORY(MissingFilesAreNamedAndOddOnesAreNotOpened),
      IN_A_DIRECTORY(SeedFileIsPrivateAndNoLink),
      IN_A_DIRECTORY(PasswordIsTheFirstLineOfAFile),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
