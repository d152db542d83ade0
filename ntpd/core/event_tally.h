// The event fields of a status word: the last code and how often it came in a row.
#pragma once

#include <cstdint>

namespace ntpward::core {

// As ntpd 4.2.8 counts: another code starts over; at fifteen the same code is no longer reported.
template <typename Code>
class EventTally {
 public:
  // True when the event is to be logged.
  bool Add(Code code) {
    if (code != last_) count_ = 0;
    if (count_ >= 15) return false;
    last_ = code;
    ++count_;
    return true;
  }
  // An authenticated reader has seen them (mode 6).
  void ClearCount() { count_ = 0; }
  uint8_t count() const { return count_; }
  Code last() const { return last_; }

 private:
  Code last_{};
  uint8_t count_ = 0;
};

}  // namespace ntpward::core
