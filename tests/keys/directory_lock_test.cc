// Two ntp-keygen in one directory: one after the other, or one of them not at all.
#include "keys/directory_lock.h"

#include <sys/wait.h>
#include <unistd.h>

#include "keys/aside_name.h"
#include "keys/private_key.h"
#include "tests/keys/key_data.h"
#include "tests/keys/workshop.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;

KeyDirectory Opened(const std::string& path) {
  auto directory = KeyDirectory::Open(path);
  CHECK(directory.ok());
  return std::move(directory).value();
}

DirectoryLocks Impatient() {
  return {0, [](const std::string&) {}};
}

void WhileOneWorksAnotherIsRefusedWithWhatToDo(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-s", "srv1", "-p", "pw"}, kSmall)));
  const auto before = w.Contents();
  w.clock += 1000;
  {
    DirectoryLocks another = Impatient();
    assert_true(another.Take(Opened(w.path)).ok());
    for (const auto& call : {std::vector<std::string>{"-T", "-H", "-p", "pw"},
                             {"-e", "-p", "pw"},
                             {"-M"},
                             {"--farm", "f"},
                             {"--renew", w.path + "/ntpkey_cert_srv1", "--renew-host-key",
                              w.path + "/ntpkey_host_srv1", "-p", "pw"}}) {
      assert_false(w.Run(call));
      assert_true(w.error.starts_with(w.path + ": another ntp-keygen is at work there"));
      assert_true(w.error.find("run this again when it has ended") != std::string::npos);
      assert_true(w.Contents() == before);
    }
  }
  assert_true(w.Run({"-T", "-s", "srv1", "-p", "pw"}));
}

void ARenewalLocksTheCertificatesDirectoryToo(void**) {
  Workshop w, elsewhere;
  assert_true(elsewhere.Run(With({"-T", "-s", "srv1", "-p", "pw"}, kSmall)));
  const std::vector<std::string> call = {"--renew",
                                         elsewhere.path + "/ntpkey_cert_srv1",
                                         "--renew-host-key",
                                         elsewhere.path + "/ntpkey_host_srv1",
                                         "-p",
                                         "pw"};
  {
    DirectoryLocks another = Impatient();
    assert_true(another.Take(Opened(elsewhere.path)).ok());
    assert_false(w.Run(call));
    assert_true(w.error.starts_with(elsewhere.path + ": another ntp-keygen"));
  }
  assert_true(w.Run(call));
}

void OneProcessMayMeetADirectoryTwice(void**) {
  Workshop w;
  DirectoryLocks locks = Impatient();
  assert_true(locks.Take(Opened(w.path)).ok());
  assert_true(locks.Take(Opened(w.path + "/.")).ok());
}

void TheDeadHoldNoLock(void**) {
  Workshop w;
  const pid_t child = fork();
  if (child == 0) {
    DirectoryLocks locks = Impatient();
    _exit(locks.Take(Opened(w.path)).ok() ? 0 : 1);
  }
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_true(Impatient().Take(Opened(w.path)).ok());
}

// What used to leave a host key beside a certificate of the one before.
void TwoAtOnceLeaveKeysThatBelongTogether(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-p", "pw"}, kSmall)));
  w.clock += 1000;
  w.patience_s = 60;
  const pid_t child = fork();
  if (child == 0) _exit(w.Run({"-T", "-I", "-b", "1024", "-p", "pw"}) ? 0 : 1);
  assert_true(w.Run({"-T", "-H", "-m", "512", "-p", "pw"}));
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  const auto key = ReadRsaKey(AsBytes(w.Text("ntpkey_host_server")), AsBytes("pw"));
  assert_true(key.ok());
  assert_true(BelongsTo(w.Certificate(), key->key.get()));
}

void LeftoversOfTheDeadAreRemovedAndNothingElse(void**) {
  Workshop w;
  const std::vector<std::string> theirs = {".ntpkey_link.1", ".ntpkey_new.", ".ntpkey_new.txt",
                                           ".ntpkey_newer.1", "ntpkey_new.1"};
  for (const std::string& name : theirs) w.Put(name, "kept");
  const auto before = w.Names();
  for (const char* name : {".ntpkey_new.1234", ".ntpkey_new.0123456789abcdef"}) w.Put(name, "left");
  assert_int_equal(symlink("ntpkey_new.1", (w.path + "/.ntpkey_old12.beef").c_str()), 0);
  assert_int_equal(symlink("ntpkey_new.1", (w.path + "/.ntpkey_link0.7").c_str()), 0);
  {
    DirectoryLocks another = Impatient();
    assert_true(another.Take(Opened(w.path)).ok());
    assert_true(w.Names() == before);
    // Now one that is at work leaves some, and nobody touches them.
    w.Put(".ntpkey_new.77", "in work");
    assert_false(Impatient().Take(Opened(w.path)).ok());
    assert_int_equal(w.Names().size(), before.size() + 1);
  }
  assert_true(Impatient().Take(Opened(w.path)).ok());
  assert_true(w.Names() == before);
}

void AsideNamesAreNotOfTheProcess(void**) {
  assert_true(AsideName("new") != AsideName("new"));
  for (const char* what : {"new", "link0", "old12"}) assert_true(IsAsideName(AsideName(what)));
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WhileOneWorksAnotherIsRefusedWithWhatToDo),
      cmocka_unit_test(ARenewalLocksTheCertificatesDirectoryToo),
      cmocka_unit_test(OneProcessMayMeetADirectoryTwice),
      cmocka_unit_test(TheDeadHoldNoLock),
      cmocka_unit_test(TwoAtOnceLeaveKeysThatBelongTogether),
      cmocka_unit_test(LeftoversOfTheDeadAreRemovedAndNothingElse),
      cmocka_unit_test(AsideNamesAreNotOfTheProcess),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
