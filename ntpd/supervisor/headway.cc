#include "ntpd/supervisor/headway.h"

#include <algorithm>

namespace ntpward::supervisor {
namespace {

// ntpd-net begins with requests 2 s apart: seconds owed more with each second of a volley.
constexpr double kVolleyRate = 3;
// A volley that an Autokey dance prolongs is over by then.
constexpr double kLongestVolley = 150;

}  // namespace

void Headway::Inherit(double owed, MonoTime now) {
  owed_ = owed;
  as_of_ = now;
}

void Headway::OnDeath(MonoTime start, MonoTime end) {
  const double lived = std::max(0.0, end - start);
  const double in_volley = std::min(kMost, OwedAt(start) + kRequest + kVolleyRate * lived);
  owed_ = std::max(kRequest, in_volley - std::max(0.0, lived - kLongestVolley));
  as_of_ = end;
}

double Headway::OwedAt(MonoTime now) const {
  return std::clamp(owed_ - std::max(0.0, now - as_of_), 0.0, kMost);
}

}  // namespace ntpward::supervisor
