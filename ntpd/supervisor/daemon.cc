#include "ntpd/supervisor/daemon.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

#include "ntpd/supervisor/clock_start.h"
#include "ntpd/supervisor/file_source.h"
#include "ntpd/supervisor/keys_start.h"
#include "ntpd/supervisor/state_file.h"
#include "privsep/supervisor_link.h"

namespace ntpward::supervisor {
namespace {

using msg::Role;

constexpr Role kAllRoles[] = {Role::kClock, Role::kKeys, Role::kResolve, Role::kNet};
constexpr double kEndSeconds = 2;  // what net gets to say its last words
// Beyond this many messages in one turn the others get theirs first.
constexpr int kMessagesPerTurn = 200;

timeval ToTimeval(double seconds) {
  timeval value{};
  value.tv_sec = static_cast<time_t>(seconds);
  value.tv_usec = static_cast<suseconds_t>((seconds - std::floor(seconds)) * 1e6);
  return value;
}

// Where the roles' programs are: beside ntpd in a build tree, else where they were installed.
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

}  // namespace

Daemon::Daemon(Options options, config::Config config, bool virtual_clock, LogSink* log,
               ServiceManager* manager)
    : options_(std::move(options)),
      config_(std::move(config)),
      virtual_clock_(virtual_clock),
      log_(log),
      manager_(manager),
      base_(event_base_new()),
      sockets_(log, config_.system.dscp.value),
      statistics_(log) {
  statistics_.Configure(config_);
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
  translated_ = Translate(config_, options_, log_);
  translated_.start.virtual_clock = virtual_clock_;
  translated_.start.drift = drift_;
  clock_start_ = FirstClockStart(config_, options_, virtual_clock_, drift_);
  TRY_VOID(sockets_.Open(config_.system, options_));
  for (PeerLink& link : links_) link = TRY(PeerLink::Make());
  WatchInterfaces();
  return OpenRoles();
}

Status Daemon::OpenRoles() {
  std::string note;
  const Accounts accounts = TRY(ChooseAccounts(options_.user, &note));
  if (!note.empty()) log_->Log(LogLevel::kNotice, note);
  const std::string directory = ProgramDirectory();
  for (const Role role : kAllRoles) {
    RoleSlot& s = slot(role);
    s.daemon = this;
    s.process = TRY(RoleProcess::Open(role, directory, accounts[static_cast<size_t>(role)]));
    s.restart.reset(evtimer_new(
        base_.get(),
        [](evutil_socket_t, short, void* argument) {
          auto* self = static_cast<RoleSlot*>(argument);
          self->daemon->StartRole(self->process->role());
        },
        &s));
  }
  return {};
}

void Daemon::WatchInterfaces() {
  if (config_.system.interfaces.empty() && options_.interfaces.empty()) return;
  netlink_ = UniqueFd(
      socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
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
  Channel* net = slot(Role::kNet).process->channel();
  if (net == nullptr) return;
  for (const uint16_t index : gone) (void)net->Send(msg::NetSocketGone{.index = index});
  SendSockets();
}

// ---------------------------------------------------------------------------- roles

void Daemon::StartRole(Role role) {
  RoleSlot& s = slot(role);
  if (ending_ || s.process->running()) return;
  const Status started = role == Role::kKeys
                             ? StartKeysProcess(s)
                             : s.process->Start(links_, {}, MonotonicNow());
  if (!started.ok()) {
    log_->Log(LogLevel::kError,
              std::string("ntpd-") + RoleName(role) + ": cannot start: " + started.error().text);
    if (!started_) return Stop(1);
    return ScheduleRestart(s);
  }
  s.readable.reset(event_new(
      base_.get(), s.process->channel()->in_fd(), EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* argument) {
        auto* self = static_cast<RoleSlot*>(argument);
        self->daemon->OnReadable(*self);
      },
      &s));
  event_add(s.readable.get(), nullptr);
  if (role != Role::kKeys) SendStart(role);
}

Status Daemon::StartKeysProcess(RoleSlot& keys) {
  DiskFiles files;
  // The password is read from the file at each start and kept nowhere.
  config::Parsed fresh =
      config::Load(options_.config_file, files, config::ParsePolicy::kStartup);
  KeysStartBundle bundle = TRY(KeysStartBundle::Make(config_, fresh.config, virtual_clock_, log_));
  TRY_VOID(keys.process->Start(links_, bundle.Inherit(), MonotonicNow()));
  bundle.Send(keys.process->channel(), TrustedKeys(config_));
  return {};
}

void Daemon::SendStart(Role role) {
  if (role == Role::kClock) return SendClockStart();
  if (role == Role::kResolve) return SendNames();
  if (role == Role::kNet) return SendNetConfiguration();
}

void Daemon::SendClockStart() {
  const msg::ClockStart start =
      clock_mirror_ ? NextClockStart(clock_start_, *clock_mirror_, MonotonicNow()) : clock_start_;
  (void)slot(Role::kClock).process->channel()->Send(start);
}

void Daemon::SendNames() {
  Channel* resolve = slot(Role::kResolve).process->channel();
  for (const msg::ResolveName& name : translated_.names) (void)resolve->Send(name);
  (void)resolve->Send(
      msg::ResolveEnd{.count = static_cast<uint16_t>(translated_.names.size())});
}

void Daemon::SendNetConfiguration() {
  Channel* net = slot(Role::kNet).process->channel();
  (void)net->Send(translated_.start);
  for (const auto& association : translated_.associations) (void)net->Send(association);
  for (const auto& restrictions : translated_.restrictions) (void)net->Send(restrictions);
  (void)net->Send(msg::NetEnd{});
  SendSockets();
}

// Net ignores the indices that it has.
void Daemon::SendSockets() {
  Channel* net = slot(Role::kNet).process->channel();
  for (const ListenSocket& socket : sockets_.sockets()) {
    msg::NetSocket message;
    message.index = socket.index;
    message.local = socket.local;
    CHECK(message.interface.Assign(AsBytes(std::string_view(socket.interface).substr(0, 16))));
    message.drop = socket.drop;
    message.loopback = socket.local.ip.is_loopback();
    (void)net->SendWithFd(message, socket.fd.get());
  }
}

void Daemon::OnReady(RoleSlot& from, const msg::RoleReady& message) {
  RoleProcess& process = *from.process;
  const bool again = process.was_ready;
  process.ready = process.was_ready = true;
  process.sandbox = std::string(message.sandbox.text());
  log_->Log(LogLevel::kInfo, std::string("ntpd-") + RoleName(process.role()) + " ready, pid " +
                                 std::to_string(process.pid()) + ": " + process.sandbox);
  if (process.role() != Role::kNet) {
    Channel* net = slot(Role::kNet).process->channel();
    if (again && net != nullptr) (void)net->Send(msg::NetRoleRestarted{.role = process.role()});
    const bool all = slot(Role::kClock).process->ready && slot(Role::kKeys).process->ready &&
                     slot(Role::kResolve).process->ready;
    if (all && !slot(Role::kNet).process->was_ready) StartRole(Role::kNet);
    return;
  }
  if (started_) return;
  started_ = true;
  manager_->Tell("READY=1");
  if (on_started_) on_started_();
}

void Daemon::OnChildEnd() {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    for (RoleSlot& s : slots_)
      if (s.process->pid() == pid) OnRoleEnd(s, status);
  }
}

void Daemon::OnRoleEnd(RoleSlot& ended, int status) {
  // Its last words may say why.
  OnReadable(ended);
  ended.readable.reset();
  const std::string how = ended.process->Ended(status);
  if (ending_) {
    if (ended.process->role() == Role::kNet) FinishEnd();
    return;
  }
  log_->Log(LogLevel::kError, how);
  if (!started_) return Stop(1);
  // What it left half done must not meet its successor.
  if (ended.process->role() == Role::kNet) {
    for (PeerLink& link : links_) link.Drain();
  } else {
    links_[static_cast<size_t>(ended.process->role())].Drain();
  }
  ScheduleRestart(ended);
}

void Daemon::ScheduleRestart(RoleSlot& ended) {
  const auto wait =
      ended.process->back_off().AfterDeath(MonotonicNow() - ended.process->started());
  const std::string name = std::string("ntpd-") + RoleName(ended.process->role());
  if (!wait) {
    log_->Log(LogLevel::kError, name + " keeps dying: giving up; the clock is left as it is");
    return Stop(1);
  }
  log_->Log(LogLevel::kNotice,
            name + ": starting again in " + std::to_string(static_cast<int>(*wait)) + " s");
  const timeval delay = ToTimeval(*wait);
  evtimer_add(ended.restart.get(), &delay);
}

// ---------------------------------------------------------------------------- messages

void Daemon::OnReadable(RoleSlot& from) {
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    Channel* channel = from.process->channel();
    if (channel == nullptr) return;
    const auto bytes = channel->Receive();
    if (!bytes) return;
    OnMessage(from, *bytes);
  }
}

void Daemon::OnMessage(RoleSlot& from, Bytes bytes) {
  if (OnCommonMessage(from, bytes)) return;
  if (from.process->role() == Role::kNet && OnNetMessage(bytes)) return;
  msg::ClockMirror mirror;
  if (from.process->role() == Role::kClock && msg::Decode(bytes, &mirror)) {
    clock_mirror_ = mirror;
    return;
  }
  log_->Log(LogLevel::kError, std::string("ntpd-") + RoleName(from.process->role()) +
                                  " sent a malformed message: killed");
  from.process->Kill();
}

bool Daemon::OnCommonMessage(RoleSlot& from, Bytes bytes) {
  const auto type = msg::PeekType(bytes);
  if (type == msg::Type::kLogLine) {
    msg::LogLine line;
    if (!msg::Decode(bytes, &line)) return false;
    log_->LogFromRole(static_cast<LogLevel>(line.level), line.text.text(), MonotonicNow());
    return true;
  }
  if (type == msg::Type::kRoleReady) {
    msg::RoleReady ready;
    if (!msg::Decode(bytes, &ready) || from.process->ready) return false;
    OnReady(from, ready);
    return true;
  }
  if (type == msg::Type::kRoleFailed) {
    msg::RoleFailed failed;
    if (!msg::Decode(bytes, &failed)) return false;
    log_->Log(LogLevel::kError, failed.text.text());
    return true;
  }
  if (type == msg::Type::kMisbehaviour) {
    msg::Misbehaviour message;
    if (!msg::Decode(bytes, &message)) return false;
    OnMisbehaviour(from, message);
    return true;
  }
  return false;
}

void Daemon::OnMisbehaviour(RoleSlot& from, const msg::Misbehaviour& message) {
  log_->Log(LogLevel::kError,
            std::string("ntpd-") + RoleName(message.culprit) + " sent ntpd-" +
                RoleName(from.process->role()) + " a message (type " +
                std::to_string(message.message_type) + ") that it must not send: killed");
  slot(message.culprit).process->Kill();
}

bool Daemon::OnNetMessage(Bytes bytes) {
  const auto type = msg::PeekType(bytes);
  if (type == msg::Type::kNetStatistics) {
    msg::NetStatistics statistics;
    if (!msg::Decode(bytes, &statistics)) return false;
    statistics_.Write(statistics.file, statistics.when, statistics.line.text());
    return true;
  }
  if (type == msg::Type::kNetDrift) {
    msg::NetDrift drift;
    if (!msg::Decode(bytes, &drift)) return false;
    SaveDrift(drift.frequency);
    return true;
  }
  if (type == msg::Type::kNetStatus) {
    msg::NetStatus status;
    if (!msg::Decode(bytes, &status)) return false;
    std::string text = "STATUS=";
    for (const char c : status.text.text()) text += c >= 0x20 && c < 0x7f ? c : '?';
    manager_->Tell(text);
    return true;
  }
  if (type == msg::Type::kNetQuit) {
    msg::NetQuit quit;
    if (!msg::Decode(bytes, &quit)) return false;
    OnQuit(quit);
    return true;
  }
  return false;
}

void Daemon::SaveDrift(Ppm frequency) {
  drift_ = frequency;
  const std::string path = DriftPath();
  if (path.empty()) return;
  if (const Status written = WriteDrift(path, frequency); !written.ok())
    log_->Log(LogLevel::kError, "drift file: " + written.error().text);
}

void Daemon::OnQuit(const msg::NetQuit& message) {
  const std::string text(message.text.text());
  if (options_.quit) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
  }
  log_->Log(message.status == 0 ? LogLevel::kNotice : LogLevel::kError, text);
  exit_status_ = message.status;
  BeginEnd(0);
}

// ---------------------------------------------------------------------------- signals, end

void Daemon::OnSignal(int number) {
  switch (number) {
    case SIGCHLD: return OnChildEnd();
    case SIGHUP: return Reload();
    default: return BeginEnd(number);
  }
}

void Daemon::Reload() {
  if (const Status reopened = log_->Reopen(); !reopened.ok())
    log_->Log(LogLevel::kError, reopened.error().text);
  DiskFiles files;
  config::Parsed fresh = config::Load(options_.config_file, files, config::ParsePolicy::kStrict);
  for (const config::Diagnostic& diagnostic : fresh.diagnostics)
    log_->Log(LogLevel::kWarning, config::ToString(diagnostic));
  if (!fresh.usable(config::ParsePolicy::kStrict))
    return log_->Log(LogLevel::kError, "reload refused: the configuration has errors; nothing changed");
  log_->Log(LogLevel::kNotice, "reloading " + options_.config_file);
  config_ = std::move(fresh.config);
  config_.authentication.crypto.password = Secret();
  statistics_.Configure(config_);
  NetConfiguration next = Translate(config_, options_, log_);
  next.start.virtual_clock = virtual_clock_;
  next.start.allow_panic = false;  // a reload never opens the gate
  next.start.quit = false;
  next.start.drift = drift_;
  translated_ = std::move(next);
  // New names and key files need new processes: neither has a way to the file system.
  slot(Role::kResolve).process->Kill();
  slot(Role::kKeys).process->Kill();
  if (slot(Role::kNet).process->running()) SendNetConfiguration();
}

void Daemon::BeginEnd(int number) {
  if (ending_) return;
  ending_ = true;
  if (number != 0)
    log_->Log(LogLevel::kNotice, "ntpd exiting on signal " + std::to_string(number) + " (" +
                                     strsignal(number) + ")");
  manager_->Tell("STOPPING=1");
  Channel* net = slot(Role::kNet).process->channel();
  if (net == nullptr) return FinishEnd();
  (void)net->Send(msg::NetTerminate{});
  end_timer_.reset(evtimer_new(
      base_.get(),
      [](evutil_socket_t, short, void* self) { static_cast<Daemon*>(self)->FinishEnd(); }, this));
  const timeval delay = ToTimeval(kEndSeconds);
  evtimer_add(end_timer_.get(), &delay);
}

void Daemon::FinishEnd() {
  for (RoleSlot& s : slots_) s.process->Kill();
  event_base_loopbreak(base_.get());
}

void Daemon::Stop(int status) {
  exit_status_ = status;
  ending_ = true;
  FinishEnd();
}

int Daemon::Run(std::function<void()> on_started) {
  on_started_ = std::move(on_started);
  static constexpr int kNumbers[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT};
  for (size_t i = 0; i < signals_.size(); ++i) {
    signals_[i].reset(evsignal_new(
        base_.get(), kNumbers[i],
        [](evutil_socket_t number, short, void* self) {
          static_cast<Daemon*>(self)->OnSignal(static_cast<int>(number));
        },
        this));
    event_add(signals_[i].get(), nullptr);
  }
  for (const Role role : {Role::kClock, Role::kKeys, Role::kResolve}) StartRole(role);
  if (!ending_) event_base_dispatch(base_.get());
  if (!started_ && exit_status_ == 0) exit_status_ = 1;
  return exit_status_;
}

}  // namespace ntpward::supervisor
