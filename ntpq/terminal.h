// A terminal whose whole screen a command draws, and the keys that are pressed at it.
#pragma once

#include <vector>

#include "ntpq/keys.h"
#include "ntpq/screen.h"

namespace ntpward::ntpq {

// Live: StdTerminal; tests keep what is drawn and press keys. Its destructor gives the screen back.
class Terminal {
 public:
  virtual ~Terminal() = default;
  virtual ScreenSize Size() = 0;
  virtual void Draw(const std::vector<ScreenLine>& lines) = 0;
  // The next key, waited for at most `seconds` (0: not at all); kNone then.
  virtual Key Wait(double seconds) = 0;
};

}  // namespace ntpward::ntpq
