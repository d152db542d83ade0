// Packets that make associations: strangers that want to be peers, and broadcast servers heard for
// the first time. Nothing is made before a MAC of a trusted key was checked, unless `disable auth`.
// A peer or a broadcast server under Autokey is tried before it has proved itself; no time is taken
// from it until then, and a peer is not tried before it has shown that it reads what is sent to it.
#pragma once

#include <functional>

#include "ntpd/core/dispatch.h"
#include "ntpd/core/first_answer.h"
#include "ntpd/core/mobilisation.h"
#include "ntpd/core/server.h"
#include "ntpd/net/control_server.h"
#include "ntpd/net/node.h"
#include "ntpd/net/random.h"
#include "ntpd/net/udp.h"
#include "ntpd/net/upstreams.h"
#include "ntpd/wire/packet.h"

namespace ntpward::net {

class Peering {
 public:
  // Both must outlive this object. `on_change` is called when there is a new association.
  Peering(Node* node, Upstreams* upstreams, std::function<void()> on_change)
      : node_(node), upstreams_(upstreams), on_change_(std::move(on_change)) {}

  // Takes a packet that belongs to an association, or a broadcast: then true, and it is dealt with.
  // `flags`: of its sender's restrict entry; `arrival`: by our clock.
  bool Take(const Datagram& datagram, core::AccessFlags flags, const wire::Packet& packet,
            NtpTimestamp arrival);

  // How a stranger who may not be our peer is answered as one, and forgotten (ntpd 4.2.8; RFC 5905
  // would be silent): `mac` seals `reply`, or is a crypto-NAK.
  using Answer = std::function<void(const Route&, const wire::Header& reply, Bytes mac)>;
  void SetAnswer(Answer answer) { answer_ = std::move(answer); }

  // A stranger's mode 1 packet, which access rules and rate limit let through. False: it made no
  // association and is to be answered as a request without MAC.
  // `packet` may have extension fields: those of Autokey.
  bool OnPeer(const Route& route, const core::Request& request, const wire::Packet& packet);

  // The key list of our broadcast association of that identifier; null when there is none.
  const autokey::OwnKeyList* KeyListOf(uint32_t association) const;

  // Was it sent to a group that we listen to for broadcasts, or to everybody?
  bool IsForListeners(const Datagram& datagram) const;

 private:
  // One packet whose MAC is being looked at.
  struct Candidate {
    Route route;
    core::Request request;
    KeyId key;
  };
  void OnBroadcast(const Datagram& datagram, const wire::Packet& packet);
  void OnAutokeyBroadcast(const Datagram& datagram, const wire::Packet& packet);
  // A broadcast that makes an association, if it may.
  struct Broadcast {
    SocketAddress source;
    IpAddress local;
    IpAddress heard;  // where it was sent to
    wire::Header header;
    KeyId key;  // 0: none
  };
  void MobiliseListener(const Broadcast& broadcast);
  void OnPeerVerdict(const Candidate& candidate, msg::VerdictCode code);
  void OnAutokeyPeer(const Candidate& candidate, const wire::Packet& packet);
  bool IsFirstOfADance(const Candidate& candidate, const wire::Packet& packet) const;
  void AnswerFirst(const Candidate& candidate);
  void RefuseMac(const Candidate& candidate);
  bool MobilisePassive(const Candidate& candidate);
  void AnswerSealed(const Candidate& candidate);
  bool AskMac(const AddressPair& path, const wire::Packet& packet, KeysClient::OnVerdict done);

  Node* node_;
  Upstreams* upstreams_;
  std::function<void()> on_change_;
  Answer answer_;
  core::FirstAnswer first_answer_{SipKey{RandomNumber(), RandomNumber()}};
};

// May this stranger have an association, as `restrict` and `enable auth` say? `authenticated`: it
// had a good MAC of a trusted key; then a refusal is logged.
core::Mobilisation AskMobilisation(Node* node, const SocketAddress& source, bool authenticated);

// Sent to all hosts of a network (IPv4).
bool IsToEverybody(const Datagram& datagram);

}  // namespace ntpward::net
