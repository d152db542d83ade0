// What ntp-keygen leaves behind when a file cannot be written or stands in the way: all as it was.
#include <linux/capability.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keys/private_key.h"
#include "tests/keys/key_data.h"
#include "tests/keys/workshop.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;

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

void ALinkThatCannotMoveLeavesAllAsItWas(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-p", "pw"}, kSmall)));
  const std::string in_the_way = w.path + "/ntpkey_iffkey_server";
  assert_int_equal(mkdir(in_the_way.c_str(), 0700), 0);
  const auto names = w.Names();
  const std::string host = w.Link("ntpkey_host_server"), cert = w.Link("ntpkey_cert_server");
  w.clock += 100;
  assert_false(w.Run(With({"-T", "-H", "-I", "-p", "pw"}, kSmall)));
  assert_true(w.error.find("ntpkey_iffkey_server") != std::string::npos);
  assert_true(w.Names() == names);
  assert_true(w.Link("ntpkey_host_server") == host && w.Link("ntpkey_cert_server") == cert);
  assert_int_equal(rmdir(in_the_way.c_str()), 0);
}

// A file that cannot be finished, the first, the second or the last, as on a full disk.
void AFullDiskLeavesTheDirectoryAsItWas(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-p", "pw"}, kSmall)));
  const auto before = w.Contents();
  w.clock += 100;
  rlimit unlimited{};
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  signal(SIGXFSZ, SIG_IGN);
  size_t refused = 0;
  bool done = false;
  for (rlim_t most = 50; !done && most < 4000; most += 50) {
    const rlimit limit{most, unlimited.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    done = w.Run(With({"-T", "-H", "-I", "-p", "pw"}, kSmall));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    if (done) break;
    ++refused;
    assert_true(w.Contents() == before);
    assert_true(w.error.find("File too large") != std::string::npos);
  }
  assert_true(done && refused > 3);
  assert_true(w.Opens("ntpkey_host_server", "pw"));
}

// Sets whether this thread, if it may at all, writes where the mode forbids it.
void OverrideModes(bool override) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  assert_int_equal(syscall(SYS_capget, &header, sets), 0);
  const uint32_t bit = 1U << CAP_DAC_OVERRIDE;
  sets[0].effective =
      override ? sets[0].effective | (sets[0].permitted & bit) : sets[0].effective & ~bit;
  assert_int_equal(syscall(SYS_capset, &header, sets), 0);
}

void AFailedWriteLeavesTheOldKeysInUse(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-p", "pw"}, kSmall)));
  const auto before = w.Contents();
  w.clock += 100;
  assert_int_equal(chmod(w.path.c_str(), 0500), 0);
  OverrideModes(false);
  const bool done = w.Run(With({"-H", "-p", "pw"}, kSmall));
  OverrideModes(true);
  assert_int_equal(chmod(w.path.c_str(), 0700), 0);
  assert_false(done);
  assert_true(w.Contents() == before);
  // It was told before anything was made.
  assert_true(w.error.find(": Permission denied") != std::string::npos);
  assert_true(w.err.find("Generating") == std::string::npos);
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ADatedNameNeverChangesItsContent),
      cmocka_unit_test(APlainFileInALinksPlaceIsKept),
      cmocka_unit_test(ALinkThatCannotMoveLeavesAllAsItWas),
      cmocka_unit_test(AFullDiskLeavesTheDirectoryAsItWas),
      cmocka_unit_test(AFailedWriteLeavesTheOldKeysInUse),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
