// Finds the name that was probably meant, for messages about names that do not exist.
#pragma once

#include <span>
#include <string_view>

namespace ntpward::config {

// The nearest of `names` to `word`, in any case, when it takes at most `most` mistypings (one in
// words of up to four characters) to get from one to the other; else empty.
std::string_view Nearest(std::string_view word, std::span<const std::string_view> names,
                         size_t most = 2);

}  // namespace ntpward::config
