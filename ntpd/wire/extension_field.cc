#include "ntpd/wire/extension_field.h"

namespace ntpward::wire {
namespace {

constexpr uint8_t kResponseBit = 0x80;
constexpr uint8_t kErrorBit = 0x40;
constexpr size_t kSignedPartStart = 8;

constexpr size_t Padded(size_t size) { return (size + 3) / 4 * 4; }

// Reads a length and as many octets, then the padding. `least` is the smallest length allowed.
// The length is compared before any arithmetic, so that none can wrap.
bool TakePadded(Reader& reader, size_t least, Bytes& out) {
  const uint32_t size = reader.U32();
  if (reader.failed() || size < least || size > reader.remaining()) return false;
  out = reader.Take(size);
  reader.Skip(Padded(size) - size);
  return !reader.failed();
}

void EncodeHead(Writer& writer, const AutokeyFieldHead& head, size_t size) {
  writer.U8(static_cast<uint8_t>((head.response ? kResponseBit : 0) | (head.error ? kErrorBit : 0) |
                                 kAutokeyVersion));
  writer.U8(head.code);
  writer.U16(static_cast<uint16_t>(size));
  writer.U32(head.association);
}

void EncodePadded(Writer& writer, Bytes bytes) {
  writer.U32(static_cast<uint32_t>(bytes.size()));
  writer.Put(bytes);
  writer.Zeros(Padded(bytes.size()) - bytes.size());
}

}  // namespace

Result<AutokeyFieldHead, FieldReject> ParseAutokeyFieldHead(Bytes field) {
  Reader reader(field);
  AutokeyFieldHead head;
  const uint8_t first = reader.U8();
  head.response = (first & kResponseBit) != 0;
  head.error = (first & kErrorBit) != 0;
  head.code = reader.U8();
  const uint16_t length = reader.U16();
  head.association = reader.U32();
  if (reader.failed() || length != field.size()) return Fail(FieldReject::kShort);
  if ((first & 0x3f) != kAutokeyVersion) return Fail(FieldReject::kNotAutokey);
  return head;
}

Result<AutokeyField, FieldReject> ParseAutokeyField(Bytes field) {
  AutokeyField parsed;
  parsed.head = TRY(ParseAutokeyFieldHead(field));
  if (field.size() == kShortFieldSize) return parsed;
  if (field.size() < kValueFieldOverhead) return Fail(FieldReject::kBadLength);

  Reader reader(field.subspan(kSignedPartStart));
  parsed.has_value = true;
  parsed.timestamp = NtpSeconds{reader.U32()};
  parsed.filestamp = NtpSeconds{reader.U32()};
  if (!TakePadded(reader, 1, parsed.value)) return Fail(FieldReject::kBadValue);
  parsed.signed_part = field.subspan(kSignedPartStart, 12 + parsed.value.size());
  if (!TakePadded(reader, 0, parsed.signature)) return Fail(FieldReject::kBadSignature);
  if (!reader.Finish()) return Fail(FieldReject::kLeftover);
  return parsed;
}

void EncodeAutokeyField(Writer& writer, const AutokeyField& field) {
  if (!field.has_value) return EncodeShortField(writer, field.head);
  // Each is bounded before they are added up, so that the sum cannot wrap.
  const bool fits =
      field.value.size() <= kMaxExtensionArea && field.signature.size() <= kMaxExtensionArea &&
      AutokeyFieldSize(field.value.size(), field.signature.size()) <= kMaxExtensionArea;
  if (!fits) return writer.MarkFailed();
  EncodeHead(writer, field.head, AutokeyFieldSize(field.value.size(), field.signature.size()));
  writer.U32(field.timestamp.value);
  writer.U32(field.filestamp.value);
  EncodePadded(writer, field.value);
  EncodePadded(writer, field.signature);
}

void EncodeShortField(Writer& writer, const AutokeyFieldHead& head) {
  EncodeHead(writer, head, kShortFieldSize);
}

void EncodeErrorField(Writer& writer, const AutokeyFieldHead& head) {
  EncodeHead(writer, {true, true, head.code, head.association}, kShortFieldSize);
}

}  // namespace ntpward::wire
