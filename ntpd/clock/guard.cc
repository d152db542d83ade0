#include "ntpd/clock/guard.h"

#include <chrono>
#include <cmath>

#include "privsep/base/tai_offset.h"

namespace ntpward::clock {
namespace {

using msg::ClockRefusal;

// Not by gmtime, which opens the time zone's file at its first call: that would kill the process.
bool IsLastDayOfMonth(double unix_seconds) {
  using std::chrono::days;
  const auto today = std::chrono::floor<days>(
      std::chrono::sys_seconds(std::chrono::seconds(static_cast<int64_t>(unix_seconds))));
  return std::chrono::year_month_day(today + days(1)).day() == std::chrono::day(1);
}

// TAI - UTC as the operator's table has it; null outside of what it tells.
std::optional<int16_t> OffsetAt(const msg::LeapTable& table, double unix_seconds) {
  const double seconds = unix_seconds + kUnixToNtpSeconds;
  if (seconds >= static_cast<double>(table.expiry)) return std::nullopt;
  std::optional<int16_t> offset;
  for (const msg::LeapSecond& second : table.seconds)
    if (seconds >= static_cast<double>(second.at)) offset = second.tai;
  return offset;
}

}  // namespace

bool Guard::IsLargeFirstSlew(const msg::ClockAdjust& request) const {
  const double size = std::fabs(request.slew.value_or(0));
  const bool panics = start_.step_limit > 0 && size > start_.step_limit && !gate_open_;
  return size > kMaxSlewSeconds && size <= first_slew_limit_ && !request.step && !panics;
}

ClockRefusal Guard::JudgeStep(double seconds, double unix_seconds) const {
  if (start_.slew_only) return ClockRefusal::kStepLimit;
  if (start_.step_limit > 0 && std::fabs(seconds) > start_.step_limit && !gate_open_)
    return ClockRefusal::kStepLimit;
  if (unix_seconds + seconds < kBuildDate) return ClockRefusal::kBeforeBuildDate;
  return ClockRefusal::kNone;
}

// UTC has moved by one second at a time since 1972; the first value only has to be possible.
ClockRefusal Guard::JudgeTai(int16_t tai, double unix_seconds, MonoTime now) const {
  // Who asks reads another clock than this one, by a little.
  const auto before = OffsetAt(leap_table_, unix_seconds - kTaiTolerance);
  const auto after = OffsetAt(leap_table_, unix_seconds + kTaiTolerance);
  if (before && after)
    return tai == *before || tai == *after ? ClockRefusal::kNone : ClockRefusal::kTaiJump;
  if (tai < kLeastTaiOffset || tai > kMostTaiOffset) return ClockRefusal::kTaiJump;
  if (!tai_ || tai == *tai_) return ClockRefusal::kNone;
  const bool too_soon = tai_changed_ && now - *tai_changed_ < kTaiInterval;
  return std::abs(tai - *tai_) > 1 || too_soon ? ClockRefusal::kTaiJump : ClockRefusal::kNone;
}

ClockRefusal Guard::Judge(const msg::ClockAdjust& request, double unix_seconds,
                          MonoTime now) const {
  if (request.frequency && std::fabs(request.frequency->value) > kMaxFrequencyPpm)
    return ClockRefusal::kFrequencyLimit;
  if (request.slew && std::fabs(*request.slew) > kMaxSlewSeconds && !IsLargeFirstSlew(request))
    return ClockRefusal::kSlewLimit;
  // The day is judged where the step leads to: that is where the leap would take place.
  if (request.leap.value_or(0) != 0 && !IsLastDayOfMonth(unix_seconds + request.step.value_or(0)))
    return ClockRefusal::kLeapDay;
  if (request.tai) {
    if (const ClockRefusal tai = JudgeTai(*request.tai, unix_seconds, now);
        tai != ClockRefusal::kNone)
      return tai;
  }
  return request.step ? JudgeStep(*request.step, unix_seconds) : ClockRefusal::kNone;
}

Result<Budget, ClockRefusal> Guard::Spend(const msg::ClockAdjust& request, const Device& device,
                                          MonoTime now) const {
  Budget after = budget_;
  if (request.slew) {
    // Only what really ends early comes back: a refused request leaves the running slew alone.
    after.ReturnSlew(std::fabs(device.State(now).slew));
    // As the first step of -g, it says nothing about those that follow.
    if (!IsLargeFirstSlew(request) && !after.TakeSlew(std::fabs(*request.slew), now))
      return Fail(ClockRefusal::kSlewBudget);
  }
  if (!request.step) return after;
  if (!after.TakeStep(now)) return Fail(ClockRefusal::kStepBudget);
  // The first step of -g may be of any size and says nothing about those that follow.
  const bool counts = start_.step_limit > 0 && !gate_open_;
  if (counts && !after.TakeStepDistance(std::fabs(*request.step), start_.step_limit, now))
    return Fail(ClockRefusal::kStepDistance);
  return after;
}

// A step comes before a slew, which it would end. The parts that the system is known to refuse come
// first, and the frequency can be put back: a step cannot.
Status Guard::Move(const msg::ClockAdjust& request, Device* device, MonoTime now) {
  const Ppm before = device->State(now).frequency;
  if (request.frequency) TRY_VOID(device->SetFrequency(*request.frequency, now));
  if (request.step) {
    if (const Status stepped = device->Step(*request.step, now); !stepped.ok()) {
      if (request.frequency) (void)device->SetFrequency(before, now);
      return stepped;
    }
  }
  if (request.slew) TRY_VOID(device->Slew(*request.slew, now));
  msg::ClockAdjust status = request;
  status.leap = leap_;
  return device->SetStatus(status, now);
}

void Guard::Remember(const msg::ClockAdjust& request, MonoTime now) {
  // A small first slew shuts the gate as a step does: net had its first correction (CVE-2015-5300).
  if (request.step || request.slew.value_or(0) != 0) gate_open_ = false, first_slew_limit_ = 0;
  if (!request.tai) return;
  if (tai_ && *tai_ != *request.tai) tai_changed_ = now;
  tai_ = request.tai;
}

ClockRefusal Guard::CarryOut(const msg::ClockAdjust& request, Device* device, MonoTime now,
                             const Tell& tell) {
  const Result<Budget, ClockRefusal> after = Spend(request, *device, now);
  if (!after.ok()) return after.error();
  const Guard before = *this;
  // At most what one request counts for: the first slew of -q was not counted.
  const double ends_early =
      request.slew ? std::fmin(std::fabs(device->State(now).slew), kMaxSlewSeconds) : 0;
  budget_ = *after;
  // Told as spent until it has really ended, and even if the system should refuse.
  budget_.ReturnSlew(-ends_early);
  Remember(request, now);
  const bool counts = request.step || request.slew || request.tai;
  if (counts && !tell(Mirror(*device, now))) {
    *this = before;
    return ClockRefusal::kUnheard;
  }
  if (request.step || !IsLastDayOfMonth(device->UnixSeconds(now))) leap_ = 0;
  leap_ = request.leap.value_or(leap_);
  if (!Move(request, device, now).ok()) return ClockRefusal::kSystemError;
  budget_.ReturnSlew(ends_early);
  return ClockRefusal::kNone;
}

msg::ClockState Guard::Apply(const msg::ClockAdjust& request, Device* device, MonoTime now,
                             const Tell& tell) {
  ClockRefusal refusal = Judge(request, device->UnixSeconds(now), now);
  if (refusal == ClockRefusal::kNone) refusal = CarryOut(request, device, now, tell);
  msg::ClockState state = device->State(now);
  state.request = request.request;
  state.refusal = refusal;
  return state;
}

msg::ClockMirror Guard::Mirror(const Device& device, MonoTime now) const {
  const msg::ClockState state = device.State(now);
  msg::ClockMirror mirror;
  mirror.frequency = state.frequency;
  mirror.correction = state.correction;
  mirror.slew = state.slew;
  mirror.gate_shut = !gate_open_;
  mirror.tai = tai_;
  mirror.tai_changed = tai_changed_;
  mirror.as_of = now;
  mirror.budget = budget_.spent();
  return mirror;
}

}  // namespace ntpward::clock
