#include "tests/core/sim_network.h"

#include <algorithm>

namespace ntpward::core::test {
namespace {

constexpr NtpTimestamp kBase = NtpTimestamp::FromRaw(0xe000000000000000);
constexpr double kStep = 0.0625;  // s
constexpr MacVerdict kGood{kNetworkKey, MacResult::kGood};

MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }

}  // namespace

SimNetwork::SimNetwork(int count, uint64_t seed, EngineConfig config) : random_(seed) {
  for (int i = 0; i < count; ++i) {
    Host host;
    config.seed = seed + static_cast<uint64_t>(i);
    host.engine = std::make_unique<Engine>(config, At(0));
    host.drift = (i % 2 == 0 ? 1 : -1) * 20e-6 * i;
    host.engine->SetOwnRefids({RefidOf(i)});
    hosts.push_back(std::move(host));
  }
}

void SimNetwork::Associate(int host, int other, const AssociationConfig& config) {
  const AssocId id{static_cast<uint16_t>(other + 1)};
  CHECK(hosts[static_cast<size_t>(host)].engine->AddAssociation(id, {AddressOf(other), 123},
                                                                RefidOf(other), config, At(now_)));
}

void SimNetwork::AddClock(int host) {
  LocalClockConfig clock;
  clock.stratum = 3;
  CHECK(hosts[static_cast<size_t>(host)].engine->AddLocalClock(AssocId{99}, clock, At(now_)));
}

void SimNetwork::RemoveClock(int host) {
  CHECK(hosts[static_cast<size_t>(host)].engine->Remove(AssocId{99}));
}

void SimNetwork::RunUntil(double end) {
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

NtpTimestamp SimNetwork::TimeOf(const Host& host, double extra) const {
  return kBase + NtpDuration::FromSeconds(now_ + extra + host.error);
}

double SimNetwork::Uniform() { return std::uniform_real_distribution<double>(0, 1)(random_); }

void SimNetwork::Advance(Host* host) const {
  const double slewed = std::clamp(host->slew, -kMaxSlewRate * kStep, kMaxSlewRate * kStep);
  host->slew -= slewed;
  host->error += slewed + (host->drift + host->frequency) * kStep;
}

void SimNetwork::Apply(Host* host, const ClockAction& action) {
  if (action.kind != ClockAction::Kind::kStep) return;
  host->error += action.offset;
  host->slew = 0;
}

void SimNetwork::Tick(int index) {
  Host& host = hosts[static_cast<size_t>(index)];
  if (!host.up || host.engine->NextDeadline() > At(now_)) return;
  const auto result = host.engine->Tick(At(now_), TimeOf(host));
  host.frequency = result.clock.frequency.value * 1e-6;
  host.slew = result.clock.slew;
  Apply(&host, result.action);
  for (const AssocId id : result.due) Poll(index, id);
  (void)host.engine->TakeEvents();
}

void SimNetwork::Poll(int index, AssocId id) {
  Host& host = hosts[static_cast<size_t>(index)];
  auto header = host.engine->BuildRequest(id, At(now_), NtpTimestamp::FromRaw(random_() | 1));
  if (!header) return;
  if (header->mode != wire::Mode::kClient) header->transmit = TimeOf(host);
  host.engine->OnSent(id, TimeOf(host), kNetworkKey);
  if (header->mode == wire::Mode::kBroadcast) {
    for (int to = 0; to < static_cast<int>(hosts.size()); ++to)
      if (to != index) Launch({index, to, *header, 0});
  } else {
    Launch({index, id.value - 1, *header, 0});
  }
}

void SimNetwork::Launch(Packet packet) {
  if (Uniform() < loss) return;
  packet.late = Uniform() * 0.002;
  flying_.emplace(now_ + kStep, packet);
}

void SimNetwork::Deliver(const Packet& packet) {
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

void SimNetwork::Answer(const Packet& packet) {
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

}  // namespace ntpward::core::test
