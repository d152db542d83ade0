// What the key process holds while it serves: its material, seeds, cookies and open challenges.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "keys/farm_seeds.h"
#include "keys/key_list.h"
#include "keys/key_material.h"
#include "keys/seed_guesses.h"
#include "keys/server_seeds.h"
#include "keys/time_source.h"
#include "keys/unix_time.h"

namespace ntpward::keys {

// More associations than any host has; bounds what net can make us keep. Of all of them at once the
// cookies fit the locked heap: see key_state.cc.
inline constexpr size_t kMaxAssociations = 1024;

// A challenge that waits for its one answer.
struct OpenChallenge {
  size_t group = 0;  // index into HostKeys::groups
  std::vector<uint8_t> octets;
};

// The cookie of a symmetric association: ours joined with the peer's by exclusive or. It is in
// force once the peer was given our half: from then on it uses what it has agreed with us.
struct PeerCookie {
  uint32_t ours = 0;
  std::optional<uint32_t> agreed;
  bool told = false;
};

struct OwnList {
  msg::KeyListUse use = msg::KeyListUse::kBroadcast;
  KeyList list;
};

// What another host announced, for packets on this path.
struct AcceptedList {
  msg::KeyListUse use = msg::KeyListUse::kBroadcast;
  AddressPair path;
  KeySequence sequence;
};

// A key that signed before a reload put another in its place: hosts that have proved it go by its
// signatures until they have proved the other.
struct Elder {
  PkeyPtr key;
  Signer signer;  // with it
  MonoTime until;
};

struct KeyState {
  KeyState(KeyMaterial loaded, TimeSource* clock)
      : material(std::move(loaded)), time(clock), seeds(material.revoke) {
    if (!material.farm_secret.empty())
      farm.emplace(std::move(material.farm_secret), material.revoke);
  }

  // Continues the seeds of the state file or starts new ones; tells the operator what was odd.
  std::vector<std::string> OpenSeeds();
  // Makes a new seed when one is due, or when `force`. In a farm the time alone decides: its seed
  // must stay that of the other members. An error: it could not be kept on disk.
  Status RollSeed(bool force);
  // Writes the seeds' ages by the system's clock of now, which has just become right.
  Status KeepSeeds();

  // Shows `is_it` the seeds under which a client's request may be sealed until it says yes; in a
  // farm also those that other members use. Number `guess` comes first, if there is one, then the
  // others, the newest first. `guess` becomes the number of that found. False when none is.
  template <typename F>
  bool FindSeed(uint8_t* guess, F is_it);

  // The time to put into signed values: 0 when net says that the host is not synchronised; the
  // system's own with a real clock, because net could lie; net's with a virtual one.
  NtpSeconds Now(NtpSeconds claimed) const;

  // What was kept for this association of net, or for all.
  void Forget(AssocId association);
  void ForgetAll();
  // What keys of a list are hashed with, and packets without fields sealed: 0 before a peer has our
  // half of the cookie; none while it has that and we have not its own.
  std::optional<uint32_t> PrivateValue(msg::KeyListUse use, AssocId association) const;

  // The replaced key of that place, 1 the newest; null for 0, and when it is not there any more.
  const Elder* ElderOf(uint8_t elder) const;
  // What to sign a list or an answer with, as KeyListMake has it. There is a host.
  const Signer& SignerOf(uint8_t elder) const;

  // Made at first, with a random half of ours; null when there are too many.
  PeerCookie* PeerCookieOf(AssocId association);

  int64_t UnixNow() const { return UnixFromNtp({time->System().seconds()}); }
  // The seed for new cookies from now on.
  uint32_t Fresh();
  SeedOrigin Origin() const { return farm ? SeedOrigin::kFarm : SeedOrigin::kOwn; }
  // Seeds of a farm count as long as the configuration has it.
  void EndLeftFarm(std::vector<std::string>* odd);

  KeyMaterial material;
  TimeSource* time;
  ServerSeeds seeds;
  SeedGuesses guesses;            // of clients
  std::optional<FarmSeeds> farm;  // when this server is a member of one
  NtpSeconds signature_update;    // when the host's values were signed last; 0: never

  template <typename V>
  using LockedMap =
      std::map<AssocId, V, std::less<AssocId>, LockedAllocator<std::pair<const AssocId, V>>>;
  LockedMap<uint32_t> cookies;         // of our associations as client
  LockedMap<PeerCookie> peer_cookies;  // ... and of symmetric ones
  // In ordinary memory, and wiped: what identifiers hide until they are sent is found from the
  // announcement in seconds, and so many of them would fill the locked heap.
  std::map<AssocId, OwnList> own_lists;
  std::map<AssocId, AcceptedList> accepted_lists;
  std::map<AssocId, OpenChallenge> challenges;
  std::vector<Elder> elders;  // newest first, at most msg::kMaxElders
};

template <typename F>
bool KeyState::FindSeed(uint8_t* guess, F is_it) {
  const size_t own = seeds.Count(time->Monotonic());
  const auto* others = farm ? &farm->Counting(UnixNow()) : nullptr;
  const size_t all = own + (others != nullptr ? others->size() : 0);
  const auto is_number = [&](size_t i) {
    if (i < own) return is_it(seeds.At(i));
    const uint32_t seed = (*others)[i - own];
    return !seeds.Holds(seed, own) && is_it(seed);
  };
  const size_t first = *guess;
  if (first < all && is_number(first)) return true;
  for (size_t i = 0; i < all; ++i) {
    if (i == first || !is_number(i)) continue;
    *guess = static_cast<uint8_t>(i);
    return true;
  }
  return false;
}

}  // namespace ntpward::keys
