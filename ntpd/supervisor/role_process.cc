#include "ntpd/supervisor/role_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "privsep/base/system_error.h"
#include "privsep/fds.h"
#include "privsep/spawn.h"

namespace ntpward::supervisor {
namespace {

// Never waits, whatever became of the pipe's flags, and ends though its writer goes on: each read
// takes a page of what it holds, or a message, which has a page to itself.
void DrainPipe(int fd) {
  std::array<uint8_t, msg::kMaxMessage> scratch;
  constexpr size_t kMost = kPipeBytes / scratch.size();
  for (size_t i = 0; i < kMost; ++i) {
    pollfd readable{fd, POLLIN, 0};
    if (poll(&readable, 1, 0) <= 0 || (readable.revents & POLLIN) == 0) return;
    if (read(fd, scratch.data(), scratch.size()) <= 0) return;
  }
}

// The supervisor's own channel to a role: our end, and what the role inherits.
struct OwnChannel {
  Channel ours;
  UniqueFd role_in;
  UniqueFd role_out;
};

Result<OwnChannel> MakePipes() {
  Pipe down = TRY(MakePipe());
  Pipe up = TRY(MakePipe());
  return OwnChannel{Channel(std::move(up.read_end), std::move(down.write_end)),
                    std::move(down.read_end), std::move(up.write_end)};
}

// Net's: sockets travel over it.
Result<OwnChannel> MakeSocketpair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
    return FailErrno("socketpair");
  // The configuration of a large site is sent in one go.
  const int size = 4 << 20;
  for (const int fd : fds) (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  return OwnChannel{Channel(UniqueFd(fds[0]), UniqueFd()), UniqueFd(fds[1]), UniqueFd()};
}

// A role's ends of the pipes to others, by the number they get: those of `role`.
std::vector<FdMapping> EndsOf(msg::Role role, const PeerLinks& links) {
  if (role != msg::Role::kNet) {
    const PeerLink& link = links[static_cast<size_t>(role)];
    return {{link.from_net.read_end.get(), kNetIn}, {link.to_net.write_end.get(), kNetOut}};
  }
  std::vector<FdMapping> ends;
  static constexpr std::pair<msg::Role, int> kNets[] = {{msg::Role::kClock, kClockIn},
                                                        {msg::Role::kKeys, kKeysIn},
                                                        {msg::Role::kResolve, kResolveIn}};
  for (const auto& [peer, in] : kNets) {
    const PeerLink& link = links[static_cast<size_t>(peer)];
    ends.push_back({link.to_net.read_end.get(), in});
    ends.push_back({link.from_net.write_end.get(), in + 1});
  }
  return ends;
}

// Flags that a role could change are nobody's but its own: neither the supervisor's, which empties
// these pipes, nor its successor's. `own` keeps them open.
Status MapOwn(const std::vector<FdMapping>& ends, std::vector<UniqueFd>* own,
              std::vector<FdMapping>* fds) {
  for (const auto& [source, target] : ends) {
    UniqueFd end = WithOwnFlags(source);
    if (!end.valid()) return FailErrno("pipe between roles");
    fds->push_back({end.get(), target});
    own->push_back(std::move(end));
  }
  return {};
}

}  // namespace

Result<PeerLink> PeerLink::Make() {
  PeerLink link;
  link.to_net = TRY(MakePipe());
  link.from_net = TRY(MakePipe());
  return link;
}

void PeerLink::Drain() {
  DrainPipe(to_net.read_end.get());
  DrainPipe(from_net.read_end.get());
}

std::optional<double> BackOff::AfterDeath(double lifetime) {
  deaths_ = lifetime >= kGoodLife ? 1 : std::min(deaths_ + 1, kMostDeaths + 1);
  if (deaths_ > kMostDeaths && patience_ == Patience::kBounded) return std::nullopt;
  if (deaths_ == 1) return 0;
  return std::min(60.0, static_cast<double>(1 << std::min(deaths_ - 2, 6)));
}

Result<std::unique_ptr<RoleProcess>> RoleProcess::Open(msg::Role role, const std::string& directory,
                                                       const Account& account) {
  const std::string path = directory + "/ntpd-" + RoleName(role);
  UniqueFd program(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!program.valid()) return FailErrno(path);
  return std::unique_ptr<RoleProcess>(new RoleProcess(role, std::move(program), account));
}

Result<std::unique_ptr<RoleProcess>> RoleProcess::Sibling() const {
  UniqueFd program(fcntl(program_.get(), F_DUPFD_CLOEXEC, 0));
  if (!program.valid()) return FailErrno("dup");
  return std::unique_ptr<RoleProcess>(new RoleProcess(role_, std::move(program), account_));
}

Status RoleProcess::Start(PeerLinks& links, const Inherited& inherit, int empty_root,
                          MonoTime now) {
  OwnChannel own = TRY(role_ == msg::Role::kNet ? MakeSocketpair() : MakePipes());
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) return FailErrno("/dev/null");
  int errors[2];
  if (pipe2(errors, O_CLOEXEC | O_NONBLOCK) != 0) return FailErrno("pipe for standard error");
  errors_ = UniqueFd(errors[0]);
  const UniqueFd error_output(errors[1]);
  SpawnOptions options;
  options.program_fd = program_.get();
  options.arguments = {std::string("ntpd-") + RoleName(role_), std::to_string(account_.uid),
                       std::to_string(account_.gid), std::to_string(getpid())};
  options.fds = {{null.get(), 0},
                 {null.get(), 1},
                 {error_output.get(), 2},
                 {own.role_in.get(), kSupervisorIn}};
  if (own.role_out.valid()) options.fds.push_back({own.role_out.get(), kSupervisorOut});
  if (empty_root >= 0) options.fds.push_back({empty_root, kEmptyRoot});
  std::vector<UniqueFd> own_ends;
  TRY_VOID(MapOwn(EndsOf(role_, links), &own_ends, &options.fds));
  for (const auto& [source, target] : inherit) options.fds.push_back({source, target});
  SpawnedRole spawned = TRY(SpawnRole(options));
  pid_ = spawned.pid;
  status_ = std::move(spawned.status);
  channel_.emplace(std::move(own.ours));
  outbox_.Clear();
  liveness_.Reset();
  said_why = false;
  started_ = now;
  ready = condemned_ = retired_ = false;
  return {};
}

std::string RoleProcess::Ended(int status) {
  const std::string name =
      std::string("ntpd-") + RoleName(role_) + " (pid " + std::to_string(pid_) + ") ";
  pid_ = -1;
  channel_.reset();
  errors_.Close();
  status_.Close();
  outbox_.Clear();
  ready = false;
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return name + "killed by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")" +
           (signal == SIGSYS ? ": it made a forbidden system call" : "");
  }
  return name + "exited with status " + std::to_string(WEXITSTATUS(status));
}

void RoleProcess::Kill() const {
  if (pid_ > 0) kill(pid_, SIGKILL);
}

void RoleProcess::Condemn() {
  condemned_ = true;
  Kill();
}

void RoleProcess::Retire() {
  retired_ = running();
  Kill();
}

}  // namespace ntpward::supervisor
