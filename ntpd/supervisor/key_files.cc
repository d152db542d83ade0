#include "ntpd/supervisor/key_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "ntpd/supervisor/filestamp_name.h"
#include "ntpd/supervisor/key_generations.h"
#include "privsep/base/system_error.h"
#include "privsep/fds.h"

namespace ntpward::supervisor {
namespace {

using msg::KeyFileKind;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

std::string InKeysDirectory(const config::Config& config, const std::string& name) {
  const std::string& directory = config.authentication.keys_dir.value;
  if (!name.empty() && name[0] == '/') return name;
  return directory + (directory.ends_with('/') ? "" : "/") + name;
}

KeyFile Open(KeyFileKind kind, std::string group, std::string path) {
  KeyFile file;
  file.kind = kind;
  file.group = std::move(group);
  file.path = std::move(path);
  // A FIFO or device in place of a key must not block us: O_NONBLOCK, then only regular files.
  file.fd = UniqueFd(open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  const int error = errno;
  if (!file.fd.valid()) {
    // What is simply not there is for ntpd-keys to judge.
    const bool dangling = error == ENOENT && lstat(file.path.c_str(), &status) == 0;
    if (dangling) file.problem = "is a link that points nowhere";
    if (error != ENOENT) file.problem = std::strerror(error);
  } else if (fstat(file.fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    file.problem = S_ISDIR(status.st_mode) ? "is a directory" : "is no regular file";
    file.fd.Close();
  }
  file.world_readable = file.fd.valid() && (status.st_mode & S_IROTH) != 0;
  return file;
}

// A number behind the last dot that has fewer digits is a part of the group's name ("10.0.0.1")
// unless that date has come: from 2036 on filestamps begin anew.
constexpr size_t kDigitsBefore2036 = 9;

// "ntpkey_iffpar_GROUP.4004295135": the date behind the last dot; none when it is part of the name.
std::optional<int64_t> DateIn(const std::string& name, int64_t now) {
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos) return std::nullopt;
  const std::string_view digits = std::string_view(name).substr(dot + 1);
  const auto date = DateOfFilestamp(digits);
  return date && (digits.size() >= kDigitsBefore2036 || *date <= now) ? date : std::nullopt;
}

struct Candidate {
  std::string file;
  std::optional<int64_t> date;  // none: the link, which wins
};

void Consider(const std::string& file, const std::string& rest, int64_t now,
              std::map<std::string, Candidate>* groups) {
  const auto date = DateIn(rest, now);
  const std::string group = date ? rest.substr(0, rest.rfind('.')) : rest;
  const auto [known, fresh] = groups->try_emplace(group, Candidate{file, date});
  if (fresh || !known->second.date) return;
  if (!date || *date > *known->second.date) known->second = {file, date};
}

// Group -> file name, for the names in keysdir that begin with `prefix`.
std::map<std::string, Candidate> FindGroups(const config::Config& config, const std::string& prefix,
                                            int64_t now) {
  std::map<std::string, Candidate> groups;
  const std::unique_ptr<DIR, CloseDirectory> directory(
      opendir(config.authentication.keys_dir.value.c_str()));
  if (directory == nullptr) return groups;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name.starts_with(prefix) && name.size() > prefix.size())
      Consider(name, name.substr(prefix.size()), now, &groups);
  }
  return groups;
}

// The groups that the configuration names.
std::set<std::string> NamedGroups(const config::Config& config) {
  std::set<std::string> groups{config.authentication.crypto.ident.value,
                               config.authentication.ident.value};
  for (const config::Association& line : config.associations) groups.insert(line.ident);
  return groups;
}

// A group's parameters, by which servers prove that they are of it.
struct GroupFile {
  KeyFileKind kind;
  std::string group;
  std::string path;
};

// Those of the groups that the configuration names come first.
std::vector<GroupFile> FindGroupFiles(const config::Config& config, int64_t now) {
  static constexpr std::pair<KeyFileKind, const char*> kKinds[] = {
      {KeyFileKind::kIffPar, "ntpkey_iffpar_"},
      {KeyFileKind::kGqPar, "ntpkey_gqpar_"},
      {KeyFileKind::kMvPar, "ntpkey_mvpar_"}};
  std::vector<GroupFile> found;
  for (const auto& [kind, prefix] : kKinds)
    for (const auto& [group, candidate] : FindGroups(config, prefix, now))
      found.push_back({kind, group, InKeysDirectory(config, candidate.file)});
  const std::set<std::string> named = NamedGroups(config);
  std::stable_partition(found.begin(), found.end(),
                        [&](const GroupFile& file) { return named.contains(file.group); });
  return found;
}

// Opens as many as there is room for.
void AddGroupFiles(const config::Config& config, int64_t now, OpenedKeyFiles* opened) {
  for (GroupFile& file : FindGroupFiles(config, now)) {
    if (opened->files.size() < static_cast<size_t>(kMaxKeyFiles))
      opened->files.push_back(Open(file.kind, std::move(file.group), std::move(file.path)));
    else
      opened->left_out.push_back(std::move(file.path));
  }
}

// How ntp-keygen names a server's group key: the link's name and the file's, up to the group.
struct GroupKeyNames {
  KeyFileKind kind;
  const char* link;
  const char* dated;
};
constexpr GroupKeyNames kGroupKeys[] = {{KeyFileKind::kIffKey, "ntpkey_iffkey_", "ntpkey_IFFkey_"},
                                        {KeyFileKind::kGqKey, "ntpkey_gqkey_", "ntpkey_GQkey_"},
                                        {KeyFileKind::kMvKey, "ntpkey_mvkey_", "ntpkey_MVkey_"}};

// A server's group key of that name, if it is there, usable or not; the same key's dated files go
// to `earlier`.
bool AddGroupKeyOf(const config::Config& config, const std::string& group,
                   const GroupKeyNames& names, std::vector<KeyFile>* files,
                   std::vector<KeyFile>* earlier) {
  if (group.empty()) return false;
  KeyFile file = Open(names.kind, group, InKeysDirectory(config, names.link + group));
  if (!file.fd.valid() && file.problem.empty()) return false;
  files->push_back(std::move(file));
  for (const std::string& name :
       DatedKeys(config.authentication.keys_dir.value, names.link + group, names.dated + group)) {
    earlier->push_back(Open(names.kind, group, InKeysDirectory(config, name)));
    earlier->back().earlier = true;
  }
  return true;
}

// A server's own group key: under the configured group's name, else under the host's. Else it may
// be under that of the group in the certificate's name (host@group), which only ntpd-keys knows: it
// gets all that are there.
void AddGroupKey(const config::Config& config, const GroupKeyNames& names, int64_t now,
                 std::vector<KeyFile>* files, std::vector<KeyFile>* earlier) {
  for (const std::string& group : {config.authentication.crypto.ident.value, AutokeyHost(config)})
    if (AddGroupKeyOf(config, group, names, files, earlier)) return;
  for (const auto& [group, candidate] : FindGroups(config, names.link, now))
    if (!candidate.date) (void)AddGroupKeyOf(config, group, names, files, earlier);
}

// Rather without them than not at all.
void AddWhatFits(std::vector<KeyFile> more, std::vector<KeyFile>* files) {
  for (KeyFile& file : more)
    if (file.fd.valid() && files->size() < static_cast<size_t>(kMaxKeyFiles))
      files->push_back(std::move(file));
}

void AddAutokeyFiles(const config::Config& config, int64_t now, std::vector<KeyFile>* files,
                     std::vector<KeyFile>* earlier) {
  const std::string host = AutokeyHost(config);
  const config::Crypto& crypto = config.authentication.crypto;
  const auto add = [&](KeyFileKind kind, const char* prefix,
                       const config::Setting<std::string>& named) {
    const std::string name = named.is_set() ? named.value : prefix + host;
    files->push_back(Open(kind, host, InKeysDirectory(config, name)));
  };
  add(KeyFileKind::kHost, "ntpkey_host_", crypto.host_key_file);
  add(KeyFileKind::kSign, "ntpkey_sign_", crypto.sign_key_file);
  // One that the operator named must be there; ntpd-keys says so. One that is there must be usable.
  const KeyFile& sign = files->back();
  if (!sign.fd.valid() && sign.problem.empty() && !crypto.sign_key_file.is_set()) files->pop_back();
  add(KeyFileKind::kCertificate, "ntpkey_cert_", crypto.certificate_file);
  for (const GroupKeyNames& names : kGroupKeys) AddGroupKey(config, names, now, files, earlier);
  if (const std::string& farm = config.authentication.crypto.farm.value; !farm.empty())
    files->push_back(
        Open(KeyFileKind::kFarm, farm, InKeysDirectory(config, "ntpkey_farm_" + farm)));
}

Result<Secret> FirstLine(const std::string& path) {
  // A FIFO must not make us wait.
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0) return FailErrno(path);
  if (!S_ISREG(status.st_mode)) return Fail(path + ": is no regular file");
  Secret buffer = TRY(Secret::Zeros(1024));
  const ssize_t size = read(file.get(), buffer.bytes().data(), buffer.size());
  if (size < 0) return FailErrno(path);
  const Bytes text = Bytes(buffer.bytes()).first(static_cast<size_t>(size));
  const auto end = std::find_if(text.begin(), text.end(),
                                [](uint8_t c) { return c == '\n' || c == '\r' || c == '\0'; });
  const auto length = static_cast<size_t>(end - text.begin());
  if (length == 0) return Fail(path + ": its first line should be the password, and is empty");
  if (length > 256) return Fail(path + ": a password of at most 256 characters was expected");
  return Secret::Copy(text.first(length));
}

}  // namespace

std::string AutokeyHost(const config::Config& config) {
  if (const std::string& host = config.authentication.crypto.host.value; !host.empty()) return host;
  char name[256] = "";
  if (gethostname(name, sizeof name - 1) != 0) return "localhost";
  return name;
}

OpenedKeyFiles OpenKeyFiles(const config::Config& config, int64_t now) {
  OpenedKeyFiles opened;
  std::vector<KeyFile> earlier;
  const bool crypto = config.authentication.crypto.enabled();
  if (crypto) AddAutokeyFiles(config, now, &opened.files, &earlier);
  if (const std::string& keys = config.authentication.keys_file.value; !keys.empty())
    opened.files.push_back(Open(KeyFileKind::kSymmetric, "", keys));
  if (crypto) AddGroupFiles(config, now, &opened);
  AddWhatFits(std::move(earlier), &opened.files);
  return opened;
}

std::string SeedFilePath(const config::Config& config) {
  const std::string& named = config.authentication.crypto.seedfile.value;
  return named.empty() ? InKeysDirectory(config, "ntpkey_seed_" + AutokeyHost(config)) : named;
}

Result<UniqueFd> OpenSeedFile(const config::Config& config) {
  const std::string path = SeedFilePath(config);
  UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600));
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0)
    return Fail(path + ": " + std::strerror(errno) +
                ": the server's private value will not survive a restart");
  if (!S_ISREG(status.st_mode)) return Fail(path + ": is no regular file");
  if ((status.st_mode & 0077) != 0 && fchmod(file.get(), 0600) != 0)
    return Fail(path + ": is readable by others, and that cannot be changed");
  return file;
}

Result<Secret> ReadPasswordFile(const config::Config& config) {
  const std::string& path = config.authentication.crypto.password_file.value;
  if (!path.empty()) return FirstLine(path);
  const char* directory = getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr) return Secret();
  const std::string credential = std::string(directory) + "/crypto-pw";
  if (access(credential.c_str(), R_OK) != 0) return Secret();
  return FirstLine(credential);
}

}  // namespace ntpward::supervisor
