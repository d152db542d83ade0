// Requests that need the server's control key and a nonce: what would change something, so that it
// is good once; and long lists, so that they go to nobody who did not ask.
#pragma once

#include <string>
#include <string_view>

#include "ntpq/session.h"

namespace ntpward::ntpq {

// Sends `data` with a nonce that the server gave for it. Without one it leaves only when the user
// says that this server has none (--no-nonce). Nothing has been told to the user.
Result<Reply, QueryError> SendChange(Session& session, wire::ControlOp op, std::string_view data);

// Questions for a list that comes in pieces, under the key.
class LongListQuestions {
 public:
  // `session` outlives it.
  explicit LongListQuestions(Session& session) : session_(session) {}

  // Asks plainly; where the server does not allow that, with a nonce that proves our address. The
  // same one goes with the questions after it, and a new one is fetched once it is too old.
  Result<Reply, QueryError> Ask(wire::ControlOp op, std::string_view data);

 private:
  Result<Reply, QueryError> AskWithNonce(wire::ControlOp op, std::string_view data);

  Session& session_;
  std::string nonce_;  // empty: none was needed so far
};

}  // namespace ntpward::ntpq
