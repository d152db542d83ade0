// What net does about a role that sent nonsense: says so once, and hears nothing more from it until
// its successor is there.
//
// The pipes outlive the processes at their ends. What is left in one when its writer was ended must
// neither be applied nor be held against the successor.
#pragma once

#include "privsep/channel.h"
#include "privsep/supervisor_link.h"

namespace ntpward::net {

class Suspicion {
 public:
  // Messages read in one turn of the event loop: a flood must not starve what else waits.
  static constexpr int kMostAtOnce = 256;

  // Both must outlive this object. `channel` comes from `role`.
  Suspicion(Channel* channel, SupervisorLink* link, msg::Role role)
      : channel_(channel), link_(link), role_(role) {}

  // The next message of a role in good standing, as Channel::Receive; none from any other.
  std::optional<Bytes> Receive();
  // `bytes` could not be accepted. Always false, for the caller to return.
  bool Accuse(Bytes bytes);
  // The role was started anew: what its predecessor left is thrown away.
  void OnRestarted();
  // The same, but the successor goes on where it stopped: its answers are awaited.
  void OnContinued() { accused_ = false; }
  bool accused() const { return accused_; }

 private:
  Channel* channel_;
  SupervisorLink* link_;
  msg::Role role_;
  bool accused_ = false;
};

}  // namespace ntpward::net
