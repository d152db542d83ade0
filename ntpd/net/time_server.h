// Answers those who ask us for the time, and for Autokey's messages.
//
// Every datagram that reaches a listening socket comes through here. Its sender is unproved until a
// MAC was checked, so nothing is kept about it but a row of the rate limiter.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ntpd/autokey/server_side.h"
#include "ntpd/core/rate_limit.h"
#include "ntpd/core/server.h"
#include "ntpd/net/control_server.h"
#include "ntpd/net/node.h"
#include "ntpd/net/peering.h"
#include "ntpd/net/udp.h"
#include "ntpd/wire/packet.h"
#include "privsep/base/token_bucket.h"

namespace ntpward::net {

// A listening socket that the supervisor handed over.
struct Listener {
  uint16_t index = 0;
  SocketAddress local;
  std::string interface;
  uint16_t flags = 0;  // control::InterfaceFlag
  IpAddress broadcast;
  bool drop = false;
  bool to_many = false;  // `local` is a broadcast address or a group
  MonoTime opened;
  SocketCounters datagrams;
  UniqueFd fd;
  std::shared_ptr<void> argument;  // of `readable`; outlives it
  Event readable;
};

class TimeServer {
 public:
  // Both must outlive this object.
  TimeServer(Node* node, ControlServer* control);

  // Who takes what is no client's request. `peering` must outlive this object.
  void SetPeering(Peering* peering);
  // Sends by a listening socket of that family. See SendWithHops; false when there is none.
  bool SendTo(const SocketAddress& to, const IpAddress& from, uint8_t hops, Bytes packet);
  // The address from which to send to `to`, so that what is answered comes to a listening socket:
  // `wanted`, which may be none, if one has it or has all; else the listened one most like it (like
  // `to`, if there is none). No value when no socket sends there.
  std::optional<IpAddress> SourceTowards(const SocketAddress& to, const IpAddress& wanted) const;

  // Takes the place of an older configuration's limits.
  void Configure(const msg::NetStart& start);
  void AddListener(const msg::NetSocket& socket, UniqueFd fd);
  void RemoveListener(uint16_t index);

  // Whether what is sent to `address`, if that is one of ours, comes to a listening socket.
  bool IsListening(const SocketAddress& address) const;
  const std::map<uint16_t, Listener>& listeners() const { return listeners_; }
  // See autokey::ServerSide.
  void OnSignerReplaced(MonoTime now, bool scheme) { autokey_.OnSignerReplaced(now, scheme); }
  const core::RateLimiter* recent() const { return limiter_ ? &*limiter_ : nullptr; }

 private:
  // A request that ntpd-keys looks at, and the reply as it was told to seal it.
  struct Waiting {
    Route route;
    core::Request request;
    wire::Header reply;
    bool over_limit = false;  // served only if its MAC is good, and not too often then
  };
  struct Plain {
    Route route;
    wire::Header reply;
  };

  void Receive(uint16_t index);
  Route RouteTo(const Listener& listener, const Datagram& datagram) const;
  void OnDatagram(const Listener& listener, const Datagram& datagram);
  bool IsPlausible(const Listener& listener, const Datagram& datagram) const;
  bool IsManycast(const Datagram& datagram) const;
  bool MayAnswer(const Datagram& datagram, const wire::Header& request) const;
  NtpTimestamp ArrivalOf(const Datagram& datagram) const;
  void OnTimePacket(const Listener& listener, const Datagram& datagram, core::AccessFlags flags);
  void CountSilence(core::Silence why);
  // May a request that its address's limit refuses show by its MAC that it is no stranger's?
  bool MayProve(const core::Request& request, const wire::Packet& packet);
  bool OnSymmetric(const Route& route, const core::Request& request, core::RateDecision rate,
                   const wire::Packet& packet);
  void OnPlain(const Route& route, const core::Request& request, core::RateDecision rate);
  void OnSealed(const Route& route, const core::Request& request, core::RateDecision rate,
                const wire::Packet& packet, bool over_limit = false);
  void OnAutokey(const Route& asked_route, const core::Request& request, core::RateDecision rate,
                 const wire::Packet& packet);
  autokey::ServerContext Context() const;
  // Answers a field that came under `key`, now or once ntpd-keys has had its part in it.
  void AnswerField(const Route& route, const wire::Header& header, KeyId key, Bytes field);
  void FinishField(const Route& route, const wire::Header& header, KeyId key,
                   const autokey::ServerAnswer& done);
  void ReplyField(const Route& route, const wire::Header& reply, KeyId key, Bytes field);
  void SendPlain();
  void FlushBatch();
  void OnServeDone(const std::vector<Waiting>& waiting, const msg::ServeDone& done,
                   NtpDuration ahead);
  void OnServeResult(const Waiting& job, const msg::ServeResult& result, NtpDuration ahead);
  void SendHeader(const Route& route, wire::Header header, Bytes trailer);
  void SendSealed(const Route& route, const wire::Header& header, Bytes trailer);
  void QueueSealed(const Route& route, const wire::Header& header, Bytes trailer,
                   NtpTimestamp sealed);
  void SendQueued();
  void SendNak(const Route& route, const core::Request& request);
  void Send(const Route& route, Bytes packet);
  // The datagrams of an answer to mode 6.
  void SendPieces(const Route& route, std::span<const std::vector<uint8_t>> datagrams);
  void NoteSent(Listener* listener, size_t count, size_t refused);

  Node* node_;
  ControlServer* control_;
  Peering* peering_ = nullptr;
  autokey::ServerSide autokey_;
  std::optional<core::RateLimiter> limiter_;
  // MACs that are looked at although the limit of their address refuses them.
  TokenBucket proofs_{500, 500};
  std::map<uint16_t, Listener> listeners_;
  std::unique_ptr<ReceiveBatch> batch_;
  std::unique_ptr<SendBatch> sending_;
  // Sealed replies of the present wake-up for one listener, the first of which ntpd-keys had in
  // hand at that time.
  std::unique_ptr<SendBatch> sealed_;
  uint16_t sealed_listener_ = 0;
  NtpTimestamp first_sealed_;
  std::vector<Plain> plain_;            // replies of the present turn; never more than it received
  msg::ServeBatch serve_;               // jobs of the present turn
  std::vector<Waiting> serve_waiting_;  // beside serve_.jobs
};

}  // namespace ntpward::net
