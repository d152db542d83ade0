// The supervisor at work: starts the roles, tells them the configuration, writes what they want
// written, and starts again what dies.
//
// daemon.cc holds start and end, daemon_roles.cc the life of the roles, daemon_messages.cc what
// they say, daemon_reload.cc a new configuration.
#pragma once

#include <event2/event.h>

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "ntpd/config/config.h"
#include "ntpd/config/parser.h"
#include "ntpd/supervisor/accounts.h"
#include "ntpd/supervisor/config_saver.h"
#include "ntpd/supervisor/first_step_marker.h"
#include "ntpd/supervisor/group_membership.h"
#include "ntpd/supervisor/headway.h"
#include "ntpd/supervisor/headway_file.h"
#include "ntpd/supervisor/held_signals.h"
#include "ntpd/supervisor/kept_lines_file.h"
#include "ntpd/supervisor/kept_trust.h"
#include "ntpd/supervisor/kept_trust_file.h"
#include "ntpd/supervisor/leap_seconds.h"
#include "ntpd/supervisor/listen_sockets.h"
#include "ntpd/supervisor/log_sink.h"
#include "ntpd/supervisor/notify.h"
#include "ntpd/supervisor/options.h"
#include "ntpd/supervisor/role_process.h"
#include "ntpd/supervisor/statistics.h"
#include "ntpd/supervisor/translate.h"
#include "privsep/kept_changes.h"
#include "privsep/landlock.h"
#include "privsep/msg/clock.h"

namespace ntpward::supervisor {

class Daemon {
 public:
  // `log` and `manager` must outlive this object. `virtual_clock`: the system's clock is left
  // alone.
  Daemon(Options options, config::Config config, bool virtual_clock, LogSink* log,
         ServiceManager* manager);
  ~Daemon();

  // Opens everything that needs privilege: sockets, role programs, channels, the roles' empty root.
  Status Prepare();
  // The directories that the daemon and its roles need from now on. A reload that names others is
  // refused.
  const std::vector<DirectoryGrant>& directories() const { return directories_; }
  // Starts the roles and serves until told to end; the daemon's exit status. `on_started` is called
  // once everything runs. Signals that `held` kept are acted on then.
  int Run(HeldSignals* held, std::function<void()> on_started);

 private:
  struct EventFree {
    void operator()(event* e) const { event_free(e); }
  };
  struct BaseFree {
    void operator()(event_base* b) const { event_base_free(b); }
  };
  using Event = std::unique_ptr<event, EventFree>;
  // One process of a role and its events.
  struct RoleSlot {
    Daemon* daemon = nullptr;
    std::unique_ptr<RoleProcess> process;
    Event readable;
    Event writable;         // only while its outbox holds something
    Event errors;           // its standard error
    Event timer;            // its next start; a candidate's last moment to be ready
    Event patience;         // until it must be ready
    uint32_t restarts = 0;  // because it had died
    uint32_t refused = 0;   // messages of it that nobody would accept
  };
  using Handler = void (*)(evutil_socket_t, short, void*);

  // --- roles
  RoleSlot& slot(msg::Role role) { return slots_[static_cast<size_t>(role)]; }
  Status OpenRoles();
  void StartRole(msg::Role role);
  // `policy`: strict for a reload, whose key files must all be usable.
  Status StartProcess(RoleSlot& s, const config::Config& config, config::ParsePolicy policy);
  Status StartKeysProcess(RoleProcess& keys, const config::Config& config,
                          config::ParsePolicy policy);
  void Watch(RoleSlot& s);
  static void Unwatch(RoleSlot& s);
  template <msg::Message M>
  void Post(RoleSlot& to, const M& message, int fd = -1) {
    if (to.process->channel() == nullptr) return;
    if (!to.process->outbox().Post(message, fd)) return Overrun(to);
    Pump(to);
  }
  void Pump(RoleSlot& to);
  void Overrun(RoleSlot& to);
  void SendStart(msg::Role role);
  void SendClockStart();
  void SendNames();
  void SendNetConfiguration();
  void SendSockets();
  void RenewSockets();
  void OpenSocketsAfter(double seconds);
  void OpenMissingSockets();
  void SendAddresses();
  void SendLeapTable(msg::Role role);
  static msg::ProcessReport ReportOf(const RoleSlot& s);
  void SendProcesses();
  // `continues`: net need not know that it is another process (msg::NetRoleRestarted).
  void OnReady(RoleSlot& from, const msg::RoleReady& message, bool continues = false);
  void AwaitReady(RoleSlot& s);
  void OnNotReady(RoleSlot& late);
  void AskWhoLives();
  void KillHung(RoleSlot& hung, const std::string& what);
  void OnPeerReady(RoleSlot& from, bool again, bool continues);
  void OnChildEnd();
  void OnRoleEnd(RoleSlot& ended, int status);
  void DrainLinks(msg::Role dead);
  void ScheduleRestart(RoleSlot& ended, double lifetime);

  // --- messages
  void OnReadable(RoleSlot& from, int most);
  void OnErrors(RoleSlot& from);
  void OnMessage(RoleSlot& from, Bytes bytes);
  bool OnCommonMessage(RoleSlot& from, Bytes bytes);
  bool OnNetMessage(Bytes bytes);
  bool OnKeysMessage(RoleSlot& from, Bytes bytes);
  bool OnRuntimeLine(const msg::RuntimeLine& line);
  bool IsToday(NtpTimestamp when) const;
  bool OnMisbehaviour(RoleSlot& from, const msg::Misbehaviour& message);
  void OnClockMirror(const msg::ClockMirror& mirror);
  void TakeLastMirror(Channel* clock, int most);
  void OnDrift(Ppm frequency);
  void OnStatus(std::string_view text);
  bool OnQuit(const msg::NetQuit& message);
  void LogFrom(const RoleSlot& from, LogLevel level, std::string_view line);
  void LogFrom(const RoleSlot& from, const msg::LogLine& line);

  // --- signals and timers
  void OnSignal(int number);
  void ChangeDebug(int by);
  void BeginEnd(int number);
  void FinishEnd();
  void FinishEndAfter(double seconds);
  bool MustLinger();
  void OnInterfaceChange();
  void WatchInterfaces();
  void InheritTrust();
  void InheritLines();
  void OnDay();
  void Stop(int status);
  void SaveDrift();
  std::string DriftPath() const;

  // --- reload
  void Reload();
  Status CheckReload(const config::Config& fresh) const;
  Status StartCandidate();
  void OnCandidateReady(const msg::RoleReady& message);
  void OnCandidateEnd(int status);
  void RefuseReload(const std::string& why);
  bool HandOver(RoleSlot& keys);
  void HearOut(RoleSlot& killed);
  void CommitReload();
  void ReloadSockets();
  void ReloadClockLimits();

  Options options_;
  config::Config config_;
  bool virtual_clock_;
  LogSink* log_;
  ServiceManager* manager_;
  std::function<void()> on_started_;
  std::unique_ptr<event_base, BaseFree> base_;
  std::array<Event, 7> signals_;
  Event end_timer_;
  Event day_;
  Event liveness_;
  Event interfaces_;
  FirstStepMarker first_step_marker_;
  UniqueFd netlink_;
  UniqueFd empty_root_;
  PeerLinks links_;
  // From an ntpd-keys to the one that takes its place at a reload; nothing is read or written here.
  std::optional<Pipe> heritage_;
  std::array<RoleSlot, msg::kRoles> slots_;
  ListenSockets sockets_;
  Event sockets_timer_;          // only while one is missing
  double sockets_patience_ = 0;  // seconds that it waits
  GroupMembership groups_;
  Statistics statistics_;
  LeapSeconds leap_seconds_;
  KeptTrust kept_trust_;
  KeptTrustFile kept_trust_file_;
  KeptChanges kept_lines_;
  KeptLinesFile kept_lines_file_;
  ConfigSaver saver_;
  std::vector<DirectoryGrant> directories_;
  NetConfiguration translated_;
  Headway headway_;
  HeadwayFile headway_file_;
  msg::ClockStart clock_start_;
  std::optional<msg::ClockMirror> clock_mirror_;
  std::optional<Ppm> drift_;
  std::optional<MonoTime> drift_saved_;
  bool drift_due_ = false;
  std::string status_;
  std::optional<MonoTime> status_told_;
  MonoTime started_at_;
  UniqueFd own_status_;  // our /proc/PID/status
  // As the net that runs now was told.
  std::optional<msg::NetProcesses> told_processes_;
  std::optional<std::vector<msg::OwnAddress>> told_addresses_;
  // A new configuration waits here until the new ntpd-keys has read its files.
  std::optional<config::Config> next_config_;
  RoleSlot candidate_;
  bool net_waits_for_names_ = false;
  bool ending_ = false;
  bool may_linger_ = true;        // at the end of -q, for the servers' sake: nobody is in a hurry
  bool headway_settled_ = false;  // at the end of -q: told to a successor, or being waited for
  bool started_ = false;
  bool reload_due_ = false;  // asked for before that
  bool ended_by_signal_ = false;
  int exit_status_ = 0;
};

// Where the roles' programs are: beside ntpd in a build tree, else where they were installed.
std::string ProgramDirectory();

}  // namespace ntpward::supervisor
