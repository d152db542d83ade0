// Writes the configuration in force to new files, as somebody who has the control key asks for
// (SAVECONFIG, RFC 9327 section 3).
//
// The request comes by ntpd-net, which may have been taken over: it names a file of saveconfigdir
// and nothing else, no file that is there is touched, and there are few of them.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "ntpd/config/config.h"
#include "ntpd/supervisor/kept_trust.h"
#include "privsep/base/log.h"
#include "privsep/base/token_bucket.h"
#include "privsep/kept_changes.h"
#include "privsep/msg/control.h"

namespace ntpward::supervisor {

// What counts now: the files as they were read last, and what was said by mode 6 since.
struct InForce {
  const config::Config& config;
  const KeptChanges& lines;
  const KeptTrust& trust;
};

class ConfigSaver {
 public:
  // Files that are written at once at most, and how often one more may follow.
  static constexpr double kBurst = 10, kPerSecond = 1.0 / 30;

  // `log` must outlive this object; it hears of every file, and of as many refusals.
  explicit ConfigSaver(Logger* log) : log_(log) {}

  // The file gets mode 0600, is synced and then named. Passwords are not in it.
  msg::NetConfigSaved Save(const msg::NetSaveConfig& request, const InForce& in_force, MonoTime now,
                           std::time_t wall_clock);

 private:
  Logger* log_;
  TokenBucket rate_{kPerSecond, kBurst};
  TokenBucket refusals_{kPerSecond, kBurst};
};

// `pattern` by strftime in local time; empty when that is longer than a file's name may be.
std::string FileNameFrom(std::string_view pattern, std::time_t wall_clock);

// As ntpd 4.2.8: letters, digits, '_', and behind the first also '+', '.' and '-'.
bool IsSafeFileName(std::string_view name);

// What the file holds; the keys in `trustedkey` are those that are trusted now. Of the lines that
// came by mode 6 those that take something away stand there as comments, since no file of
// configuration may hold them.
std::string SavedText(const InForce& in_force, std::time_t wall_clock);

}  // namespace ntpward::supervisor
