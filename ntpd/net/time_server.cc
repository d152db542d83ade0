#include "ntpd/net/time_server.h"

#include <algorithm>

#include "ntpd/core/manycast.h"
#include "ntpd/net/random.h"
#include "ntpd/wire/refid.h"

namespace ntpward::net {
namespace {

// A datagram does not lie in a socket for longer than this; s.
constexpr double kLongestQueue = 4;

}  // namespace

TimeServer::TimeServer(Node* node, ControlServer* control)
    : node_(node),
      control_(control),
      batch_(std::make_unique<ReceiveBatch>()),
      sending_(std::make_unique<SendBatch>()),
      sealed_(std::make_unique<SendBatch>()) {
  plain_.reserve(ReceiveBatch::kSize);
  serve_waiting_.reserve(ReceiveBatch::kSize);
  node_->keys.SetOnTurn([this] { SendQueued(); });
  control_->SetSend([this](const Route& route, auto datagrams) { SendPieces(route, datagrams); });
}

void TimeServer::Configure(const msg::NetStart& start) {
  core::RateLimitConfig config;
  config.capacity = std::max<size_t>(1, start.mru_entries);
  config.average_log2 = start.discard_average;
  config.minimum = start.discard_minimum;
  // A reload that does not touch the limits must not forgive those who were over them.
  if (limiter_ && limiter_->config().capacity == config.capacity &&
      limiter_->config().average_log2 == config.average_log2 &&
      limiter_->config().minimum == config.minimum)
    return;
  limiter_.emplace(config, SipKey{RandomNumber(), RandomNumber()});
}

void TimeServer::AddListener(const msg::NetSocket& socket, UniqueFd fd) {
  if (listeners_.contains(socket.index)) return;
  Listener& listener = listeners_[socket.index];
  listener.index = socket.index;
  listener.local = socket.local;
  listener.interface = std::string(socket.interface.text());
  listener.flags = socket.flags;
  listener.broadcast = socket.broadcast;
  listener.drop = socket.drop;
  listener.to_many = socket.to_many;
  listener.opened = Timebase::Mono();
  listener.fd = std::move(fd);
  struct Argument {
    TimeServer* self;
    uint16_t index;
  };
  listener.argument = std::make_shared<Argument>(Argument{this, socket.index});
  listener.readable.reset(event_new(
      node_->base, listener.fd.get(), EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* argument) {
        const auto* which = static_cast<Argument*>(argument);
        which->self->Receive(which->index);
      },
      listener.argument.get()));
  event_add(listener.readable.get(), nullptr);
}

void TimeServer::RemoveListener(uint16_t index) { listeners_.erase(index); }

// Of a wildcard nothing says which addresses are ours, but for those that no other host has.
bool TimeServer::IsListening(const SocketAddress& address) const {
  return std::any_of(listeners_.begin(), listeners_.end(), [&](const auto& entry) {
    const SocketAddress& own = entry.second.local;
    if (own.port != address.port || own.ip.family != address.ip.family) return false;
    return own.ip.is_wildcard() ? address.ip.is_loopback() : own.ip.octets == address.ip.octets;
  });
}

Route TimeServer::RouteTo(const Listener& listener, const Datagram& datagram) const {
  Route route{listener.index, datagram.source, datagram.destination, datagram.interface};
  if (datagram.destination.is_multicast() || IsToEverybody(datagram)) {
    // Nothing can leave from a group or a broadcast address.
    route.group = datagram.destination;
    route.server = SourceTowards(datagram.source, datagram.local).value_or(datagram.local);
  }
  route.server.scope = 0;
  return route;
}

void TimeServer::Receive(uint16_t index) {
  Listener& listener = listeners_.at(index);
  const auto datagrams = batch_->Receive(listener.fd.get());
  node_->io.OnWakeup(datagrams.size());
  listener.datagrams.received += datagrams.size();
  if (listener.drop) {
    node_->io.dropped += datagrams.size();
    return;
  }
  for (const Datagram& datagram : datagrams) OnDatagram(listener, datagram);
  SendPlain();
  FlushBatch();
}

// Addresses that no honest datagram has.
bool TimeServer::IsPlausible(const Listener& listener, const Datagram& datagram) const {
  if (datagram.truncated || datagram.source.port == 0) return false;
  const IpAddress& from = datagram.source.ip;
  if (from.is_none() || from.is_wildcard() || from.is_multicast()) return false;
  // Our sockets are of one family each, so that the kernel makes no such source; rules for the IPv4
  // address must not be got round by it.
  if (IsV4Mapped(from)) return false;
  const IpAddress& to = datagram.destination.is_none() ? listener.local.ip : datagram.destination;
  if (to.is_multicast() &&
      (peering_ == nullptr || (!peering_->IsForListeners(datagram) && !IsManycast(datagram))))
    return false;
  // Our own broadcast, heard again.
  if (from == datagram.local && datagram.source.port == listener.local.port) return false;
  // A loopback source to another of our addresses is forged, or comes from ourselves by a detour
  // (CVE-2014-9751).
  if (from.is_loopback() && !to.is_loopback() && !to.is_wildcard()) return false;
  // Our own port talking to itself would never end. The scope of a link-local source is left out.
  return datagram.source.port != listener.local.port || from.family != to.family ||
         from.octets != to.octets;
}

bool TimeServer::IsManycast(const Datagram& datagram) const {
  const auto& groups = node_->start.manycast_groups;
  return std::any_of(groups.begin(), groups.end(), [&](const IpAddress& group) {
    return group.family == datagram.destination.family &&
           group.octets == datagram.destination.octets;
  });
}

// What was sent to many is answered only by those that the sender can use, or all would.
bool TimeServer::MayAnswer(const Datagram& datagram, const wire::Header& request) const {
  if (IsToEverybody(datagram)) return false;
  if (!datagram.destination.is_multicast()) return true;
  return IsManycast(datagram) && request.mode == wire::Mode::kClient &&
         core::AnswersManycast(request, node_->engine->system(), node_->start.cohort,
                               RefidOf(datagram.local));
}

void TimeServer::SetPeering(Peering* peering) {
  peering_ = peering;
  peering_->SetAnswer([this](const Route& route, const wire::Header& reply, Bytes mac) {
    ++node_->packets.processed;
    SendSealed(route, reply, mac);
  });
}

// The kernel's stamp, unless the clock was stepped between it and now: a reply whose times do not
// fit together would be thrown away at best.
NtpTimestamp TimeServer::ArrivalOf(const Datagram& datagram) const {
  const NtpTimestamp now = node_->time.Now();
  if (!datagram.received) return now;
  const NtpTimestamp arrival = node_->time.FromSystem(*datagram.received);
  const double age = (now - arrival).seconds();
  return age >= 0 && age <= kLongestQueue ? arrival : now;
}

void TimeServer::OnDatagram(const Listener& listener, const Datagram& datagram) {
  ++node_->packets.received;
  if (node_->engine == nullptr || !limiter_ || !IsPlausible(listener, datagram)) {
    ++node_->packets.bad_format;
    ++node_->io.ignored;
    return;
  }
  const core::AccessEntry& rule = node_->access.Match(datagram.source);
  const core::AccessFlags flags = rule.flags;
  if (flags.has(core::Access::kIgnore)) {
    ++node_->packets.restricted;
    ++node_->io.ignored;
    return;
  }
  const auto mode = wire::PeekMode(datagram.bytes);
  if (mode == wire::Mode::kControl || mode == wire::Mode::kPrivate) {
    const bool to_many = datagram.destination.is_multicast() || IsToEverybody(datagram);
    if (flags.has(core::Access::kNoQuery) || to_many) {
      ++node_->packets.restricted;
      return;
    }
    // Mode 7 is not served; ntpq's sysstats shows how often it was tried, as ntpd 4.2.8's does.
    if (mode == wire::Mode::kPrivate) ++node_->packets.restricted;
    return control_->OnDatagram(RouteTo(listener, datagram), rule, datagram.bytes);
  }
  OnTimePacket(listener, datagram, flags);
}

void TimeServer::OnTimePacket(const Listener& listener, const Datagram& datagram,
                              core::AccessFlags flags) {
  const auto packet = wire::ParsePacket(datagram.bytes);
  if (!packet.ok()) {
    ++node_->packets.bad_format;
    return;
  }
  const wire::Header& header = packet->header;
  if (header.version == wire::kMaxVersion) {
    ++node_->packets.this_version;
  } else if (!flags.has(core::Access::kVersion)) {
    ++node_->packets.old_version;
  }
  if (peering_ != nullptr && peering_->Take(datagram, flags, *packet, ArrivalOf(datagram))) return;
  if (!core::ReplyMode(header) || !MayAnswer(datagram, header)) {
    ++node_->packets.declined;
    return;
  }
  core::Request request;
  request.header = header;
  request.source = datagram.source;
  request.flags = flags;
  request.received = ArrivalOf(datagram);
  const core::RateDecision rate =
      limiter_->OnRequest({datagram.source, datagram.destination, flags, header.version,
                           static_cast<uint8_t>(header.mode), request.received},
                          Timebase::Mono());
  const Route route = RouteTo(listener, datagram);
  const bool autokey = packet->mac && packet->mac->key.is_autokey();
  const bool symmetric =
      header.mode == wire::Mode::kSymmetricActive && (packet->extensions().empty() || autokey);
  if (symmetric && peering_ != nullptr && OnSymmetric(route, request, rate, *packet)) return;
  if (!packet->mac || packet->crypto_nak || !node_->start.authentication)
    return OnPlain(route, request, rate);
  const auto fields = packet->extensions();
  const bool asks_autokey = !fields.empty() && (wire::IsAutokeyType(fields[0].type) ||
                                                wire::IsOldAutokeyRequest(fields[0].type));
  if (asks_autokey && packet->mac->key.is_autokey())
    return OnAutokey(route, request, rate, *packet);
  if (rate != core::RateDecision::kServe && MayProve(request, *packet))
    return OnSealed(route, request, core::RateDecision::kServe, *packet, true);
  OnSealed(route, request, rate, *packet);
}

// Anybody can send in a client's name, so that the limit of an address alone would let a stranger
// silence who has a key. A kiss would come of the stranger's packets, too.
bool TimeServer::MayProve(const core::Request& request, const wire::Packet& packet) {
  return request.header.mode == wire::Mode::kClient && packet.extensions().empty() &&
         !request.flags.has(core::Access::kNoServe) && proofs_.Take(Timebase::Mono());
}

void TimeServer::CountSilence(core::Silence why) {
  switch (why) {
    case core::Silence::kLimited:
      ++node_->packets.limited;
      return;
    case core::Silence::kWrongVersion:
    case core::Silence::kSourcePort:
      ++node_->packets.bad_format;
      return;
    case core::Silence::kNotARequest:
      ++node_->packets.declined;
      return;
    default:
      ++node_->packets.restricted;
  }
}

// A stranger that sends as to a peer. False: it is answered as one without MAC.
bool TimeServer::OnSymmetric(const Route& route, const core::Request& request,
                             core::RateDecision rate, const wire::Packet& packet) {
  core::Request asked = request;
  if (packet.mac && !packet.crypto_nak) asked.auth = core::RequestAuth::kGood;  // the verdict says
  const auto answer = core::AnswerRequest(asked, rate, node_->engine->system(), Timebase::Mono());
  return answer.ok() && !answer->kiss && peering_->OnPeer(route, request, packet);
}

void TimeServer::OnPlain(const Route& route, const core::Request& request,
                         core::RateDecision rate) {
  const auto answer = core::AnswerRequest(request, rate, node_->engine->system(), Timebase::Mono());
  if (!answer.ok()) return CountSilence(answer.error());
  if (answer->kiss) {
    // A kiss is a refusal that is said.
    const bool limited = answer->header.refid == wire::RefidCode("RATE");
    ++(limited ? node_->packets.limited : node_->packets.restricted);
    ++node_->packets.kod_sent;
    std::array<uint8_t, wire::kHeaderSize> packet;
    Writer writer(packet);
    wire::EncodeHeader(writer, answer->header);
    return Send(route, writer.written());
  }
  plain_.push_back({route, answer->header});
  if (plain_.size() == ReceiveBatch::kSize) SendPlain();
}

}  // namespace ntpward::net
