// Under which association identifier a broadcast server is asked for its key list.
//
// RFC 5906 section 10: the server's own, which its broadcasts carry. It is not signed, and a server
// of another maker that was started anew has another. So a new one is only a guess until the server
// itself has said, in answer to a question of ours, that it has no list under the one before; and
// what a packet says whose key comes next in the list needs no question. An ntpward has the
// customary one whenever it can, so that no flood of others hides it. Time and randomness are
// arguments.
#pragma once

#include <cstdint>

#include "privsep/base/address.h"
#include "privsep/base/token_bucket.h"
#include "privsep/base/types.h"

namespace ntpward::autokey {

// The identifier under which an ntpward broadcasts to that group or broadcast address, unless
// another association has it; never 0.
uint16_t CustomaryAnnouncer(const IpAddress& to);

class Announcer {
 public:
  // More packets than these between two guesses are a flood.
  static constexpr uint32_t kMostHeard = 16;

  Announcer() = default;
  // `id` was heard first; `customary` is guessed now and then under a flood, 0: never.
  explicit Announcer(uint32_t id, uint32_t customary = 0) : id_(id), customary_(customary) {}

  // The identifier to ask under.
  uint32_t id() const { return id_; }

  // A broadcast whose key was the next of the list has this one. True: it is the first one since
  // MoveOn.
  bool OnGood(uint32_t id);
  // A broadcast in the server's name has this one, and anybody may have written it. Of all that
  // came since the last good one or the last guess one is kept; `draw` is a random number, so that
  // each is as likely as any other: of N packets the genuine one with a chance of 1 in N.
  void OnHeard(uint32_t id, uint64_t draw);
  // The server answered that it has no list under id().
  void OnUnknown() { unknown_ = true; }
  // If that is so and one was heard, id() is that one from now on, and true is returned: it is to
  // be asked for. Under a flood every other guess is the customary one. Twice in a row, then every
  // 8 s, as a flood may make us guess wrong often.
  bool MoveOn(MonoTime now);

 private:
  uint32_t id_ = 0;
  uint32_t customary_ = 0;
  uint32_t heard_ = 0;
  uint32_t count_ = 0;  // of packets that heard_ was drawn from
  bool unknown_ = false;
  bool guessed_ = false;    // MoveOn has, and no good one came since
  bool by_custom_ = false;  // the last guess under a flood was the customary one
  TokenBucket guesses_{1.0 / 8, 2};
};

}  // namespace ntpward::autokey
