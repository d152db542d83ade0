#include "ntpd/clock/guard.h"

#include <time.h>

#include <cmath>

namespace ntpward::clock {
namespace {

using msg::ClockRefusal;

bool IsLastDayOfMonth(double unix_seconds) {
  const time_t tomorrow = static_cast<time_t>(unix_seconds) + 86400;
  tm date{};
  return gmtime_r(&tomorrow, &date) != nullptr && date.tm_mday == 1;
}

}  // namespace

ClockRefusal Guard::JudgeStep(double seconds, double unix_seconds) const {
  if (start_.slew_only && !first_step_free_) return ClockRefusal::kStepLimit;
  if (start_.step_limit > 0 && std::fabs(seconds) > start_.step_limit && !first_step_free_)
    return ClockRefusal::kStepLimit;
  if (unix_seconds + seconds < kBuildDate) return ClockRefusal::kBeforeBuildDate;
  return ClockRefusal::kNone;
}

ClockRefusal Guard::JudgeLeap(const msg::ClockAdjust& request, double unix_seconds) const {
  if (request.leap.value_or(0) != 0 && !IsLastDayOfMonth(unix_seconds))
    return ClockRefusal::kLeapDay;
  // UTC has moved by one second at a time since 1972; the first value only has to be possible.
  if (request.tai && tai_ && std::abs(*request.tai - *tai_) > 1) return ClockRefusal::kTaiJump;
  if (request.tai && (*request.tai < 10 || *request.tai > 100)) return ClockRefusal::kTaiJump;
  return ClockRefusal::kNone;
}

ClockRefusal Guard::Judge(const msg::ClockAdjust& request, const Device& device, MonoTime now) {
  if (request.frequency && std::fabs(request.frequency->value) > kMaxFrequencyPpm)
    return ClockRefusal::kFrequencyLimit;
  if (request.slew && std::fabs(*request.slew) > kMaxSlewSeconds) return ClockRefusal::kSlewLimit;
  const double unix_seconds = device.UnixSeconds(now);
  if (const ClockRefusal leap = JudgeLeap(request, unix_seconds); leap != ClockRefusal::kNone)
    return leap;
  if (request.step) {
    if (const ClockRefusal step = JudgeStep(*request.step, unix_seconds);
        step != ClockRefusal::kNone)
      return step;
  }
  return Spend(request, device, now);
}

ClockRefusal Guard::Spend(const msg::ClockAdjust& request, const Device& device, MonoTime now) {
  if (request.slew) {
    budget_.ReturnSlew(std::fabs(device.State(now).slew));
    if (!budget_.TakeSlew(std::fabs(*request.slew), now)) return ClockRefusal::kSlewBudget;
  }
  if (request.step && !budget_.TakeStep(now)) return ClockRefusal::kStepBudget;
  return ClockRefusal::kNone;
}

Status Guard::Move(const msg::ClockAdjust& request, Device* device, MonoTime now) {
  if (request.step) TRY_VOID(device->Step(*request.step, now));
  if (request.frequency) TRY_VOID(device->SetFrequency(*request.frequency, now));
  if (request.slew) TRY_VOID(device->Slew(*request.slew, now));
  return device->SetStatus(request);
}

msg::ClockState Guard::Apply(const msg::ClockAdjust& request, Device* device, MonoTime now) {
  ClockRefusal refusal = Judge(request, *device, now);
  if (refusal == ClockRefusal::kNone && !Move(request, device, now).ok())
    refusal = ClockRefusal::kSystemError;
  if (refusal == ClockRefusal::kNone) {
    if (request.step) first_step_free_ = false, first_step_used_ = true;
    if (request.tai) tai_ = request.tai;
  }
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
  mirror.first_step_used = first_step_used_ || !start_.first_step_free;
  mirror.as_of = now;
  mirror.budget = budget_.spent();
  return mirror;
}

}  // namespace ntpward::clock
