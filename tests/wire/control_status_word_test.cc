// Status words: layout and texts, against words that ntpd 4.2.8 sent and ntpq 4.2.8 spelled out.
#include "ntpd/wire/status_word.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::wire {
namespace {

void SpellsSystemWordsAsTheReference(void**) {
  const auto text = [](uint16_t word) { return Describe(SystemStatus::FromWord(word)); };
  assert_string_equal(text(0x0604).c_str(), "leap_none, sync_ntp, no events, freq_mode");
  assert_string_equal(text(0x0504).c_str(), "leap_none, sync_local, no events, freq_mode");
  assert_string_equal(text(0x0615).c_str(), "leap_none, sync_ntp, 1 event, clock_sync");
  assert_string_equal(text(0x9614).c_str(), "leap_del_sec, sync_22, 1 event, freq_mode");
  assert_string_equal(text(0xc0f0).c_str(), "leap_alarm, sync_unspec, 15 events, unspecified");
}

void SpellsPeerWordsAsTheReference(void**) {
  const auto text = [](uint16_t word) { return Describe(PeerStatus::FromWord(word)); };
  assert_string_equal(text(0xc011).c_str(), "conf, authenb, sel_reject, 1 event, mobilize");
  assert_string_equal(text(0xf424).c_str(),
                      "conf, authenb, auth, reach, sel_candidate, 2 events, reachable");
  assert_string_equal(text(0x8811).c_str(), "conf, bcast, sel_reject, 1 event, mobilize");
  assert_string_equal(text(0x0014).c_str(), ", sel_reject, 1 event, reachable");
  assert_string_equal(text(0x9600).c_str(), "conf, reach, sel_sys.peer, no events");
}

void SpellsClockWordsAsTheReference(void**) {
  assert_string_equal(Describe(ClockStatus::FromWord(0)).c_str(), "no events, clk_unspec");
  assert_string_equal(Describe(ClockStatus::FromWord(0x9614)).c_str(), "1 event, clk_bad_signal");
  assert_string_equal(Describe(ClockStatus::FromWord(0x0f)).c_str(), "no events, clk_15");
}

void RoundTripsEveryWord(void**) {
  for (uint32_t word = 0; word <= 0xffff; ++word) {
    const auto value = static_cast<uint16_t>(word);
    assert_int_equal(SystemStatus::FromWord(value).word(), word);
    assert_int_equal(PeerStatus::FromWord(value).word(), word);
    assert_int_equal(ClockStatus::FromWord(value).word(), word & 0xff);
  }
}

void NamesFlashBits(void**) {
  assert_string_equal(DescribeFlash(0).c_str(), "ok");
  assert_string_equal(DescribeFlash(0x1610).c_str(),
                      "pkt_auth, peer_stratum, peer_dist, peer_unreach");
  assert_string_equal(DescribeFlash(0xe000).c_str(), "");
}

void MatchesTallyAndCondition(void**) {
  assert_int_equal(TallyCharacter(Selection::kSystemPeer), '*');
  assert_true(ConditionName(Selection::kSystemPeer) == "sys.peer");
  assert_true(LastEventName(PeerEvent::kClockEvent) == "clock_alarm");
  assert_true(PeerEventName(PeerEvent::kClockEvent) == "clock_event");
}

}  // namespace
}  // namespace ntpward::wire

int main() {
  using namespace ntpward::wire;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SpellsSystemWordsAsTheReference),
      cmocka_unit_test(SpellsPeerWordsAsTheReference),
      cmocka_unit_test(SpellsClockWordsAsTheReference),
      cmocka_unit_test(RoundTripsEveryWord),
      cmocka_unit_test(NamesFlashBits),
      cmocka_unit_test(MatchesTallyAndCondition),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
