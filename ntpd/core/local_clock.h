// The undisciplined local clock, 127.127.1.x: this host's own clock as a source of last resort.
//
// Usable at once and never wrong by definition, so it is followed only if no other source is,
// unless it is preferred. Source: ntpd 4.2.8's driver 1 and `fudge`.
#pragma once

#include <cstdint>

#include "ntpd/wire/refid.h"
#include "privsep/base/types.h"

namespace ntpward::core {

struct LocalClockConfig {
  uint8_t unit = 0;     // 0..255
  uint8_t stratum = 5;  // `fudge stratum`, 0..15
  uint32_t refid = wire::RefidCode("LOCL");
  bool prefer = false;
  bool noselect = false;
  int poll = 6;  // log2 s, of its reach register
};

class LocalClock {
 public:
  LocalClock(AssocId id, const LocalClockConfig& config, MonoTime now)
      : id_(id), config_(config), next_(now) {}

  AssocId id() const { return id_; }
  const LocalClockConfig& config() const { return config_; }
  MonoTime next_poll() const { return next_; }
  uint8_t reach() const { return reach_; }
  MonoTime first_poll() const { return first_; }
  MonoTime last_poll() const { return last_; }
  // The time that it showed at the last poll.
  NtpTimestamp last_time() const { return last_time_; }
  uint64_t polls() const { return polls_; }
  // 127.127.1.unit, what children see as our reference.
  uint32_t address_refid() const { return 0x7f7f0100U | config_.unit; }
  bool usable() const { return reach_ != 0 && !config_.noselect; }

  bool due(MonoTime now) const { return next_ <= now; }
  void OnPoll(MonoTime now, NtpTimestamp time) {
    if (polls_++ == 0) first_ = now;
    last_time_ = time;
    reach_ = static_cast<uint8_t>(reach_ << 1 | 1);
    last_ = now;
    next_ = now + static_cast<double>(1 << config_.poll);
  }

 private:
  AssocId id_;
  LocalClockConfig config_;
  MonoTime next_;
  MonoTime first_;
  MonoTime last_;
  NtpTimestamp last_time_;
  uint64_t polls_ = 0;
  uint8_t reach_ = 0;
};

}  // namespace ntpward::core
