#include "keys/der.h"

#include "privsep/base/der.h"

namespace ntpward::keys {
namespace {

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
  const Bytes content = TakeDerElement(&outer, kDerSequence);
  if (!outer.Finish()) return std::nullopt;
  Reader inner(content);
  std::vector<BigPtr> numbers;
  for (size_t i = 0; i < count; ++i) {
    const Bytes magnitude = TakeDerMagnitude(&inner, max_octets);
    if (inner.failed()) return std::nullopt;
    numbers.push_back(make());
    SetNumber(numbers.back().get(), magnitude);
  }
  if (!inner.Finish()) return std::nullopt;
  return numbers;
}

LockedBytes AsSequence(Bytes content) {
  LockedBytes out;
  PutHeader(&out, kDerSequence, content.size());
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
    PutHeader(&content, kDerInteger, size + (pad ? 1 : 0));
    content.insert(content.end(), octets.begin() + (pad ? 0 : 1), octets.end());
  }
  return AsSequence(content);
}

}  // namespace ntpward::keys
