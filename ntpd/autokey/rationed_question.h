// When a question that time packets have to make room for may be asked (SIGN, LEAP).
//
// One that was answered, whatever the answer, is asked again after kMost polls. One that got no
// answer, because a packet was lost or the server was busy, is asked sooner at first: what it
// lights should not stay dark for a quarter of an hour because of one datagram.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace ntpward::autokey {

class RationedQuestion {
 public:
  static constexpr uint32_t kLeast = 2;  // polls until it is asked for the second time
  static constexpr uint32_t kMost = 16;

  // `poll` counts up.
  bool MayAsk(uint32_t poll) const { return !last_ || poll - *last_ >= wait_; }
  void OnAsked(uint32_t poll) {
    wait_ = last_ ? std::min(2 * wait_, kMost) : kLeast;
    last_ = poll;
  }
  void OnAnswered() { wait_ = kMost; }

 private:
  std::optional<uint32_t> last_;
  uint32_t wait_ = 0;
};

}  // namespace ntpward::autokey
