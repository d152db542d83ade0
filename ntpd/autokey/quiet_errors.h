// Keeps OpenSSL's error queue out of the parsing of what strangers send.
#pragma once

#include <openssl/err.h>

namespace ntpward::autokey {

// Leaves OpenSSL's error queue empty: what a stranger sent must not be reported later as the reason
// of some other failure.
class QuietErrors {
 public:
  QuietErrors() = default;
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
  ~QuietErrors() { ERR_clear_error(); }
};

}  // namespace ntpward::autokey
