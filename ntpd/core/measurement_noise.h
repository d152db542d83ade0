// How far one source's samples can be trusted, told by their delays.
//
// A round trip longer than the shortest was held up somewhere; the offset is wrong by at most half
// of the excess, either way. Kept for each source; seconds.
#pragma once

#include <array>
#include <cstddef>

namespace ntpward::core {

class MeasurementNoise {
 public:
  struct Estimate {
    double deviation;  // standard deviation of the sample's offset, > 0
    bool suspicious;   // the delay is far above the usual
  };
  // Takes the delay of the next sample, >= 0. `precision`: of both clocks together, > 0.
  Estimate Add(double delay, double precision);
  void Reset() { *this = MeasurementNoise(); }

 private:
  static constexpr size_t kRemembered = 64;  // delays that the minimum is taken over
  static constexpr size_t kYoung = 16;       // delays in which the minimum still falls
  static constexpr size_t kRecent = 6;       // if even these are all high, the path changed

  double LeastOfLast(size_t count) const;
  double UsualOf(size_t count) const;
  bool PathGotLonger(double least, double precision) const;

  std::array<double, kRemembered> delays_{};  // a ring
  size_t next_ = 0;
  size_t count_ = 0;
  double mean_excess_ = 0;
};

}  // namespace ntpward::core
