#include "ntpd/config/sha1.h"

#include <algorithm>
#include <bit>

namespace ntpward::config {
namespace {

constexpr size_t kBlock = 64;
using Words = std::array<uint32_t, 5>;

uint32_t Mix(size_t t, uint32_t b, uint32_t c, uint32_t d) {
  if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

// RFC 3174 section 6.1.
void Digest(Bytes block, Words* h) {
  std::array<uint32_t, 80> w;
  Reader reader(block);
  for (size_t t = 0; t < 16; ++t) w[t] = reader.U32();
  for (size_t t = 16; t < w.size(); ++t)
    w[t] = std::rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
  auto [a, b, c, d, e] = *h;
  for (size_t t = 0; t < w.size(); ++t) {
    const uint32_t next = std::rotl(a, 5) + Mix(t, b, c, d) + e + w[t];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  *h = {(*h)[0] + a, (*h)[1] + b, (*h)[2] + c, (*h)[3] + d, (*h)[4] + e};
}

}  // namespace

Words Sha1(Bytes text) {
  Words h = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const uint64_t bits = uint64_t{text.size()} * 8;
  for (; text.size() >= kBlock; text = text.subspan(kBlock)) Digest(text.first(kBlock), &h);
  // Section 4: a one bit, zeros, and the length in the last eight octets.
  std::array<uint8_t, 2 * kBlock> rest{};
  std::copy(text.begin(), text.end(), rest.begin());
  rest[text.size()] = 0x80;
  const size_t size = text.size() < kBlock - 8 ? kBlock : 2 * kBlock;
  for (size_t i = 0; i < 8; ++i) rest[size - 1 - i] = static_cast<uint8_t>(bits >> (8 * i));
  for (size_t at = 0; at < size; at += kBlock) Digest(Bytes(rest).subspan(at, kBlock), &h);
  return h;
}

}  // namespace ntpward::config
