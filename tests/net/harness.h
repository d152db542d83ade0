// Net's parts as the role puts them together, with the test at the other end of every channel and
// real sockets on loopback.
#pragma once

#include <event2/event.h>
#include <poll.h>

#include <memory>
#include <vector>

#include "ntpd/net/control_server.h"
#include "ntpd/net/daemon_view.h"
#include "ntpd/net/node.h"
#include "ntpd/net/peering.h"
#include "ntpd/net/time_server.h"
#include "ntpd/net/upstreams.h"
#include "tests/net/peers.h"
#include "tests/net/sockets.h"

namespace ntpward::test {

// Somebody on the network: a client, a server, a forger.
struct Stranger {
  explicit Stranger(const IpAddress& address, uint16_t port = 0) : fd(BindTo(address, port)) {}

  struct Got {
    std::vector<uint8_t> bytes;
    SocketAddress from;
    wire::Header header() const { return wire::ParsePacket(bytes)->header; }
  };
  // Datagrams on loopback are there as soon as they were sent.
  std::optional<Got> Receive() {
    const auto received = batch->Receive(fd.get());
    for (const net::Datagram& datagram : received)
      waiting.push_back({{datagram.bytes.begin(), datagram.bytes.end()}, datagram.source});
    if (waiting.empty()) return std::nullopt;
    const Got first = waiting.front();
    waiting.erase(waiting.begin());
    return first;
  }
  void Send(Bytes bytes, const SocketAddress& to) {
    CHECK(net::SendFrom(fd.get(), bytes, to, IpAddress(), 0));
  }
  SocketAddress address() const { return LocalOf(fd.get()); }

  UniqueFd fd;
  std::unique_ptr<net::ReceiveBatch> batch = std::make_unique<net::ReceiveBatch>();
  std::vector<Got> waiting;
};

inline std::vector<uint8_t> Encoded(const wire::Header& header, Bytes trailer = {}) {
  std::vector<uint8_t> packet(wire::kHeaderSize + trailer.size());
  Writer writer(packet);
  wire::EncodeHeader(writer, header);
  writer.Put(trailer);
  CHECK(writer.Finish());
  return packet;
}

// A MAC by `key` that the test, as ntpd-keys, takes for good.
inline std::vector<uint8_t> SomeMac(KeyId key) {
  std::vector<uint8_t> trailer(20, 0xab);
  Writer writer(trailer);
  writer.U32(key.value);
  return trailer;
}

// What a host of stratum 2 sends at `now` to whom it has not heard.
inline wire::Header PacketOf(wire::Mode mode, NtpTimestamp now = SystemTimeNow()) {
  wire::Header packet;
  packet.leap = wire::Leap::kNone;
  packet.mode = mode;
  packet.stratum = 2;
  packet.poll = 6;
  packet.precision = -20;
  packet.refid = 0x0a000001;
  packet.reference = packet.transmit = now;
  return packet;
}

// What a server that is `ahead` seconds ahead answers.
inline wire::Header ReplyTo(const wire::Header& request, double ahead = 0) {
  const NtpTimestamp now = SystemTimeNow() + NtpDuration::FromSeconds(ahead);
  wire::Header reply = PacketOf(wire::Mode::kServer, now);
  reply.origin = request.transmit;
  reply.receive = now;
  return reply;
}

// Without what passes with time alone, and what counts refusals.
inline core::PeerSnapshot Lasting(core::PeerSnapshot snapshot) {
  snapshot.until_poll = snapshot.headway = snapshot.root_distance = 0;
  snapshot.since_received.reset();
  snapshot.since_reachable.reset();
  snapshot.counters = {};
  snapshot.flash = 0;
  return snapshot;
}

struct Harness {
  explicit Harness(uint16_t server_port = 123)
      : base(event_base_new()),
        node(base.get(), &supervisor.near, &clock.near, &keys.near),
        upstreams(
            &node, &resolve.near, [this] { ++updates; }, server_port),
        view(&node, &upstreams, &leap_seconds),
        control(&node, &view, &run_time),
        server(&node, &control) {
    view.SetServer(&server);
    core::EngineConfig config;
    node.engine = std::make_unique<core::Engine>(config, net::Timebase::Mono());
    auto hasher = keys::SessionKeyHasher::Create();
    CHECK(hasher.ok());
    node.hasher.emplace(std::move(hasher).value());
    server.Configure(node.start);
  }

  // The one upstream that there is.
  AssocId Only() const {
    CHECK(upstreams.all().size() == 1);
    return upstreams.all().begin()->first;
  }
  core::PeerSnapshot Snapshot() const {
    return *node.engine->Snapshot(Only(), net::Timebase::Mono());
  }
  // Our clock is right from now on, by a local clock.
  void Synchronise() {
    CHECK(node.engine->AddLocalClock(AssocId{1}, {}, net::Timebase::Mono()));
    (void)node.engine->Tick(net::Timebase::Mono(), node.time.Now());
    CHECK(node.synchronised());
  }
  // A wildcard listener; where it listens.
  uint16_t Listen(uint16_t index = 0) {
    UniqueFd fd = OpenListener();
    msg::NetSocket socket;
    socket.index = index;
    socket.local = LocalOf(fd.get());
    const uint16_t port = socket.local.port;
    server.AddListener(socket, std::move(fd));
    return port;
  }
  // Packets of symmetric and broadcast modes come and go by the listeners.
  void Attach(net::Peering* peering) {
    server.SetPeering(peering);
    upstreams.SetSend([this](const SocketAddress& to, const IpAddress& from, uint8_t hops,
                             Bytes packet) { return server.SendTo(to, from, hops, packet); });
  }
  // Who we are to others under Autokey.
  void SetHost(const msg::HostMaterial& material) {
    CHECK(node.host.SetMaterial(material).ok());
    node.certificates.SetOwn(node.host.certificate());
    node.has_material = true;
  }
  // `packet` with the MAC that anyone can make.
  std::vector<uint8_t> WithPublicMac(const AddressPair& path, KeyId key,
                                     std::vector<uint8_t> packet) {
    const auto digest = node.PublicMac(path, key, packet);
    std::vector<uint8_t> trailer(4 + digest.size());
    Writer writer(trailer);
    wire::EncodeMac(writer, {key, digest.span()});
    packet.insert(packet.end(), trailer.begin(), trailer.end());
    return packet;
  }
  // As ntpd-keys: says it to net, and hands each message that came from net to `serve`.
  template <msg::Message M>
  void SayAsKeys(const M& message) {
    CHECK(keys.far.Send(message) == SendOutcome::kSent);
  }
  template <typename F>
  void ServeKeys(F serve) {
    while (const auto bytes = keys.far.Receive()) {
      const std::vector<uint8_t> message(bytes->begin(), bytes->end());
      serve(message);
      CHECK(node.keys.OnReadable());
    }
  }
  void Restrict(core::AccessFlags flags) { node.access.SetDefault(Family::kIpv4, flags); }
  // Handles what has come.
  void Spin() {
    for (int i = 0; i < 4; ++i) event_base_loop(base.get(), EVLOOP_NONBLOCK);
  }
  int Accusations() { return CountOf<msg::Misbehaviour>(&supervisor.far); }

  struct FreeBase {
    void operator()(event_base* b) const { event_base_free(b); }
  };
  Duplex supervisor;
  Duplex clock;
  Duplex keys;
  Duplex resolve;
  int updates = 0;
  std::unique_ptr<event_base, FreeBase> base;
  net::Node node;
  net::Upstreams upstreams;
  net::LeapSeconds leap_seconds{&node};
  net::DaemonView view;
  net::RunTimeLines run_time{&node, &upstreams};
  net::ControlServer control;
  net::TimeServer server;
};

}  // namespace ntpward::test
