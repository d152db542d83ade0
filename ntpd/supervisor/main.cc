// ntpd: the supervisor. It reads no network byte; it starts the processes that do.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "ntpd/supervisor/check_config.h"
#include "ntpd/supervisor/daemon.h"
#include "ntpd/supervisor/diagnostic_log.h"
#include "ntpd/supervisor/file_conflicts.h"
#include "ntpd/supervisor/file_problems.h"
#include "ntpd/supervisor/file_source.h"
#include "ntpd/supervisor/held_signals.h"
#include "ntpd/supervisor/renew.h"
#include "ntpd/supervisor/state_file.h"
#include "privsep/cage.h"
#include "privsep/capabilities.h"
#include "privsep/landlock.h"
#include "privsep/memory_lock.h"
#include "privsep/policies.h"
#include "privsep/spawn.h"
#include "privsep/standard_descriptors.h"
#include "privsep/stray_signals.h"

namespace ntpward::supervisor {
namespace {

// What starting roles, binding port 123, and files of other owners need, now and at each restart: a
// drift file is often in a directory of the account that ntpd ran under before. Landlock says
// which.
constexpr cap_value_t kKept[] = {
    CAP_SETUID,       CAP_SETGID,    CAP_SETPCAP,    CAP_SYS_TIME, CAP_KILL,  CAP_NET_BIND_SERVICE,
    CAP_DAC_OVERRIDE, CAP_SYS_ADMIN, CAP_SYS_CHROOT, CAP_IPC_LOCK, CAP_FOWNER};

// Goes to the background; the parent waits for the daemon to say that it started, and ends with
// its status. In the child the returned descriptor is where to say it.
class Background {
 public:
  // False in the parent, which must then end with `status()`; only the child goes on to hold
  // signals.
  bool Enter(HeldSignals* held) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return true;
    UniqueFd read_end(fds[0]);
    UniqueFd write_end(fds[1]);
    const pid_t pid = fork();
    if (pid < 0) {
      std::fprintf(stderr, "ntpd: cannot go to the background: %s\n", std::strerror(errno));
      return false;
    }
    if (pid > 0) {
      held->Release();
      write_end.Close();
      char started = 0;
      status_ = read(read_end.get(), &started, 1) == 1 ? 0 : 1;
      return false;
    }
    say_ = std::move(write_end);
    (void)setsid();
    return true;
  }
  int status() const { return status_; }
  void Started() {
    if (!say_.valid()) return;
    const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    for (int fd = 0; fd <= 2; ++fd) (void)dup2(null.get(), fd);
    (void)!write(say_.get(), "1", 1);
    say_.Close();
  }

 private:
  UniqueFd say_;
  int status_ = 1;
};

// The directories stay within reach, for the roles too: ntpd-resolve looks names up under these
// rules.
Status RestrictTo(const std::vector<DirectoryGrant>& directories, LogSink* log) {
  std::vector<std::string> missing;
  const bool restricted = TRY(RestrictDirectories(directories, &missing));
  log->Log(LogLevel::kInfo, restricted
                                ? "landlock=yes: the configuration's directories and the system's"
                                : "landlock=no: this kernel has none");
  // Some of the system's own exist on other systems only.
  for (const std::string& path : missing)
    log->Log(LogLevel::kDebug, path + ": no such directory; out of reach until the next start");
  return {};
}

Status Cage(const std::vector<DirectoryGrant>& directories, LogSink* log) {
  TRY_VOID(LimitBoundingSet(kKept));
  TRY_VOID(ForbidNewPrivileges());
  TRY_VOID(KeepOnlyCapabilities(kKept));
  TRY_VOID(RestrictTo(directories, log));
  const Policy policies[] = {RuntimePolicy(), SupervisorPolicy(), RoleStartPolicy()};
  return InstallPolicies(policies);
}

// Chooses the clock: the system's, or a virtual one when asked for or when there is no right to set
// it.
bool UseVirtualClock(const Options& options, LogSink* log) {
  if (options.no_clock) return true;
  if (HasCapability(CAP_SYS_TIME)) return false;
  log->Log(LogLevel::kWarning,
           "no right to set the system's clock (CAP_SYS_TIME): it is left alone, and what is "
           "served is its time plus a correction, as with --no-clock");
  return true;
}

int Refuse(LogSink& log, const std::string& why) {
  log.Log(LogLevel::kError, why);
  return 1;
}

// `held`: the signals that end the daemon, or that make it read its files again, wait until it
// runs.
int Serve(const Options& options, HeldSignals* held) {
  IgnoreStraySignals();
  Background background;
  if (!options.foreground && !background.Enter(held)) return background.status();
  // Before the configuration is read, which may hold the password.
  if (const Status forbidden = ForbidDumps(); !forbidden.ok()) {
    std::fprintf(stderr, "ntpd: %s\n", forbidden.error().text.c_str());
    return 1;
  }
  DiskFiles files;
  config::Parsed parsed = config::Load(options.config_file, files, config::ParsePolicy::kStartup);
  parsed.config.authentication.crypto.password =
      Secret();  // only ntpd-keys needs it: read anew then
  ServiceManager manager;
  const bool debug = options.debug > 0;
  LogSink log(/*terminal=*/debug || !IsJournal(STDERR_FILENO, getenv("JOURNAL_STREAM")), debug);
  // Before the first of them is opened.
  const auto conflicts = FindFileConflicts(parsed.config, options);
  for (const FileProblem& conflict : conflicts) log.Log(LogLevel::kError, conflict.text);
  if (!conflicts.empty()) return 1;
  const std::string log_file =
      options.log_file.empty() ? parsed.config.output.logfile.value : options.log_file;
  if (!log_file.empty()) {
    if (const Status opened = log.UseFile(log_file); !opened.ok())
      return Refuse(log, opened.error().text);
  }
  log.Log(LogLevel::kNotice, VersionText() + ": Starting");
  for (const config::Diagnostic& diagnostic : parsed.diagnostics)
    LogStartDiagnostic(diagnostic, &log);
  if (!parsed.usable(config::ParsePolicy::kStartup))
    return Refuse(log, options.config_file + ": errors that must not be ignored; not started");
  for (const FileProblem& problem : FindFileProblems(parsed.config, options))
    log.Log(LogLevel::kWarning, problem.text);
  const std::string pid_file =
      options.pid_file.empty() ? parsed.config.output.pidfile.value : options.pid_file;
  const bool virtual_clock = UseVirtualClock(options, &log);
  if (const Status enough = RaiseDescriptorLimit(); !enough.ok())
    return Refuse(log, enough.error().text);
  Daemon daemon(options, std::move(parsed.config), virtual_clock, &log, &manager);
  if (const Status prepared = daemon.Prepare(); !prepared.ok())
    return Refuse(log, prepared.error().text);
  // While it may: ntpd-keys inherits it.
  RaiseLockLimit();
  if (const Status caged = Cage(daemon.directories(), &log); !caged.ok())
    return Refuse(log, caged.error().text);
  return daemon.Run(held, [&] {
    if (!pid_file.empty()) {
      if (const Status written = WritePidFile(pid_file); !written.ok())
        log.Log(LogLevel::kError, "pid file: " + written.error().text);
    }
    background.Started();
  });
}

int Main(int argc, char** argv) {
  if (!FillStandardDescriptors()) return 1;
  HeldSignals held;
  auto options = ParseOptions(argc, argv);
  if (!options.ok()) {
    std::fprintf(stderr, "ntpd: %s\nTry 'ntpd --help'.\n", options.error().text.c_str());
    return 1;
  }
  if (options->show_help) return std::fputs(HelpText().c_str(), stdout), 0;
  if (options->show_version) return std::puts(VersionText().c_str()), 0;
  const bool serves = !options->check_config && !options->renew_certificate;
  if (serves) return Serve(*options, &held);
  held.Release();
  if (options->check_config) return CheckConfig(*options);
  return RenewCertificate(*options);
}

}  // namespace
}  // namespace ntpward::supervisor

int main(int argc, char** argv) { return ntpward::supervisor::Main(argc, argv); }
