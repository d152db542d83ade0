#include "keys/key_state.h"

#include <openssl/rand.h>

#include <array>

namespace ntpward::keys {
namespace {

// Not 0: that is what everybody knows.
uint32_t DrawSeed() {
  uint32_t seed = 0;
  while (seed == 0) {
    std::array<uint8_t, 4> octets{};
    CHECK(RAND_priv_bytes(octets.data(), octets.size()) == 1);
    seed = Reader(octets).U32();
    Wipe(octets);
  }
  return seed;
}

}  // namespace

std::vector<std::string> KeyState::OpenSeeds() {
  std::vector<std::string> odd;
  const NtpSeconds wall{time->System().seconds()};
  const auto& file = material.seed_file;
  if (file) {
    const auto record = file->Load();
    if (record && seeds.Restore(*record, time->Monotonic(), wall)) return odd;
    if (!record && file->HasContent())
      odd.push_back("the server seed file is damaged: clients have to fetch new cookies");
  } else {
    odd.push_back(
        "there is no server seed file: clients have to fetch new cookies after each restart");
  }
  seeds.StartNew(time->Monotonic(), DrawSeed());
  if (const Status kept = KeepSeeds(); !kept.ok()) odd.push_back(kept.error().text);
  return odd;
}

Status KeyState::RollSeed(bool force) {
  if (!material.host || (!force && !seeds.RollIsDue(time->Monotonic()))) return {};
  seeds.Roll(time->Monotonic(), DrawSeed());
  return KeepSeeds();
}

Status KeyState::KeepSeeds() {
  if (!material.seed_file) return {};
  return material.seed_file->Store(seeds.NextRecord(time->Monotonic(), {time->System().seconds()}));
}

NtpSeconds KeyState::Now(NtpSeconds claimed) const {
  if (claimed.value == 0 || material.virtual_clock) return claimed;
  return {time->System().seconds()};
}

}  // namespace ntpward::keys
