// What the requests of an ntpd-net that is gone may still cost its successor.
//
// A server with `restrict limited` counts requests by address: each owes it 8 s, and above some 60
// s it answers with a kiss of death, which slows an association down for long. A new ntpd-net
// begins with a volley; after a death or two within a minute that would be one volley too many.
#pragma once

#include "privsep/base/types.h"

namespace ntpward::supervisor {

class Headway {
 public:
  static constexpr double kMost = 58;    // s: as ntpd-net's poll schedule, which never owes more
  static constexpr double kRequest = 8;  // s that one request costs

  // `owed` seconds at `now` were left by another daemon.
  void Inherit(double owed, MonoTime now);
  // An ntpd-net that was started at `start` died at `end`.
  void OnDeath(MonoTime start, MonoTime end);
  // Seconds that may be owed to each server at `now`: an upper bound, 0..58.
  double OwedAt(MonoTime now) const;

 private:
  double owed_ = 0;
  MonoTime as_of_;
};

}  // namespace ntpward::supervisor
