// Answers mode 6 (ntpq): the responder decides, this sends, and asks ntpd-keys about MACs.
#pragma once

#include <functional>
#include <vector>

#include "ntpd/control/responder.h"
#include "ntpd/net/node.h"
#include "ntpd/net/udp.h"

namespace ntpward::net {

// Where an answer goes. The listener is named, not held: it may be gone when a late answer comes.
struct Route {
  uint16_t listener = 0;
  SocketAddress client;
  IpAddress server;        // the address of ours that was asked; without scope
  uint32_t interface = 0;  // index
  IpAddress group;         // where the question was sent, when that was to many; else none
  AddressPair path() const { return {client.ip, server}; }
  // As the question's session key was made.
  AddressPair asked_path() const { return {client.ip, group.is_none() ? server : group}; }
};

class ControlServer {
 public:
  using SendTo = std::function<void(const Route&, Bytes)>;

  // Both must outlive this object.
  ControlServer(Node* node, control::StateView* state);
  // How answers leave; they are dropped before it is set.
  void SetSend(SendTo send) { send_ = std::move(send); }

  // A datagram of mode 6 or 7 whose sender may ask; `flags` are the rules for it.
  void OnDatagram(const Route& route, core::AccessFlags flags, Bytes datagram);
  const control::Counters& counters() const { return responder_.counters(); }

 private:
  // Where an answer goes, and what its receiver may see.
  struct Asker {
    Route route;
    control::Requester requester;
  };

  void Check(const Asker& asker, Bytes datagram);
  void Respond(const Asker& asker, Bytes datagram, control::MacVerdict verdict, KeyId key);
  void SealAndSend(const Route& route, std::vector<uint8_t> reply, KeyId key);

  Node* node_;
  control::StateView* state_;
  SendTo send_ = [](const Route&, Bytes) {};
  control::Responder responder_;
};

}  // namespace ntpward::net
