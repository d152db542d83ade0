// What a peer's packets do: the consuming half of PeerDance.
#include <utility>

#include "ntpd/autokey/peer_dance.h"

namespace ntpward::autokey {
namespace {

using wire::AutokeyCode;
using wire::AutokeyFieldHead;

bool Is(const AutokeyFieldHead& head, AutokeyCode code) {
  return head.code == static_cast<uint8_t>(code);
}

// Asked only by who has our certificate and has accepted it.
bool ShowsThatItKnowsUs(const AutokeyFieldHead& head) {
  return Is(head, AutokeyCode::kCookie) || Is(head, AutokeyCode::kAutokey) ||
         Is(head, AutokeyCode::kSign) || Is(head, AutokeyCode::kLeap);
}

// For our own certificate, not for one of those that signed it.
bool AsksForOurs(const AutokeyFieldHead& head, Bytes field, const HostState& host) {
  if (!Is(head, AutokeyCode::kCertificate)) return false;
  const auto request = wire::ParseAutokeyField(field);
  return request.ok() && request->has_value && AsText(request->value) == host.subject();
}

// That of a first answer to us, or what is said of ours.
bool IsOfFirstAnswer(const AutokeyFieldHead& head) {
  return Is(head, AutokeyCode::kNull) && (head.response || head == kFirstAnswerField);
}

// Seconds until an answer of the key process is given up: a full pipe drops messages.
constexpr double kKeyAnswerSeconds = 16;

}  // namespace

PeerResult PeerDance::OnField(Bytes field, bool answers_us, const DanceContext& context) {
  PeerResult result;
  const auto head = wire::ParseAutokeyFieldHead(field);
  if (!head.ok() || !context.host.enabled()) {
    result.dance.outcome = Outcome::kLength;
    return result;
  }
  if (!(answers_us ? answering_ : others_).Take(context.mono)) {
    result.dance.outcome = Outcome::kProtocol;
    return result;
  }
  // That it came in answer to us is all it says.
  if (IsOfFirstAnswer(*head)) return result;
  // A peer that asks for our half has not got it.
  if (told_ && answers_us && !Is(*head, AutokeyCode::kCookie)) heard_since_told_ = true;
  if (!head->response && !head->error) return OnRequest(*head, field, answers_us, context);
  if (Is(*head, AutokeyCode::kAutokey)) return OnAnnouncement(*head, field, answers_us, context);
  // Who was not asked cannot answer.
  if (!answers_us) {
    result.dance.outcome = Outcome::kProtocol;
    return result;
  }
  if (renewal_.Asked(*head)) {
    result.dance = renewal_.OnResponse(field, context);
    return result;
  }
  const bool unknown = dance_.flags() == 0;
  result.dance = Settle(dance_.OnResponse(field, context));
  NoteSignature(result.dance.outcome);
  if (unknown && dance_.flags() != 0) peer_id_ = head->association;
  return result;
}

// ---------------------------------------------------------------------------- requests

PeerResult PeerDance::OnRequest(const AutokeyFieldHead& head, Bytes field, bool answers_us,
                                const DanceContext& context) {
  PeerResult result;
  if (pending_ && context.mono - pending_->since >= kKeyAnswerSeconds) pending_.reset();
  if (Is(head, AutokeyCode::kAssociation)) asked_who_ = true;
  // One that may be forged takes nobody's place, and the key process gets one of those a poll.
  if (!answers_us && (pending_ || HasAnswer())) {
    result.dance.outcome = Outcome::kProtocol;
    return result;
  }
  if (answers_us) NoteRequest(head, field, context, result.dance);
  if (answers_us && Is(head, AutokeyCode::kSign)) NoteCertificate(field);
  answer_.clear();
  pending_.reset();
  list_asked_ = false;
  if (Is(head, AutokeyCode::kAssociation)) {
    OnAssociationRequest(field, answers_us, context, result);
  } else if (Is(head, AutokeyCode::kAutokey)) {
    list_asked_ = true;
  } else {
    const ServerContext server{.host = context.host,
                               .certificates = context.certificates,
                               .now = context.now,
                               .synchronised = context.synchronised,
                               .mono = context.mono,
                               .elder = shown_ ? uint8_t{0} : own_list_.elder()};
    ServerAnswer reply = side_.OnRequest(field, to_peer_.Reversed(), server);
    TakeReply(reply, result);
    if (result.question) pending_->since = context.mono;
  }
  return result;
}

// What it asks, in answer to us, tells how far it has got.
void PeerDance::NoteRequest(const AutokeyFieldHead& head, Bytes field, const DanceContext& context,
                            DanceResult& result) {
  NoteWhoItKnows(head, AsksForOurs(head, field, context.host));
  const bool other = peer_id_ != 0 && head.association != peer_id_;
  peer_id_ = head.association;
  if (ShowsThatItKnowsUs(head)) {
    knows_us_ = true;
    if (!follower_since_) follower_since_ = context.mono;
    if (!other) return NoteCookieRequest(head);
  } else if (Is(head, AutokeyCode::kAssociation) || other) {
    knows_us_ = false;
  }
  // Who goes on by its list proves us anew (PeerRenewal), and has begun nothing. ASSOC may have
  // been anybody's, so that this packet's own key tells.
  if (!other && !asked_who_) return;
  if (!other && announced_.known()) {
    begins_anew_ = true;
    return;
  }
  // Who has our half of the cookie knew us: whoever asks that has started over.
  if (told_) {
    ForgetCookie(result);
  } else if (other) {
    dance_.AskCookieAgain();
  }
}

// Our lists and answers were signed by the key that it had been shown before. Who proves another
// beside that one asks for the list last; who starts over has none that it could go by.
void PeerDance::NoteWhoItKnows(const AutokeyFieldHead& head, bool asks_for_ours) {
  if (Is(head, AutokeyCode::kAssociation)) starts_over_ = true;
  if (asks_for_ours) shown_ = true;
  if (shown_ && (starts_over_ || Is(head, AutokeyCode::kAutokey))) own_list_.SignByOurs();
}

// It had our half and wants it again: ntpd-keys was replaced there, and its own half is another.
void PeerDance::NoteCookieRequest(const AutokeyFieldHead& head) {
  const bool again = told_ && heard_since_told_ && dance_.has_cookie();
  const bool may = !asked_again_ || polls_ - *asked_again_ >= kPollsBetweenCookies;
  if (!Is(head, AutokeyCode::kCookie) || !again || !may) return;
  asked_again_ = polls_;
  dance_.AskCookieAgain();
}

// Its packets are sealed with 0 again, and ours must be, until it has time and asks for a cookie.
// What it proved to us stays proved.
void PeerDance::ForgetCookie(DanceResult& result) {
  dance_.AskCookieAgain();
  own_list_.Void();
  announced_.Void();
  told_ = heard_since_told_ = false;
  result.jobs.push_back({0, msg::ForgetAssociation{.association = own_}});
}

// Nothing is proved by it: ntpd 4.2.8, which starts over because of this request, can be made to by
// anybody.
void PeerDance::OnAssociationRequest(Bytes field, bool answers_us, const DanceContext& context,
                                     PeerResult& result) {
  const auto request = wire::ParseAutokeyField(field);
  if (!request.ok() || !request->has_value) {
    result.dance.outcome = Outcome::kLength;
    return;
  }
  // It says what its answer would (as ntpd 4.2.8), but only one who hears us is believed.
  if (answers_us) {
    DanceResult taken = Settle(dance_.OnPeersAssociation(field, context));
    taken.jobs.insert(taken.jobs.begin(), result.dance.jobs.begin(), result.dance.jobs.end());
    result.dance = std::move(taken);
  }
  answer_ = AssociationResponse(context.host, own_.value);
}

void PeerDance::TakeReply(const ServerAnswer& reply, PeerResult& result) {
  result.dance.outcome = reply.outcome;
  if (!reply.statistics.empty()) result.dance.statistics.push_back(reply.statistics);
  if (reply.kind == ServerAnswer::Kind::kReply) answer_ = reply.field;
  if (reply.kind != ServerAnswer::Kind::kAskKeys) return;
  ServerOperation operation = *reply.operation;
  auto* cookie = std::get_if<msg::CookieIssue>(&operation);
  if (cookie != nullptr) cookie->association = own_;
  pending_ = Pending{++last_ticket_, cookie != nullptr, reply.pending, MonoTime()};
  result.question = PeerResult::Question{last_ticket_, std::move(operation)};
}

DanceResult PeerDance::OnValue(uint32_t ticket, const msg::ValueAnswer& answer) {
  DanceResult result;
  if (!pending_ || pending_->ticket != ticket) return result;
  const Pending done = *pending_;
  pending_.reset();
  const ServerAnswer reply = side_.OnValueAnswer(done.reply, answer);
  if (!reply.statistics.empty()) result.statistics.push_back(reply.statistics);
  if (reply.kind != ServerAnswer::Kind::kReply) return result;
  answer_ = reply.field;
  // Without a signature no peer takes it.
  if (!done.cookie || answer.code != msg::VerdictCode::kGood || answer.timestamp.value == 0)
    return result;
  told_ = true;
  heard_since_told_ = false;
  // Its keys are hashed with the cookie from now on.
  own_list_.Void();
  return result;
}

// ---------------------------------------------------------------------------- lists

PeerResult PeerDance::OnAnnouncement(const AutokeyFieldHead& head, Bytes field, bool answers_us,
                                     const DanceContext& context) {
  PeerResult result;
  DanceResult signature;
  const bool settled = identified() && (announced_.accepted() || dance_.has_cookie());
  auto announced =
      announced_.OnAnnouncement(field, own_.value, [&](const wire::AutokeyField& parsed) {
        return CheckList(parsed, answers_us, context, signature);
      });
  result.dance = std::move(signature);
  result.dance.outcome = announced.outcome;
  if (!announced.statistics.empty()) result.dance.statistics.push_back(announced.statistics);
  result.accept = announced.accept;
  // It signs with another key than its certificate says, or cannot tell its list at all. Without
  // time it is waited for. While there is something to go on with, another may have said that.
  const bool wrong = head.error || announced.outcome == Outcome::kSignature ||
                     announced.outcome == Outcome::kSignatureLength;
  // Its clock was ahead when it told us the list that we do not follow any more, or somebody plays
  // old answers: in either case only to start over forgets the date.
  const bool older = announced.older && identified() && !announced_.known();
  if (answers_us && ((wrong && !settled) || older)) dance_.OnWrongList(context, result.dance);
  result.dance = Settle(std::move(result.dance));
  return result;
}

Outcome PeerDance::CheckList(const wire::AutokeyField& field, bool answers_us,
                             const DanceContext& context, DanceResult& result) {
  if (renewal_.CheckPeer(field, context, result, &dance_) == Outcome::kOk) return Outcome::kOk;
  const Outcome outcome = dance_.CheckPeer(field, context, result);
  if (answers_us) NoteSignature(outcome);
  return outcome;
}

// It proved itself and now signs with another key, or somebody signs in its name: proofs will tell.
void PeerDance::NoteSignature(Outcome outcome) {
  const bool other_key = outcome == Outcome::kSignature || outcome == Outcome::kSignatureLength;
  if (other_key && dance_.identified()) renewal_.NoteOtherKey(nullptr);
}

// Whoever has a new key wants it certified. Until we have proved it, its lists come under the old.
void PeerDance::NoteCertificate(Bytes field) {
  const auto parsed = wire::ParseAutokeyField(field);
  if (!dance_.identified() || dance_.trail().server() == nullptr || !parsed.ok() ||
      !parsed->has_value)
    return;
  const auto certificate = ParseCertificate(parsed->value, parsed->filestamp);
  if (certificate.ok() && certificate->subject == dance_.server_name() &&
      certificate->key != dance_.trail().server()->key)
    renewal_.NoteOtherKey(&certificate->key);
}

void PeerDance::OnListVerdict(msg::VerdictCode code) {
  announced_.OnVerdict(code);
  if (!announced_.accepted()) return;
  out_of_order_ = 0;
  dance_.OnGoodList();
}

DanceResult PeerDance::OnPacketVerdict(msg::VerdictCode code, bool answers_us, bool bare,
                                       bool begins_anew) {
  DanceResult result;
  if (code == msg::VerdictCode::kGood) {
    bad_macs_ = out_of_order_ = 0;
    asked_who_ = false;
    if (told_ && bare) heard_since_told_ = true;
    return result;
  }
  if (!answers_us) return result;
  if (code == msg::VerdictCode::kBad && bare) ++bad_macs_;
  if (code == msg::VerdictCode::kSequence && ++out_of_order_ >= kMostOutOfOrder) announced_.Void();
  const bool not_of_list = code == msg::VerdictCode::kSequence || code == msg::VerdictCode::kBad;
  if (begins_anew && not_of_list && told_) ForgetCookie(result);
  return result;
}

DanceResult PeerDance::OnCryptoNak(const DanceContext& context) {
  return Settle(dance_.OnCryptoNak(context));
}

}  // namespace ntpward::autokey
