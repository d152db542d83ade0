// Opens the key files for ntpd-keys, which has no way to a file system. They are never read here.
#pragma once

#include <time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ntpd/config/config.h"
#include "privsep/base/result.h"
#include "privsep/base/unique_fd.h"
#include "privsep/msg/keys.h"

namespace ntpward::supervisor {

// One file as ntpd-keys will get it. Not open: expected but missing.
struct KeyFile {
  msg::KeyFileKind kind = msg::KeyFileKind::kHost;
  std::string group;  // H or G of the name
  std::string path;
  bool world_readable = false;
  bool earlier = false;  // a server's group key of a generation before the one in use
  std::string problem;   // why it is not open although something of that name is there
  UniqueFd fd;
};

// H of ntpkey_host_H: `crypto host`, else the host's name.
std::string AutokeyHost(const config::Config& config);

struct OpenedKeyFiles {
  std::vector<KeyFile> files;         // at most kMaxKeyFiles, unless server keys alone are more
  std::vector<std::string> left_out;  // paths of group parameters that there is no room for
};

// Everything that the configuration calls for: with `crypto` the host's key, sign key, certificate
// and group keys, and every group parameter file in keysdir; with `keys` the symmetric keys. Of
// server keys under neither `crypto ident` nor the host's name all are opened. A
// parameter file counts as GROUP's under its link's name ntpkey_iffpar_GROUP, else under the newest
// dated name ntpkey_iffpar_GROUP.FILESTAMP. Of a server's group keys the dated files that keysdir
// still has come along (key_generations.h), last and as far as there is room for them, as there
// must be for the parameters of groups: those that the configuration names come first. `now`, Unix
// seconds, tells filestamps of few digits from parts of a name: no file is of a day to come.
OpenedKeyFiles OpenKeyFiles(const config::Config& config, int64_t now = time(nullptr));

// `crypto seedfile`, else ntpkey_seed_HOST in keysdir.
std::string SeedFilePath(const config::Config& config);
// The file that keeps the server's private value over restarts; made with mode 0600, given to
// `owner`'s process as an open descriptor. Fails when it cannot be made or is no regular file of
// ours.
Result<UniqueFd> OpenSeedFile(const config::Config& config);

// The password of `crypto pwfile PATH` (its first line), or of the service manager's credential
// "crypto-pw" (systemd LoadCredential=); empty when there is neither.
Result<Secret> ReadPasswordFile(const config::Config& config);

}  // namespace ntpward::supervisor
