// Requests by mode 6 that would change something, as ntpd-net hands them over. Who may, and that it
// is no replay, is decided here and nowhere else. Lines about the trust in keys are also done here;
// of everything else the key process only says whether it is authorised.
#pragma once

#include <optional>
#include <string>

#include "keys/change_request.h"
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
  // Judges the request, its MAC and its nonce first: kAuthorised when its sender may have done what
  // it asks for, which is not done here. A line about keys is done, all of it or nothing, unless
  // only a judgement is wanted. What it does is first told to the supervisor, through `out`, so
  // that no death of this process undoes it.
  msg::CommandDone Run(const msg::Command& command, Outbox& out);
  // What an earlier ntpd-keys let pass, by the supervisor's word.
  [[nodiscard]] bool Take(const msg::RuntimeLine& line);

 private:
  CommandOperations(KeyState* state, CommandNonces nonces)
      : state_(*state), nonces_(std::move(nonces)) {}
  msg::CommandDone Change(uint32_t request, const TrustCommand& change, Outbox& out);
  // A line of configuration for ntpd-net whose sender may give it. One that stays in force is told
  // to the supervisor before anybody acts by it, and the key that it names is bound to what it
  // says.
  msg::CommandDone Line(const msg::Command& command, const ChangeRequest& request, Outbox& out);
  // The outcome for a request that may not; none for one that may. Uses up its nonce.
  std::optional<msg::CommandOutcome> Refusal(const msg::Command& command, Bytes nonce);
  bool NeedsNonce(const msg::Command& command) const;

  KeyState& state_;
  CommandNonces nonces_;
};

// "key 5 is trusted from now on", for the log.
std::string Describe(const msg::CommandDone& done, KeyId control);

}  // namespace ntpward::keys
