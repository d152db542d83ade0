// How many requests are held against a new daemon: after deaths, and after `ntpd -q`.
#include "ntpd/supervisor/headway.h"

#include <sys/stat.h>
#include <unistd.h>

#include "ntpd/supervisor/headway_file.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/scratch_directory.h"

namespace ntpward::supervisor {
namespace {

using namespace ntpward::test;

MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }

void ADeadNetsRequestsAreOwed(void**) {
  Headway once;
  assert_true(once.OwedAt(At(5)) == 0);
  // One that lived long was polling slowly.
  once.OnDeath(At(0), At(5000));
  assert_true(once.OwedAt(At(5000)) == 8 && once.OwedAt(At(5009)) == 0);
  // Deaths in a row add up, to what the server allows and no further.
  Headway often;
  double before = 0;
  for (int i = 0; i < 20; ++i) {
    often.OnDeath(At(10 * i), At(10 * i + 5));
    const double owed = often.OwedAt(At(10 * i + 5));
    assert_true(owed >= before && owed <= 58);
    before = owed;
  }
  assert_true(before == 58);
  assert_true(often.OwedAt(At(195 + 58)) == 0);
}

void WhatAnotherDaemonOwedAddsUp(void**) {
  Headway headway;
  headway.Inherit(30, At(100));
  assert_true(headway.OwedAt(At(110)) == 20);
  headway.OnDeath(At(110), At(112));
  assert_true(headway.OwedAt(At(112)) == 20 + 8 + 6);
}

void ASuccessorReadsWhatIsLeft(void** state) {
  const HeadwayFile file(In(state).At("drift"));
  assert_true(file.Read(At(1000)) == 0);
  assert_true(file.Write(40, At(1000)).ok());
  const HeadwayFile successor(In(state).At("drift"));
  assert_true(successor.Read(At(1000)) == 40);
  assert_true(successor.Read(At(1015)) == 25);
  assert_true(successor.Read(At(1041)) == 0);
}

void WhatIsNotOursCostsLittle(void** state) {
  const HeadwayFile file(In(state).At("drift"));
  const std::string path = In(state).At("drift.headway");
  assert_true(file.Write(1e9, At(0)).ok());
  assert_true(file.Read(At(0)) == Headway::kMost);
  const std::string boot = Get(path).substr(0, Get(path).find(' '));
  assert_int_equal(boot.size(), 36);
  for (const std::string& text :
       {std::string(), boot, boot + " ", boot + " x", boot + " -5", boot + " 99999999999999999999",
        std::string("00000000-0000-0000-0000-000000000000 9000000000"), std::string(4096, ' ')}) {
    Put(path, text);
    assert_true(file.Read(At(1)) == 0);
  }
  CHECK(unlink(path.c_str()) == 0 && mkfifo(path.c_str(), 0600) == 0);
  assert_true(file.Read(At(1)) == 0);
}

void NothingIsKeptWithoutADriftFile(void**) {
  const HeadwayFile file("");
  assert_true(file.Read(At(1)) == 0);
  assert_false(file.Write(5, At(1)).ok());
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ADeadNetsRequestsAreOwed),
      cmocka_unit_test(WhatAnotherDaemonOwedAddsUp),
      IN_A_DIRECTORY(ASuccessorReadsWhatIsLeft),
      IN_A_DIRECTORY(WhatIsNotOursCostsLittle),
      cmocka_unit_test(NothingIsKeptWithoutADriftFile),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
