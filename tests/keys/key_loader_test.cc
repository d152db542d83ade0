// What the operator is told when the key files are not as they should be.
#include <fcntl.h>
#include <unistd.h>

#include "tests/keys/key_data.h"
#include "tests/keys/service_harness.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::KeyFileKind;

const FileRow kHost{KeyFileKind::kHost, "428_host_server"};
const FileRow kCertificate{KeyFileKind::kCertificate, "428_cert_server"};

bool Says(const std::vector<std::string>& texts, std::string_view part) {
  for (const auto& text : texts)
    if (text.find(part) != std::string::npos) return true;
  for (const auto& text : texts) print_error("%s\n", text.c_str());
  return false;
}

void StartsWithTheReferencesFiles(void**) {
  Harness h;
  h.StartServer();
  assert_int_equal(h.out.readies.size(), 1);
  assert_string_equal(std::string(h.out.readies[0].sandbox.text()).c_str(), "seccomp=2");
  assert_int_equal(h.out.failures.size(), 0);
}

void NamesAWrongPasswordAndNeverQuotesIt(void**) {
  for (const char* password : {"hunter2", ""}) {
    Harness h;
    h.Start({kHost, kCertificate}, password);
    assert_true(h.service.failed() && !h.service.ready());
    assert_true(Says(h.out.failures, "keys/428_host_server: wrong password"));
    assert_true(Says(h.out.failures, "crypto pw"));
    assert_false(h.out.failures[0].find("hunter2") != std::string::npos);
  }
}

void AnotherFaultAsksForNoPassword(void**) {
  Harness h;
  h.Start({{KeyFileKind::kHost, "428_cert_server_sha256"}, kCertificate});
  assert_true(Says(h.out.failures, "keys/428_cert_server_sha256: it holds a CERTIFICATE"));
  assert_false(Says(h.out.failures, "crypto pw"));
}

void TheDefaultPasswordIsTheHostsName(void**) {
  Harness h;
  SetText(&h.start.host, "serverpassword");
  h.Start({kHost, kCertificate}, "");
  assert_true(h.service.ready());
}

void NamesMissingFilesAndTheCommandThatMakesThem(void**) {
  Harness no_host;
  no_host.Start({kCertificate});
  assert_true(Says(no_host.out.failures, "ntpkey_host_server not found"));
  assert_true(Says(no_host.out.failures, "ntp-keygen -T"));
  Harness no_certificate;
  no_certificate.Start({kHost});
  assert_true(Says(no_certificate.out.failures, "ntpkey_cert_server not found"));
  // One that the configuration names is missing under that name, and never merely left out.
  Harness no_sign;
  no_sign.Start({kHost, kCertificate, {KeyFileKind::kSign, ""}});
  assert_true(Says(no_sign.out.failures, "sign key file keys/ is not there, or cannot be read"));
}

void ACertificateMustBelongToTheKey(void**) {
  Harness h;
  h.Start({kHost, {KeyFileKind::kCertificate, "428_cert_server_sha256"}});
  assert_true(Says(h.out.failures, "made for another key than the host key: make one for the key"));
  // ntp-keygen knows nothing of `crypto privatekey`.
  assert_true(Says(h.out.failures, "after 'ln -s keys/"));
  assert_true(Says(h.out.failures, " ntpkey_host_server': that is what it certifies"));
}

void WarnsOfExpiredAndFutureCertificates(void**) {
  const std::vector<FileRow> files = {{KeyFileKind::kHost, "426_host_expired"},
                                      {KeyFileKind::kCertificate, "426_cert_expired"}};
  Harness expired;
  expired.Start(files);
  assert_true(expired.service.ready());
  assert_true(Says(expired.out.logs, "expired on 2026-11-16"));
  assert_true(Says(expired.out.logs, "renew it with 'ntp-keygen -c RSA-SHA256 -p"));
  Harness future;
  future.time.system = NtpTimestamp::FromRaw(uint64_t{4000000000U} << 32);
  future.Start(files);
  assert_true(Says(future.out.logs, "is valid from"));
}

void WarnsOfWorldReadableFiles(void**) {
  Harness h;
  h.Start({{KeyFileKind::kHost, "428_host_server", "server", true}, kCertificate});
  assert_true(h.service.ready());
  assert_true(Says(h.out.logs, "chmod 600 keys/428_host_server"));
}

void WarnsOfSingleDes(void**) {
  Harness h;
  h.Start(
      {{KeyFileKind::kHost, "426_host_server"}, {KeyFileKind::kCertificate, "426_cert_server"}});
  assert_true(h.service.ready());
  assert_true(Says(h.out.logs, "single DES"));
}

void TellsHowToReExportAGroupKeyWithoutPublicValue(void**) {
  Harness h;
  h.StartClient();
  assert_true(Says(h.out.logs, "carries no public value"));
  assert_true(Says(h.out.logs, "ntp-keygen -e"));
}

void RefusesAGroupKeyThatCannotServe(void**) {
  Harness h;
  h.Start({kHost, kCertificate, {KeyFileKind::kIffKey, "428_iffpar_server_traditional"}});
  assert_true(Says(h.out.failures, "client's group key"));
}

// Its link is named by ntp-keygen -i; what else lies there belongs to groups that we only relay, or
// did once.
void ServesTheGroupInItsNameAndNoOther(void**) {
  const auto status_word = [](const std::string& group, std::string_view ident) {
    Harness h;
    SetText(&h.start.ident, ident);
    h.Start({{KeyFileKind::kHost, "428_host_group"},
             {KeyFileKind::kCertificate, "428_cert_group"},
             {KeyFileKind::kIffKey, "428_iffkey_server", group}});
    h.FromNet(msg::HostMaterialRequest{});
    return h.out.material.back().status_word;
  };
  assert_int_equal(status_word("grp", ""), 0x80021);
  assert_int_equal(status_word("server", ""), 0x80021);
  assert_int_equal(status_word("other", ""), 0x80001);
  assert_int_equal(status_word("server@grp", ""), 0x80001);
  assert_int_equal(status_word("other", "other"), 0x80021);
}

void AServersGroupKeyServesAClientWithAWarning(void**) {
  Harness h;
  h.Start({kHost, kCertificate, {KeyFileKind::kIffPar, "428_iffkey_server"}});
  assert_true(h.service.ready());
  assert_true(Says(h.out.logs, "holds the group's secret"));
}

void ADamagedGroupFileIsLeftOut(void**) {
  Harness h;
  h.Start({kHost, kCertificate, {KeyFileKind::kIffPar, "README", "broken"}});
  assert_true(h.service.ready());
  assert_true(Says(h.out.logs, "keys/README: it has no filestamp"));
  h.FromNet(msg::HostMaterialRequest{});
  assert_true(h.out.material.back().groups.empty());
}

// A reload has keys in use to lose, and a check is asked what is wrong.
void ADamagedGroupFileIsAnErrorWhereTheLoadIsStrict(void**) {
  Harness h;
  h.start.strict = true;
  h.Start({kHost,
           kCertificate,
           {KeyFileKind::kIffPar, "README", "broken"},
           {KeyFileKind::kMvPar, "428_host_server", "wrong"}});
  assert_true(h.service.failed());
  assert_true(Says(h.out.failures, "keys/README: it has no filestamp"));
  assert_true(Says(h.out.logs, "keys/428_host_server: "));
  // A copy that somebody left beside the key in use is none of its files.
  Harness whole;
  whole.start.strict = true;
  whole.Start({kHost,
               kCertificate,
               {KeyFileKind::kIffPar, "428_iffpar_server_traditional"},
               {KeyFileKind::kIffPar, "README", "server.bak"},
               {KeyFileKind::kIffPar, "README", "server.4004293699.bak"},
               {KeyFileKind::kIffPar, "README", "server~"}});
  assert_true(whole.service.ready());
  // Another group, which is no copy.
  Harness longer;
  longer.start.strict = true;
  longer.Start({kHost,
                kCertificate,
                {KeyFileKind::kIffPar, "428_iffpar_server_traditional"},
                {KeyFileKind::kIffPar, "README", "server.example"}});
  assert_true(longer.service.failed());
}

void ADsaSignKeySignsWithTrueLengths(void**) {
  Harness h;
  h.Start({{KeyFileKind::kHost, "426_host_server"},
           {KeyFileKind::kCertificate, "426_cert_dsa"},
           {KeyFileKind::kSign, "426_sign_dsa"}});
  assert_true(h.service.ready());
  h.FromNet(msg::HostMaterialRequest{});
  assert_int_equal(h.out.material.back().status_word, 0x710001);
  const auto sign = ReadSignKey(Data("426_sign_dsa"), AsBytes(kServerPassword));
  for (int i = 0; i < 20; ++i) {
    h.Ask(msg::SignatureUpdate{.now = {1}});
    const auto& values = h.out.signed_values.back();
    // The DER, and nothing behind it, up to 48 octets for an order of 160 bits.
    const Bytes signature = values.leap.span();
    assert_in_range(signature.size(), 40, sign->octets());
    assert_int_equal(signature[1] + 2U, signature.size());
  }
}

void ADsaSignKeyNeedsItsCertificate(void**) {
  Harness h;
  h.Start({kHost, kCertificate, {KeyFileKind::kSign, "426_sign_dsa"}});
  assert_true(Says(h.out.failures, "made for another key than the sign key"));
  Harness host;
  host.Start({{KeyFileKind::kHost, "426_sign_dsa"}, kCertificate});
  assert_true(Says(host.out.failures, "holds no RSA key"));
}

void EveryErrorOfTheSymmetricFileIsTold(void**) {
  char name[] = "/tmp/ntpward_keys_XXXXXX";
  const int fd = mkstemp(name);
  assert_true(fd >= 0);
  const std::string_view text = "1 MD5 fine\n0 MD5 x\n2\n";
  assert_int_equal(write(fd, text.data(), text.size()), text.size());
  Harness h;
  h.start.crypto_enabled = false;
  h.FromSupervisor(h.start);
  msg::KeysFile file;
  file.kind = KeyFileKind::kSymmetric;
  file.fd = OpenForRole(name);
  SetText(&file.name, "ntp.keys");
  h.FromSupervisor(file);
  h.FromSupervisor(msg::KeysEnd{});
  close(fd), unlink(name);
  assert_true(h.service.failed());
  assert_true(Says(h.out.failures, "ntp.keys:2:1:"));
  assert_true(Says(h.out.logs, "ntp.keys:3:2:"));
}

void WarnsOfKeysWithSeveralRoles(void**) {
  Harness h;
  h.Start({kHost, kCertificate, {KeyFileKind::kSymmetric, "428_ntp.keys"}}, "serverpassword",
          {{.key = {1}, .serve = true, .upstream = true}, {.key = {99}, .upstream = true}});
  assert_true(Says(h.out.logs, "of clients and of servers"));
  assert_true(Says(h.out.logs, "key 99 is used by an association and is not in the key file"));
}

void AMissingKeysFileMattersOnlyToThoseWhoUseKeys(void**) {
  Harness unused;
  unused.Start({kHost, kCertificate, {KeyFileKind::kSymmetric, ""}}, "serverpassword");
  assert_true(unused.service.ready());
  assert_true(Says(unused.out.logs, "not found, or no file (keys)"));
  Harness used;
  used.Start({kHost, kCertificate, {KeyFileKind::kSymmetric, ""}}, "serverpassword",
             {{.key = {1}, .serve = true}});
  assert_true(used.service.failed());
  assert_true(Says(used.out.failures, "not found, or no file (keys)"));
}

void AFileWithoutKeysIsSaid(void**) {
  Harness h;
  h.Start({kHost, kCertificate, {KeyFileKind::kSymmetric, "/dev/null"}}, "serverpassword",
          {{.key = {1}, .serve = true}});
  assert_true(h.service.ready());
  assert_true(Says(h.out.logs, "/dev/null: holds no key"));
}

void ReadsNoDescriptorOutOfRange(void**) {
  int fds[2];
  assert_int_equal(pipe(fds), 0);
  for (const int fd : {0, 3, 19, 84, 1 << 30, -2}) {
    Harness h;
    h.FromSupervisor(h.start);
    msg::KeysFile file;
    file.fd = fd;
    h.FromSupervisor(file);
    h.FromSupervisor(msg::KeysEnd{});
    assert_true(h.service.failed());
  }
  close(fds[0]), close(fds[1]);
  assert_true(fcntl(0, F_GETFD) >= 0 || errno == EBADF);
}

void MessagesOutOfPlaceFail(void**) {
  Harness h;
  h.StartServer();
  h.FromSupervisor(h.start);
  assert_true(h.service.failed());
  Harness garbage;
  garbage.service.HandleSupervisor({}, garbage.out);
  assert_true(garbage.service.failed());
  Harness end_first;
  end_first.FromSupervisor(msg::KeysEnd{});
  assert_true(end_first.service.failed());
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(StartsWithTheReferencesFiles),
      cmocka_unit_test(NamesAWrongPasswordAndNeverQuotesIt),
      cmocka_unit_test(AnotherFaultAsksForNoPassword),
      cmocka_unit_test(TheDefaultPasswordIsTheHostsName),
      cmocka_unit_test(NamesMissingFilesAndTheCommandThatMakesThem),
      cmocka_unit_test(ACertificateMustBelongToTheKey),
      cmocka_unit_test(WarnsOfExpiredAndFutureCertificates),
      cmocka_unit_test(WarnsOfWorldReadableFiles),
      cmocka_unit_test(WarnsOfSingleDes),
      cmocka_unit_test(TellsHowToReExportAGroupKeyWithoutPublicValue),
      cmocka_unit_test(RefusesAGroupKeyThatCannotServe),
      cmocka_unit_test(ServesTheGroupInItsNameAndNoOther),
      cmocka_unit_test(AServersGroupKeyServesAClientWithAWarning),
      cmocka_unit_test(ADamagedGroupFileIsLeftOut),
      cmocka_unit_test(ADamagedGroupFileIsAnErrorWhereTheLoadIsStrict),
      cmocka_unit_test(ADsaSignKeySignsWithTrueLengths),
      cmocka_unit_test(ADsaSignKeyNeedsItsCertificate),
      cmocka_unit_test(EveryErrorOfTheSymmetricFileIsTold),
      cmocka_unit_test(WarnsOfKeysWithSeveralRoles),
      cmocka_unit_test(AMissingKeysFileMattersOnlyToThoseWhoUseKeys),
      cmocka_unit_test(AFileWithoutKeysIsSaid),
      cmocka_unit_test(ReadsNoDescriptorOutOfRange),
      cmocka_unit_test(MessagesOutOfPlaceFail),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
