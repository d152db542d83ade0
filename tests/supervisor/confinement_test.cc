// What the kernel says of a process, as the supervisor reads it.
#include "ntpd/supervisor/confinement.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <string>

#include "privsep/base/unique_fd.h"
#include "tests/support/child.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::supervisor {
namespace {

constexpr std::string_view kStatus =
    "Name:\tntpd-net\nUid:\t0\t991\t991\t991\nGid:\t991\t991\t991\t991\n"
    "CapInh:\t0000000000000000\nCapEff:\t0000000002000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
    "Seccomp_filters:\t2\n";

void ReadsWhatTheKernelWrites(void**) {
  const auto confinement = ParseConfinement(kStatus);
  assert_true(confinement.has_value());
  assert_int_equal(confinement->uid, 991);
  assert_int_equal(confinement->seccomp, 2);
  assert_true(confinement->no_new_privileges);
  assert_true(confinement->capabilities == 1U << 25);
}

// What is missing must not look like a zero.
void SaysNothingOfATextThatIsCutShort(void**) {
  const size_t needed = kStatus.find("Seccomp_filters") - 1;
  for (size_t size = 0; size < needed - 1; ++size)
    assert_false(ParseConfinement(kStatus.substr(0, size)).has_value());
  assert_true(ParseConfinement(kStatus.substr(0, needed)).has_value());
  assert_false(ParseConfinement("Uid:\t0\nCapEff:\t0\nNoNewPrivs:\t0\nSeccomp:\t0\n").has_value());
  assert_false(ReadConfinement(-1).has_value());
}

void SeesAChangeInAFileThatWasOpenBefore(void**) {
  const auto outcome = test::RunInChild([] {
    const UniqueFd status(open("/proc/self/status", O_RDONLY));
    const auto before = ReadConfinement(status.get());
    if (!before || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 1;
    const auto after = ReadConfinement(status.get());
    return after && after->no_new_privileges && after->uid == geteuid() ? 0 : 2;
  });
  assert_int_equal(outcome.exit_status, 0);
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ReadsWhatTheKernelWrites),
      cmocka_unit_test(SaysNothingOfATextThatIsCutShort),
      cmocka_unit_test(SeesAChangeInAFileThatWasOpenBefore),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
