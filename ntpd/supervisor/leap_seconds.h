// The leap second file that ntp.conf names: read at the start, at each reload, and once a day when
// it changed.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "ntpd/config/config.h"
#include "ntpd/config/leap_file.h"
#include "privsep/base/log.h"
#include "privsep/msg/control.h"

namespace ntpward::supervisor {

class LeapSeconds {
 public:
  // `log` must outlive this object.
  explicit LeapSeconds(Logger* log) : log_(log) {}

  // Reads the file that `files` names, or forgets the table when it names none. A file that cannot
  // be read or is damaged is said, and leaves the table as it was.
  void Load(const config::Files& files);
  // Reads the same file again if it changed, and warns of its age. True when the table is another
  // now.
  bool Refresh();
  // For ntpd-net; empty without a table.
  const msg::LeapTable& table() const { return message_; }

 private:
  // Which file was read: another one, or another state of it, is read again.
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    int64_t changed_ns = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };

  static Identity IdentityOf(const struct stat& status);
  bool Read();
  void Take(config::LeapTable table);
  void SayAge() const;
  void Say(LogLevel level, const std::string& text) const;

  Logger* log_;
  std::string path_;
  config::HashCheck check_ = config::HashCheck::kRequired;
  Identity identity_;
  config::LeapTable table_;  // of an earlier file, while the present one is damaged
  msg::LeapTable message_;
};

// Why the leap second file of `config` cannot be used: a place in that file, or in ntp.conf when it
// cannot be read; a warning when it is not there yet. None when it can be used, and when `config`
// names none.
std::optional<config::Diagnostic> FindLeapFileProblem(const config::Config& config);

}  // namespace ntpward::supervisor
