// Files that would be written over others that the same configuration names.
#pragma once

#include <vector>

#include "ntpd/config/config.h"
#include "ntpd/supervisor/file_problems.h"
#include "ntpd/supervisor/options.h"

namespace ntpward::supervisor {

// Each file that the daemon writes (log, drift, pid, statistics) and that is a key file by its name
// (ntpkey_* in keysdir, the files of `keys`, `crypto pwfile`, `host`, `sign` and `cert`), a file of
// the configuration, the leap second file, the server's seed, or another that it writes. Links are
// followed; devices may be named more than once, and so may a file by several sets of statistics.
// Every one of them refuses the start.
std::vector<FileProblem> FindFileConflicts(const config::Config& config, const Options& options);

}  // namespace ntpward::supervisor
