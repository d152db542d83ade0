// Commands by mode 6, as ntpd-net hands them over: keys that are trusted, or no longer, while the
// daemon runs. Who may command, and that it is no replay, is decided here and nowhere else.
#pragma once

#include "keys/command_nonces.h"
#include "keys/key_state.h"
#include "keys/outbox.h"
#include "keys/trust_command.h"
#include "privsep/msg/command.h"

namespace ntpward::keys {

class CommandOperations {
 public:
  // `state` must outlive it.
  static Result<CommandOperations> Create(KeyState* state);

  msg::CommandNonce MakeNonce(const msg::CommandNonceRequest& request);
  // Does all of the command or nothing. What it does is first told to the supervisor, through
  // `out`, so that no death of this process undoes it.
  msg::CommandDone Run(const msg::Command& command, Outbox& out);

 private:
  CommandOperations(KeyState* state, CommandNonces nonces)
      : state_(*state), nonces_(std::move(nonces)) {}
  msg::CommandOutcome Authorise(const msg::Command& command, Bytes nonce);
  bool NeedsNonce(const msg::Command& command) const;

  KeyState& state_;
  CommandNonces nonces_;
};

// "key 5 is trusted from now on", for the log.
std::string Describe(const msg::CommandDone& done, KeyId control);

}  // namespace ntpward::keys
