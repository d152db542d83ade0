// Where leap seconds go in ntpd-net: to the Autokey host, the engine, ntpd-clock and ntpq.
#include "ntpd/net/leap_seconds.h"

#include "tests/net/harness.h"

namespace ntpward::net {
namespace {

using autokey::LeapValues;
using wire::Leap;

constexpr uint32_t k2015 = 3644697600;
constexpr uint32_t k2017 = 3692217600;
constexpr uint32_t k2027 = 4007750400;
constexpr uint32_t kExpiry = 4023388800;  // 2027-07-01
constexpr AssocId kServer{7};             // that signed a table

NtpTimestamp At(uint32_t seconds) { return NtpTimestamp::FromRaw(uint64_t{seconds} << 32); }

msg::LeapTable Table(uint32_t expiry, uint8_t last = 38) {
  msg::LeapTable table;
  table.expiry = expiry;
  CHECK(table.seconds.Push({k2015, 36}) && table.seconds.Push({k2017, 37}) &&
        table.seconds.Push({k2027, last}));
  CHECK(table.Valid());
  return table;
}

struct Fixture : test::Harness {
  Fixture() {
    Synchronise();
    CHECK(node.engine->AddAssociation(kServer, {}, 0, {}, net::Timebase::Mono()));
    Mark(wire::Selection::kCandidate);
  }
  // What selection says of the server.
  void Mark(wire::Selection selection) { node.engine->Find(kServer)->SetSelection(selection); }
  const LeapValues& offered() const { return node.host.leap(); }
};

void TheFilesTableIsOfferedAndFollowsTheTime(void**) {
  Fixture f;
  f.leap_seconds.OnSecond(At(k2027 - 100000));
  assert_false(f.offered().IsTable());
  f.leap_seconds.SetTable(Table(kExpiry));
  f.leap_seconds.OnSecond(At(k2027 - 100000));
  assert_true((f.offered() == LeapValues{37, {k2017}, {kExpiry}}));
  // As ntpd 4.2.8 shows it: today's offset, and the leap second to come.
  const LeapValues shown{37, {k2027}, {kExpiry}};
  assert_true(f.leap_seconds.Shown(At(k2027 - 100000)) == shown);
  f.leap_seconds.OnSecond(At(k2027));
  assert_true((f.offered() == LeapValues{38, {k2027}, {kExpiry}}));
  f.leap_seconds.SetTable({});
  f.leap_seconds.OnSecond(At(k2027));
  assert_false(f.offered().IsTable());
}

void AnExpiredTableIsShownAndNotOffered(void**) {
  Fixture f;
  f.leap_seconds.SetTable(Table(kExpiry));
  f.leap_seconds.OnSecond(At(kExpiry - 1));
  assert_true(f.offered().IsTable());
  f.leap_seconds.OnSecond(At(kExpiry));
  assert_false(f.offered().IsTable());
  assert_true((f.leap_seconds.Shown(At(kExpiry)) == LeapValues{38, {k2027}, {kExpiry}}));
}

void AnExpiredTableIsReportedOnce(void**) {
  Fixture f;
  const auto reports = [&] {
    int count = 0;
    for (const core::EngineEvent& event : f.node.engine->TakeEvents())
      count += event.id.value == 0 && event.code == 15 && event.detail == "expire 202707010000";
    return count;
  };
  f.leap_seconds.SetTable(Table(kExpiry));
  f.leap_seconds.OnSecond(At(kExpiry - 1));
  assert_int_equal(reports(), 0);
  f.leap_seconds.OnSecond(At(kExpiry));
  assert_int_equal(reports(), 1);
  f.leap_seconds.SetTable(Table(kExpiry));
  f.leap_seconds.OnSecond(At(kExpiry + 1));
  assert_int_equal(reports(), 0);
}

void ATableIsNotJudgedByAClockThatMayBeWrong(void**) {
  test::Harness h;
  h.leap_seconds.SetTable(Table(kExpiry));
  h.leap_seconds.OnSecond(At(kExpiry));
  for (const core::EngineEvent& event : h.node.engine->TakeEvents())
    assert_int_not_equal(event.code, 15);
}

// A server that says that its table lasts longer, or for ever, decides nothing while we have one.
void OurOwnFileComesBeforeAnyServers(void**) {
  Fixture f;
  const LeapValues servers{38, {k2017 + 31 * 86400}, {kExpiry + 400 * 86400}};
  const uint32_t now = k2027 - 100000;
  f.node.learned_leap.Learn(kServer, servers);
  f.leap_seconds.OnSecond(At(now));
  assert_true(f.offered() == servers);
  f.leap_seconds.SetTable(Table(kExpiry));
  f.leap_seconds.OnSecond(At(now));
  assert_true((f.offered() == LeapValues{37, {k2017}, {kExpiry}}));
  assert_true((f.leap_seconds.Shown(At(now)) == LeapValues{37, {k2027}, {kExpiry}}));
  f.node.learned_leap.Learn(kServer, servers);
  f.leap_seconds.OnSecond(At(now));
  assert_int_equal(f.offered().tai, 37);
  // It is there again when the file's has expired, or has gone.
  f.leap_seconds.OnSecond(At(kExpiry));
  assert_true(f.offered() == servers);
  assert_true(f.leap_seconds.Shown(At(kExpiry)) == servers);
}

void AServersTableOutlivesItsFileAndExpires(void**) {
  Fixture f;
  const LeapValues learned{37, {k2017}, {k2027 + 1}};
  f.node.learned_leap.Learn(kServer, learned);
  f.leap_seconds.OnSecond(At(k2027 - 100000));
  assert_true(f.offered() == learned);
  f.leap_seconds.OnSecond(At(k2027 + 2));
  assert_false(f.offered().IsTable());
}

// It may sign what it likes, under the group's own key.
void AFalsetickersTableCountsForNothing(void**) {
  Fixture f;
  f.Mark(wire::Selection::kFalsetick);
  f.node.learned_leap.Learn(kServer, {38, {k2017}, {k2027 + 1}});
  f.leap_seconds.OnSecond(At(k2027 - 100000));
  assert_false(f.offered().IsTable());
  assert_false(f.leap_seconds.Shown(At(k2027 - 100000)).IsTable());
}

void ServersThatDifferAreToldOfOnce(void**) {
  constexpr AssocId kOther{8};
  Fixture f;
  CHECK(f.node.engine->AddAssociation(kOther, {{}, 124}, 0, {}, Timebase::Mono()));
  f.node.engine->Find(kOther)->SetSelection(wire::Selection::kSystemPeer);
  f.node.learned_leap.Learn(kServer, {38, {k2017}, {k2027 + 1}});
  f.node.learned_leap.Learn(kOther, {37, {k2017}, {k2027}});
  for (int i = 0; i < 3; ++i) f.leap_seconds.OnSecond(At(k2027 - 100000));
  assert_int_equal(f.offered().tai, 37);
  int said = 0;
  while (const auto line = test::Next<msg::LogLine>(&f.supervisor.far))
    said += line->text.text() ==
            "crypto: servers differ about leap seconds: TAI 37 leap 201701010000 expire "
            "202701010000 counts, another says TAI 38 leap 201701010000 expire 202701010000";
  assert_int_equal(said, 1);
}

void AServersTableGoesWithIt(void**) {
  Fixture f;
  f.node.learned_leap.Learn(kServer, {37, {k2017}, {k2027 + 1}});
  f.leap_seconds.OnSecond(At(k2027 - 100000));
  assert_true(f.offered().IsTable());
  f.node.learned_leap.Forget(kServer);
  f.leap_seconds.OnSecond(At(k2027 - 100000));
  assert_false(f.offered().IsTable());
  assert_false(f.leap_seconds.Shown(At(k2027 - 100000)).IsTable());
}

void OnItsDayItIsAnnouncedAndThenReported(void**) {
  for (const bool insert : {true, false}) {
    Fixture f;
    (void)f.node.engine->TakeEvents();
    f.leap_seconds.SetTable(Table(kExpiry, insert ? 38 : 36));
    f.leap_seconds.OnSecond(At(k2027 - 86401));
    assert_true(f.node.engine->system().leap == Leap::kNone);
    f.leap_seconds.OnSecond(At(k2027 - 86400));
    assert_true(f.node.engine->system().leap == (insert ? Leap::kAddSecond : Leap::kDeleteSecond));
    f.leap_seconds.OnSecond(At(k2027 - 1));
    f.leap_seconds.OnSecond(At(k2027));
    assert_true(f.node.engine->system().leap == Leap::kNone);
    int reported = 0;
    for (const core::EngineEvent& event : f.node.engine->TakeEvents())
      reported += event.code == static_cast<uint8_t>(wire::SystemEvent::kLeapEvent);
    assert_int_equal(reported, 1);
  }
}

// The server is not asked again: what it signed has to stay right here.
void AServersOffsetFollowsALeapSecond(void**) {
  for (const bool insert : {true, false}) {
    Fixture f;
    f.leap_seconds.SetTable(Table(kExpiry, insert ? 38 : 36));
    f.node.learned_leap.Learn(kServer, {37, {k2017}, {kExpiry + 1}});
    f.leap_seconds.OnSecond(At(k2027 - 1));
    assert_int_equal(f.offered().tai, 37);
    f.leap_seconds.OnSecond(At(k2027));
    f.leap_seconds.SetTable({});
    f.leap_seconds.OnSecond(At(k2027));
    const LeapValues after{insert ? 38U : 36U, {k2027}, {kExpiry + 1}};
    assert_true(f.offered() == after);
    f.leap_seconds.OnSecond(At(k2027 + 1));
    assert_true(f.offered() == after);
  }
}

std::vector<std::string> TaiEvents(Fixture* f) {
  std::vector<std::string> details;
  for (const core::EngineEvent& event : f->node.engine->TakeEvents())
    if (event.id.value == 0 && event.code == static_cast<uint8_t>(wire::SystemEvent::kTai))
      details.push_back(event.detail);
  return details;
}

void WhatIsLearntOfTheOffsetIsAnEvent(void**) {
  Fixture f;
  f.leap_seconds.OnSecond(At(k2027 - 100000));
  assert_true(TaiEvents(&f).empty());
  f.leap_seconds.SetTable(Table(kExpiry));
  for (int i = 0; i < 3; ++i) f.leap_seconds.OnSecond(At(k2027 - 100000));
  auto events = TaiEvents(&f);
  assert_int_equal(events.size(), 1);
  assert_string_equal(events[0].c_str(), "37 leap 201701010000 expire 202707010000");
  f.leap_seconds.OnSecond(At(k2027));
  events = TaiEvents(&f);
  assert_int_equal(events.size(), 1);
  assert_string_equal(events[0].c_str(), "38 leap 202701010000 expire 202707010000");
}

// ntpd 4.2.8 tells today's offset under an expiry that lies in the past.
void TodaysOffsetIsTakenFromAnExpiredTableOfAServer(void**) {
  Fixture f;
  const LeapValues told{37, {k2017}, {k2017 + 25 * 86400}};
  f.node.learned_leap.Learn(kServer, told);
  f.leap_seconds.OnSecond(At(k2027 - 100000));
  assert_false(f.offered().IsTable());
  assert_true(f.leap_seconds.Shown(At(k2027 - 100000)) == told);
  assert_int_equal(TaiEvents(&f).size(), 1);
  // A table that holds comes before it.
  f.leap_seconds.SetTable(Table(kExpiry));
  f.leap_seconds.OnSecond(At(k2027));
  assert_int_equal(f.leap_seconds.Shown(At(k2027)).tai, 38);
  assert_int_equal(f.offered().tai, 38);
}

// ntpd 4.2.6 tells the latest entry, which may lie ahead.
void AServersOffsetCountsFromItsLeapSecondOn(void**) {
  Fixture f;
  const LeapValues told{38, {k2027}, {kExpiry}};
  f.node.learned_leap.Learn(kServer, told);
  f.leap_seconds.OnSecond(At(k2027 - 1));
  assert_true((f.leap_seconds.Shown(At(k2027 - 1)) == LeapValues{37, {k2027}, {kExpiry}}));
  // Since when that offset counts nobody said, and what we sign has to.
  assert_false(f.offered().IsTable());
  f.leap_seconds.OnSecond(At(k2027));
  assert_true(f.offered() == told);
  assert_true(f.leap_seconds.Shown(At(k2027)) == told);
}

// ntpd-clock takes no other after the first for a day, and the first server to prove itself may
// lie.
void WhatServersTellReachesTheClockWhenItLasted(void**) {
  Fixture f;
  const auto told = [&]() -> std::optional<int16_t> {
    while (const auto request = test::Next<msg::ClockAdjust>(&f.clock.far))
      if (request->tai) return request->tai;
    return {};
  };
  constexpr uint32_t kNow = k2027 - 100000;
  f.node.learned_leap.Learn(kServer, {58, {k2017}, {kExpiry}});
  f.leap_seconds.OnSecond(At(kNow));
  f.leap_seconds.OnSecond(At(kNow + 299));
  assert_false(told().has_value());
  f.node.learned_leap.Learn(kServer, {37, {k2017}, {kExpiry}});
  f.leap_seconds.OnSecond(At(kNow + 301));
  f.leap_seconds.OnSecond(At(kNow + 600));
  assert_false(told().has_value());
  f.leap_seconds.OnSecond(At(kNow + 601));
  assert_true(told() == 37);
  // The file's counts at once.
  f.leap_seconds.SetTable(Table(kExpiry, 36));
  f.leap_seconds.OnSecond(At(k2027));
  assert_true(told() == 36);
}

// An offset that ntpd-clock refuses must not take the course with it.
void TheClockHearsTheOffsetInARequestOfItsOwn(void**) {
  Fixture f;
  f.leap_seconds.SetTable(Table(kExpiry));
  for (int i = 0; i < 3; ++i) f.leap_seconds.OnSecond(At(k2027 - 100000));
  int told = 0;
  while (const auto request = test::Next<msg::ClockAdjust>(&f.clock.far)) {
    if (!request->tai) continue;
    ++told;
    assert_int_equal(*request->tai, 37);
    assert_true(request->synchronised);
    assert_false(request->frequency || request->slew || request->step || request->leap);
  }
  assert_int_equal(told, 1);
  f.leap_seconds.OnSecond(At(k2027));
  const auto request = test::Next<msg::ClockAdjust>(&f.clock.far);
  assert_true(request && request->tai == 38);
  // A new ntpd-clock has not heard of it.
  f.node.steering.OnRestarted();
  f.leap_seconds.OnSecond(At(k2027));
  const auto again = test::Next<msg::ClockAdjust>(&f.clock.far);
  assert_true(again && again->tai == 38);
}

// The next course may be a quarter of an hour away.
void TheClockHearsOfALeapSecondAtOnce(void**) {
  Fixture f;
  f.leap_seconds.SetTable(Table(kExpiry));
  const double off = (At(k2027 - 30) - SystemTimeNow()).seconds();
  f.node.time.SetState({.is_virtual = true, .since = Timebase::Mono(), .correction = off});
  f.leap_seconds.OnSecond(f.node.time.Now());
  f.leap_seconds.OnSecond(f.node.time.Now());
  int told = 0;
  while (const auto request = test::Next<msg::ClockAdjust>(&f.clock.far)) {
    if (!request->leap) continue;
    ++told;
    assert_int_equal(*request->leap, 1);
    assert_false(request->frequency || request->slew || request->step || request->tai);
  }
  assert_int_equal(told, 1);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheFilesTableIsOfferedAndFollowsTheTime),
      cmocka_unit_test(AnExpiredTableIsShownAndNotOffered),
      cmocka_unit_test(AnExpiredTableIsReportedOnce),
      cmocka_unit_test(ATableIsNotJudgedByAClockThatMayBeWrong),
      cmocka_unit_test(OurOwnFileComesBeforeAnyServers),
      cmocka_unit_test(AServersTableOutlivesItsFileAndExpires),
      cmocka_unit_test(AFalsetickersTableCountsForNothing),
      cmocka_unit_test(ServersThatDifferAreToldOfOnce),
      cmocka_unit_test(AServersTableGoesWithIt),
      cmocka_unit_test(OnItsDayItIsAnnouncedAndThenReported),
      cmocka_unit_test(AServersOffsetFollowsALeapSecond),
      cmocka_unit_test(WhatIsLearntOfTheOffsetIsAnEvent),
      cmocka_unit_test(TodaysOffsetIsTakenFromAnExpiredTableOfAServer),
      cmocka_unit_test(AServersOffsetCountsFromItsLeapSecondOn),
      cmocka_unit_test(WhatServersTellReachesTheClockWhenItLasted),
      cmocka_unit_test(TheClockHearsTheOffsetInARequestOfItsOwn),
      cmocka_unit_test(TheClockHearsOfALeapSecondAtOnce),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
