// Requests with a MAC: ntpd-keys checks them and seals the replies, many at a time.
#include "ntpd/net/time_server.h"

namespace ntpward::net {
namespace {

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

}  // namespace

// A MAC and no field that is Autokey's: ntpd-keys checks it and seals the reply.
void TimeServer::OnSealed(const Route& route, const core::Request& request, core::RateDecision rate,
                          const wire::Packet& packet, bool over_limit) {
  core::Request asked = request;
  asked.auth = core::RequestAuth::kGood;  // if it is not, the answer says so
  const auto answer = core::AnswerRequest(asked, rate, node_->engine->system(), Timebase::Mono());
  if (!answer.ok() || answer->kiss) return OnPlain(route, request, rate);
  msg::ServeJob job;
  const Bytes fields = packet.covered.subspan(wire::kHeaderSize);
  // Keys replies to client mode only, and behind unknown fields to symmetric keys only. A short MAC
  // leaves room for more fields than a longer one.
  if (request.header.mode != wire::Mode::kClient || packet.mac->digest.empty() ||
      packet.mac->key.is_none() || fields.size() > msg::kMaxFields ||
      (!fields.empty() && !packet.mac->key.is_symmetric())) {
    ++node_->packets.declined;
    return;
  }
  if (!fields.empty()) FlushBatch();  // they travel alone
  CHECK(job.covered.Assign(packet.covered.first(wire::kHeaderSize)) &&
        serve_.fields.Assign(fields));
  job.job = static_cast<uint16_t>(serve_.jobs.size());
  job.path = route.path();
  job.key = packet.mac->key;
  CHECK(job.digest.Assign(packet.mac->digest));
  job.receive = request.received;
  job.over_limit = over_limit;
  CHECK(serve_.jobs.Push(job));
  serve_waiting_.push_back({route, request, {}, over_limit});
  if (serve_.jobs.full() || !fields.empty()) FlushBatch();
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
  serve_.fields.Clear();
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

}  // namespace ntpward::net
