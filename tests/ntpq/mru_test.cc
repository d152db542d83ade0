// The server's list of clients, piece by piece: what is new ends up in it, and nothing keeps us.
#include "ntpq/mru.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq {
namespace {

std::string Row(int index, const std::string& address, const std::string& last) {
  const std::string n = "." + std::to_string(index) + "=";
  return "addr" + n + address + ":123, last" + n + "0x" + last + ".00000000, first" + n +
         "0xee000000.00000000, ct" + n + "2, mv" + n + "35, rs" + n + "0, ";
}

void TakesRowsUntilTheServerSaysNow(void**) {
  MruList list;
  assert_true(
      list.Take("nonce=abc, " + Row(0, "10.0.0.1", "ee000001") + Row(1, "10.0.0.2", "ee000002")));
  assert_string_equal(list.nonce().c_str(), "abc");
  assert_int_equal(list.size(), 2);
  assert_false(list.complete());
  assert_true(list.Take(Row(0, "10.0.0.1", "ee000003") + "now=0xee000004.00000000"));
  assert_true(list.complete());
  assert_int_equal(list.size(), 2);
  assert_int_equal(list.updates(), 1);
}

// A server that sends the same three entries again and again kept us for ten minutes.
void EntriesThatAreKnownAreNoProgress(void**) {
  MruList list;
  const std::string same = Row(0, "10.0.0.1", "ee000001") + Row(1, "10.0.0.2", "ee000002");
  assert_true(list.Take(same));
  assert_false(list.Take(same));
}

void AnEntryThatWentBackIsNoProgress(void**) {
  MruList list;
  assert_true(list.Take(Row(0, "10.0.0.1", "ee000005")));
  assert_false(list.Take(Row(0, "10.0.0.1", "ee000004")));
}

void AnAnswerWithoutRowsIsNoProgress(void**) {
  MruList list;
  assert_false(list.Take("nonce=abc"));
  assert_false(list.Take(""));
}

void GoesOnBehindTheNewest(void**) {
  MruList list;
  assert_true(list.Take(Row(0, "10.0.0.1", "ee000001") + Row(1, "10.0.0.2", "ee000002")));
  assert_string_equal(list.Position(400).c_str(),
                      ", addr.0=10.0.0.2:123, last.0=0xee000002.00000000"
                      ", addr.1=10.0.0.1:123, last.1=0xee000001.00000000");
  assert_true(list.StepBack());
  assert_string_equal(list.Position(400).c_str(), "");
  assert_false(list.StepBack());
}

}  // namespace
}  // namespace ntpward::ntpq

int main() {
  using namespace ntpward::ntpq;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TakesRowsUntilTheServerSaysNow),
      cmocka_unit_test(EntriesThatAreKnownAreNoProgress),
      cmocka_unit_test(AnEntryThatWentBackIsNoProgress),
      cmocka_unit_test(AnAnswerWithoutRowsIsNoProgress),
      cmocka_unit_test(GoesOnBehindTheNewest),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
