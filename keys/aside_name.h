// The names under which ntp-keygen prepares what is not yet in use.
#pragma once

#include <string>
#include <string_view>

#include "keys/key_directory.h"

namespace ntpward::keys {

// ".ntpkey_WHAT." and 16 random digits: process numbers are the same in containers that share a
// directory. `what` is "new", "linkN" or "oldN".
std::string AsideName(const std::string& what);
bool IsAsideName(std::string_view name);

// Removes what killed processes left under such names. Only with the directory's lock
// (directory_lock.h): without it they may be another's who is at work.
void RemoveAsides(const KeyDirectory& directory);

}  // namespace ntpward::keys
