#include "keys/service.h"

#include <algorithm>

#include "keys/certificate_maker.h"
#include "keys/farm_seeds.h"
#include "privsep/base/log.h"

namespace ntpward::keys {
namespace {

// An RSA signature of 2048 bits takes a millisecond at most: clients may cost a tenth of a
// processor.
constexpr double kClientsRate = 100, kClientsBurst = 200;
constexpr double kOwnRate = 50, kOwnBurst = 100;
// A few of the dearest proofs at once: anybody can have associations made.
constexpr double kStrangersRate = 20, kStrangersBurst = 40;
constexpr size_t kMaxQueue = 32;

void Log(Outbox& out, LogLevel level, const std::string& text) {
  out.Send(msg::MakeLogLine(level, text));
}

void Accuse(Outbox& out, Bytes message) {
  Reader reader(message);
  out.Send(msg::Misbehaviour{.culprit = msg::Role::kNet, .message_type = reader.U16()});
}

// Decodes and hands over; false when the message is not what its type says.
template <typename M, typename F>
bool With(Bytes bytes, F use) {
  auto message = std::make_unique<M>();
  if (!msg::Decode(bytes, message.get())) return false;
  use(*message);
  return true;
}

// With<M>() of a message that says that it is an M.
template <typename M, typename F>
bool Is(Bytes bytes, F use) {
  return msg::PeekType(bytes) == M::kType && With<M>(bytes, use);
}
template <typename... M>
bool IsOneOf(Bytes bytes, std::variant<M...>* out) {
  return (Is<M>(bytes, [&](auto& m) { *out = std::move(m); }) || ...);
}

}  // namespace

KeyService::KeyService(TimeSource* time, std::string sandbox)
    : time_(time),
      sandbox_(std::move(sandbox)),
      lanes_{{{TokenBucket(kOwnRate, kOwnBurst), {}},
              {TokenBucket(kStrangersRate, kStrangersBurst), {}},
              {TokenBucket(kClientsRate, kClientsBurst), {}}}} {}

void KeyService::HandleSupervisor(Bytes message, Outbox& out) {
  using msg::Type;
  bool understood = false;
  const auto type = msg::PeekType(message);
  if ((serves_net_ || handing_over_) && type == Type::kKeysRollSeed) {
    understood = With<msg::KeysRollSeed>(message, [&](const auto&) { OnRollSeed(out); });
  } else if (!ready() && type == Type::kKeysStart) {
    understood = With<msg::KeysStart>(message, [&](const auto& m) { loader_.Start(m); });
  } else if (!ready() && type == Type::kKeysPassword) {
    understood = With<msg::KeysPassword>(message, [&](auto& m) {
      const Status kept = loader_.Password(m.password.span());
      Wipe(m.password.span());
      if (!kept.ok()) Fail(kept.error().text, out);
    });
  } else if (!ready() && type == Type::kKeysFile) {
    understood = With<msg::KeysFile>(message, [&](const auto& m) { loader_.File(m); });
  } else if (!ready() && type == Type::kKeysTrusted) {
    understood = With<msg::KeysTrusted>(message, [&](const auto& m) { loader_.Trusted(m); });
  } else if (ready() && !serves_net_ && type == Type::kKeysServe) {
    understood = With<msg::KeysServe>(message, [&](const auto&) { Serve(out); });
  } else if (ready() && !handing_over_ && type == Type::kKeysHandOver) {
    understood = With<msg::KeysHandOver>(message, [&](const auto&) { OnHandOver(); });
  } else if (!serves_net_ && type == Type::kRuntimeTrust) {
    // Not later: a command that was done here is newer than what the supervisor kept.
    understood = With<msg::RuntimeTrust>(message, [&](const auto& m) { OnRuntimeTrust(m); });
  } else if (type == Type::kRuntimeLine) {
    understood = With<msg::RuntimeLine>(message, [&](const auto& m) { OnRuntimeLine(m); });
  } else if (!ready() && type == Type::kKeysEnd) {
    understood = With<msg::KeysEnd>(message, [&](const auto&) { Finish(out); });
  }
  if (!understood) Fail("a message from the supervisor is malformed or out of place", out);
}

void KeyService::Fail(const std::string& text, Outbox& out) {
  failed_ = true;
  msg::RoleFailed message;
  CHECK(message.text.Assign(
      AsBytes(std::string_view(text).substr(0, decltype(message.text)::kCapacity))));
  out.Send(message);
}

void KeyService::Finish(Outbox& out) {
  auto material = loader_.Load(UnixFromNtp({time_->System().seconds()}));
  if (!material.ok()) {
    for (const std::string& text : loader_.warnings()) Log(out, LogLevel::kWarning, text);
    for (const std::string& text : loader_.further_errors()) Log(out, LogLevel::kError, text);
    return Fail(material.error().text, out);
  }
  for (const std::string& text : material->warnings) Log(out, LogLevel::kWarning, text);
  // A member with another secret answers the others' clients with crypto-NAKs, and sees no fault.
  if (!material->farm_secret.empty())
    Log(out, LogLevel::kNotice,
        "crypto: the farm's secret has the fingerprint " + FarmFingerprint(material->farm_secret) +
            ", with epochs of 2^" + std::to_string(std::max(material->revoke, kMinRevoke)) +
            " s (revoke); every member must log the same");
  auto state = std::make_unique<KeyState>(std::move(material).value(), time_);
  auto commands = CommandOperations::Create(state.get());
  if (!commands.ok()) return Fail(commands.error().text, out);
  state_ = std::move(state);
  commands_.emplace(std::move(commands).value());
  macs_.emplace(state_.get());
  if (state_->material.host) autokey_.emplace(state_.get());
  loader_ = KeyLoader();  // wipes password and files
  msg::RoleReady message;
  CHECK(message.sandbox.Assign(
      AsBytes(std::string_view(sandbox_).substr(0, decltype(message.sandbox)::kCapacity))));
  out.Send(message);
}

// The seeds are read when a predecessor is gone: what it rolled last is in the file, and clients
// have cookies made from it.
void KeyService::Serve(Outbox& out) {
  serves_net_ = true;
  if (!autokey_) return;
  for (const std::string& text : state_->OpenSeeds()) Log(out, LogLevel::kWarning, text);
  Tick(out);
}

void KeyService::OnRuntimeTrust(const msg::RuntimeTrust& message) {
  if (!ready()) return loader_.Runtime(message);
  for (const msg::TrustedNow& key : message.keys)
    state_->material.symmetric.SetRuntime(key.key, key.trusted);
}

void KeyService::OnRuntimeLine(const msg::RuntimeLine& message) {
  if (!ready()) return loader_.Line(message);
  (void)commands_->Take(message);
}

void KeyService::OnCommand(const msg::Command& command, Outbox& out) {
  const msg::CommandDone done = commands_->Run(command, out);
  if (done.outcome == msg::CommandOutcome::kDone)
    out.Send(
        msg::MakeLogLine(LogLevel::kNotice, Describe(done, command.key), msg::LogKind::kAudit));
  out.Send(done);
}

// The new net starts its associations anew, and may give old numbers to other servers.
void KeyService::OnRollSeed(Outbox& out) {
  state_->ForgetAll();
  for (Lane& lane : lanes_) lane.queue.clear();
  if (state_->farm)
    Log(out, LogLevel::kWarning,
        "the server's private value is the farm's and stays until its epoch ends");
  if (const Status kept = state_->RollSeed(true); !kept.ok())
    Log(out, LogLevel::kError, kept.error().text);
}

void KeyService::OnHandOver() {
  handing_over_ = serves_net_;
  if (serves_net_) return;
  heir_.emplace(state_.get());
}

bool KeyService::Bequeath(const SendHeritage& send, Outbox& out) {
  for (Lane& lane : lanes_) {
    for (const Operation& operation : lane.queue) Refuse(operation, msg::VerdictCode::kBusy, out);
    lane.queue.clear();
  }
  serves_net_ = false;
  return state_->material.host && keys::Bequeath(*state_, send);
}

void KeyService::Inherit(Bytes message, Outbox& out) {
  if (!heir_) return;
  const Heir::Progress progress = heir_->Take(message);
  if (progress == Heir::Progress::kMore) return;
  heir_.reset();
  out.Send(msg::KeysInherited{.whole = progress == Heir::Progress::kWhole});
}

void KeyService::GiveUpHeritage(Outbox& out) {
  if (!heir_) return;
  heir_->GiveUp();
  heir_.reset();
  out.Send(msg::KeysInherited{.whole = false});
}

void KeyService::Tick(Outbox& out) {
  if (!serves_net_) return;
  if (const Status kept = state_->RollSeed(false); !kept.ok())
    Log(out, LogLevel::kError, kept.error().text);
}

void KeyService::HandleNet(Bytes message, Outbox& out) {
  if (!serves_net_ || AnswerAtOnce(message, out)) return;
  if (Operation operation; IsOneOf(message, &operation))
    Enqueue(std::move(operation), out);
  else
    Accuse(out, message);
}

bool KeyService::AnswerAtOnce(Bytes message, Outbox& out) {
  using namespace msg;
  return Is<ServeBatch>(message, [&](const auto& m) { out.Send(macs_->Serve(m)); }) ||
         Is<SealRequest>(message, [&](const auto& m) { out.Send(macs_->Seal(m)); }) ||
         Is<CheckMac>(message, [&](const auto& m) { out.Send(macs_->Check(m)); }) ||
         Is<KeyListTake>(message, [&](const auto& m) { out.Send(macs_->Take(m)); }) ||
         Is<KeyListAccept>(message, [&](const auto& m) { out.Send(macs_->Accept(m)); }) ||
         Is<HostMaterialRequest>(message, [&](const auto& m) { OnMaterialRequest(m, out); }) ||
         Is<KeyCountRequest>(message, [&](const auto& m) { OnCount(m, out); }) ||
         Is<ForgetAssociation>(message, [&](const auto& m) { OnForget(m, out); }) ||
         Is<CommandNonceRequest>(message,
                                 [&](const auto& m) { out.Send(commands_->MakeNonce(m)); }) ||
         Is<Command>(message, [&](const auto& m) { OnCommand(m, out); });
}

void KeyService::OnMaterialRequest(const msg::HostMaterialRequest& request, Outbox& out) {
  if (autokey_) return out.Send(autokey_->Material(request.request));
  out.Send(msg::HostMaterial{.request = request.request});
}

void KeyService::OnCount(const msg::KeyCountRequest& request, Outbox& out) {
  const size_t keys = state_->material.symmetric.size();
  out.Send(msg::KeyCount{.request = request.request, .symmetric = static_cast<uint32_t>(keys)});
}

// Also what is still queued for the association: else its cookie would come back.
void KeyService::OnForget(const msg::ForgetAssociation& request, Outbox& out) {
  state_->Forget(request.association);
  const auto refuse_its = [&](const Operation& operation) {
    const bool its = std::visit(
        [&](const auto& m) {
          if constexpr (requires { m.association; }) return m.association == request.association;
          return false;
        },
        operation);
    if (its) Refuse(operation, msg::VerdictCode::kUnknownKey, out);
    return its;
  };
  for (Lane& lane : lanes_) std::erase_if(lane.queue, refuse_its);
}

KeyService::LaneIndex KeyService::LaneOf(const Operation& operation) {
  if (std::holds_alternative<msg::CookieIssue>(operation) ||
      std::holds_alternative<msg::IdentityProve>(operation) ||
      std::holds_alternative<msg::CertificateIssue>(operation))
    return kClients;
  return std::visit(
      [](const auto& m) {
        if constexpr (requires { m.stranger; }) return m.stranger ? kStrangers : kOwn;
        return kOwn;
      },
      operation);
}

void KeyService::Enqueue(Operation operation, Outbox& out) {
  Lane& lane = lanes_[LaneOf(operation)];
  if (lane.queue.size() >= kMaxQueue || !lane.rate.Take(time_->Monotonic(), CostOf(operation)))
    return Refuse(operation, msg::VerdictCode::kBusy, out);
  lane.queue.push_back(std::move(operation));
}

// In signatures with an RSA key of 2048 bits, which is what the rates are meant for.
double KeyService::CostOf(const Operation& operation) const {
  if (!autokey_) return 1;
  return std::visit([&](const auto& m) { return autokey_->Cost(m); }, operation);
}

void KeyService::Refuse(const Operation& operation, msg::VerdictCode code, Outbox& out) {
  std::visit(
      [&](const auto& m) {
        using M = std::decay_t<decltype(m)>;
        if constexpr (std::is_same_v<M, msg::SignatureUpdate>)
          out.Send(msg::SignedValues{.request = m.request});
        else if constexpr (std::is_same_v<M, msg::IdentityVerify> ||
                           std::is_same_v<M, msg::CookieOpen>)
          out.Send(msg::Verdict{.request = m.request, .code = code});
        else
          out.Send(Refusal(m.request, code));
      },
      operation);
}

bool KeyService::HasWork() const {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [](const Lane& lane) { return !lane.queue.empty(); });
}

void KeyService::RunOne(Outbox& out) {
  const auto lane = std::find_if(lanes_.begin(), lanes_.end(),
                                 [](const Lane& waiting) { return !waiting.queue.empty(); });
  if (lane == lanes_.end()) return;
  const Operation operation = std::move(lane->queue.front());
  lane->queue.pop_front();
  Run(operation, out);
}

void KeyService::Run(const Operation& operation, Outbox& out) {
  // Without `crypto` there is nothing to do it with.
  if (!autokey_) return Refuse(operation, msg::VerdictCode::kUnknownKey, out);
  std::visit(
      [&](const auto& m) {
        using M = std::decay_t<decltype(m)>;
        if constexpr (std::is_same_v<M, msg::SignatureUpdate>) RunUpdate(m, out);
        if constexpr (std::is_same_v<M, msg::CookieIssue>) out.Send(autokey_->IssueCookie(m));
        if constexpr (std::is_same_v<M, msg::IdentityProve>) out.Send(autokey_->ProveIdentity(m));
        if constexpr (std::is_same_v<M, msg::CertificateIssue>)
          out.Send(autokey_->IssueCertificate(m));
        if constexpr (std::is_same_v<M, msg::IdentityChallenge>)
          out.Send(autokey_->DrawChallenge(m));
        if constexpr (std::is_same_v<M, msg::IdentityVerify>) out.Send(autokey_->VerifyIdentity(m));
        if constexpr (std::is_same_v<M, msg::CookieOpen>) out.Send(autokey_->OpenCookie(m));
        if constexpr (std::is_same_v<M, msg::KeyListMake>) out.Send(autokey_->MakeKeyList(m));
      },
      operation);
}

// The first one tells that the clock has become right: the seeds' ages on disk are counted by it.
void KeyService::RunUpdate(const msg::SignatureUpdate& request, Outbox& out) {
  const bool first = state_->signature_update.value == 0;
  out.Send(autokey_->UpdateSignatures(request));
  if (!first) return;
  if (const Status kept = state_->KeepSeeds(); !kept.ok())
    Log(out, LogLevel::kError, kept.error().text);
}

}  // namespace ntpward::keys
