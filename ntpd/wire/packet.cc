#include "ntpd/wire/packet.h"

#include <cmath>

namespace ntpward::wire {
namespace {

Header ReadHeader(Reader& reader) {
  Header header;
  const uint8_t first = reader.U8();
  header.leap = static_cast<Leap>(first >> 6);
  header.version = (first >> 3) & 7;
  header.mode = static_cast<Mode>(first & 7);
  header.stratum = reader.U8();
  header.poll = static_cast<int8_t>(reader.U8());
  header.precision = static_cast<int8_t>(reader.U8());
  header.root_delay = NtpShort::FromRaw(reader.U32());
  header.root_dispersion = NtpShort::FromRaw(reader.U32());
  header.refid = reader.U32();
  header.reference = NtpTimestamp::FromRaw(reader.U64());
  header.origin = NtpTimestamp::FromRaw(reader.U64());
  header.receive = NtpTimestamp::FromRaw(reader.U64());
  header.transmit = NtpTimestamp::FromRaw(reader.U64());
  return header;
}

// Takes fields off the front of `rest` until what is left can only be a MAC or nothing.
Result<void, Reject> TakeExtensions(Reader& rest, Packet& packet, Bytes after_header) {
  while (rest.remaining() > kMaxMacSize) {
    if (packet.field_count == kMaxExtensions) return Fail(Reject::kTooManyExtensions);
    const size_t start = rest.position();
    const uint16_t type = rest.U16();
    const uint16_t length = rest.U16();
    if (length < 4 || length % 4 != 0 || length > after_header.size() - start)
      return Fail(Reject::kBadExtension);
    rest.Skip(length - 4U);
    packet.fields[packet.field_count++] = {type, after_header.subspan(start, length)};
  }
  return {};
}

}  // namespace

NtpShort NtpShort::FromSeconds(double seconds) {
  const double units = std::ceil(seconds * 65536.0);
  if (units <= 0) return NtpShort(0);
  if (!(units < 4294967295.0)) return NtpShort(0xffffffffU);
  return NtpShort(static_cast<uint32_t>(units));
}

std::optional<Mode> PeekMode(Bytes datagram) {
  if (datagram.empty()) return std::nullopt;
  return static_cast<Mode>(datagram[0] & 7);
}

Result<Packet, Reject> ParsePacket(Bytes datagram) {
  if (datagram.size() < kHeaderSize) return Fail(Reject::kShort);
  if (datagram.size() > kMaxPacketSize) return Fail(Reject::kLong);
  Packet packet;
  Reader reader(datagram);
  packet.header = ReadHeader(reader);
  if (packet.header.version < kMinVersion || packet.header.version > kMaxVersion)
    return Fail(Reject::kBadVersion);
  if (packet.header.mode == Mode::kControl || packet.header.mode == Mode::kPrivate)
    return Fail(Reject::kNotTime);
  if (reader.remaining() % 4 != 0) return Fail(Reject::kBadLength);

  const Bytes after_header = datagram.subspan(kHeaderSize);
  Reader rest(after_header);
  TRY_VOID(TakeExtensions(rest, packet, after_header));
  packet.covered = datagram.first(kHeaderSize + rest.position());
  if (rest.remaining() > 0) {
    const KeyId key{rest.U32()};
    packet.mac = Mac{key, rest.Rest()};
    packet.crypto_nak = key.is_none() && packet.mac->digest.empty();
  }
  return packet;
}

void EncodeHeader(Writer& writer, const Header& header) {
  writer.U8(static_cast<uint8_t>(static_cast<uint8_t>(header.leap) << 6 |
                                 (header.version & 7) << 3 | static_cast<uint8_t>(header.mode)));
  writer.U8(header.stratum);
  writer.U8(static_cast<uint8_t>(header.poll));
  writer.U8(static_cast<uint8_t>(header.precision));
  writer.U32(header.root_delay.raw());
  writer.U32(header.root_dispersion.raw());
  writer.U32(header.refid);
  writer.U64(header.reference.raw());
  writer.U64(header.origin.raw());
  writer.U64(header.receive.raw());
  writer.U64(header.transmit.raw());
}

void EncodeMac(Writer& writer, const Mac& mac) {
  writer.U32(mac.key.value);
  writer.Put(mac.digest);
}

void EncodeCryptoNak(Writer& writer) { writer.U32(0); }

}  // namespace ntpward::wire
