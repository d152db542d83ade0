// Server seeds that the servers of a farm share: made from one secret and the time, so that each
// answers the clients of the others, and anycast or a load balancer may move a client between them.
//
// ntpward's own; RFC 5906 knows a seed of one server only. Time is cut into epochs of 2^revoke s,
// and the seed of epoch E is the first 32 bits of HMAC-SHA256(secret, "ntpward farm seed" || log2
// of the epoch's length || E). An epoch is named by the time, so the members' clocks must agree to
// within one; the seed of the next epoch counts already, for members whose clock is ahead.
//
// What it trades: the seed cannot be rolled at once when ntpd-net was taken over, and whoever reads
// the secret knows the cookies of every member.
#pragma once

#include <cstdint>
#include <string>

#include "keys/server_seeds.h"
#include "privsep/base/result.h"
#include "privsep/base/secret.h"

namespace ntpward::keys {

class FarmSeeds {
 public:
  static constexpr size_t kSecretOctets = 32;

  // `secret`: kSecretOctets octets. `revoke`: log2 of the epoch's seconds, raised to kMinRevoke;
  // all members must have the same.
  FarmSeeds(Secret secret, uint8_t revoke);

  // The seed for new cookies at `unix_now` seconds; never 0.
  uint32_t Newest(int64_t unix_now);
  // All seeds that count then: of the present epoch, of the next, and of those before whose cookies
  // may still be in use (kSeedKeptSeconds). Good until the next call.
  const WipedVector<uint32_t, kMaxSeeds>& Counting(int64_t unix_now);

 private:
  uint32_t SeedOf(int64_t epoch) const;
  void MoveTo(int64_t epoch);

  Secret secret_;
  uint8_t epoch_log2_;
  int64_t epoch_ = -1;  // of `seeds_`
  WipedVector<uint32_t, kMaxSeeds> seeds_;
};

// "1a2b3c4d": the first 32 bits of HMAC-SHA256(`secret`, "ntpward farm fingerprint"), by which
// operators see that the members have one secret. It tells nothing of one that ntp-keygen drew: of
// its 256 bits no more than these can be guessed at. No seed is made from that label.
std::string FarmFingerprint(const Secret& secret);

// The secret out of a farm file: comment lines ('#'), then one line of 64 hexadecimal digits. CRLF,
// blanks and empty lines around it do no harm. An error says what is wrong, not in which file.
Result<Secret> ParseFarmFile(Bytes file);

}  // namespace ntpward::keys
