// ntpd-clock: the only process that may move the clock. No socket, no file, no OpenSSL.
#include <poll.h>
#include <sys/timex.h>
#include <time.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "ntpd/clock/guard.h"
#include "ntpd/clock/kernel_clock.h"
#include "ntpd/clock/virtual_clock.h"
#include "privsep/channel.h"
#include "privsep/fds.h"
#include "privsep/msg/control.h"
#include "privsep/policies.h"
#include "privsep/role_start.h"
#include "privsep/supervisor_link.h"

namespace ntpward::clock {
namespace {

double SystemUnixSeconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

bool SystemLeaps() {
  timex status{};
  const int state = clock_adjtime(CLOCK_REALTIME, &status);
  return state == TIME_INS || state == TIME_DEL || state == TIME_OOP;
}

class Role {
 public:
  Role()
      : supervisor_(UniqueFd(kSupervisorIn), UniqueFd(kSupervisorOut)),
        net_(UniqueFd(kNetIn), UniqueFd(kNetOut)),
        link_(&supervisor_) {}

  // False when there is nothing left to serve.
  bool Turn() {
    pollfd fds[] = {{supervisor_.in_fd(), POLLIN, 0}, {net_.in_fd(), POLLIN, 0}};
    // Net is not listened to before the limits are known.
    const nfds_t count = guard_ ? 2 : 1;
    if (poll(fds, count, mirror_due_ ? kMirrorRetryMs : -1) < 0) return true;
    if (fds[0].revents != 0 && !FromSupervisor()) return false;
    if (count == 2 && fds[1].revents != 0) FromNet();
    if (mirror_due_) SendMirror(MonotonicNow());
    return true;
  }

  void SetSandbox(std::string sandbox) { sandbox_ = std::move(sandbox); }

 private:
  // One turn takes this many requests: a flood must not keep the supervisor from being heard.
  static constexpr int kRequestsPerTurn = 100;
  static constexpr int kMirrorRetryMs = 100;

  bool FromSupervisor() {
    const auto bytes = supervisor_.Receive();
    if (!bytes) return !supervisor_.peer_gone();
    if (link_.AnswersLiveness(*bytes)) return true;
    msg::NetRoleRestarted restarted;
    if (guard_ && msg::Decode(*bytes, &restarted)) {
      (void)net_.Send(device_->State(MonotonicNow()));
      return true;
    }
    msg::LeapTable table;
    if (guard_ && msg::Decode(*bytes, &table)) {
      guard_->SetLeapTable(table);
      return true;
    }
    msg::ClockStart start;
    // The supervisor starts us; if it talks nonsense there is nobody to complain to.
    if (guard_ || !msg::Decode(*bytes, &start)) return false;
    return Start(start);
  }

  bool Start(const msg::ClockStart& start) {
    if (start.is_virtual) {
      device_ =
          std::make_unique<VirtualClock>(start, MonotonicNow(), SystemUnixSeconds, SystemLeaps);
    } else {
      device_ = std::make_unique<KernelClock>();
    }
    if (const Status set = device_->SetFrequency(start.frequency, MonotonicNow()); !set.ok()) {
      link_.Failed(set.error().text);
      return false;
    }
    guard_.emplace(start);
    link_.Ready(sandbox_);
    (void)net_.Send(device_->State(MonotonicNow()));
    return true;
  }

  void FromNet() {
    for (int i = 0; i < kRequestsPerTurn; ++i) {
      const auto bytes = net_.Receive();
      if (!bytes) return;
      msg::ClockAdjust request;
      if (!msg::Decode(*bytes, &request)) return link_.Accuse(msg::Role::kNet, *bytes);
      const MonoTime now = MonotonicNow();
      const msg::ClockState state =
          guard_->Apply(request, device_.get(), now, [this](const msg::ClockMirror& ahead) {
            return supervisor_.Send(ahead) == SendOutcome::kSent;
          });
      // First where the clock is now: whoever saw the answer may see this process die next.
      SendMirror(now);
      (void)net_.Send(state);
      if (state.refusal != msg::ClockRefusal::kNone) LogRefusal(request, state.refusal);
    }
  }

  // A mirror that does not fit now is sent later. What was spent the supervisor knows already.
  void SendMirror(MonoTime now) {
    mirror_due_ = supervisor_.Send(guard_->Mirror(*device_, now)) == SendOutcome::kFull;
  }

  void LogRefusal(const msg::ClockAdjust& request, msg::ClockRefusal refusal) {
    static constexpr const char* kWhy[] = {
        "",
        "frequency over the limit",
        "slew over the limit",
        "step over the limit",
        "too many steps",
        "slewed too much for this hour or day",
        "before this program was made",
        "leap second on a day that has none",
        "TAI offset jumped",
        "the system refused",
        "stepped too far for one day",
        "the supervisor does not listen",
    };
    static_assert(std::size(kWhy) == static_cast<size_t>(msg::ClockRefusal::kLast) + 1);
    char line[200];
    std::snprintf(line, sizeof line,
                  "clock: refused: %s (step %+.6f s, slew %+.6f s, frequency %+.3f ppm)",
                  kWhy[static_cast<size_t>(refusal)], request.step.value_or(0),
                  request.slew.value_or(0), request.frequency.value_or(Ppm{}).value);
    link_.Log(LogLevel::kWarning, line);
  }

  Channel supervisor_;
  Channel net_;
  SupervisorLink link_;
  std::string sandbox_;
  std::unique_ptr<Device> device_;
  std::optional<Guard> guard_;
  bool mirror_due_ = false;
};

int Main(int argc, char** argv) {
  const RoleIdentity identity = IdentityOrExit(argc, argv);
  Role role;
  const cap_value_t keep[] = {CAP_SYS_TIME};
  const Policy policies[] = {RuntimePolicy(), ClockPolicy()};
  role.SetSandbox(EnterCageOrExit("ntpd-clock", {.identity = identity,
                                                 .own_network = true,
                                                 .empty_root = true,
                                                 .keep = keep,
                                                 .policies = policies}));
  while (role.Turn()) {
  }
  return 0;
}

}  // namespace
}  // namespace ntpward::clock

int main(int argc, char** argv) { return ntpward::clock::Main(argc, argv); }
