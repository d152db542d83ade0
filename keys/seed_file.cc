#include "keys/seed_file.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "keys/openssl.h"
#include "privsep/base/bytes.h"
#include "privsep/base/secret.h"

namespace ntpward::keys {
namespace {

constexpr std::string_view kMagic = "NTPWSEED";
constexpr uint8_t kVersion = 1;
// A slot is one sector, in a block of its own.
constexpr size_t kSlotSize = 512;
constexpr off_t kSlotDistance = 4096;
constexpr size_t kChecksum = 32;
constexpr size_t kFarmBits = kSlotSize - kChecksum - 8;
static_assert(kMaxSeeds <= 64);

using Slot = std::array<uint8_t, kSlotSize>;

void PutChecksum(Slot* slot) {
  const size_t covered = kSlotSize - kChecksum;
  size_t size = 0;
  CHECK(EVP_Q_digest(nullptr, "SHA256", nullptr, slot->data(), covered, slot->data() + covered,
                     &size) == 1 &&
        size == kChecksum);
}

Slot Encode(const SeedRecord& record) {
  Slot slot{};
  Writer writer(slot);
  writer.Put(AsBytes(kMagic));
  writer.U8(kVersion);
  writer.Zeros(3);
  writer.U64(record.sequence);
  writer.U32(record.written.value);
  writer.U32(static_cast<uint32_t>(record.entries.size()));
  uint64_t farm = 0;
  for (size_t i = 0; i < record.entries.size(); ++i) {
    const SeedRecord::Entry& entry = record.entries[i];
    writer.U32(entry.seed), writer.U32(entry.age);
    if (entry.origin == SeedOrigin::kFarm) farm |= uint64_t{1} << i;
  }
  CHECK(writer.size() <= kFarmBits);
  writer.Zeros(kFarmBits - writer.size());
  writer.U64(farm);
  PutChecksum(&slot);
  return slot;
}

std::optional<SeedRecord> Decode(const Slot& slot) {
  Slot again = slot;
  PutChecksum(&again);
  const bool whole = again == slot;
  Wipe(again);
  Reader reader(slot);
  if (!whole || AsText(reader.Take(kMagic.size())) != kMagic || reader.U8() != kVersion)
    return std::nullopt;
  reader.Skip(3);
  SeedRecord record;
  record.sequence = reader.U64();
  record.written = {reader.U32()};
  const uint32_t count = reader.U32();
  const uint64_t farm = Reader(Bytes(slot).subspan(kFarmBits)).U64();
  for (uint32_t i = 0; i < count; ++i) {
    SeedRecord::Entry entry;
    entry.seed = reader.U32();
    entry.age = reader.U32();
    if (i < 64 && (farm >> i & 1) != 0) entry.origin = SeedOrigin::kFarm;
    if (reader.failed() || !record.entries.Push(entry)) return std::nullopt;
  }
  return record;
}

std::optional<SeedRecord> ReadSlot(int fd, off_t offset) {
  Slot slot{};
  if (pread(fd, slot.data(), slot.size(), offset) != static_cast<ssize_t>(slot.size()))
    return std::nullopt;
  auto record = Decode(slot);
  Wipe(slot);
  return record;
}

}  // namespace

std::optional<SeedRecord> SeedFile::Load() const {
  auto first = ReadSlot(fd_.get(), 0), second = ReadSlot(fd_.get(), kSlotDistance);
  if (!first || (second && second->sequence > first->sequence)) return second;
  return first;
}

Status SeedFile::Store(const SeedRecord& record) const {
  Slot slot = Encode(record);
  const off_t offset = record.sequence % 2 == 0 ? 0 : kSlotDistance;
  const ssize_t written = pwrite(fd_.get(), slot.data(), slot.size(), offset);
  Wipe(slot);
  if (written != static_cast<ssize_t>(kSlotSize))
    return Fail("server seed file: write: " +
                std::string(written < 0 ? strerror(errno) : "too short"));
  if (fdatasync(fd_.get()) != 0) return Fail("server seed file: " + std::string(strerror(errno)));
  return {};
}

bool SeedFile::HasContent() const {
  uint8_t octet = 0;
  return pread(fd_.get(), &octet, 1, 0) == 1;
}

}  // namespace ntpward::keys
