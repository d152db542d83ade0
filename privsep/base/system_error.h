// Why a system call failed, as an Error.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "privsep/base/result.h"

namespace ntpward {

// "WHAT: REASON", where `error` is an errno value: that of the call that has just failed.
inline Failure<Error> FailErrno(std::string_view what, int error = errno) {
  return Fail(std::string(what) + ": " + std::strerror(error));
}

}  // namespace ntpward
