#include "ntpq/proof.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kLongestNonce = 128;
// "nonce=", a nonce and the end of the line are 32 octets.
constexpr size_t kPadding = 40;

}  // namespace

bool MayWantProof(wire::ControlOp op, const Result<Reply, QueryError>& reply) {
  const bool is_read = op == wire::ControlOp::kReadStatus ||
                       op == wire::ControlOp::kReadVariables || op == wire::ControlOp::kReadClock ||
                       op == wire::ControlOp::kRequestNonce;
  return is_read && !reply.ok() && reply.error().kind == QueryError::Kind::kRefused &&
         reply.error().code == wire::ControlError::kPermission;
}

std::string NonceRequestData() { return std::string(kPadding, ' '); }

std::string NonceIn(const Values& answer) {
  const std::string_view nonce = Find(answer, "nonce").value_or("");
  return nonce.size() <= kLongestNonce ? std::string(nonce) : std::string();
}

Result<std::string, QueryError> ProveAddress(const AskSystem& ask) {
  const Reply answer = TRY(ask(wire::ControlOp::kRequestNonce, NonceRequestData()));
  const std::string nonce = NonceIn(ReadValues(answer.data));
  if (nonce.empty()) return Fail(QueryError{QueryError::Kind::kNothing, {}, {}});
  // A server that shows its clients to nobody has seen the nonce all the same.
  const auto list = ask(wire::ControlOp::kReadMru, "nonce=" + nonce + ", limit=1");
  if (!list.ok() && list.error().kind != QueryError::Kind::kRefused) return Fail(list.error());
  return nonce;
}

}  // namespace ntpward::ntpq
