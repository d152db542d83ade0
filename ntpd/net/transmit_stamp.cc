#include "ntpd/net/transmit_stamp.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace ntpward::net {
namespace {

// More than one exchange can leave there; bounds a turn all the same.
constexpr int kMostStamps = 16;

// The first of the three is the software's; the others are a hardware's.
std::optional<timespec> StampIn(msghdr* message) {
  std::optional<timespec> stamp;
  for (cmsghdr* c = CMSG_FIRSTHDR(message); c != nullptr; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING) continue;
    if (c->cmsg_len < CMSG_LEN(sizeof(scm_timestamping))) continue;
    scm_timestamping stamps{};
    std::memcpy(&stamps, CMSG_DATA(c), sizeof stamps);
    if (stamps.ts[0].tv_sec != 0) stamp = stamps.ts[0];
  }
  return stamp;
}

}  // namespace

bool AskForTransmitStamps(int fd) {
  // Without the packet's own octets: only the time is wanted.
  const int wanted = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
                     SOF_TIMESTAMPING_OPT_CMSG | SOF_TIMESTAMPING_OPT_TSONLY;
  return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &wanted, sizeof wanted) == 0;
}

std::optional<timespec> TakeTransmitStamp(int fd) {
  std::optional<timespec> last;
  for (int i = 0; i < kMostStamps; ++i) {
    alignas(cmsghdr) std::array<char, 512> control;
    msghdr message{};
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
    if (const auto stamp = StampIn(&message)) last = stamp;
  }
  return last;
}

}  // namespace ntpward::net
