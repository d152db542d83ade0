// The network as it is: the system's resolver and connected UDP sockets.
#pragma once

#include <optional>
#include <string>

#include "ntpq/transport.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::ntpq {

inline constexpr uint16_t kNtpPort = 123;

// A socket connected to `server`: the kernel drops datagrams from anyone else, and reports that a
// port is closed.
class UdpTransport : public Transport {
 public:
  static Result<std::unique_ptr<Transport>> Connect(const SocketAddress& server);

  MonoTime Now() override;
  Status Send(Bytes datagram) override;
  Result<std::optional<std::vector<uint8_t>>> Receive(MonoTime deadline) override;
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
