// Lines of configuration that ntpq gave, for a supervisor that the service manager starts again
// after a crash: a server that was taken away, or a restriction that was made, must not be undone
// by it.
//
// It lies beside KeptTrustFile's file, and goes as that one goes. No secret is in it: no directive
// that ntpd-net carries out takes one. Without a directory nothing outlives the supervisor.
#pragma once

#include <string>
#include <string_view>

#include "privsep/base/log.h"
#include "privsep/base/result.h"
#include "privsep/kept_changes.h"

namespace ntpward::supervisor {

// What the file holds. It is read as KeptLinesFile::Read() says; `name` is what messages call it.
std::string KeptLinesText(const KeptChanges& kept);
Result<KeptChanges> ParseKeptLines(std::string_view text, const std::string& name, Logger* log);

class KeptLinesFile {
 public:
  // `directory` may be empty: then nothing is found and nothing written.
  explicit KeptLinesFile(const std::string& directory);

  // What a predecessor that crashed had kept, in its order; nothing when there is no file. A line
  // that cannot be one is left out, and `log` hears of it. Fails when the file is not whole, or
  // another account can have written it.
  Result<KeptChanges> Read(Logger* log) const;
  // The file, of mode 0600, holds all of `kept` and nothing else, or is as it was.
  Status Write(const KeptChanges& kept) const;
  // Nothing happens when there is none.
  void Remove() const;

 private:
  std::string path_;
};

}  // namespace ntpward::supervisor
