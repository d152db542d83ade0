#include "keys/key_state.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <bit>

#include "keys/crypto_setup.h"

namespace ntpward::keys {
namespace {

// Not that which everybody knows.
uint32_t DrawSeed() {
  uint32_t seed = kReferenceSeed;
  while (seed == kReferenceSeed) {
    std::array<uint8_t, 4> octets{};
    CHECK(RAND_priv_bytes(octets.data(), octets.size()) == 1);
    seed = Reader(octets).U32();
    Wipe(octets);
  }
  return seed;
}

// What OpenSSL's locked heap takes for one entry of a map: powers of two. A node of the tree has
// three pointers and a colour beside its value.
template <typename V>
constexpr size_t LockedNode() {
  return std::bit_ceil(4 * sizeof(void*) + sizeof(std::pair<const AssocId, V>));
}
// A full heap is Fatal, and net says what is kept. The other part is for the private keys.
static_assert(kMaxAssociations * (LockedNode<uint32_t>() + LockedNode<PeerCookie>()) <=
              kLockedHeapSize / 2);

}  // namespace

std::vector<std::string> KeyState::OpenSeeds() {
  std::vector<std::string> odd;
  const NtpSeconds wall{time->System().seconds()};
  const auto& file = material.seed_file;
  const bool first_start = file && !file->HasContent();
  if (file) {
    const auto record = file->Load();
    if (record && seeds.Restore(*record, time->Monotonic(), wall)) {
      EndLeftFarm(&odd);
      return odd;
    }
    if (!record && !first_start)
      odd.push_back("the server seed file is damaged: clients have to fetch new cookies");
  } else {
    odd.push_back(
        "there is no server seed file: clients have to fetch new cookies after each restart");
  }
  seeds.StartNew(time->Monotonic(), Fresh(), Origin());
  if (first_start) seeds.SucceedReference(time->Monotonic());
  if (const Status kept = KeepSeeds(); !kept.ok()) odd.push_back(kept.error().text);
  return odd;
}

Status KeyState::RollSeed(bool force) {
  if (!material.host) return {};
  const MonoTime now = time->Monotonic();
  const bool due = farm ? seeds.newest() != farm->Newest(UnixNow()) : force || seeds.RollIsDue(now);
  if (!due) return {};
  seeds.Roll(now, Fresh(), Origin());
  return KeepSeeds();
}

uint32_t KeyState::Fresh() { return farm ? farm->Newest(UnixNow()) : DrawSeed(); }

// Whoever has the farm's secret knows the cookies that were made here, and perhaps that is why.
void KeyState::EndLeftFarm(std::vector<std::string>* odd) {
  if (farm || !seeds.LeaveFarm(DrawSeed)) return;
  odd->push_back("this server has left its farm: its clients have to fetch new cookies");
  if (const Status kept = KeepSeeds(); !kept.ok()) odd->push_back(kept.error().text);
}

Status KeyState::KeepSeeds() {
  if (!material.seed_file) return {};
  return material.seed_file->Store(seeds.NextRecord(time->Monotonic(), {time->System().seconds()}));
}

void KeyState::Forget(AssocId association) {
  cookies.erase(association);
  peer_cookies.erase(association);
  own_lists.erase(association);
  accepted_lists.erase(association);
  challenges.erase(association);
}

void KeyState::ForgetAll() {
  cookies.clear();
  peer_cookies.clear();
  own_lists.clear();
  accepted_lists.clear();
  challenges.clear();
}

PeerCookie* KeyState::PeerCookieOf(AssocId association) {
  const auto found = peer_cookies.find(association);
  if (found != peer_cookies.end()) return &found->second;
  if (peer_cookies.size() >= kMaxAssociations) return nullptr;
  return &peer_cookies.emplace(association, PeerCookie{DrawSeed(), std::nullopt, false})
              .first->second;
}

std::optional<uint32_t> KeyState::PrivateValue(msg::KeyListUse use, AssocId association) const {
  if (use == msg::KeyListUse::kBroadcast) return 0;
  const auto cookie = peer_cookies.find(association);
  if (cookie == peer_cookies.end() || !cookie->second.told) return 0;
  return cookie->second.agreed;
}

const Elder* KeyState::ElderOf(uint8_t elder) const {
  const bool known =
      elder != 0 && elder <= elders.size() && time->Monotonic() < elders[elder - size_t{1}].until;
  return known ? &elders[elder - size_t{1}] : nullptr;
}

const Signer& KeyState::SignerOf(uint8_t elder) const {
  const Elder* known = ElderOf(elder);
  return known != nullptr ? known->signer : *material.host->signer;
}

NtpSeconds KeyState::Now(NtpSeconds claimed) const {
  if (claimed.value == 0 || material.virtual_clock) return claimed;
  return {time->System().seconds()};
}

}  // namespace ntpward::keys
