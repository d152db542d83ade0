// The daemon's state as mode 6 sees it: copies, made when somebody asks.
#pragma once

#include "ntpd/control/view.h"
#include "ntpd/net/leap_seconds.h"
#include "ntpd/net/node.h"
#include "ntpd/net/recent_view.h"
#include "ntpd/net/upstreams.h"

namespace ntpward::net {

class TimeServer;

class DaemonView : public control::StateView {
 public:
  // The pointers must outlive this object; `server` is set once it exists.
  DaemonView(Node* node, Upstreams* upstreams, const LeapSeconds* leap_seconds)
      : node_(node), upstreams_(upstreams), leap_seconds_(leap_seconds) {}
  void SetServer(TimeServer* server) {
    server_ = server;
    recent_.SetServer(server);
  }

  wire::SystemStatus Status() const override;
  NtpTimestamp Now() const override { return node_->time.Now(); }
  const control::RecentClients& Recent() const override { return recent_; }
  control::SystemView System(control::SystemDetail detail) const override;
  std::vector<control::AssociationStatus> Associations() const override;
  std::optional<control::PeerView> Peer(AssocId id) const override;
  std::optional<control::ClockView> Clock(AssocId id) const override;
  std::vector<control::InterfaceView> Interfaces() const override;
  std::vector<control::RestrictionView> Restrictions() const override;
  bool SavesConfiguration() const override { return node_->start.saves_configuration; }
  void SetVariable(std::string_view name, std::string_view value) override;
  void ClearEvents(AssocId id) override;

 private:
  std::optional<control::AutokeyView> Autokey() const;
  // What is written by name only.
  void FillRest(MonoTime now, control::SystemView* view) const;
  void FillExtra(control::SystemView* view) const;

  Node* node_;
  Upstreams* upstreams_;
  const LeapSeconds* leap_seconds_;
  TimeServer* server_ = nullptr;
  RecentView recent_;
};

}  // namespace ntpward::net
