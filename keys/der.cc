#include "keys/der.h"

namespace ntpward::keys {
namespace {

constexpr uint8_t kInteger = 0x02;
constexpr uint8_t kSequence = 0x30;

// X.690 section 10.1: the definite form, in as few octets as possible. Up to 65535.
size_t ReadLength(Reader* reader) {
  const uint8_t first = reader->U8();
  if (first < 0x80) return first;
  const size_t length = first == 0x81 ? reader->U8() : first == 0x82 ? reader->U16() : 0;
  if (length < (first == 0x82 ? 0x100u : 0x80u)) reader->MarkFailed();
  return length;
}

Bytes ReadElement(Reader* reader, uint8_t tag) {
  if (reader->U8() != tag) reader->MarkFailed();
  return reader->Take(ReadLength(reader));
}

// The magnitude of an INTEGER; fails for a negative one or one with needless leading octets.
Bytes ReadMagnitude(Reader* reader, size_t max_octets) {
  Bytes octets = ReadElement(reader, kInteger);
  if (octets.empty() || octets[0] >= 0x80) {
    reader->MarkFailed();
    return {};
  }
  if (octets[0] == 0 && octets.size() > 1) {
    if (octets[1] < 0x80) reader->MarkFailed();
    octets = octets.subspan(1);
  }
  if (octets.size() > max_octets) reader->MarkFailed();
  return octets;
}

void PutHeader(LockedBytes* out, uint8_t tag, size_t length) {
  CHECK(length <= 0xffff);
  out->push_back(tag);
  if (length >= 0x100) {
    out->push_back(0x82);
    out->push_back(static_cast<uint8_t>(length >> 8));
  } else if (length >= 0x80) {
    out->push_back(0x81);
  }
  out->push_back(static_cast<uint8_t>(length));
}

}  // namespace

std::optional<std::vector<BigPtr>> ParseIntegers(Bytes der, size_t count, size_t max_octets,
                                                 BigPtr (*make)()) {
  Reader outer(der);
  const Bytes content = ReadElement(&outer, kSequence);
  if (!outer.Finish()) return std::nullopt;
  Reader inner(content);
  std::vector<BigPtr> numbers;
  for (size_t i = 0; i < count; ++i) {
    const Bytes magnitude = ReadMagnitude(&inner, max_octets);
    if (inner.failed()) return std::nullopt;
    numbers.push_back(make());
    SetNumber(numbers.back().get(), magnitude);
  }
  if (!inner.Finish()) return std::nullopt;
  return numbers;
}

LockedBytes AsSequence(Bytes content) {
  LockedBytes out;
  PutHeader(&out, kSequence, content.size());
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

LockedBytes WriteIntegers(std::span<const BIGNUM* const> numbers) {
  LockedBytes content;
  for (const BIGNUM* number : numbers) {
    const auto size = static_cast<size_t>(BN_num_bytes(number));
    // A leading zero keeps the sign bit clear; zero itself is one octet.
    LockedBytes octets(size + 1);
    BN_bn2bin(number, octets.data() + 1);
    const bool pad = size == 0 || octets[1] >= 0x80;
    PutHeader(&content, kInteger, size + (pad ? 1 : 0));
    content.insert(content.end(), octets.begin() + (pad ? 0 : 1), octets.end());
  }
  return AsSequence(content);
}

}  // namespace ntpward::keys
