#include "ntpd/wire/control_message.h"

#include <algorithm>

namespace ntpward::wire {
namespace {

constexpr uint8_t kResponseBit = 0x80;
constexpr uint8_t kErrorBit = 0x40;
constexpr uint8_t kMoreBit = 0x20;
constexpr uint8_t kOpMask = 0x1f;
constexpr size_t kMaxMacSize = 24;

constexpr size_t RoundUp(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

std::vector<uint8_t> Datagram(const ControlHeader& header, Bytes data, ControlPadding padding) {
  const size_t used = kControlHeaderSize + data.size();
  const size_t size = RoundUp(used, static_cast<size_t>(padding));
  std::vector<uint8_t> datagram(size);
  Writer out(datagram);
  Encode(header, out);
  out.Put(data);
  out.Zeros(size - used);
  CHECK(out.Finish());
  return datagram;
}

// A MAC starts at the next multiple of eight after the data (as ntpd 4.2.8 looks for it).
std::optional<ControlMac> FindMac(Bytes datagram, size_t count) {
  const size_t start = RoundUp(kControlHeaderSize + count, 8);
  if (datagram.size() < start + kControlKeyIdSize || datagram.size() > start + kMaxMacSize)
    return std::nullopt;
  Reader in(datagram.subspan(start));
  const KeyId key{in.U32()};
  return ControlMac{key, in.Rest(), datagram.first(start)};
}

// Where the fragment that starts at `start` ends.
size_t FragmentEnd(size_t start, size_t size, const std::vector<size_t>& cuts) {
  if (size - start <= kMaxControlData) return size;
  const size_t limit = start + kMaxControlData;
  const auto after = std::upper_bound(cuts.begin(), cuts.end(), limit);
  if (after != cuts.begin() && *std::prev(after) > start) return *std::prev(after);
  return limit;
}

}  // namespace

void Encode(const ControlHeader& header, Writer& out) {
  out.U8(static_cast<uint8_t>((header.leap & 3) << 6 | (header.version & 7) << 3 | kControlMode));
  out.U8(static_cast<uint8_t>((header.response ? kResponseBit : 0) |
                              (header.error ? kErrorBit : 0) | (header.more ? kMoreBit : 0) |
                              (static_cast<uint8_t>(header.op) & kOpMask)));
  out.U16(header.sequence);
  out.U16(header.status);
  out.U16(header.assoc.value);
  out.U16(header.offset);
  out.U16(header.count);
}

Result<ControlHeader, ControlReject> DecodeControlHeader(Bytes datagram) {
  if (datagram.size() < kControlHeaderSize) return Fail(ControlReject::kTooShort);
  Reader in(datagram);
  const uint8_t first = in.U8();
  if ((first & 7) != kControlMode) return Fail(ControlReject::kWrongMode);
  const uint8_t flags = in.U8();
  ControlHeader header;
  header.leap = static_cast<uint8_t>(first >> 6);
  header.version = (first >> 3) & 7;
  header.response = (flags & kResponseBit) != 0;
  header.error = (flags & kErrorBit) != 0;
  header.more = (flags & kMoreBit) != 0;
  header.op = static_cast<ControlOp>(flags & kOpMask);
  header.sequence = in.U16();
  header.status = in.U16();
  header.assoc = AssocId{in.U16()};
  header.offset = in.U16();
  header.count = in.U16();
  return header;
}

Result<ControlRequest, ControlReject> ParseControlRequest(Bytes datagram) {
  if (datagram.size() > kMaxControlDatagram) return Fail(ControlReject::kTooLong);
  const ControlHeader header = TRY(DecodeControlHeader(datagram));
  if (header.response || header.error || header.more || header.offset != 0)
    return Fail(ControlReject::kNotARequest);
  if (header.version < 1 || header.version > 4) return Fail(ControlReject::kWrongVersion);
  if (datagram.size() - kControlHeaderSize < header.count || datagram.size() % 4 != 0 ||
      header.count > kMaxControlData)
    return Fail(ControlReject::kBadFormat);
  return ControlRequest{header, datagram.subspan(kControlHeaderSize, header.count),
                        FindMac(datagram, header.count)};
}

Result<ControlFragment, ControlReject> ParseControlResponse(Bytes datagram) {
  if (datagram.size() > kMaxControlDatagram) return Fail(ControlReject::kTooLong);
  const ControlHeader header = TRY(DecodeControlHeader(datagram));
  if (header.version < 1 || header.version > 4) return Fail(ControlReject::kWrongVersion);
  if (!header.response) return Fail(ControlReject::kNotAResponse);
  // An error carries nothing but its code, and ntpd 4.2.8 may leave a stale offset in it.
  if (header.error) return ControlFragment{header, {}};
  if (datagram.size() % 4 != 0 || datagram.size() - kControlHeaderSize < header.count ||
      header.count > kMaxControlData)
    return Fail(ControlReject::kBadFormat);
  return ControlFragment{header, datagram.subspan(kControlHeaderSize, header.count)};
}

std::vector<uint8_t> BuildControlRequest(ControlHeader header, Bytes data, ControlPadding padding) {
  CHECK(data.size() <= kMaxControlData);
  header.count = static_cast<uint16_t>(data.size());
  return Datagram(header, data, padding);
}

ControlHeader ReplyHeader(const ControlHeader& request, uint8_t leap, uint16_t status) {
  ControlHeader reply;
  reply.leap = leap;
  reply.version = request.version;
  reply.response = true;
  reply.op = request.op;
  reply.sequence = request.sequence;
  reply.status = status;
  reply.assoc = request.assoc;
  return reply;
}

std::vector<std::vector<uint8_t>> BuildControlReply(const ControlHeader& reply, Bytes payload,
                                                    const std::vector<size_t>& cuts,
                                                    ControlPadding padding) {
  payload = payload.first(std::min(payload.size(), kMaxLongPayload));
  std::vector<std::vector<uint8_t>> datagrams;
  size_t start = 0;
  do {
    const size_t end = FragmentEnd(start, payload.size(), cuts);
    ControlHeader header = reply;
    header.more = end < payload.size();
    header.offset = static_cast<uint16_t>(start);
    header.count = static_cast<uint16_t>(end - start);
    datagrams.push_back(Datagram(header, payload.subspan(start, end - start), padding));
    start = end;
  } while (start < payload.size());
  return datagrams;
}

std::vector<uint8_t> BuildControlError(const ControlHeader& request, uint8_t leap,
                                       ControlError code) {
  ControlHeader header =
      ReplyHeader(request, leap, static_cast<uint16_t>(static_cast<unsigned>(code) << 8));
  header.error = true;
  return Datagram(header, {}, ControlPadding::kPlain);
}

}  // namespace ntpward::wire
