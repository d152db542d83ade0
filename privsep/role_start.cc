#include "privsep/role_start.h"

#include <cstdio>
#include <cstdlib>

namespace ntpward {

RoleIdentity IdentityOrExit(int argc, char** argv) {
  const auto identity = RoleIdentity::FromArguments(argc, argv);
  if (identity.ok()) return *identity;
  std::fprintf(stderr, "%s\n", identity.error().text.c_str());
  std::exit(2);
}

std::string EnterCageOrExit(const char* program, const CageOptions& options) {
  auto sandbox = EnterCage(options);
  if (sandbox.ok()) return std::move(sandbox).value();
  std::fprintf(stderr, "%s: %s\n", program, sandbox.error().text.c_str());
  std::exit(3);
}

}  // namespace ntpward
