// UDP sockets for tests, and a network of their own where the machine's lacks something.
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "privsep/base/address.h"
#include "privsep/base/result.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::test {

inline void Enable(int fd, int level, int name) {
  const int one = 1;
  CHECK(setsockopt(fd, level, name, &one, sizeof one) == 0);
}

inline SocketAddress LocalOf(int fd) {
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&own), &length) == 0);
  return *SocketAddress::FromSockaddr(reinterpret_cast<sockaddr*>(&own), length);
}

// A UDP socket of IPv4; `port` 0: any.
inline UniqueFd BindTo(const IpAddress& address, uint16_t port = 0) {
  UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  CHECK(fd.valid());
  sockaddr_storage where{};
  const socklen_t length = SocketAddress{address, port}.ToSockaddr(&where);
  CHECK(bind(fd.get(), reinterpret_cast<sockaddr*>(&where), length) == 0);
  return fd;
}

// A wildcard listener of IPv4, as the supervisor makes them.
inline UniqueFd OpenListener() {
  UniqueFd fd = BindTo(IpAddress::V4(0, 0, 0, 0));
  Enable(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS);
  Enable(fd.get(), IPPROTO_IP, IP_PKTINFO);
  return fd;
}

// Moves this process into an empty network with the loopback interface up: 127.0.0.0/8 and ::1.
// False where neither root nor user namespaces allow it.
inline bool EnterOwnNetwork() {
  if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  return ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

}  // namespace ntpward::test
