#include "tests/core/sim_world.h"

#include <algorithm>
#include <cmath>

namespace ntpward::core::test {
namespace {

// Close before an era's end, so that long runs cross it.
constexpr uint64_t kStartSeconds = 0xffffff00U;

int64_t Nanoseconds(double seconds) { return std::llround(seconds * 1e9); }

NtpTimestamp AtNanoseconds(int64_t ns) {
  const auto seconds = static_cast<uint64_t>(ns / 1000000000);
  const auto rest = static_cast<uint64_t>(ns % 1000000000);
  return NtpTimestamp::FromRaw(((kStartSeconds + seconds) << 32) | ((rest << 32) / 1000000000U));
}

}  // namespace

SimWorld::SimWorld(const EngineConfig& config, const SimClock& clock, uint64_t seed)
    : random_(seed), clock_(clock), engine_(std::make_unique<Engine>(config, MonoTime())) {
  if (config.discipline.drift) frequency_ = config.discipline.drift->value * 1e-6;
}

AssocId SimWorld::AddServer(const SimServer& server, const AssociationConfig& config) {
  const AssocId id{static_cast<uint16_t>(servers_.size() + 1)};
  servers_[id] = server;
  const SocketAddress address{IpAddress::V4(10, 0, 0, static_cast<uint8_t>(id.value)), 123};
  CHECK(engine_->AddAssociation(id, address, 0x0a000000U | id.value, config, mono()));
  return id;
}

NtpTimestamp SimWorld::TimeWithError(double error) const {
  return AtNanoseconds(now_ns_) + NtpDuration::FromSeconds(error);
}

NtpTimestamp SimWorld::system_time() const { return TimeWithError(clock_.error); }

double SimWorld::Exponential(double mean) {
  if (mean <= 0) return 0;
  return std::exponential_distribution<double>(1 / mean)(random_);
}

void SimWorld::AdvanceTo(int64_t ns) {
  while (now_ns_ < ns) {
    // The wander makes the drift change in between; steps of ten seconds are fine enough.
    const int64_t to = std::min(ns, now_ns_ + 10000000000);
    const double interval = static_cast<double>(to - now_ns_) / 1e9;
    if (clock_.wander > 0)
      clock_.drift +=
          std::normal_distribution<double>(0, clock_.wander * std::sqrt(interval))(random_);
    const double slewed = std::clamp(slew_left_, -kMaxSlewRate * interval, kMaxSlewRate * interval);
    slew_left_ -= slewed;
    const double before = clock_.error;
    clock_.error += slewed + (clock_.drift + frequency_) * interval;
    const double mean = (before + clock_.error) / 2;
    squares_ += mean * mean * interval;
    seconds_ += interval;
    longest_ = std::max({longest_, std::abs(before), std::abs(clock_.error)});
    now_ns_ = to;
  }
}

void SimWorld::Leap(bool inserted) {
  const double change = inserted ? -1 : 1;
  for (auto& [id, server] : servers_) server.clock_error += change;
  const auto wanted = inserted ? wire::Leap::kAddSecond : wire::Leap::kDeleteSecond;
  if (engine_->system().leap == wanted) clock_.error += change;
}

void SimWorld::Apply(const ClockAction& action) {
  if (action.kind == ClockAction::Kind::kPanic) ++panics;
  if (action.kind != ClockAction::Kind::kStep) return;
  if (refuses_steps) {
    ++refused_steps;
    return engine_->OnStepRefused(mono());
  }
  engine_->OnStepMade(mono());
  ++steps;
  slew_left_ = 0;
  clock_.error += action.offset;
}

void SimWorld::Poll(AssocId id) {
  const auto request = engine_->BuildRequest(id, mono(), NtpTimestamp::FromRaw(random_() | 1));
  CHECK(request.has_value());
  engine_->OnSent(id, system_time(), KeyId{});
  SimServer& server = servers_.at(id);
  std::uniform_real_distribution<double> uniform(0, 1);
  if (!server.up || uniform(random_) < server.loss || uniform(random_) < server.loss) return;
  ++server.requests;
  server.request_times.push_back(now());
  const double out = server.delay_out + Exponential(server.jitter);
  const double back = server.delay_back + Exponential(server.jitter);
  const double served = 20e-6;
  wire::Header reply;
  reply.leap = server.leap;
  reply.mode = wire::Mode::kServer;
  reply.stratum = server.stratum;
  reply.poll = request->poll;
  reply.precision = -23;
  reply.root_delay = wire::NtpShort::FromSeconds(server.root_delay);
  reply.root_dispersion = wire::NtpShort::FromSeconds(server.root_dispersion);
  reply.refid = server.refid;
  reply.origin = request->transmit;
  reply.reference = TimeWithError(server.clock_error - 10);
  reply.receive = TimeWithError(server.clock_error + out);
  reply.transmit = TimeWithError(server.clock_error + out + served);
  if (server.spoil) server.spoil(&reply);
  flying_.emplace(now_ns_ + Nanoseconds(out + served + back), Packet{id, reply});
}

void SimWorld::Deliver(const Packet& packet) {
  const auto sample =
      engine_->OnReply(packet.id, packet.header, std::nullopt, system_time(), mono());
  if (sample.ok()) Apply(engine_->Update(mono(), system_time()));
}

SimStatistics SimWorld::RunUntil(double until) {
  squares_ = longest_ = seconds_ = 0;
  const int64_t end = Nanoseconds(until);
  while (true) {
    const int64_t deadline = std::max(engine_->NextDeadline().nanoseconds(), now_ns_);
    const int64_t arrival = flying_.empty() ? INT64_MAX : flying_.begin()->first;
    const int64_t next = std::min(deadline, arrival);
    if (next > end) break;
    AdvanceTo(next);
    if (arrival <= deadline) {
      const Packet packet = flying_.begin()->second;
      flying_.erase(flying_.begin());
      Deliver(packet);
    } else {
      const Engine::TickResult tick = engine_->Tick(mono(), system_time());
      Apply(tick.action);
      frequency_ = tick.clock.frequency.value * 1e-6;
      slew_left_ = tick.clock.slew;
      for (AssocId id : tick.due) Poll(id);
    }
    for (EngineEvent& event : engine_->TakeEvents()) events.push_back(std::move(event));
  }
  AdvanceTo(end);
  return {std::sqrt(squares_ / std::max(seconds_, 1e-9)), longest_};
}

bool SimWorld::HasEvent(AssocId id, int code) const {
  return std::any_of(events.begin(), events.end(), [&](const EngineEvent& event) {
    return event.id == id && event.code == code;
  });
}

}  // namespace ntpward::core::test
