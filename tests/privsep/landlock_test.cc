// The file system as the supervisor and the roles may reach it, and the empty root under Landlock.
#include "privsep/landlock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <cstdlib>

#include "privsep/cage.h"
#include "privsep/capabilities.h"
#include "privsep/namespaces.h"
#include "tests/support/child.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward {
namespace {

using test::RunInChild;

struct Directories {
  std::string top, open, shut;
};

int SetUp(void** state) {
  char name[] = "/tmp/landlock-test-XXXXXX";
  if (mkdtemp(name) == nullptr) return 1;
  auto* directories =
      new Directories{name, std::string(name) + "/open", std::string(name) + "/shut"};
  mkdir(directories->open.c_str(), 0755);
  mkdir(directories->shut.c_str(), 0755);
  *state = directories;
  return 0;
}

int TearDown(void** state) {
  auto* directories = static_cast<Directories*>(*state);
  for (const std::string& directory : {directories->open, directories->shut}) {
    for (const char* file : {"/a", "/b"}) unlink((directory + file).c_str());
    rmdir(directory.c_str());
  }
  rmdir(directories->top.c_str());
  delete directories;
  return 0;
}

bool Touch(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)).valid();
}

// Under rules in a child; the kernel that tests run on must have Landlock for any of this to count.
template <typename Body>
int Restricted(std::vector<DirectoryGrant> grants, Body body) {
  return RunInChild([&] {
           std::vector<std::string> missing;
           if (!ForbidNewPrivileges().ok()) return 90;
           const auto restricted = RestrictDirectories(grants, &missing);
           if (!restricted.ok() || !*restricted) return 91;
           return body(missing);
         })
      .exit_status;
}

void WritesOnlyWhereGranted(void** state) {
  const auto& at = *static_cast<Directories*>(*state);
  assert_true(LandlockVersion() > 0);
  const int end = Restricted(
      {{at.open, DirectoryAccess::kWrite}, {at.shut, DirectoryAccess::kRead}}, [&](const auto&) {
        if (!Touch(at.open + "/a")) return 1;
        if (Touch(at.shut + "/a")) return 2;
        const auto from = at.open + "/a";
        if (rename(from.c_str(), (at.open + "/b").c_str()) != 0) return 3;
        if (rename((at.open + "/b").c_str(), (at.shut + "/b").c_str()) == 0) return 4;
        if (open("/etc/passwd", O_RDONLY) >= 0) return 5;
        return 0;
      });
  assert_int_equal(end, 0);
}

void DevicesMayBeWrittenButNotMade(void**) {
  const int end = Restricted({{"/dev", DirectoryAccess::kDevices}}, [](const auto&) {
    if (open("/dev/null", O_RDWR) < 0) return 1;
    return Touch("/dev/landlock-test") ? 2 : 0;
  });
  assert_int_equal(end, 0);
}

void ExecutesOnlyWhereGranted(void**) {
  const std::vector<DirectoryGrant> grants = {{"/usr", DirectoryAccess::kRead},
                                              {"/lib", DirectoryAccess::kRead},
                                              {"/lib64", DirectoryAccess::kRead}};
  const auto run = [](const auto&) {
    execl("/usr/bin/true", "true", static_cast<char*>(nullptr));
    return errno == EACCES ? 1 : 2;
  };
  assert_int_equal(Restricted(grants, run), 1);
  std::vector<DirectoryGrant> executable = grants;
  for (DirectoryGrant& grant : executable) grant.access = DirectoryAccess::kExecute;
  assert_int_equal(Restricted(executable, run), 0);
}

void NamesMissingDirectories(void** state) {
  const auto& at = *static_cast<Directories*>(*state);
  const int end =
      Restricted({{at.top + "/none", DirectoryAccess::kWrite}, {at.open, DirectoryAccess::kWrite}},
                 [&](const auto& missing) {
                   return missing == std::vector<std::string>{at.top + "/none"} ? 0 : 1;
                 });
  assert_int_equal(end, 0);
}

void ForbidsFilesAndSignalsBeyondItself(void**) {
  const pid_t parent = getpid();
  const auto end = RunInChild([parent] {
    if (!ForbidNewPrivileges().ok() || !ForbidReachingOut()) return 90;
    if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES) return 1;
    if (LandlockVersion() >= 6 && kill(parent, 0) == 0) return 2;
    return kill(getpid(), 0) == 0 ? 0 : 3;
  });
  assert_int_equal(end.exit_status, 0);
}

// As the supervisor does it: the namespace first, then Landlock, then a child enters it.
void TheEmptyRootIsEnteredUnderLandlock(void**) {
  const auto end = RunInChild([] {
    if (!HasCapability(CAP_SYS_ADMIN) && unshare(CLONE_NEWUSER) != 0)
      return MakeEmptyRoot().ok() ? 80 : 0;  // not allowed here, and said so
    Result<UniqueFd> root = MakeEmptyRoot();
    if (!root.ok()) return 1;
    // Its making left this process where it was.
    if (access("/etc/passwd", F_OK) != 0) return 2;
    std::vector<std::string> missing;
    const DirectoryGrant grants[] = {{"/", DirectoryAccess::kRead}};
    if (!ForbidNewPrivileges().ok() || !RestrictDirectories(grants, &missing).ok()) return 3;
    // This is why it is made ahead.
    if (unshare(CLONE_NEWNS) != 0) return 4;
    if (mount("none", "/proc", "tmpfs", 0, nullptr) == 0 || errno != EPERM) return 5;
    if (!EnterEmptyRoot(root->get())) return 6;
    DIR* directory = opendir("/");
    int entries = 0;
    while (directory != nullptr && readdir(directory) != nullptr) ++entries;
    if (entries > 2) return 7;
    if (access("/etc", F_OK) == 0 || access("/proc/self", F_OK) == 0) return 8;
    return mkdir("/new", 0755) == 0 ? 9 : 0;
  });
  assert_int_equal(end.exit_status, 0);
}

}  // namespace
}  // namespace ntpward

int main() {
  using namespace ntpward;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WritesOnlyWhereGranted),
      cmocka_unit_test(DevicesMayBeWrittenButNotMade),
      cmocka_unit_test(ExecutesOnlyWhereGranted),
      cmocka_unit_test(NamesMissingDirectories),
      cmocka_unit_test(ForbidsFilesAndSignalsBeyondItself),
      cmocka_unit_test(TheEmptyRootIsEnteredUnderLandlock),
  };
  return cmocka_run_group_tests(tests, SetUp, TearDown);
}
