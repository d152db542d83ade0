// SipHash (Aumasson and Bernstein, 2012): a short keyed hash that nobody without the key can steer
// or predict. For hash tables whose keys others choose, and for tokens that only we check.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "privsep/base/bytes.h"

namespace ntpward {

// Random, kept secret, and made anew by each process.
using SipKey = std::array<uint64_t, 2>;

// SipHash-c-d of 64-bit words, each as the little-endian reading of eight octets. 1-3 is enough for
// a table, 2-4 is what its authors recommend for the rest.
template <int kRounds = 2, int kLastRounds = 4>
class SipHasher {
 public:
  explicit constexpr SipHasher(const SipKey& key)
      : a_(key[0] ^ 0x736f6d6570736575U),
        b_(key[1] ^ 0x646f72616e646f6dU),
        c_(key[0] ^ 0x6c7967656e657261U),
        d_(key[1] ^ 0x7465646279746573U) {}

  constexpr void Word(uint64_t word) {
    d_ ^= word;
    for (int i = 0; i < kRounds; ++i) Round();
    a_ ^= word;
  }
  constexpr uint64_t Finish() {
    c_ ^= 0xff;
    for (int i = 0; i < kLastRounds; ++i) Round();
    return a_ ^ b_ ^ c_ ^ d_;
  }

 private:
  constexpr void Round() {
    a_ += b_, c_ += d_;
    b_ = std::rotl(b_, 13) ^ a_, d_ = std::rotl(d_, 16) ^ c_;
    a_ = std::rotl(a_, 32);
    c_ += b_, a_ += d_;
    b_ = std::rotl(b_, 17) ^ c_, d_ = std::rotl(d_, 21) ^ a_;
    c_ = std::rotl(c_, 32);
  }

  uint64_t a_, b_, c_, d_;
};

// SipHash-2-4 of octets, as published.
constexpr uint64_t SipHash(const SipKey& key, Bytes data) {
  SipHasher<2, 4> hasher(key);
  uint64_t word = 0;
  for (size_t i = 0; i < data.size(); ++i) {
    word |= static_cast<uint64_t>(data[i]) << (8 * (i % 8));
    if (i % 8 == 7) {
      hasher.Word(word);
      word = 0;
    }
  }
  hasher.Word(word | static_cast<uint64_t>(data.size()) << 56);
  return hasher.Finish();
}

}  // namespace ntpward
