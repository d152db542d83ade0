// `ntpd --renew-certificate`: the guide's monthly update, with what ntp.conf says.
#pragma once

#include <string>
#include <vector>

#include "ntpd/config/config.h"
#include "ntpd/supervisor/options.h"
#include "privsep/base/result.h"

namespace ntpward::supervisor {

// Becomes ntp-keygen in keysdir, which makes a new certificate like the one that the daemon would
// load, in its place and under the same keys: names, included files and every way to give the
// password are as the daemon takes them, and the password goes there by a pipe, where no other
// process sees it. Its exit status is 1 for what cannot be renewed. Returns only on failure (1,
// told on standard error) or when there is nothing to renew because no line says `crypto` (0).
int RenewCertificate(const Options& options);

// Its arguments for that, without the password: the files by absolute paths. Fails, naming it, when
// something else stands in the place of a file.
Result<std::vector<std::string>> RenewalWords(const config::Config& config);

}  // namespace ntpward::supervisor
