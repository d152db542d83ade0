// From the discipline's wishes to requests of ntpd-clock.
#pragma once

#include <functional>
#include <utility>

#include "ntpd/core/engine.h"
#include "ntpd/net/reporter.h"
#include "ntpd/net/suspicion.h"
#include "ntpd/net/timebase.h"
#include "privsep/channel.h"

namespace ntpward::net {

enum class StepOutcome {
  kMade,
  kRefused,  // nothing has changed
  kUnknown,  // no answer in time: it may have been made
};

class Steering {
 public:
  // All must outlive this object. `measure_only`: `disable ntp`, nothing is ever asked of the
  // clock.
  Steering(Channel* clock, Timebase* time, SupervisorLink* link, Reporter* reporter)
      : clock_(clock),
        time_(time),
        suspicion_(clock, link, msg::Role::kClock),
        reporter_(reporter) {}
  void SetMeasureOnly(bool measure_only) { measure_only_ = measure_only; }

  // TAI - UTC in seconds, for others on this machine; none where it is not known.
  void SetTai(std::optional<int16_t> tai) { tai_ = tai; }

  // The course until the next tick. Sent only when it differs from the last one, or when the status
  // that others on this machine see is a minute old.
  void Run(const core::ClockTick& tick, const core::Engine& engine);
  // A leap second of today and the TAI offset, as soon as they are known and not only with a
  // course. To be called about once a second.
  void Announce(const core::Engine& engine);
  // Steps the clock by `seconds`, and waits until ntpd-clock has said whether it did: packets must
  // not be stamped between.
  StepOutcome Step(double seconds);
  // Slews by the whole of `seconds` at once, for when nobody will be here to renew a slew (-q), and
  // waits as Step does. False when it was refused or nothing came in time.
  bool SlewWhole(double seconds, const core::Engine& engine);

  // The channel from ntpd-clock is readable. False when it sent nonsense, which was reported.
  bool OnReadable();
  // Whether a course with a slew was refused since the last call; the next Run says the frequency
  // again.
  bool TakeSlewRefusal() { return std::exchange(slew_refused_, false); }
  // A new ntpd-clock knows nothing of what was sent.
  void OnRestarted();
  // The next Run is sent whatever was sent before.
  void Forget() { sent_.reset(); }
  // What ntpd-clock was told of a leap second at the end of this day: 0 none, 1 insert, 2 delete.
  uint8_t announced_leap() const { return announced_leap_.value_or(0); }
  // Nothing on this machine is set: `disable ntp`, or a clock that is virtual.
  bool leaves_clock_alone() const { return measure_only_ || time_->state().is_virtual; }

 private:
  static constexpr double kStatusInterval = 64;  // seconds
  static constexpr double kTaiInterval = 86401;  // seconds; ntpd-clock takes one change a day
  static constexpr double kLeapInterval = 16;    // seconds

  bool Take(Bytes bytes);
  msg::ClockAdjust RequestFor(const core::ClockTick& tick, const core::Engine& engine) const;
  std::optional<bool> Ask(const msg::ClockAdjust& request, const char* what);
  std::optional<bool> AwaitAnswer(uint32_t request);
  void SendTai(const msg::ClockAdjust& status, MonoTime now);
  msg::ClockAdjust StatusOf(const core::Engine& engine, MonoTime now) const;

  Channel* clock_;
  Timebase* time_;
  Suspicion suspicion_;
  Reporter* reporter_;
  bool measure_only_ = false;
  bool slew_refused_ = false;
  uint32_t last_request_ = 0;
  std::optional<msg::ClockAdjust> sent_;
  MonoTime sent_at_;
  std::optional<int16_t> tai_;
  std::optional<int16_t> told_tai_;
  MonoTime told_tai_at_;
  std::optional<uint8_t> announced_leap_;
  MonoTime announced_at_;
};

}  // namespace ntpward::net
