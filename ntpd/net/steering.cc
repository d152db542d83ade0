#include "ntpd/net/steering.h"

#include <poll.h>

#include <cmath>
#include <cstdio>

#include "ntpd/core/leap_schedule.h"

namespace ntpward::net {
namespace {

constexpr double kPatience = 1;  // seconds

bool SameCourse(const msg::ClockAdjust& a, const msg::ClockAdjust& b) {
  return a.frequency == b.frequency && a.slew.value_or(0) == 0 && b.slew.value_or(0) == 0 &&
         a.synchronised == b.synchronised && a.leap == b.leap;
}

// ntpd-clock hears of a leap second on its day only.
uint8_t LeapToday(wire::Leap leap, NtpTimestamp now) {
  const bool armed = leap == wire::Leap::kAddSecond || leap == wire::Leap::kDeleteSecond;
  return armed && core::IsLastDayOfMonth(now) ? static_cast<uint8_t>(leap) : uint8_t{0};
}

}  // namespace

msg::ClockAdjust Steering::RequestFor(const core::ClockTick& tick,
                                      const core::Engine& engine) const {
  msg::ClockAdjust request = StatusOf(engine, Timebase::Mono());
  request.frequency = tick.frequency;
  request.slew = tick.slew;
  return request;
}

void Steering::Run(const core::ClockTick& tick, const core::Engine& engine) {
  if (measure_only_) return;
  const MonoTime now = Timebase::Mono();
  msg::ClockAdjust request = RequestFor(tick, engine);
  if (sent_ && SameCourse(*sent_, request) && now - sent_at_ < kStatusInterval) return;
  request.request = ++last_request_;
  if (clock_->Send(request) != SendOutcome::kSent) return;
  sent_ = request;
  sent_at_ = now;
  announced_leap_ = request.leap;
  announced_at_ = now;
}

// What ntpd-clock tells others on this machine; no course.
msg::ClockAdjust Steering::StatusOf(const core::Engine& engine, MonoTime now) const {
  msg::ClockAdjust request;
  const core::SystemState& system = engine.system();
  request.synchronised = system.synchronised();
  request.leap = LeapToday(system.leap, time_->Now());
  request.maximum_error = std::fmin(16, system.RootDispersionAt(now) + system.root_delay / 2);
  request.estimated_error = std::fmin(16, engine.discipline().jitter());
  return request;
}

// A virtual clock has to know how long the day still is, by a clock that is being corrected.
void Steering::Announce(const core::Engine& engine) {
  if (measure_only_) return;
  const MonoTime now = Timebase::Mono();
  msg::ClockAdjust request = StatusOf(engine, now);
  SendTai(request, now);
  const bool armed = request.leap.value_or(0) != 0;
  if (announced_leap_.value_or(0) == request.leap.value_or(0) &&
      !(armed && now - announced_at_ >= kLeapInterval))
    return;
  request.request = ++last_request_;
  if (clock_->Send(request) != SendOutcome::kSent) return;
  announced_leap_ = request.leap;
  announced_at_ = now;
}

// In a request of its own: ntpd-clock refuses an offset that jumps, and must not refuse the course
// with it. Said again each day, for a refused one may be a day too soon.
void Steering::SendTai(const msg::ClockAdjust& status, MonoTime now) {
  if (!tai_ || !status.synchronised) return;
  if (told_tai_ == tai_ && now - told_tai_at_ < kTaiInterval) return;
  msg::ClockAdjust request = status;
  request.leap.reset();
  request.tai = tai_;
  request.request = ++last_request_;
  if (clock_->Send(request) != SendOutcome::kSent) return;
  told_tai_ = tai_;
  told_tai_at_ = now;
}

StepOutcome Steering::Step(double seconds) {
  msg::ClockAdjust request;
  request.step = seconds;
  request.slew = 0;
  const std::optional<bool> made = Ask(request, "step");
  if (!made) return StepOutcome::kUnknown;
  return *made ? StepOutcome::kMade : StepOutcome::kRefused;
}

bool Steering::SlewWhole(double seconds, const core::Engine& engine) {
  return Ask(RequestFor({engine.discipline().frequency(), seconds}, engine), "slew")
      .value_or(false);
}

// Whether it was done; none when nobody knows.
std::optional<bool> Steering::Ask(const msg::ClockAdjust& request, const char* what) {
  if (measure_only_) return false;
  msg::ClockAdjust numbered = request;
  numbered.request = ++last_request_;
  sent_.reset();
  if (clock_->Send(numbered) != SendOutcome::kSent) return false;
  const std::optional<bool> done = AwaitAnswer(numbered.request);
  if (!done) reporter_->Log(LogLevel::kError, std::string("clock: no answer to a ") + what);
  return done;
}

// Whether it was done; none when nobody said so in time. The whole wait is bounded, whatever
// else ntpd-clock has to say meanwhile.
std::optional<bool> Steering::AwaitAnswer(uint32_t request) {
  const MonoTime asked = Timebase::Mono();
  for (;;) {
    const double left = kPatience - (Timebase::Mono() - asked);
    if (left <= 0) return std::nullopt;
    pollfd readable{clock_->in_fd(), POLLIN, 0};
    if (poll(&readable, 1, static_cast<int>(left * 1000) + 1) <= 0) continue;
    const auto bytes = suspicion_.Receive();
    if (!bytes) {
      if (clock_->peer_gone() || suspicion_.accused()) return std::nullopt;
      continue;
    }
    if (!Take(*bytes)) return std::nullopt;
    if (time_->state().request == request)
      return time_->state().refusal == msg::ClockRefusal::kNone;
  }
}

bool Steering::Take(Bytes bytes) {
  msg::ClockState state;
  if (!msg::Decode(bytes, &state)) return suspicion_.Accuse(bytes);
  time_->SetState(state);
  if (state.refusal != msg::ClockRefusal::kNone && sent_ && sent_->request == state.request) {
    slew_refused_ = sent_->slew.value_or(0) != 0;
    sent_.reset();
  }
  return true;
}

bool Steering::OnReadable() {
  for (int i = 0; i < Suspicion::kMostAtOnce; ++i) {
    const auto bytes = suspicion_.Receive();
    if (!bytes) return !suspicion_.accused();
    if (!Take(*bytes)) return false;
  }
  return true;
}

// What the new one says of its state comes unasked and may be there already: nothing of a role in
// good standing is thrown away.
void Steering::OnRestarted() {
  sent_.reset();
  told_tai_.reset();
  announced_leap_.reset();
  if (!suspicion_.accused()) return;
  suspicion_.OnRestarted();
  // Asks nothing but to be told the state.
  (void)clock_->Send(msg::ClockAdjust{});
}

}  // namespace ntpward::net
