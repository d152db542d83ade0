#include "ntpd/net/keys_client.h"

#include <vector>

#include "ntpd/net/random.h"

namespace ntpward::net {

KeysClient::KeysClient(Channel* channel, SupervisorLink* link)
    : channel_(channel), link_(link), last_request_(static_cast<uint32_t>(RandomNumber())) {}

void KeysClient::Serve(msg::ServeBatch message, OnServeDone done) {
  Send(&message, std::move(done));
}
void KeysClient::Seal(msg::SealRequest message, OnSealed done) { Send(&message, std::move(done)); }
void KeysClient::AskMaterial(OnMaterial done) {
  msg::HostMaterialRequest message;
  Send(&message, std::move(done));
}
void KeysClient::Update(msg::SignatureUpdate message, OnSigned done) {
  Send(&message, std::move(done));
}
void KeysClient::Forget(AssocId association) {
  (void)channel_->Send(msg::ForgetAssociation{.association = association});
}

void KeysClient::Lose(const Callback& callback) {
  if (const auto* sealed = std::get_if<OnSealed>(&callback)) return (*sealed)(msg::Sealed{});
  if (const auto* verdict = std::get_if<OnVerdict>(&callback))
    return (*verdict)(msg::VerdictCode::kBusy);
  if (const auto* value = std::get_if<OnValue>(&callback)) {
    msg::ValueAnswer busy;
    busy.code = msg::VerdictCode::kBusy;
    (*value)(busy);
  }
}

// `call` gets the callback and the message. False for a message that does not decode or that answers
// a question of another kind. An answer to nothing is late, not wrong.
template <typename M, typename F, typename Call>
bool KeysClient::Deliver(Bytes bytes, Call call) {
  M message;
  if (!msg::Decode(bytes, &message)) return false;
  const auto found = pending_.find(message.request);
  if (found == pending_.end()) return true;
  const Callback callback = std::move(found->second.callback);
  pending_.erase(found);
  const F* function = std::get_if<F>(&callback);
  if (function == nullptr) return false;
  call(*function, message);
  return true;
}

bool KeysClient::Dispatch(Bytes bytes) {
  const auto pass = [](const auto& function, const auto& message) { function(message); };
  switch (msg::PeekType(bytes).value_or(msg::Type{})) {
    case msg::Type::kServeDone: return Deliver<msg::ServeDone, OnServeDone>(bytes, pass);
    case msg::Type::kSealed: return Deliver<msg::Sealed, OnSealed>(bytes, pass);
    case msg::Type::kVerdict:
      return Deliver<msg::Verdict, OnVerdict>(
          bytes, [](const OnVerdict& f, const msg::Verdict& m) { f(m.code); });
    case msg::Type::kValueAnswer: return Deliver<msg::ValueAnswer, OnValue>(bytes, pass);
    case msg::Type::kHostMaterial: return Deliver<msg::HostMaterial, OnMaterial>(bytes, pass);
    case msg::Type::kSignedValues: return Deliver<msg::SignedValues, OnSigned>(bytes, pass);
    default: return false;
  }
}

bool KeysClient::OnReadable() {
  while (const auto bytes = channel_->Receive()) {
    // The callback may send, which reuses no receive buffer, but never receives.
    if (Dispatch(*bytes)) continue;
    link_->Accuse(msg::Role::kKeys, *bytes);
    return false;
  }
  return true;
}

void KeysClient::Expire(MonoTime now) {
  std::vector<Callback> late;
  std::erase_if(pending_, [&](auto& entry) {
    if (now - entry.second.asked < kPatience) return false;
    late.push_back(std::move(entry.second.callback));
    return true;
  });
  for (const Callback& callback : late) Lose(callback);
}

void KeysClient::OnRestarted() {
  const auto lost = std::move(pending_);
  pending_.clear();
  for (const auto& [request, pending] : lost) Lose(pending.callback);
}

}  // namespace ntpward::net
