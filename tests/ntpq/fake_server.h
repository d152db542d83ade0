// A server that a test plays to ntpq, without a socket: its clock moves only while ntpq waits.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ntpd/wire/control_message.h"
#include "ntpq/transport.h"

namespace ntpward::ntpq::test {

struct FakeServer {
  // A datagram on its way, and the seconds that ntpq waits for it.
  struct Coming {
    double after_s = 0;
    std::vector<uint8_t> datagram;
  };

  // Hears each request; answers by Answer, Refuse, or what it puts into `coming`.
  std::function<void(const wire::ControlRequest&)> on_request = {};
  // Asked when ntpq waits and nothing is coming; what would take longer than `patience_s`, or no
  // time at all, never comes.
  std::function<std::optional<Coming>(double patience_s)> on_silence = {};
  // What the kernel says of each datagram that is to be sent; empty: nothing.
  std::string refusal = {};
  // `coming` was written before the question was: the question's number is added to each's.
  bool counts_from_question = false;
  bool seals =
      true;  // Answer does, under the key that it was asked under, if CredentialsOf knows it
  bool interrupted = false;
  IpAddress address = IpAddress::V4(127, 0, 0, 1);

  MonoTime now = MonoTime::FromSeconds(1000);
  std::deque<Coming> coming = {};
  std::vector<std::vector<uint8_t>> sent = {};
  size_t waits = 0;
  // What the session asks while it waits; see Transport::SetInterruption.
  std::function<bool()> wants_end = {};

  // Sends all of `data`, in as many fragments as it takes.
  void Answer(const wire::ControlRequest& request, std::string_view data, uint16_t status = 0);
  void Refuse(const wire::ControlRequest& request, wire::ControlError error);
  bool Interrupted() const { return interrupted || (wants_end && wants_end()); }
};

class FakeTransport : public Transport {
 public:
  // `server` outlives it.
  explicit FakeTransport(FakeServer& server) : server_(server) {}
  MonoTime Now() override { return server_.now; }
  Status Send(Bytes datagram) override;
  Result<std::optional<std::vector<uint8_t>>> Receive(MonoTime deadline) override;
  bool Interrupted() override { return server_.Interrupted(); }
  void SetInterruption(std::function<bool()> wants_end) override {
    server_.wants_end = std::move(wants_end);
  }

 private:
  std::optional<FakeServer::Coming> Next(double patience_s);
  void WaitUntil(MonoTime deadline);

  FakeServer& server_;
};

// Where every name is that server.
class FakeNetwork : public Network {
 public:
  // `server` outlives it.
  explicit FakeNetwork(FakeServer& server) : server_(server) {}
  Result<Host, OpenError> Open(const std::string& name, Family) override {
    return Host{name, server_.address, std::make_unique<FakeTransport>(server_)};
  }

 private:
  FakeServer& server_;
};

}  // namespace ntpward::ntpq::test
