// ntpd-net as a whole: its channels, its event loop, and what the supervisor tells it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ntpd/net/control_server.h"
#include "ntpd/net/daemon_view.h"
#include "ntpd/net/host_signatures.h"
#include "ntpd/net/leap_seconds.h"
#include "ntpd/net/manycast_client.h"
#include "ntpd/net/node.h"
#include "ntpd/net/peering.h"
#include "ntpd/net/run_time_lines.h"
#include "ntpd/net/second_timer.h"
#include "ntpd/net/time_server.h"
#include "ntpd/net/upstreams.h"

namespace ntpward::net {

// Net's end of each of its channels.
struct RoleChannels {
  Channel supervisor;  // a socketpair: sockets come over it
  Channel clock;
  Channel keys;
  Channel resolve;

  // The descriptors of privsep/fds.h.
  static RoleChannels Inherited();
};

class Role {
 public:
  // To be made before the cage closes: it prepares what opens files (event loop, OpenSSL). Servers
  // are asked on `port`.
  explicit Role(RoleChannels channels, uint16_t port = 123);
  // Start(), then the loop until the supervisor says so or is gone. Returns the exit status.
  int Run(std::string sandbox);

  // Begins to listen to everyone; the rest happens in the loop. `sandbox` is what EnterCage said.
  void Start(std::string sandbox);
  event_base* loop() { return base_.get(); }
  const Node& node() const { return node_; }

 private:
  // An event that calls `kCall`.
  template <void (Role::*kCall)()>
  Event When(int fd, short what);
  // Calls `kCall` whenever `channel` is readable.
  template <void (Role::*kCall)()>
  void Hear(const Channel& channel);

  // --- from the supervisor (role_configuration.cc)
  void OnSupervisor();
  bool OnMessage(Bytes bytes, UniqueFd fd);
  bool OnConfiguration(Bytes bytes);
  void TryApply();
  void ApplyConfiguration();
  void ApplyStart(const msg::NetStart& start);
  void ApplyRestrictions(const std::vector<msg::NetRestriction>& restrictions);
  void ApplyChange(const settings::Change& change);
  void ApplyAccess(const settings::AccessStep& step);
  void AddRestriction(const msg::NetRestriction& entry, const IpAddress& address,
                      const std::array<uint8_t, 16>& mask);
  void MakeEngine();
  void OnRoleRestarted(const msg::NetRoleRestarted& restarted);
  void OnTerminate();

  // --- from the other roles
  void OnClock();
  void OnKeys();
  void OnResolve();
  void AskMaterial();
  void AskKeyCount();
  void OnMaterial(const msg::HostMaterial& material);

  // --- time passes
  void OnDeadline();
  void OnSecond();
  void QuitWithoutCorrection(MonoTime now);
  void Update();
  void Schedule();
  void Act(const core::ClockAction& action);
  void Panic(double offset);
  void QuitAfter(const core::ClockAction& action, bool stepped);
  void Quit(const msg::NetQuit& quit);
  void SaveDrift();
  void Say();

  struct BaseFree {
    void operator()(event_base* b) const { event_base_free(b); }
  };
  std::unique_ptr<event_base, BaseFree> base_;
  RoleChannels channels_;
  Node node_;
  Upstreams upstreams_;
  RunTimeLines run_time_;
  LeapSeconds leap_seconds_;
  HostSignatures signatures_;
  DaemonView view_;
  ControlServer control_;
  TimeServer server_;
  Peering peering_;
  ManycastClient manycast_;
  std::vector<Event> heard_;
  Event deadline_;
  Event second_;
  SecondTimer seconds_;

  // A configuration that is being received.
  settings::Settings new_;
  std::vector<msg::RuntimeLine> new_kept_;
  std::vector<msg::OwnAddress> new_addresses_;  // of this host, as far as they have come

  std::string sandbox_;
  bool ready_ = false;
  bool configured_ = false;   // a whole configuration waits to be applied
  bool clock_known_ = false;  // ntpd-clock has said how the clock runs
  bool ending_ = false;
  MonoTime material_asked_;
  MonoTime key_count_asked_;
  MonoTime drift_saved_;
  std::string said_;
};

}  // namespace ntpward::net
