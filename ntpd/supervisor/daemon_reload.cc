// SIGHUP: a new configuration, whole or not at all.
//
// Everything that can fail comes first: the file is read strictly, its directories must be within
// reach, and a second ntpd-keys must load the new key files. Only then does the old one go, and net
// is told. ntpd-resolve gets new names before net hears of them, and no name ever changes its
// index.
#include <poll.h>

#include "ntpd/supervisor/clock_start.h"
#include "ntpd/supervisor/daemon.h"
#include "ntpd/supervisor/diagnostic_log.h"
#include "ntpd/supervisor/directories.h"
#include "ntpd/supervisor/file_conflicts.h"
#include "ntpd/supervisor/file_source.h"
#include "ntpd/supervisor/need_restart.h"
#include "ntpd/supervisor/timeval.h"
#include "privsep/supervisor_link.h"

namespace ntpward::supervisor {
namespace {

using msg::Role;

constexpr double kCandidateSeconds = 30;  // to read its files; MV parameters take some
constexpr double kHandOverSeconds = 1;    // at most
constexpr double kDyingSeconds = 1;       // at most, of a process that was killed
constexpr int kLastWords = 1000;          // messages; more than a pipe holds

}  // namespace

void Daemon::Reload() {
  if (ending_) return;
  if (!started_) {
    reload_due_ = true;
    return;
  }
  if (const Status reopened = log_->Reopen(); !reopened.ok())
    log_->Log(LogLevel::kError, reopened.error().text);
  DiskFiles files(/*caged=*/true);
  config::Parsed fresh = config::Load(options_.config_file, files, config::ParsePolicy::kStrict);
  fresh.config.authentication.crypto.password = Secret();
  for (const config::Diagnostic& diagnostic : fresh.diagnostics) LogDiagnostic(diagnostic, log_);
  if (!fresh.usable(config::ParsePolicy::kStrict))
    return RefuseReload("the configuration has errors");
  if (const Status checked = CheckReload(fresh.config); !checked.ok())
    return RefuseReload(checked.error().text);
  log_->Log(LogLevel::kNotice, "reloading " + options_.config_file);
  next_config_ = std::move(fresh.config);
  if (const Status started = StartCandidate(); !started.ok()) RefuseReload(started.error().text);
}

Status Daemon::CheckReload(const config::Config& fresh) const {
  const auto conflicts = FindFileConflicts(fresh, options_);
  if (!conflicts.empty()) return Fail(conflicts.front().text);
  // An interface that has gone for now is no reason to refuse new keys.
  if (LeavesNoAddress(fresh.system, options_) && !LeavesNoAddress(config_.system, options_))
    return Fail(kNoAddress);
  const auto missing = NotCovered(directories_, ConfiguredDirectories(fresh, options_));
  if (!missing.empty()) return Fail("restart needed: " + missing.front() + " is a new directory");
  // Every name ever used keeps its index, so that they add up.
  const NetConfiguration next = Translate(fresh, options_, log_, translated_.names);
  if (next.names.size() >= msg::kMaxNames) return Fail("restart needed: too many names");
  for (const config::Diagnostic& error : next.errors) LogDiagnostic(error, log_);
  if (!next.errors.empty()) return Fail("the configuration has errors");
  // One that was damaged since it was named leaves the table that there is, and keeps out no keys.
  const bool newly_named = fresh.output.leapfile.value != config_.output.leapfile.value;
  if (const auto problem = newly_named ? FindLeapFileProblem(fresh) : std::nullopt) {
    LogDiagnostic(*problem, log_);
    if (problem->severity == config::Severity::kError)
      return Fail("the leap second file cannot be used");
  }
  return {};
}

Status Daemon::StartCandidate() {
  if (candidate_.process) candidate_.process->Kill();
  Unwatch(candidate_);
  candidate_.process = TRY(slot(Role::kKeys).process->Sibling());
  TRY_VOID(StartProcess(candidate_, *next_config_, config::ParsePolicy::kStrict));
  const Handler late = [](evutil_socket_t, short, void* argument) {
    static_cast<RoleSlot*>(argument)->process->Kill();
  };
  candidate_.timer.reset(evtimer_new(base_.get(), late, &candidate_));
  const timeval delay = ToTimeval(kCandidateSeconds);
  evtimer_add(candidate_.timer.get(), &delay);
  return {};
}

void Daemon::RefuseReload(const std::string& why) {
  next_config_.reset();
  candidate_.timer.reset();
  if (candidate_.process) candidate_.process->Kill();
  Unwatch(candidate_);
  candidate_.process.reset();
  log_->Log(LogLevel::kError, "reload refused: " + why + "; nothing changed");
}

void Daemon::OnCandidateEnd(int status) {
  OnReadable(candidate_, 1000);
  if (!candidate_.process) return;
  OnErrors(candidate_);
  RefuseReload(candidate_.process->said_why ? "ntpd-keys cannot use the new key files"
                                            : "the new " + candidate_.process->Ended(status));
}

// What net's associations have agreed with others goes from the old ntpd-keys to the new one. True
// when all of it came.
bool Daemon::HandOver(RoleSlot& keys) {
  const bool autokey =
      config_.authentication.crypto.enabled() && next_config_->authentication.crypto.enabled();
  const RoleProcess& old = *keys.process;
  if (!autokey || !old.running() || !old.ready || old.condemned()) return false;
  Post(keys, msg::KeysHandOver{});
  Post(candidate_, msg::KeysHandOver{});
  Channel* channel = candidate_.process->channel();
  const MonoTime end = MonotonicNow() + kHandOverSeconds;
  while (!channel->peer_gone() && MonotonicNow() < end) {
    pollfd fd{channel->in_fd(), POLLIN, 0};
    (void)poll(&fd, 1, 10);
    const auto bytes = channel->Receive();
    if (!bytes) continue;
    if (msg::KeysInherited inherited; msg::Decode(*bytes, &inherited)) return inherited.whole;
    if (msg::LogLine line; msg::Decode(*bytes, &line)) LogFrom(candidate_, line);
  }
  return false;
}

// What it did before it was killed, and told net of, must not be lost.
void Daemon::HearOut(RoleSlot& killed) {
  Channel* channel = killed.process->channel();
  const MonoTime end = MonotonicNow() + kDyingSeconds;
  while (channel != nullptr && !channel->peer_gone() && MonotonicNow() < end) {
    pollfd fd{channel->in_fd(), POLLIN, 0};
    (void)poll(&fd, 1, 10);
    OnReadable(killed, kLastWords);
  }
}

void Daemon::OnCandidateReady(const msg::RoleReady& message) {
  RoleSlot& keys = slot(Role::kKeys);
  const bool continues = HandOver(keys);
  keys.process->Kill();
  HearOut(keys);
  Unwatch(keys);
  Unwatch(candidate_);
  candidate_.timer.reset();
  // Its end finds nobody who waits for it: see OnChildEnd.
  keys.process = std::move(candidate_.process);
  Watch(keys);
  Pump(keys);
  keys.process->was_ready = true;
  // Commands may have come since the new one was told what was kept. It takes none itself before
  // OnReady() lets it serve, so that nothing of this is older than what it did.
  for (const msg::RuntimeLine& kept : kept_lines_.lines()) Post(keys, kept);
  for (const msg::RuntimeTrust& kept : kept_trust_.Messages()) Post(keys, kept);
  CommitReload();
  OnReady(keys, message, continues);
}

void Daemon::ReloadSockets() {
  sockets_.SetDscp(config_.system.dscp.value);
  if (!sockets_.SetConfiguration(config_)) {
    log_->Log(LogLevel::kWarning,
              "interface: from some lines to none, or from none to some, needs a restart");
    return;
  }
  OnInterfaceChange();
}

// Its limits hold until it dies: a new one takes over where it was.
void Daemon::ReloadClockLimits() {
  const msg::ClockStart fresh = FirstClockStart(config_, options_, virtual_clock_, drift_);
  if (fresh.step_limit == clock_start_.step_limit && fresh.slew_only == clock_start_.slew_only)
    return;
  clock_start_.step_limit = fresh.step_limit;
  clock_start_.slew_only = fresh.slew_only;
  slot(Role::kClock).process->Retire();
}

void Daemon::CommitReload() {
  if (const size_t kept = kept_lines_.lines().size(); kept != 0)
    log_->Log(LogLevel::kNotice,
              std::to_string(kept) + " lines that ntpq gave since the start stay in force");
  for (const std::string& what : NeedRestart(config_, *next_config_, options_))
    log_->Log(LogLevel::kWarning, what + " changed: needs a restart");
  config_ = std::move(*next_config_);
  next_config_.reset();
  // The sockets are asked whether they hear them.
  groups_.Configure(config_);
  ReloadSockets();
  ReloadClockLimits();
  statistics_.Configure(config_);
  log_->KeepInfo((LogClasses(config_) & msg::kLogSystemInfo) != 0);
  leap_seconds_.Load(config_.output);
  SendLeapTable(Role::kClock);
  const size_t known_names = translated_.names.size();
  NetConfiguration next = Translate(config_, options_, log_, translated_.names);
  next.start.virtual_clock = virtual_clock_;
  next.start.quit = false;
  translated_ = std::move(next);
  groups_.Apply(sockets_.sockets());
  RoleSlot& net = slot(Role::kNet);
  if (translated_.names.size() != known_names) {
    // It has no way to be told more: a new one, and net hears of the names once it is ready.
    net_waits_for_names_ = true;
    return slot(Role::kResolve).process->Retire();
  }
  if (net.process->running()) SendNetConfiguration();
}

}  // namespace ntpward::supervisor
