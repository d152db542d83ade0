// Which variables there are, in which order, and which of them are written unasked: those of
// ntpd 4.2.8p18, so that a name that gets lost here fails.
#include <string>

#include "ntpd/control/variables.h"
#include "tests/control/fake_state.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/served_variables.h"

namespace ntpward::control {
namespace {

using ntpward::test::kClockVariables;
using ntpward::test::kPeerVariables;
using ntpward::test::kSystemVariables;
using test::FakeState;

constexpr std::string_view kSystemDefaults =
    "version processor system leap stratum precision rootdelay rootdisp refid reftime clock peer "
    "tc mintc offset frequency sys_jitter clk_jitter clk_wander tai leapsec expire "
    "leapsmearinterval leapsmearoffset host ident flags digest signature update cert until ";

constexpr std::string_view kPeerDefaults =
    "srcadr srcport srchost dstadr dstport leap stratum precision rootdelay rootdisp refid reftime "
    "rec reach unreach hmode pmode hpoll ppoll headway flash keyid ttl offset delay dispersion "
    "jitter xleave bias filtdelay filtoffset filtdisp host flags signature initsequence initkey "
    "timestamp ident ";

constexpr std::string_view kClockDefaults =
    "device timecode poll noreply badformat baddata minjitter fudgetime1 fudgetime2 stratum refid "
    "flags ";

std::string Quoted(std::string_view name, std::string_view value) {
  return std::string(name) + "=\"" + std::string(value) + "\"\r\n";
}

// The names of the items, each followed by a blank.
std::string NamesIn(const std::string& text) {
  std::string names;
  wire::VariableListReader reader(text);
  for (auto next = reader.Next(); next.ok() && next->has_value(); next = reader.Next())
    names += std::string((*next)->name) + " ";
  return names;
}

// Everything that can be said applies.
SystemView FullSystem() {
  SystemView view = FakeState().system;
  view.tai_s = 37;
  view.leap_table = LeapTableView{NtpSeconds{0xdc0e0d80}, NtpSeconds{0xf0000000}};
  view.leap_smear_interval_s = 86400;
  view.autokey->group = "group";
  view.autokey->certificates.resize(1);
  view.extra.clear();
  return view;
}

PeerView FullPeer() {
  PeerView view = test::AnsweringPeer();
  view.remote_name = "ntp.example.org";
  view.ttl = 3;
  view.bias_s = 0.001;
  view.autokey = PeerAutokeyView{.flags = 0x87f01, .host = "h", .signature = "s", .group = "g"};
  view.autokey->key_list = PeerAutokeyView::KeyList{1, KeyId{0x10000}, NtpSeconds{0xeeacabc7}};
  return view;
}

void TheSystemsAre(void**) {
  const SystemView view = FullSystem();
  const std::string_view list[] = {"sys_var_list"};
  assert_string_equal(ReadSystem(view, list)->text().c_str(),
                      Quoted("sys_var_list", kSystemVariables).c_str());
  assert_string_equal(NamesIn(ReadSystem(view, {})->text()).c_str(),
                      std::string(kSystemDefaults).c_str());
}

void AnAssociationsAre(void**) {
  const PeerView view = FullPeer();
  const std::string_view list[] = {"peer_var_list"};
  assert_string_equal(ReadPeer(view, list)->text().c_str(),
                      Quoted("peer_var_list", kPeerVariables).c_str());
  assert_string_equal(NamesIn(ReadPeer(view, {})->text()).c_str(),
                      std::string(kPeerDefaults).c_str());
}

void AClocksAre(void**) {
  ClockView view = FakeState().clock;
  view.fudge_time1_s = view.fudge_time2_s = view.min_jitter_s = 0.001;
  const std::string_view list[] = {"clock_var_list"};
  assert_string_equal(ReadClock(view, list)->text().c_str(),
                      Quoted("clock_var_list", kClockVariables).c_str());
  assert_string_equal(NamesIn(ReadClock(view, {})->text()).c_str(),
                      std::string(kClockDefaults).c_str());
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheSystemsAre),
      cmocka_unit_test(AnAssociationsAre),
      cmocka_unit_test(AClocksAre),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
