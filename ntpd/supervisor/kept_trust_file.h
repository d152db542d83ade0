// What commands said of symmetric keys, for a supervisor that the service manager starts again
// after a crash: a key that was revoked must not come back by itself.
//
// It lies beside FirstStepMarker's file, in the directory that systemd keeps over restarts of the
// unit, and is removed as that one is: after an orderly end ntp.conf alone counts. Key numbers are
// in it and nothing secret. Without such a directory nothing outlives the supervisor.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ntpd/supervisor/kept_trust.h"
#include "privsep/base/result.h"

namespace ntpward::supervisor {

// What the file holds. Of any text but such a one nothing is read.
std::string KeptTrustText(const KeptTrust& kept);
std::optional<KeptTrust> ParseKeptTrust(std::string_view text);

class KeptTrustFile {
 public:
  // `directory` may be empty: then nothing is found and nothing written.
  explicit KeptTrustFile(const std::string& directory);

  // What a predecessor that crashed had kept; nothing when there is no file. Fails when there is
  // one that is not whole, or that another account can have written.
  Result<KeptTrust> Read() const;
  // The file holds all of `kept` and nothing else, or is as it was.
  Status Write(const KeptTrust& kept) const;
  // Nothing happens when there is none.
  void Remove() const;

 private:
  std::string path_;
};

}  // namespace ntpward::supervisor
