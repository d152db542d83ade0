// `ntpd --renew-certificate`: the guide's monthly update, with what ntp.conf says.
#pragma once

#include "ntpd/supervisor/options.h"

namespace ntpward::supervisor {

// Becomes ntp-keygen in keysdir, which makes a new certificate under the same keys: names, included files and
// every way to give the password are as the daemon takes them, and the password goes there by a pipe,
// where no other process sees it. Returns only on failure (1, told on standard error) or when there is
// nothing to renew because no line says `crypto` (0).
int RenewCertificate(const Options& options);

}  // namespace ntpward::supervisor
