#include "ntpd/core/broadcast_exchange.h"

namespace ntpward::core {

Result<void, Reject> BroadcastExchange::Screen(const wire::Header& packet) const {
  if (packet.mode != wire::Mode::kBroadcast) return Fail(Reject::kBadMode);
  if (packet.transmit.is_zero()) return Fail(Reject::kBadTimestamp);
  if (!last_.is_zero() && (packet.transmit - last_).raw() <= 0) return Fail(Reject::kDuplicate);
  return {};
}

double BroadcastExchange::OffsetOf(const wire::Header& packet, NtpTimestamp t4) const {
  return (packet.transmit - t4).seconds() + delay_ / 2;
}

}  // namespace ntpward::core
