// A logger that keeps its lines.
#pragma once

#include <string>
#include <vector>

#include "privsep/base/log.h"

namespace ntpward::test {

class KeptLines : public Logger {
 public:
  void Log(LogLevel, std::string_view line) override { all.emplace_back(line); }
  std::vector<std::string> all;
};

}  // namespace ntpward::test
