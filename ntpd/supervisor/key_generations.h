// Finds a group key's earlier generations in keysdir: what ntp-keygen left there when it made a new
// one.
#pragma once

#include <string>
#include <vector>

namespace ntpward::supervisor {

// As many as clients can be expected to be behind, and the key that is in use, which keeps its
// dated name.
inline constexpr size_t kMaxDatedKeys = 4;

// Names of files in `directory`, newest first, at most kMaxDatedKeys:
// "ntpkey_IFFkey_GROUP.FILESTAMP" for `link` = "ntpkey_iffkey_GROUP" and `dated` =
// "ntpkey_IFFkey_GROUP"; and "ntpkey_iffkey_GROUP.saved.FILESTAMP", which ntp-keygen makes of a
// plain file in the link's place. Where the link points to a dated file that is named for another
// group, as those of ntp-keygen 4.2.8 do, that name counts instead of `dated`. Empty when the
// directory cannot be read.
std::vector<std::string> DatedKeys(const std::string& directory, const std::string& link,
                                   const std::string& dated);

}  // namespace ntpward::supervisor
