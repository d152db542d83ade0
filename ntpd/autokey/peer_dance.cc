// What our packets to a peer carry, and what the key process has to do with it.
#include "ntpd/autokey/peer_dance.h"

#include <algorithm>
#include <utility>

namespace ntpward::autokey {
namespace {

// An answer longer than this leaves no room for a request that has a certificate in it.
constexpr size_t kLongAnswer = 1024;

bool IsAssociation(Bytes fields) {
  const auto head = wire::ParseAutokeyFieldHead(fields);
  return head.ok() && head->code == static_cast<uint8_t>(wire::AutokeyCode::kAssociation);
}

}  // namespace

PeerDance::PeerDance(AssocId own, DancePolicy policy, uint8_t automax, const AddressPair& to_peer,
                     MonoTime now)
    : own_(own),
      to_peer_(to_peer),
      stranger_(!policy.chosen),
      dance_(own, policy, now, 0, DanceRole::kPeer),
      renewal_(own, std::move(policy), now),
      own_list_(own, msg::KeyListUse::kSymmetric, automax),
      announced_(own, msg::KeyListUse::kSymmetric, to_peer.Reversed()),
      haste_at_(now) {}

std::optional<msg::KeyListMake> PeerDance::DueList(int poll, const DanceContext& context) {
  auto make = own_list_.Due(to_peer_, poll, context.synchronised ? context.now : NtpSeconds{},
                            context.mono);
  if (make) make->stranger = stranger_;
  return make;
}

// ---------------------------------------------------------------------------- what we send

PeerPacket PeerDance::NextPacket(const DanceContext& context) {
  PeerPacket packet;
  if (!context.host.enabled()) return packet;
  packet.send = true;
  ++polls_;
  // Nobody is believed for longer because of what it asks.
  if (IsOver(context)) answer_.clear(), list_asked_ = false;
  std::vector<uint8_t> announcement;
  if (!IsOver(context) && MustAnnounce(context)) announcement = own_list_.Announcement(peer_id_);
  AddAnswer(&announcement, packet);
  // Lists of one key are announced by every packet: what we ask cannot wait for another.
  std::vector<uint8_t> request;
  const bool has_room =
      announcement.empty() ? packet.fields.size() <= kLongAnswer : packet.fields.empty();
  if (has_room) request = NextRequest(context, packet.effects);
  if (!Fits(packet, announcement.size() + request.size())) announcement.clear();
  if (!announcement.empty()) own_list_.OnAnnounced();
  Add(announcement, packet);
  // In scheme PC our answer is all that ntpd 4.2.6 wants to know of us, and it starts over when
  // somebody whom it knows asks ASSOC. Asked first it takes the question as the answer.
  if (context.host.is_private() && IsAssociation(request) && IsAssociation(packet.fields))
    std::swap(request, packet.fields);
  Add(request, packet);
  if (packet.fields.empty()) AddFiller(context, packet);
  return packet;
}

bool PeerDance::Fits(const PeerPacket& packet, size_t more) {
  return packet.fields.size() + more <= wire::kMaxExtensionArea;
}

void PeerDance::Add(const std::vector<uint8_t>& field, PeerPacket& packet) {
  if (!Fits(packet, field.size())) return;
  packet.fields.insert(packet.fields.end(), field.begin(), field.end());
}

bool PeerDance::IsOver(const DanceContext& context) const {
  return context.mono - dance_.started() >= ClientDance::kRefreshSeconds;
}

// Our list goes out with its first packet, once the peer can check the signature: before that
// ntpd 4.2.8 would start over. Without it the key of that packet would be out of order there.
bool PeerDance::MustAnnounce(const DanceContext& context) const {
  const bool settled = dance_.WantsList(context) && announced_.accepted();
  return !list_asked_ && (settled || dance_.ends_in_us()) && knows_us_ && own_list_.MustAnnounce();
}

// A list is told as it is when the packet leaves. An answer that is too long to go with the
// announcement waits once: then the announcement does.
void PeerDance::AddAnswer(std::vector<uint8_t>* announcement, PeerPacket& packet) {
  if (list_asked_ && own_list_.CanAnnounce()) {
    Add(own_list_.Announcement(peer_id_), packet);
    own_list_.OnAnnounced();
  }
  list_asked_ = false;
  if (!Fits(packet, answer_.size() + announcement->size())) {
    waited_ = !waited_;
    if (waited_) return;
    announcement->clear();
  }
  waited_ = false;
  Add(answer_, packet);
  answer_.clear();
}

// Empty: there is nothing to ask now.
std::vector<uint8_t> PeerDance::NextRequest(const DanceContext& context, DanceResult& effects) {
  const PeerRenewal::Pace pace{.follows = dance_.has_cookie() && announced_.accepted(),
                               .interval = own_list_.interval()};
  if (renewal_.TakeTurn(dance_, pace, context)) {
    NextField next = renewal_.NextRequest(context);
    effects = std::move(next.effects);
    return std::move(next.field);
  }
  if (!IsOver(context) && dance_.WantsList(context) && !announced_.accepted())
    return AnnouncementRequest(own_.value);
  NextField next = dance_.NextRequest(context);
  effects = Settle(std::move(next.effects));
  return std::move(next.field);
}

// From the moment when we gave our half away until both ends have both, a bare header would be
// sealed with what the other end cannot check, and it would start over.
void PeerDance::AddFiller(const DanceContext& context, PeerPacket& packet) {
  if (!told_ || (dance_.has_cookie() && heard_since_told_)) return;
  Add(own_list_.CanAnnounce() ? own_list_.Announcement(peer_id_)
                              : AssociationResponse(context.host, own_.value),
      packet);
}

bool PeerDance::TakeNak() {
  if (bad_macs_ < kMostBadMacs) return false;
  bad_macs_ = 0;
  return true;
}

bool PeerDance::HasQuestions(const DanceContext& context) const {
  if (dance_.ends_in_us()) return false;
  return !dance_.identified() || !announced_.accepted() || renewal_.active() ||
         (context.synchronised && dance_.has_questions());
}

bool PeerDance::TakeHaste(const DanceContext& context) {
  haste_ = std::min(kMostHaste, haste_ + (context.mono - haste_at_) / kHasteSeconds);
  haste_at_ = context.mono;
  if (pending_ || dance_.waits()) return false;
  if (haste_ < 1 || (!HasAnswer() && !HasQuestions(context) && context.synchronised)) return false;
  haste_ -= 1;
  return true;
}

// ---------------------------------------------------------------------------- the key process

DanceResult PeerDance::OnValueAnswer(uint32_t ticket, const msg::ValueAnswer& answer,
                                     const DanceContext& context) {
  if (renewal_.Owns(ticket)) return renewal_.OnValueAnswer(ticket, answer, context);
  return Settle(dance_.OnValueAnswer(ticket, answer, context));
}

DanceResult PeerDance::OnVerdict(uint32_t ticket, msg::VerdictCode code,
                                 const DanceContext& context) {
  if (renewal_.Owns(ticket)) return renewal_.OnVerdict(ticket, code, context);
  const bool had_cookie = dance_.has_cookie();
  DanceResult result = Settle(dance_.OnVerdict(ticket, code, context));
  if (dance_.has_cookie() && !had_cookie) OnCookie();
  return result;
}

// Our keys are hashed with it. The peer's new list comes by itself, or is asked for when its keys
// do not fit. Only the peer itself gets us here, so that it may be hurried for again.
void PeerDance::OnCookie() {
  own_list_.Void();
  haste_ = kMostHaste;
}

void PeerDance::OnKeysRestarted() {
  dance_.OnKeysRestarted();
  renewal_.OnKeysRestarted();
  own_list_.Void();
  own_list_.SignByOurs();
  announced_.Void();
  pending_.reset();
  told_ = heard_since_told_ = false;
}

DanceResult PeerDance::OnPolicy(const DancePolicy& policy, const DanceContext& context) {
  if (policy == dance_.policy()) return {};
  dance_.SetPolicy(policy);
  renewal_.SetPolicy(policy);
  return JudgeAnew(Restart::kPolicy, {}, context);
}

DanceResult PeerDance::OnHostMaterial(const HostChange& change, const DanceContext& context) {
  return JudgeAnew(Restart::kHost, change, context);
}

DanceResult PeerDance::JudgeAnew(Restart why, const HostChange& change,
                                 const DanceContext& context) {
  renewal_.Interrupt(context.mono);
  if (change.signer) {
    own_list_.OnSignerReplaced();
    // Who has only asked who we are goes by none yet.
    starts_over_ = starts_over_ && !shown_;
    shown_ = false;
  }
  switch (dance_.Judge(context, change.key)) {
    case ClientDance::Judgement::kAsBefore:
      break;
    case ClientDance::Judgement::kProveAgain:
      renewal_.Want(context.mono);
      break;
    case ClientDance::Judgement::kStartOver:
      own_list_.SignByOurs();
      return Settle(dance_.OnHostChanged(why, context));
  }
  if (change.certificate || change.key) dance_.OnCertificateRenewed();
  return {};
}

DanceResult PeerDance::Settle(DanceResult result) {
  if (result.restart != Restart::kNone) Forget();
  return result;
}

// The key process was told to forget, too.
void PeerDance::Forget() {
  renewal_.Forget();
  own_list_.Void();
  announced_ = AnnouncedList(own_, msg::KeyListUse::kSymmetric, to_peer_.Reversed());
  knows_us_ = told_ = heard_since_told_ = asked_who_ = begins_anew_ = waited_ = false;
  asked_again_.reset();
  pending_.reset();
  bad_macs_ = out_of_order_ = 0;
}

uint32_t PeerDance::flags() const {
  const uint32_t list = announced_.accepted() ? uint32_t{kAutokey} : 0;
  return dance_.flags() == 0 ? 0 : dance_.flags() | list;
}

}  // namespace ntpward::autokey
