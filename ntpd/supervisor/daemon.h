// The supervisor at work: starts the roles, tells them the configuration, writes what they want
// written, and starts again what dies.
#pragma once

#include <event2/event.h>

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "ntpd/config/config.h"
#include "ntpd/supervisor/accounts.h"
#include "ntpd/supervisor/listen_sockets.h"
#include "ntpd/supervisor/log_sink.h"
#include "ntpd/supervisor/notify.h"
#include "ntpd/supervisor/options.h"
#include "ntpd/supervisor/role_process.h"
#include "ntpd/supervisor/statistics.h"
#include "ntpd/supervisor/translate.h"
#include "privsep/msg/clock.h"

namespace ntpward::supervisor {

class Daemon {
 public:
  // `log` and `manager` must outlive this object. `virtual_clock`: the system's clock is left alone.
  Daemon(Options options, config::Config config, bool virtual_clock, LogSink* log,
         ServiceManager* manager);
  ~Daemon();

  // Opens everything that needs privilege: sockets, role programs, channels.
  Status Prepare();
  // Starts the roles and serves until told to end; the daemon's exit status. `on_started` is called
  // once everything runs.
  int Run(std::function<void()> on_started);

  uint8_t listen_count() const { return static_cast<uint8_t>(sockets_.sockets().size()); }

 private:
  struct EventFree {
    void operator()(event* e) const { event_free(e); }
  };
  struct BaseFree {
    void operator()(event_base* b) const { event_base_free(b); }
  };
  using Event = std::unique_ptr<event, EventFree>;
  // What an event of one role calls back with.
  struct RoleSlot {
    Daemon* daemon = nullptr;
    std::unique_ptr<RoleProcess> process;
    Event readable;
    Event restart;
  };

  // --- roles
  RoleSlot& slot(msg::Role role) { return slots_[static_cast<size_t>(role)]; }
  Status OpenRoles();
  void StartRole(msg::Role role);
  Status StartKeysProcess(RoleSlot& keys);
  void SendStart(msg::Role role);
  void SendClockStart();
  void SendNames();
  void SendNetConfiguration();
  void SendSockets();
  void OnReady(RoleSlot& from, const msg::RoleReady& message);
  void OnChildEnd();
  void OnRoleEnd(RoleSlot& ended, int status);
  void ScheduleRestart(RoleSlot& ended);

  // --- messages
  void OnReadable(RoleSlot& from);
  void OnMessage(RoleSlot& from, Bytes bytes);
  bool OnCommonMessage(RoleSlot& from, Bytes bytes);
  bool OnNetMessage(Bytes bytes);
  void OnMisbehaviour(RoleSlot& from, const msg::Misbehaviour& message);
  void OnQuit(const msg::NetQuit& message);

  // --- signals and timers
  void OnSignal(int number);
  void Reload();
  void BeginEnd(int number);
  void FinishEnd();
  void OnInterfaceChange();
  void WatchInterfaces();
  void Stop(int status);

  void SaveDrift(Ppm frequency);
  std::string DriftPath() const;

  Options options_;
  config::Config config_;
  bool virtual_clock_;
  LogSink* log_;
  ServiceManager* manager_;
  std::function<void()> on_started_;
  std::unique_ptr<event_base, BaseFree> base_;
  std::array<Event, 5> signals_;
  Event end_timer_;
  Event interfaces_;
  UniqueFd netlink_;
  PeerLinks links_;
  std::array<RoleSlot, msg::kRoles> slots_;
  ListenSockets sockets_;
  Statistics statistics_;
  NetConfiguration translated_;
  msg::ClockStart clock_start_;
  std::optional<msg::ClockMirror> clock_mirror_;
  std::optional<Ppm> drift_;
  bool ending_ = false;
  bool started_ = false;
  int exit_status_ = 0;
};

}  // namespace ntpward::supervisor
