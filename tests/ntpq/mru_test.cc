// The server's list of clients, piece by piece: what is new ends up in it, and nothing keeps us.
#include "ntpq/mru.h"

#include <cstdio>

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

// It has one row for each address; what was sent last counts.
void AClientThatAsksFromAnotherPortIsTheSame(void**) {
  MruList list;
  assert_true(list.Take(Row(0, "10.0.0.1", "ee000001")));
  std::string moved = Row(0, "10.0.0.1", "ee000002");
  moved.replace(moved.find(":123"), 4, ":999");
  assert_true(list.Take(moved));
  assert_int_equal(list.size(), 1);
  assert_int_equal(list.entries()[0].client.port, 999);
  assert_string_equal(list.Position(400).c_str(),
                      ", addr.0=10.0.0.1:999, last.0=0xee000002.00000000");
}

// The server looks at so many rows for one answer; its nonce says where it stopped.
void AnAnswerWithoutRowsIsProgressWhenItsNonceIsNew(void**) {
  MruList list;
  assert_true(list.Take("nonce=aa00"));
  assert_true(list.Take("nonce=aa01"));
  assert_string_equal(list.nonce().c_str(), "aa01");
  assert_false(list.Take("nonce=aa01"));
  assert_false(MruList().Take(""));
  assert_true(list.Take(Row(0, "10.0.0.1", "ee000002") + "nonce=aa02"));
  assert_int_equal(list.size(), 1);
}

void NoServerGoesOnWithoutRowsForEver(void**) {
  MruList list;
  size_t answers = 0;
  while (answers < 10000 && list.Take("nonce=" + std::to_string(answers))) ++answers;
  assert_int_equal(answers, MruList::kMostEmptyAnswers);
}

void ALongListCostsNoMoreForEachRow(void**) {
  MruList list;
  for (int i = 0; i < 100000; ++i) {
    char address[32], last[16];
    std::snprintf(address, sizeof address, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
    std::snprintf(last, sizeof last, "ee%06x", i);
    assert_true(list.Take(Row(0, address, last)));
  }
  assert_int_equal(list.size(), 100000);
  assert_true(list.Position(468).starts_with(", addr.0=10.1.134.159:123"));
  int steps = 0;
  while (list.StepBack()) ++steps;
  assert_int_equal(steps, 9);
}

}  // namespace
}  // namespace ntpward::ntpq

int main() {
  using namespace ntpward::ntpq;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TakesRowsUntilTheServerSaysNow),
      cmocka_unit_test(EntriesThatAreKnownAreNoProgress),
      cmocka_unit_test(AnEntryThatWentBackIsNoProgress),
      cmocka_unit_test(GoesOnBehindTheNewest),
      cmocka_unit_test(AClientThatAsksFromAnotherPortIsTheSame),
      cmocka_unit_test(AnAnswerWithoutRowsIsProgressWhenItsNonceIsNew),
      cmocka_unit_test(NoServerGoesOnWithoutRowsForEver),
      cmocka_unit_test(ALongListCostsNoMoreForEachRow),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
