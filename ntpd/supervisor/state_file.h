// Small files that must never be found half written: drift, pid.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::supervisor {

// Behind the name of a file that ReplaceFile() writes aside.
inline constexpr const char* kAside = ".new";

// Writes aside, syncs, renames over `path`, syncs the directory. On failure `path` is as it was.
Status ReplaceFile(const std::string& path, std::string_view text, unsigned mode);

// Writes aside, syncs, and gives it its name, unless something has it already. 0, or the errno of
// what failed; then nothing is left behind.
int CreateFile(const std::string& path, std::string_view text, unsigned mode);

// The frequency of a drift file; none when there is no such file. Fails on anything that is not one
// number from -500 to 500 (ppm).
Result<std::optional<Ppm>> ReadDrift(const std::string& path);
Status WriteDrift(const std::string& path, Ppm frequency);

// Fails when WritePidFile() would because something else has the name.
Status MayReplacePidFile(const std::string& path);
// Writes our pid, over what is left of a dead daemon. Never follows a link, nor replaces anything
// but a regular file (CVE-2020-14367).
Status WritePidFile(const std::string& path);

}  // namespace ntpward::supervisor
