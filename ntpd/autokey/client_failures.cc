// What goes wrong in a dance: what is said of it, when it counts, and starting over.
#include <utility>

#include "ntpd/autokey/client_dance.h"

namespace ntpward::autokey {
namespace {

using wire::AutokeyCode;

std::string_view AnswerName(AutokeyCode code) {
  switch (code) {
    case AutokeyCode::kAssociation:
      return "its name and status word";
    case AutokeyCode::kCertificate:
      return "the certificate";
    case AutokeyCode::kCookie:
      return "its cookie";
    case AutokeyCode::kIff:
    case AutokeyCode::kGq:
    case AutokeyCode::kMv:
      return "its proof of identity";
    default:
      return "the value of the last step";
  }
}

std::string_view Description(Restart why) {
  switch (why) {
    case Restart::kNone:
      return "";
    case Restart::kProtocolError:
      return "the server cannot answer";
    case Restart::kIdentity:
      return "the server's identity is not proved";
    case Restart::kCryptoNak:
      return "the server does not know our cookie";
    case Restart::kFailures:
      return "too many wrong answers";
    case Restart::kRefresh:
      return "time to refresh";
    case Restart::kHost:
      return "our own key files were read again";
    case Restart::kPolicy:
      return "ntp.conf asks something else of the server now";
  }
  return "";
}

}  // namespace

DanceResult ClientDance::OnCryptoNak(const DanceContext& context) {
  DanceResult result;
  if (flags_ == 0) return result;
  StartOver(Restart::kCryptoNak, context, result);
  return result;
}

DanceResult ClientDance::OnBadMac() const {
  DanceResult result;
  result.outcome = Outcome::kSignature;
  return result;
}

DanceResult ClientDance::OnHostChanged(Restart why, const DanceContext& context) {
  DanceResult result;
  StartOver(why, context, result);
  return result;
}

// What the last answer should have been, and what was wrong with it.
std::string ClientDance::WrongAnswer(Outcome outcome) const {
  std::string what(asked_ ? AnswerName(*asked_) : "the value of the last step");
  if (asked_ == AutokeyCode::kCertificate) what += " of " + trail_.wanted();
  if (asked_ == AutokeyCode::kCertificate && outcome == Outcome::kCertificateSignature)
    return what + ", whose key did not sign the one before it";
  return what + ", " + std::string(OutcomeText(outcome));
}

void ClientDance::Warn(std::string text, DanceResult& result) {
  if (text == warned_) return;
  warned_ = text;
  result.event = std::move(text);
  result.warn = true;
}

void ClientDance::Distrust(std::string reason, DanceResult& result) {
  refusal_ = reason;
  wanting_.reset();
  Warn(std::move(reason), result);
}

void ClientDance::Refuse(std::string reason, const DanceContext& context, DanceResult& result) {
  Distrust("server " + server_name_ + " refused: " + std::move(reason), result);
  StartOver(Restart::kIdentity, context, result);
}

// "I have no such certificate, or no time yet": asked again at the next poll, and then who it is.
Outcome ClientDance::OnEmptyAnswer(DanceResult& result) {
  const bool without_time = server_was_unsynchronised_;
  const int most = kMaxEmptyAnswers * (without_time ? 4 : 1) * (IsPeer() ? 8 : 1);
  if (++empty_answers_ < most) return Outcome::kOk;
  if (!without_time)
    Distrust("server " + server_name_ +
                 (trail_.steps().empty()
                      ? " shows no certificate of that name: it has another name now, or nobody "
                        "has signed its certificate yet"
                      : " shows no certificate of " + trail_.wanted() +
                            ", which signed one of its trail"),
             result);
  if (!without_time) wanting_ = trail_.steps().empty() ? "" : trail_.wanted();
  asked_.reset();
  empty_answers_ = 0;
  flags_ = 0;
  server_name_.clear();
  trail_.Start({});
  return without_time ? Outcome::kOk : Outcome::kCertificate;
}

// Proofs alone, and all of them wrong: that is nobody of the group, and who was believed under this
// association is not any more. One answer of another kind, and it may be somebody in between.
void ClientDance::CountFailure(Wrong what, const DanceContext& context, DanceResult& result) {
  only_proofs_failed_ = what == Wrong::kProof && (failures_ == 0 || only_proofs_failed_);
  misfits_ = what == Wrong::kSignature ? misfits_ + 1 : 0;
  // Who has proved itself is renewed instead, and loses nothing (RenewingDance, PeerRenewal).
  const bool has_other_key = misfits_ >= kMaxMisfits && !identified();
  if (++failures_ < kMaxFailures && !has_other_key) return;
  if (has_other_key && IsPrivate())
    return Refuse(PrivateKeyReason(context.host.subject()), context, result);
  if (result.event.empty())
    result.event =
        "Autokey starts over: too many wrong answers, the last: " + WrongAnswer(result.outcome);
  StartOver(only_proofs_failed_ ? Restart::kIdentity : Restart::kFailures, context, result);
}

void ClientDance::StartOver(Restart why, const DanceContext& context, DanceResult& result) {
  if (why != Restart::kIdentity && result.event.empty())
    result.event = "Autokey starts over: " + std::string(Description(why));
  result.restart = why;
  msg::ForgetAssociation forget;
  forget.association = own_;
  result.jobs.clear();
  result.jobs.push_back({0, forget});

  flags_ = 0;
  server_name_.clear();
  server_was_unsynchronised_ = false;
  trail_.Start({});
  demand_ = {};
  identity_ = {};
  challenge_.reset();
  cookie_timestamp_ = {};
  cookie_filestamp_ = {};
  newest_signed_ = {};
  asked_.reset();
  pending_.reset();
  failures_ = misfits_ = 0;
  empty_answers_ = 0;
  sign_question_ = {};
  leap_question_ = {};
  leap_again_ = false;
  leap_expiry_.reset();
  leap_timestamp_ = {};
  sign_again_ = 0;
  own_name_since_.reset();
  leap_asked_ = started_ = context.mono;
}

}  // namespace ntpward::autokey
