// ntpd-net as a whole: its channels, its event loop, and what the supervisor tells it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ntpd/net/control_server.h"
#include "ntpd/net/daemon_view.h"
#include "ntpd/net/leap_seconds.h"
#include "ntpd/net/manycast_client.h"
#include "ntpd/net/node.h"
#include "ntpd/net/peering.h"
#include "ntpd/net/time_server.h"
#include "ntpd/net/upstreams.h"

namespace ntpward::net {

class Role {
 public:
  // Takes the inherited descriptors of privsep/fds.h. To be made before the cage closes: it
  // prepares what opens files (event loop, OpenSSL).
  Role();
  // `sandbox` is what EnterCage said. Returns the exit status.
  int Run(std::string sandbox);

 private:
  Event Watch(int fd, void (Role::*on_readable)());

  // --- from the supervisor
  void OnSupervisor();
  bool OnMessage(Bytes bytes, UniqueFd fd);
  bool OnConfiguration(Bytes bytes);
  void TryApply();
  void ApplyConfiguration();
  void ApplyRestrictions();
  void AddRestriction(const msg::NetRestriction& entry, const IpAddress& address, uint8_t prefix);
  void MakeEngine();
  void OnRoleRestarted(msg::Role role);
  void OnTerminate();

  // --- from the other roles
  void OnClock();
  void OnKeys();
  void OnResolve();
  void AskMaterial();
  void OnMaterial(const msg::HostMaterial& material);

  // --- time passes
  void OnDeadline();
  void OnSecond();
  void Update();
  void Schedule();
  void Act(const core::ClockAction& action);
  void Panic(double offset);
  void QuitAfter(const core::ClockAction& action, bool stepped);
  void ReportEvents();
  void SaveDrift();
  void UpdateSignatures();
  void Say(bool force);

  struct BaseFree {
    void operator()(event_base* b) const { event_base_free(b); }
  };
  std::unique_ptr<event_base, BaseFree> base_;
  Channel supervisor_;
  Channel clock_;
  Channel keys_;
  Channel resolve_;
  Node node_;
  Upstreams upstreams_;
  LeapSeconds leap_seconds_;
  DaemonView view_;
  ControlServer control_;
  TimeServer server_;
  Peering peering_;
  ManycastClient manycast_;
  std::vector<Event> watches_;
  Event deadline_;
  Event second_;

  // A configuration that is being received.
  std::vector<msg::NetAssociation> new_lines_;
  std::vector<msg::NetRestriction> new_restrictions_;
  msg::NetStart new_start_;

  std::string sandbox_;
  bool ready_ = false;
  bool configured_ = false;   // a whole configuration waits to be applied
  bool clock_known_ = false;  // ntpd-clock has said how the clock runs
  bool ending_ = false;
  MonoTime material_asked_;
  MonoTime drift_saved_;
  std::string said_;
};

}  // namespace ntpward::net
