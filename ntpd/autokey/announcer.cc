#include "ntpd/autokey/announcer.h"

#include <algorithm>
#include <utility>

#include "privsep/base/sip_hash.h"

namespace ntpward::autokey {

// No secret: broadcasts show it to all.
uint16_t CustomaryAnnouncer(const IpAddress& to) {
  return std::max<uint16_t>(1, static_cast<uint16_t>(SipHash({}, to.bytes())));
}

bool Announcer::OnGood(uint32_t id) {
  id_ = id;
  count_ = 0;
  unknown_ = false;
  return std::exchange(guessed_, false);
}

void Announcer::OnHeard(uint32_t id, uint64_t draw) {
  // Under the same one the server may have a list by now.
  if (id == id_ && !unknown_) return;
  ++count_;
  if (count_ == 0) count_ = 1;
  if (draw % count_ == 0) heard_ = id;
}

bool Announcer::MoveOn(MonoTime now) {
  if (!unknown_ || count_ == 0 || !guesses_.Take(now)) return false;
  by_custom_ = !by_custom_ && customary_ != 0 && count_ > kMostHeard;
  (void)OnGood(by_custom_ ? customary_ : heard_);
  return guessed_ = true;
}

}  // namespace ntpward::autokey
