#include "ntpd/supervisor/check_config.h"

#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "ntpd/supervisor/daemon.h"
#include "ntpd/supervisor/file_conflicts.h"
#include "ntpd/supervisor/file_problems.h"
#include "ntpd/supervisor/file_source.h"
#include "ntpd/supervisor/keys_start.h"
#include "ntpd/supervisor/leap_seconds.h"
#include "ntpd/supervisor/listen_sockets.h"
#include "ntpd/supervisor/translate.h"
#include "privsep/supervisor_link.h"

namespace ntpward::supervisor {
namespace {

constexpr double kPatience = 30;  // seconds for ntpd-keys to load everything

void Say(const char* what, std::string_view text) {
  std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(text.size()), text.data());
}

void Print(const config::Diagnostic& diagnostic) {
  std::fprintf(stderr, "%s\n", config::ToString(diagnostic).c_str());
}

// What is said of lines that have no effect, and of the leap second file's age.
class Printer : public Logger {
 public:
  void Log(LogLevel level, std::string_view line) override {
    if (level <= LogLevel::kWarning) Say("warning", line);
  }
};

// One ntpd-keys that loads the files and is then ended.
class KeysCheck {
 public:
  ~KeysCheck() {
    if (process_ == nullptr || !process_->running()) return;
    process_->Kill();
    (void)waitpid(process_->pid(), nullptr, 0);
  }

  Status Start(const Options& options, config::Config& config) {
    std::string note;
    const Accounts accounts = TRY(ChooseAccounts(options.user, &note));
    for (PeerLink& link : links_) link = TRY(PeerLink::Make());
    KeysStartBundle bundle = TRY(KeysStartBundle::MakeForCheck(config));
    for (const std::string& problem : bundle.Problems()) SayError(problem);
    process_ = TRY(RoleProcess::Open(msg::Role::kKeys, ProgramDirectory(),
                                     accounts[static_cast<size_t>(msg::Role::kKeys)]));
    TRY_VOID(process_->Start(links_, bundle.Inherit(), -1, MonotonicNow()));
    bundle.Send(process_->channel(), &process_->outbox(), TrustedKeys(config));
    return {};
  }

  // What ntpd-keys found; none when it could not start with these files, which was then printed.
  std::optional<msg::HostMaterial> Ask() {
    const MonoTime begun = MonotonicNow();
    PeerLink& link = links_[static_cast<size_t>(msg::Role::kKeys)];
    Channel net(std::move(link.to_net.read_end), std::move(link.from_net.write_end));
    while (MonotonicNow() - begun < kPatience) {
      const bool all_sent = process_->outbox().Flush(process_->channel());
      pollfd fds[] = {{process_->channel()->in_fd(), POLLIN, 0}, {net.in_fd(), POLLIN, 0}};
      (void)poll(fds, 2, all_sent ? 1000 : 10);
      while (const auto bytes = process_->channel()->Receive()) Take(*bytes, &net);
      if (failed_) return std::nullopt;
      msg::HostMaterial material;
      if (const auto bytes = net.Receive(); bytes && msg::Decode(*bytes, &material))
        return material;
      if (process_->channel()->peer_gone()) break;
    }
    SayError("ntpd-keys ended, or did not answer, while it read the key files");
    return std::nullopt;
  }
  // Whether it has said no error.
  bool good() const { return good_; }

 private:
  void SayError(std::string_view text) {
    Say("error", text);
    good_ = false;
  }

  void Take(Bytes bytes, Channel* net) {
    msg::LogLine line;
    msg::RoleFailed failed;
    msg::RoleReady ready;
    if (msg::Decode(bytes, &line)) Repeat(line);
    if (msg::Decode(bytes, &failed)) {
      SayError(failed.text.text());
      failed_ = true;
    }
    if (!msg::Decode(bytes, &ready)) return;
    (void)process_->outbox().Post(msg::KeysServe{});
    (void)net->Send(msg::HostMaterialRequest{});
  }

  void Repeat(const msg::LogLine& line) {
    if (line.level == static_cast<uint8_t>(LogLevel::kError)) return SayError(line.text.text());
    if (line.level <= static_cast<uint8_t>(LogLevel::kNotice)) Say("warning", line.text.text());
  }

  PeerLinks links_;
  std::unique_ptr<RoleProcess> process_;
  bool failed_ = false;
  bool good_ = true;
};

bool CanProve(const msg::HostMaterial& material, std::string_view group) {
  return std::any_of(material.groups.begin(), material.groups.end(), [&](const auto& parameters) {
    return parameters.has_public && (group.empty() || parameters.group.text() == group);
  });
}

// Which proof of identity each Autokey association will ask its server for.
void SayIdentity(const config::Config& config, const msg::HostMaterial& material) {
  for (const config::Association& line : config.associations) {
    // What is broadcast proves this host to others.
    const bool asks = line.autokey && line.kind != config::AssociationKind::kBroadcast;
    if (!asks || CanProve(material, line.ident)) continue;
    const bool optional =
        line.ident.empty() &&
        (line.identity_optional || config.authentication.crypto.identity_optional.value);
    const std::string group = line.ident.empty() ? "GROUP" : line.ident;
    std::string text = line.host + ": no group key that can prove the server's identity; ";
    text += optional ? "its certificate trail alone will be accepted ('identity optional')"
                     : "it will be refused";
    text +=
        ". To mend it, run 'ntp-keygen -e -p PASSWORD' in the group's server's keys directory "
        "and install what it prints here as ntpkey_iffpar_" +
        group;
    Print(At(config, line.where, config::Severity::kWarning, text));
  }
}

bool UsesKeys(const config::Config& config) {
  return config.authentication.crypto.enabled() || !config.authentication.keys_file.value.empty();
}

bool CheckFiles(const Options& options, const config::Config& config) {
  bool good = true;
  for (const auto& find : {FindFileProblems, FindUnusableFiles, FindFileConflicts}) {
    for (const FileProblem& problem : find(config, options)) {
      const auto severity =
          problem.refuses_start ? config::Severity::kError : config::Severity::kWarning;
      Print(At(config, problem.where, severity, problem.text));
      good = good && !problem.refuses_start;
    }
  }
  return good;
}

// What a start needs besides files: the accounts of its processes, and an address.
bool CheckHost(const Options& options, const config::Config& config) {
  std::string note;
  const auto accounts = ChooseAccounts(options.user, &note);
  if (!accounts.ok()) Say("error", accounts.error().text);
  const bool deaf = LeavesNoAddress(config.system, options);
  if (deaf) Say("error", kNoAddress);
  return accounts.ok() && !deaf;
}

bool CheckKeys(const Options& options, config::Config& config) {
  KeysCheck check;
  if (const Status started = check.Start(options, config); !started.ok()) {
    Say("error", started.error().text);
    return false;
  }
  const auto material = check.Ask();
  if (!material) return false;
  SayIdentity(config, *material);
  return check.good();
}

bool CheckLeapFile(const config::Config& config) {
  if (const auto problem = FindLeapFileProblem(config))
    return Print(*problem), problem->severity != config::Severity::kError;
  Printer printer;
  LeapSeconds(&printer).Load(config.output);
  return true;
}

// What a start would leave out is an error here.
bool CheckLines(const Options& options, const config::Parsed& parsed) {
  for (const config::Diagnostic& diagnostic : parsed.diagnostics) Print(diagnostic);
  Printer printer;
  const NetConfiguration net = Translate(parsed.config, options, &printer);
  for (const config::Diagnostic& diagnostic : net.errors) Print(diagnostic);
  WarnOfAbsent(parsed.config, options, &printer);
  return parsed.usable(config::ParsePolicy::kStrict) && net.errors.empty();
}

}  // namespace

int CheckConfig(const Options& options) {
  DiskFiles files;
  config::Parsed parsed = config::Load(options.config_file, files, config::ParsePolicy::kStrict);
  // All of them, so that one run shows everything that there is to mend.
  bool good = CheckLines(options, parsed);
  good = CheckLeapFile(parsed.config) && good;
  good = CheckFiles(options, parsed.config) && good;
  good = CheckHost(options, parsed.config) && good;
  // Without a line that was to say which keys there are, what ntpd-keys finds is not to the point.
  if (!good) return 1;
  if (UsesKeys(parsed.config) && !CheckKeys(options, parsed.config)) return 1;
  std::printf("%s: no errors\n", options.config_file.c_str());
  return 0;
}

}  // namespace ntpward::supervisor
