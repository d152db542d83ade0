#include "ntpd/supervisor/diagnostic_log.h"

namespace ntpward::supervisor {
namespace {

LogLevel LevelOf(const config::Diagnostic& diagnostic) {
  return diagnostic.severity == config::Severity::kError ? LogLevel::kError : LogLevel::kWarning;
}

}  // namespace

void LogDiagnostic(const config::Diagnostic& diagnostic, Logger* log) {
  log->Log(LevelOf(diagnostic), config::ToString(diagnostic));
}

void LogStartDiagnostic(const config::Diagnostic& diagnostic, Logger* log) {
  const bool left_out =
      diagnostic.severity == config::Severity::kError && !diagnostic.fatal_at_start;
  log->Log(LevelOf(diagnostic),
           config::ToString(diagnostic) + (left_out ? "; THIS LINE IS LEFT OUT" : ""));
}

}  // namespace ntpward::supervisor
