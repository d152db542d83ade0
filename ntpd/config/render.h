// Writes a Config as ntp.conf again: for `ntpd --check-config`, for tests and for saved files.
#pragma once

#include <span>
#include <string>

#include "ntpd/config/config.h"

namespace ntpward::config {

// Lines that give the same Config when parsed, but for the password, which is never written: only
// what a line had set, in a fixed order of groups, each text in quotes.
std::string Render(const Config& config);
// The same with other keys trusted than the lines of the file say.
std::string Render(const Config& config, std::span<const KeyRange> trusted);

}  // namespace ntpward::config
