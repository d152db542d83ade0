// One exchange with a server: what goes out at a poll, and the tests that an answer passes before
// it counts.
#include <errno.h>

#include <algorithm>
#include <cstring>

#include "ntpd/net/random.h"
#include "ntpd/net/transmit_stamp.h"
#include "ntpd/net/upstreams.h"
#include "ntpd/wire/refid.h"

namespace ntpward::net {
namespace {

// Replies of one exchange whose MAC is looked at. More than one, so that a forged reply cannot shut
// out the genuine one; few, so that a server cannot keep ntpd-keys busy.
constexpr int kMostChecks = 8;

using autokey::DanceResult;
using autokey::NextField;

std::vector<uint8_t> EncodePacket(const wire::Header& header, Bytes field) {
  std::vector<uint8_t> packet(wire::kHeaderSize + field.size());
  Writer writer(packet);
  wire::EncodeHeader(writer, header);
  writer.Put(field);
  CHECK(writer.Finish());
  return packet;
}

uint32_t RestartRefid(autokey::Restart why) {
  switch (why) {
    case autokey::Restart::kCryptoNak:
      return wire::RefidCode("AUTH");
    case autokey::Restart::kRefresh:
      return wire::RefidCode("TIME");
    case autokey::Restart::kHost:
    case autokey::Restart::kPolicy:
      return wire::RefidCode("INIT");
    default:
      return wire::RefidCode("CRYP");
  }
}

// As ntpd 4.2.8, all replies whose origin and MAC were right, kisses left out.
bool HasTimes(const Result<core::Sample, core::Reject>& sample) {
  return sample.ok() || sample.error() == core::Reject::kBadTimestamp ||
         sample.error() == core::Reject::kUnsynchronised ||
         sample.error() == core::Reject::kBadHeader;
}

}  // namespace

void Upstreams::Poll(AssocId id) {
  const auto found = upstreams_.find(id);
  if (found == upstreams_.end()) return;
  Upstream* upstream = found->second.get();
  ++upstream->exchange;
  upstream->checks = 0;
  upstream->waiting.reset();
  const auto header = node_->engine->BuildRequest(id, Timebase::Mono(), RandomNonce());
  if (!header) {
    // Nothing was asked, so nobody has an answer.
    upstream->readable.reset();
    upstream->socket.Close();
    return;
  }
  if (header->mode == wire::Mode::kSymmetricActive) SayIfIgnored(upstream);
  if (header->mode != wire::Mode::kClient && !KeepSource(upstream)) return;
  if (upstream->own_list != nullptr) return PollList(upstream, *header);
  if (upstream->IsAutokeyPeer()) return PollPeer(upstream, *header);
  if (header->mode != wire::Mode::kClient) return SendListening(upstream, *header);
  if (!OpenSocket(upstream)) return;
  if (upstream->dance != nullptr) return PollAutokey(upstream, *header);
  if (!upstream->config.key.is_none()) return SealAndSend(upstream, *header, upstream->config.key);
  Transmit(upstream, EncodePacket(*header, {}), KeyId{});
}

// A socket of its own for each exchange: the port is as hard to foresee as the nonce, and what
// arrives late for an earlier one never reaches us.
bool Upstreams::OpenSocket(Upstream* upstream) {
  upstream->readable.reset();
  upstream->socket.Close();
  upstream->sent = NtpTimestamp();
  auto socket = ConnectTo(upstream->remote, node_->start.dscp, &upstream->local);
  if (!socket.ok()) {
    node_->reporter.Log(LogLevel::kDebug, socket.error().text);
    return false;
  }
  upstream->socket = std::move(socket).value();
  (void)AskForTransmitStamps(upstream->socket.get());
  NoteOwnAddresses(upstream);
  struct Argument {
    Upstreams* self;
    AssocId id;
  };
  // The event's argument is one word: the identifier travels in a small object that the event owns.
  upstream->receive_argument = std::make_shared<Argument>(Argument{this, upstream->id});
  upstream->readable.reset(event_new(
      node_->base, upstream->socket.get(), EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* argument) {
        const auto* who = static_cast<Argument*>(argument);
        who->self->Receive(who->id);
      },
      upstream->receive_argument.get()));
  event_add(upstream->readable.get(), nullptr);
  return true;
}

void Upstreams::PollAutokey(Upstream* upstream, const wire::Header& header) {
  if (!node_->has_material || !node_->hasher) return;
  // Once: the dance goes on, and its plain packets measure the path.
  upstream->asked_announcement = upstream->announced != nullptr && upstream->dance->proven() &&
                                 !upstream->announced->accepted();
  if (upstream->asked_announcement) {
    (void)upstream->announcer.MoveOn(Timebase::Mono());
    return SendField(upstream, header, autokey::AnnouncementRequest(upstream->announcer.id()));
  }
  NextField next = upstream->dance->NextRequest(node_->Dance());
  Carry(upstream, next.effects);
  switch (next.kind) {
    case NextField::Kind::kField:
      return SendField(upstream, header, next.field);
    case NextField::Kind::kPlain:
      return SealAndSend(upstream, header, RandomSessionKeyId());
    case NextField::Kind::kWait:
      upstream->waiting = header;
      return;
    case NextField::Kind::kIdle:
      return;
  }
}

void Upstreams::SendField(Upstream* upstream, const wire::Header& header, Bytes field) {
  std::vector<uint8_t> packet = EncodePacket(header, field);
  const KeyId key = RandomSessionKeyId();
  const AddressPair path{upstream->local, upstream->remote.ip};
  const keys::SessionDigest digest = node_->PublicMac(path, key, packet);
  std::vector<uint8_t> trailer(4 + digest.size());
  Writer writer(trailer);
  wire::EncodeMac(writer, {key, digest.span()});
  packet.insert(packet.end(), trailer.begin(), trailer.end());
  Transmit(upstream, packet, key);
}

void Upstreams::SealAndSend(Upstream* upstream, const wire::Header& header, KeyId key) {
  msg::SealRequest request;
  if (upstream->dance != nullptr) request.association = upstream->id;
  request.path = {upstream->local, upstream->remote.ip};
  request.key = key;
  std::vector<uint8_t> packet = EncodePacket(header, {});
  CHECK(request.covered.Assign(packet));
  node_->keys.Seal(request, [this, id = upstream->id, exchange = upstream->exchange, key,
                             packet](const msg::Sealed* sealed) mutable {
    const auto found = upstreams_.find(id);
    if (found == upstreams_.end() || found->second->exchange != exchange) return;
    if (sealed == nullptr) return;  // the next poll asks again
    if (sealed->mac.empty()) {
      // No such key, or a cookie that ntpd-keys has lost without our knowing.
      if (found->second->dance != nullptr) found->second->dance->OnKeysRestarted();
      return;
    }
    packet.insert(packet.end(), sealed->mac.span().begin(), sealed->mac.span().end());
    Transmit(found->second.get(), packet, key);
  });
}

void Upstreams::Transmit(Upstream* upstream, Bytes packet, KeyId key) {
  upstream->sent_key = key;
  const NtpTimestamp t1 = node_->time.Now();
  const bool sent = send(upstream->socket.get(), packet.data(), packet.size(), MSG_NOSIGNAL) >= 0;
  node_->io.datagrams.OnSent(1, sent ? 0 : 1);
  ++node_->timer.polls;
  if (!sent) {
    node_->reporter.Log(LogLevel::kDebug,
                        "send to " + upstream->label() + ": " + std::strerror(errno));
    return;
  }
  upstream->sent = t1;
  node_->engine->OnSent(upstream->id, t1, key);
}

// The call that sent the request was some time before it left. One exchange, one socket: the stamp
// can be of no other request.
void Upstreams::TakeStamp(Upstream* upstream) {
  const auto stamp = TakeTransmitStamp(upstream->socket.get());
  if (!stamp || upstream->sent.is_zero()) return;
  const NtpTimestamp left = node_->time.FromSystem(*stamp);
  const double delay = (left - upstream->sent).seconds();
  // The clock was stepped in between.
  if (delay < 0 || delay > DelayEstimate::kMost) return;
  node_->leaving.Add(delay);
  upstream->sent = left;
  node_->engine->OnSent(upstream->id, left, upstream->sent_key);
}

void Upstreams::Receive(AssocId id) {
  const auto found = upstreams_.find(id);
  if (found == upstreams_.end()) return;
  TakeStamp(found->second.get());
  const auto datagrams = batch_->Receive(found->second->socket.get());
  node_->io.OnWakeup(datagrams.size());
  for (const Datagram& datagram : datagrams) {
    // An earlier datagram of the batch may have changed things.
    if (!upstreams_.contains(id)) return;
    OnDatagram(found->second.get(), datagram);
  }
}

void Upstreams::OnDatagram(Upstream* upstream, const Datagram& datagram) {
  control::PacketCounters& packets = node_->packets;
  ++packets.received;
  const auto packet = wire::ParsePacket(datagram.bytes);
  if (datagram.truncated || !packet.ok()) {
    ++packets.bad_format;
    return;
  }
  ++(packet->header.version == wire::kMaxVersion ? packets.this_version : packets.old_version);
  const core::AccessFlags flags = node_->access.Lookup(datagram.source);
  if (Refuses(upstream->id, flags, packet->header.version)) return;
  const NtpTimestamp t4 =
      datagram.received ? node_->time.FromSystem(*datagram.received) : node_->time.Now();
  OnPacket(upstream, *packet, t4);
}

void Upstreams::OnPacket(Upstream* upstream, const wire::Packet& packet, NtpTimestamp t4) {
  // Origin first: a sender who does not know the nonce gets no cryptography done.
  if (upstream->announced != nullptr && OnAnswerBeside(upstream, packet)) return;
  if (!node_->engine->MatchReply(upstream->id, packet.header).ok()) {
    ++node_->packets.declined;
    return;
  }
  if (packet.crypto_nak)
    return Finish(upstream->id, packet.header,
                  core::MacVerdict{KeyId{}, core::MacResult::kCryptoNak}, t4);
  if (upstream->IsAutokeyPeer()) return OnPeerPacket(upstream, packet, t4);
  if (upstream->announced != nullptr && packet.header.mode == wire::Mode::kBroadcast)
    return DeliverListed(upstream->id, packet, t4);
  if (upstream->dance != nullptr && !packet.extensions().empty())
    return OnAutokeyField(upstream, packet, t4);
  if (!packet.mac) return Finish(upstream->id, packet.header, std::nullopt, t4);
  OnMac(upstream, packet, t4);
}

bool Upstreams::IsPublicMacGood(const Upstream& upstream, const wire::Packet& packet) {
  if (!packet.mac || packet.mac->key != upstream.sent_key || !node_->hasher) return false;
  const AddressPair path{upstream.remote.ip, upstream.local};
  const keys::SessionDigest digest = node_->PublicMac(path, packet.mac->key, packet.covered);
  return EqualConstantTime(digest.span(), packet.mac->digest);
}

void Upstreams::OnAutokeyField(Upstream* upstream, const wire::Packet& packet, NtpTimestamp t4) {
  if (!IsPublicMacGood(*upstream, packet)) {
    ++node_->packets.bad_auth;
    return;
  }
  const MonoTime now = Timebase::Mono();
  if (!node_->engine->OnHeard(upstream->id, packet.header, t4, now).ok()) return;
  const Bytes field = packet.extensions()[0].field;
  if (upstream->asked_announcement) {
    (void)TakeAskedAnnouncement(upstream, field);
  } else {
    Carry(upstream, upstream->dance->OnResponse(field, node_->Dance()));
  }
  HurryDance(*upstream);
  on_update_();
}

// Keeps the polls close together while the dance has something to ask or the clock waits for it;
// once that is over the volley ends by itself.
void Upstreams::HurryDance(const Upstream& upstream) {
  if (upstream.dance == nullptr || IsListenedTo(upstream)) return;
  // One that was refused is asked again at its polls, and not faster.
  if (!upstream.dance->refusal().empty()) return;
  const bool listless = upstream.announced != nullptr && !upstream.announced->accepted();
  if (upstream.dance->has_questions() || listless || !node_->synchronised())
    (void)node_->engine->ExtendBurst(upstream.id, Timebase::Mono());
}

void Upstreams::OnMac(Upstream* upstream, const wire::Packet& packet, NtpTimestamp t4) {
  if (upstream->dance != nullptr) {
    // Time is taken only from a server that has proved itself.
    if (!upstream->dance->proven() || packet.mac->key != upstream->sent_key) {
      ++(upstream->dance->proven() ? node_->packets.bad_auth : node_->packets.declined);
      return;
    }
  } else if (upstream->config.key.is_none()) {
    // Not asked for: an unauthenticated association takes the packet as if it were bare.
    return Finish(upstream->id, packet.header, std::nullopt, t4);
  } else if (packet.mac->key != upstream->config.key) {
    // Any other trusted key would make a good MAC, too (CVE-2015-7974).
    return Finish(upstream->id, packet.header,
                  core::MacVerdict{packet.mac->key, core::MacResult::kBad}, t4);
  }
  // Beyond a few they wait with those of strangers: what peers and groups send has no nonce that an
  // off-path sender would have to guess, and a flood must not shut out the genuine one.
  const bool client = packet.header.mode == wire::Mode::kServer;
  const bool flooded = ++upstream->checks > kMostChecks;
  if (flooded && client) {
    ++node_->packets.declined;
    return;
  }
  auto question = QuestionOf(packet, {upstream->remote.ip, upstream->local});
  if (!question) return;
  if (upstream->dance != nullptr) question->association = upstream->id;
  node_->keys.Ask(
      *question,
      [this, id = upstream->id, exchange = upstream->exchange, header = packet.header,
       key = packet.mac->key, t4](msg::VerdictCode code) {
        const auto found = upstreams_.find(id);
        if (found == upstreams_.end() || found->second->exchange != exchange) return;
        if (code == msg::VerdictCode::kBusy) return;
        const auto result =
            code == msg::VerdictCode::kGood ? core::MacResult::kGood : core::MacResult::kBad;
        Finish(id, header, core::MacVerdict{key, result}, t4);
      },
      flooded ? Lane::kClients : Lane::kOwn);
}

void Upstreams::Finish(AssocId id, const wire::Header& header,
                       std::optional<core::MacVerdict> verdict, NtpTimestamp t4) {
  const MonoTime now = Timebase::Mono();
  const auto sample = node_->engine->OnReply(id, header, verdict, t4, now);
  Upstream* upstream = upstreams_.find(id)->second.get();
  if (upstream->dance != nullptr && !sample.ok()) {
    // The engine has matched the origin and that a key was in use.
    if (sample.error() == core::Reject::kCryptoNak)
      Carry(upstream, upstream->dance->OnCryptoNak(node_->Dance()));
    if (sample.error() == core::Reject::kBadMac) {
      Carry(upstream, upstream->dance->OnBadMac());
      upstream->failure->name = "bad_mac";
    }
  }
  if (upstream->peer != nullptr && !sample.ok() && sample.error() == core::Reject::kCryptoNak)
    Carry(upstream, upstream->peer->OnCryptoNak(node_->Dance()));
  if (!sample.ok() &&
      (sample.error() == core::Reject::kNoMac || sample.error() == core::Reject::kBadMac))
    ++node_->packets.bad_auth;
  if (HasTimes(sample))
    node_->reporter.RawStatistics(
        {upstream->remote.ip, upstream->local, upstream->sent, t4, header}, CauseOf(*upstream));
  if (sample.ok()) {
    ++node_->packets.processed;
    if (const auto snapshot = node_->engine->Snapshot(id, now))
      node_->reporter.PeerStatistics(*snapshot, upstream->label(), CauseOf(*upstream));
    HurryDance(*upstream);
  }
  on_update_();
}

// ---------------------------------------------------------------------------- the dance

void Upstreams::SayCrypto(const Upstream& upstream, const DanceResult& result) {
  const std::string line = "crypto: " + upstream.label() + ": " + result.event;
  const Cause cause = CauseOf(upstream);
  if (result.warn) return node_->reporter.Log(LogLevel::kWarning, line, cause);
  node_->reporter.Info(msg::kLogPeerInfo, line, cause);
}

void Upstreams::NoteFailure(Upstream* upstream, const DanceResult& result) {
  std::string_view name;
  if (result.restart == autokey::Restart::kCryptoNak) {
    name = "crypto_nak";
  } else if (result.outcome != autokey::Outcome::kOk) {
    name = autokey::OutcomeText(result.outcome);
  } else if (result.restart == autokey::Restart::kIdentity) {
    // Refused at the end of a trail that was in order.
    name = autokey::OutcomeText(autokey::Outcome::kIdentity);
  }
  // A server without a table of leap seconds is no less genuine.
  if (name.empty() || result.outcome == autokey::Outcome::kLeapValues) return;
  const std::string* refusal = upstream->dance != nullptr  ? &upstream->dance->refusal()
                               : upstream->peer != nullptr ? &upstream->peer->dance().refusal()
                                                           : nullptr;
  upstream->failure = {name, Timebase::Mono(), refusal != nullptr ? *refusal : ""};
}

// Who is refused is not believed any more, whatever it said before.
void Upstreams::NoteLeap(const Upstream& upstream, const DanceResult& result) {
  using autokey::Restart;
  const bool refused = result.restart == Restart::kIdentity;
  if (refused || result.restart == Restart::kHost || result.restart == Restart::kPolicy) {
    node_->learned_leap.Forget(upstream.id);
    node_->certificates.Drop(upstream.id);
  }
  if (result.leap) node_->learned_leap.Learn(upstream.id, *result.leap);
  if (result.expired_leap) node_->learned_leap.Learn(upstream.id, *result.expired_leap);
}

void Upstreams::Carry(Upstream* upstream, const DanceResult& result) {
  NoteFailure(upstream, result);
  NoteRefusal(upstream, result);
  for (const std::string& line : result.statistics)
    node_->reporter.CryptoStatistics(upstream->label(), line, CauseOf(*upstream));
  if (!result.event.empty()) SayCrypto(*upstream, result);
  NoteLeap(*upstream, result);
  if (result.restart != autokey::Restart::kNone) {
    if (upstream->announced != nullptr) {
      upstream->announced->Forget();
      node_->engine->AllowListening(upstream->id, false);
    }
    RestartUpstream(*upstream, result.restart);
  }
  for (const autokey::ClientJob& job : result.jobs) AskKeys(upstream->id, job);
}

// What was measured under the old proof is void. A server that has never given a sample loses
// nothing, and a new volley for each refusal would hammer it.
void Upstreams::RestartUpstream(const Upstream& upstream, autokey::Restart why) {
  const core::Association* association = node_->engine->Find(upstream.id);
  const bool refused = why == autokey::Restart::kIdentity || why == autokey::Restart::kFailures;
  if (refused && association != nullptr && !association->filter().has_sample()) return;
  node_->engine->Restart(upstream.id, RestartRefid(why), Timebase::Mono());
}

void Upstreams::AskKeys(AssocId id, const autokey::ClientJob& job) {
  const auto on_verdict = [this, id, ticket = job.ticket](msg::VerdictCode code) {
    const auto found = upstreams_.find(id);
    if (found == upstreams_.end()) return;
    if (const auto& peer = found->second->peer)
      return OnKeysAnswer(id, peer->OnVerdict(ticket, code, node_->Dance()));
    if (const auto& dance = found->second->dance)
      OnKeysAnswer(id, dance->OnVerdict(ticket, code, node_->Dance()));
  };
  const auto on_value = [this, id, ticket = job.ticket](const msg::ValueAnswer& answer) {
    const auto found = upstreams_.find(id);
    if (found == upstreams_.end()) return;
    if (const auto& peer = found->second->peer)
      return OnKeysAnswer(id, peer->OnValueAnswer(ticket, answer, node_->Dance()));
    if (const auto& dance = found->second->dance)
      OnKeysAnswer(id, dance->OnValueAnswer(ticket, answer, node_->Dance()));
  };
  std::visit(
      [&](const auto& operation) {
        using T = std::decay_t<decltype(operation)>;
        if constexpr (std::is_same_v<T, msg::ForgetAssociation>) {
          node_->keys.Forget(operation.association);
        } else if constexpr (std::is_same_v<T, msg::IdentityChallenge>) {
          node_->keys.AskValue(operation, on_value);
        } else {
          node_->keys.Ask(operation, on_verdict);
        }
      },
      job.operation);
}

void Upstreams::OnKeysAnswer(AssocId id, const DanceResult& result) {
  Upstream* upstream = upstreams_.at(id).get();
  Carry(upstream, result);
  if (upstream->peer != nullptr) {
    HurryPeer(*upstream);
    on_update_();
  }
  if (!upstream->waiting) return;
  const wire::Header header = *upstream->waiting;
  upstream->waiting.reset();
  PollAutokey(upstream, header);
}

void Upstreams::OnKeysRestarted() {
  for (const auto& [id, upstream] : upstreams_) {
    ResumeLists(upstream.get());
    if (upstream->dance != nullptr) upstream->dance->OnKeysRestarted();
    if (upstream->peer != nullptr) upstream->peer->OnKeysRestarted();
  }
}

void Upstreams::OnKeysChanged(std::span<const KeyId> keys, bool trusted) {
  for (const auto& [id, upstream] : upstreams_) {
    const KeyId key = upstream->config.key;
    const core::Association* association = node_->engine->Find(id);
    if (association == nullptr || std::find(keys.begin(), keys.end(), key) == keys.end()) continue;
    // One that works under a key that is trusted anyway loses nothing.
    if (trusted && association->authentic()) continue;
    node_->engine->Restart(id, wire::RefidCode("AUTH"), Timebase::Mono());
  }
}

void Upstreams::OnHostMaterial(const autokey::HostChange& change) {
  ForgetRefusals();
  const std::vector<Deferred> deferred = std::move(deferred_);
  deferred_.clear();
  for (const Deferred& entry : deferred)
    if (!Has(entry.address)) AddServer(entry.line, entry.address, entry.pooled);
  for (const auto& [id, upstream] : upstreams_) {
    if (upstream->own_list != nullptr && change.signer) upstream->own_list->OnSignerReplaced();
    if (upstream->own_list != nullptr && change.lost_signer) upstream->own_list->OnSignerLost();
    if (upstream->dance != nullptr)
      Carry(upstream.get(), upstream->dance->OnHostMaterial(change, node_->Dance()));
    if (upstream->peer != nullptr)
      Carry(upstream.get(), upstream->peer->OnHostMaterial(change, node_->Dance()));
  }
}

}  // namespace ntpward::net
