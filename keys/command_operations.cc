#include "keys/command_operations.h"

namespace ntpward::keys {

using msg::CommandOutcome;

Result<CommandOperations> CommandOperations::Create(KeyState* state) {
  return CommandOperations(state, TRY(CommandNonces::Create()));
}

msg::CommandNonce CommandOperations::MakeNonce(const msg::CommandNonceRequest& request) {
  return {.request = request.request, .nonce = nonces_.Make(state_.time->Monotonic())};
}

bool CommandOperations::NeedsNonce(const msg::Command& command) const {
  switch (state_.material.control_nonce) {
    case msg::ControlNonce::kNever:
      return false;
    case msg::ControlNonce::kRemote:
      return !command.loopback;
    case msg::ControlNonce::kAlways:
      break;
  }
  return true;
}

// A nonce that came along has to be good even where none is needed: who sends one means it.
CommandOutcome CommandOperations::Authorise(const msg::Command& command, Bytes nonce) {
  if (nonce.empty()) return NeedsNonce(command) ? CommandOutcome::kNonce : CommandOutcome::kDone;
  const bool good = nonces_.Take(nonce, state_.time->Monotonic());
  return good ? CommandOutcome::kDone : CommandOutcome::kNonce;
}

msg::CommandDone CommandOperations::Run(const msg::Command& command, Outbox& out) {
  msg::CommandDone done{.request = command.request};
  const auto ended = [&done](CommandOutcome outcome, uint16_t column = 0) {
    done.outcome = outcome;
    done.column = column;
    return done;
  };
  SymmetricKeys& keys = state_.material.symmetric;
  // Nothing of the request is looked at before its MAC.
  if (keys.Check(command.key, KeyUse::kControl, command.covered.span(), command.digest.span(),
                 nullptr) != MacCheck::kGood)
    return ended(CommandOutcome::kDenied);
  const auto parsed = ParseTrustCommand(command.covered.span());
  if (!parsed.ok()) return ended(CommandOutcome::kSyntax, parsed.error().column);
  const CommandOutcome authorised = Authorise(command, parsed->nonce.span());
  if (authorised != CommandOutcome::kDone) return ended(authorised);
  msg::RuntimeTrust change;
  for (const TrustCommand::Item& item : parsed->keys) {
    if (!keys.Has(item.key)) return ended(CommandOutcome::kUnknownKey, item.column);
    // Else there would be no way back, and nobody could revoke another key.
    if (!parsed->trust && keys.IsControl(item.key))
      return ended(CommandOutcome::kControlKey, item.column);
    CHECK(change.keys.Push({item.key, parsed->trust}));
  }
  if (!out.Send(change)) return ended(CommandOutcome::kBusy);
  for (const msg::TrustedNow& key : change.keys) {
    keys.SetRuntime(key.key, key.trusted);
    CHECK(done.keys.Push(key.key));
  }
  done.trusted = parsed->trust;
  return ended(CommandOutcome::kDone);
}

std::string Describe(const msg::CommandDone& done, KeyId control) {
  std::string text = done.keys.size() == 1 ? "key" : "keys";
  for (const KeyId key : done.keys) text += " " + std::to_string(key.value);
  return text + (done.trusted ? " trusted" : " not trusted") +
         " from now on, by a command under control key " + std::to_string(control.value);
}

}  // namespace ntpward::keys
