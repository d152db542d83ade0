// Answers mode 6 (ntpq): the responder decides, this sends, and asks ntpd-keys about MACs.
#pragma once

#include "ntpd/control/responder.h"
#include "ntpd/net/node.h"
#include "ntpd/net/udp.h"

namespace ntpward::net {

class ControlServer {
 public:
  // Both must outlive this object.
  ControlServer(Node* node, control::StateView* state);

  // A datagram of mode 6 or 7 whose sender may ask. `fd` is the listener, `from` our address.
  void OnDatagram(int fd, const Datagram& datagram, const IpAddress& from);
  const control::Counters& counters() const { return responder_.counters(); }

 private:
  struct Route {
    int fd = -1;
    SocketAddress client;
    IpAddress server;
    uint32_t interface = 0;
  };
  void Check(const Route& route, Bytes datagram);
  void Respond(const Route& route, Bytes datagram, control::MacVerdict verdict, KeyId key);
  void SealAndSend(const Route& route, std::vector<uint8_t> reply, KeyId key);

  Node* node_;
  control::StateView* state_;
  control::Responder responder_;
};

}  // namespace ntpward::net
