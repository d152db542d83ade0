// Server seeds: rolled in time, kept as long as a cookie can live, and never lost to a torn write.
#include "keys/server_seeds.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <new>
#include <vector>

#include "keys/seed_file.h"
#include "privsep/base/token_bucket.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

constexpr double kLifetime = 524288.0;  // 2^19 s
const NtpSeconds kWall{4004300000U};

MonoTime At(double seconds) { return MonoTime::FromSeconds(1000000.0 + seconds); }

bool Holds(const ServerSeeds& seeds, MonoTime now, uint32_t seed) {
  for (size_t i = 0; i < seeds.Count(now); ++i)
    if (seeds.At(i) == seed) return true;
  return false;
}

void RollsEvery2ToTheRevoke(void**) {
  ServerSeeds seeds(17);
  assert_true(seeds.RollIsDue(At(0)));
  seeds.StartNew(At(0), 1);
  assert_false(seeds.RollIsDue(At(131071)));
  assert_true(seeds.RollIsDue(At(131072)));
  seeds.Roll(At(131072), 2);
  assert_int_equal(seeds.newest(), 2);
  assert_false(seeds.RollIsDue(At(131073)));
}

// A cookie that was made just before a roll lives 2^19 s longer than its seed was the newest.
void ReplacedSeedsCountAsLongAsTheirCookies(void**) {
  for (const int revoke : {3, 14, 17, 20, 31}) {
    ServerSeeds seeds(static_cast<uint8_t>(revoke));
    seeds.StartNew(At(0), 1000);
    uint32_t next = 1001;
    double now = 0;
    std::vector<std::pair<uint32_t, double>> replaced;
    for (int i = 0; i < 300; ++i) {
      now += 4096;
      if (!seeds.RollIsDue(At(now))) continue;
      replaced.push_back({seeds.newest(), now});
      seeds.Roll(At(now), next++);
    }
    for (const auto& [seed, since] : replaced) {
      if (now - since <= kLifetime) assert_true(Holds(seeds, At(now), seed));
      if (now - since > kSeedKeptSeconds) assert_false(Holds(seeds, At(now), seed));
    }
    assert_true(seeds.Count(At(now)) <= kMaxSeeds);
  }
}

void ForcedRollsNeverOverflow(void**) {
  ServerSeeds seeds(17);
  seeds.StartNew(At(0), 1);
  for (uint32_t i = 2; i < 500; ++i) seeds.Roll(At(i), i);
  assert_int_equal(seeds.newest(), 499);
  assert_int_equal(seeds.Count(At(500)), kMaxSeeds);
}

void TheReferencesZeroCountsAtFirstOnly(void**) {
  ServerSeeds seeds(17);
  seeds.StartNew(At(0), 77);
  assert_false(Holds(seeds, At(0), 0));
  seeds.SucceedReference(At(0));
  assert_int_equal(seeds.newest(), 77);
  assert_true(Holds(seeds, At(kLifetime), 0));
  assert_false(Holds(seeds, At(kSeedKeptSeconds + 1), 0));
}

void SeedsSurviveARestart(void**) {
  ServerSeeds before(17);
  before.StartNew(At(0), 1);
  before.Roll(At(140000), 2);
  const SeedRecord record = before.NextRecord(At(150000), kWall);
  ServerSeeds after(17);
  // Another boot: the monotonic clock began anew; 100 s went by.
  assert_true(after.Restore(record, MonoTime::FromSeconds(5), {kWall.value + 100}));
  assert_int_equal(after.newest(), 2);
  assert_true(Holds(after, MonoTime::FromSeconds(5), 1));
  assert_false(after.RollIsDue(MonoTime::FromSeconds(5)));
  assert_true(after.RollIsDue(MonoTime::FromSeconds(5 + 131072 - 10100)));
  assert_false(Holds(after, MonoTime::FromSeconds(5 + kSeedKeptSeconds), 1));
}

void AClockThatWentBackwardsCostsNoSeed(void**) {
  ServerSeeds before(17);
  before.StartNew(At(0), 1);
  const SeedRecord record = before.NextRecord(At(10), kWall);
  ServerSeeds after(17);
  assert_true(after.Restore(record, At(0), {kWall.value - 1000000000U}));
  assert_int_equal(after.newest(), 1);
}

void SeedsThatAgedTooLongAreNotRestored(void**) {
  ServerSeeds before(17);
  before.StartNew(At(0), 1);
  const SeedRecord record = before.NextRecord(At(10), kWall);
  ServerSeeds after(17);
  assert_false(after.Restore(record, At(0), {kWall.value + 3000000U}));
  assert_true(after.RollIsDue(At(0)));
  assert_false(after.Restore(SeedRecord{}, At(0), kWall));
}

constexpr uint32_t kMark = 0x5eedf00d;

// Whether `kMark` is left where a T was that `fill` had put it into.
template <typename T, typename... A>
bool IsLeftBehind(void (*fill)(T*), A... arguments) {
  alignas(T) std::array<uint8_t, sizeof(T)> memory{};
  T* object = new (memory.data()) T(arguments...);
  fill(object);
  object->~T();
  const uint32_t mark = kMark;
  const auto* octets = reinterpret_cast<const uint8_t*>(&mark);  // NOLINT
  return std::search(memory.begin(), memory.end(), octets, octets + 4) != memory.end();
}

void SeedsAreOverwrittenWhenTheyGo(void**) {
  assert_false(IsLeftBehind<SeedRecord>([](SeedRecord* r) { CHECK(r->entries.Push({kMark, 1})); }));
  assert_false(IsLeftBehind<ServerSeeds>(
      [](ServerSeeds* seeds) {
        seeds->StartNew(At(0), kMark);
        seeds->Roll(At(1), 2);
      },
      uint8_t{17}));
}

struct TempFile {
  TempFile() {
    char name[] = "/tmp/ntpward_seed_XXXXXX";
    fd = mkstemp(name);
    CHECK(fd >= 0);
    path = name;
  }
  ~TempFile() {
    unlink(path.c_str());
    close(fd);
  }
  SeedFile Open() const { return SeedFile(UniqueFd(open(path.c_str(), O_RDWR | O_CLOEXEC))); }
  int fd;
  std::string path;
};

SeedRecord RecordOf(uint64_t sequence, size_t seeds) {
  SeedRecord record;
  record.sequence = sequence;
  record.written = kWall;
  for (size_t i = 0; i < seeds; ++i)
    CHECK(record.entries.Push({static_cast<uint32_t>(sequence * 1000 + i), static_cast<uint32_t>(i),
                               i % 3 == 1 ? SeedOrigin::kFarm : SeedOrigin::kOwn}));
  return record;
}

void ANewFileHoldsNothing(void**) {
  TempFile file;
  assert_false(file.Open().Load().has_value());
  assert_false(file.Open().HasContent());
}

void TheLaterRecordIsRead(void**) {
  TempFile file;
  for (uint64_t sequence = 1; sequence <= 5; ++sequence) {
    assert_true(file.Open().Store(RecordOf(sequence, kMaxSeeds)).ok());
    const auto read = file.Open().Load();
    assert_true(read.has_value());
    assert_true(read->sequence == sequence);
    assert_int_equal(read->entries.size(), kMaxSeeds);
    assert_int_equal(read->entries[3].seed, sequence * 1000 + 3);
    assert_int_equal(read->entries[3].age, 3);
    for (size_t i = 0; i < kMaxSeeds; ++i)
      assert_true((read->entries[i].origin == SeedOrigin::kFarm) == (i % 3 == 1));
  }
  assert_true(file.Open().HasContent());
}

// Whatever part of the last write reached the disk, a whole record is found: the last or the one
// before.
void ATornWriteFallsBackToTheRecordBefore(void**) {
  TempFile file;
  assert_true(file.Open().Store(RecordOf(6, 3)).ok());
  assert_true(file.Open().Store(RecordOf(7, 3)).ok());
  uint8_t before[512], after[512];
  assert_int_equal(pread(file.fd, before, sizeof before, 0), 512);  // sequence 6: what 8 overwrites
  assert_true(file.Open().Store(RecordOf(8, 4)).ok());
  assert_int_equal(pread(file.fd, after, sizeof after, 0), 512);
  for (size_t cut = 0; cut <= 512; ++cut) {
    uint8_t torn[512];
    for (size_t i = 0; i < 512; ++i) torn[i] = i < cut ? after[i] : before[i];
    assert_int_equal(pwrite(file.fd, torn, sizeof torn, 0), 512);
    const auto read = file.Open().Load();
    assert_true(read.has_value());
    assert_true(read->sequence == 8 || read->sequence == 7);
    if (cut == 512) assert_true(read->sequence == 8);
  }
}

void ADamagedFileHoldsNothing(void**) {
  TempFile file;
  assert_true(file.Open().Store(RecordOf(1, 2)).ok());
  assert_true(file.Open().Store(RecordOf(2, 2)).ok());
  for (const off_t at : {off_t{100}, off_t{4096 + 511}}) {
    uint8_t octet = 0;
    assert_int_equal(pread(file.fd, &octet, 1, at), 1);
    octet ^= 1;
    assert_int_equal(pwrite(file.fd, &octet, 1, at), 1);
  }
  assert_false(file.Open().Load().has_value());
  assert_true(file.Open().HasContent());
}

void EveryTruncationIsHarmless(void**) {
  TempFile file;
  assert_true(file.Open().Store(RecordOf(2, 2)).ok());
  for (off_t size = 511; size >= 0; size -= 7) {
    assert_int_equal(ftruncate(file.fd, size), 0);
    assert_false(file.Open().Load().has_value());
  }
}

void AReadOnlyFileIsAnError(void**) {
  TempFile file;
  const SeedFile seeds(UniqueFd(open(file.path.c_str(), O_RDONLY | O_CLOEXEC)));
  assert_false(seeds.Store(RecordOf(1, 1)).ok());
}

void TokensComeBackAtTheirRate(void**) {
  TokenBucket bucket(10, 3);
  for (int i = 0; i < 3; ++i) assert_true(bucket.Take(At(0)));
  assert_false(bucket.Take(At(0)));
  assert_false(bucket.Take(At(0.05)));
  assert_true(bucket.Take(At(0.11)));
  assert_false(bucket.Take(At(0.11)));
  assert_false(bucket.Take(At(0)));  // time went backwards
  for (int i = 0; i < 3; ++i) assert_true(bucket.Take(At(100)));
  assert_false(bucket.Take(At(100)));
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(RollsEvery2ToTheRevoke),
      cmocka_unit_test(ReplacedSeedsCountAsLongAsTheirCookies),
      cmocka_unit_test(ForcedRollsNeverOverflow),
      cmocka_unit_test(TheReferencesZeroCountsAtFirstOnly),
      cmocka_unit_test(SeedsSurviveARestart),
      cmocka_unit_test(AClockThatWentBackwardsCostsNoSeed),
      cmocka_unit_test(SeedsThatAgedTooLongAreNotRestored),
      cmocka_unit_test(SeedsAreOverwrittenWhenTheyGo),
      cmocka_unit_test(ANewFileHoldsNothing),
      cmocka_unit_test(TheLaterRecordIsRead),
      cmocka_unit_test(ATornWriteFallsBackToTheRecordBefore),
      cmocka_unit_test(ADamagedFileHoldsNothing),
      cmocka_unit_test(EveryTruncationIsHarmless),
      cmocka_unit_test(AReadOnlyFileIsAnError),
      cmocka_unit_test(TokensComeBackAtTheirRate),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
