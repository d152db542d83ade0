// Autokey between peers: what is sent to them and what their packets do.
//
// A packet's key comes from a list that ntpd-keys discloses one by one, ours and theirs. A packet
// counts for time when its key comes next in the list that the peer announced under its signature;
// for a bare header the MAC takes the cookie, too, once there is one.
#include <array>

#include "ntpd/net/upstreams.h"

namespace ntpward::net {
namespace {

constexpr std::array<uint8_t, 4> kCryptoNak = {};
// Keys of one interval that are looked at before those of strangers: a flood must not shut out the
// genuine one, nor be served first.
constexpr int kFirstChecks = 8;

}  // namespace

// ---------------------------------------------------------------------------- what we send

// The keys are hashed with our address.
bool Upstreams::MakePeer(Upstream* upstream) {
  if (upstream->peer != nullptr) return true;
  if (upstream->local.is_none()) LearnLocal(upstream);
  if (upstream->local.is_none()) return false;
  upstream->peer = std::make_unique<autokey::PeerDance>(
      upstream->id, PolicyOf(*upstream), node_->start.automax,
      AddressPair{upstream->local, upstream->remote.ip}, Timebase::Mono());
  return true;
}

void Upstreams::PollPeer(Upstream* upstream, const wire::Header& header) {
  if (!node_->has_material || !node_->hasher || !node_->host.enabled()) return;
  if (!MakePeer(upstream))
    return node_->reporter.Log(LogLevel::kDebug, "no way to " + upstream->label());
  const auto make = upstream->peer->DueList(header.poll, node_->Dance());
  node_->key_counts.expired += upstream->peer->TakeExpiredKeys();
  if (!make) return TakeAndSend(upstream->id, upstream->exchange, header);
  node_->keys.AskValue(*make, [this, id = upstream->id, exchange = upstream->exchange,
                               header](const msg::ValueAnswer& answer) {
    const auto found = upstreams_.find(id);
    if (found == upstreams_.end() || found->second->peer == nullptr) return;
    if (found->second->peer->OnListMade(answer)) TakeAndSend(id, exchange, header);
  });
}

void Upstreams::TakeAndSend(AssocId id, uint32_t exchange, const wire::Header& header) {
  node_->keys.TakeKey(id, [this, id, exchange, header](const msg::KeyListTaken* taken) {
    const auto found = upstreams_.find(id);
    if (found == upstreams_.end() || found->second->peer == nullptr) return;
    Upstream* upstream = found->second.get();
    if (taken == nullptr || taken->key.is_none()) return upstream->peer->OnNoKey();
    upstream->peer->OnKeyTaken(taken->left);
    if (upstream->exchange == exchange) SendToPeer(upstream, header, taken->key);
  });
}

// What has fields answers what was heard, proved or not; a bare header only what was proved.
void Upstreams::SendToPeer(Upstream* upstream, const wire::Header& header, KeyId key) {
  wire::Header heard = header;
  if (const core::Association* association = node_->engine->Find(upstream->id))
    association->FillHeard(&heard);
  if (upstream->peer->TakeNak()) {
    heard.transmit = node_->time.Now();
    return TransmitListening(upstream, heard, kCryptoNak, KeyId{});
  }
  autokey::PeerPacket packet = upstream->peer->NextPacket(node_->Dance());
  Carry(upstream, packet.effects);
  if (!packet.send) return;
  if (packet.fields.empty()) return SealAndTransmit(upstream, header, key);
  TransmitFields(upstream, heard, packet.fields, key);
}

// ---------------------------------------------------------------------------- what we hear

void Upstreams::OnPeerPacket(Upstream* upstream, const wire::Packet& packet, NtpTimestamp t4) {
  if (upstream->peer == nullptr || !node_->hasher) {
    ++node_->packets.declined;
    return;
  }
  if (!packet.mac || !packet.mac->key.is_autokey())
    return Finish(upstream->id, packet.header, std::nullopt, t4);
  const core::Association* association = node_->engine->Find(upstream->id);
  const bool answers = association != nullptr && association->AnswersUs(packet.header);
  bool listed = upstream->peer->follows_list();
  if (!packet.extensions().empty()) {
    const keys::SessionDigest digest =
        node_->PublicMac({upstream->remote.ip, upstream->local}, packet.mac->key, packet.covered);
    if (!EqualConstantTime(digest.span(), packet.mac->digest)) {
      ++node_->packets.bad_auth;
      return;
    }
    listed = TakePeerFields(upstream, packet, answers) || upstream->peer->follows_list();
    if (!listed) (void)node_->engine->OnHeard(upstream->id, packet.header, t4, Timebase::Mono());
  }
  if (listed) {
    CheckPeerKey(upstream, packet, answers, t4);
  } else if (packet.extensions().empty()) {
    HearBare(*upstream, packet.header, t4);
  }
  HurryPeer(*upstream);
  on_update_();
}

// Of one that we do not follow. Who follows us sends nothing else when all is said, and takes time
// only from what answers its last packet. Its MAC is not ours to check and says no more than that
// of a field, which is anyone's: no more is believed than of that.
void Upstreams::HearBare(const Upstream& upstream, const wire::Header& header, NtpTimestamp t4) {
  if (!upstream.peer->follower_since()) {
    ++node_->packets.declined;
    return;
  }
  (void)node_->engine->OnHeard(upstream.id, header, t4, Timebase::Mono());
}

// True when a list was announced in it: ntpd-keys knows that before it judges the packet.
bool Upstreams::TakePeerFields(Upstream* upstream, const wire::Packet& packet, bool answers) {
  bool announced = false;
  for (const wire::Extension& extension : packet.extensions()) {
    autokey::PeerResult result = upstream->peer->OnField(extension.field, answers, node_->Dance());
    announced |= result.accept.has_value();
    CarryPeer(upstream, result, answers);
  }
  return announced;
}

void Upstreams::CarryPeer(Upstream* upstream, const autokey::PeerResult& result, bool answers) {
  const AssocId id = upstream->id;
  if (result.question) {
    const auto done = [this, id, ticket = result.question->ticket](const msg::ValueAnswer& value) {
      const auto found = upstreams_.find(id);
      if (found == upstreams_.end() || found->second->peer == nullptr) return;
      Carry(found->second.get(), found->second->peer->OnValue(ticket, value));
      HurryPeer(*found->second);
      on_update_();
    };
    std::visit(
        [&](const auto& operation) {
          node_->keys.AskValue(operation, done, answers ? Lane::kOwn : Lane::kClients);
        },
        result.question->operation);
  }
  if (result.accept)
    node_->keys.Ask(*result.accept, [this, id](msg::VerdictCode code) {
      const auto found = upstreams_.find(id);
      if (found != upstreams_.end() && found->second->peer != nullptr)
        found->second->peer->OnListVerdict(code);
    });
  Carry(upstream, result.dance);
}

void Upstreams::CheckPeerKey(Upstream* upstream, const wire::Packet& packet, bool answers,
                             NtpTimestamp t4) {
  auto question = QuestionOf(packet, upstream->peer->from_peer());
  const bool bare = packet.extensions().empty();
  const bool begins_anew = upstream->peer->TakeBeginsAnew();
  // It has a digest that is none. It was heard, and gives no time.
  if (!question) {
    if (!bare) (void)node_->engine->OnHeard(upstream->id, packet.header, t4, Timebase::Mono());
    return;
  }
  question->association = upstream->id;
  node_->keys.Ask(
      *question,
      [this, id = upstream->id, header = packet.header, key = question->key, answers, bare,
       begins_anew, t4](msg::VerdictCode code) {
        const auto found = upstreams_.find(id);
        if (found == upstreams_.end() || found->second->peer == nullptr) return;
        Upstream* judged = found->second.get();
        Carry(judged, judged->peer->OnPacketVerdict(code, answers, bare, begins_anew));
        if (code == msg::VerdictCode::kGood)
          return Finish(id, header, core::MacVerdict{key, core::MacResult::kGood}, t4);
        // A field's MAC is anyone's: no word against the peer.
        if (!bare) {
          (void)node_->engine->OnHeard(id, header, t4, Timebase::Mono());
        } else if (code != msg::VerdictCode::kBusy) {
          Finish(id, header, core::MacVerdict{key, core::MacResult::kBad}, t4);
        }
      },
      ++upstream->checks > kFirstChecks ? Lane::kClients : Lane::kOwn);
}

// As long as there is something to say, and for the first samples.
void Upstreams::HurryPeer(const Upstream& upstream) {
  using Haste = core::PollSchedule::Haste;
  // One that was refused is asked again at its polls, and not faster.
  if (upstream.peer == nullptr || !upstream.peer->dance().refusal().empty()) return;
  const core::Association* association = node_->engine->Find(upstream.id);
  // Nothing of the peer's haste is spent on forgers. Each packet that they make us send costs them
  // many.
  if (association != nullptr && association->IsCrowded())
    return node_->engine->Hasten(upstream.id, Timebase::Mono(), Haste::kCrowded);
  if (upstream.peer->TakeHaste(node_->Dance()))
    node_->engine->Hasten(upstream.id, Timebase::Mono(), Haste::kPolite);
}

}  // namespace ntpward::net
