#include "keys/seed_guesses.h"

#include <openssl/rand.h>

#include "privsep/base/bytes.h"

namespace ntpward::keys {

SeedGuesses::SeedGuesses() {
  for (uint64_t& factor : factors_) {
    std::array<uint8_t, 8> octets{};
    CHECK(RAND_priv_bytes(octets.data(), octets.size()) == 1);
    factor = Reader(octets).U64();
  }
}

uint8_t& SeedGuesses::Of(const IpAddress& client) {
  uint64_t hash = factors_[8];
  Reader address(client.octets);
  for (size_t i = 0; i < 8; ++i) hash += factors_[i] * address.U16();
  return places_[hash >> (64 - kPlacesLog2)];
}

}  // namespace ntpward::keys
