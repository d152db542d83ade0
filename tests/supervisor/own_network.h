// A network of the test's own, whose one interface has an address that is not loopback: 192.0.2.1.
#pragma once

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "privsep/base/address.h"
#include "privsep/base/unique_fd.h"
#include "privsep/capabilities.h"

namespace ntpward::supervisor::test {

// For cmocka, as the set-up of a group: 0 when it is there.
inline int EnterOwnNetwork(void**) {
  const int flags = HasCapability(CAP_SYS_ADMIN) ? CLONE_NEWNET : CLONE_NEWNET | CLONE_NEWUSER;
  if (unshare(flags) != 0) return -1;
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) return -1;
  sockaddr_storage address{};
  (void)SocketAddress{IpAddress::V4(192, 0, 2, 1), 0}.ToSockaddr(&address);
  std::memcpy(&request.ifr_addr, &address, sizeof request.ifr_addr);
  return ioctl(fd.get(), SIOCSIFADDR, &request);
}

}  // namespace ntpward::supervisor::test
