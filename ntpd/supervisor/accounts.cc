#include "ntpd/supervisor/accounts.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

namespace ntpward::supervisor {
namespace {

// Outside what Debian and systemd give to users, system accounts and containers.
constexpr uid_t kFirstSpareUid = 64801;

bool ParseId(const std::string& text, unsigned* id) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), *id);
  return failed == std::errc{} && end == text.data() + text.size() && !text.empty();
}

// Whether a user namespace has this uid; always true outside of one.
bool IsMapped(uid_t uid) {
  std::FILE* map = std::fopen("/proc/self/uid_map", "re");
  if (map == nullptr) return true;
  unsigned long inside = 0;
  unsigned long outside = 0;
  unsigned long count = 0;
  bool mapped = false;
  while (std::fscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3)
    mapped = mapped || (uid >= inside && uid < inside + count);
  std::fclose(map);
  return mapped;
}

// (uid_t)-1 and (gid_t)-1 mean "leave it as it is" to the kernel: the process would stay root.
template <typename Id>
bool IsUnprivileged(Id id) {
  return id != 0 && id != static_cast<Id>(-1);
}

Result<Account> Checked(const Account& account, const std::string& whose) {
  if (!IsUnprivileged(account.uid))
    return Fail(whose + ": the caged processes must not be root, but its uid is " +
                std::to_string(account.uid));
  if (!IsUnprivileged(account.gid))
    return Fail(whose + ": the caged processes must not be in root's group, but its gid is " +
                std::to_string(account.gid));
  return account;
}

// A dot may be part of a name: only a colon separates.
Result<Account> FindUser(const std::string& user) {
  const size_t colon = user.find(':');
  const std::string name = user.substr(0, colon);
  Account account;
  if (const passwd* entry = getpwnam(name.c_str()); entry != nullptr) {
    account = {entry->pw_uid, entry->pw_gid};
  } else if (unsigned id = 0; ParseId(name, &id)) {
    account = {id, id};
  } else {
    return Fail("-u: no user '" + name + "'");
  }
  if (colon == std::string::npos) return Checked(account, "-u");
  const std::string group = user.substr(colon + 1);
  if (const ::group* entry = getgrnam(group.c_str()); entry != nullptr) {
    account.gid = entry->gr_gid;
  } else if (unsigned id = 0; ParseId(group, &id)) {
    account.gid = id;
  } else {
    return Fail("-u: no group '" + group + "'");
  }
  return Checked(account, "-u");
}

Result<Account> OwnAccount(msg::Role role) {
  const std::string name = std::string("ntpward-") + RoleName(role);
  if (const passwd* entry = getpwnam(name.c_str()); entry != nullptr)
    return Checked({entry->pw_uid, entry->pw_gid}, "account " + name);
  const uid_t spare = kFirstSpareUid + static_cast<uid_t>(role);
  return Account{spare, spare};
}

}  // namespace

const char* RoleName(msg::Role role) {
  static constexpr const char* kNames[msg::kRoles] = {"clock", "keys", "resolve", "net"};
  return kNames[static_cast<size_t>(role)];
}

Result<Accounts> ChooseAccounts(const std::string& user, std::string* note) {
  Accounts accounts;
  for (size_t i = 0; i < msg::kRoles; ++i) {
    accounts[i] = TRY(user.empty() ? OwnAccount(static_cast<msg::Role>(i)) : FindUser(user));
  }
  if (!user.empty()) *note = "-u: all caged processes share one account; one each is safer";
  if (geteuid() == 0 && IsMapped(accounts[0].uid)) return accounts;
  *note = "not root: all processes run under uid " + std::to_string(getuid());
  accounts.fill({getuid(), getgid()});
  return accounts;
}

}  // namespace ntpward::supervisor
