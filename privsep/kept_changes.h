// The lines of configuration that commands gave while the daemon runs, in the order in which they
// count.
//
// Nobody here reads them. A line that is said again takes its last place: each says how something
// is to be, so that only its last time counts.
#pragma once

#include <vector>

#include "privsep/msg/runtime_line.h"

namespace ntpward {

class KeptChanges {
 public:
  static constexpr size_t kMost = 200;

  // Whether there is room for it.
  bool HasRoomFor(const msg::RuntimeLine& line) const;
  // False, and nothing is kept, when there is not.
  [[nodiscard]] bool Take(const msg::RuntimeLine& line);
  void Clear() { lines_.clear(); }
  const std::vector<msg::RuntimeLine>& lines() const { return lines_; }

 private:
  std::vector<msg::RuntimeLine> lines_;
};

}  // namespace ntpward
