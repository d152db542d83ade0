// Symmetric and broadcast associations: what may change them, and whether hosts that use them
// agree.
//
// The simulation has whole hosts, each with an engine and a drifting clock, that send to each
// other.
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <random>

#include "ntpd/core/engine.h"
#include "ntpd/wire/refid.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

const Parameters kParameters;
constexpr KeyId kKey{7};
constexpr MacVerdict kGood{kKey, MacResult::kGood};
constexpr NtpTimestamp kBase = NtpTimestamp::FromRaw(0xe000000000000000);
NtpTimestamp T(double seconds) { return kBase + NtpDuration::FromSeconds(seconds); }
MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }

AssociationConfig Config(HostMode mode, bool keyed = true) {
  AssociationConfig config;
  config.mode = mode;
  if (keyed) config.key = kKey;
  return config;
}

SystemState Synchronised() {
  SystemState system;
  system.leap = wire::Leap::kNone;
  system.stratum = 2;
  return system;
}

// One association, and packets as an honest peer 1 s ahead and 10 ms away would send them.
struct Fixture {
  explicit Fixture(const AssociationConfig& config)
      : association(AssocId{1}, {IpAddress::V4(10, 0, 0, 1), 123}, config, kParameters, -20, 5,
                    At(0)) {}
  wire::Header Send(double when) {
    const auto header = association.BuildRequest(At(when), T(999), Synchronised());
    association.OnSent(T(when), kKey);
    return header.value_or(wire::Header());
  }
  static wire::Header Packet(wire::Mode mode, double when) {
    wire::Header packet;
    packet.leap = wire::Leap::kNone;
    packet.mode = mode;
    packet.stratum = 2;
    packet.poll = 6;
    packet.precision = -20;
    packet.refid = 0x01020304;
    packet.reference = T(when - 30);
    packet.transmit = T(when + 1);
    return packet;
  }
  static wire::Header Answer(double asked, double when) {
    wire::Header packet = Packet(wire::Mode::kSymmetricActive, when);
    packet.origin = T(asked);
    packet.receive = T(asked + 1.01);
    return packet;
  }
  Result<Sample, Reject> Take(const wire::Header& packet, double when,
                              std::optional<MacVerdict> verdict = kGood) {
    return association.OnReply(packet, verdict, T(when), At(when));
  }
  PeerSnapshot State() const {
    PeerSnapshot snapshot = SnapshotOf(association, At(100));
    snapshot.counters = {};
    snapshot.flash = 0;
    return snapshot;
  }
  Association association;
};

// --- symmetric ----------------------------------------------------------------------------------

void APeersAnswerIsASample(void**) {
  Fixture f(Config(HostMode::kSymmetricActive));
  const wire::Header sent = f.Send(0);
  assert_int_equal(sent.mode, wire::Mode::kSymmetricActive);
  assert_int_equal(sent.stratum, 2);
  const auto sample = f.Take(Fixture::Answer(0, 30), 30.01);
  assert_true(sample.ok());
  assert_true(std::abs(sample->offset - 1) < 1e-6);
  assert_true(std::abs(sample->delay - 0.02) < 1e-6);
  // Our next packet answers it.
  const wire::Header next = f.Send(64);
  assert_true(next.origin == T(31));
  assert_true(next.receive == T(30.01));
}

// CVE-2015-1799, CVE-2015-1853, CVE-2015-7979.
void ABadMacChangesNothingOfAPeer(void**) {
  Fixture f(Config(HostMode::kSymmetricActive));
  f.Send(0);
  const PeerSnapshot before = f.State();
  const wire::Header packet = Fixture::Answer(0, 30);
  assert_int_equal(f.Take(packet, 30.01, MacVerdict{kKey, MacResult::kBad}).error(),
                   Reject::kBadMac);
  assert_int_equal(f.Take(packet, 30.01, std::nullopt).error(), Reject::kNoMac);
  assert_int_equal(f.Take(packet, 30.01, MacVerdict{KeyId{8}, MacResult::kGood}).error(),
                   Reject::kBadMac);
  assert_true(f.State() == before);
  // The genuine one still counts.
  assert_true(f.Take(packet, 30.01).ok());
}

// Anyone can make the MAC behind a field: it gives no time, and only an answer shows that the peer
// is there.
void APacketWithFieldsMovesNoStateOfAPeer(void**) {
  AssociationConfig config = Config(HostMode::kSymmetricActive, false);
  config.autokey = true;
  Fixture f(config);
  f.Send(0);
  assert_true(f.Take(Fixture::Answer(0, 30), 30.01).ok());
  f.Send(64);
  const PeerSnapshot before = f.State();
  wire::Header forged = Fixture::Packet(wire::Mode::kSymmetricActive, 70);
  assert_false(f.association.AnswersUs(forged));
  assert_true(f.association.OnHeard(forged, T(70.01), At(70.01)).ok());
  assert_true(f.State() == before);
  assert_int_equal(f.association.schedule().reach(), 2);
  // It does not take the place of what was proved, as long as that is recent.
  wire::Header ours = *f.association.BuildRequest(At(128), T(999), Synchronised());
  assert_true(ours.origin == T(31));
  f.association.FillHeard(&ours);
  assert_true(ours.origin == T(31) && ours.receive == T(30.01));

  const wire::Header answer = Fixture::Answer(64, 129);
  assert_true(f.association.AnswersUs(answer));
  assert_true(f.association.OnHeard(answer, T(129.01), At(129.01)).ok());
  assert_int_equal(f.association.schedule().reach() & 1, 1);
}

void ACryptoNakOfAPeerNeedsTheOriginOfOurLastPacket(void**) {
  Fixture f(Config(HostMode::kSymmetricActive));
  f.Send(0);
  f.Send(64);
  constexpr MacVerdict kNak{KeyId{}, MacResult::kCryptoNak};
  assert_int_equal(f.Take(Fixture::Answer(0, 65), 65.01, kNak).error(), Reject::kBadMac);
  assert_int_equal(f.Take(Fixture::Answer(64, 65), 65.01, kNak).error(), Reject::kCryptoNak);
}

// CVE-2016-4953, CVE-2016-1547: neither ends an ephemeral association.
void BadAuthenticationDoesNotEndAnEphemeralAssociation(void**) {
  AssociationConfig config = Config(HostMode::kSymmetricPassive);
  config.ephemeral = true;
  Fixture f(config);
  f.Send(0);
  for (int i = 0; i < 50; ++i) {
    (void)f.Take(Fixture::Answer(0, 1 + i), 2 + i, MacVerdict{kKey, MacResult::kBad});
    (void)f.Take(Fixture::Answer(0, 1 + i), 2 + i, MacVerdict{KeyId{}, MacResult::kCryptoNak});
  }
  assert_false(f.association.expired());
  assert_true(f.Take(Fixture::Answer(0, 100), 100.01).ok());
}

void AnEphemeralAssociationEndsWhenItsHostIsSilent(void**) {
  AssociationConfig config = Config(HostMode::kSymmetricPassive);
  config.ephemeral = true;
  Fixture f(config);
  for (int i = 0; i < 12; ++i) f.Send(64 * i);
  assert_false(f.association.expired());
  f.Send(64 * 12);
  assert_true(f.association.expired());
}

void ThePeerThatPollsMoreOftenSetsThePace(void**) {
  AssociationConfig config = Config(HostMode::kSymmetricActive);
  config.poll.minpoll = 6;
  config.poll.maxpoll = 10;
  Fixture f(config);
  f.Send(0);
  wire::Header packet = Fixture::Answer(0, 30);
  packet.poll = 7;
  assert_true(f.Take(packet, 30.01).ok());
  f.association.SetSystemPoll(10);
  assert_int_equal(f.association.schedule().poll(), 7);
  for (int poll : {-128, 0, 127}) {
    f.Send(1000 + poll);
    packet = Fixture::Answer(1000 + poll, 1001 + poll);
    packet.poll = static_cast<int8_t>(poll);
    assert_true(f.Take(packet, 1001.01 + poll).ok());
    assert_in_range(f.association.schedule().maxpoll(), 6, 10);
  }
}

void AStepVoidsWhatAPeerSaid(void**) {
  Fixture f(Config(HostMode::kSymmetricActive));
  f.Send(0);
  assert_true(f.Take(Fixture::Answer(0, 30), 30.01).ok());
  f.association.OnClockStep();
  assert_true(f.Send(64).origin.is_zero());
}

void ASilentPeerIsUnreachable(void**) {
  Fixture f(Config(HostMode::kSymmetricActive));
  f.Send(0);
  assert_true(f.Take(Fixture::Answer(0, 30), 30.01).ok());
  for (int i = 1; i <= 8; ++i) f.Send(64 * i);
  assert_int_equal(f.association.schedule().reach(), 0);
}

// --- broadcast ----------------------------------------------------------------------------------

void AServerThatIsNotSynchronisedBroadcastsNothing(void**) {
  Fixture f(Config(HostMode::kBroadcast));
  assert_false(f.association.BuildRequest(At(0), T(0), SystemState()).has_value());
  const auto sent = f.association.BuildRequest(At(64), T(0), Synchronised());
  assert_int_equal(sent.value().mode, wire::Mode::kBroadcast);
  assert_true(sent->origin.is_zero() && sent->receive.is_zero());
}

void ABroadcastServerBelievesNobody(void**) {
  Fixture f(Config(HostMode::kBroadcast));
  f.Send(0);
  for (int mode = 0; mode < 8; ++mode) {
    wire::Header packet = Fixture::Answer(0, 1);
    packet.mode = static_cast<wire::Mode>(mode);
    assert_false(f.Take(packet, 1.01).ok());
  }
  assert_int_not_equal(f.association.Unfit(At(2), {}), 0);
}

void AListenerTakesTheConfiguredDelayWithoutAVolley(void**) {
  AssociationConfig config = Config(HostMode::kBroadcastClient);
  config.delay = 0.02;
  Fixture f(config);
  const auto sample = f.Take(Fixture::Packet(wire::Mode::kBroadcast, 10), 10.01);
  assert_true(sample.ok());
  assert_true(std::abs(sample->offset - 1) < 1e-6);
  assert_false(f.association.BuildRequest(At(64), T(1), Synchronised()).has_value());
}

void AListenerSendsAVolleyThenListens(void**) {
  AssociationConfig config = Config(HostMode::kClient);
  config.listen = true;
  config.poll.iburst = true;
  Fixture f(config);
  double when = 0;
  for (int i = 0; i < 8; ++i) {
    const auto request = f.association.BuildRequest(At(when), T(when + 0.5), Synchronised());
    assert_int_equal(request.value().mode, wire::Mode::kClient);
    f.association.OnSent(T(when), kKey);
    wire::Header reply = Fixture::Answer(0, when);
    reply.mode = wire::Mode::kServer;
    reply.origin = request->transmit;
    reply.receive = reply.transmit = T(when + 1.005);
    assert_true(f.Take(reply, when + 0.01).ok());
    // A broadcast does not answer a request.
    assert_int_equal(f.Take(Fixture::Packet(wire::Mode::kBroadcast, when), when).error(),
                     Reject::kBadMode);
    when = static_cast<double>(f.association.next_poll().nanoseconds()) / 1e9;
  }
  assert_false(f.association.BuildRequest(At(when), T(1), Synchronised()).has_value());
  assert_int_equal(f.association.hmode(), HostMode::kBroadcastClient);
  const auto sample = f.Take(Fixture::Packet(wire::Mode::kBroadcast, when), when + 0.005);
  assert_true(sample.ok());
  assert_true(std::abs(sample->delay - 0.01) < 1e-6);
  assert_true(std::abs(sample->offset - 1) < 1e-6);
}

// With Autokey the volley goes on until the server's key list is there; then any key counts whose
// place in the list was judged, and none else.
void AnAutokeyListenerWaitsForTheKeyList(void**) {
  AssociationConfig config = Config(HostMode::kClient, false);
  config.autokey = config.listen = true;
  config.poll.iburst = true;
  Fixture f(config);
  f.association.AllowListening(false);
  double when = 0;
  const auto poll = [&] {
    const auto request = f.association.BuildRequest(At(when), T(when + 0.5), Synchronised());
    if (!request) return false;
    f.association.OnSent(T(when), kKey);
    wire::Header reply = Fixture::Answer(0, when);
    reply.mode = wire::Mode::kServer;
    reply.origin = request->transmit;
    reply.receive = reply.transmit = T(when + 1.005);
    assert_true(f.Take(reply, when + 0.01).ok());
    when = static_cast<double>(f.association.next_poll().nanoseconds()) / 1e9;
    return true;
  };
  for (int i = 0; i < 12; ++i) assert_true(poll());
  f.association.AllowListening(true);
  assert_false(poll());
  const auto heard = [&](std::optional<MacVerdict> verdict) {
    when += 1;
    return f.Take(Fixture::Packet(wire::Mode::kBroadcast, when), when, verdict);
  };
  assert_true(heard(MacVerdict{KeyId{70001}, MacResult::kGood}).ok());
  assert_int_equal(heard(MacVerdict{KeyId{70002}, MacResult::kBad}).error(), Reject::kBadMac);
  assert_int_equal(heard(std::nullopt).error(), Reject::kNoMac);
  assert_int_equal(heard(MacVerdict{KeyId{}, MacResult::kCryptoNak}).error(), Reject::kBadMac);
  assert_true(heard(MacVerdict{KeyId{70003}, MacResult::kGood}).ok());
}

// CVE-2015-7979: one bad packet does not tear the association down. CVE-2015-7973: nor does a
// replay.
void AListenerSurvivesForgedAndReplayedBroadcasts(void**) {
  Fixture f(Config(HostMode::kBroadcastClient));
  assert_true(f.Take(Fixture::Packet(wire::Mode::kBroadcast, 10), 10).ok());
  const PeerSnapshot before = f.State();
  const wire::Header future = Fixture::Packet(wire::Mode::kBroadcast, 1e6);
  assert_int_equal(f.Take(future, 20, MacVerdict{kKey, MacResult::kBad}).error(), Reject::kBadMac);
  assert_int_equal(f.Take(future, 20, std::nullopt).error(), Reject::kNoMac);
  assert_int_equal(f.Take(future, 20, MacVerdict{KeyId{}, MacResult::kCryptoNak}).error(),
                   Reject::kBadMac);
  assert_int_equal(f.Take(Fixture::Packet(wire::Mode::kBroadcast, 10), 20).error(),
                   Reject::kDuplicate);
  assert_true(f.State() == before);
  assert_true(f.Take(Fixture::Packet(wire::Mode::kBroadcast, 74), 74).ok());
}

void ABroadcastKissDoesNotSilenceAListener(void**) {
  Fixture f(Config(HostMode::kBroadcastClient));
  wire::Header kiss = Fixture::Packet(wire::Mode::kBroadcast, 10);
  kiss.leap = wire::Leap::kAlarm;
  kiss.stratum = 0;
  kiss.refid = wire::RefidCode("DENY");
  assert_false(f.Take(kiss, 10).ok());
  assert_false(f.association.stopped());
}

// --- whole hosts --------------------------------------------------------------------------------

// A few hosts that send to each other; each packet takes `delay` and some noise.
class Network {
 public:
  struct Host {
    std::unique_ptr<Engine> engine;
    double error = 0, drift = 0, frequency = 0, slew = 0;
    bool up = true;
  };
  explicit Network(int count, uint64_t seed = 1) : random_(seed) {
    for (int i = 0; i < count; ++i) {
      Host host;
      EngineConfig config;
      config.seed = seed + static_cast<uint64_t>(i);
      host.engine = std::make_unique<Engine>(config, At(0));
      host.drift = (i % 2 == 0 ? 1 : -1) * 20e-6 * i;
      host.engine->SetOwnRefids({RefidOf(i)});
      hosts.push_back(std::move(host));
    }
  }
  static IpAddress AddressOf(int host) {
    return IpAddress::V4(10, 0, 0, static_cast<uint8_t>(host + 1));
  }
  static uint32_t RefidOf(int host) { return 0x0a000001U + static_cast<uint32_t>(host); }

  void Associate(int host, int other, const AssociationConfig& config) {
    const AssocId id{static_cast<uint16_t>(other + 1)};
    CHECK(hosts[static_cast<size_t>(host)].engine->AddAssociation(
        id, {AddressOf(other), 123}, RefidOf(other), config, At(now_)));
  }
  void AddClock(int host) {
    LocalClockConfig clock;
    clock.stratum = 3;
    CHECK(hosts[static_cast<size_t>(host)].engine->AddLocalClock(AssocId{99}, clock, At(now_)));
  }
  void RemoveClock(int host) {
    CHECK(hosts[static_cast<size_t>(host)].engine->Remove(AssocId{99}));
  }

  void RunUntil(double end) {
    for (; now_ < end; now_ += kStep) {
      for (size_t i = 0; i < hosts.size(); ++i) Advance(&hosts[i]);
      while (!flying_.empty() && flying_.begin()->first <= now_) {
        const Packet packet = flying_.begin()->second;
        flying_.erase(flying_.begin());
        Deliver(packet);
      }
      for (size_t i = 0; i < hosts.size(); ++i) Tick(static_cast<int>(i));
    }
  }
  std::vector<Host> hosts;  // as many as the constructor was told
  double loss = 0;
  double now() const { return now_; }

 private:
  static constexpr double kStep = 0.0625;
  struct Packet {
    int from, to;
    wire::Header header;
    double late;  // s into the step
  };
  NtpTimestamp TimeOf(const Host& host, double extra = 0) const {
    return T(now_ + extra + host.error);
  }
  double Uniform() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  void Advance(Host* host) const {
    const double slewed = std::clamp(host->slew, -kMaxSlewRate * kStep, kMaxSlewRate * kStep);
    host->slew -= slewed;
    host->error += slewed + (host->drift + host->frequency) * kStep;
  }
  void Apply(Host* host, const ClockAction& action) {
    if (action.kind != ClockAction::Kind::kStep) return;
    host->error += action.offset;
    host->slew = 0;
  }
  void Tick(int index) {
    Host& host = hosts[static_cast<size_t>(index)];
    if (!host.up || host.engine->NextDeadline() > At(now_)) return;
    const auto result = host.engine->Tick(At(now_), TimeOf(host));
    host.frequency = result.clock.frequency.value * 1e-6;
    host.slew = result.clock.slew;
    Apply(&host, result.action);
    for (const AssocId id : result.due) Poll(index, id);
    (void)host.engine->TakeEvents();
  }
  void Poll(int index, AssocId id) {
    Host& host = hosts[static_cast<size_t>(index)];
    auto header = host.engine->BuildRequest(id, At(now_), NtpTimestamp::FromRaw(random_() | 1));
    if (!header) return;
    if (header->mode != wire::Mode::kClient) header->transmit = TimeOf(host);
    host.engine->OnSent(id, TimeOf(host), kKey);
    if (header->mode == wire::Mode::kBroadcast) {
      for (int to = 0; to < static_cast<int>(hosts.size()); ++to)
        if (to != index) Launch({index, to, *header, 0});
    } else {
      Launch({index, id.value - 1, *header, 0});
    }
  }
  void Launch(Packet packet) {
    if (Uniform() < loss) return;
    packet.late = Uniform() * 0.002;
    flying_.emplace(now_ + kStep, packet);
  }
  void Deliver(const Packet& packet) {
    Host& host = hosts[static_cast<size_t>(packet.to)];
    if (!host.up || !hosts[static_cast<size_t>(packet.from)].up) return;
    const SocketAddress source{AddressOf(packet.from), 123};
    const auto [fate, id] = host.engine->DispatchPacket(source, packet.header.mode);
    if (fate == Fate::kAnswer) return Answer(packet);
    if (fate != Fate::kProcess) return;
    if (!host.engine->MatchReply(id, packet.header).ok()) return;
    const auto sample =
        host.engine->OnReply(id, packet.header, kGood, TimeOf(host, packet.late), At(now_));
    if (sample.ok()) Apply(&host, host.engine->Update(At(now_), TimeOf(host)));
  }
  void Answer(const Packet& packet) {
    const Host& host = hosts[static_cast<size_t>(packet.to)];
    const SystemState& system = host.engine->system();
    wire::Header reply;
    reply.mode = wire::Mode::kServer;
    reply.leap = system.leap;
    reply.stratum = system.stratum;
    reply.poll = packet.header.poll;
    reply.precision = -20;
    reply.refid = system.refid;
    reply.reference = system.reference;
    reply.origin = packet.header.transmit;
    reply.receive = TimeOf(host, packet.late);
    reply.transmit = TimeOf(host, packet.late);
    Launch({packet.to, packet.from, reply, 0});
  }

  double now_ = 0;
  std::mt19937_64 random_;
  std::multimap<double, Packet> flying_;
};

AssociationConfig Quick(HostMode mode) {
  AssociationConfig config = Config(mode);
  config.poll.minpoll = config.poll.maxpoll = 4;
  return config;
}

void TwoPeersAgree(void**) {
  Network network(2);
  network.hosts[1].error = 0.05;
  network.AddClock(0);
  network.Associate(0, 1, Quick(HostMode::kSymmetricActive));
  network.Associate(1, 0, Quick(HostMode::kSymmetricActive));
  network.RunUntil(3600);
  assert_true(network.hosts[1].engine->system().synchronised());
  assert_int_equal(network.hosts[1].engine->system().refid, Network::RefidOf(0));
  assert_true(std::abs(network.hosts[1].error - network.hosts[0].error) < 0.003);
  // The one with the clock does not follow the one that follows it.
  assert_true(network.hosts[0]
                  .engine->Find(AssocId{2})
                  ->Unfit(At(3600), std::vector<uint32_t>{Network::RefidOf(0)}) != 0);
}

void TwoPeersAgreeOverALossyPath(void**) {
  Network network(2, 9);
  network.loss = 0.3;
  network.hosts[1].error = -0.05;
  network.AddClock(0);
  network.Associate(0, 1, Quick(HostMode::kSymmetricActive));
  network.Associate(1, 0, Quick(HostMode::kSymmetricPassive));
  network.RunUntil(3600);
  assert_true(network.hosts[1].engine->system().synchronised());
  assert_true(std::abs(network.hosts[1].error - network.hosts[0].error) < 0.003);
}

void APeerThatLosesItsSourceFollowsTheOther(void**) {
  Network network(3);
  network.AddClock(2);
  network.AddClock(0);
  AssociationConfig client = Quick(HostMode::kClient);
  network.Associate(0, 1, Quick(HostMode::kSymmetricActive));
  network.Associate(1, 0, Quick(HostMode::kSymmetricActive));
  network.Associate(1, 2, client);
  network.RunUntil(1800);
  assert_true(network.hosts[1].engine->system().synchronised());
  network.RemoveClock(0);
  network.RunUntil(3600);
  assert_int_equal(network.hosts[0].engine->system().refid, Network::RefidOf(1));
  assert_int_equal(network.hosts[1].engine->system().refid, Network::RefidOf(2));
  network.hosts[2].up = false;
  network.RunUntil(3800);
  assert_true(network.hosts[0].engine->system().synchronised());
}

void ABroadcastClientConvergesThroughNoise(void**) {
  Network network(2, 5);
  network.loss = 0.1;
  network.hosts[1].error = 0.08;
  network.AddClock(0);
  network.Associate(0, 1, Quick(HostMode::kBroadcast));
  AssociationConfig listener = Quick(HostMode::kClient);
  listener.listen = true;
  listener.poll.iburst = true;
  network.Associate(1, 0, listener);
  network.RunUntil(3600);
  assert_int_equal(network.hosts[1].engine->Find(AssocId{1})->hmode(), HostMode::kBroadcastClient);
  assert_true(network.hosts[1].engine->system().synchronised());
  assert_true(std::abs(network.hosts[1].error - network.hosts[0].error) < 0.003);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(APeersAnswerIsASample),
      cmocka_unit_test(ABadMacChangesNothingOfAPeer),
      cmocka_unit_test(APacketWithFieldsMovesNoStateOfAPeer),
      cmocka_unit_test(ACryptoNakOfAPeerNeedsTheOriginOfOurLastPacket),
      cmocka_unit_test(BadAuthenticationDoesNotEndAnEphemeralAssociation),
      cmocka_unit_test(AnEphemeralAssociationEndsWhenItsHostIsSilent),
      cmocka_unit_test(ThePeerThatPollsMoreOftenSetsThePace),
      cmocka_unit_test(AStepVoidsWhatAPeerSaid),
      cmocka_unit_test(ASilentPeerIsUnreachable),
      cmocka_unit_test(AServerThatIsNotSynchronisedBroadcastsNothing),
      cmocka_unit_test(ABroadcastServerBelievesNobody),
      cmocka_unit_test(AListenerTakesTheConfiguredDelayWithoutAVolley),
      cmocka_unit_test(AListenerSendsAVolleyThenListens),
      cmocka_unit_test(AnAutokeyListenerWaitsForTheKeyList),
      cmocka_unit_test(AListenerSurvivesForgedAndReplayedBroadcasts),
      cmocka_unit_test(ABroadcastKissDoesNotSilenceAListener),
      cmocka_unit_test(TwoPeersAgree),
      cmocka_unit_test(TwoPeersAgreeOverALossyPath),
      cmocka_unit_test(APeerThatLosesItsSourceFollowsTheOther),
      cmocka_unit_test(ABroadcastClientConvergesThroughNoise),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
