// What this machine itself says of the name localhost: a bare system has no /etc/hosts.
#pragma once

#include <netdb.h>
#include <sys/socket.h>

namespace ntpward::test {

// Whether the C library, asked as ntpd-resolve asks it, has an address for localhost here.
inline bool LocalhostIsKnown() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  if (getaddrinfo("localhost", nullptr, &hints, &list) != 0) return false;
  freeaddrinfo(list);
  return true;
}

}  // namespace ntpward::test
