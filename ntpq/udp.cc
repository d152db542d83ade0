#include "ntpq/udp.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "ntpd/wire/control_message.h"
#include "ntpq/interrupt.h"
#include "privsep/base/system_error.h"

namespace ntpward::ntpq {
namespace {

constexpr double kLookMs = 200;

}  // namespace

Result<std::unique_ptr<Transport>> UdpTransport::Connect(const SocketAddress& server) {
  sockaddr_storage storage;
  const socklen_t length = server.ToSockaddr(&storage);
  UniqueFd socket(::socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return FailErrno("socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0)
    return FailErrno("connect");
  return std::unique_ptr<Transport>(new UdpTransport(std::move(socket)));
}

MonoTime UdpTransport::Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return MonoTime::FromNanoseconds(int64_t{now.tv_sec} * 1000000000 + now.tv_nsec);
}

Status UdpTransport::Send(Bytes datagram) {
  if (::send(socket_.get(), datagram.data(), datagram.size(), 0) < 0) return FailErrno("write");
  return {};
}

bool UdpTransport::Interrupted() { return (wants_end_ && wants_end_()) || InterruptIsHeld(); }

Result<std::optional<std::vector<uint8_t>>> UdpTransport::Receive(MonoTime deadline) {
  // One octet more than is accepted, so that an oversized datagram shows as such.
  std::vector<uint8_t> buffer(wire::kMaxControlDatagram + 1);
  while (true) {
    const double left = deadline - Now();
    if (left <= 0) return std::optional<std::vector<uint8_t>>();
    pollfd wait{socket_.get(), POLLIN, 0};
    if (Interrupted()) return std::optional<std::vector<uint8_t>>();
    // A held interrupt wakes nobody: it is looked for.
    const int timeout_ms = static_cast<int>(std::min(std::ceil(left * 1000), kLookMs));
    if (::poll(&wait, 1, timeout_ms) < 0 && errno != EINTR) return FailErrno("poll");
    const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (size >= 0) {
      buffer.resize(static_cast<size_t>(size));
      return std::optional<std::vector<uint8_t>>(std::move(buffer));
    }
    if (errno != EAGAIN && errno != EINTR) return FailErrno("read");
  }
}

}  // namespace ntpward::ntpq
