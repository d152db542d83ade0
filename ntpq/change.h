// Requests that need the server's control key and a nonce: what would change something, so that it
// is good once; and long lists, so that they go to nobody who did not ask.
#pragma once

#include <string_view>

#include "ntpq/session.h"

namespace ntpward::ntpq {

// Sends `data` with a nonce that the server gave for it. Without one it leaves only when the user
// says that this server has none (--no-nonce). Nothing has been told to the user.
Result<Reply, QueryError> SendChange(Session& session, wire::ControlOp op, std::string_view data);

// Asks plainly; where the server does not allow that, again with a nonce that proves our address.
Result<Reply, QueryError> AskForLongList(Session& session, wire::ControlOp op,
                                         std::string_view data);

}  // namespace ntpward::ntpq
