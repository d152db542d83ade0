// The leap second file as the supervisor keeps it: read when it changed, never lost to damage.
#include "ntpd/supervisor/leap_seconds.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "tests/support/cmocka_cc.h"

namespace ntpward::supervisor {
namespace {

namespace fs = std::filesystem;

class Lines : public Logger {
 public:
  void Log(LogLevel, std::string_view line) override { all.emplace_back(line); }
  // Whether one of the lines since the last call holds `text`.
  bool Said(std::string_view text) {
    bool said = false;
    for (const std::string& line : all) said |= line.find(text) != std::string::npos;
    all.clear();
    return said;
  }
  std::vector<std::string> all;
};

struct Fixture {
  std::string directory;
  std::string path;
  Lines log;
  LeapSeconds leap{&log};

  // As an editor or an updater does: aside, then in its place.
  void Put(const std::string& text) const {
    std::ofstream(path + ".new") << text;
    fs::rename(path + ".new", path);
  }
  void Load() {
    config::Files files;
    files.leapfile.value = path;
    files.leapfile_check_hash.value = false;
    leap.Load(files);
  }
};

constexpr const char* kTable = "#@ 8493007200\n3644697600 36\n3692217600 37\n";
constexpr const char* kLater = "#@ 8493007201\n3644697600 36\n3692217600 37\n";
constexpr const char* kExpired = "#@ 3991593600\n3644697600 36\n3692217600 37\n";

int SetUp(void** state) {
  char name[] = "/tmp/leap-test-XXXXXX";
  if (mkdtemp(name) == nullptr) return 1;
  auto* fixture = new Fixture{name, std::string(name) + "/leap", {}};
  *state = fixture;
  return 0;
}

int TearDown(void** state) {
  auto* fixture = static_cast<Fixture*>(*state);
  std::error_code ignored;
  fs::remove_all(fixture->directory, ignored);
  delete fixture;
  return 0;
}

Fixture& In(void** state) { return *static_cast<Fixture*>(*state); }

void ATableIsReadAndSaid(void** state) {
  Fixture& f = In(state);
  f.Put(kTable);
  f.Load();
  assert_true(
      f.log.Said("leap'): loaded, expire=2169-02-17T16:40:00Z last=2017-01-01T00:00:00Z ofs=37"));
  assert_int_equal(f.leap.table().expiry, 8493007200);
  assert_int_equal(f.leap.table().seconds.size(), 2);
  assert_int_equal(f.leap.table().seconds[1].tai, 37);
}

void OnlyAnotherTableIsToldAgain(void** state) {
  Fixture& f = In(state);
  f.Put(kTable);
  f.Load();
  assert_false(f.leap.Refresh());
  f.Put(kTable);
  assert_false(f.leap.Refresh());
  f.Put(kLater);
  assert_true(f.leap.Refresh());
  assert_false(f.leap.Refresh());
}

void DamageLeavesTheTable(void** state) {
  Fixture& f = In(state);
  f.Put(kTable);
  f.Load();
  const auto before = f.leap.table().expiry;
  f.Put("rubbish\n");
  assert_false(f.leap.Refresh());
  assert_true(f.log.Said("/leap:1:1: error: 'rubbish' is not it"));
  f.Load();
  assert_true(f.log.Said("/leap:1:1: error:"));
  fs::remove(f.path);
  assert_false(f.leap.Refresh());
  assert_true(f.log.Said("No such file or directory"));
  assert_int_equal(f.leap.table().expiry, before);
}

void AnotherNameOrNoneForgetsTheTable(void** state) {
  Fixture& f = In(state);
  f.Put(kTable);
  f.Load();
  f.leap.Load(config::Files{});
  assert_true(f.log.Said("leap'): no longer in use, nor its TAI offset"));
  assert_int_equal(f.leap.table().seconds.size(), 0);
  assert_int_equal(f.leap.table().expiry, 0);
  assert_false(f.leap.Refresh());
}

void TheAgeIsSaidEachTime(void** state) {
  Fixture& f = In(state);
  f.Put(kExpired);
  f.Load();
  assert_true(f.log.Said("leap'): expired "));
  assert_false(f.leap.Refresh());
  assert_true(f.log.Said("leap'): expired "));
}

void AMissingHashIsRefusedUnlessIgnored(void** state) {
  Fixture& f = In(state);
  f.Put(kTable);
  config::Files files;
  files.leapfile.value = f.path;
  f.leap.Load(files);
  assert_true(f.log.Said("no hash"));
  assert_int_equal(f.leap.table().seconds.size(), 0);
}

void NothingButARegularFileIsRead(void** state) {
  Fixture& f = In(state);
  assert_int_equal(mkfifo(f.path.c_str(), 0600), 0);
  f.Load();
  assert_true(f.log.Said("is no regular file"));
  fs::remove(f.path);
  fs::create_directory(f.path);
  f.Load();
  assert_true(f.log.Said("is no regular file"));
}

void AHugeFileIsNotReadWhole(void** state) {
  Fixture& f = In(state);
  f.Put("");
  fs::resize_file(f.path, uint64_t{1} << 40);
  f.Load();
  assert_true(f.log.Said("larger than 65536 octets"));
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(ATableIsReadAndSaid, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(OnlyAnotherTableIsToldAgain, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(DamageLeavesTheTable, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(AnotherNameOrNoneForgetsTheTable, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(TheAgeIsSaidEachTime, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(AMissingHashIsRefusedUnlessIgnored, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(NothingButARegularFileIsRead, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(AHugeFileIsNotReadWhole, SetUp, TearDown),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
