// ntpd-net: the only process that reads the network. It holds nothing worth stealing.
#include <cstdio>

#include "ntpd/net/role.h"
#include "privsep/cage.h"
#include "privsep/policies.h"

namespace ntpward::net {
namespace {

int Main(int argc, char** argv) {
  const auto identity = RoleIdentity::FromArguments(argc, argv);
  if (!identity.ok()) return std::fprintf(stderr, "%s\n", identity.error().text.c_str()), 2;
  Role role;
  const Policy policies[] = {RuntimePolicy(), NetPolicy()};
  auto caged = EnterCage({.identity = *identity, .empty_root = true, .policies = policies});
  if (!caged.ok()) return std::fprintf(stderr, "ntpd-net: %s\n", caged.error().text.c_str()), 3;
  return role.Run(*caged);
}

}  // namespace
}  // namespace ntpward::net

int main(int argc, char** argv) { return ntpward::net::Main(argc, argv); }
