// A daemon's state with the figures of the captured answers in tests/control/data.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ntpd/control/view.h"

namespace ntpward::control::test {

// A list of recent clients, oldest first.
class FakeRecent : public RecentClients {
 public:
  std::optional<RecentClient> Oldest() const override;
  std::optional<RecentClient> After(const IpAddress& client) const override;
  std::optional<RecentClient> Find(const IpAddress& client) const override;
  // A request of `client` at `when`: its row becomes the newest.
  void Add(const SocketAddress& client, NtpTimestamp when);

  std::vector<RecentClient> rows;
};

class FakeState : public StateView {
 public:
  FakeState();

  wire::SystemStatus Status() const override { return system.status; }
  NtpTimestamp Now() const override { return system.now; }
  const RecentClients& Recent() const override { return recent; }
  SystemView System(SystemDetail) const override { return system; }
  std::vector<AssociationStatus> Associations() const override { return associations; }
  std::optional<PeerView> Peer(AssocId id) const override;
  std::optional<ClockView> Clock(AssocId id) const override;
  std::vector<InterfaceView> Interfaces() const override { return interfaces; }
  std::vector<RestrictionView> Restrictions() const override { return restrictions; }
  bool SavesConfiguration() const override { return saves_configuration; }
  void SetVariable(std::string_view name, std::string_view value) override;
  void ClearEvents(AssocId id) override { cleared.push_back(id); }

  SystemView system;
  FakeRecent recent;
  std::vector<AssociationStatus> associations;
  ClockView clock;
  bool has_clock = true;
  bool saves_configuration = false;
  std::vector<InterfaceView> interfaces;
  std::vector<RestrictionView> restrictions;
  std::vector<AssocId> cleared;
};

// An association with a server that answers, and one whose server never did.
PeerView AnsweringPeer();
PeerView SilentPeer();

// A text of tests/control/data.
std::string ReadText(std::string_view name);

}  // namespace ntpward::control::test
