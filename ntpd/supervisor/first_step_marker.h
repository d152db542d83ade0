// A file that says that the first correction of the daemon's life is behind it, so that a
// supervisor that the service manager starts again after a crash is no new daemon to which `-g`
// allows another one.
//
// It lies in the directory that systemd keeps over restarts of the unit ($RUNTIME_DIRECTORY, with
// RuntimeDirectoryPreserve=restart). An orderly end removes it: whoever starts ntpd by hand after
// that means `-g` anew. Without such a directory nothing is remembered.
#pragma once

#include <string>

#include "privsep/base/result.h"

namespace ntpward::supervisor {

class FirstStepMarker {
 public:
  // $RUNTIME_DIRECTORY, the first where there are several; empty when there is none.
  static std::string DirectoryFromEnvironment();

  // `directory` may be empty: then nothing is found and nothing written.
  explicit FirstStepMarker(const std::string& directory);

  // True when a predecessor's marker was there when this object was made.
  bool found() const { return found_; }
  // Writes the marker unless it is there. A failure is returned once; later calls do nothing.
  Status Write();
  // Removes it; nothing happens when there is none.
  void Remove();

 private:
  std::string path_;
  bool found_ = false;
  bool written_ = false;
};

}  // namespace ntpward::supervisor
