// The key of authenticated requests, from a file in the format of ntp.keys.
#pragma once

#include <string_view>

#include "ntpq/options.h"
#include "ntpq/session.h"

namespace ntpward::ntpq {

// Finds the line "NUMBER TYPE SECRET" of `key` in the text `file` (ntp.keys of ntpd 4.2.8, and the
// types S, N, A and M of version 3) and sets key, type and password of `session`. The error names
// the key, never its secret; `session` is as before then.
Status TakeKey(Session& session, KeyId key, std::string_view file);

// Applies -a and -k: reads the file, at most 1 MiB of it, through the session's platform. Nothing
// to do without -a; the error is one line.
Status LoadKey(Session& session, const Options& options);

}  // namespace ntpward::ntpq
