// What the server's answers prove: the consuming half of ClientDance.
#include <algorithm>
#include <utility>

#include "ntpd/autokey/client_dance.h"
#include "ntpd/autokey/crypto_statistics.h"
#include "ntpd/autokey/learned_leap.h"
#include "privsep/base/text.h"

namespace ntpward::autokey {
namespace {

using wire::AutokeyCode;
using wire::AutokeyField;

constexpr size_t kLeapValueSize = 12;
constexpr CalendarSeconds kMostSignedAhead = 30 * 86400;

// What the association can do without: a server that refuses them still gives time.
bool IsOptional(AutokeyCode code) {
  return code == AutokeyCode::kSign || code == AutokeyCode::kLeap;
}

bool StampsInOrder(NtpSeconds earlier, NtpSeconds later) {
  return earlier.value == 0 || !Earlier(later, earlier);
}

}  // namespace

DanceResult ClientDance::OnResponse(Bytes bytes, const DanceContext& context) {
  DanceResult result;
  const auto head = wire::ParseAutokeyFieldHead(bytes);
  // A peer's answer to ASSOC has its own identifier (as ntpd 4.2.8).
  const bool any_identifier = IsPeer() && asked_ == AutokeyCode::kAssociation;
  if (!head.ok() || !asked_ || !head->response || head->code != static_cast<uint8_t>(*asked_) ||
      (head->association != own_.value && !any_identifier)) {
    result.outcome = Outcome::kProtocol;
    return result;
  }
  const AutokeyCode code = *asked_;
  if (code == AutokeyCode::kSign) sign_question_.OnAnswered();
  if (code == AutokeyCode::kLeap) {
    leap_question_.OnAnswered();
    // Who never had a table is asked once. Who had one is asked until it says under its signature
    // what it has now.
    leap_again_ = leap_again_ && Lit(kLeap);
  }
  if (head->error) {
    result.statistics.push_back(
        OutcomeLine(FirstWord(bytes), head->association, Outcome::kProtocol));
    OnServerError(context, result);
    return result;
  }
  const auto field = wire::ParseAutokeyField(bytes);
  result.outcome = field.ok() ? Consume(*field, context, result) : Outcome::kLength;
  if (result.outcome == Outcome::kOk) {
    // The other steps end with a verdict of the key process, which counts.
    if (code == AutokeyCode::kAssociation || code == AutokeyCode::kCertificate) failures_ = 0;
    misfits_ = 0;
    asked_.reset();
    return result;
  }
  result.statistics.push_back(OutcomeLine(FirstWord(bytes), head->association, result.outcome));
  // A server without time is waited for, however long that takes.
  const bool patient = field.ok() && field->has_value && field->timestamp.value == 0;
  const bool misfit =
      result.outcome == Outcome::kSignature || result.outcome == Outcome::kSignatureLength;
  if (!patient && !IsOptional(code))
    CountFailure(misfit ? Wrong::kSignature : Wrong::kAnswer, context, result);
  return result;
}

void ClientDance::OnServerError(const DanceContext& context, DanceResult& result) {
  result.outcome = Outcome::kProtocol;
  const AutokeyCode code = *asked_;
  asked_.reset();
  if (IsOptional(code)) return;
  if (Lit(kTrusted) && !Lit(kVerified)) {
    Refuse("it cannot prove that it has the group key for \"" + demand_.group + "\"", context,
           result);
    return;
  }
  if (IsPrivate() && !Lit(kProven))
    return Refuse(PrivateKeyReason(context.host.subject()), context, result);
  StartOver(Restart::kProtocolError, context, result);
}

Outcome ClientDance::Consume(const AutokeyField& field, const DanceContext& context,
                             DanceResult& result) {
  const AutokeyCode code = *asked_;
  if (!field.has_value) {
    return code == AutokeyCode::kCertificate ? OnEmptyAnswer(result) : Outcome::kLength;
  }
  if (code == AutokeyCode::kAssociation) return OnAssociation(field, context, result);
  if (const Outcome stamps = CheckStamps(field); stamps != Outcome::kOk) return stamps;
  if (code == AutokeyCode::kCertificate) return OnCertificate(field, context, result);
  if (const Outcome checked = CheckSigned(field, context, result); checked != Outcome::kOk)
    return checked;
  switch (code) {
    case AutokeyCode::kIff:
    case AutokeyCode::kGq:
    case AutokeyCode::kMv:
      return OnIdentity(field, context, result);
    case AutokeyCode::kCookie:
      return OnCookie(field, context, result);
    case AutokeyCode::kSign:
      return OnSign(field, context, result);
    case AutokeyCode::kLeap:
      return OnLeap(field, context, result);
    default:
      return Outcome::kProtocol;
  }
}

Outcome ClientDance::CheckStamps(const AutokeyField& field) const {
  if (field.timestamp.value == 0) return Outcome::kTimestamp;
  if (!StampsInOrder(field.filestamp, field.timestamp)) return Outcome::kTimestamp;
  if (*asked_ != AutokeyCode::kCookie || cookie_timestamp_.value == 0) return Outcome::kOk;
  // A cookie older than the one that we had is a replay.
  if (!StampsInOrder(cookie_timestamp_, field.timestamp)) return Outcome::kTimestamp;
  if (!StampsInOrder(cookie_filestamp_, field.timestamp) ||
      !StampsInOrder(cookie_filestamp_, field.filestamp))
    return Outcome::kFilestamp;
  return Outcome::kOk;
}

// In scheme PC the key is our own, and so is its signature scheme: nothing that the server says of
// itself has a part in it.
Outcome ClientDance::VerifyField(const AutokeyField& field, const DanceContext& context) const {
  const Certificate* server = IsPrivate() ? &context.host.certificate() : trail_.server();
  if (field.signature.empty() || server == nullptr) return Outcome::kProtocol;
  const int scheme = IsPrivate() ? server->scheme : SchemeOf(flags_);
  return VerifySignature(scheme, server->key, field.signed_part, field.signature);
}

DanceResult ClientDance::OnPeersAssociation(Bytes bytes, const DanceContext& context) {
  DanceResult result;
  if (flags_ != 0) return result;
  const auto field = wire::ParseAutokeyField(bytes);
  result.outcome =
      field.ok() && field->has_value ? OnAssociation(*field, context, result) : Outcome::kLength;
  if (result.outcome != Outcome::kOk)
    result.statistics.push_back(
        OutcomeLine(FirstWord(bytes), field.ok() ? field->head.association : 0, result.outcome));
  return result;
}

Outcome ClientDance::CheckPeer(const AutokeyField& field, const DanceContext& context,
                               DanceResult& result) {
  return Lit(kTrusted | kVerified) ? CheckSigned(field, context, result) : Outcome::kProtocol;
}

Outcome ClientDance::CheckServer(const AutokeyField& field, const DanceContext& context) const {
  return identified() ? VerifyField(field, context) : Outcome::kProtocol;
}

Outcome ClientDance::CheckSigned(const AutokeyField& field, const DanceContext& context,
                                 DanceResult& result) {
  const Outcome outcome = VerifyField(field, context);
  if (outcome == Outcome::kOk && StampsInOrder(newest_signed_, field.timestamp))
    newest_signed_ = field.timestamp;
  if (outcome != Outcome::kOk || !Lit(kVerified)) return outcome;
  flags_ |= kProven;
  if (IsPrivate() && identity_.empty()) {
    identity_ = SchemeLabel(demand_.scheme);
    AcceptIdentity(context, result);
  }
  return outcome;
}

Outcome ClientDance::CheckAssociation(std::string_view name, uint32_t word,
                                      const DanceContext& context, DanceResult& result) {
  if (!IsPrintableName(name)) return Outcome::kLength;
  if ((word & kEnabled) == 0) return Outcome::kProtocol;
  const bool theirs = (word & kPrivate) != 0;
  if (theirs != context.host.is_private()) {
    Distrust("server " + std::string(name) + (theirs ? " has a" : " has no") +
                 " private certificate (scheme PC), and we have " + (theirs ? "none" : "one") +
                 ": both or neither must, and both the same, made once by 'ntp-keygen -P'",
             result);
    return Outcome::kIdentityType;
  }
  if (!NamesAgree(policy_, context.host.subject(), name)) {
    Distrust("server " + std::string(name) + " is not of our group \"" +
                 std::string(GroupOf(context.host.subject())) +
                 "\": say `ident` on its line to follow it",
             result);
    return Outcome::kIdentityType;
  }
  // The group's certificate has one name.
  if (theirs && name != context.host.subject()) {
    Distrust("server " + std::string(name) + " has another private certificate than ours, " +
                 std::string(context.host.subject()) +
                 ": install the same host key and certificate on both",
             result);
    return Outcome::kIdentityType;
  }
  return IsKnownScheme(SchemeOf(word)) ? Outcome::kOk : Outcome::kDigestType;
}

Outcome ClientDance::OnAssociation(const AutokeyField& field, const DanceContext& context,
                                   DanceResult& result) {
  const std::string_view name = AsText(field.value);
  const uint32_t word = field.filestamp.value;
  const Outcome checked = CheckAssociation(name, word, context, result);
  if (checked != Outcome::kOk) return checked;
  server_name_ = name;
  server_was_unsynchronised_ = field.timestamp.value == 0;
  flags_ = word & (kHostBits | kSchemeMask);
  // A server's key is the one that we chose; a peer's comes from its list.
  if (!IsPeer()) flags_ |= kAutokey;
  trail_.Start(server_name_);
  result.statistics.push_back(AssociationLine(own_, word, name));
  if (context.host.is_private()) BeginPrivate(context, result);
  return Outcome::kOk;
}

// Neither certificates nor an identity exchange: the first good signature is the proof, so that
// proven() waits for it.
void ClientDance::BeginPrivate(const DanceContext& context, DanceResult& result) {
  demand_ = DecidePrivate(policy_, context.host.subject());
  if (demand_.demand == Demand::kRefuse) return Refuse(demand_.reason, context, result);
  flags_ |= kTrusted | kVerified | kSigned;
}

Outcome ClientDance::OnCertificate(const AutokeyField& field, const DanceContext& context,
                                   DanceResult& result) {
  auto parsed = ParseCertificate(field.value, field.filestamp);
  if (!parsed) return Outcome::kCertificate;
  if (ComesBackToUs(*parsed, context)) {
    OnOwnName(context, result);
    return Outcome::kOk;
  }
  const Outcome period = CheckPeriod(*parsed, field.timestamp, context, result);
  if (period != Outcome::kOk) return period;
  const std::string line = CertificateStatistic("cert", *parsed);
  // A host signs all else as its own certificate. ASSOC, which says so, was long ago.
  const bool own_scheme = goes_after_ && trail_.steps().empty() && parsed->self_signed();
  const int scheme = parsed->scheme;
  const Outcome added = trail_.Add(std::move(parsed).value(), context.host.subject());
  if (added != Outcome::kOk) return added;
  if (own_scheme) flags_ = (flags_ & ~kSchemeMask) | static_cast<uint32_t>(scheme) << 16;
  result.statistics.push_back(line);
  empty_answers_ = 0;
  // It goes on at the speed of a beginning: a server in the middle is signed some time after its
  // start.
  if (const Certificate* last = trail_.last();
      last != nullptr && wanting_ && (wanting_->empty() || last->subject == *wanting_)) {
    wanting_.reset();
    refusal_.clear();
  }
  if (trail_.complete()) EndTrail(context, result);
  return Outcome::kOk;
}

// A peer that has no other trail than by us is followed by nobody here, and follows us: that is how
// a client of ours stands to us in symmetric modes, and all there is to learn of it. Nothing is
// believed by it, so that the issuer's name is enough; its key may be one that we had before.
bool ClientDance::ComesBackToUs(const Certificate& certificate, const DanceContext& context) const {
  return IsPeer() && !goes_after_ && certificate.subject == trail_.wanted() &&
         !certificate.self_signed() && certificate.issuer == context.host.subject();
}

// The next trail begins anew. Who wrote a line for this peer hears why its time is not taken, and
// keeps what was said of it before; of others it is no news.
void ClientDance::OnOwnName(const DanceContext& context, DanceResult& result) {
  own_name_since_ = context.mono;
  empty_answers_ = 0;
  trail_.Start(server_name_);
  if (policy_.chosen)
    return Warn("server " + server_name_ + " shows no trail but one that comes back to us, " +
                    std::string(context.host.subject()) +
                    ": it may follow us, and its time is not taken before another host signs it",
                result);
  refusal_.clear();
  warned_.clear();
  wanting_.reset();
}

// By the server's own word, and by our clock once it is set: before that nothing else tells the
// date.
Outcome ClientDance::CheckPeriod(const Certificate& certificate, NtpSeconds timestamp,
                                 const DanceContext& context, DanceResult& result) {
  const bool valid_there = certificate.ValidAt(Unfold(timestamp));
  const CalendarSeconds now = Unfold(context.now);
  const bool expired_here = context.synchronised && now > certificate.not_after;
  const bool early_here = context.synchronised && certificate.IsAhead(now);
  const bool early = early_here || Unfold(timestamp) < certificate.not_before;
  if (valid_there && !expired_here && !early_here) return Outcome::kOk;
  Distrust("certificate of " + certificate.subject + " is valid from " +
               MinuteText(certificate.not_before) + " to " + MinuteText(certificate.not_after) +
               " only: " +
               (early ? "the clock that it was made by, or the server's, or ours, is wrong"
                      : "renew it there with ntp-keygen"),
           result);
  return early ? Outcome::kNotYetValid : Outcome::kPeriod;
}

void ClientDance::EndTrail(const DanceContext& context, DanceResult& result) {
  flags_ |= kTrusted;
  demand_ = DecideIdentity(policy_, context.host.groups(), trail_.last()->subject,
                           context.host.subject(), flags_);
  switch (demand_.demand) {
    case Demand::kProof:
      if (demand_.scheme == msg::IdentityScheme::kGq && trail_.last()->group_value.empty())
        return Refuse("the certificate of " + trail_.last()->subject +
                          " has no public value of GQ: renew it there with ntp-keygen -G",
                      context, result);
      // At once, so that the challenge is there when the next poll comes.
      RequestChallenge(context, result);
      return;
    case Demand::kTrail:
      identity_ = SchemeLabel(msg::IdentityScheme::kNone);
      AcceptIdentity(context, result);
      return;
    case Demand::kRefuse:
      Refuse(demand_.reason, context, result);
      return;
  }
}

Outcome ClientDance::OnIdentity(const AutokeyField& field, const DanceContext& context,
                                DanceResult& result) {
  msg::IdentityVerify verify;
  verify.association = own_;
  verify.filestamp = field.filestamp;
  if (!verify.value.Assign(field.value)) return Outcome::kLength;
  if (demand_.scheme == msg::IdentityScheme::kGq &&
      !verify.group_public.Assign(trail_.last()->group_value.span()))
    return Outcome::kIdentity;
  // A challenge is good for one answer.
  challenge_.reset();
  AddJob(verify, {0, msg::Type::kIdentityVerify, context.mono, field.timestamp, field.filestamp},
         result);
  return Outcome::kOk;
}

Outcome ClientDance::OnCookie(const AutokeyField& field, const DanceContext& context,
                              DanceResult& result) {
  msg::CookieOpen open;
  open.association = own_;
  open.symmetric = IsPeer();
  if (field.value.size() != context.host.modulus_size() || !open.ciphertext.Assign(field.value))
    return Outcome::kCookie;
  AddJob(open, {0, msg::Type::kCookieOpen, context.mono, field.timestamp, field.filestamp}, result);
  return Outcome::kOk;
}

// The reference takes any certificate here; ours must be for our name and key, by this server.
Outcome ClientDance::OnSign(const AutokeyField& field, const DanceContext& context,
                            DanceResult& result) {
  const auto issued = ParseCertificate(field.value, field.filestamp);
  if (!issued) return Outcome::kCertificate;
  const Certificate& own = context.host.certificate();
  if (issued->subject != own.subject || issued->issuer != server_name_ || issued->key != own.key)
    return Outcome::kCertificate;
  if (!VerifyCertificate(*issued, trail_.server()->key)) return Outcome::kCertificateSignature;
  // Nobody could follow us by it, and as the newest it would keep the next ones away.
  if (issued->IsAhead(Unfold(context.now))) return Outcome::kNotYetValid;
  context.certificates.Install(*issued, false, Source(), own_);
  flags_ |= kSigned;
  const CalendarSeconds life = issued->not_after - issued->not_before;
  sign_again_ = issued->not_after - std::min(life / 8 * (8 - kSignedEighths), kMostSignedAhead);
  result.statistics.push_back(CertificateStatistic("sign", *issued));
  return Outcome::kOk;
}

Outcome ClientDance::OnLeap(const AutokeyField& field, const DanceContext& context,
                            DanceResult& result) {
  if (field.value.size() != kLeapValueSize) return Outcome::kLength;
  // Signed before the last one: a replay must not bring back a table that has been replaced. That
  // of a server whose clock was ahead then is none.
  const bool ahead = Earlier(context.now, leap_timestamp_);
  if (leap_timestamp_.value != 0 && !ahead && Earlier(field.timestamp, leap_timestamp_))
    return Outcome::kTimestamp;
  Reader reader(field.value);
  leap_again_ = false;
  flags_ &= ~static_cast<uint32_t>(kLeap);
  LeapValues values;
  values.tai = reader.U32();
  values.epoch = NtpSeconds{reader.U32()};
  values.expiry = NtpSeconds{reader.U32()};
  // All zero is how a server without a table answers; an expired one says nothing about today.
  if (!values.IsTable()) return Outcome::kLeapValues;
  // ntpd 4.2.8 says today's offset under an expiry that it makes up, in the past while no leap
  // second is scheduled.
  if (Earlier(values.expiry, context.now)) {
    if (policy_.chosen) result.expired_leap = values;
    return Outcome::kLeapValues;
  }
  if (Unfold(values.expiry) - Unfold(context.now) > LearnedLeap::kMostAhead)
    return Outcome::kLeapValues;
  flags_ |= kLeap;
  leap_expiry_ = Unfold(values.expiry);
  leap_timestamp_ = field.timestamp;
  // Of somebody whom a packet brought here it lights the bit and is used for nothing.
  if (policy_.chosen) result.leap = values;
  result.statistics.push_back(LeapLine(values, field.filestamp));
  return Outcome::kOk;
}

}  // namespace ntpward::autokey
