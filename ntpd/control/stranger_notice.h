// The line that tells the operator of somebody who is refused what he asks, since his address is
// not proved.
//
// Who asks first and then proves his address, as ntpq of ntpward does, is none of those. The name
// may be forged: the line must lead nobody to open his server to a victim.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "privsep/base/address.h"
#include "privsep/base/types.h"

namespace ntpward::control {

class StrangerNotice {
 public:
  // Who has not proved his address so long after he was refused will not; s.
  static constexpr double kPatience = 5;
  // Between two lines, whoever they are about; s.
  static constexpr double kBetweenLines = 3600;

  // A request in the name of `stranger` was refused. Returns the line that is due, about the one
  // who is watched: whose request came first since the last line; else empty.
  std::string OnRefused(const IpAddress& stranger, MonoTime now);
  // That address is proved.
  void OnProved(const IpAddress& address);

 private:
  struct Watched {
    IpAddress address;
    MonoTime since;
    uint64_t refused = 0;
  };

  std::optional<Watched> watched_;
  std::optional<MonoTime> told_;
};

}  // namespace ntpward::control
