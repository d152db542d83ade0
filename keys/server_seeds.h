// The server's private values ("seeds"), from which it makes every client's cookie (RFC 5906
// section 10), and how long each still counts.
//
// A seed has 32 bits only, so it is replaced every 2^revoke seconds. A client may use a cookie for
// 2^19 s after it got it, so each seed counts that long after its replacement, and a request that
// was sealed under an older one is answered under it: 4.2.8's clients never recover from a change.
//
// Ages are kept by the monotonic clock: a step of the system's clock at start must not end them.
#pragma once

#include <cstdint>

#include "keys/wiped_vector.h"
#include "privsep/base/types.h"

namespace ntpward::keys {

// 2^19 s, when a client refreshes its association, and some hours for polls that were missed.
inline constexpr double kSeedKeptSeconds = 524288.0 + 65536.0;
// However small `revoke` is: all seeds of kSeedKeptSeconds must fit kMaxSeeds, since a bad MAC
// costs a try with each.
inline constexpr uint8_t kMinRevoke = 14;
inline constexpr size_t kMaxSeeds = 48;
// The seed of every ntpd 4.2.8 server, and of no other.
inline constexpr uint32_t kReferenceSeed = 0;

enum class SeedOrigin : uint8_t {
  kOwn,
  kFarm,  // who has the farm's secret knows it
};

// What is kept on disk. Seeds are ordered from the newest to the oldest; ages are in seconds since
// each was made, at the time of writing.
struct SeedRecord {
  struct Entry {
    uint32_t seed = 0;
    uint32_t age = 0;
    SeedOrigin origin = SeedOrigin::kOwn;
  };
  uint64_t sequence = 0;  // greater in the later record
  NtpSeconds written;     // system clock
  WipedVector<Entry, kMaxSeeds> entries;
};

class ServerSeeds {
 public:
  // `revoke`: log2 of seconds between rolls; less than kMinRevoke counts as kMinRevoke.
  explicit ServerSeeds(uint8_t revoke);

  // Starts without a record: `fresh` is the first seed.
  void StartNew(MonoTime now, uint32_t fresh, SeedOrigin origin = SeedOrigin::kOwn);
  // After StartNew() of a server that never ran: the value 0 that ntpd 4.2.8 servers always use
  // counts as the predecessor, so that a site's clients live through its move to this server. Not
  // later: cookies of 0 can be made by anybody, for any client.
  void SucceedReference(MonoTime now);
  // Continues a record. Seeds that have aged too long meanwhile are left out; a system clock that
  // went backwards counts as no time. False, and nothing kept, when none is left: StartNew() then.
  bool Restore(const SeedRecord& record, MonoTime now, NtpSeconds wall);

  // Whether the newest seed is older than 2^revoke s.
  bool RollIsDue(MonoTime now) const;
  // Makes `fresh` the newest seed. It must be written to disk before a cookie is made from it.
  void Roll(MonoTime now, uint32_t fresh, SeedOrigin origin = SeedOrigin::kOwn);
  // Has `draw` make a seed of our own in place of each that is a farm's: its cookies are good no
  // more, and the others for as long as before. True when there was one.
  bool LeaveFarm(uint32_t (*draw)());

  // The seed for new cookies.
  uint32_t newest() const { return seeds_[0].seed; }
  // How many seeds count, and each, newest first.
  size_t Count(MonoTime now) const;
  uint32_t At(size_t index) const { return seeds_[index].seed; }
  // Whether it is one of the first `count`.
  bool Holds(uint32_t seed, size_t count) const;

  // What to write to disk now; each is later in sequence than all before.
  SeedRecord NextRecord(MonoTime now, NtpSeconds wall);

 private:
  struct Seed {
    uint32_t seed = 0;
    MonoTime made;
    SeedOrigin origin = SeedOrigin::kOwn;
  };
  // Seed i was replaced when seed i-1 was made.
  bool StillCounts(size_t index, MonoTime now) const;

  double interval_seconds_;
  uint64_t sequence_ = 0;
  WipedVector<Seed, kMaxSeeds> seeds_;
};

}  // namespace ntpward::keys
