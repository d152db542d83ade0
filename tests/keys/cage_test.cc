// Everything that the key process does works inside its system-call filter; what it must not do
// kills it.
#include "privsep/cage.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keys/crypto_setup.h"
#include "privsep/policies.h"
#include "tests/keys/key_data.h"
#include "tests/keys/service_harness.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;

// A sanitizer makes calls of its own that no policy allows: with one, only what has to die is
// caged.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

void Cage() {
  const Policy policies[] = {RuntimePolicy(), KeysPolicy()};
  if (!ForbidNewPrivileges().ok() || !InstallPolicies(policies).ok()) _exit(100);
}

// Exit status of what runs in a process of its own; 128 + signal when it was killed.
template <typename F>
int InChild(F run) {
  const pid_t pid = fork();
  if (pid == 0) {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    run();
    _exit(0);
  }
  int status = 0;
  CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Sends the start messages with descriptors that were opened before the cage was shut.
struct Files {
  struct Row {
    msg::KeyFileKind kind;
    std::string name;
    std::string group;
    int fd;
  };
  std::vector<Row> rows;

  void Open(msg::KeyFileKind kind, const std::string& name, const std::string& group = "server") {
    rows.push_back({kind, name, group, OpenForRole("tests/keys/data/" + name)});
  }
  void Load(Harness* h) const {
    h->FromSupervisor(h->start);
    msg::KeysPassword password;
    SetText(&password.password, "serverpassword");
    h->FromSupervisor(password);
    for (const Row& row : rows) {
      msg::KeysFile file;
      file.kind = row.kind;
      file.fd = row.fd;
      SetText(&file.group, row.group);
      SetText(&file.name, row.name);
      h->FromSupervisor(file);
    }
    msg::KeysTrusted trusted;
    CHECK(trusted.keys.Push({.key = {1}, .serve = true}));
    CHECK(trusted.keys.Push({.key = {15}, .serve = true}));
    h->FromSupervisor(trusted);
    h->FromSupervisor(msg::KeysEnd{});
    if (h->service.ready()) h->FromSupervisor(msg::KeysServe{});
  }
};

void DoEverything(Harness* h) {
  h->Ask(msg::HostMaterialRequest{});
  h->Ask(msg::SignatureUpdate{.now = {1}, .tai = 37});
  msg::IdentityChallenge challenge;
  challenge.now = {1};
  challenge.association = {5};
  SetText(&challenge.group, "server");
  h->Ask(challenge);
  CHECK(h->LastAnswer().code == msg::VerdictCode::kGood);
  msg::IdentityProve prove;
  prove.now = {1};
  Set(&prove.challenge, h->LastAnswer().value.span());
  h->Ask(prove);
  msg::IdentityVerify verify;
  verify.association = {5};
  verify.filestamp = h->LastAnswer().filestamp;
  Set(&verify.value, h->LastAnswer().value.span());
  h->Ask(verify);
  CHECK(h->LastVerdict() == msg::VerdictCode::kGood);
  msg::CookieIssue cookie;
  cookie.now = {1};
  cookie.path = {IpAddress::V4(10, 0, 0, 2), IpAddress::V4(10, 0, 0, 1)};
  Set(&cookie.modulus, std::vector<uint8_t>(64, 0x81));
  cookie.exponent = 65537;
  h->Ask(cookie);
  CHECK(h->LastAnswer().code == msg::VerdictCode::kGood);
  msg::CookieOpen open;
  open.association = {5};
  Set(&open.ciphertext, std::vector<uint8_t>(64, 0x01));
  h->Ask(open);
  msg::CertificateIssue certificate;
  certificate.now = {1};
  SetText(&certificate.subject, "client");
  Set(&certificate.modulus, std::vector<uint8_t>(64, 0x81));
  certificate.exponent = 65537;
  h->Ask(certificate);
  CHECK(h->LastAnswer().code == msg::VerdictCode::kGood);
  for (const uint32_t key : {1u, 15u, 70000u}) {
    msg::ServeBatch batch;
    msg::ServeJob job;
    job.key = {key};
    job.path = cookie.path;
    std::vector<uint8_t> header(48, 0);
    header[0] = 0xe3;
    Set(&job.covered, header);
    Set(&job.digest, std::vector<uint8_t>(16, 0));
    CHECK(batch.jobs.Push(job));
    h->FromNet(batch);
    CHECK(h->out.serve_done.back().results[0].outcome == msg::ServeOutcome::kNak);
  }
  h->FromSupervisor(msg::KeysRollSeed{});
  CHECK(!h->service.failed());
}

// With the process' own set-up: the heap locked, files by descriptor, the seed's state file on
// disk.
void EverythingWorksInTheCage(void**) {
  using msg::KeyFileKind;
  for (const char* generation : {"426", "428"}) {
    const int status = InChild([&] {
      const auto crypto = CryptoSetup::ForRole();
      if (!crypto.ok()) _exit(101);
      const std::string prefix = generation;
      Files files;
      files.Open(KeyFileKind::kHost, prefix + "_host_server");
      files.Open(KeyFileKind::kCertificate, prefix + "_cert_server");
      files.Open(KeyFileKind::kIffKey, prefix + "_iffkey_server");
      files.Open(KeyFileKind::kIffPar, prefix + "_iffpar_server_traditional");
      files.Open(KeyFileKind::kIffPar, prefix + "_iffpar_server_pkcs8", "mute");
      files.Open(KeyFileKind::kSymmetric, "428_ntp.keys", "");
      files.Open(KeyFileKind::kFarm, "farm_secret", "farm");
      char name[] = "/tmp/ntpward_seed_XXXXXX";
      const int seed = mkstemp(name);
      unlink(name);
      if (!kSanitized) Cage();
      Harness h;
      h.start.seed_fd = seed;
      files.Load(&h);
      CHECK(h.service.ready());
      DoEverything(&h);
    });
    assert_int_equal(status, 0);
  }
}

void WrongPasswordsAndDamagedFilesAreToldFromInside(void**) {
  const int status = InChild([] {
    const auto crypto = CryptoSetup::ForRole();
    Files files;
    files.Open(msg::KeyFileKind::kHost, "428_host_server_2048");
    files.Open(msg::KeyFileKind::kCertificate, "README");
    files.Open(msg::KeyFileKind::kIffPar, "README");
    if (!kSanitized) Cage();
    Harness h;
    files.Load(&h);
    CHECK(h.service.failed() && !h.out.failures.empty());
  });
  assert_int_equal(status, 0);
}

void ForbiddenCallsKill(void**) {
  const int killed = 128 + SIGSYS;
  assert_int_equal(InChild([] { Cage(), (void)socket(AF_INET, SOCK_DGRAM, 0); }), killed);
  assert_int_equal(InChild([] { Cage(), (void)open("/etc/passwd", O_RDONLY); }), killed);
  assert_int_equal(InChild([] { Cage(), (void)fork(); }), killed);
  assert_int_equal(InChild([] {
                     Cage();
                     const timespec now{};
                     (void)clock_settime(CLOCK_REALTIME, &now);
                   }),
                   killed);
  assert_int_equal(InChild([] {
                     Cage();
                     char* const none[] = {nullptr};
                     (void)execve("/bin/true", none, none);
                   }),
                   killed);
}

void SecretsLieInLockedMemory(void**) {
  assert_int_equal(InChild([] {
                     const auto crypto = CryptoSetup::ForRole();
                     if (!crypto.ok()) _exit(101);
                     const BigPtr number = SecretNumber();
                     CHECK(BN_set_word(number.get(), 5) == 1);
                     const LockedBytes bytes(100);
                     if (CRYPTO_secure_allocated(bytes.data()) != 1) _exit(1);
                     if (CRYPTO_secure_used() < 100) _exit(2);
                   }),
                   0);
}

void WithoutLockedMemoryTheRoleRefusesToRun(void**) {
  assert_int_equal(InChild([] {
                     const rlimit none{0, 0};
                     if (setrlimit(RLIMIT_MEMLOCK, &none) != 0) _exit(3);
                     if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(4);
                     const auto crypto = CryptoSetup::ForRole();
                     if (crypto.ok()) _exit(1);
                     if (crypto.error().text.find("RLIMIT_MEMLOCK") == std::string::npos) _exit(2);
                   }),
                   0);
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EverythingWorksInTheCage),
      cmocka_unit_test(WrongPasswordsAndDamagedFilesAreToldFromInside),
      cmocka_unit_test(ForbiddenCallsKill),
      cmocka_unit_test(SecretsLieInLockedMemory),
      cmocka_unit_test(WithoutLockedMemoryTheRoleRefusesToRun),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
