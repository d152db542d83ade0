// The facade: identities, local clock, orphan mode, events, snapshots, and the shell's mistakes.
#include "ntpd/core/engine.h"

#include <algorithm>
#include <cmath>

#include "tests/core/sim_world.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using test::Iburst;
using test::SimServer;
using test::SimWorld;
using wire::PeerEvent;
using wire::SystemEvent;

constexpr NtpTimestamp kTime = NtpTimestamp::FromRaw(0xe000000000000000);
MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }
constexpr AssocId kLocal{100};
const SocketAddress kSomewhere{IpAddress::V4(192, 0, 2, 1), 123};

LocalClockConfig Fudged(uint8_t stratum) {
  LocalClockConfig config;
  config.stratum = stratum;
  return config;
}

void IdentifiersAreUnique(void**) {
  Engine engine({}, At(0));
  assert_false(engine.AddAssociation(AssocId{0}, kSomewhere, 1, {}, At(0)));
  assert_true(engine.AddAssociation(AssocId{7}, kSomewhere, 1, {}, At(0)));
  assert_false(engine.AddAssociation(AssocId{7}, kSomewhere, 1, {}, At(0)));
  assert_false(engine.AddLocalClock(AssocId{7}, {}, At(0)));
  assert_true(engine.AddLocalClock(AssocId{3}, {}, At(0)));
  const auto ids = engine.Ids();
  assert_int_equal(ids.size(), 2);
  assert_int_equal(ids[0].value, 3);
  assert_true(engine.Remove(AssocId{7}));
  assert_false(engine.Remove(AssocId{7}));
}

void NothingIsDueWithoutAssociations(void**) {
  Engine engine({}, At(0));
  assert_true(engine.NextDeadline() == kNever);
  assert_true(engine.Tick(At(5), kTime).due.empty());
}

void UnknownIdentifiersAreHarmless(void**) {
  Engine engine({}, At(0));
  assert_false(engine.BuildRequest(AssocId{9}, At(0), kTime).has_value());
  engine.OnSent(AssocId{9}, kTime, KeyId{});
  engine.Restart(AssocId{9}, 0, At(0));
  engine.ClearEventCount(AssocId{9});
  assert_false(engine.ExtendBurst(AssocId{9}, At(0)));
  assert_false(engine.Snapshot(AssocId{9}, At(0)).has_value());
  assert_int_equal(engine.PeerStatusWord(AssocId{9}), 0);
}

void RemovedSystemPeerIsForgottenAtTheNextTick(void**) {
  SimWorld world({}, {0, 0, 0}, 1);
  const AssocId id = world.AddServer({}, Iburst());
  world.RunUntil(60);
  assert_int_equal(world.engine().system().system_peer.value, id.value);
  assert_true(world.engine().Remove(id));
  world.engine().Tick(world.mono(), world.system_time());
  assert_int_equal(world.engine().system().system_peer.value, 0);
}

// --- local clock --------------------------------------------------------------------------------

void LocalClockServesAtOnce(void**) {
  Engine engine({}, At(0));
  assert_true(engine.AddLocalClock(kLocal, Fudged(10), At(0)));
  engine.Tick(At(0), kTime);
  const SystemState& system = engine.system();
  assert_true(system.synchronised());
  assert_int_equal(system.stratum, 11);
  assert_int_equal(system.refid, 0x7f7f0100);
  assert_true(system.source == wire::SystemSource::kLocal);
  assert_int_equal(system.system_peer.value, kLocal.value);
  assert_true(system.reference == kTime);
}

void LocalClockCountsItsPolls(void**) {
  Engine engine({}, At(0));
  engine.AddLocalClock(kLocal, Fudged(10), At(0));
  engine.Tick(At(0), kTime);
  engine.Tick(At(64), kTime + NtpDuration::FromSeconds(64));
  const auto shown = engine.Snapshot(kLocal, At(74));
  assert_true(shown.has_value());
  assert_int_equal(shown->counters.sent, 2);
  assert_int_equal(shown->counters.received, 2);
  assert_true(shown->receive == kTime + NtpDuration::FromSeconds(64));
  assert_true(shown->since_received == 10.0 && shown->since_reachable == 74.0);
}

void LocalClockOfStratumZeroNamesItself(void**) {
  Engine engine({}, At(0));
  engine.AddLocalClock(kLocal, Fudged(0), At(0));
  engine.Tick(At(0), kTime);
  assert_int_equal(engine.system().stratum, 1);
  assert_int_equal(engine.system().refid, wire::RefidCode("LOCL"));
}

void LocalClockStaysFreshForDays(void**) {
  SimWorld world({}, {0, 0, 0}, 2);
  world.engine().AddLocalClock(kLocal, Fudged(10), At(0));
  world.RunUntil(3 * 86400);
  assert_true(world.engine().system().RootDispersionAt(world.mono()) < 0.01);
  assert_int_equal(world.engine().Snapshot(kLocal, world.mono())->reach, 0xff);
  assert_true(world.engine().Snapshot(kLocal, world.mono())->refclock);
}

void RealSourceReplacesTheLocalClockAndBack(void**) {
  SimWorld world({}, {0, 0, 0}, 3);
  world.engine().AddLocalClock(kLocal, Fudged(10), At(0));
  const AssocId id = world.AddServer({}, Iburst(4, 4));
  world.RunUntil(1);
  assert_int_equal(world.engine().system().system_peer.value, kLocal.value);
  world.RunUntil(30);
  assert_int_equal(world.engine().system().system_peer.value, id.value);
  assert_int_equal(world.engine().system().stratum, 2);
  world.server(id).up = false;
  world.RunUntil(600);
  assert_int_equal(world.engine().system().system_peer.value, kLocal.value);
  assert_int_equal(world.engine().system().stratum, 11);
  assert_true(world.engine().system().synchronised());
}

void NoselectLocalClockIsNotUsed(void**) {
  Engine engine({}, At(0));
  LocalClockConfig config = Fudged(3);
  config.noselect = true;
  engine.AddLocalClock(kLocal, config, At(0));
  engine.Tick(At(0), kTime);
  assert_false(engine.system().synchronised());
}

// --- orphan mode --------------------------------------------------------------------------------

EngineConfig Orphan(int stratum) {
  EngineConfig config;
  config.parameters.orphan = stratum;
  return config;
}

void OrphanServesItsOwnTimeAfterTheWait(void**) {
  Engine engine(Orphan(5), At(0));
  assert_true(engine.NextDeadline() == At(300));
  engine.Tick(At(299), kTime);
  assert_false(engine.system().synchronised());
  engine.Tick(At(300), kTime);
  assert_true(engine.system().synchronised());
  assert_int_equal(engine.system().stratum, 5);
  assert_int_equal(engine.system().refid, 0x7f000001);
  assert_int_equal(engine.system().system_peer.value, 0);
  assert_true(engine.NextDeadline() == kNever);
}

void WithoutOrphanModeNothingIsServed(void**) {
  Engine engine({}, At(0));
  engine.Tick(At(1e6), kTime);
  assert_false(engine.system().synchronised());
}

void OrphanChildFollowsTheLowestParent(void**) {
  SimWorld world(Orphan(5), {0.01, 0, 0}, 4);
  SimServer parent;
  parent.stratum = 5;
  parent.refid = 0x7f000001;
  const AssocId first = world.AddServer(parent, Iburst(4, 4));
  world.AddServer(parent, Iburst(4, 4));
  world.engine().SetOwnRefids({0x0b000001}, {0x7f000001, 0x01000001});
  world.RunUntil(290);
  assert_int_equal(world.engine().system().system_peer.value, 0);
  world.RunUntil(400);
  assert_int_equal(world.engine().system().system_peer.value, first.value);
  assert_int_equal(world.engine().system().stratum, 6);
}

void LowestOrphanIsTheParent(void**) {
  SimWorld world(Orphan(5), {0.01, 0, 0}, 5);
  SimServer other;
  other.stratum = 5;
  other.refid = 0x7f000001;
  world.AddServer(other, Iburst(4, 4));
  world.engine().SetOwnRefids({0x01000001});
  world.RunUntil(400);
  assert_int_equal(world.engine().system().system_peer.value, 0);
  assert_int_equal(world.engine().system().stratum, 5);
}

// The other knows nothing of an address by which it is not asked, and would not be our child.
void AFurtherAddressIsNoOrphansRank(void**) {
  SimWorld world(Orphan(5), {0.01, 0, 0}, 5);
  SimServer other;
  other.stratum = 5;
  other.refid = 0x7f000001;
  const AssocId parent = world.AddServer(other, Iburst(4, 4));
  world.engine().SetOwnRefids({0x0b000001}, {}, {0x01000001});
  world.RunUntil(400);
  assert_int_equal(world.engine().system().system_peer.value, parent.value);
}

void RealSourceEndsOrphanMode(void**) {
  SimWorld world(Orphan(5), {0.01, 0, 0}, 6);
  SimServer server;
  server.up = false;
  const AssocId id = world.AddServer(server, Iburst(4, 4));
  world.RunUntil(400);
  assert_int_equal(world.engine().system().stratum, 5);
  world.server(id).up = true;
  world.RunUntil(600);
  assert_int_equal(world.engine().system().stratum, 2);
}

// --- selection through the facade ---------------------------------------------------------------

void OwnRefidMarksALoop(void**) {
  SimWorld world({}, {0, 0, 0}, 7);
  SimServer child;
  child.stratum = 3;
  child.refid = 0x0a0000fe;
  const AssocId id = world.AddServer(child, Iburst());
  const auto loops = [&](double until) {
    world.RunUntil(until);
    assert_int_equal(world.engine().system().system_peer.value, 0);
    return (world.engine().Snapshot(id, world.mono())->flash & wire::kFlashPeerLoop) != 0;
  };
  world.engine().SetOwnRefids({0x0a0000fe});
  assert_true(loops(60));
  // By whichever address it asks us.
  world.engine().SetOwnRefids({0x0a000001}, {}, {0x0a0000fd, 0x0a0000fe});
  assert_true(loops(200));
}

// A line that names this host, beside a real server: our own time would vote for us.
void ThisHostIsNoSource(void**) {
  SimWorld world({}, {0, 0, 0}, 7);
  SimServer self;
  self.stratum = 2;
  const AssocId real = world.AddServer(SimServer(), Iburst());
  const AssocId own = world.AddServer(self, Iburst());
  const uint32_t refid = 0x0a000000U | own.value;
  for (int list = 0; list < 3; ++list) {
    const auto in = [&](int which) { return std::vector<uint32_t>(which == list ? 1 : 0, refid); };
    world.engine().SetOwnRefids(in(0), in(1), in(2));
    world.RunUntil(60 * (list + 1));
    assert_int_equal(world.engine().system().system_peer.value, real.value);
    const auto status = world.engine().Snapshot(own, world.mono());
    assert_true((status->flash & wire::kFlashPeerLoop) != 0);
  }
}

void CeilingAndFloorBoundTheStrata(void**) {
  EngineConfig config;
  config.parameters.floor = 2;
  config.parameters.ceiling = 4;
  for (int stratum : {1, 2, 3, 4, 15}) {
    SimWorld world(config, {0, 0, 0}, 8);
    SimServer server;
    server.stratum = static_cast<uint8_t>(stratum);
    world.AddServer(server, Iburst());
    world.RunUntil(60);
    assert_int_equal(world.engine().system().synchronised(), stratum == 2 || stratum == 3);
  }
}

void NewParametersHoldForAssociationsThatStay(void**) {
  SimWorld world({}, {0, 0, 0}, 7);
  SimServer server;
  server.stratum = 3;
  const AssocId id = world.AddServer(server, Iburst(4, 4));
  world.RunUntil(60);
  assert_int_equal(world.engine().system().system_peer.value, id.value);
  Parameters strict;
  strict.ceiling = 3;
  world.engine().SetParameters(strict);
  world.engine().Tick(world.mono(), world.system_time());
  assert_int_equal(world.engine().system().system_peer.value, 0);
  Parameters lenient;
  lenient.step_forward = lenient.step_backward = 0;
  world.engine().SetParameters(lenient);
  world.server(id).clock_error = 0.5;
  world.RunUntil(1200);
  assert_int_equal(world.engine().system().system_peer.value, id.value);
  assert_int_equal(world.steps, 0);
}

void KeyedSourceIsFollowedOnlyByItsKey(void**) {
  // The simulated servers answer without MAC.
  SimWorld world({}, {0, 0, 0}, 9);
  AssociationConfig config = Iburst();
  config.key = KeyId{5};
  const AssocId id = world.AddServer({}, config);
  world.RunUntil(600);
  assert_false(world.engine().system().synchronised());
  const auto snapshot = world.engine().Snapshot(id, world.mono());
  assert_int_equal(snapshot->reach, 0);
  assert_true(snapshot->auth_enabled);
  assert_false(snapshot->authentic);
  assert_true(snapshot->counters.bad_auth > 8);
}

// A dance: four replies with extension fields, then time. Chosen within the design's 12 s.
void AutokeyDanceOverOneVolleyIsChosenInTime(void**) {
  Engine engine({}, At(0));
  AssociationConfig config = Iburst(4, 4);
  config.autokey = true;
  const AssocId id{1};
  assert_true(engine.AddAssociation(id, kSomewhere, 1, config, At(0)));
  int packets = 0;
  double chosen = 0;
  while (chosen == 0 && packets < 20) {
    const MonoTime now = engine.NextDeadline();
    const auto tick = engine.Tick(now, kTime + NtpDuration::FromSeconds(now.seconds()));
    if (tick.due.empty()) continue;
    const NtpTimestamp t1 = kTime + NtpDuration::FromSeconds(now.seconds());
    const KeyId key{static_cast<uint32_t>(70000 + packets)};
    const auto request = engine.BuildRequest(
        id, now, NtpTimestamp::FromRaw(0x4242U + static_cast<uint64_t>(packets)));
    engine.OnSent(id, t1, key);
    wire::Header reply;
    reply.leap = wire::Leap::kNone;
    reply.mode = wire::Mode::kServer;
    reply.stratum = 1;
    reply.precision = -20;
    reply.origin = request->transmit;
    reply.reference = kTime;
    reply.receive = reply.transmit = t1 + NtpDuration::FromSeconds(0.001);
    const MonoTime later = now + 0.002;
    if (++packets <= 4) {
      assert_true(engine.OnHeard(id, reply, t1, later).ok());
      assert_true(engine.ExtendBurst(id, later));
      continue;
    }
    const NtpTimestamp t4 = t1 + NtpDuration::FromSeconds(0.002);
    assert_true(engine.OnReply(id, reply, MacVerdict{key, MacResult::kGood}, t4, later).ok());
    engine.Update(later, t4);
    if (engine.system().system_peer == id) chosen = later.seconds();
  }
  assert_int_equal(packets, 6);
  assert_true(chosen > 0 && chosen < 12);
  assert_true((engine.PeerStatusWord(id) & 0xff00) == 0xf600);  // conf, authenb, auth, reach, *
}

// --- events and status words --------------------------------------------------------------------

bool Has(const std::vector<EngineEvent>& events, AssocId id, int code) {
  return std::any_of(events.begin(), events.end(), [&](const EngineEvent& event) {
    return event.id == id && event.code == code;
  });
}

void StartAndSourcesAreReported(void**) {
  SimWorld world({}, {0, 0, 0}, 10);
  const AssocId id = world.AddServer({}, Iburst(4, 4));
  world.RunUntil(300);
  world.server(id).up = false;
  world.RunUntil(900);
  const auto& events = world.events;
  for (SystemEvent code :
       {SystemEvent::kRestart, SystemEvent::kFrequencyNotSet, SystemEvent::kFrequencyMode,
        SystemEvent::kClockSync, SystemEvent::kNoSystemPeer})
    assert_true(Has(events, AssocId{}, static_cast<int>(code)));
  for (PeerEvent code : {PeerEvent::kMobilize, PeerEvent::kReachable, PeerEvent::kSystemPeer,
                         PeerEvent::kUnreachable})
    assert_true(Has(events, id, static_cast<int>(code)));
}

void StatusWordsFollowTheReference(void**) {
  Engine fresh({}, At(0));
  assert_int_equal(fresh.SystemStatusWord(), 0xc011);  // leap alarm, freq_not_set
  SimWorld world({}, {0, 0, 0}, 11);
  SimServer exact;
  exact.jitter = 0;
  const AssocId id = world.AddServer(exact, Iburst());
  world.RunUntil(3600);
  assert_int_equal(world.engine().SystemStatusWord() & 0xff0f, 0x0605);  // sync_ntp, clock_sync
  assert_int_equal(world.engine().PeerStatusWord(id) & 0xff0f, 0x960a);  // conf reach sys.peer
}

void RepeatedEventsAreCountedUpToFifteen(void**) {
  Engine engine({}, At(0));
  engine.TakeEvents();
  for (int i = 0; i < 40; ++i) engine.ReportSystem(SystemEvent::kTai);
  assert_int_equal(engine.TakeEvents().size(), 15);
  assert_int_equal(engine.SystemStatusWord() & 0xff, 0xfe);
  engine.ClearEventCount(AssocId{});
  assert_int_equal(engine.SystemStatusWord() & 0xff, 0x0e);
}

void EventsNobodyTakesAreBounded(void**) {
  Engine engine({}, At(0));
  for (int i = 0; i < 10000; ++i)
    engine.ReportSystem(i % 2 ? SystemEvent::kTai : SystemEvent::kKernel);
  assert_int_equal(engine.TakeEvents().size(), Engine::kMaxEvents);
}

void SnapshotShowsWhatTheServerSaid(void**) {
  SimWorld world({}, {0, 0, 0}, 12);
  SimServer server;
  server.clock_error = 0.01;
  server.root_delay = 0.02;
  server.jitter = 0;
  const AssocId id = world.AddServer(server, Iburst());
  world.RunUntil(1);
  const auto snapshot = world.engine().Snapshot(id, world.mono());
  assert_true(std::abs(snapshot->offset - 0.01) < 1e-5);
  assert_true(std::abs(snapshot->delay - 0.01) < 1e-4);
  assert_true(std::abs(snapshot->root_delay - 0.02) < 1e-4);
  assert_int_equal(snapshot->stratum, 1);
  assert_int_equal(snapshot->reach, 1);
  assert_int_equal(snapshot->hpoll, 6);
  assert_int_equal(snapshot->precision, -23);
  assert_true(std::abs(*snapshot->since_received - 0.99) < 0.01);
  assert_true(std::abs(snapshot->until_poll - 1.0) < 0.01);
  assert_int_equal(snapshot->counters.sent, 1);
  assert_true(snapshot->filter[0].dispersion < 0.001);
  assert_true(snapshot->filter[1].dispersion == kMaxDispersion);
  assert_true(snapshot->status.reachable && snapshot->status.configured);
  assert_false(snapshot->receive.is_zero());
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(IdentifiersAreUnique),
      cmocka_unit_test(NothingIsDueWithoutAssociations),
      cmocka_unit_test(UnknownIdentifiersAreHarmless),
      cmocka_unit_test(RemovedSystemPeerIsForgottenAtTheNextTick),
      cmocka_unit_test(LocalClockServesAtOnce),
      cmocka_unit_test(LocalClockCountsItsPolls),
      cmocka_unit_test(LocalClockOfStratumZeroNamesItself),
      cmocka_unit_test(LocalClockStaysFreshForDays),
      cmocka_unit_test(RealSourceReplacesTheLocalClockAndBack),
      cmocka_unit_test(NoselectLocalClockIsNotUsed),
      cmocka_unit_test(OrphanServesItsOwnTimeAfterTheWait),
      cmocka_unit_test(WithoutOrphanModeNothingIsServed),
      cmocka_unit_test(OrphanChildFollowsTheLowestParent),
      cmocka_unit_test(LowestOrphanIsTheParent),
      cmocka_unit_test(AFurtherAddressIsNoOrphansRank),
      cmocka_unit_test(RealSourceEndsOrphanMode),
      cmocka_unit_test(OwnRefidMarksALoop),
      cmocka_unit_test(ThisHostIsNoSource),
      cmocka_unit_test(CeilingAndFloorBoundTheStrata),
      cmocka_unit_test(NewParametersHoldForAssociationsThatStay),
      cmocka_unit_test(KeyedSourceIsFollowedOnlyByItsKey),
      cmocka_unit_test(AutokeyDanceOverOneVolleyIsChosenInTime),
      cmocka_unit_test(StartAndSourcesAreReported),
      cmocka_unit_test(StatusWordsFollowTheReference),
      cmocka_unit_test(RepeatedEventsAreCountedUpToFifteen),
      cmocka_unit_test(EventsNobodyTakesAreBounded),
      cmocka_unit_test(SnapshotShowsWhatTheServerSaid),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
