// What a broadcast client knows of its server: the path delay, and the last transmit time.
//
// RFC 5905 section 3 and appendix A.5.1. Nothing is asked, so nothing comes back: the one test that
// a broadcast can pass is that it is newer than all before it (CVE-2015-7973).
#pragma once

#include "ntpd/core/sample.h"
#include "ntpd/wire/packet.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::core {

class BroadcastExchange {
 public:
  // `delay`: there and back, seconds, as a volley measured it or as `broadcastdelay` says.
  explicit BroadcastExchange(double delay) : delay_(delay) {}

  double delay() const { return delay_; }
  // Before any cryptography; changes nothing. The poll field plays no part: a forged one cannot
  // shut out the genuine server (CVE-2016-7428).
  Result<void, Reject> Screen(const wire::Header& packet) const;
  // Takes over a packet that was authenticated and screened.
  void Accept(const wire::Header& packet) { last_ = packet.transmit; }
  // How far the server is ahead, seconds, by a packet that arrived at `t4` by our clock.
  double OffsetOf(const wire::Header& packet, NtpTimestamp t4) const;
  // The server was silent for so long that its clock may have been set back.
  void Forget() { last_ = NtpTimestamp(); }

 private:
  double delay_;
  NtpTimestamp last_;  // zero: none
};

}  // namespace ntpward::core
