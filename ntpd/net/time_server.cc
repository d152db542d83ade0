#include "ntpd/net/time_server.h"

#include <algorithm>

#include "ntpd/core/manycast.h"
#include "ntpd/net/random.h"
#include "ntpd/wire/refid.h"

namespace ntpward::net {
namespace {

// A datagram does not lie in a socket for longer than this; s.
constexpr double kLongestQueue = 4;

// What ntpd-keys seals is this, so that what is sent must be exactly `reply`, too.
msg::ReplyTemplate TemplateOf(const wire::Header& reply, const Node& node) {
  msg::ReplyTemplate shared;
  shared.leap = static_cast<uint8_t>(reply.leap);
  shared.stratum = reply.stratum;
  shared.precision = reply.precision;
  shared.root_delay = reply.root_delay.raw();
  shared.root_dispersion = reply.root_dispersion.raw();
  shared.refid = reply.refid;
  shared.reference = reply.reference;
  shared.correction = node.time.Correction();
  shared.wire_delay =
      NtpDuration::FromSeconds(node.sealed.Value().seconds() + node.leaving.Value().seconds());
  return shared;
}

Route RouteTo(const Listener& listener, const Datagram& datagram) {
  // Nothing can leave from a group or a broadcast address.
  const bool to_many = datagram.destination.is_multicast() || IsToEverybody(datagram);
  Route route{listener.index, datagram.source, to_many ? datagram.local : datagram.destination,
              datagram.interface};
  route.server.scope = 0;
  if (to_many) route.group = datagram.destination;
  return route;
}

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

bool TimeServer::SendTo(const SocketAddress& to, const IpAddress& from, uint8_t hops,
                        Bytes packet) {
  Listener* best = nullptr;
  for (auto& [index, listener] : listeners_) {
    const IpAddress& local = listener.local.ip;
    if (listener.drop || local.family != to.ip.family) continue;
    if (local.is_loopback() && !to.ip.is_loopback()) continue;
    if (best == nullptr || local == from) best = &listener;
  }
  if (best == nullptr) return false;
  const bool sent = SendWithHops(best->fd.get(), packet, to, from, hops);
  NoteSent(best, 1, sent ? 0 : 1);
  return sent;
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
  if (peering_ != nullptr && peering_->Take(datagram, *packet, ArrivalOf(datagram))) return;
  if (!core::ReplyMode(header, datagram.source.port) || !MayAnswer(datagram, header)) {
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

// Replies without MAC leave together; each is stamped as late as can be.
void TimeServer::SendPlain() {
  for (size_t next = 0; next < plain_.size();) {
    const auto listener = listeners_.find(plain_[next].route.listener);
    const size_t end = std::min(plain_.size(), next + SendBatch::kSize);
    if (listener == listeners_.end()) break;
    for (; next < end; ++next) {
      const auto& [route, reply] = plain_[next];
      Writer writer(sending_->Add(wire::kHeaderSize, route.client, route.server, route.interface));
      wire::Header header = reply;
      header.transmit = node_->LeavingTime();
      wire::EncodeHeader(writer, header);
      CHECK(writer.Finish());
    }
    const size_t count = sending_->size();
    NoteSent(&listener->second, count, sending_->Flush(listener->second.fd.get()));
  }
  plain_.clear();
}

// A MAC and no Autokey field: ntpd-keys checks it and seals the reply.
void TimeServer::OnSealed(const Route& route, const core::Request& request, core::RateDecision rate,
                          const wire::Packet& packet, bool over_limit) {
  core::Request asked = request;
  asked.auth = core::RequestAuth::kGood;  // if it is not, the answer says so
  const auto answer = core::AnswerRequest(asked, rate, node_->engine->system(), Timebase::Mono());
  if (!answer.ok() || answer->kiss) return OnPlain(route, request, rate);
  msg::ServeJob job;
  // Keys replies to client mode only, and covers no unknown fields.
  if (request.header.mode != wire::Mode::kClient || !job.covered.Assign(packet.covered) ||
      packet.mac->digest.empty() || packet.mac->key.is_none()) {
    ++node_->packets.declined;
    return;
  }
  job.job = static_cast<uint16_t>(serve_.jobs.size());
  job.path = route.path();
  job.key = packet.mac->key;
  CHECK(job.digest.Assign(packet.mac->digest));
  job.receive = request.received;
  job.over_limit = over_limit;
  CHECK(serve_.jobs.Push(job));
  serve_waiting_.push_back({route, request, {}, over_limit});
  if (serve_.jobs.full()) FlushBatch();
}

void TimeServer::FlushBatch() {
  if (serve_.jobs.empty()) return;
  const MonoTime now = Timebase::Mono();
  for (Waiting& job : serve_waiting_) {
    job.reply = core::BuildReply(job.request.header, wire::Mode::kServer, job.request.received,
                                 node_->engine->system(), now);
    job.reply.poll = job.request.header.poll;  // as ntpd-keys repeats it
  }
  serve_.reply = TemplateOf(serve_waiting_.front().reply, *node_);
  node_->keys.Serve(serve_,
                    [this, waiting = std::move(serve_waiting_), ahead = serve_.reply.wire_delay](
                        const msg::ServeDone& done) { OnServeDone(waiting, done, ahead); });
  serve_waiting_.clear();
  serve_.jobs.Clear();
}

void TimeServer::OnServeDone(const std::vector<Waiting>& waiting, const msg::ServeDone& done,
                             NtpDuration ahead) {
  std::vector<bool> answered(waiting.size());
  for (const msg::ServeResult& result : done.results) {
    // One request, one reply: ntpd-keys cannot make us send more.
    if (result.job >= waiting.size() || answered[result.job]) continue;
    answered[result.job] = true;
    OnServeResult(waiting[result.job], result, ahead);
  }
}

void TimeServer::OnServeResult(const Waiting& job, const msg::ServeResult& result,
                               NtpDuration ahead) {
  if (result.outcome == msg::ServeOutcome::kRefused) {
    ++node_->packets.declined;
    return;
  }
  const bool proved = result.outcome != msg::ServeOutcome::kNak;
  if (job.over_limit && (!proved || !limiter_->OnProved(job.request.source.ip, Timebase::Mono()))) {
    ++node_->packets.limited;
    return;
  }
  if (!proved) {
    ++node_->packets.bad_auth;
    // `notrust` answers those alone whose MAC is good.
    if (!job.request.flags.has(core::Access::kNoTrust)) SendNak(job.route, job.request);
    return;
  }
  wire::Header reply = job.reply;
  reply.transmit = result.transmit;
  // ntpd-keys wrote a time that was `ahead` of its clock.
  QueueSealed(job.route, reply, result.mac.span(),
              result.transmit + NtpDuration::FromSeconds(-ahead.seconds()));
}

void TimeServer::QueueSealed(const Route& route, const wire::Header& header, Bytes trailer,
                             NtpTimestamp sealed) {
  if (sealed_->full() || sealed_listener_ != route.listener) SendQueued();
  if (sealed_->size() == 0) first_sealed_ = sealed;
  sealed_listener_ = route.listener;
  Writer writer(sealed_->Add(wire::kHeaderSize + trailer.size(), route.client, route.server,
                             route.interface));
  wire::EncodeHeader(writer, header);
  writer.Put(trailer);
  CHECK(writer.Finish());
}

// How long a reply waits for its call is measured by the first: it leaves at once, and the others
// follow at about the pace at which they were sealed.
void TimeServer::SendQueued() {
  const size_t count = sealed_->size();
  if (count == 0) return;
  const auto listener = listeners_.find(sealed_listener_);
  if (listener == listeners_.end()) return sealed_->Clear();
  node_->sealed.Add((node_->time.Now() - first_sealed_).seconds());
  NoteSent(&listener->second, count, sealed_->Flush(listener->second.fd.get()));
}

void TimeServer::OnAutokey(const Route& asked_route, const core::Request& request,
                           core::RateDecision rate, const wire::Packet& packet) {
  Route route = asked_route;
  // Access rules and limits first: a crypto-NAK is an answer, too.
  const auto answer = core::AnswerRequest(request, rate, node_->engine->system(), Timebase::Mono());
  if (!answer.ok() || answer->kiss) return OnPlain(route, request, rate);
  if (!node_->has_material || !node_->hasher || !node_->host.enabled()) {
    // A host that will know its keys in a moment must not send its clients back to the start.
    const bool soon = node_->start.crypto_enabled && !node_->has_material;
    if (!soon) SendNak(route, request);
    return;
  }
  const keys::SessionDigest digest =
      node_->PublicMac(route.asked_path(), packet.mac->key, packet.covered);
  if (!EqualConstantTime(digest.span(), packet.mac->digest)) {
    ++node_->packets.bad_auth;
    return SendNak(route, request);
  }
  // IPv6 does not say by which address we heard a group; the reply's key is hashed with it.
  if (route.server.is_none() || route.server.is_multicast())
    route.server = LocalAddressTowards(route.client);
  // A group is asked who is there: long answers, and work for the key process, go to who asks us
  // alone.
  const auto asked = wire::ParseAutokeyFieldHead(packet.extensions()[0].field);
  if (!route.group.is_none() &&
      (!asked.ok() || asked->code != static_cast<uint8_t>(wire::AutokeyCode::kAssociation))) {
    ++node_->packets.declined;
    return;
  }
  const autokey::ServerContext context{
      node_->host,
      node_->certificates,
      node_->time.Seconds(),
      node_->synchronised(),
      [this](uint32_t association) {
        return peering_ == nullptr ? nullptr : peering_->KeyListOf(association);
      },
      Timebase::Mono()};
  if (wire::IsOldAutokeyRequest(packet.extensions()[0].type)) ++node_->packets.autokey_version_1;
  autokey::ServerAnswer reply =
      autokey_.OnRequest(packet.extensions()[0].field, route.path(), context);
  const auto finish = [this, route, header = answer->header,
                       key = packet.mac->key](const autokey::ServerAnswer& done) {
    if (!done.statistics.empty())
      node_->reporter.CryptoStatistics(route.client.ip.ToString(), done.statistics,
                                       Cause::kStranger);
    if (done.kind == autokey::ServerAnswer::Kind::kReply)
      ReplyField(route, header, key, done.field);
  };
  if (reply.kind != autokey::ServerAnswer::Kind::kAskKeys) return finish(reply);
  std::visit(
      [&](const auto& operation) {
        node_->keys.AskValue(
            operation,
            [this, finish, pending = reply.pending](const msg::ValueAnswer& value) {
              finish(autokey_.OnValueAnswer(pending, value));
            },
            Lane::kPrivate);
      },
      *reply.operation);
}

void TimeServer::ReplyField(const Route& route, const wire::Header& reply, KeyId key, Bytes field) {
  std::vector<uint8_t> packet(wire::kHeaderSize + field.size() + wire::kMaxMacSize);
  Writer writer(packet);
  wire::Header header = reply;
  header.transmit = node_->LeavingTime();
  wire::EncodeHeader(writer, header);
  writer.Put(field);
  CHECK(writer.Finish());
  const keys::SessionDigest digest =
      node_->PublicMac(route.path().Reversed(), key, writer.written());
  wire::EncodeMac(writer, {key, digest.span()});
  Send(route, writer.written());
}

void TimeServer::SendHeader(const Route& route, wire::Header header, Bytes trailer) {
  header.transmit = node_->LeavingTime();
  SendSealed(route, header, trailer);
}

void TimeServer::SendSealed(const Route& route, const wire::Header& header, Bytes trailer) {
  std::array<uint8_t, wire::kHeaderSize + msg::kMaxMac> packet;
  Writer writer(packet);
  wire::EncodeHeader(writer, header);
  writer.Put(trailer);
  Send(route, writer.written());
}

// "I could not check your MAC": the reply's times are right, so that nobody's are.
void TimeServer::SendNak(const Route& route, const core::Request& request) {
  wire::Header reply = core::BuildReply(request.header, wire::Mode::kServer, request.received,
                                        node_->engine->system(), Timebase::Mono());
  static constexpr uint8_t kNak[4] = {};
  SendHeader(route, reply, kNak);
}

void TimeServer::Send(const Route& route, Bytes packet) {
  const auto listener = listeners_.find(route.listener);
  if (listener == listeners_.end()) return;
  const bool sent =
      SendFrom(listener->second.fd.get(), packet, route.client, route.server, route.interface);
  NoteSent(&listener->second, 1, sent ? 0 : 1);
}

void TimeServer::SendPieces(const Route& route, std::span<const std::vector<uint8_t>> datagrams) {
  const auto listener = listeners_.find(route.listener);
  if (listener == listeners_.end()) return;
  NoteSent(&listener->second, datagrams.size(),
           SendAllFrom(listener->second.fd.get(), datagrams, route.client, route.server,
                       route.interface));
}

void TimeServer::NoteSent(Listener* listener, size_t count, size_t refused) {
  listener->datagrams.OnSent(count, refused);
  node_->io.datagrams.OnSent(count, refused);
}

}  // namespace ntpward::net
