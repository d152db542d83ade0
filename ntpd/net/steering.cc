#include "ntpd/net/steering.h"

#include <poll.h>

#include <cmath>
#include <cstdio>

namespace ntpward::net {
namespace {

constexpr int kStepPatienceMs = 1000;

bool SameCourse(const msg::ClockAdjust& a, const msg::ClockAdjust& b) {
  return a.frequency == b.frequency && a.slew.value_or(0) == 0 && b.slew.value_or(0) == 0 &&
         a.synchronised == b.synchronised;
}

}  // namespace

void Steering::Run(const core::ClockTick& tick, const core::Engine& engine) {
  if (measure_only_) return;
  const MonoTime now = Timebase::Mono();
  msg::ClockAdjust request;
  request.frequency = tick.frequency;
  request.slew = tick.slew;
  const core::SystemState& system = engine.system();
  request.synchronised = system.synchronised();
  request.maximum_error = std::fmin(16, system.RootDispersionAt(now) + system.root_delay / 2);
  request.estimated_error = std::fmin(16, engine.discipline().jitter());
  if (sent_ && SameCourse(*sent_, request) && now - sent_at_ < kStatusInterval) return;
  request.request = ++last_request_;
  if (clock_->Send(request) != SendOutcome::kSent) return;
  sent_ = request;
  sent_at_ = now;
}

bool Steering::Step(double seconds) {
  if (measure_only_) return false;
  msg::ClockAdjust request;
  request.request = ++last_request_;
  request.step = seconds;
  request.slew = 0;
  sent_.reset();
  if (clock_->Send(request) != SendOutcome::kSent) return false;
  pollfd readable{clock_->in_fd(), POLLIN, 0};
  while (poll(&readable, 1, kStepPatienceMs) > 0) {
    const auto bytes = clock_->Receive();
    if (!bytes || !Take(*bytes)) return false;
    if (time_->state().request == request.request)
      return time_->state().refusal == msg::ClockRefusal::kNone;
  }
  reporter_->Log(LogLevel::kError, "clock: no answer to a step");
  return false;
}

bool Steering::Take(Bytes bytes) {
  msg::ClockState state;
  if (!msg::Decode(bytes, &state)) {
    link_->Accuse(msg::Role::kClock, bytes);
    return false;
  }
  time_->SetState(state);
  return true;
}

bool Steering::OnReadable() {
  while (const auto bytes = clock_->Receive())
    if (!Take(*bytes)) return false;
  return true;
}

}  // namespace ntpward::net
