#include "ntpd/autokey/peer_renewal.h"

#include <algorithm>
#include <utility>

#include "ntpd/autokey/announced_list.h"
#include "ntpd/autokey/renewing_dance.h"

namespace ntpward::autokey {
namespace {

// The running dance's tickets have generation 0.
constexpr int kTicketBits = 24;
constexpr uint32_t kGenerations = 255;

}  // namespace

PeerRenewal::PeerRenewal(AssocId own, DancePolicy policy, MonoTime now)
    : own_(own), policy_(std::move(policy)), not_before_(now) {}

bool PeerRenewal::IsDue(const ClientDance& running, const Pace& pace,
                        const DanceContext& context) const {
  if (!running.identified() || context.mono < not_before_) return false;
  const double age = context.mono - running.started();
  const double early = std::max(RenewingDance::kRenewalSeconds, kEarlyPolls * pace.interval);
  if (wanted_ || age >= ClientDance::kRefreshSeconds - early) return true;
  const auto expiry = running.trail_expiry();
  return context.synchronised && expiry &&
         Unfold(context.now) > *expiry - RenewingDance::kExpirySeconds;
}

void PeerRenewal::Begin(const ClientDance& running, const DanceContext& context) {
  generation_ = generation_ % kGenerations + 1;
  dance_ = std::make_unique<ClientDance>(own_, policy_, context.mono, generation_ << kTicketBits,
                                         DanceRole::kPeer);
  turn_ = false;
  turns_ = 0;
  not_before_ = context.mono + RenewingDance::RetrySeconds(running, context);
  begun_ = context.mono;
  (void)dance_->BeginAfter(running, context);
}

bool PeerRenewal::TakeTurn(const ClientDance& running, const Pace& pace,
                           const DanceContext& context) {
  // Too late: nobody is believed longer than that.
  const bool over = context.mono - running.started() >= ClientDance::kRefreshSeconds;
  if (active() && (over || turns_ == kMaxTurns)) End();
  if (over) return false;
  if (!active()) {
    if (!IsDue(running, pace, context)) return false;
    Begin(running, context);
  }
  // Cookie and list come under a signature that only the renewal can make good.
  turn_ = !turn_ || (other_key_ && !pace.follows);
  return turn_;
}

NextField PeerRenewal::NextRequest(const DanceContext& context) {
  ++turns_;
  NextField next;
  next.kind = NextField::Kind::kPlain;
  if (dance_->WantsSignature()) {
    next.field = AnnouncementRequest(own_.value);
    next.kind = NextField::Kind::kField;
    return next;
  }
  // The peer has no certificate for us, again and again.
  if (dance_->flags() == 0) {
    End();
    return next;
  }
  next = dance_->NextRequest(context);
  if (next.kind == NextField::Kind::kWait) next.kind = NextField::Kind::kPlain;
  next.effects = Settle(std::move(next.effects));
  return next;
}

bool PeerRenewal::Asked(const wire::AutokeyFieldHead& response) const {
  return active() && dance_->asked() && response.code == static_cast<uint8_t>(*dance_->asked());
}

DanceResult PeerRenewal::OnResponse(Bytes field, const DanceContext& context) {
  return Settle(dance_->OnResponse(field, context));
}

DanceResult PeerRenewal::OnValueAnswer(uint32_t ticket, const msg::ValueAnswer& answer,
                                       const DanceContext& context) {
  return Settle(dance_->OnValueAnswer(ticket, answer, context));
}

DanceResult PeerRenewal::OnVerdict(uint32_t ticket, msg::VerdictCode code,
                                   const DanceContext& context) {
  return Settle(dance_->OnVerdict(ticket, code, context));
}

void PeerRenewal::OnKeysRestarted() {
  if (active()) dance_->OnKeysRestarted();
}

Outcome PeerRenewal::CheckPeer(const wire::AutokeyField& field, const DanceContext& context,
                               DanceResult& result, ClientDance* running) {
  if (!active()) return Outcome::kProtocol;
  const Outcome outcome = dance_->CheckPeer(field, context, result);
  if (!dance_->identified()) return outcome;
  running->TakeOver(*dance_);
  End();
  wanted_ = false;
  return Outcome::kOk;
}

void PeerRenewal::Want(MonoTime not_before) {
  wanted_ = true;
  not_before_ = not_before;
}

void PeerRenewal::NoteOtherKey(const PublicKey* key) {
  const Certificate* found = active() ? dance_->trail().server() : nullptr;
  if (found != nullptr && key != nullptr && found->key == *key) return;
  // It has begun with what is no longer so.
  if (found != nullptr && key != nullptr) End();
  other_key_ = true;
  if (active()) return;
  wanted_ = true;
  if (begun_) not_before_ = std::min(not_before_, *begun_ + RenewingDance::kOtherKeySeconds);
}

void PeerRenewal::Interrupt(MonoTime now) {
  if (active()) not_before_ = now;
  End();
}

// One that has not found what signs now is tried again.
void PeerRenewal::End() {
  wanted_ = wanted_ || other_key_;
  dance_.reset();
  other_key_ = false;
}

void PeerRenewal::Forget() {
  End();
  wanted_ = false;
}

// One that starts over has failed: cookie and reachability are not its own.
DanceResult PeerRenewal::Settle(DanceResult result) {
  if (result.restart == Restart::kNone) return result;
  result.restart = Restart::kNone;
  if (!result.warn) result.event.clear();
  std::erase_if(result.jobs, [](const ClientJob& job) {
    return std::holds_alternative<msg::ForgetAssociation>(job.operation);
  });
  End();
  return result;
}

}  // namespace ntpward::autokey
