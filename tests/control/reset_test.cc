// `reset` by mode 6: which counters a line names.
#include "ntpd/control/reset.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::control {
namespace {

void EachGroupIsKnown(void**) {
  const auto all = ParseReset("reset allpeers auth\tctl io  sys timer");
  assert_true(all.ok() && all->peers && all->keys && all->control && all->io && all->system &&
              all->timer);
  // All groups of the reference in one line are no error.
  const auto its = ParseReset("reset auth ctl io mem sys timer");
  assert_true(its.ok() && its->keys && its->timer && !its->peers);
  const auto none = ParseReset("reset mem");
  assert_true(none.ok() && !none->keys && !none->control && !none->io && !none->system);
  const auto one = ParseReset("reset io ");
  assert_true(one.ok() && one->io && !one->peers && !one->keys && !one->control && !one->system &&
              !one->timer);
}

void OtherWordsAreRefusedAtTheirColumn(void**) {
  const std::pair<const char*, size_t> rows[] = {
      {"reset", 5},      {"reset ", 6}, {"reset memory", 6}, {"reset sys  Io", 11},
      {"resets sys", 0}, {"", 0},       {"sys", 0}};
  for (const auto& [line, column] : rows) {
    const auto groups = ParseReset(line);
    assert_true(!groups.ok() && groups.error() == column);
  }
  assert_true(IsReset("reset") && IsReset("reset x") && !IsReset("resets") && !IsReset(""));
}

void EveryPrefixIsJudged(void**) {
  const std::string_view line = "reset allpeers sys";
  for (size_t size = 0; size <= line.size(); ++size) {
    const auto groups = ParseReset(line.substr(0, size));
    if (!groups.ok()) assert_true(groups.error() <= size);
  }
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EachGroupIsKnown),
      cmocka_unit_test(OtherWordsAreRefusedAtTheirColumn),
      cmocka_unit_test(EveryPrefixIsJudged),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
