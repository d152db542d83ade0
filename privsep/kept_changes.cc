#include "privsep/kept_changes.h"

namespace ntpward {

bool KeptChanges::HasRoomFor(const msg::RuntimeLine& line) const {
  return lines_.size() < kMost || std::find(lines_.begin(), lines_.end(), line) != lines_.end();
}

bool KeptChanges::Take(const msg::RuntimeLine& line) {
  if (!HasRoomFor(line)) return false;
  std::erase(lines_, line);
  lines_.push_back(line);
  return true;
}

}  // namespace ntpward
