// The state file of the server's seeds: two checksummed slots, written in turn.
//
// The supervisor opens it (mode 0600) before the cage; it is written a few times a day. A write
// that was torn by a crash spoils its own slot only, and the record before is found in the other.
//
//     offset 0 and 4096, 512 octets each, big-endian:
//     "NTPWSEED"  version (1)  zeros (3)  sequence (8)  written (4)  count (4)
//     count x { seed (4)  age (4) }  zeros to offset 472  farm (8)  SHA-256 of all before it (32)
//
// Bit i of `farm` says that seed i is a farm's.
#pragma once

#include <optional>

#include "keys/server_seeds.h"
#include "privsep/base/result.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::keys {

class SeedFile {
 public:
  // Takes the descriptor: a regular file, read-write.
  explicit SeedFile(UniqueFd fd) : fd_(std::move(fd)) {}

  // The later of the records that are whole; none when there is none, as in a new file.
  std::optional<SeedRecord> Load() const;
  // Writes into the slot that does not hold the record before, down to the disk.
  Status Store(const SeedRecord& record) const;
  // Something is in the file, whole or not.
  bool HasContent() const;

 private:
  UniqueFd fd_;
};

}  // namespace ntpward::keys
