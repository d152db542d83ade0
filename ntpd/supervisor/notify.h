// Tells the service manager what it wants to know (sd_notify(3), without its library).
#pragma once

#include <string_view>

#include "privsep/base/unique_fd.h"

namespace ntpward::supervisor {

class ServiceManager {
 public:
  // Reads and removes NOTIFY_SOCKET; does nothing where there is none.
  ServiceManager();
  // "READY=1", "STATUS=...", "RELOADING=1", "STOPPING=1".
  void Tell(std::string_view state);

 private:
  UniqueFd socket_;
};

}  // namespace ntpward::supervisor
