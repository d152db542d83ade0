// The network as it is: the system's resolver and connected UDP sockets.
#pragma once

#include <optional>
#include <string>

#include "ntpq/transport.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::ntpq {

inline constexpr uint16_t kNtpPort = 123;  // RFC 5905 section 7.2

// A socket connected to `server`: the kernel drops datagrams from anyone else, and reports that a
// port is closed.
class UdpTransport : public Transport {
 public:
  // Opens the socket and connects it; sends nothing. The error is "socket: " or "connect: " and
  // what the kernel said.
  static Result<std::unique_ptr<Transport>> Connect(const SocketAddress& server);

  // CLOCK_MONOTONIC.
  MonoTime Now() override;
  // The error begins with "write: ".
  Status Send(Bytes datagram) override;
  // What is longer than wire::kMaxControlDatagram comes one octet longer than that. The error
  // begins with "read: ", as when the server's host says that the port is closed, or "poll: ".
  Result<std::optional<std::vector<uint8_t>>> Receive(MonoTime deadline) override;
  // Looked at five times a second while Receive() waits.
  bool Interrupted() override;
  void SetInterruption(std::function<bool()> wants_end) override {
    wants_end_ = std::move(wants_end);
  }

 private:
  explicit UdpTransport(UniqueFd socket) : socket_(std::move(socket)) {}

  UniqueFd socket_;
  std::function<bool()> wants_end_;
};

}  // namespace ntpward::ntpq
