// What is wrong with the files that a configuration names, before any of them is used.
#pragma once

#include <string>
#include <vector>

#include "ntpd/config/config.h"
#include "ntpd/supervisor/options.h"

namespace ntpward::supervisor {

struct FileProblem {
  bool refuses_start = false;
  std::string text;        // names the file, what is wrong and how to mend it
  config::Location where;  // of the line that names it; unknown when an option does
};

// Directories that are missing (the log's, the drift file's, the statistics'), and files with a
// password that everybody can read. Looks at names and modes only.
std::vector<FileProblem> FindFileProblems(const config::Config& config, const Options& options);

// What a start says by itself when it comes to use the files: a log, which refuses the start, a
// drift file or a pid file that cannot be read or written. Creates nothing, opens nothing for
// writing, and waits for nobody.
std::vector<FileProblem> FindUnusableFiles(const config::Config& config, const Options& options);

}  // namespace ntpward::supervisor
