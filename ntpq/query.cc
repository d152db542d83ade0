#include "ntpq/query.h"

#include <algorithm>

namespace ntpward::ntpq {
namespace {

QueryError TransportError(const Error& error) {
  return {QueryError::Kind::kTransport, {}, error.text};
}

// A MAC stands where requests have it, behind the header alone if the datagram is an error. A lone
// key identifier says that the request's was wrong.
AnswerMac MacOf(Bytes datagram, const Credentials& credentials) {
  const auto header = wire::DecodeControlHeader(datagram);
  if (!header.ok()) return AnswerMac::kNone;
  constexpr size_t kBlock = 8;
  const size_t end = wire::kControlHeaderSize + header->count;
  const size_t covered =
      header->error ? wire::kControlHeaderSize : (end + kBlock - 1) / kBlock * kBlock;
  if (datagram.size() <= covered + wire::kControlKeyIdSize) return AnswerMac::kNone;
  const auto mac =
      MakeMac(credentials.type, credentials.key, credentials.secret, datagram.first(covered));
  const Bytes sent = datagram.subspan(covered);
  return mac.ok() && EqualConstantTime(*mac, sent) ? AnswerMac::kGood : AnswerMac::kBad;
}

}  // namespace

Result<Reply, QueryError> Querier::Ask(wire::ControlOp op, AssocId assoc, std::string_view data,
                                       const QueryOptions& options,
                                       const std::optional<Credentials>& credentials) {
  wire::ControlHeader header;
  header.version = options.version;
  header.op = op;
  header.assoc = assoc;
  for (int attempt = 1;; ++attempt) {
    // A new number for each attempt: fragments of an earlier answer would not fit a later one.
    header.sequence = sequence_++;
    TRY_VOID(Send(header, data, credentials));
    auto reply = Collect(header, options, credentials);
    if (reply.ok()) return reply;
    const bool timed_out = reply.error().kind == QueryError::Kind::kNothing ||
                           reply.error().kind == QueryError::Kind::kIncomplete;
    if (!timed_out || attempt >= options.attempts || transport_.Now() >= deadline_) return reply;
  }
}

Result<void, QueryError> Querier::Send(const wire::ControlHeader& header, std::string_view data,
                                       const std::optional<Credentials>& credentials) {
  const auto padding = credentials ? wire::ControlPadding::kForMac : wire::ControlPadding::kPlain;
  std::vector<uint8_t> datagram = wire::BuildControlRequest(header, AsBytes(data), padding);
  if (credentials) {
    const auto mac = MakeMac(credentials->type, credentials->key, credentials->secret, datagram);
    if (!mac.ok()) return Fail(TransportError(mac.error()));
    datagram.insert(datagram.end(), mac->begin(), mac->end());
  }
  if (auto sent = transport_.Send(datagram); !sent.ok()) return Fail(TransportError(sent.error()));
  return {};
}

Result<Reply, QueryError> Querier::Collect(const wire::ControlHeader& header,
                                           const QueryOptions& options,
                                           const std::optional<Credentials>& credentials) {
  Reassembly reassembly(header);
  AnswerMac worst = credentials ? AnswerMac::kGood : AnswerMac::kNone;
  // However the server spreads its fragments: an honest one sends them all at once.
  const MonoTime last =
      std::min(deadline_, transport_.Now() + options.timeout_s + 2 * options.next_timeout_s);
  MonoTime wait_until = std::min(last, transport_.Now() + options.timeout_s);
  while (true) {
    auto datagram = transport_.Receive(wait_until);
    if (!datagram.ok()) return Fail(TransportError(datagram.error()));
    if (!datagram->has_value() && transport_.Interrupted())
      return Fail(QueryError{QueryError::Kind::kInterrupted, {}, {}});
    if (!datagram->has_value())
      return Fail(QueryError{
          reassembly.empty() ? QueryError::Kind::kNothing : QueryError::Kind::kIncomplete, {}, {}});
    const Reassembly::Outcome outcome = reassembly.Add(**datagram);
    if (credentials && outcome != Reassembly::Outcome::kIgnored)
      worst = std::max(worst, MacOf(**datagram, *credentials));
    switch (outcome) {
      case Reassembly::Outcome::kDone: {
        Reply reply = reassembly.Take();
        reply.mac = worst;
        return reply;
      }
      case Reassembly::Outcome::kRefused:
        return Fail(QueryError{QueryError::Kind::kRefused, reassembly.error(), {}});
      case Reassembly::Outcome::kOverflow:
        return Fail(QueryError{QueryError::Kind::kTooMuch, {}, {}});
      case Reassembly::Outcome::kMore:
        wait_until = std::min(last, transport_.Now() + options.next_timeout_s);
        break;
      case Reassembly::Outcome::kIgnored:
        break;
    }
  }
}

}  // namespace ntpward::ntpq
