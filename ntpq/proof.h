// Proving to a server that we read what it sends to our address.
//
// A server of ntpward answers a stranger with no more octets than he sent, and an error instead
// (wire::ControlError::kPermission), until he has repeated a nonce from his address. Whether one is
// worth the proof is decided here; how a question is sent is for the caller.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "ntpd/wire/control_message.h"
#include "ntpq/query.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {

// Whether the server said to something that anybody may read that it is not allowed. Only a server
// of ntpward does, to who has not proved his address; or it is not about that.
bool MayWantProof(wire::ControlOp op, const Result<Reply, QueryError>& reply);

// The nonce in the answer to a request for one: 1 to 128 octets, the server's, which go back to it
// and nowhere else; empty when there is none of that length.
std::string NonceIn(const Values& answer);

// Asks one question of the system.
using AskSystem =
    std::function<Result<Reply, QueryError>(wire::ControlOp op, std::string_view data)>;

// Asks for a nonce in a request as long as the answer, and sends it back. Returns the nonce, or why
// there is none.
Result<std::string, QueryError> ProveAddress(const AskSystem& ask);

// The data of the request for a nonce that strangers are answered: blanks, as many octets as the
// answer has.
std::string NonceRequestData();

}  // namespace ntpward::ntpq
