// Which uid and gid each role gets.
#pragma once

#include <sys/types.h>

#include <array>
#include <string>

#include "privsep/base/result.h"
#include "privsep/msg/role.h"

namespace ntpward::supervisor {

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
};

// By msg::Role.
using Accounts = std::array<Account, msg::kRoles>;

// "clock", "keys", "resolve", "net".
const char* RoleName(msg::Role role);

// As root: the accounts ntpward-clock, ntpward-keys, ... where they exist, else uids of their own
// that no account has (64801 and up), so that no two roles can touch each other. `user` (-u
// USER[:GROUP], names or numbers) puts all roles under one account. Fails for an account that is
// root's, or whose group is, or whose number means none (-1). Without root, or in a user
// namespace that does not map these, everything runs under the one uid there is; `*note` then says
// so.
Result<Accounts> ChooseAccounts(const std::string& user, std::string* note);

}  // namespace ntpward::supervisor
