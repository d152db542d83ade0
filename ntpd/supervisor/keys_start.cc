#include "ntpd/supervisor/keys_start.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <algorithm>

#include "privsep/fds.h"

namespace ntpward::supervisor {
namespace {

constexpr size_t kMostSeed = 1 << 16;  // octets; more than ntpd-keys reads of it

template <size_t N>
Status Put(InlineText<N>* field, std::string_view text, const char* what) {
  if (field->Assign(AsBytes(text))) return {};
  return Fail(std::string(what) + ": at most " + std::to_string(N) + " characters were expected");
}

msg::ControlNonce RuleOf(config::ControlNonce rule) {
  switch (rule) {
    case config::ControlNonce::kRemote:
      return msg::ControlNonce::kRemote;
    case config::ControlNonce::kNever:
      return msg::ControlNonce::kNever;
    case config::ControlNonce::kAlways:
      break;
  }
  return msg::ControlNonce::kAlways;
}

// In memory, so that ntpd-keys can say whether the file is whole and changes nothing in it. Empty
// where there is none, or nothing that may be read without waiting.
UniqueFd SeedCopy(const std::string& path) {
  UniqueFd copy(memfd_create("seed", MFD_CLOEXEC));
  struct stat status {};
  // Not opened before: that would wake whoever waits at the other end of a FIFO.
  if (!copy.valid() || lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return copy;
  const UniqueFd file(
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
  if (file.valid()) (void)sendfile(copy.get(), file.get(), nullptr, kMostSeed);
  return copy;
}

std::string AndOthers(size_t count) {
  return count == 0 ? "" : " and " + std::to_string(count) + " others";
}

}  // namespace

Status KeysStartBundle::Fill(const config::Config& config, config::Config& fresh) {
  const config::Authentication& authentication = config.authentication;
  start_.crypto_enabled = authentication.crypto.enabled();
  start_.revoke = authentication.revoke.value;
  start_.control_nonce = RuleOf(authentication.control_nonce.value);
  start_.listens = config.listens();
  TRY_VOID(Put(&start_.host, AutokeyHost(config), "host name"));
  TRY_VOID(Put(&start_.ident, authentication.crypto.ident.value, "crypto ident"));
  const std::string& digest = authentication.crypto.digest.value;
  TRY_VOID(Put(&start_.digest_name, digest.empty() ? "md5" : digest, "crypto digest"));
  OpenedKeyFiles opened = OpenKeyFiles(config);
  files_ = std::move(opened.files);
  left_out_ = std::move(opened.left_out);
  if (files_.size() > static_cast<size_t>(kMaxKeyFiles))
    return Fail("more than " + std::to_string(kMaxKeyFiles) + " key files");
  if (!start_.crypto_enabled) return {};
  password_ = std::move(fresh.authentication.crypto.password);
  if (password_.empty()) password_ = TRY(ReadPasswordFile(config));
  return {};
}

Result<KeysStartBundle> KeysStartBundle::Make(const config::Config& config, config::Config& fresh,
                                              bool virtual_clock, config::ParsePolicy policy,
                                              Logger* log) {
  KeysStartBundle bundle;
  TRY_VOID(bundle.Fill(config, fresh));
  bundle.start_.virtual_clock = virtual_clock;
  bundle.start_.strict = policy == config::ParsePolicy::kStrict;
  const std::vector<std::string> problems = bundle.Problems();
  if (bundle.start_.strict && !problems.empty()) return Fail(problems.front());
  for (const std::string& problem : problems) log->Log(LogLevel::kError, problem);
  if (!bundle.start_.crypto_enabled) return bundle;
  auto seed = OpenSeedFile(config);
  if (seed.ok()) {
    bundle.seed_ = std::move(seed).value();
    bundle.start_.seed_fd = kSeedFile;
  } else {
    log->Log(LogLevel::kWarning, seed.error().text);
  }
  return bundle;
}

Result<KeysStartBundle> KeysStartBundle::MakeForCheck(config::Config& config) {
  KeysStartBundle bundle;
  TRY_VOID(bundle.Fill(config, config));
  bundle.start_.strict = true;
  bundle.seed_ = SeedCopy(SeedFilePath(config));
  if (bundle.seed_.valid()) bundle.start_.seed_fd = kSeedFile;
  return bundle;
}

std::vector<std::string> KeysStartBundle::Problems() const {
  std::vector<std::string> problems;
  for (const KeyFile& file : files_)
    if (!file.problem.empty()) problems.push_back(file.path + ": " + file.problem);
  if (!left_out_.empty())
    problems.push_back(left_out_.front() + ": no room for it" + AndOthers(left_out_.size() - 1) +
                       ": of " + std::to_string(kMaxKeyFiles) +
                       " key files at most, those of groups that no 'ident' names come last; move "
                       "away what no server needs");
  return problems;
}

std::vector<std::pair<int, int>> KeysStartBundle::Inherit() const {
  std::vector<std::pair<int, int>> mapping;
  for (size_t i = 0; i < files_.size(); ++i)
    if (files_[i].fd.valid())
      mapping.emplace_back(files_[i].fd.get(), kFirstKeyFile + static_cast<int>(i));
  if (seed_.valid()) mapping.emplace_back(seed_.get(), kSeedFile);
  return mapping;
}

void KeysStartBundle::Send(Channel* keys, Outbox* outbox,
                           const std::vector<msg::KeysTrusted>& trusted,
                           const std::vector<msg::RuntimeTrust>& kept,
                           const std::vector<msg::RuntimeLine>& lines) {
  (void)keys->Send(start_);
  msg::KeysPassword password;
  CHECK(password.password.Assign(password_.bytes().first(std::min<size_t>(256, password_.size()))));
  (void)keys->SendSecret(password);
  Wipe(password.password.span());
  password_ = Secret();
  for (size_t i = 0; i < files_.size(); ++i) {
    msg::KeysFile file;
    file.kind = files_[i].kind;
    file.fd = files_[i].fd.valid() ? kFirstKeyFile + static_cast<int>(i) : -1;
    file.world_readable = files_[i].world_readable;
    file.earlier = files_[i].earlier;
    // A name that does not fit belongs to a group that nobody can ask for.
    if (!file.group.Assign(AsBytes(files_[i].group))) continue;
    const std::string_view path = files_[i].path;
    CHECK(file.name.Assign(AsBytes(path.substr(path.size() - std::min<size_t>(512, path.size())))));
    CHECK(outbox->Post(file));
  }
  for (const msg::KeysTrusted& message : trusted) CHECK(outbox->Post(message));
  for (const msg::RuntimeLine& message : lines) CHECK(outbox->Post(message));
  for (const msg::RuntimeTrust& message : kept) CHECK(outbox->Post(message));
  CHECK(outbox->Post(msg::KeysEnd{}));
}

}  // namespace ntpward::supervisor
