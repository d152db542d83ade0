#include "ntpd/supervisor/renew.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "ntpd/config/config.h"
#include "ntpd/supervisor/file_source.h"
#include "ntpd/supervisor/key_files.h"
#include "privsep/cage.h"

namespace ntpward::supervisor {
namespace {

// Beside ntpd, in a build tree and where it was installed.
std::string KeygenProgram() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
  if (size <= 0) return "ntp-keygen";
  std::string program(path, static_cast<size_t>(size));
  program.resize(program.rfind('/'));
  return program + "/ntp-keygen";
}

Result<Secret> PasswordOf(config::Config& config) {
  Secret password = std::move(config.authentication.crypto.password);
  return password.empty() ? ReadPasswordFile(config) : Result<Secret>(std::move(password));
}

// A pipe that holds the password and ends behind it; it passes exec.
Result<UniqueFd> PipeHolding(const Secret& password) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Fail(std::string("pipe: ") + std::strerror(errno));
  UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  // At most 256 octets: an empty pipe has room.
  if (write(write_end.get(), password.bytes().data(), password.size()) !=
      static_cast<ssize_t>(password.size()))
    return Fail(std::string("pipe: ") + std::strerror(errno));
  if (fcntl(read_end.get(), F_SETFD, 0) != 0)
    return Fail(std::string("pipe: ") + std::strerror(errno));
  return read_end;
}

// keysdir may be relative, and ntp-keygen runs in it.
std::string Absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char here[4096];
  return getcwd(here, sizeof here) == nullptr ? path : std::string(here) + "/" + path;
}

// Only on failure.
Error BecomeKeygen(std::vector<std::string> words, const Secret& password,
                   const std::string& directory) {
  words.insert(words.begin(), KeygenProgram());
  UniqueFd pipe;
  if (!password.empty()) {
    auto holding = PipeHolding(password);
    if (!holding.ok()) return holding.error();
    pipe = std::move(holding).value();
    words.insert(words.end(), {"--password-file", "/dev/fd/" + std::to_string(pipe.get())});
  }
  if (chdir(directory.c_str()) != 0) return Error{directory + ": " + std::strerror(errno)};
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  return Error{words[0] + ": " + std::strerror(errno)};
}

int Refuse(const std::string& why) {
  std::fprintf(stderr, "ntpd: %s\n", why.c_str());
  return 1;
}

}  // namespace

Result<std::vector<std::string>> RenewalWords(const config::Config& config) {
  using msg::KeyFileKind;
  std::vector<std::string> words = {"--renew-name", AutokeyHost(config)};
  for (const KeyFile& file : OpenKeyFiles(config).files) {
    const char* option = file.kind == KeyFileKind::kCertificate ? "--renew"
                         : file.kind == KeyFileKind::kHost      ? "--renew-host-key"
                         : file.kind == KeyFileKind::kSign      ? "--renew-sign-key"
                                                                : nullptr;
    if (option == nullptr) continue;
    if (!file.problem.empty()) return Fail(file.path + ": " + file.problem);
    words.insert(words.end(), {option, Absolute(file.path)});
  }
  if (const std::string& ident = config.authentication.crypto.ident.value; !ident.empty())
    words.insert(words.end(), {"-i", ident});
  return words;
}

int RenewCertificate(const Options& options) {
  if (const Status forbidden = ForbidDumps(); !forbidden.ok())
    return Refuse(forbidden.error().text);
  DiskFiles files;
  config::Parsed parsed = config::Load(options.config_file, files, config::ParsePolicy::kStartup);
  if (!parsed.usable(config::ParsePolicy::kStartup))
    return Refuse(options.config_file + ": has errors: see ntpd --check-config");
  config::Config& config = parsed.config;
  if (!config.authentication.crypto.enabled()) {
    std::printf("%s: no crypto line: nothing to renew\n", options.config_file.c_str());
    return 0;
  }
  const auto password = PasswordOf(config);
  if (!password.ok()) return Refuse(password.error().text);
  auto words = RenewalWords(config);
  if (!words.ok()) return Refuse(words.error().text);
  return Refuse(
      BecomeKeygen(std::move(words).value(), *password, config.authentication.keys_dir.value).text);
}

}  // namespace ntpward::supervisor
