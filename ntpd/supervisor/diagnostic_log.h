// What is wrong with a configuration, as lines of the log.
#pragma once

#include "ntpd/config/diagnostic.h"
#include "privsep/base/log.h"

namespace ntpward::supervisor {

// With file, line and column; an error at LogLevel::kError, everything else at kWarning.
void LogDiagnostic(const config::Diagnostic& diagnostic, Logger* log);
// The same for a start, which goes on without a line that it does not understand: says that, too.
void LogStartDiagnostic(const config::Diagnostic& diagnostic, Logger* log);

}  // namespace ntpward::supervisor
