#include "ntpd/core/first_answer.h"

#include <array>

namespace ntpward::core {
namespace {

void Put(Writer& writer, const IpAddress& address) {
  writer.U8(static_cast<uint8_t>(address.family));
  writer.Put(Bytes(address.octets));
  writer.U32(address.scope);
}

}  // namespace

NtpTimestamp FirstAnswer::Stamp(uint32_t second, const SocketAddress& stranger,
                                const IpAddress& ours) const {
  std::array<uint8_t, 48> input;
  Writer writer(input);
  writer.U32(second);
  Put(writer, stranger.ip);
  writer.U16(stranger.port);
  Put(writer, ours);
  CHECK(writer.Finish() && writer.remaining() == 0);
  const auto hash = static_cast<uint32_t>(SipHash(key_, input));
  return NtpTimestamp::FromRaw(static_cast<uint64_t>(second) << 32 | hash);
}

NtpTimestamp FirstAnswer::TransmitTime(const SocketAddress& stranger, const IpAddress& ours,
                                       NtpTimestamp now) const {
  return Stamp(now.seconds(), stranger, ours);
}

bool FirstAnswer::IsEchoed(NtpTimestamp origin, const SocketAddress& stranger,
                           const IpAddress& ours, NtpTimestamp now) const {
  const uint32_t age = now.seconds() - origin.seconds();
  return age <= kLifetime && origin == Stamp(origin.seconds(), stranger, ours);
}

}  // namespace ntpward::core
