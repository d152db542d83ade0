// ntp_genkeys: the files of ntpd 4.1's guide, where that guide has them, and never over those in
// use.
#include "keys/genkeys.h"

#include <openssl/core_names.h>
#include <unistd.h>

#include "keys/private_key.h"
#include "keys/rsaref.h"
#include "keys/symmetric_file.h"
#include "tests/keys/key_data.h"
#include "tests/keys/workshop.h"
#include "tests/support/arguments.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using test::Workshop;

struct Bench {
  // True when it succeeded; `out` is what it said.
  bool Run(std::vector<std::string> words) {
    words.insert(words.begin(), {"ntp_genkeys", "-m", "512"});
    ntpward::test::Arguments arguments(std::move(words));
    auto options = ParseGenkeysOptions(arguments.argc(), arguments.argv());
    if (!options.ok()) return out = options.error().text, false;
    char* data = nullptr;
    size_t size = 0;
    KeygenEnvironment environment;
    environment.host_name = "server";
    environment.now = [this] { return w.clock; };
    environment.wait_second = [this] { ++w.clock; };
    environment.lock_patience_s = 0;
    environment.out = open_memstream(&data, &size);
    Genkeys genkeys(std::move(options).value(), PlacesIn("keysdir " + w.path, "server"),
                    environment);
    const Status done = genkeys.Run();
    fclose(environment.out);
    out.assign(data, size);
    free(data);
    if (!done.ok()) out += done.error().text;
    return done.ok();
  }

  Workshop w;
  std::string out;
};

void MakesTheGuidesFilesAndLinks(void**) {
  Bench bench;
  assert_true(bench.Run({}));
  const std::vector<std::string> names = {
      "ntp.keys",  "ntp.keys.4004293698",  "ntpkey",        "ntpkey.4004293698",
      "ntpkey_dh", "ntpkey_dh.4004293698", "ntpkey_server", "ntpkey_server.4004293698"};
  assert_true(bench.w.Names() == names);
  for (const char* link : {"ntp.keys", "ntpkey", "ntpkey_dh", "ntpkey_server"})
    assert_string_equal(bench.w.Link(link).c_str(), (std::string(link) + ".4004293698").c_str());
  assert_int_equal(bench.w.Mode("ntp.keys"), 0600);
  assert_int_equal(bench.w.Mode("ntpkey"), 0600);
  assert_int_equal(bench.w.Mode("ntpkey_server"), 0644);
  assert_true(bench.w.Text("ntpkey").starts_with("# RSA private key file ntpkey.4004293698\n# "));
  assert_true(bench.w.Text("ntpkey_dh").starts_with("# Diffie-Hellman parameter file ntpkey_dh."));
}

void ItsMd5KeysAreSixteenOfSixteenCharacters(void**) {
  Bench bench;
  assert_true(bench.Run({"-g", "m"}));
  assert_int_equal(bench.w.Names().size(), 2);
  const std::string text = bench.w.Text("ntp.keys");
  assert_true(text.starts_with("# MD5 key file ntp.keys.4004293698\n# "));
  assert_true(text.find("\n 1 M ") != std::string::npos);
  assert_true(text.find("\n16 M ") != std::string::npos);
  const auto file = ParseSymmetricFile(AsBytes(text), "ntp.keys");
  assert_true(file->errors.empty() && file->warnings.empty());
  assert_int_equal(file->keys.size(), 16);
  for (const auto& key : file->keys) assert_int_equal(key.length, 16);
}

// The private key is read back as a host key, under any password.
void TheRsaPairIsOneKeyInRsarefsForm(void**) {
  Bench bench;
  assert_true(bench.Run({"-g", "r"}));
  const auto key = ReadRsaKey(AsBytes(bench.w.Text("ntpkey")), AsBytes("any"));
  assert_true(key.ok());
  assert_int_equal(EVP_PKEY_get_bits(key->key.get()), 512);
  assert_int_equal(key->filestamp.value, 4004293698U);
  assert_string_equal(key->name.c_str(), "ntpkey.4004293698");
  const std::string open = bench.w.Text("ntpkey_server");
  assert_true(open.ends_with(RsarefPublicLine(key->key.get())));
  assert_int_equal(open.size() - open.find("512 "), 4 + 344 + 1);
  const auto as_private = ReadRsaKey(AsBytes(open), {});
  assert_non_null(strstr(as_private.error().text.c_str(), "the private one is the file ntpkey"));
}

void DiffieHellmanIsAPrimeAndAGenerator(void**) {
  Bench bench;
  assert_true(bench.Run({"-g", "d"}));
  const std::string text = bench.w.Text("ntpkey_dh");
  int lines = 0;
  for (size_t at = 0; (at = text.find("\n64 ", at)) != std::string::npos; ++at) ++lines;
  assert_int_equal(lines, 2);
  assert_int_equal(text.size() - text.find("64 "), 2 * (3 + 88 + 1));
}

void WhatIsInUseStaysWithoutForce(void**) {
  Bench bench;
  assert_true(bench.Run({}));
  const auto before = bench.w.Contents();
  bench.w.clock += 10;
  assert_true(bench.Run({}));
  assert_true(bench.w.Contents() == before);
  assert_non_null(strstr(bench.out.c_str(), "is there: no new MD5 key file without -f"));
  assert_true(bench.Run({"-f", "-g", "m"}));
  assert_string_equal(bench.w.Link("ntp.keys").c_str(), "ntp.keys.4004293708");
  assert_int_equal(bench.w.Names().size(), before.size() + 1);
  // In one second again: the next one is taken.
  assert_true(bench.Run({"-f", "-g", "m", "-t"}));
  assert_string_equal(bench.w.Link("ntp.keys").c_str(), "ntp.keys.4004293709");
  assert_int_equal(bench.w.Names().size(), before.size() + 1);
}

void APlainFileIsSaved(void**) {
  Bench bench;
  bench.w.Put("ntp.keys", "1 M old\n");
  assert_true(bench.Run({"-f", "-g", "m"}));
  assert_string_equal(bench.w.Text("ntp.keys.saved.4004293698").c_str(), "1 M old\n");
}

void ADryRunAndOneWithoutLinksLeaveWhatIs(void**) {
  Bench bench;
  assert_true(bench.Run({"-n"}));
  assert_true(bench.w.Names().empty());
  assert_non_null(strstr(bench.out.c_str(), "Would write file <"));
  assert_non_null(strstr(bench.out.c_str(), "ntpkey_dh.4004293698>"));
  assert_true(bench.Run({"-l", "-g", "m"}));
  assert_int_equal(bench.w.Names().size(), 1);
}

void PlacesComeFromNtpConf(void**) {
  const auto usual = PlacesIn("", "h");
  assert_string_equal(usual.symmetric.c_str(), "/usr/local/etc/ntp.keys");
  assert_string_equal(usual.public_key.c_str(), "/usr/local/etc/ntpkey_h");
  const auto said = PlacesIn(
      "# keys /no\n keys \"/etc/ntp/my keys\" # yes\ncrypto flags 1 privatekey pk publickey /p#x\n"
      "keysdir /k\ncrypto dhparms /d\ncrypto\nkeys",
      "h");
  assert_string_equal(said.symmetric.c_str(), "/etc/ntp/my keys");
  assert_string_equal(said.private_key.c_str(), "/k/pk");
  assert_string_equal(said.public_key.c_str(), "/p");
  assert_string_equal(said.parameters.c_str(), "/d");
}

void WrongArgumentsAreNamed(void**) {
  Bench bench;
  for (const auto& [words, part] : std::vector<std::pair<std::vector<std::string>, const char*>>{
           {{"-g", "x"}, "-g: expected some of d"},
           {{"-m", "2048"}, "-m: expected a multiple of 64"},
           {{"-c"}, "-c: unknown, or its value is missing"},
           {{"-z"}, "-z: unknown"},
           {{"x"}, "x: not expected"}}) {
    assert_false(bench.Run(words));
    assert_non_null(strstr(bench.out.c_str(), part));
  }
  assert_true(bench.w.Names().empty());
}

void EveryTruncationOfAnRsarefKeyIsRefused(void**) {
  Bench bench;
  assert_true(bench.Run({"-g", "r"}));
  const std::string text = bench.w.Text("ntpkey");
  for (size_t size = 0; size + 1 < text.size(); ++size)
    assert_false(ReadRsaKey(AsBytes(text.substr(0, size)), {}).ok());
}

void DamagedRsarefKeysAreRefused(void**) {
  Bench bench;
  assert_true(bench.Run({"-g", "r"}));
  const std::string text = bench.w.Text("ntpkey");
  const size_t key = text.find("512 ") + 4;
  // The modulus' last octets, a prime, the length, and what is no base64.
  for (const size_t at : {key + 160, key + 600, key - 4, key + 5, key + 939}) {
    std::string damaged = text;
    damaged[at] = at == key + 5 ? '!' : damaged[at] == '4' ? '5' : '4';
    assert_false(ReadRsaKey(AsBytes(damaged), {}).ok());
  }
}

void WhileAnotherWorksThereNothingIsMade(void**) {
  Bench bench;
  const auto directory = KeyDirectory::Open(bench.w.path);
  DirectoryLocks another(0, [](const std::string&) {});
  assert_true(directory.ok() && another.Take(*directory).ok());
  assert_false(bench.Run({}));
  assert_true(bench.out.find("another ntp-keygen is at work there") != std::string::npos);
  assert_true(bench.w.Names().empty());
  assert_true(bench.Run({"-n"}));
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(MakesTheGuidesFilesAndLinks),
      cmocka_unit_test(ItsMd5KeysAreSixteenOfSixteenCharacters),
      cmocka_unit_test(TheRsaPairIsOneKeyInRsarefsForm),
      cmocka_unit_test(DiffieHellmanIsAPrimeAndAGenerator),
      cmocka_unit_test(WhatIsInUseStaysWithoutForce),
      cmocka_unit_test(APlainFileIsSaved),
      cmocka_unit_test(ADryRunAndOneWithoutLinksLeaveWhatIs),
      cmocka_unit_test(PlacesComeFromNtpConf),
      cmocka_unit_test(WrongArgumentsAreNamed),
      cmocka_unit_test(EveryTruncationOfAnRsarefKeyIsRefused),
      cmocka_unit_test(DamagedRsarefKeysAreRefused),
      cmocka_unit_test(WhileAnotherWorksThereNothingIsMade),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
