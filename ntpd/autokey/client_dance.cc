// What to ask next, what the key process answered, and what of it lasts.
#include "ntpd/autokey/client_dance.h"

#include <algorithm>
#include <utility>

#include "ntpd/autokey/crypto_statistics.h"

namespace ntpward::autokey {
namespace {

uint8_t Code(wire::AutokeyCode code) { return static_cast<uint8_t>(code); }

wire::AutokeyCode CodeOf(msg::IdentityScheme scheme) {
  switch (scheme) {
    case msg::IdentityScheme::kGq:
      return wire::AutokeyCode::kGq;
    case msg::IdentityScheme::kMv:
      return wire::AutokeyCode::kMv;
    default:
      return wire::AutokeyCode::kIff;
  }
}

}  // namespace

ClientDance::ClientDance(AssocId own, DancePolicy policy, MonoTime now, uint32_t last_ticket,
                         DanceRole role)
    : own_(own),
      policy_(std::move(policy)),
      role_(role),
      last_ticket_(last_ticket),
      leap_asked_(now),
      started_(now) {
  CHECK(own.value != 0);
}

bool ClientDance::identified() const { return Lit(kTrusted | kVerified | kProven); }

int ClientDance::progress() const {
  if (identified()) return kProgressProven;
  if (Lit(kTrusted)) return kProgressProven - (Lit(kVerified) ? 1 : 2);
  return flags_ == 0 ? 0 : 1 + static_cast<int>(trail_.steps().size());
}

std::vector<uint8_t> AssociationRequest(const HostState& host, AssocId own) {
  wire::AutokeyField field;
  field.head = {false, false, Code(wire::AutokeyCode::kAssociation), own.value};
  field.has_value = true;
  field.timestamp = host.update_time();
  field.filestamp = NtpSeconds{host.status_word()};
  field.value = AsBytes(host.subject());
  std::vector<uint8_t> bytes(wire::AutokeyFieldSize(field.value.size(), 0));
  Writer writer(bytes);
  wire::EncodeAutokeyField(writer, field);
  CHECK(writer.Finish());
  return bytes;
}

bool ClientDance::proven() const { return identified() && has_cookie(); }

NextField ClientDance::NextRequest(const DanceContext& context) {
  NextField next;
  // A peer answers when its own poll comes.
  if (!IsPeer()) asked_.reset();
  if (!context.host.enabled()) return next;
  if (context.mono - started_ >= kRefreshSeconds)
    StartOver(Restart::kRefresh, context, next.effects);
  if (pending_ && context.mono - pending_->since >= kKeyAnswerSeconds) pending_.reset();
  if (own_name_since_ && context.mono - *own_name_since_ >= kOwnNameSeconds)
    own_name_since_.reset();

  if (own_name_since_) {
    next.kind = NextField::Kind::kPlain;
  } else if (flags_ == 0) {
    AskAssociation(context, next);
  } else if (!Lit(kTrusted)) {
    AskCertificate(context, next);
  } else if (!Lit(kVerified)) {
    AskIdentity(context, next);
  } else if (!Lit(kCookie) && (!IsPeer() || context.synchronised)) {
    AskCookie(context, next);
  } else {
    ++polls_;
    next.kind = NextField::Kind::kPlain;
    if (context.synchronised && !AskSign(context, next)) AskLeap(context, next);
  }
  return next;
}

void ClientDance::Ask(const wire::AutokeyField& field, NextField& next) {
  std::vector<uint8_t> bytes(wire::kMaxExtensionArea);
  Writer writer(bytes);
  wire::EncodeAutokeyField(writer, field);
  // Only our own certificate can be too long; then this is never asked.
  if (!writer.Finish()) return;
  bytes.resize(writer.size());
  next.field = std::move(bytes);
  next.kind = NextField::Kind::kField;
  asked_ = static_cast<wire::AutokeyCode>(field.head.code);
}

void ClientDance::AskAssociation(const DanceContext& context, NextField& next) {
  next.field = AssociationRequest(context.host, own_);
  next.kind = NextField::Kind::kField;
  asked_ = wire::AutokeyCode::kAssociation;
}

void ClientDance::AskCertificate(const DanceContext& context, NextField& next) {
  wire::AutokeyField field;
  field.head = {false, false, Code(wire::AutokeyCode::kCertificate), own_.value};
  field.has_value = true;
  field.timestamp = context.synchronised ? context.now : NtpSeconds{};
  field.filestamp = context.host.update_time();
  field.value = AsBytes(trail_.wanted());
  Ask(field, next);
}

void ClientDance::AskIdentity(const DanceContext& context, NextField& next) {
  if (!challenge_) {
    RequestChallenge(context, next.effects);
    next.kind = NextField::Kind::kWait;
    return;
  }
  wire::AutokeyField field;
  field.head = {false, false, Code(CodeOf(demand_.scheme)), own_.value};
  field.has_value = true;
  field.timestamp = challenge_->timestamp;
  field.filestamp = challenge_->filestamp;
  field.value = challenge_->value.span();
  field.signature = challenge_->signature.span();
  Ask(field, next);
}

void ClientDance::AskCookie(const DanceContext& context, NextField& next) {
  if (pending_) {
    next.kind = NextField::Kind::kWait;
    return;
  }
  wire::AutokeyField field;
  field.head = {false, false, Code(wire::AutokeyCode::kCookie), own_.value};
  field.has_value = true;
  field.timestamp = context.host.update_time();
  field.filestamp = context.host.host_key_filestamp();
  field.value = context.host.public_key();
  field.signature = context.host.public_key_signature();
  Ask(field, next);
}

bool ClientDance::WantsList(const DanceContext& context) const {
  return Lit(kTrusted | kVerified) && (has_cookie() || !context.synchronised);
}

// A word that was given before the server was synchronised said nothing about leap values, and who
// had a table will have the next one.
bool ClientDance::WantsTable() const {
  const bool may_have_one = Lit(kTai) || server_was_unsynchronised_ || leap_expiry_;
  return leap_again_ || (!Lit(kLeap) && may_have_one);
}

bool ClientDance::has_questions() const {
  if (ends_in_us()) return false;
  return !proven() || (!Lit(kSigned) && sign_question_.MayAsk(polls_)) ||
         (WantsTable() && leap_question_.MayAsk(polls_));
}

// The one that we have is used, and shown, until there is another.
bool ClientDance::WantsCertificateSigned(const DanceContext& context) const {
  if (IsPrivate()) return false;
  return !Lit(kSigned) || Unfold(context.now) >= sign_again_;
}

std::optional<CalendarSeconds> ClientDance::trail_expiry() const {
  if (!trail_.complete()) return std::nullopt;
  return trail_.expiry();
}

DanceResult ClientDance::BeginAfter(const ClientDance& running, const DanceContext& context) {
  DanceResult result;
  flags_ = running.flags_ & (kHostBits | kSchemeMask);
  server_name_ = running.server_name_;
  server_was_unsynchronised_ = running.server_was_unsynchronised_;
  leap_timestamp_ = running.leap_timestamp_;
  trail_.Start(server_name_);
  goes_after_ = true;
  if (context.host.is_private()) BeginPrivate(context, result);
  return result;
}

void ClientDance::TakeOver(const ClientDance& renewed) {
  constexpr uint32_t kKept = kCookie | kSigned | kLeap;
  flags_ = (renewed.flags_ & ~kKept) | (flags_ & kKept);
  trail_ = renewed.trail_;
  demand_ = renewed.demand_;
  identity_ = renewed.identity_;
  refusal_ = renewed.refusal_;
  warned_ = renewed.warned_;
  failures_ = empty_answers_ = 0;
  newest_signed_ = renewed.newest_signed_;
  started_ = renewed.started_;
  leap_again_ = true;
}

ClientDance::Judgement ClientDance::Judge(const DanceContext& context, bool key_changed) const {
  // What the operator changed may be what it was refused for.
  if (!refusal_.empty()) return Judgement::kStartOver;
  if (flags_ == 0) return Judgement::kAsBefore;
  if (IsPrivate() != context.host.is_private()) return Judgement::kStartOver;
  if (IsPrivate()) {
    const std::string_view group = context.host.subject();
    if (group != server_name_ || DecidePrivate(policy_, group).demand == Demand::kRefuse)
      return Judgement::kStartOver;
    if (!key_changed) return Judgement::kAsBefore;
    // By the cookie a server goes on. A peer's lists are signed, and by a key that we have not got.
    return identified() && !IsPeer() ? Judgement::kProveAgain : Judgement::kStartOver;
  }
  if (!Lit(kTrusted)) return Judgement::kAsBefore;
  const IdentityDemand demand = DecideIdentity(
      policy_, context.host.groups(), trail_.last()->subject, context.host.subject(), flags_);
  if (demand.demand == Demand::kRefuse) return Judgement::kStartOver;
  const bool same = demand.demand == demand_.demand && demand.scheme == demand_.scheme &&
                    demand.group == demand_.group && demand.filestamp == demand_.filestamp;
  if (same) return Judgement::kAsBefore;
  // Who was excused from a proof is not believed while it owes one.
  const bool owed = demand_.demand == Demand::kTrail && !policy_.excuses();
  return Lit(kVerified) && !owed ? Judgement::kProveAgain : Judgement::kStartOver;
}

bool ClientDance::AskSign(const DanceContext& context, NextField& next) {
  const HostState& host = context.host;
  if (!WantsCertificateSigned(context) || host.update_time().value == 0 ||
      !sign_question_.MayAsk(polls_))
    return false;
  sign_question_.OnAsked(polls_);
  const Outcome period = host.certificate().PeriodAt(Unfold(context.now));
  if (period != Outcome::kOk) {
    next.effects.outcome = period;
    Warn(std::string("our own certificate ") +
             (period == Outcome::kPeriod ? "has expired" : "is not valid yet") +
             ", so no server will sign it: renew it with ntp-keygen",
         next.effects);
    return false;
  }
  wire::AutokeyField field;
  field.head = {false, false, Code(wire::AutokeyCode::kSign), own_.value};
  field.has_value = true;
  field.timestamp = host.update_time();
  field.filestamp = host.certificate().filestamp;
  field.value = host.certificate().der;
  field.signature = host.certificate_signature();
  Ask(field, next);
  return next.kind == NextField::Kind::kField;
}

bool ClientDance::AskLeap(const DanceContext& context, NextField& next) {
  if (leap_expiry_ && Unfold(context.now) > *leap_expiry_) flags_ &= ~static_cast<uint32_t>(kLeap);
  const bool wanted = WantsTable() && leap_question_.MayAsk(polls_);
  if (!wanted && (Lit(kLeap) || context.mono - leap_asked_ < kTableAgainSeconds)) return false;
  leap_question_.OnAsked(polls_);
  leap_asked_ = context.mono;
  wire::AutokeyField field;
  field.head = {false, false, Code(wire::AutokeyCode::kLeap), own_.value};
  Ask(field, next);
  return true;
}

void ClientDance::RequestChallenge(const DanceContext& context, DanceResult& result) {
  if (pending_) return;
  msg::IdentityChallenge challenge;
  challenge.now = context.synchronised ? context.now : NtpSeconds{};
  challenge.association = own_;
  challenge.scheme = demand_.scheme;
  // It is the name of an installed group, so it fits.
  CHECK(challenge.group.Assign(AsBytes(demand_.group)));
  AddJob(challenge, {0, msg::Type::kIdentityChallenge, context.mono, {}, {}}, result);
}

void ClientDance::AddJob(ClientOperation operation, Pending pending, DanceResult& result) {
  pending.ticket = ++last_ticket_;
  std::visit(
      [this](auto& message) {
        if constexpr (requires { message.stranger; }) message.stranger = !policy_.chosen;
      },
      operation);
  result.jobs.push_back({pending.ticket, std::move(operation)});
  pending_ = pending;
}

DanceResult ClientDance::OnValueAnswer(uint32_t ticket, const msg::ValueAnswer& answer,
                                       const DanceContext& context) {
  DanceResult result;
  if (!pending_ || pending_->ticket != ticket ||
      pending_->operation != msg::Type::kIdentityChallenge)
    return result;
  pending_.reset();
  if (answer.code == msg::VerdictCode::kGood) {
    challenge_ = answer;
  } else if (answer.code != msg::VerdictCode::kBusy) {
    result.outcome = Outcome::kIdentity;
    Refuse("the key process has no usable group key for \"" + demand_.group + "\"", context,
           result);
  }
  return result;
}

DanceResult ClientDance::OnVerdict(uint32_t ticket, msg::VerdictCode code,
                                   const DanceContext& context) {
  DanceResult result;
  if (!pending_ || pending_->ticket != ticket) return result;
  const Pending done = *pending_;
  pending_.reset();
  // Over its rate: the step is asked again at the next poll.
  if (code == msg::VerdictCode::kBusy) return result;
  if (done.operation == msg::Type::kIdentityVerify) OnIdentityVerdict(code, context, result);
  if (done.operation == msg::Type::kCookieOpen) OnCookieVerdict(done, code, context, result);
  return result;
}

void ClientDance::OnIdentityVerdict(msg::VerdictCode code, const DanceContext& context,
                                    DanceResult& result) {
  if (code == msg::VerdictCode::kGood) {
    identity_ = SchemeLabel(demand_.scheme);
    result.statistics.push_back(IdentityLine(identity_, trail_.last()->subject, demand_.filestamp));
    AcceptIdentity(context, result);
    return;
  }
  if (code == msg::VerdictCode::kUnknownKey)
    return;  // it has forgotten the challenge: draw another
  const bool generation = code == msg::VerdictCode::kFilestamp;
  result.outcome = generation ? Outcome::kFilestamp : Outcome::kIdentity;
  Distrust(generation
               ? OtherKeyReason(server_name_, trail_.last()->subject, demand_.group)
               : "server " + server_name_ + " did not prove that it has the group key for \"" +
                     demand_.group + "\"",
           result);
  CountFailure(Wrong::kProof, context, result);
}

void ClientDance::OnCookieVerdict(const Pending& done, msg::VerdictCode code,
                                  const DanceContext& context, DanceResult& result) {
  if (code != msg::VerdictCode::kGood) {
    result.outcome = Outcome::kCookie;
    CountFailure(Wrong::kAnswer, context, result);
    return;
  }
  failures_ = 0;
  flags_ |= kCookie;
  cookie_timestamp_ = done.timestamp;
  cookie_filestamp_ = done.filestamp;
  cookie_since_ = context.mono;
  result.statistics.push_back(CookieLine(done.timestamp, done.filestamp));
}

void ClientDance::AcceptIdentity(const DanceContext& context, DanceResult& result) {
  failures_ = 0;
  flags_ |= kVerified;
  if (context.synchronised) context.certificates.OnTime(Unfold(context.now));
  if (!IsPrivate()) context.certificates.Accept(trail_, Source(), own_);
  refusal_.clear();
  warned_.clear();
  result.event = demand_.demand == Demand::kProof
                     ? "server " + server_name_ +
                           " proved its identity: " + std::string(identity_) + ", group \"" +
                           demand_.group + "\""
                     : "server " + server_name_ +
                           " accepted by its certificate trail alone: no identity was proved";
  if (!TrailHasOurName(context.host.certificate())) return;
  result.event += "; a certificate of its trail has our own name, " +
                  std::string(context.host.subject()) +
                  ", and another key: our clients and its own cannot tell the two apart";
  result.warn = true;
}

bool ClientDance::TrailHasOurName(const Certificate& own) const {
  return std::any_of(trail_.steps().begin(), trail_.steps().end(), [&](const Certificate& step) {
    return step.subject == own.subject && step.key != own.key;
  });
}

void ClientDance::OnKeysRestarted() {
  pending_.reset();
  challenge_.reset();
  flags_ &= ~uint32_t{kCookie};
}

void ClientDance::OnCertificateRenewed() {
  own_name_since_.reset();
  if (IsPrivate()) return;
  flags_ &= ~static_cast<uint32_t>(kSigned);
  sign_question_ = {};
}

}  // namespace ntpward::autokey
