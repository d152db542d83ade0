// All of a change to the keys directory, or nothing of it.
#include "keys/key_change.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/keys/workshop.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using test::Workshop;

struct Site {
  Workshop w;
  KeyDirectory directory = std::move(KeyDirectory::Open(w.path)).value();

  // A link, a plain file, and nothing under the third name.
  Site() {
    w.Put("host.1", "old host");
    CHECK(symlink("host.1", (w.path + "/host").c_str()) == 0);
    w.Put("plain", "an operator's own");
  }
  Status Prepare(KeyChange* change) {
    for (const char* name : {"host.2", "plain.2", "cert.2"})
      TRY_VOID(change->WriteNew(name, "new", 0600));
    assert_false(TRY(change->PrepareLink("host", "host.2", "host.saved")));
    assert_true(TRY(change->PrepareLink("plain", "plain.2", "plain.saved")));
    assert_false(TRY(change->PrepareLink("cert", "cert.2", "cert.saved")));
    return {};
  }
};

void NothingMovesBeforeTheCommit(void**) {
  Site s;
  KeyChange change(s.directory);
  assert_true(s.Prepare(&change).ok());
  assert_string_equal(s.w.Link("host").c_str(), "host.1");
  assert_string_equal(s.w.Text("plain").c_str(), "an operator's own");
  assert_false(s.directory.Exists("cert"));
}

void ACommitMovesAllLinksAndLeavesNothingElse(void**) {
  Site s;
  {
    KeyChange change(s.directory);
    assert_true(s.Prepare(&change).ok());
    assert_true(change.Commit().ok());
  }
  const std::vector<std::string> names = {"cert",   "cert.2", "host",    "host.1",
                                          "host.2", "plain",  "plain.2", "plain.saved"};
  assert_true(s.w.Names() == names);
  assert_string_equal(s.w.Link("host").c_str(), "host.2");
  assert_string_equal(s.w.Link("plain").c_str(), "plain.2");
  assert_string_equal(s.w.Link("cert").c_str(), "cert.2");
  assert_string_equal(s.w.Text("plain.saved").c_str(), "an operator's own");
}

void AChangeThatIsGivenUpLeavesNoTrace(void**) {
  Site s;
  const auto before = s.w.Contents();
  {
    KeyChange change(s.directory);
    assert_true(s.Prepare(&change).ok());
  }
  assert_true(s.w.Contents() == before);
  assert_string_equal(s.w.Link("host").c_str(), "host.1");
}

// The last of the moves fails: those before it are taken back.
void AFailedMoveTakesTheEarlierOnesBack(void**) {
  Site s;
  const auto before = s.w.Contents();
  KeyChange change(s.directory);
  assert_true(s.Prepare(&change).ok());
  const std::string in_the_way = s.w.path + "/cert";
  assert_int_equal(mkdir(in_the_way.c_str(), 0700), 0);
  const Status committed = change.Commit();
  assert_false(committed.ok());
  assert_true(committed.error().text.starts_with("cert: "));
  assert_int_equal(rmdir(in_the_way.c_str()), 0);
  assert_true(s.w.Contents() == before);
  assert_string_equal(s.w.Link("host").c_str(), "host.1");
  assert_string_equal(s.w.Link("plain").c_str(), "");
}

void TheFirstMoveOfAllCanBeTakenBackToNothing(void**) {
  Workshop w;
  const KeyDirectory directory = std::move(KeyDirectory::Open(w.path)).value();
  KeyChange change(directory);
  assert_true(change.WriteNew("a.1", "new", 0600).ok());
  assert_true(change.PrepareLink("a", "a.1", "a.saved").ok());
  assert_true(change.PrepareLink("b", "a.1", "b.saved").ok());
  assert_int_equal(mkdir((w.path + "/b").c_str(), 0700), 0);
  assert_false(change.Commit().ok());
  assert_int_equal(rmdir((w.path + "/b").c_str()), 0);
  assert_true(w.Names().empty());
}

void ANameThatIsTakenIsLeftAlone(void**) {
  Site s;
  const auto before = s.w.Contents();
  {
    KeyChange change(s.directory);
    assert_true(change.WriteNew("new", "new", 0600).ok());
    assert_false(change.WriteNew("host.1", "new", 0600).ok());
    // Nor is a plain file lost under a saved name that somebody has.
    assert_false(change.PrepareLink("plain", "new", "host.1").ok());
  }
  assert_true(s.w.Contents() == before);
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NothingMovesBeforeTheCommit),
      cmocka_unit_test(ACommitMovesAllLinksAndLeavesNothingElse),
      cmocka_unit_test(AChangeThatIsGivenUpLeavesNoTrace),
      cmocka_unit_test(AFailedMoveTakesTheEarlierOnesBack),
      cmocka_unit_test(TheFirstMoveOfAllCanBeTakenBackToNothing),
      cmocka_unit_test(ANameThatIsTakenIsLeftAlone),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
