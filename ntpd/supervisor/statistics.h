// The statistics files: loopstats, peerstats and the like, each with its own rotation (filegen).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "ntpd/config/config.h"
#include "ntpd/supervisor/allowance.h"
#include "privsep/base/log.h"
#include "privsep/base/types.h"
#include "privsep/base/unique_fd.h"
#include "privsep/msg/control.h"

namespace ntpward::supervisor {

// A set's file name without a generation: statsdir and the file's or the set's own name.
std::string StatisticsPath(const config::Config& config, config::Statistic which);

// The name that a set of statistics has at `when` (ntpd 4.2.8 "filegen": .20261122, .2026W47, ...).
std::string GenerationName(const config::Filegen& filegen, std::string_view base, NtpTimestamp when,
                           pid_t pid);

class Statistics {
 public:
  // `log` must outlive this object; a failing file is reported once.
  explicit Statistics(Logger* log) : log_(log) {}
  void Configure(const config::Config& config);

  // Appends "MJD SECONDS.mmm LINE". The lines come from ntpd-net, so they are made printable and
  // are bounded, each set of its own in bytes a second and all in files a day (with bursts); what
  // is over is left out, and reported once a flood; so is what a full disk loses. `when` is served
  // time and names the file, `now` is CLOCK_MONOTONIC.
  void Write(msg::StatisticsFile file, NtpTimestamp when, std::string_view line, MonoTime now);

 private:
  struct Output {
    bool enabled = false;
    config::Filegen filegen;
    std::string base;     // statsdir and file name
    std::string current;  // name of the open file
    UniqueFd fd;
    bool failed = false;
    Allowance allowance{8192, 1 << 19};
    bool flooded = false;
    bool losing = false;  // the last line could not be written
  };
  bool Open(Output& output, NtpTimestamp when);
  void Relink(const Output& output);
  bool SetAside(const std::string& name);

  Logger* log_;
  // Files, not bytes: one for each set and day is honest; ntpd-net names the day.
  Allowance new_files_{48.0 / 86400, 64};
  std::array<Output, static_cast<size_t>(msg::StatisticsFile::kLast) + 1> outputs_;
};

}  // namespace ntpward::supervisor
