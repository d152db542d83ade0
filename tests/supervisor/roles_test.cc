// ntpd-clock and ntpd-resolve as they are built, started by a process that has shut the
// supervisor's own filter behind it: a filter is inherited, so a call that it lacks would end the
// role.
//
// The clock is virtual, and the right to set the real one is dropped before anything is started.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "ntpd/supervisor/role_process.h"
#include "privsep/cage.h"
#include "privsep/capabilities.h"
#include "privsep/msg/clock.h"
#include "privsep/msg/resolve.h"
#include "privsep/policies.h"
#include "privsep/supervisor_link.h"
#include "tests/support/child.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/localhost.h"

namespace ntpward::supervisor {
namespace {

using msg::Role;

std::string Programs() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../../bin").string();
}

// The supervisor's part, played in a child. Every failure is an exit status.
class Play {
 public:
  explicit Play(Role role) : role_(role) {}

  // A status from 100 on is a failure; `body` gives the others.
  template <typename Body>
  static int Run(Role role, Body body) {
    return test::RunInChild([&] {
             Play play(role);
             const int failed = play.Start();
             return failed != 0 ? failed : body(play);
           })
        .exit_status;
  }

  template <msg::Message M>
  bool FromRole(M* message) {
    return Next(*process_->channel(), message);
  }
  template <msg::Message M>
  bool ToNet(M* message) {
    return Next(*net_, message);
  }
  template <msg::Message M>
  void AsNet(const M& message) {
    CHECK(net_->Send(message) == SendOutcome::kSent);
  }
  template <msg::Message M>
  void AsSupervisor(const M& message) {
    CHECK(process_->channel()->Send(message) == SendOutcome::kSent);
  }
  bool Ready() {
    msg::RoleReady ready;
    return FromRole(&ready) && ready.sandbox.text().find("seccomp=2") != std::string_view::npos;
  }
  pid_t pid() const { return process_->pid(); }
  // Status of the role's end; -1 when it lives on for 5 s.
  int Wait() const {
    int status = 0;
    for (int i = 0; i < 500; ++i) {
      if (waitpid(pid(), &status, WNOHANG) == pid()) return status;
      poll(nullptr, 0, 10);
    }
    return -1;
  }

 private:
  // The next message of this type; log lines between are skipped, anything else is a failure.
  template <msg::Message M>
  static bool Next(Channel& channel, M* message) {
    for (;;) {
      pollfd readable{channel.in_fd(), POLLIN, 0};
      if (poll(&readable, 1, 5000) <= 0) return false;
      const auto bytes = channel.Receive();
      if (!bytes) return false;
      if (msg::Decode(*bytes, message)) return true;
      if (msg::PeekType(*bytes) != msg::Type::kLogLine) return false;
    }
  }

  int Start() {
    if (HasCapability(CAP_SETPCAP) && cap_drop_bound(CAP_SYS_TIME) != 0) return 101;
    signal(SIGPIPE, SIG_IGN);
    for (PeerLink& link : links_) {
      auto made = PeerLink::Make();
      if (!made.ok()) return 102;
      link = std::move(made).value();
      // As a predecessor that was taken over might leave them.
      if (fcntl(link.from_net.read_end.get(), F_SETFL, 0) != 0 ||
          fcntl(link.to_net.write_end.get(), F_SETFL, 0) != 0)
        return 106;
    }
    const uid_t uid = HasCapability(CAP_SETUID) ? 64801 : getuid();
    auto opened = RoleProcess::Open(role_, Programs(), {uid, uid == 64801 ? 64801 : getgid()});
    if (!opened.ok()) return 103;
    process_ = std::move(opened).value();
    const Policy policies[] = {RuntimePolicy(), SupervisorPolicy(), RoleStartPolicy()};
    if (!ForbidNewPrivileges().ok() || !InstallPolicies(policies).ok()) return 104;
    if (!process_->Start(links_, {}, -1, MonotonicNow()).ok()) return 105;
    PeerLink& link = links_[static_cast<size_t>(role_)];
    net_.emplace(UniqueFd(dup(link.to_net.read_end.get())),
                 UniqueFd(dup(link.from_net.write_end.get())));
    return 0;
  }

  Role role_;
  PeerLinks links_;
  std::unique_ptr<RoleProcess> process_;
  std::optional<Channel> net_;
};

// A virtual clock that is ready and has told net its state; 0 when all of that came.
int StartClock(Play& play) {
  play.AsSupervisor(msg::ClockStart{.is_virtual = true, .step_limit = 10, .initial_correction = 5});
  msg::ClockState state;
  if (!play.Ready()) return 1;
  if (!play.ToNet(&state) || state.request != 0 || !state.is_virtual) return 2;
  return std::fabs(state.correction - 5) < 1e-3 ? 0 : 3;
}

void ClockAppliesWhatIsWithinItsLimits(void**) {
  assert_int_equal(Play::Run(Role::kClock,
                             [](Play& play) {
                               if (const int failed = StartClock(play); failed != 0) return failed;
                               play.AsNet(msg::ClockAdjust{.request = 9, .step = -2.0});
                               msg::ClockState state;
                               msg::ClockMirror mirror;
                               if (!play.ToNet(&state) || state.request != 9) return 4;
                               if (state.refusal != msg::ClockRefusal::kNone) return 5;
                               if (std::fabs(state.correction - 3) > 1e-3) return 6;
                               // Once ahead, with the step spent, and once where it led to.
                               if (!play.FromRole(&mirror) || mirror.budget.steps != 1) return 7;
                               if (std::fabs(mirror.correction - 5) > 1e-3) return 8;
                               if (!play.FromRole(&mirror) || mirror.budget.steps != 1) return 9;
                               return std::fabs(mirror.correction - 3) < 1e-3 ? 0 : 10;
                             }),
                   0);
}

void ClockRefusesWhatIsOverItsLimits(void**) {
  assert_int_equal(Play::Run(Role::kClock,
                             [](Play& play) {
                               if (const int failed = StartClock(play); failed != 0) return failed;
                               play.AsNet(msg::ClockAdjust{.request = 1, .step = 11.0});
                               msg::ClockState state;
                               if (!play.ToNet(&state)) return 4;
                               if (state.refusal != msg::ClockRefusal::kStepLimit) return 5;
                               return std::fabs(state.correction - 5) < 1e-3 ? 0 : 6;
                             }),
                   0);
}

void ClockReportsAMalformedMessageAndAppliesNothing(void**) {
  assert_int_equal(
      Play::Run(Role::kClock,
                [](Play& play) {
                  if (const int failed = StartClock(play); failed != 0) return failed;
                  play.AsNet(msg::ResolveRequest{.index = 1});
                  msg::Misbehaviour accusation;
                  if (!play.FromRole(&accusation)) return 4;
                  if (accusation.culprit != Role::kNet) return 5;
                  if (accusation.message_type != static_cast<uint16_t>(msg::Type::kResolveRequest))
                    return 6;
                  play.AsNet(msg::ClockAdjust{.request = 2});
                  msg::ClockState state;
                  if (!play.ToNet(&state) || state.request != 2) return 7;
                  return std::fabs(state.correction - 5) < 1e-3 ? 0 : 8;
                }),
      0);
}

void ClockDoesNotListenToNetBeforeItsLimits(void**) {
  assert_int_equal(Play::Run(Role::kClock,
                             [](Play& play) {
                               play.AsNet(msg::ClockAdjust{.request = 3, .step = 11.0});
                               if (const int failed = StartClock(play); failed != 0) return failed;
                               msg::ClockState state;
                               if (!play.ToNet(&state) || state.request != 3) return 4;
                               return state.refusal == msg::ClockRefusal::kStepLimit ? 0 : 5;
                             }),
                   0);
}

// Net reads none of the answers, and the pipes' ends were made to wait.
void ClockWaitsForNobodyWhateverItsPredecessorDid(void**) {
  assert_int_equal(Play::Run(Role::kClock,
                             [](Play& play) {
                               if (const int failed = StartClock(play); failed != 0) return failed;
                               constexpr uint32_t kMany = kPipeBytes / msg::kMaxMessage + 1;
                               for (uint32_t i = 1; i <= kMany; ++i) {
                                 play.AsNet(msg::ClockAdjust{.request = i});
                                 msg::ClockMirror mirror;
                                 if (!play.FromRole(&mirror)) return 4;
                               }
                               play.AsSupervisor(msg::LivenessQuestion{.number = 1});
                               msg::LivenessAnswer answer;
                               return play.FromRole(&answer) && answer.number == 1 ? 0 : 5;
                             }),
                   0);
}

void RolesLiveThroughStopAndContinue(void**) {
  assert_int_equal(Play::Run(Role::kClock,
                             [](Play& play) {
                               if (const int failed = StartClock(play); failed != 0) return failed;
                               kill(play.pid(), SIGSTOP);
                               poll(nullptr, 0, 100);
                               kill(play.pid(), SIGCONT);
                               play.AsNet(msg::ClockAdjust{.request = 4});
                               msg::ClockState state;
                               return play.ToNet(&state) && state.request == 4 ? 0 : 4;
                             }),
                   0);
}

void TheKernelsNameOfARoleIsItsOwn(void**) {
  assert_int_equal(
      Play::Run(Role::kClock,
                [](Play& play) {
                  if (const int failed = StartClock(play); failed != 0) return failed;
                  char name[32] = "";
                  const std::string path = "/proc/" + std::to_string(play.pid()) + "/comm";
                  std::FILE* file = std::fopen(path.c_str(), "re");
                  if (file == nullptr || std::fgets(name, sizeof name, file) == nullptr) return 4;
                  return std::string_view(name) == "ntpd-clock\n" ? 0 : 5;
                }),
      0);
}

void ResolveLooksUpItsNamesOnly(void**) {
  assert_int_equal(
      Play::Run(Role::kResolve,
                [](Play& play) {
                  msg::ResolveName name{.index = 7};
                  CHECK(name.name.Assign(AsBytes("localhost")));
                  play.AsSupervisor(name);
                  play.AsSupervisor(msg::ResolveEnd{.count = 1});
                  if (!play.Ready()) return 1;
                  play.AsNet(msg::ResolveRequest{.index = 7});
                  msg::ResolveAnswer answer;
                  if (!play.ToNet(&answer) || answer.index != 7) return 2;
                  const bool found = answer.outcome == msg::ResolveOutcome::kOk;
                  if (found != test::LocalhostIsKnown()) return 3;
                  if (found && !answer.addresses[0].is_loopback()) return 4;
                  play.AsNet(msg::ResolveRequest{.index = 8});
                  msg::Misbehaviour accusation;
                  return play.FromRole(&accusation) && accusation.culprit == Role::kNet ? 0 : 5;
                }),
      0);
}

void RolesEndWhenTheSupervisorTalksNonsense(void**) {
  for (const Role role : {Role::kClock, Role::kResolve}) {
    assert_int_equal(Play::Run(role,
                               [](Play& play) {
                                 play.AsSupervisor(msg::LogLine{});
                                 const int status = play.Wait();
                                 return WIFEXITED(status) ? 0 : 1;
                               }),
                     0);
  }
}

void RolesDieWithTheSupervisor(void**) {
  // Orphans come to this process, so that their end can be seen.
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  const auto end = test::RunInChild([] {
    return Play::Run(Role::kClock, [](Play& play) {
      const int failed = StartClock(play);
      if (failed == 0) kill(getpid(), SIGKILL);
      return failed;
    });
  });
  (void)end;
  int status = 0;
  assert_true(wait(&status) > 0);
  // The kernel closes the supervisor's descriptors before it signals its children: a role that sees
  // the end of its channel first leaves by itself.
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  const bool left = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  assert_true(killed || left);
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ClockAppliesWhatIsWithinItsLimits),
      cmocka_unit_test(ClockRefusesWhatIsOverItsLimits),
      cmocka_unit_test(ClockReportsAMalformedMessageAndAppliesNothing),
      cmocka_unit_test(ClockDoesNotListenToNetBeforeItsLimits),
      cmocka_unit_test(ClockWaitsForNobodyWhateverItsPredecessorDid),
      cmocka_unit_test(RolesLiveThroughStopAndContinue),
      cmocka_unit_test(TheKernelsNameOfARoleIsItsOwn),
      cmocka_unit_test(ResolveLooksUpItsNamesOnly),
      cmocka_unit_test(RolesEndWhenTheSupervisorTalksNonsense),
      cmocka_unit_test(RolesDieWithTheSupervisor),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
