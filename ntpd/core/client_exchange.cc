#include "ntpd/core/client_exchange.h"

namespace ntpward::core {

NtpTimestamp ClientExchange::Start(NtpTimestamp nonce) {
  flight_ = Flight{nonce.is_zero() ? NtpTimestamp::FromRaw(1) : nonce, std::nullopt, KeyId{}};
  return flight_->nonce;
}

void ClientExchange::OnSent(NtpTimestamp t1, KeyId key) {
  if (!flight_) return;
  flight_->t1 = t1;
  flight_->key = key;
}

Result<void, Reject> ClientExchange::Match(const wire::Header& reply) const {
  if (reply.mode != wire::Mode::kServer) return Fail(Reject::kBadMode);
  if (reply.origin.is_zero()) return Fail(Reject::kZeroOrigin);
  if (flight_ && reply.origin == flight_->nonce) return {};
  if (answered_ && reply.origin == *answered_) return Fail(Reject::kDuplicate);
  return Fail(flight_ ? Reject::kBogusOrigin : Reject::kNotAsked);
}

std::optional<NtpTimestamp> ClientExchange::Consume() {
  if (!flight_) return std::nullopt;
  const std::optional<NtpTimestamp> t1 = flight_->t1;
  answered_ = flight_->nonce;
  flight_.reset();
  return t1;
}

}  // namespace ntpward::core
