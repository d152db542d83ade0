// What ntpq's variables show is what is so.
#include "ntpd/net/daemon_view.h"

#include <sys/timex.h>

#include <algorithm>

#include "ntpd/config/variable_names.h"
#include "ntpd/control/variables.h"
#include "ntpd/net/second_timer.h"
#include "tests/net/harness.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::net {
namespace {

using test::Harness;

control::SystemView Whole(const Harness& h) { return h.view.System(control::SystemDetail::kAll); }

MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }

void SecondsThatNobodyServesAreOverruns(void**) {
  SecondTimer timer;
  assert_int_equal(timer.OnSecond(At(5000)), 0);
  assert_int_equal(timer.OnSecond(At(5001)), 0);
  // Late, and the next one on time.
  assert_int_equal(timer.OnSecond(At(5002.9)), 0);
  assert_int_equal(timer.OnSecond(At(5003)), 0);
  assert_int_equal(timer.OnSecond(At(5005.1)), 1);
  assert_int_equal(timer.OnSecond(At(5015.2)), 9);
}

// ntp.conf must not take a name that is written here, and may take all the others.
void TheNamesThatSetvarCannotTakeAreOurs(void**) {
  Harness h;
  h.node.clock_was_stepped = true;
  h.node.saved_config = "ntp.conf-2026";
  const control::SystemView view = Whole(h);
  for (const control::ExtraVariable& extra : view.extra)
    assert_true(config::IsDaemonsVariable(extra.name));
  const std::string_view list = "sys_var_list";
  const auto written = control::ReadSystem(view, {&list, 1});
  assert_true(written.ok());
  std::string names(written->text());
  std::erase_if(names, [](char c) { return c <= ' '; });
  names = names.substr(names.find('"') + 1, names.rfind('"') - names.find('"') - 1) + ",";
  size_t count = 0;
  for (size_t comma; (comma = names.find(',')) != std::string::npos; names.erase(0, comma + 1)) {
    if (!config::IsDaemonsVariable(names.substr(0, comma)))
      fail_msg("%s", names.substr(0, comma).c_str());
    ++count;
  }
  assert_int_equal(count, config::DaemonsVariables().size());
}

void ABroadcastLineShowsItsHopLimit(void**) {
  Harness h;
  msg::NetAssociation line;
  line.kind = msg::NetAssociationKind::kBroadcast;
  line.address = IpAddress::V4(224, 0, 1, 1);
  line.ttl = 32;
  msg::NetAssociation server;
  server.address = IpAddress::V4(192, 0, 2, 1);
  h.upstreams.Configure({line, server});
  int seen = 0;
  for (const control::AssociationStatus& association : h.view.Associations()) {
    const auto peer = h.view.Peer(association.id);
    assert_true(peer.has_value());
    assert_int_equal(peer->ttl, peer->remote.ip == line.address ? 32 : 0);
    ++seen;
  }
  assert_int_equal(seen, 2);
}

void ALimitedRuleImpliesTheListOfClients(void**) {
  Harness h;
  assert_int_equal(Whole(h).mru.enabled, 1);
  h.Restrict(core::Access::kLimited);
  assert_int_equal(Whole(h).mru.enabled, 3);
}

// As ntpd 4.2.8 answers READCLOCK for no association.
void TheClockOfNobodyIsTheSystemPeer(void**) {
  Harness h;
  assert_false(h.view.Clock(AssocId{}).has_value());
  std::vector<msg::NetAssociation> lines(3);
  for (size_t i = 0; i < lines.size(); ++i) {
    lines[i].kind = msg::NetAssociationKind::kLocalClock;
    lines[i].address = IpAddress::V4(127, 127, 1, static_cast<uint8_t>(i));
    lines[i].stratum = i == 1 ? 3 : 9;
  }
  h.upstreams.Configure(lines);
  assert_int_equal(h.view.Clock(AssocId{})->stratum.value_or(0), 9);
  (void)h.node.engine->Tick(Timebase::Mono(), h.node.time.Now());
  assert_int_equal(h.view.Clock(AssocId{})->stratum.value_or(0), 3);
}

void TheKernelsStatusHasTheLeapSecond(void**) {
  Harness h;
  h.Synchronise();
  assert_int_equal(Whole(h).kernel.status & (STA_INS | STA_DEL | STA_UNSYNC), 0);
  // The last day of 2026, by the clock of this host.
  const double off =
      (NtpTimestamp::FromRaw(uint64_t{4007707200U} << 32) - SystemTimeNow()).seconds();
  h.node.time.SetState({.is_virtual = true, .since = Timebase::Mono(), .correction = off});
  for (const auto& [leap, flag] : {std::pair(wire::Leap::kAddSecond, STA_INS),
                                   std::pair(wire::Leap::kDeleteSecond, STA_DEL)}) {
    h.node.engine->SetLeapNotice(leap);
    h.node.steering.Announce(*h.node.engine);
    assert_int_equal(Whole(h).kernel.status & (STA_INS | STA_DEL), flag);
  }
}

void WhatStepsTheClockIsNamedOnceItDid(void**) {
  Harness h;
  const auto named = [&] {
    const auto extra = Whole(h).extra;
    return std::any_of(extra.begin(), extra.end(), [](const control::ExtraVariable& variable) {
      return variable.name == "settimeofday" && variable.value == "\"clock_adjtime\"";
    });
  };
  assert_false(named());
  h.node.clock_was_stepped = true;
  assert_true(named());
}

void KeysOfListsAreCountedWithThoseOfTheFile(void**) {
  Harness h;
  h.node.key_counts.symmetric = 7;
  h.node.key_counts.expired = 3;
  const control::KeyCounters keys = Whole(h).keys;
  assert_int_equal(keys.stored, 7);
  assert_int_equal(keys.expired, 3);
  assert_int_equal(keys.free, 0);
  assert_int_equal(keys.uncached, keys.lookups);
}

void AnAnswerOfTheDefaultsNeedsOnlyThem(void**) {
  Harness h;
  h.Synchronise();
  (void)h.node.start.processor.Assign(AsBytes("x86_64"));
  (void)h.node.start.system.Assign(AsBytes("Linux/6.1"));
  const control::SystemView whole = Whole(h);
  control::SystemView few = h.view.System(control::SystemDetail::kDefaults);
  few.now = whole.now, few.root_dispersion_s = whole.root_dispersion_s;
  assert_true(few.system_peer == whole.system_peer);
  const auto wanted = control::ReadSystem(whole, {});
  const auto written = control::ReadSystem(few, {});
  assert_true(wanted.ok() && written.ok() && wanted->text().size() > 100);
  assert_string_equal(written->text().c_str(), wanted->text().c_str());
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SecondsThatNobodyServesAreOverruns),
      cmocka_unit_test(ABroadcastLineShowsItsHopLimit),
      cmocka_unit_test(ALimitedRuleImpliesTheListOfClients),
      cmocka_unit_test(TheClockOfNobodyIsTheSystemPeer),
      cmocka_unit_test(TheKernelsStatusHasTheLeapSecond),
      cmocka_unit_test(WhatStepsTheClockIsNamedOnceItDid),
      cmocka_unit_test(KeysOfListsAreCountedWithThoseOfTheFile),
      cmocka_unit_test(TheNamesThatSetvarCannotTakeAreOurs),
      cmocka_unit_test(AnAnswerOfTheDefaultsNeedsOnlyThem),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
