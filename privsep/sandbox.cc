#include "privsep/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "privsep/base/system_error.h"

namespace ntpward {
namespace {

#ifdef NTPWARD_SANDBOX_TRAP
// A build for finding out what a policy lacks: names the call, then dies as the real one does.
constexpr uint32_t kOtherwise = SCMP_ACT_TRAP;

void OnTrap(int, siginfo_t* info, void*) {
  char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
  char line[128];
  const int size = snprintf(line, sizeof line, "sandbox: forbidden call %s (%d), pid %d\n",
                            name == nullptr ? "?" : name, info->si_syscall, getpid());
  (void)!write(2, line, static_cast<size_t>(size));
  _exit(159);
}

void PrepareTrap() {
  struct sigaction action = {};
  action.sa_sigaction = OnTrap;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);
}
#else
constexpr uint32_t kOtherwise = SCMP_ACT_KILL_PROCESS;
void PrepareTrap() {}
#endif

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};

void AddCondition(const ArgumentRule& rule, std::vector<scmp_arg_cmp>* conditions) {
  switch (rule.kind) {
    case ArgumentRule::Kind::kNone:
      return;
    case ArgumentRule::Kind::kEquals:
      conditions->push_back({rule.index, SCMP_CMP_EQ, rule.value, 0});
      return;
    case ArgumentRule::Kind::kMaskedZero:
      conditions->push_back({rule.index, SCMP_CMP_MASKED_EQ, rule.mask, 0});
      return;
    case ArgumentRule::Kind::kMaskedEquals:
      conditions->push_back({rule.index, SCMP_CMP_MASKED_EQ, rule.mask, rule.value});
      return;
    case ArgumentRule::Kind::kOwnPid:
      conditions->push_back({rule.index, SCMP_CMP_EQ, static_cast<uint64_t>(getpid()), 0});
      return;
  }
}

Status AddRule(void* filter, const SyscallRule& rule) {
  const int number = seccomp_syscall_resolve_name(std::string(rule.name).c_str());
  // A call that this architecture or library does not have needs no permission.
  if (number == __NR_SCMP_ERROR || number < 0) return {};
  std::vector<scmp_arg_cmp> conditions;
  AddCondition(rule.first, &conditions);
  AddCondition(rule.second, &conditions);
  AddCondition(rule.third, &conditions);
  const int failed = seccomp_rule_add_array(
      filter, SCMP_ACT_ALLOW, number, static_cast<unsigned>(conditions.size()), conditions.data());
  // EEXIST: another table of the union says the same.
  if (failed != 0 && failed != -EEXIST)
    return Fail("seccomp: rule for " + std::string(rule.name) + ": " + std::strerror(-failed));
  return {};
}

}  // namespace

Status InstallPolicies(std::span<const Policy> policies) {
  PrepareTrap();
  std::unique_ptr<void, ReleaseFilter> filter(seccomp_init(kOtherwise));
  if (filter == nullptr) return Fail("seccomp: no filter context");
  for (const Policy& policy : policies)
    for (const SyscallRule& rule : policy) TRY_VOID(AddRule(filter.get(), rule));
  if (const int failed = seccomp_load(filter.get()); failed != 0)
    return FailErrno("seccomp: cannot install the filter", -failed);
  return {};
}

}  // namespace ntpward
