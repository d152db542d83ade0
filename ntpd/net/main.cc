// ntpd-net: the only process that reads the network. It holds nothing worth stealing.
#include "ntpd/net/role.h"
#include "privsep/policies.h"
#include "privsep/role_start.h"

namespace ntpward::net {
namespace {

int Main(int argc, char** argv) {
  const RoleIdentity identity = IdentityOrExit(argc, argv);
  Role role(RoleChannels::Inherited());
  const Policy policies[] = {RuntimePolicy(), NetPolicy()};
  return role.Run(EnterCageOrExit(
      "ntpd-net", {.identity = identity, .empty_root = true, .policies = policies}));
}

}  // namespace
}  // namespace ntpward::net

int main(int argc, char** argv) { return ntpward::net::Main(argc, argv); }
