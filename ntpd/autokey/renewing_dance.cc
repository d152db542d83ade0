#include "ntpd/autokey/renewing_dance.h"

#include <algorithm>
#include <utility>

namespace ntpward::autokey {
namespace {

// The dances of one association never share a ticket, so that late answers find their own.
constexpr int kTicketBits = 24;

}  // namespace

RenewingDance::RenewingDance(AssocId own, DancePolicy policy, MonoTime now)
    : own_(own), policy_(std::move(policy)), current_(Make(now)), not_before_(now) {}

std::unique_ptr<ClientDance> RenewingDance::Make(MonoTime now) {
  return std::make_unique<ClientDance>(own_, policy_, now, generation_++ << kTicketBits);
}

bool RenewingDance::RenewalIsDue(const DanceContext& context) const {
  if (successor_ != nullptr || !current_->identified() || context.mono < not_before_) return false;
  if (other_key_) return true;
  const double age = context.mono - current_->started();
  if (wanted_ || age >= ClientDance::kRefreshSeconds - kRenewalSeconds) return true;
  const auto expiry = current_->trail_expiry();
  return context.synchronised && expiry && Unfold(context.now) > *expiry - kExpirySeconds;
}

double RenewingDance::RetrySeconds(const ClientDance& running, const DanceContext& context) {
  const auto expiry = running.trail_expiry();
  const bool late = context.synchronised && expiry &&
                    Unfold(context.now) + static_cast<CalendarSeconds>(kRetrySeconds) > *expiry;
  return late ? kLateRetrySeconds : kRetrySeconds;
}

void RenewingDance::BeginRenewal(const DanceContext& context) {
  successor_ = Make(context.mono);
  turns_ = 0;
  other_key_ = false;
  not_before_ = context.mono + RetrySeconds(*current_, context);
  begun_ = context.mono;
}

void RenewingDance::EndRenewal() {
  successor_.reset();
  successors_turn_ = waiting_ = false;
}

NextField RenewingDance::NextRequest(const DanceContext& context) {
  if (!context.host.enabled()) return current_->NextRequest(context);
  // A cookie is one question away, and time comes first.
  if ((other_key_ || current_->has_cookie()) && RenewalIsDue(context)) BeginRenewal(context);
  if (successor_ != nullptr && !waiting_ && turns_ == kMaxTurns) EndRenewal();
  const bool again = waiting_ && successors_turn_;
  if (successor_ != nullptr && (again || !successors_turn_ || !current_->has_cookie()))
    return NextOfSuccessor(context);
  successors_turn_ = false;
  NextField next = current_->NextRequest(context);
  next.effects = Settle(std::move(next.effects));
  return next;
}

std::optional<NextField> RenewingDance::NextOfRenewal(const DanceContext& context) {
  if (!context.host.enabled()) return std::nullopt;
  if (RenewalIsDue(context)) BeginRenewal(context);
  if (successor_ != nullptr && !waiting_ && turns_ == kMaxTurns) EndRenewal();
  if (successor_ == nullptr) return std::nullopt;
  return NextOfSuccessor(context);
}

std::optional<NextField> RenewingDance::NextBeside(const DanceContext& context) {
  // Whoever cannot be renewed is listened to until the end, and has it without us.
  const bool over = context.mono - current_->started() >= ClientDance::kRefreshSeconds;
  if (!context.host.enabled() || successor_ != nullptr || !current_->identified() || over ||
      (beside_ && context.mono - *beside_ < kBesideSeconds))
    return std::nullopt;
  beside_ = context.mono;
  successors_turn_ = false;
  NextField next = current_->NextRequest(context);
  next.effects = Settle(std::move(next.effects));
  return next;
}

void RenewingDance::OnOtherKey() {
  if (successor_ != nullptr || !current_->identified()) return;
  other_key_ = true;
  if (begun_) not_before_ = std::min(not_before_, *begun_ + kOtherKeySeconds);
}

NextField RenewingDance::NextOfSuccessor(const DanceContext& context) {
  if (!waiting_) ++turns_;
  successors_turn_ = true;
  NextField next = successor_->NextRequest(context);
  waiting_ = next.kind == NextField::Kind::kWait;
  SettleSuccessor(next.effects);
  return next;
}

// A successor that starts over has failed: the cookie and the reachability are not its own.
void RenewingDance::SettleSuccessor(DanceResult& result) {
  if (successor_->proven()) {
    current_ = std::move(successor_);
    wanted_ = false;
    return EndRenewal();
  }
  if (result.restart == Restart::kNone) return;
  result.restart = Restart::kNone;
  if (!result.warn) result.event.clear();
  std::erase_if(result.jobs, [](const ClientJob& job) {
    return std::holds_alternative<msg::ForgetAssociation>(job.operation);
  });
  EndRenewal();
}

// When the first starts over there is nothing left to succeed to.
DanceResult RenewingDance::Settle(DanceResult result) {
  if (result.restart != Restart::kNone) {
    EndRenewal();
    wanted_ = other_key_ = false;
  }
  return result;
}

DanceResult RenewingDance::OnResponse(Bytes field, const DanceContext& context) {
  if (successors_turn_) {
    DanceResult result = successor_->OnResponse(field, context);
    SettleSuccessor(result);
    return result;
  }
  DanceResult result = current_->OnResponse(field, context);
  // It proved itself and now signs with another key, or somebody signs in its name. The successor
  // will tell.
  const bool other_key =
      result.outcome == Outcome::kSignature || result.outcome == Outcome::kSignatureLength;
  if (other_key && current_->identified()) other_key_ = true;
  return Settle(std::move(result));
}

DanceResult RenewingDance::OnValueAnswer(uint32_t ticket, const msg::ValueAnswer& answer,
                                         const DanceContext& context) {
  if (successor_ == nullptr || !successor_->Owns(ticket))
    return Settle(current_->OnValueAnswer(ticket, answer, context));
  DanceResult result = successor_->OnValueAnswer(ticket, answer, context);
  SettleSuccessor(result);
  return result;
}

DanceResult RenewingDance::OnVerdict(uint32_t ticket, msg::VerdictCode code,
                                     const DanceContext& context) {
  if (successor_ == nullptr || !successor_->Owns(ticket))
    return Settle(current_->OnVerdict(ticket, code, context));
  DanceResult result = successor_->OnVerdict(ticket, code, context);
  SettleSuccessor(result);
  return result;
}

// To a field it says nothing about the cookie.
DanceResult RenewingDance::OnCryptoNak(const DanceContext& context) {
  if (!successors_turn_) return Settle(current_->OnCryptoNak(context));
  EndRenewal();
  return {};
}

void RenewingDance::OnKeysRestarted() {
  current_->OnKeysRestarted();
  if (successor_ != nullptr) successor_->OnKeysRestarted();
}

DanceResult RenewingDance::OnPolicy(const DancePolicy& policy, const DanceContext& context) {
  if (policy == policy_) return {};
  policy_ = policy;
  current_->SetPolicy(policy);
  return JudgeAnew(Restart::kPolicy, {}, context);
}

DanceResult RenewingDance::OnHostMaterial(const HostChange& change, const DanceContext& context) {
  return JudgeAnew(Restart::kHost, change, context);
}

DanceResult RenewingDance::JudgeAnew(Restart why, const HostChange& change,
                                     const DanceContext& context) {
  // What a reload interrupts has not failed.
  if (renewing()) not_before_ = context.mono;
  EndRenewal();
  switch (current_->Judge(context, change.key)) {
    case ClientDance::Judgement::kAsBefore:
      break;
    case ClientDance::Judgement::kProveAgain:
      wanted_ = true;
      not_before_ = context.mono;
      break;
    case ClientDance::Judgement::kStartOver:
      return Settle(current_->OnHostChanged(why, context));
  }
  if (change.certificate || change.key) current_->OnCertificateRenewed();
  return {};
}

}  // namespace ntpward::autokey
