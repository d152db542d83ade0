// ntp-keygen: makes the key files of ntpd, in the current directory. Under the name ntp_genkeys:
// those of ntpd 4.1.
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "keys/crypto_setup.h"
#include "keys/genkeys.h"
#include "keys/keygen.h"
#include "keys/read_file.h"
#include "keys/renewal.h"
#include "privsep/standard_descriptors.h"

namespace ntpward::keys {
namespace {

constexpr int kExitFailure = 255;  // as ntp-keygen 4.2.8
constexpr int kExitUsage = 64;
constexpr int kExitNotRenewed = 1;  // what `ntpd --renew-certificate` says of it
constexpr size_t kMaxConfiguration = 1024 * 1024;

int Failed(const Error& error) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, error.text.c_str());
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

// Empty when there is none.
Result<std::string> Configuration(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid() && errno == ENOENT) return std::string();
  if (!fd.valid()) return Fail(path + ": " + std::strerror(errno));
  const Secret content = TRY(ReadToEnd(std::move(fd), kMaxConfiguration));
  return std::string(AsText(content.bytes()));
}

int RunGenkeys(int argc, char** argv) {
  auto options = ParseGenkeysOptions(argc, argv);
  if (!options.ok()) {
    std::fprintf(stderr, "ntp_genkeys: %s\n%s", options.error().text.c_str(),
                 GenkeysUsage().c_str());
    return kExitUsage;
  }
  if (options->help) return std::fputs(GenkeysUsage().c_str(), stdout), 0;
  if (options->version) return std::puts("ntp_genkeys (ntpward) " NTPWARD_VERSION), 0;
  auto environment = Environment();
  if (!environment.ok()) return Failed(environment.error());
  const auto configuration = Configuration(options->configuration);
  if (!configuration.ok()) return Failed(configuration.error());
  GenkeysPlaces places = PlacesIn(*configuration, environment->host_name);
  if (!options->key_file.empty()) places.symmetric = options->key_file;
  Genkeys genkeys(std::move(options).value(), std::move(places), std::move(environment).value());
  const Status done = genkeys.Run();
  return done.ok() ? 0 : Failed(done.error());
}

int Main(int argc, char** argv) {
  if (!FillStandardDescriptors()) return kExitFailure;
  const auto crypto = CryptoSetup::ForTool();
  if (!crypto.ok()) return Failed(crypto.error());
  const std::string_view name = program_invocation_short_name;
  if (name == "ntp_genkeys" || name == "ntp-genkeys") return RunGenkeys(argc, argv);
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
  if (options->renewal) {
    Renewal renewal(std::move(options).value(), std::move(directory).value(),
                    std::move(environment).value());
    const Status done = renewal.Run();
    return done.ok() ? 0 : (Failed(done.error()), kExitNotRenewed);
  }
  Keygen keygen(std::move(options).value(), std::move(directory).value(),
                std::move(environment).value());
  const Status done = keygen.Run();
  return done.ok() ? 0 : Failed(done.error());
}

}  // namespace
}  // namespace ntpward::keys

int main(int argc, char** argv) { return ntpward::keys::Main(argc, argv); }
