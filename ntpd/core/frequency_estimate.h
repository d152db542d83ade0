// How fast a clock gains or loses, from offsets measured over some minutes: a line through them.
//
// The caller frees the offsets of its own corrections. Weighted least squares over all points since
// Reset(), kept as running sums.
#pragma once

#include <optional>

#include "privsep/base/types.h"

namespace ntpward::core {

class FrequencyEstimate {
 public:
  void Reset(MonoTime origin);
  // An offset in s at `time`; `deviation`: its standard deviation, s, greater than 0.
  void Add(MonoTime time, double offset, double deviation);

  struct Line {
    double slope;            // s/s
    double slope_deviation;  // s/s, from the deviations given
  };
  // None before there are three points over at least `span` seconds.
  std::optional<Line> Fit(double span) const;

 private:
  MonoTime origin_;
  double span_ = 0;
  int count_ = 0;
  double w_ = 0, wt_ = 0, wx_ = 0, wtt_ = 0, wtx_ = 0;
};

}  // namespace ntpward::core
