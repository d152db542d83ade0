// Which of the seeds that count was right last for a client, so that its next request is tried with
// that one first: it keeps its cookie for six days, while each other seed costs three hashes.
//
// A table of 4096 places whatever the number of clients: nothing is known of a client but by
// chance, and whoever shares a place with others costs them some hashes. Places are drawn by a
// random key, so that nobody can choose whose to share. Who has no cookie moves nothing; the
// cookies of 4.2.8's seed 0, which anybody can make, cost whoever shares the place one try.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "privsep/base/address.h"

namespace ntpward::keys {

class SeedGuesses {
 public:
  SeedGuesses();

  // The place of this client: an index, 0 at first, to be used and corrected.
  uint8_t& Of(const IpAddress& client);

 private:
  static constexpr size_t kPlacesLog2 = 12;
  // Universal hashing (Carter and Wegman): one factor for each 16 bits of an address, and a term.
  std::array<uint64_t, 9> factors_{};
  std::array<uint8_t, size_t{1} << kPlacesLog2> places_{};
};

}  // namespace ntpward::keys
