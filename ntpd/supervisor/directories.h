// Which directories the supervisor, and the roles that it starts, may reach: the system's own, and
// those that the configuration and the command line name.
#pragma once

#include <string>
#include <vector>

#include "ntpd/config/config.h"
#include "ntpd/supervisor/options.h"
#include "privsep/landlock.h"

namespace ntpward::supervisor {

// What every start needs: libraries and programs (`program_directory` and the loader's), name
// service, time zones, devices. The roles share it: ntpd-resolve looks names up under these rules.
std::vector<DirectoryGrant> SystemDirectories(const std::string& program_directory);

// The directories of the files that `config` and `options` name: read, or write where the daemon
// writes. Absolute and normalised; a file that is a link counts with the directory it leads to too.
std::vector<DirectoryGrant> ConfiguredDirectories(const config::Config& config,
                                                  const Options& options);

// The paths of `wanted` that `granted` does not cover with at least the same access. Compares names
// only: neither side is looked up.
std::vector<std::string> NotCovered(const std::vector<DirectoryGrant>& granted,
                                    const std::vector<DirectoryGrant>& wanted);

}  // namespace ntpward::supervisor
