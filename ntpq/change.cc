#include "ntpq/change.h"

#include "ntpq/proof.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kNonceDigits = 32;

bool IsNonce(std::string_view text) {
  return text.size() == kNonceDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// What makes a request good once, for the end of it; empty from a server that has no such thing,
// which answers with a nonce for mrulist, or with an error.
Result<std::string, QueryError> NonceWord(Session& session) {
  const auto reply =
      session.Try(wire::ControlOp::kRequestNonce, AssocId{0}, "config", Auth::kAlways);
  if (!reply.ok()) {
    const QueryError& error = reply.error();
    const bool refused = error.kind == QueryError::Kind::kRefused;
    // Who says that our key may not has understood what it was asked.
    const bool not_allowed = refused && error.code == wire::ControlError::kPermission;
    if (!refused || (not_allowed && !session.settings.no_nonce)) return Fail(error);
    return std::string();
  }
  const auto values = ReadValues(reply->data);
  const auto nonce = Find(values, "config_nonce");
  return nonce && IsNonce(*nonce) ? " nonce=" + std::string(*nonce) : std::string();
}

// A request without a nonce can be sent again by whoever saw it, the server itself included, and
// any server can pretend to have no nonces: so it leaves only when the user says that this one has
// none.
Result<void, QueryError> MaySend(const Session& session, const std::string& data, bool has_nonce) {
  const auto refuse = [](const char* why) {
    return Fail(QueryError{QueryError::Kind::kNotSent, {}, why});
  };
  if (data.size() > wire::kMaxControlData) return refuse("***Line is longer than a request holds");
  if (!has_nonce && !session.settings.no_nonce)
    return refuse(
        "***Server gave no nonce, nothing was sent (one of another make needs option --no-nonce)");
  return {};
}

}  // namespace

// Of a request with a nonce the server may have done what an answer that got lost said, and would
// refuse it the second time: so each is sent once, and the next try has a nonce of its own.
Result<Reply, QueryError> SendChange(Session& session, wire::ControlOp op, std::string_view data) {
  constexpr int kNonces = 2;
  for (int i = 1;; ++i) {
    const std::string nonce = TRY(NonceWord(session));
    const std::string whole = std::string(data) + nonce;
    TRY_VOID(MaySend(session, whole, !nonce.empty()));
    auto reply = session.Try(op, AssocId{0}, whole, Auth::kAlways, nonce.empty() ? 2 : 1);
    if (reply.ok() || nonce.empty() || i == kNonces ||
        reply.error().kind != QueryError::Kind::kNothing)
      return reply;
  }
}

Result<Reply, QueryError> LongListQuestions::AskWithNonce(wire::ControlOp op,
                                                          std::string_view data) {
  const std::string proof = nonce_.empty() ? "" : " nonce=" + nonce_;
  return session_.Try(op, AssocId{0}, std::string(data) + proof, Auth::kAlways);
}

Result<Reply, QueryError> LongListQuestions::Ask(wire::ControlOp op, std::string_view data) {
  auto reply = AskWithNonce(op, data);
  const bool not_allowed = !reply.ok() && reply.error().kind == QueryError::Kind::kRefused &&
                           reply.error().code == wire::ControlError::kPermission;
  if (!not_allowed) return reply;
  const auto answer = session_.Try(wire::ControlOp::kRequestNonce, AssocId{0}, "");
  if (!answer.ok()) return reply;
  nonce_ = NonceIn(ReadValues(answer->data));
  return nonce_.empty() ? std::move(reply) : AskWithNonce(op, data);
}

}  // namespace ntpward::ntpq
