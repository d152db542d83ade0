// ntp-keygen: makes the key files of ntpd, in the current directory.
#include <time.h>
#include <unistd.h>

#include <cstdio>

#include "keys/crypto_setup.h"
#include "keys/keygen.h"

namespace ntpward::keys {
namespace {

constexpr int kExitFailure = 255;  // as ntp-keygen 4.2.8
constexpr int kExitUsage = 64;

int Failed(const Error& error) {
  std::fprintf(stderr, "ntp-keygen: %s\n", error.text.c_str());
  return kExitFailure;
}

void WaitSecond() {
  const timespec tenth{0, 100000000};
  nanosleep(&tenth, nullptr);
}

Result<KeygenEnvironment> Environment() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return Fail("gethostname failed: use -s");
  KeygenEnvironment environment;
  environment.host_name = name;
  environment.now = [] { return static_cast<int64_t>(time(nullptr)); };
  environment.wait_second = WaitSecond;
  return environment;
}

int Main(int argc, char** argv) {
  const auto crypto = CryptoSetup::ForTool();
  if (!crypto.ok()) return Failed(crypto.error());
  auto options = ParseKeygenOptions(argc, argv);
  if (!options.ok()) {
    std::fprintf(stderr, "ntp-keygen: %s\n%s", options.error().text.c_str(), KeygenUsage().c_str());
    return kExitUsage;
  }
  if (options->help) return std::fputs(KeygenUsage().c_str(), stdout), 0;
  if (options->version) return std::puts("ntp-keygen (ntpward) " NTPWARD_VERSION), 0;
  auto directory = KeyDirectory::Open(".");
  if (!directory.ok()) return Failed(directory.error());
  auto environment = Environment();
  if (!environment.ok()) return Failed(environment.error());
  Keygen keygen(std::move(options).value(), std::move(directory).value(),
                std::move(environment).value());
  const Status done = keygen.Run();
  return done.ok() ? 0 : Failed(done.error());
}

}  // namespace
}  // namespace ntpward::keys

int main(int argc, char** argv) { return ntpward::keys::Main(argc, argv); }
