#include "keys/command_operations.h"

#include "keys/key_binding.h"
#include "privsep/base/log.h"

namespace ntpward::keys {

using msg::CommandOutcome;

namespace {

// What net says of a line is its own word.
void LogLine(std::string_view line, KeyId control, Outbox& out) {
  const std::string text =
      "config: " + std::string(line) + ": given under control key " + std::to_string(control.value);
  out.Send(msg::MakeLogLine(LogLevel::kNotice, text, msg::LogKind::kAudit));
}

}  // namespace

Result<CommandOperations> CommandOperations::Create(KeyState* state) {
  return CommandOperations(state, TRY(CommandNonces::Create()));
}

msg::CommandNonce CommandOperations::MakeNonce(const msg::CommandNonceRequest& request) {
  return {.request = request.request,
          .nonce = nonces_.Make(state_.time->Monotonic(), request.source)};
}

bool CommandOperations::NeedsNonce(const msg::Command& command) const {
  switch (state_.material.control_nonce) {
    case msg::ControlNonce::kNever:
      return false;
    case msg::ControlNonce::kRemote:
      return !command.source.is_loopback();
    case msg::ControlNonce::kAlways:
      break;
  }
  return true;
}

// A nonce that came along has to be good even where none is needed: who sends one means it.
std::optional<CommandOutcome> CommandOperations::Refusal(const msg::Command& command, Bytes nonce) {
  const bool fresh = nonce.empty() ? !NeedsNonce(command)
                                   : nonces_.Take(nonce, state_.time->Monotonic(), command.source);
  if (!fresh) return CommandOutcome::kNonce;
  return std::nullopt;
}

msg::CommandDone CommandOperations::Run(const msg::Command& command, Outbox& out) {
  const auto ended = [&command](CommandOutcome outcome, uint16_t column = 0) {
    return msg::CommandDone{.request = command.request, .outcome = outcome, .column = column};
  };
  // Nothing of the request is looked at before its MAC.
  if (state_.material.symmetric.Check(command.key, KeyUse::kControl, command.covered.span(),
                                      command.digest.span(), &command.source) != MacCheck::kGood)
    return ended(CommandOutcome::kDenied);
  // No nonce was shown by what cannot be read: it may be a replay.
  const auto request = ParseChangeRequest(command.covered.span());
  if (!request) return ended(CommandOutcome::kDenied);
  // Nor anything else of it before its nonce, so that a replay costs no more than this.
  if (const auto refusal = Refusal(command, request->nonce.span())) return ended(*refusal);
  if (command.judge_only) return ended(CommandOutcome::kAuthorised);
  const bool about_keys =
      request->operation == ChangeOperation::kConfigure && IsTrustCommand(request->text);
  if (!about_keys) return Line(command, *request, out);
  const auto change = ParseTrustCommand(request->text);
  if (!change.ok()) return ended(CommandOutcome::kSyntax, change.error().column);
  return Change(command.request, *change, out);
}

bool CommandOperations::Take(const msg::RuntimeLine& line) {
  if (!state_.material.lines.Take(line)) return false;
  if (const auto binding = BindingOf(line.line.text()); binding.ok() && *binding)
    (void)state_.material.symmetric.Bind((*binding)->key, (*binding)->uses);
  return true;
}

msg::CommandDone CommandOperations::Line(const msg::Command& command, const ChangeRequest& request,
                                         Outbox& out) {
  const auto ended = [&command](CommandOutcome outcome, uint16_t column = 0) {
    return msg::CommandDone{.request = command.request, .outcome = outcome, .column = column};
  };
  const bool keep = command.keep && request.operation == ChangeOperation::kConfigure;
  msg::RuntimeLine line{.subject = command.subject};
  const auto binding = BindingOf(request.text);
  if (keep) {
    if (!line.line.Assign(AsBytes(request.text)) || !line.Valid())
      return ended(CommandOutcome::kSyntax);
    if (!binding.ok()) return ended(CommandOutcome::kSyntax, binding.error());
  }
  if (!keep) return ended(CommandOutcome::kAuthorised);
  if (const auto& bound = *binding) {
    const SymmetricKeys& keys = state_.material.symmetric;
    if (!keys.Has(bound->key)) return ended(CommandOutcome::kUnknownKey, bound->column);
    // Whoever shares an association's key could reconfigure this server.
    if (keys.IsControl(bound->key)) return ended(CommandOutcome::kKeyInUse, bound->column);
  }
  if (!state_.material.lines.HasRoomFor(line)) return ended(CommandOutcome::kFull);
  if (!out.Send(line)) return ended(CommandOutcome::kBusy);
  CHECK(Take(line));
  LogLine(line.line.text(), command.key, out);
  return ended(CommandOutcome::kAuthorised);
}

msg::CommandDone CommandOperations::Change(uint32_t request, const TrustCommand& change,
                                           Outbox& out) {
  msg::CommandDone done{.request = request};
  const auto ended = [&done](CommandOutcome outcome, uint16_t column = 0) {
    done.outcome = outcome;
    done.column = column;
    return done;
  };
  SymmetricKeys& keys = state_.material.symmetric;
  msg::RuntimeTrust kept;
  for (const TrustCommand::Item& item : change.keys) {
    if (!keys.Has(item.key)) return ended(CommandOutcome::kUnknownKey, item.column);
    // Else there would be no way back, and nobody could revoke another key.
    if (!change.trust && keys.IsControl(item.key))
      return ended(CommandOutcome::kControlKey, item.column);
    CHECK(kept.keys.Push({item.key, change.trust}));
  }
  if (!out.Send(kept)) return ended(CommandOutcome::kBusy);
  for (const msg::TrustedNow& key : kept.keys) {
    keys.SetRuntime(key.key, key.trusted);
    CHECK(done.keys.Push(key.key));
  }
  done.trusted = change.trust;
  return ended(CommandOutcome::kDone);
}

std::string Describe(const msg::CommandDone& done, KeyId control) {
  std::string text = done.keys.size() == 1 ? "key" : "keys";
  for (const KeyId key : done.keys) text += " " + std::to_string(key.value);
  return text + (done.trusted ? " trusted" : " not trusted") +
         " from now on, by a command under control key " + std::to_string(control.value);
}

}  // namespace ntpward::keys
