#include "ntpd/supervisor/daemon.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ntpd/supervisor/clock_start.h"
#include "ntpd/supervisor/diagnostic_log.h"
#include "ntpd/supervisor/directories.h"
#include "ntpd/supervisor/state_file.h"
#include "ntpd/supervisor/timeval.h"
#include "privsep/supervisor_link.h"

namespace ntpward::supervisor {
namespace {

using msg::Role;

constexpr double kEndSeconds = 2;  // what net gets to say its last words
constexpr double kDay = 86400;

}  // namespace

std::string ProgramDirectory() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
  if (size > 0) {
    std::string directory(path, static_cast<size_t>(size));
    directory.resize(directory.rfind('/'));
    if (access((directory + "/ntpd-net").c_str(), X_OK) == 0) return directory;
  }
  return NTPWARD_LIBEXECDIR;
}

Daemon::Daemon(Options options, config::Config config, bool virtual_clock, LogSink* log,
               ServiceManager* manager)
    : options_(std::move(options)),
      config_(std::move(config)),
      virtual_clock_(virtual_clock),
      log_(log),
      manager_(manager),
      base_(event_base_new()),
      first_step_marker_(FirstStepMarker::DirectoryFromEnvironment()),
      sockets_(log, config_.system.dscp.value),
      groups_(log),
      statistics_(log),
      leap_seconds_(log),
      kept_trust_file_(FirstStepMarker::DirectoryFromEnvironment()),
      kept_lines_file_(FirstStepMarker::DirectoryFromEnvironment()),
      saver_(log),
      headway_file_(DriftPath()) {
  statistics_.Configure(config_);
  log_->KeepInfo((LogClasses(config_) & msg::kLogSystemInfo) != 0);
}

Daemon::~Daemon() = default;

std::string Daemon::DriftPath() const {
  return options_.drift_file.empty() ? config_.output.driftfile.value : options_.drift_file;
}

Status Daemon::Prepare() {
  if (const std::string path = DriftPath(); !path.empty()) {
    auto drift = ReadDrift(path);
    if (drift.ok()) {
      drift_ = *drift;
    } else {
      log_->Log(LogLevel::kError, "drift file: " + drift.error().text);
    }
  }
  if (config_.system.tinker.freq.is_set()) drift_ = Ppm{config_.system.tinker.freq.value};
  if (options_.allow_panic && first_step_marker_.found()) {
    log_->Log(LogLevel::kNotice,
              "-g is ignored: this is a restart after a crash, and the first step was made before");
    options_.allow_panic = false;
  }
  InheritTrust();
  InheritLines();
  headway_.Inherit(headway_file_.Read(MonotonicNow()), MonotonicNow());
  translated_ = Translate(config_, options_, log_);
  for (const config::Diagnostic& error : translated_.errors) {
    LogStartDiagnostic(error, log_);
    if (error.fatal_at_start) return Fail("an error that must not be ignored; not started");
  }
  translated_.start.virtual_clock = virtual_clock_;
  clock_start_ = FirstClockStart(config_, options_, virtual_clock_, drift_);
  leap_seconds_.Load(config_.output);
  TRY_VOID(sockets_.Open(config_, options_));
  groups_.Configure(config_);
  for (PeerLink& link : links_) link = TRY(PeerLink::Make());
  WatchInterfaces();
  directories_ = SystemDirectories(ProgramDirectory());
  for (DirectoryGrant& grant : ConfiguredDirectories(config_, options_))
    directories_.push_back(std::move(grant));
  return OpenRoles();
}

void Daemon::InheritTrust() {
  auto kept = kept_trust_file_.Read();
  if (!kept.ok()) {
    return log_->Log(LogLevel::kError,
                     "keys that a command revoked before a crash may be trusted "
                     "again: " +
                         kept.error().text);
  }
  kept_trust_ = std::move(kept).value();
  if (kept_trust_.size() > 0)
    log_->Log(LogLevel::kNotice, "this is a restart after a crash: what commands said of " +
                                     std::to_string(kept_trust_.size()) + " keys holds on");
}

void Daemon::InheritLines() {
  auto kept = kept_lines_file_.Read(log_);
  if (!kept.ok())
    return log_->Log(LogLevel::kError,
                     "lines that ntpq gave before a crash are lost: " + kept.error().text);
  kept_lines_ = std::move(kept).value();
  if (const size_t count = kept_lines_.lines().size(); count > 0)
    log_->Log(LogLevel::kNotice, "this is a restart after a crash: " + std::to_string(count) +
                                     " lines that ntpq gave stay in force");
}

void Daemon::WatchInterfaces() {
  netlink_ = UniqueFd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (bind(netlink_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
  interfaces_.reset(event_new(
      base_.get(), netlink_.get(), EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* self) { static_cast<Daemon*>(self)->OnInterfaceChange(); },
      this));
  event_add(interfaces_.get(), nullptr);
}

void Daemon::OnInterfaceChange() {
  std::array<uint8_t, 8192> scratch;
  // What changed is not parsed: the list of addresses is read anew.
  while (recv(netlink_.get(), scratch.data(), scratch.size(), 0) > 0) {
  }
  std::vector<uint16_t> gone;
  (void)sockets_.Refresh(&gone);
  RoleSlot& net = slot(Role::kNet);
  for (const uint16_t index : gone) Post(net, msg::NetSocketGone{.index = index});
  SendSockets();
  SendAddresses();
}

void Daemon::OnDay() {
  if (leap_seconds_.Refresh()) {
    SendLeapTable(Role::kNet);
    SendLeapTable(Role::kClock);
  }
}

// ---------------------------------------------------------------------------- signals, end

void Daemon::OnSignal(int number) {
  switch (number) {
    case SIGCHLD:
      return OnChildEnd();
    case SIGHUP:
      return Reload();
    case SIGUSR1:
    case SIGUSR2:
      return ChangeDebug(number == SIGUSR1 ? 1 : -1);
    default:
      return BeginEnd(number);
  }
}

// The roles send their debugging lines at any level: they hear nothing of it.
void Daemon::ChangeDebug(int by) {
  options_.debug = std::clamp(options_.debug + by, 0, kMostDebug);
  log_->KeepDebug(options_.debug > 0);
  log_->Log(LogLevel::kNotice, std::string("debug ") + (by > 0 ? "raised" : "lowered") + " to " +
                                   std::to_string(options_.debug));
}

void Daemon::BeginEnd(int number) {
  if (number != 0) may_linger_ = false;
  if (ending_) {
    if (headway_settled_) FinishEnd();
    return;
  }
  ending_ = true;
  ended_by_signal_ = number != 0;
  if (ended_by_signal_) {
    log_->Log(LogLevel::kNotice,
              "ntpd exiting on signal " + std::to_string(number) + " (" + strsignal(number) + ")");
    // A script that waits for the time to be set must hear that it was not.
    if (options_.quit) exit_status_ = 1;
  }
  manager_->Tell("STOPPING=1");
  RoleSlot& net = slot(Role::kNet);
  if (net.process->channel() == nullptr) return FinishEnd();
  Post(net, msg::NetTerminate{});
  FinishEndAfter(kEndSeconds);
}

void Daemon::FinishEndAfter(double seconds) {
  end_timer_.reset(evtimer_new(
      base_.get(),
      [](evutil_socket_t, short, void* self) { static_cast<Daemon*>(self)->FinishEnd(); }, this));
  const timeval delay = ToTimeval(seconds);
  evtimer_add(end_timer_.get(), &delay);
}

// A daemon is usually started right behind `-q`, and servers that limit the rate count both as one.
// It is told; where that cannot be, this one ends when the other's first volley fits, unless a
// signal wants it to end now, or there is no server that could have counted.
bool Daemon::MustLinger() {
  const RoleProcess& net = *slot(Role::kNet).process;
  if (!options_.quit || headway_settled_ || !net.was_ready) return false;
  headway_settled_ = true;
  const MonoTime now = MonotonicNow();
  headway_.OnDeath(net.started(), now);
  const double owed = headway_.OwedAt(now);
  const bool told = headway_file_.Write(owed, now).ok();
  if (told || !may_linger_ || owed <= Headway::kRequest) return false;
  const double wait = owed - Headway::kRequest;
  log_->Log(LogLevel::kNotice,
            "waiting " + std::to_string(static_cast<int>(wait)) +
                " s, so that servers which limit the rate hear a daemon that is started next");
  FinishEndAfter(wait);
  return true;
}

void Daemon::FinishEnd() {
  if (MustLinger()) return;
  if (drift_due_) SaveDrift();
  for (RoleSlot& s : slots_) s.process->Kill();
  if (candidate_.process) candidate_.process->Kill();
  event_base_loopbreak(base_.get());
}

void Daemon::Stop(int status) {
  exit_status_ = status;
  ending_ = headway_settled_ = true;
  FinishEnd();
}

int Daemon::Run(HeldSignals* held, std::function<void()> on_started) {
  on_started_ = std::move(on_started);
  static constexpr int kNumbers[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
  for (size_t i = 0; i < signals_.size(); ++i) {
    signals_[i].reset(evsignal_new(
        base_.get(), kNumbers[i],
        [](evutil_socket_t number, short, void* self) {
          static_cast<Daemon*>(self)->OnSignal(static_cast<int>(number));
        },
        this));
    event_add(signals_[i].get(), nullptr);
  }
  held->Release();
  day_.reset(event_new(
      base_.get(), -1, EV_PERSIST,
      [](evutil_socket_t, short, void* self) { static_cast<Daemon*>(self)->OnDay(); }, this));
  const timeval day = ToTimeval(kDay);
  event_add(day_.get(), &day);
  liveness_.reset(event_new(
      base_.get(), -1, EV_PERSIST,
      [](evutil_socket_t, short, void* self) { static_cast<Daemon*>(self)->AskWhoLives(); }, this));
  const timeval interval = ToTimeval(Liveness::kInterval);
  event_add(liveness_.get(), &interval);
  for (const Role role : {Role::kClock, Role::kKeys, Role::kResolve}) StartRole(role);
  if (!ending_) event_base_dispatch(base_.get());
  first_step_marker_.Remove();
  // A manager that starts a failed daemon again must not undo what commands did.
  if (exit_status_ == 0) kept_trust_file_.Remove(), kept_lines_file_.Remove();
  if (!started_ && !ended_by_signal_ && exit_status_ == 0) exit_status_ = 1;
  return exit_status_;
}

}  // namespace ntpward::supervisor
