// A fuzz target's main without a fuzzer: runs each file named on the command line through it.
//
// usage: replay-TARGET [--caged] FILE...
//   --caged   under the system calls that ntpd-net may make, which kill it for any other
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "privsep/cage.h"
#include "privsep/policies.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

struct Input {
  const char* name;
  std::vector<uint8_t> bytes;
};

bool EnterCage() {
  const ntpward::Policy policies[] = {ntpward::RuntimePolicy(), ntpward::NetPolicy()};
  return ntpward::ForbidNewPrivileges().ok() && ntpward::InstallPolicies(policies).ok();
}

}  // namespace

int main(int argc, char** argv) {
  const bool caged = argc > 1 && std::strcmp(argv[1], "--caged") == 0;
  std::vector<Input> inputs;
  for (int i = caged ? 2 : 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) return 1;
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    // Of exactly this size, so that a sanitizer or valgrind notices what reads beyond it.
    inputs.push_back({argv[i], {bytes.begin(), bytes.end()}});
  }
  // What is loaded once, the process loads before its cage.
  if (caged && !inputs.empty())
    LLVMFuzzerTestOneInput(inputs[0].bytes.data(), inputs[0].bytes.size());
  if (caged && !EnterCage()) return std::fprintf(stderr, "the cage cannot be entered\n"), 1;
  for (const Input& input : inputs) {
    // Said first: a target that fails ends the program.
    std::fprintf(stderr, "%s\n", input.name);
    LLVMFuzzerTestOneInput(input.bytes.data(), input.bytes.size());
  }
  std::fprintf(stderr, "%zu inputs\n", inputs.size());
  return inputs.empty() ? 1 : 0;
}
