// Autokey in broadcast mode: our broadcasts by our key list, and those of others by theirs.
#include <sys/socket.h>

#include <algorithm>

#include "ntpd/autokey/server_side.h"
#include "ntpd/net/random.h"
#include "ntpd/net/upstreams.h"

namespace ntpward::net {
namespace {

// MACs of one interval that are looked at before those of strangers: a flood must not shut out the
// genuine one, nor be served first.
constexpr int kFirstChecks = 8;
constexpr double kListAskSeconds = 60;

bool IsOtherKey(autokey::Outcome outcome) {
  return outcome == autokey::Outcome::kSignature || outcome == autokey::Outcome::kSignatureLength;
}

bool IsAnnouncement(Bytes field) {
  const auto head = wire::ParseAutokeyFieldHead(field);
  return head.ok() && head->response && !head->error &&
         head->code == static_cast<uint8_t>(wire::AutokeyCode::kAutokey);
}

// Who its sender says to be: broadcasts carry the sender's own identifier.
std::optional<uint32_t> AnnouncerIn(const wire::Packet& packet) {
  const auto fields = packet.extensions();
  if (fields.empty()) return std::nullopt;
  const auto head = wire::ParseAutokeyFieldHead(fields[0].field);
  if (!head.ok() || !head->response || head->error) return std::nullopt;
  return head->association;
}

}  // namespace

// ---------------------------------------------------------------------------- what we broadcast

// Listeners ask for our lists by it, and go on when we were started anew.
AssocId Upstreams::IdOfBroadcasts(const IpAddress& to) {
  const AssocId customary{autokey::CustomaryAnnouncer(to)};
  return IsTaken(customary) ? NewId() : customary;
}

void Upstreams::PollList(Upstream* upstream, const wire::Header& header) {
  if (!node_->has_material || !node_->hasher || !node_->host.enabled()) return;
  // Not signed yet: nobody could believe us, and the list would be older than our name.
  if (node_->host.update_time().value == 0) return;
  if (upstream->local.is_none()) LearnLocal(upstream);
  // The keys are hashed with it.
  if (upstream->local.is_none())
    return node_->reporter.Log(LogLevel::kDebug, "no way to " + upstream->label());
  const auto make = upstream->own_list->Due({upstream->local, upstream->remote.ip}, header.poll,
                                            node_->AutokeySeconds(), Timebase::Mono());
  node_->key_counts.expired += upstream->own_list->TakeExpired();
  if (!make) return TakeAndBroadcast(upstream->id, upstream->exchange, header);
  node_->keys.AskValue(*make, [this, id = upstream->id, exchange = upstream->exchange,
                               header](const msg::ValueAnswer& answer) {
    const auto found = upstreams_.find(id);
    if (found == upstreams_.end() || found->second->own_list == nullptr) return;
    if (found->second->own_list->OnMade(answer)) TakeAndBroadcast(id, exchange, header);
  });
}

void Upstreams::TakeAndBroadcast(AssocId id, uint32_t exchange, const wire::Header& header) {
  node_->keys.TakeKey(id, [this, id, exchange, header](const msg::KeyListTaken* taken) {
    const auto found = upstreams_.find(id);
    if (found == upstreams_.end() || found->second->own_list == nullptr) return;
    Upstream* upstream = found->second.get();
    if (taken == nullptr || taken->key.is_none()) return upstream->own_list->Void();
    upstream->own_list->OnTaken(taken->left);
    if (upstream->exchange == exchange) BroadcastField(upstream, header, taken->key);
  });
}

// The list's first packet announces it, the others say who we are, for those who have not heard of
// us.
void Upstreams::BroadcastField(Upstream* upstream, const wire::Header& header, KeyId key) {
  const std::vector<uint8_t> field =
      upstream->own_list->MustAnnounce()
          ? upstream->own_list->Announcement(upstream->id.value)
          : autokey::AssociationResponse(node_->host, upstream->id.value);
  upstream->own_list->OnAnnounced();
  TransmitFields(upstream, header, field, key);
}

void Upstreams::TransmitFields(Upstream* upstream, const wire::Header& header, Bytes fields,
                               KeyId key) {
  upstream->sent_key = key;
  std::vector<uint8_t> packet(wire::kHeaderSize + fields.size() + wire::kMaxMacSize);
  Writer writer(packet);
  wire::Header stamped = header;
  stamped.transmit = node_->time.Now();
  wire::EncodeHeader(writer, stamped);
  writer.Put(fields);
  CHECK(!writer.failed());
  const keys::SessionDigest digest =
      node_->PublicMac({upstream->local, upstream->remote.ip}, key, writer.written());
  wire::EncodeMac(writer, {key, digest.span()});
  if (!send_ || !send_(upstream->remote, upstream->local, upstream->config.ttl, writer.written()))
    return node_->reporter.Log(LogLevel::kDebug, "send to " + upstream->label() + " failed");
  node_->engine->OnSent(upstream->id, stamped.transmit, key);
}

uint64_t Upstreams::CountOfSessionKeys() const {
  uint64_t count = 0;
  for (const auto& [id, upstream] : upstreams_) {
    if (upstream->own_list != nullptr) count += upstream->own_list->left();
    if (upstream->peer != nullptr) count += upstream->peer->own_list().left();
  }
  return count;
}

// ---------------------------------------------------------------------------- what we hear

autokey::AnnouncedList::Result Upstreams::TakeAnnouncement(Upstream* upstream, Bytes field,
                                                           bool asked) {
  const autokey::RenewingDance& dance = *upstream->dance;
  const autokey::AnnouncedList::Proof proof{dance.started(),
                                            asked ? dance.newest_signed() : NtpSeconds{}};
  auto result = upstream->announced->OnAnnouncement(
      field, upstream->announcer.id(),
      [&](const wire::AutokeyField& parsed) { return dance.CheckServer(parsed, node_->Dance()); },
      proof);
  if (!result.statistics.empty())
    node_->reporter.CryptoStatistics(upstream->label(), result.statistics, CauseOf(*upstream));
  if (result.accept) AcceptList(upstream->id, *result.accept);
  return result;
}

// What came in answer to our question. "I have no such list" says that the server is not the one
// that we knew: it was started anew.
autokey::AnnouncedList::Result Upstreams::TakeAskedAnnouncement(Upstream* upstream, Bytes field) {
  const auto head = wire::ParseAutokeyFieldHead(field);
  if (head.ok() && head->response && head->error &&
      head->code == static_cast<uint8_t>(wire::AutokeyCode::kAutokey) &&
      head->association == upstream->announcer.id())
    upstream->announcer.OnUnknown();
  return TakeAnnouncement(upstream, field, true);
}

bool Upstreams::IsOfAnotherList(AssocId id, const IpAddress& to) const {
  const Upstream* upstream = Find(id);
  if (upstream == nullptr || upstream->announced == nullptr) return false;
  const IpAddress& followed = upstream->heard;
  return to.family != followed.family || to.octets != followed.octets;
}

void Upstreams::NoteAnnouncer(AssocId id, const wire::Packet& packet) {
  const auto found = upstreams_.find(id);
  if (found == upstreams_.end() || found->second->announced == nullptr) return;
  if (const auto announcer = AnnouncerIn(packet))
    found->second->announcer.OnHeard(*announcer, RandomNumber());
}

void Upstreams::AcceptList(AssocId id, const msg::KeyListAccept& accept) {
  node_->keys.Ask(accept, [this, id](msg::VerdictCode code) {
    const auto found = upstreams_.find(id);
    if (found == upstreams_.end() || found->second->announced == nullptr) return;
    found->second->announced->OnVerdict(code);
    if (found->second->announced->accepted()) node_->engine->AllowListening(id, true);
  });
}

// A broadcast is good for time although it has a field: its key comes next in the list that its
// server signed. The announcement of a new list goes to ntpd-keys before the packet that brought
// it.
void Upstreams::DeliverListed(AssocId id, const wire::Packet& packet, NtpTimestamp t4) {
  Upstream* upstream = upstreams_.at(id).get();
  const auto fields = packet.extensions();
  if (!packet.mac || fields.empty()) return Finish(id, packet.header, std::nullopt, t4);
  const auto announcer = AnnouncerIn(packet);
  bool other_key = false;
  if (announcer == upstream->announcer.id() && IsAnnouncement(fields[0].field) &&
      upstream->announced->TakeUnasked(Timebase::Mono()))
    other_key = IsOtherKey(TakeAnnouncement(upstream, fields[0].field, false).outcome);
  auto question = QuestionOf(packet, upstream->announced->path());
  if (!question) return;
  question->association = id;
  node_->keys.Ask(
      *question,
      [this, id, header = packet.header, list = upstream->announced->key(), key = packet.mac->key,
       announcer, other_key, t4](msg::VerdictCode code) {
        if (!upstreams_.contains(id) || code == msg::VerdictCode::kBusy) return;
        const bool good = code == msg::VerdictCode::kGood;
        autokey::Announcer& known = upstreams_.at(id)->announcer;
        // Nobody but the server had us ask then, and it may be started anew once more.
        if (announcer && good && known.OnGood(*announcer)) upstreams_.at(id)->list_asked.reset();
        if (announcer && !good) known.OnHeard(*announcer, RandomNumber());
        // Who is off the path has no such key: asking tells whether it is the server that signs
        // with another, while its broadcasts go on.
        if (good && other_key) upstreams_.at(id)->list_asked.reset();
        if (code == msg::VerdictCode::kSequence || (good && other_key))
          AskForMissedList(upstreams_.at(id).get());
        if (good) upstreams_.at(id)->announced->OnGoodKey(list, key);
        Finish(id, header,
               core::MacVerdict{key, good ? core::MacResult::kGood : core::MacResult::kBad}, t4);
      },
      ++upstream->checks > kFirstChecks ? Lane::kClients : Lane::kOwn);
}

// Its volley is over and its list is there: no polls go to it any more.
bool Upstreams::IsListenedTo(const Upstream& upstream) const {
  const core::Association* association = node_->engine->Find(upstream.id);
  return upstream.announced != nullptr && upstream.announced->followed() &&
         upstream.dance->identified() && association != nullptr &&
         association->hmode() == core::HostMode::kBroadcastClient;
}

// A key that is not in the list: somebody made it up, or we missed the announcement of the next
// list. The server tells its list again to who asks, under its signature, and nothing changes
// before that came. Seldom, as anybody can make us ask.
void Upstreams::AskForMissedList(Upstream* upstream) {
  const MonoTime now = Timebase::Mono();
  if (!IsListenedTo(*upstream) || upstream->renewing) return;
  if (upstream->list_asked && now - *upstream->list_asked < kListAskSeconds) return;
  upstream->asked_announcement = true;
  if (AskBeside(upstream, autokey::AnnouncementRequest(upstream->announcer.id())))
    upstream->list_asked = now;
}

// The engine knows nothing of it: to listen goes on meanwhile.
bool Upstreams::AskBeside(Upstream* upstream, Bytes field) {
  if (!node_->hasher || !OpenSocket(upstream)) return false;
  upstream->asked_beside = Timebase::Mono();
  upstream->beside_nonce = RandomNonce();
  upstream->sent_key = RandomSessionKeyId();
  wire::Header header;
  header.poll = 6;
  header.transmit = upstream->beside_nonce;
  std::vector<uint8_t> packet(wire::kHeaderSize + field.size() + wire::kMaxMacSize);
  Writer writer(packet);
  wire::EncodeHeader(writer, header);
  writer.Put(field);
  CHECK(!writer.failed());
  const keys::SessionDigest digest = node_->PublicMac({upstream->local, upstream->remote.ip},
                                                      upstream->sent_key, writer.written());
  wire::EncodeMac(writer, {upstream->sent_key, digest.span()});
  const Bytes request = writer.written();
  const bool sent = send(upstream->socket.get(), request.data(), request.size(), MSG_NOSIGNAL) >= 0;
  node_->io.datagrams.OnSent(1, sent ? 0 : 1);
  return true;
}

// True when the packet answers such a question, whatever it says. A list whose signature does not
// fit comes from a server with another key, and one that is older than what we have from one whose
// clock was ahead, since nobody off the path can answer us.
bool Upstreams::OnAnswerBeside(Upstream* upstream, const wire::Packet& packet) {
  if (upstream->beside_nonce.is_zero() || packet.header.mode != wire::Mode::kServer ||
      packet.header.origin != upstream->beside_nonce || packet.extensions().empty() ||
      !IsPublicMacGood(*upstream, packet))
    return false;
  upstream->beside_nonce = NtpTimestamp();
  const Bytes field = packet.extensions()[0].field;
  if (!upstream->asked_announcement) {
    Carry(upstream, upstream->dance->OnResponse(field, node_->Dance()));
    return true;
  }
  const auto list = TakeAskedAnnouncement(upstream, field);
  if (IsOtherKey(list.outcome) || list.older) upstream->dance->OnOtherKey();
  return true;
}

// What has to be proved anew is asked by a volley beside, spaced as the first. At its end the
// server tells the list that we could not check before.
void Upstreams::RenewListened(Upstream* upstream, MonoTime now) {
  if (!IsListenedTo(*upstream) || !node_->has_material) return;
  if (upstream->asked_beside && now - *upstream->asked_beside < core::PollSchedule::kBurstSpacing)
    return;
  auto next = upstream->dance->NextOfRenewal(node_->Dance());
  const bool ended = upstream->renewing && !next;
  upstream->renewing = next.has_value();
  const bool moved = upstream->announcer.MoveOn(now);
  if (ended || moved) {
    upstream->list_asked.reset();
    AskForMissedList(upstream);
  }
  if (!next && !ended && !moved) next = upstream->dance->NextBeside(node_->Dance());
  if (!next) return;
  Carry(upstream, next->effects);
  if (next->kind != autokey::NextField::Kind::kField) return;
  upstream->asked_announcement = false;
  (void)AskBeside(upstream, next->field);
}

// A new ntpd-keys goes on with the lists of others where the last one stopped.
void Upstreams::ResumeLists(Upstream* upstream) {
  if (upstream->own_list != nullptr) {
    upstream->own_list->Void();
    upstream->own_list->SignByOurs();
  }
  if (upstream->announced == nullptr) return;
  if (const auto accept = upstream->announced->Resume()) AcceptList(upstream->id, *accept);
}

}  // namespace ntpward::net
