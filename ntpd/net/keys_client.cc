#include "ntpd/net/keys_client.h"

#include <algorithm>
#include <utility>

#include "ntpd/net/random.h"

namespace ntpward::net {

std::optional<msg::CheckMac> QuestionOf(const wire::Packet& packet, const AddressPair& path) {
  if (!packet.mac) return std::nullopt;
  msg::CheckMac question;
  question.path = path;
  question.key = packet.mac->key;
  if (!question.covered.Assign(packet.covered) || !question.digest.Assign(packet.mac->digest) ||
      !question.Valid())
    return std::nullopt;
  return question;
}

KeysClient::KeysClient(Channel* channel, SupervisorLink* link)
    : channel_(channel),
      suspicion_(channel, link, msg::Role::kKeys),
      last_request_(static_cast<uint32_t>(RandomNumber())) {}

void KeysClient::Serve(msg::ServeBatch message, OnServeDone done) {
  Send(&message, std::move(done), Lane::kClients);
}
void KeysClient::Seal(msg::SealRequest message, OnSealed done, Lane lane) {
  Send(&message, std::move(done), lane);
}
void KeysClient::AskMaterial(OnMaterial done) {
  msg::HostMaterialRequest message;
  Send(&message, std::move(done), Lane::kOwn);
}
void KeysClient::AskCount(OnCount done) {
  msg::KeyCountRequest message;
  Send(&message, std::move(done), Lane::kOwn);
}
void KeysClient::Update(msg::SignatureUpdate message, OnSigned done) {
  Send(&message, std::move(done), Lane::kOwn);
}
void KeysClient::TakeKey(AssocId association, OnTaken done) {
  msg::KeyListTake message{.association = association};
  Send(&message, std::move(done), Lane::kOwn);
}
void KeysClient::AskNonce(const IpAddress& source, OnNonce done, Lane lane) {
  msg::CommandNonceRequest message{.source = source};
  Send(&message, std::move(done), lane);
}
void KeysClient::Command(msg::Command message, OnCommand done, Lane lane) {
  Send(&message, std::move(done), lane);
}
void KeysClient::Forget(AssocId association) {
  if (std::find(forgets_.begin(), forgets_.end(), association) == forgets_.end())
    forgets_.push_back(association);
  (void)SendForgets();
}

// False: the pipe is full. Nothing goes before them, as an association that starts over has new
// secrets under the same number.
bool KeysClient::SendForgets() {
  while (!forgets_.empty()) {
    if (channel_->Send(msg::ForgetAssociation{.association = forgets_.front()}) !=
        SendOutcome::kSent)
      return false;
    forgets_.erase(forgets_.begin());
  }
  return true;
}

bool KeysClient::HasRoom(Lane lane) const {
  if (pending_.size() + unsent_.size() >= kMostPending) return false;
  const bool more_clients = Waiting(Lane::kClients) + Waiting(Lane::kPrivate) < kMostForClients;
  switch (lane) {
    case Lane::kOwn:
      return true;
    case Lane::kClients:
      return more_clients;
    case Lane::kPrivate:
      return more_clients && Waiting(lane) < kMostPrivate;
    case Lane::kQueries:
      return Waiting(lane) < kMostQueries;
    case Lane::kOperator:
      return Waiting(lane) < kMostForOperator;
  }
  return false;
}

void KeysClient::Remember(uint32_t request, Callback callback, Lane lane) {
  // A number that is still waiting after 2^32 questions cannot be: kPatience ends it before.
  pending_.insert_or_assign(request, Pending{std::move(callback), Timebase::Mono(), lane});
  ++Waiting(lane);
}

// The asker is told later, so that no answer comes before its question was asked. Strangers'
// callbacks drop a datagram, which needs no such care and must not pile up.
void KeysClient::LoseLater(Callback callback, Lane lane) {
  if (lane != Lane::kOwn) return Lose(callback);
  unsent_.push_back(std::move(callback));
}

KeysClient::Callback KeysClient::Take(std::unordered_map<uint32_t, Pending>::iterator entry) {
  Callback callback = std::move(entry->second.callback);
  --Waiting(entry->second.lane);
  pending_.erase(entry);
  return callback;
}

void KeysClient::Lose(const Callback& callback) {
  if (const auto* sealed = std::get_if<OnSealed>(&callback)) return (*sealed)(nullptr);
  if (const auto* nonce = std::get_if<OnNonce>(&callback)) return (*nonce)(nullptr);
  if (const auto* command = std::get_if<OnCommand>(&callback))
    return (*command)({.outcome = msg::CommandOutcome::kBusy});
  if (const auto* taken = std::get_if<OnTaken>(&callback)) return (*taken)(nullptr);
  if (const auto* verdict = std::get_if<OnVerdict>(&callback))
    return (*verdict)(msg::VerdictCode::kBusy);
  if (const auto* value = std::get_if<OnValue>(&callback)) {
    msg::ValueAnswer busy;
    busy.code = msg::VerdictCode::kBusy;
    (*value)(busy);
  }
}

// `call` gets the callback and the message. False for a message that does not decode or that
// answers a question of another kind, which then goes on waiting. An answer to nothing is late, not
// wrong.
template <typename M, typename F, typename Call>
bool KeysClient::Deliver(Bytes bytes, Call call) {
  M message;
  if (!msg::Decode(bytes, &message)) return false;
  const auto found = pending_.find(message.request);
  if (found == pending_.end()) return true;
  if (!std::holds_alternative<F>(found->second.callback)) return false;
  // Out of the table first: the callback may ask, or end, other questions.
  const Callback callback = Take(found);
  call(std::get<F>(callback), message);
  return true;
}

void KeysClient::Count(const msg::Sealed& sealed) {
  ++(sealed.mac.empty() ? use_.not_found : use_.made);
}

void KeysClient::Count(msg::VerdictCode code) {
  const bool unknown =
      code == msg::VerdictCode::kUnknownKey || code == msg::VerdictCode::kNotAllowed;
  if (code != msg::VerdictCode::kBusy) ++(unknown ? use_.not_found : use_.checked);
}

void KeysClient::Count(const msg::ServeDone& done) {
  for (const msg::ServeResult& result : done.results) {
    ++(result.outcome == msg::ServeOutcome::kRefused ? use_.not_found : use_.checked);
    if (result.outcome == msg::ServeOutcome::kSealed) ++use_.made;
  }
}

bool KeysClient::Dispatch(Bytes bytes) {
  const auto pass = [](const auto& function, const auto& message) { function(message); };
  switch (msg::PeekType(bytes).value_or(msg::Type{})) {
    case msg::Type::kServeDone:
      return Deliver<msg::ServeDone, OnServeDone>(
          bytes, [this](const OnServeDone& f, const msg::ServeDone& m) { Count(m), f(m); });
    case msg::Type::kSealed:
      return Deliver<msg::Sealed, OnSealed>(
          bytes, [this](const OnSealed& f, const msg::Sealed& m) { Count(m), f(&m); });
    case msg::Type::kKeyListTaken:
      return Deliver<msg::KeyListTaken, OnTaken>(
          bytes, [](const OnTaken& f, const msg::KeyListTaken& m) { f(&m); });
    case msg::Type::kVerdict:
      return Deliver<msg::Verdict, OnVerdict>(
          bytes, [this](const OnVerdict& f, const msg::Verdict& m) { Count(m.code), f(m.code); });
    case msg::Type::kValueAnswer:
      return Deliver<msg::ValueAnswer, OnValue>(bytes, pass);
    case msg::Type::kHostMaterial:
      return Deliver<msg::HostMaterial, OnMaterial>(bytes, pass);
    case msg::Type::kKeyCount:
      return Deliver<msg::KeyCount, OnCount>(bytes, pass);
    case msg::Type::kSignedValues:
      return Deliver<msg::SignedValues, OnSigned>(bytes, pass);
    case msg::Type::kCommandNonce:
      return Deliver<msg::CommandNonce, OnNonce>(
          bytes, [](const OnNonce& f, const msg::CommandNonce& m) { f(&m); });
    case msg::Type::kCommandDone:
      return Deliver<msg::CommandDone, OnCommand>(bytes, pass);
    default:
      return false;
  }
}

bool KeysClient::OnReadable() {
  const bool good = TellAll();
  if (on_turn_) on_turn_();
  return good;
}

bool KeysClient::TellAll() {
  for (int i = 0; i < Suspicion::kMostAtOnce; ++i) {
    const auto bytes = suspicion_.Receive();
    if (!bytes) return !suspicion_.accused();
    // What is passed on was copied out of `bytes`: a callback may send, or read on.
    if (!Dispatch(*bytes)) return suspicion_.Accuse(*bytes);
  }
  return true;
}

void KeysClient::Expire(MonoTime now) {
  (void)SendForgets();
  std::vector<Callback> late = std::exchange(unsent_, {});
  for (auto entry = pending_.begin(); entry != pending_.end();) {
    const auto next = std::next(entry);
    if (now - entry->second.asked >= kPatience) late.push_back(Take(entry));
    entry = next;
  }
  for (const Callback& callback : late) Lose(callback);
}

void KeysClient::OnRestarted() {
  suspicion_.OnRestarted();
  forgets_.clear();
  const auto unsent = std::exchange(unsent_, {});
  const auto lost = std::exchange(pending_, {});
  waiting_ = {};
  for (const Callback& callback : unsent) Lose(callback);
  for (const auto& [request, pending] : lost) Lose(pending.callback);
}

}  // namespace ntpward::net
