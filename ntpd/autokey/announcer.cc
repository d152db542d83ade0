#include "ntpd/autokey/announcer.h"

#include <utility>

namespace ntpward::autokey {

bool Announcer::OnGood(uint32_t id) {
  id_ = id;
  count_ = 0;
  unknown_ = false;
  return std::exchange(guessed_, false);
}

void Announcer::OnHeard(uint32_t id, uint64_t draw) {
  if (id == id_) return;
  ++count_;
  if (count_ == 0) count_ = 1;
  if (draw % count_ == 0) heard_ = id;
}

bool Announcer::MoveOn(MonoTime now) {
  if (!unknown_ || count_ == 0 || !guesses_.Take(now)) return false;
  (void)OnGood(heard_);
  return guessed_ = true;
}

}  // namespace ntpward::autokey
