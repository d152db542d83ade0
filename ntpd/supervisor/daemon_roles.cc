// The life of the roles: started in order, told what they need, started again when they die.
#include <fcntl.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "ntpd/supervisor/clock_start.h"
#include "ntpd/supervisor/confinement.h"
#include "ntpd/supervisor/daemon.h"
#include "ntpd/supervisor/file_source.h"
#include "ntpd/supervisor/keys_start.h"
#include "ntpd/supervisor/own_addresses.h"
#include "ntpd/supervisor/timeval.h"
#include "privsep/base/system_error.h"
#include "privsep/fds.h"
#include "privsep/namespaces.h"
#include "privsep/supervisor_link.h"

namespace ntpward::supervisor {
namespace {

using msg::Role;

constexpr Role kAllRoles[] = {Role::kClock, Role::kKeys, Role::kResolve, Role::kNet};
// Beyond this many messages in one turn the others get theirs first.
constexpr int kMessagesPerTurn = 200;
// What a dead role may have left: more than any pipe or socket holds.
constexpr int kLastWords = 100000;
// Questions in a row that a process leaves unanswered, and is called silent.
constexpr int kSilence = 2;
// Seconds until a socket that could not be bound is tried again: doubling.
constexpr double kFirstPatience = 1;
constexpr double kLongestPatience = 60;

}  // namespace

Status Daemon::OpenRoles() {
  started_at_ = MonotonicNow();
  own_status_ = UniqueFd(open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  // Pipes with flags of their own (WithOwnFlags) and our programs are found by it.
  if (!own_status_.valid()) return FailErrno("/proc, which must be mounted: /proc/self/status");
  std::string note;
  const Accounts accounts = TRY(ChooseAccounts(options_.user, &note));
  if (!note.empty()) log_->Log(LogLevel::kNotice, note);
  if (auto root = MakeEmptyRoot(); root.ok()) {
    empty_root_ = std::move(root).value();
  } else {
    log_->Log(LogLevel::kNotice, root.error().text);
  }
  const std::string directory = ProgramDirectory();
  for (const Role role : kAllRoles) {
    RoleSlot& s = slot(role);
    s.daemon = this;
    s.process = TRY(RoleProcess::Open(role, directory, accounts[static_cast<size_t>(role)]));
    const Handler start = [](evutil_socket_t, short, void* argument) {
      auto* self = static_cast<RoleSlot*>(argument);
      self->daemon->StartRole(self->process->role());
    };
    s.timer.reset(evtimer_new(base_.get(), start, &s));
  }
  candidate_.daemon = this;
  return {};
}

void Daemon::StartRole(Role role) {
  RoleSlot& s = slot(role);
  if (ending_ || s.process->running()) return;
  // Answers that were still being made when its predecessor died. Before that there is none, and
  // what ntpd-clock says at its own start is for the first net.
  if (s.process->was_ready) DrainLinks(role);
  if (const Status started = StartProcess(s, config_, config::ParsePolicy::kStartup);
      !started.ok()) {
    log_->Log(LogLevel::kError,
              std::string("ntpd-") + RoleName(role) + ": cannot start: " + started.error().text);
    if (!started_) return Stop(1);
    return ScheduleRestart(s, 0);
  }
  AwaitReady(s);
  SendStart(role);
  if (role != Role::kNet || !s.process->was_ready) return;
  Post(slot(Role::kClock), msg::NetRoleRestarted{.role = Role::kNet});
  // The dead net may have been taken over, and it has seen cookies.
  if (slot(Role::kKeys).process->ready) Post(slot(Role::kKeys), msg::KeysRollSeed{});
}

Status Daemon::StartProcess(RoleSlot& s, const config::Config& config, config::ParsePolicy policy) {
  if (s.process->role() == Role::kKeys) {
    TRY_VOID(StartKeysProcess(*s.process, config, policy));
  } else {
    TRY_VOID(s.process->Start(links_, {}, empty_root_.get(), MonotonicNow()));
  }
  Watch(s);
  Pump(s);
  return {};
}

Status Daemon::StartKeysProcess(RoleProcess& keys, const config::Config& config,
                                config::ParsePolicy policy) {
  DiskFiles files;
  // The password is read from the file at each start and kept nowhere.
  config::Parsed fresh = config::Load(options_.config_file, files, config::ParsePolicy::kStartup);
  KeysStartBundle bundle =
      TRY(KeysStartBundle::Make(config, fresh.config, virtual_clock_, policy, log_));
  // What one that died has left in it must not meet its successor.
  if (!slot(Role::kKeys).process->running() || !heritage_) heritage_ = TRY(MakePipe());
  RoleProcess::Inherited inherited = bundle.Inherit();
  inherited.emplace_back(heritage_->read_end.get(), kHeritageIn);
  inherited.emplace_back(heritage_->write_end.get(), kHeritageOut);
  TRY_VOID(keys.Start(links_, inherited, empty_root_.get(), MonotonicNow()));
  bundle.Send(keys.channel(), &keys.outbox(), TrustedKeys(config), kept_trust_.Messages(),
              kept_lines_.lines());
  return {};
}

void Daemon::Watch(RoleSlot& s) {
  const auto listen = [&](int fd, Handler handler) {
    Event listener(event_new(base_.get(), fd, EV_READ | EV_PERSIST, handler, &s));
    event_add(listener.get(), nullptr);
    return listener;
  };
  s.readable = listen(s.process->channel()->in_fd(), [](evutil_socket_t, short, void* argument) {
    auto* self = static_cast<RoleSlot*>(argument);
    self->daemon->OnReadable(*self, kMessagesPerTurn);
  });
  s.errors = listen(s.process->errors_fd(), [](evutil_socket_t, short, void* argument) {
    auto* self = static_cast<RoleSlot*>(argument);
    self->daemon->OnErrors(*self);
  });
}

void Daemon::Unwatch(RoleSlot& s) {
  s.readable.reset();
  s.writable.reset();
  s.errors.reset();
}

void Daemon::Pump(RoleSlot& to) {
  if (to.process->outbox().Flush(to.process->channel())) return to.writable.reset();
  if (to.writable) return;
  const Handler pump = [](evutil_socket_t, short, void* argument) {
    auto* self = static_cast<RoleSlot*>(argument);
    self->daemon->Pump(*self);
  };
  to.writable.reset(
      event_new(base_.get(), to.process->channel()->out_fd(), EV_WRITE | EV_PERSIST, pump, &to));
  event_add(to.writable.get(), nullptr);
}

void Daemon::Overrun(RoleSlot& to) {
  log_->Log(LogLevel::kError,
            std::string("ntpd-") + RoleName(to.process->role()) + " does not listen: killed");
  to.process->Kill();
}

void Daemon::SendStart(Role role) {
  if (role == Role::kClock) return SendClockStart();
  if (role == Role::kResolve) return SendNames();
  if (role == Role::kNet) return SendNetConfiguration();
}

void Daemon::SendClockStart() {
  const msg::ClockStart start =
      clock_mirror_ ? NextClockStart(clock_start_, *clock_mirror_, MonotonicNow()) : clock_start_;
  Post(slot(Role::kClock), start);
  SendLeapTable(Role::kClock);
}

void Daemon::SendNames() {
  RoleSlot& resolve = slot(Role::kResolve);
  for (const msg::ResolveName& name : translated_.names) Post(resolve, name);
  Post(resolve, msg::ResolveEnd{.count = static_cast<uint16_t>(translated_.names.size())});
}

void Daemon::SendNetConfiguration() {
  RoleSlot& net = slot(Role::kNet);
  msg::NetStart start = translated_.start;
  start.drift = drift_;
  start.owed_headway = headway_.OwedAt(MonotonicNow());
  // What ntpd-clock would refuse, net should not ask for: the gate is for the first correction
  // only.
  start.allow_panic = clock_start_.first_step_free && !(clock_mirror_ && clock_mirror_->gate_shut);
  told_addresses_.reset();
  SendAddresses();
  Post(net, start);
  for (const auto& association : translated_.associations) Post(net, association);
  for (const auto& restrictions : translated_.restrictions) Post(net, restrictions);
  for (const msg::RuntimeLine& line : kept_lines_.lines()) Post(net, line);
  Post(net, msg::NetEnd{});
  SendLeapTable(Role::kNet);
  SendSockets();
  told_processes_.reset();
  SendProcesses();
}

msg::ProcessReport Daemon::ReportOf(const RoleSlot& s) {
  RoleProcess& process = *s.process;
  msg::ProcessReport report;
  report.state = !process.running()                            ? msg::ProcessState::kEnded
                 : !process.ready                              ? msg::ProcessState::kStarting
                 : process.liveness().unanswered() >= kSilence ? msg::ProcessState::kSilent
                                                               : msg::ProcessState::kRunning;
  report.since = process.started();
  report.restarts = s.restarts;
  report.refused = s.refused;
  report.confinement = ReadConfinement(process.status_fd());
  return report;
}

// Only what has changed is said.
void Daemon::SendProcesses() {
  msg::NetProcesses processes;
  processes.supervisor = {.state = msg::ProcessState::kRunning,
                          .since = started_at_,
                          .confinement = ReadConfinement(own_status_.get())};
  for (size_t i = 0; i < slots_.size(); ++i) processes.roles[i] = ReportOf(slots_[i]);
  if (ending_ || processes == told_processes_) return;
  told_processes_ = processes;
  Post(slot(Role::kNet), processes);
}

// After what it was started with.
void Daemon::SendLeapTable(Role role) {
  if (slot(role).process->running()) Post(slot(role), leap_seconds_.table());
}

// Net ignores the indices that it has.
void Daemon::SendSockets() {
  groups_.Apply(sockets_.sockets());
  for (const ListenSocket& socket : sockets_.sockets()) {
    msg::NetSocket message;
    message.index = socket.index;
    message.local = socket.local;
    CHECK(message.interface.Assign(AsBytes(std::string_view(socket.interface).substr(0, 16))));
    message.flags = socket.flags;
    message.broadcast = socket.broadcast;
    message.drop = socket.drop;
    message.to_many = socket.to_many;
    message.loopback = socket.local.ip.is_loopback();
    Post(slot(Role::kNet), message, socket.fd.get());
  }
}

// What a taken-over net did to them must not outlive it.
void Daemon::RenewSockets() {
  groups_.Forget();
  if (!sockets_.Renew()) OpenSocketsAfter(kFirstPatience);
}

// Without a socket net still asks its servers: no reason to end.
void Daemon::OpenSocketsAfter(double seconds) {
  log_->Log(LogLevel::kError, "ntpd does not listen wherever it should: trying again in " +
                                  std::to_string(static_cast<int>(seconds)) + " s");
  sockets_patience_ = seconds;
  const Handler due = [](evutil_socket_t, short, void* self) {
    static_cast<Daemon*>(self)->OpenMissingSockets();
  };
  sockets_timer_.reset(evtimer_new(base_.get(), due, this));
  const timeval delay = ToTimeval(seconds);
  evtimer_add(sockets_timer_.get(), &delay);
}

void Daemon::OpenMissingSockets() {
  OnInterfaceChange();
  if (sockets_.IsComplete()) return sockets_timer_.reset();
  OpenSocketsAfter(std::min(kLongestPatience, 2 * sockets_patience_));
}

// Only what has changed is said.
void Daemon::SendAddresses() {
  std::vector<msg::OwnAddress> addresses = OwnAddresses(LocalAddresses());
  if (addresses == told_addresses_) return;
  for (const msg::NetAddresses& part : AddressMessages(addresses)) Post(slot(Role::kNet), part);
  told_addresses_ = std::move(addresses);
}

void Daemon::AwaitReady(RoleSlot& s) {
  const Handler late = [](evutil_socket_t, short, void* argument) {
    auto* self = static_cast<RoleSlot*>(argument);
    self->daemon->OnNotReady(*self);
  };
  s.patience.reset(evtimer_new(base_.get(), late, &s));
  const timeval delay = ToTimeval(options_.ready_timeout);
  evtimer_add(s.patience.get(), &delay);
}

// One that hangs is as good as dead; what follows is what follows a death.
void Daemon::OnNotReady(RoleSlot& late) {
  RoleProcess& process = *late.process;
  if (!process.running() || process.ready) return;
  // Net waits for ntpd-clock's word, and must not pay for its absence.
  RoleProcess& clock = *slot(Role::kClock).process;
  const bool clock_serves = clock.ready && clock.liveness().unanswered() < 2;
  if (process.role() == Role::kNet && !clock_serves) return AwaitReady(late);
  KillHung(late, "is not ready after " + std::to_string(MonotonicNow() - process.started()) + " s");
}

void Daemon::KillHung(RoleSlot& hung, const std::string& what) {
  RoleProcess& process = *hung.process;
  log_->Log(LogLevel::kError,
            std::string("ntpd-") + RoleName(process.role()) + " " + what + ": killed");
  process.said_why = true;
  process.Kill();
}

void Daemon::AskWhoLives() {
  if (ending_) return;
  for (RoleSlot& s : slots_) {
    RoleProcess& process = *s.process;
    if (!process.running() || !process.ready) continue;
    if (const auto question = process.liveness().Ask()) {
      Post(s, *question);
    } else {
      KillHung(s, "has left " + std::to_string(process.liveness().unanswered()) +
                      " questions in a row unanswered");
    }
  }
  SendProcesses();
}

void Daemon::OnReady(RoleSlot& from, const msg::RoleReady& message, bool continues) {
  RoleProcess& process = *from.process;
  const bool again = process.was_ready;
  process.ready = process.was_ready = true;
  from.patience.reset();
  process.sandbox = Printable(message.sandbox.text());
  log_->Log(LogLevel::kInfo, std::string("ntpd-") + RoleName(process.role()) + " ready, pid " +
                                 std::to_string(process.pid()) + ": " + process.sandbox);
  SendProcesses();
  if (process.role() != Role::kNet) return OnPeerReady(from, again, continues);
  if (started_) return;
  started_ = true;
  manager_->Tell("READY=1");
  if (on_started_) on_started_();
  if (std::exchange(reload_due_, false)) Reload();
}

void Daemon::OnPeerReady(RoleSlot& from, bool again, bool continues) {
  RoleSlot& net = slot(Role::kNet);
  const Role role = from.process->role();
  if (role == Role::kKeys) Post(from, msg::KeysServe{});
  if (again) Post(net, msg::NetRoleRestarted{.role = role, .continues = continues});
  if (role == Role::kResolve && net_waits_for_names_) {
    net_waits_for_names_ = false;
    if (net.process->running()) SendNetConfiguration();
  }
  const bool all = slot(Role::kClock).process->ready && slot(Role::kKeys).process->ready &&
                   slot(Role::kResolve).process->ready;
  if (all && !net.process->was_ready) StartRole(Role::kNet);
}

void Daemon::OnChildEnd() {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    if (candidate_.process && candidate_.process->pid() == pid) {
      OnCandidateEnd(status);
      continue;
    }
    // One that nobody knows was replaced at a reload.
    for (RoleSlot& s : slots_)
      if (s.process->pid() == pid) OnRoleEnd(s, status);
  }
}

void Daemon::OnRoleEnd(RoleSlot& ended, int status) {
  RoleProcess& process = *ended.process;
  // Its last words may say why.
  OnReadable(ended, kLastWords);
  if (process.role() == Role::kClock && process.condemned())
    TakeLastMirror(process.channel(), kLastWords);
  OnErrors(ended);
  Unwatch(ended);
  ended.patience.reset();
  const bool retired = process.retired();
  const std::string how = process.Ended(status);
  if (ending_) {
    if (process.role() == Role::kNet) FinishEnd();
    return;
  }
  if (!retired && !process.said_why) log_->Log(LogLevel::kError, how);
  if (!started_) return Stop(1);
  // What it left half done must not meet its successor.
  DrainLinks(process.role());
  if (process.role() == Role::kNet) {
    RenewSockets();
    headway_.OnDeath(process.started(), MonotonicNow());
  }
  if (retired) return StartRole(process.role());
  ScheduleRestart(ended, MonotonicNow() - process.started());
}

void Daemon::DrainLinks(Role dead) {
  if (dead != Role::kNet) return links_[static_cast<size_t>(dead)].Drain();
  for (PeerLink& link : links_) link.Drain();
}

void Daemon::ScheduleRestart(RoleSlot& ended, double lifetime) {
  const auto wait = ended.process->back_off().AfterDeath(lifetime);
  const std::string name = std::string("ntpd-") + RoleName(ended.process->role());
  if (!wait) {
    log_->Log(LogLevel::kError, name + " keeps dying: giving up; the clock is left as it is");
    return Stop(1);
  }
  log_->Log(LogLevel::kNotice,
            name + ": starting again in " + std::to_string(static_cast<int>(*wait)) + " s");
  const timeval delay = ToTimeval(*wait);
  evtimer_add(ended.timer.get(), &delay);
  ++ended.restarts;
  SendProcesses();
}

}  // namespace ntpward::supervisor
