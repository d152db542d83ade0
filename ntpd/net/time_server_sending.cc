// How the time server's replies leave, and who counts them.
#include <algorithm>

#include "ntpd/net/time_server.h"

namespace ntpward::net {

namespace {

bool CanSendTo(const Listener& listener, const IpAddress& to) {
  const IpAddress& local = listener.local.ip;
  if (listener.drop || listener.to_many || local.family != to.family) return false;
  return !local.is_loopback() || to.is_loopback();
}

// How many octets they have in common from the first on: the more, the nearer are the two networks.
ptrdiff_t CommonOctets(const IpAddress& a, const IpAddress& b) {
  return std::mismatch(a.octets.begin(), a.octets.end(), b.octets.begin()).first - a.octets.begin();
}

}  // namespace

std::optional<IpAddress> TimeServer::SourceTowards(const SocketAddress& to,
                                                   const IpAddress& wanted) const {
  const IpAddress& near = wanted.is_none() ? to.ip : wanted;
  const Listener* best = nullptr;
  for (const auto& [index, listener] : listeners_) {
    const IpAddress& local = listener.local.ip;
    if (!CanSendTo(listener, to.ip)) continue;
    if (local.is_wildcard() || local.octets == wanted.octets) return wanted;
    if (best == nullptr || CommonOctets(local, near) > CommonOctets(best->local.ip, near))
      best = &listener;
  }
  if (best == nullptr) return std::nullopt;
  IpAddress source = best->local.ip;
  source.scope = 0;
  return source;
}

bool TimeServer::SendTo(const SocketAddress& to, const IpAddress& from, uint8_t hops,
                        Bytes packet) {
  Listener* best = nullptr;
  for (auto& [index, listener] : listeners_) {
    if (!CanSendTo(listener, to.ip)) continue;
    if (best == nullptr || listener.local.ip.octets == from.octets) best = &listener;
  }
  if (best == nullptr) return false;
  const bool sent = SendWithHops(best->fd.get(), packet, to, from, hops);
  NoteSent(best, 1, sent ? 0 : 1);
  return sent;
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
