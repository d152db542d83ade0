#include "ntpd/net/udp.h"

#include <errno.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "privsep/base/system_error.h"

namespace ntpward::net {
namespace {

bool Set(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

template <typename T>
T Load(const cmsghdr* message) {
  T value{};
  std::memcpy(&value, CMSG_DATA(message), sizeof value);
  return value;
}

void ReadControl(const cmsghdr* message, Datagram* datagram) {
  if (message->cmsg_level == SOL_SOCKET && message->cmsg_type == SCM_TIMESTAMPNS) {
    datagram->received = Load<timespec>(message);
  } else if (message->cmsg_level == IPPROTO_IP && message->cmsg_type == IP_PKTINFO) {
    const auto info = Load<in_pktinfo>(message);
    datagram->destination.family = Family::kIpv4;
    std::memcpy(datagram->destination.octets.data(), &info.ipi_addr, 4);
    datagram->local.family = Family::kIpv4;
    std::memcpy(datagram->local.octets.data(), &info.ipi_spec_dst, 4);
    datagram->interface = static_cast<uint32_t>(info.ipi_ifindex);
  } else if (message->cmsg_level == IPPROTO_IPV6 && message->cmsg_type == IPV6_PKTINFO) {
    const auto info = Load<in6_pktinfo>(message);
    datagram->destination.family = Family::kIpv6;
    std::memcpy(datagram->destination.octets.data(), &info.ipi6_addr, 16);
    if (!datagram->destination.is_multicast()) datagram->local = datagram->destination;
    datagram->interface = info.ipi6_ifindex;
  }
}

template <typename T>
void AppendControl(msghdr* header, int level, int type, const T& value) {
  auto* message = reinterpret_cast<cmsghdr*>(static_cast<char*>(header->msg_control));
  message->cmsg_level = level;
  message->cmsg_type = type;
  message->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(message), &value, sizeof value);
  header->msg_controllen = CMSG_SPACE(sizeof value);
}

// Makes the datagram leave from `from`. `control` has room for one CMSG_SPACE(sizeof(in6_pktinfo)).
void SetSource(msghdr* header, char* control, const IpAddress& from, const IpAddress& to,
               uint32_t interface) {
  header->msg_control = nullptr;
  header->msg_controllen = 0;
  if (from.is_none()) return;
  header->msg_control = control;
  if (from.family == Family::kIpv4) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, from.octets.data(), 4);
    return AppendControl(header, IPPROTO_IP, IP_PKTINFO, info);
  }
  in6_pktinfo info{};
  std::memcpy(&info.ipi6_addr, from.octets.data(), 16);
  // A link-local address means nothing without its interface.
  if (to.scope != 0) info.ipi6_ifindex = interface;
  AppendControl(header, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

}  // namespace

ReceiveBatch::ReceiveBatch() {
  for (size_t i = 0; i < kSize; ++i) {
    vectors_[i] = {buffers_[i].data(), buffers_[i].size()};
    headers_[i] = {};
    headers_[i].msg_hdr.msg_iov = &vectors_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
    headers_[i].msg_hdr.msg_name = &names_[i];
    headers_[i].msg_hdr.msg_control = controls_[i].octets.data();
  }
}

void ReceiveBatch::Decode(size_t index, size_t size) {
  Datagram& datagram = datagrams_[index];
  datagram = Datagram();
  msghdr& header = headers_[index].msg_hdr;
  datagram.bytes = Bytes(buffers_[index].data(), size);
  datagram.truncated = (header.msg_flags & MSG_TRUNC) != 0;
  if (const auto source = SocketAddress::FromSockaddr(
          reinterpret_cast<const sockaddr*>(&names_[index]), header.msg_namelen))
    datagram.source = *source;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c))
    ReadControl(c, &datagram);
}

std::span<const Datagram> ReceiveBatch::Receive(int fd) {
  for (mmsghdr& header : headers_) {
    header.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    header.msg_hdr.msg_controllen = kControlSize;
  }
  const int count = recvmmsg(fd, headers_.data(), kSize, MSG_DONTWAIT, nullptr);
  if (count <= 0) return {};
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) Decode(i, headers_[i].msg_len);
  return {datagrams_.data(), static_cast<size_t>(count)};
}

MutableBytes SendBatch::Add(size_t size, const SocketAddress& to, const IpAddress& from,
                            uint32_t interface) {
  CHECK(!full() && size <= kMaxDatagram);
  const size_t i = count_++;
  vectors_[i] = {buffers_[i].data(), size};
  msghdr& header = headers_[i].msg_hdr;
  header = {};
  header.msg_name = &names_[i];
  header.msg_namelen = to.ToSockaddr(&names_[i]);
  header.msg_iov = &vectors_[i];
  header.msg_iovlen = 1;
  SetSource(&header, controls_[i].octets.data(), from, to.ip, interface);
  return MutableBytes(buffers_[i].data(), size);
}

namespace {

// How many of them the kernel refused.
size_t SendMessages(int fd, std::span<mmsghdr> messages) {
  size_t refused = 0;
  while (!messages.empty()) {
    const int sent = sendmmsg(fd, messages.data(), static_cast<unsigned>(messages.size()),
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    // One that cannot be sent must not hold up the others.
    if (sent <= 0) ++refused;
    messages = messages.subspan(sent > 0 ? static_cast<size_t>(sent) : 1);
  }
  return refused;
}

}  // namespace

size_t SendBatch::Flush(int fd) {
  return SendMessages(fd, std::span(headers_).first(std::exchange(count_, 0)));
}

namespace {

// Listening sockets never fragment on IPv4 (the supervisor sets them so): who can replace a
// fragment could write another time into a reply. While this lives they do.
class FragmentsAllowed {
 public:
  explicit FragmentsAllowed(int fd) : fd_(fd) { Set(IP_PMTUDISC_DONT); }
  ~FragmentsAllowed() { Set(IP_PMTUDISC_DO); }
  FragmentsAllowed(const FragmentsAllowed&) = delete;
  FragmentsAllowed& operator=(const FragmentsAllowed&) = delete;

 private:
  void Set(int value) { (void)setsockopt(fd_, IPPROTO_IP, IP_MTU_DISCOVER, &value, sizeof value); }
  int fd_;
};

// A packet that is longer than the path takes must have Autokey's fields: a certificate with a key
// of 3072 bits does not fit into an Ethernet frame. Its values are signed, and its header is under
// the MAC.
bool SendWhole(int fd, const msghdr& header, Family family) {
  const size_t size = header.msg_iov->iov_len;
  const auto send = [&] {
    return sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) == static_cast<ssize_t>(size);
  };
  if (send()) return true;
  if (errno != EMSGSIZE || family != Family::kIpv4 || size <= kLongestWithoutFields) return false;
  const FragmentsAllowed allowed(fd);
  return send();
}

}  // namespace

bool SendFrom(int fd, Bytes bytes, const SocketAddress& to, const IpAddress& from,
              uint32_t interface) {
  sockaddr_storage name{};
  const socklen_t name_length = to.ToSockaddr(&name);
  iovec vector{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in6_pktinfo))] = {};
  msghdr header{};
  header.msg_name = &name;
  header.msg_namelen = name_length;
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  SetSource(&header, control, from, to.ip, interface);
  return SendWhole(fd, header, to.ip.family);
}

size_t SendAllFrom(int fd, std::span<const std::vector<uint8_t>> datagrams, const SocketAddress& to,
                   const IpAddress& from, uint32_t interface) {
  constexpr size_t kAtOnce = 32;
  sockaddr_storage name{};
  const socklen_t name_length = to.ToSockaddr(&name);
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in6_pktinfo))] = {};
  msghdr common{};
  common.msg_name = &name;
  common.msg_namelen = name_length;
  common.msg_iovlen = 1;
  SetSource(&common, control, from, to.ip, interface);

  std::array<iovec, kAtOnce> vectors;
  std::array<mmsghdr, kAtOnce> messages;
  size_t refused = 0;
  for (size_t count = 0; !datagrams.empty(); datagrams = datagrams.subspan(count)) {
    for (count = 0; count < std::min(kAtOnce, datagrams.size()); ++count) {
      const std::vector<uint8_t>& datagram = datagrams[count];
      CHECK(datagram.size() <= kLongestInPieces);
      vectors[count] = {const_cast<uint8_t*>(datagram.data()), datagram.size()};
      messages[count] = {common, 0};
      messages[count].msg_hdr.msg_iov = &vectors[count];
    }
    refused += SendMessages(fd, std::span(messages).first(count));
  }
  return refused;
}

bool SendWithHops(int fd, Bytes bytes, const SocketAddress& to, const IpAddress& from,
                  uint8_t hops) {
  sockaddr_storage name{};
  const socklen_t name_length = to.ToSockaddr(&name);
  iovec vector{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_name = &name;
  header.msg_namelen = name_length;
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  SetSource(&header, control, from, to.ip, to.ip.scope);
  if (hops != 0) {
    const size_t used = header.msg_controllen;
    const bool v4 = to.ip.family == Family::kIpv4;
    msghdr rest{};
    rest.msg_control = control + used;
    AppendControl(&rest, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_HOPLIMIT, int{hops});
    header.msg_control = control;
    header.msg_controllen = used + rest.msg_controllen;
  }
  return SendWhole(fd, header, to.ip.family);
}

Result<UniqueFd> OpenForGroup(Family family, uint8_t dscp) {
  const bool v4 = family == Family::kIpv4;
  UniqueFd fd(socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return Fail(std::string("socket: ") + std::strerror(errno));
  const int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  const bool ok = Set(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1) &&
                  Set(fd.get(), level, v4 ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP, 0) &&
                  Set(fd.get(), level, v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, 1);
  if (!ok) return Fail(std::string("setsockopt: ") + std::strerror(errno));
  (void)Set(fd.get(), level, v4 ? IP_TOS : IPV6_TCLASS, dscp << 2);
  return fd;
}

IpAddress LocalAddressTowards(const SocketAddress& remote) {
  IpAddress local;
  const int family = remote.ip.family == Family::kIpv4 ? AF_INET : AF_INET6;
  const UniqueFd fd(socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid() || (family == AF_INET && !Set(fd.get(), SOL_SOCKET, SO_BROADCAST, 1)))
    return local;
  sockaddr_storage address{};
  const socklen_t length = remote.ToSockaddr(&address);
  sockaddr_storage own{};
  socklen_t own_length = sizeof own;
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0 &&
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &own_length) == 0)
    if (const auto mine =
            SocketAddress::FromSockaddr(reinterpret_cast<sockaddr*>(&own), own_length))
      local = mine->ip;
  local.scope = 0;
  return local;
}

Result<UniqueFd> ConnectTo(const SocketAddress& remote, uint8_t dscp, IpAddress* local) {
  const int family = remote.ip.family == Family::kIpv4 ? AF_INET : AF_INET6;
  UniqueFd fd(socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return FailErrno("socket");
  if (!Set(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1)) return FailErrno("setsockopt");
  if (family == AF_INET) {
    (void)Set(fd.get(), IPPROTO_IP, IP_TOS, dscp << 2);
  } else {
    (void)Set(fd.get(), IPPROTO_IPV6, IPV6_TCLASS, dscp << 2);
  }
  sockaddr_storage address{};
  const socklen_t length = remote.ToSockaddr(&address);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
    return FailErrno(remote.ToString());
  sockaddr_storage own{};
  socklen_t own_length = sizeof own;
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &own_length) == 0)
    if (const auto mine =
            SocketAddress::FromSockaddr(reinterpret_cast<sockaddr*>(&own), own_length))
      *local = mine->ip;
  local->scope = 0;
  return fd;
}

}  // namespace ntpward::net
