#include "privsep/standard_descriptors.h"

#include <fcntl.h>

#include "privsep/base/unique_fd.h"

namespace ntpward {

bool FillStandardDescriptors() {
  for (int standard = 0; standard <= 2; ++standard) {
    if (fcntl(standard, F_GETFD) >= 0) continue;
    // The lowest number that is free, which is this one.
    UniqueFd fd(open("/dev/null", O_RDONLY));
    if (!fd.valid()) return false;
    (void)fd.Release();
  }
  return true;
}

}  // namespace ntpward
