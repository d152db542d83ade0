// A daemon's state with the figures of the captured answers in tests/control/data.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ntpd/control/view.h"

namespace ntpward::control::test {

class FakeState : public StateView {
 public:
  FakeState();

  wire::SystemStatus Status() const override { return system.status; }
  SystemView System() const override { return system; }
  std::vector<AssociationStatus> Associations() const override { return associations; }
  std::optional<PeerView> Peer(AssocId id) const override;
  std::optional<ClockView> Clock(AssocId id) const override;
  void ClearEvents(AssocId id) override { cleared.push_back(id); }

  SystemView system;
  std::vector<AssociationStatus> associations;
  ClockView clock;
  bool has_clock = true;
  std::vector<AssocId> cleared;
};

// An association with a server that answers, and one whose server never did.
PeerView AnsweringPeer();
PeerView SilentPeer();

// A text of tests/control/data.
std::string ReadText(std::string_view name);

}  // namespace ntpward::control::test
