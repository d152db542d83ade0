#include "privsep/base/der.h"

namespace ntpward {
namespace {

// X.690 section 10.1: the definite form, in as few octets as possible.
size_t TakeLength(Reader* reader) {
  const uint8_t first = reader->U8();
  if (first < 0x80) return first;
  const size_t length = first == 0x81 ? reader->U8() : first == 0x82 ? reader->U16() : 0;
  if (length < (first == 0x82 ? 0x100u : 0x80u)) reader->MarkFailed();
  return length;
}

}  // namespace

Bytes TakeDerElement(Reader* reader, uint8_t tag) {
  if (reader->U8() != tag) reader->MarkFailed();
  return reader->Take(TakeLength(reader));
}

Bytes TakeDerMagnitude(Reader* reader, size_t max_octets) {
  Bytes octets = TakeDerElement(reader, kDerInteger);
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

}  // namespace ntpward
