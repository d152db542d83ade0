// Datagrams to and from one server, and the clock that their deadlines are counted on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "privsep/base/address.h"
#include "privsep/base/bytes.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::ntpq {

// Live: a connected UDP socket (udp.h); tests replay recordings.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual MonoTime Now() = 0;
  // Sends one datagram; an error is one line for the operator.
  virtual Status Send(Bytes datagram) = 0;
  // The next datagram; none once `deadline` has passed, even if datagrams wait: whoever sends them
  // without end must not keep the caller.
  virtual Result<std::optional<std::vector<uint8_t>>> Receive(MonoTime deadline) = 0;
  // The user wants the command to end (Platform::HoldInterrupt); Receive() then returns soon.
  virtual bool Interrupted() { return false; }
  // Asked in addition whether the command is to end, some times a second while Receive() waits;
  // empty: nobody. It must not use this transport but for Now().
  virtual void SetInterruption(std::function<bool()> wants_end) { wants_end = nullptr; }
};

// A server that queries can go to.
struct Host {
  std::string name;  // as the resolver calls it, else as the user typed it; fit for a terminal
  IpAddress address;
  std::unique_ptr<Transport> transport;
};

// Turns what the user typed into a Host.
class Network {
 public:
  virtual ~Network() = default;
  // `family` kNone: any. The error is the resolver's or the kernel's own text.
  struct OpenError {
    std::string text;
    bool fatal = false;  // the kernel refused, not the resolver
  };
  virtual Result<Host, OpenError> Open(const std::string& name, Family family) = 0;
};

}  // namespace ntpward::ntpq
