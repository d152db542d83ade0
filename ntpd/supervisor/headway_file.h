// What `ntpd -q` hands on to the daemon that is started behind it: how many requests the servers
// still count against this host (headway.h).
//
// It lies beside the drift file, the one place that both are sure to share, and holds the boot's
// identifier and the time of the monotonic clock at which nothing is owed any more. The step that
// -q made, and a new boot, therefore do not confuse it.
#pragma once

#include <string>

#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::supervisor {

class HeadwayFile {
 public:
  // `drift_file` may be empty: then nothing is found, and Write() fails. Made before the cage:
  // reads the boot's identifier.
  explicit HeadwayFile(const std::string& drift_file);

  // Seconds owed at `now` (MonotonicNow); 0 when the file is missing, damaged or of another boot.
  // Whoever wrote it, not more than 58.
  double Read(MonoTime now) const;
  Status Write(double owed, MonoTime now) const;

 private:
  std::string path_;
  std::string boot_;
};

}  // namespace ntpward::supervisor
