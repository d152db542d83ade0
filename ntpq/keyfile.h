// The key of authenticated requests, from a file in the format of ntp.keys.
#pragma once

#include <string_view>

#include "ntpq/options.h"
#include "ntpq/session.h"

namespace ntpward::ntpq {

// Finds the line "NUMBER TYPE SECRET" of `key` and sets key, type and password of `session`.
Status TakeKey(Session& session, KeyId key, std::string_view file);

// Applies -a and -k.
Status LoadKey(Session& session, const Options& options);

}  // namespace ntpward::ntpq
