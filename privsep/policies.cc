#include "privsep/policies.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

namespace ntpward {
namespace {

constexpr ArgumentRule Equals(unsigned index, uint64_t value) {
  return {ArgumentRule::Kind::kEquals, index, value, 0};
}
constexpr ArgumentRule None(unsigned index, uint64_t bits) {
  return {ArgumentRule::Kind::kMaskedZero, index, 0, bits};
}
constexpr ArgumentRule Masked(unsigned index, uint64_t mask, uint64_t value) {
  return {ArgumentRule::Kind::kMaskedEquals, index, value, mask};
}

constexpr ArgumentRule OwnPid(unsigned index) { return {ArgumentRule::Kind::kOwnPid, index, 0, 0}; }

// Of socket(2)'s second argument, the part that is no flag.
constexpr uint64_t kSocketType = 0xf;

constexpr ArgumentRule Type(uint64_t type) {
  return {ArgumentRule::Kind::kMaskedEquals, 1, type, kSocketType};
}

constexpr SyscallRule kRuntime[] = {
    {"read"},
    {"write"},
    {"close"},
    {"poll"},
    {"ppoll"},
    {"clock_gettime"},
    {"gettimeofday"},
    {"exit"},
    {"exit_group"},
    // A stop and continue while poll waits comes back through this one.
    {"restart_syscall"},
    {"rt_sigreturn"},
    {"rt_sigprocmask"},
    {"rt_sigaction"},
    {"futex"},
    {"brk"},
    {"mmap", None(2, PROT_EXEC)},
    {"munmap"},
    {"mremap"},
    {"madvise"},
    {"mprotect", None(2, PROT_EXEC)},
    // OpenSSL notices a fork by its pid; abort() names its thread.
    {"getpid"},
    {"gettid"},
    // abort() and nothing else: where all roles share one uid they could end each other.
    {"tgkill", OwnPid(0)},
    {"getrandom"},
};

constexpr SyscallRule kClock[] = {
    {"clock_adjtime", Equals(0, CLOCK_REALTIME)},
    {"clock_settime", Equals(0, CLOCK_REALTIME)},
};

constexpr SyscallRule kKeys[] = {
    // The seed's state file, opened before the cage.
    {"pread64"},
    {"pwrite64"},
    {"fdatasync"},
    {"lseek"},
    {"fstat"},
    {"newfstatat", Equals(3, AT_EMPTY_PATH)},
    // Secrets are locked into memory.
    {"mlock"},
    {"munlock"},
};

constexpr SyscallRule kResolve[] = {
    // O_TRUNC empties a file even when it is opened for reading.
    {"openat", None(2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)},
    {"open", None(1, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)},
    {"lseek"},
    {"pread64"},
    {"fstat"},
    {"newfstatat"},
    {"stat"},
    {"access"},
    {"faccessat"},
    {"faccessat2"},
    {"readlink"},
    {"statfs"},
    {"fstatfs"},
    {"getdents64"},
    {"getcwd"},
    {"uname"},
    {"getuid"},
    {"geteuid"},
    {"getgid"},
    {"getegid"},
    {"getppid"},
    {"sysinfo"},
    // Who changes flags may neither make others wait nor have signals sent (O_ASYNC, F_SETOWN).
    {"fcntl", Equals(1, F_GETFD)},
    {"fcntl", Equals(1, F_SETFD)},
    {"fcntl", Equals(1, F_GETFL)},
    {"fcntl", Equals(1, F_SETFL), Masked(2, O_NONBLOCK | O_ASYNC, O_NONBLOCK)},
    {"fcntl", Equals(1, F_DUPFD)},
    {"fcntl", Equals(1, F_DUPFD_CLOEXEC)},
    // How much waits, whether it is a terminal, what an address' interface is called. FIONBIO and
    // FIOASYNC say by a pointer what they set.
    {"ioctl", Equals(1, FIONREAD)},
    {"ioctl", Equals(1, TCGETS)},
    {"ioctl", Equals(1, SIOCGIFINDEX)},
    {"ioctl", Equals(1, SIOCGIFNAME)},
    {"socket", Equals(0, AF_INET), Type(SOCK_DGRAM)},
    {"socket", Equals(0, AF_INET), Type(SOCK_STREAM)},
    {"socket", Equals(0, AF_INET6), Type(SOCK_DGRAM)},
    {"socket", Equals(0, AF_INET6), Type(SOCK_STREAM)},
    // Local name services, and the list of our own addresses.
    {"socket", Equals(0, AF_UNIX)},
    {"socket", Equals(0, AF_NETLINK), Equals(2, NETLINK_ROUTE)},
    {"connect"},
    {"bind"},
    {"getsockname"},
    {"getpeername"},
    {"getsockopt"},
    // Any, as name service modules want them: it has no socket but its own, which end with it.
    {"setsockopt"},
    {"sendto"},
    {"sendmsg"},
    {"sendmmsg"},
    {"recvfrom"},
    {"recvmsg"},
    {"recvmmsg"},
    // Questions by TCP, when an answer is too long for a datagram or resolv.conf says so.
    {"writev"},
    {"epoll_create1"},
    {"epoll_ctl"},
    {"epoll_wait"},
    {"epoll_pwait"},
    // Name service modules are loaded when a look-up first needs them.
    {"mmap"},
    {"mprotect"},
    {"rseq"},
    {"set_robust_list"},
};

constexpr SyscallRule kNet[] = {
    // Client ports only: datagrams of the Internet families.
    {"socket", Equals(0, AF_INET), Type(SOCK_DGRAM), Equals(2, 0)},
    {"socket", Equals(0, AF_INET6), Type(SOCK_DGRAM), Equals(2, 0)},
    // Its own sockets. A listening one that it connects goes with it: ListenSockets::Renew.
    {"connect"},
    {"getsockname"},
    // No other options: no filter that a socket keeps, no groups, no buffers.
    {"setsockopt", Equals(1, SOL_SOCKET), Equals(2, SO_TIMESTAMPNS)},
    {"setsockopt", Equals(1, SOL_SOCKET), Equals(2, SO_TIMESTAMPING)},
    {"setsockopt", Equals(1, SOL_SOCKET), Equals(2, SO_BROADCAST)},
    {"setsockopt", Equals(1, IPPROTO_IP), Equals(2, IP_TOS)},
    {"setsockopt", Equals(1, IPPROTO_IP), Equals(2, IP_PKTINFO)},
    {"setsockopt", Equals(1, IPPROTO_IP), Equals(2, IP_MTU_DISCOVER)},
    {"setsockopt", Equals(1, IPPROTO_IP), Equals(2, IP_MULTICAST_LOOP)},
    {"setsockopt", Equals(1, IPPROTO_IPV6), Equals(2, IPV6_TCLASS)},
    {"setsockopt", Equals(1, IPPROTO_IPV6), Equals(2, IPV6_RECVPKTINFO)},
    {"setsockopt", Equals(1, IPPROTO_IPV6), Equals(2, IPV6_MULTICAST_LOOP)},
    {"recvmsg"},
    {"recvmmsg"},
    {"sendmsg"},
    {"sendmmsg"},
    {"sendto"},
    {"epoll_ctl"},
    {"epoll_wait"},
    {"epoll_pwait"},
    {"epoll_pwait2"},
    {"timerfd_settime"},
};

constexpr SyscallRule kSupervisor[] = {
    // Configuration, key files to pass on, drift, statistics, logs, pid file.
    {"openat"},
    {"open"},
    {"pread64"},
    {"pwrite64"},
    {"lseek"},
    {"fstat"},
    {"stat"},
    {"newfstatat"},
    {"statx"},
    {"access"},
    {"faccessat"},
    {"faccessat2"},
    {"readlink"},
    {"readlinkat"},
    {"getdents64"},
    {"getcwd"},
    {"statfs"},
    {"fstatfs"},
    {"rename"},
    {"renameat"},
    {"renameat2"},
    {"unlink"},
    {"unlinkat"},
    {"link"},
    {"linkat"},
    {"symlink"},
    {"symlinkat"},
    {"fchmod"},
    {"fchown"},
    {"fsync"},
    {"fdatasync"},
    {"ftruncate"},
    {"umask"},
    {"fcntl"},
    {"ioctl"},
    {"writev"},
    {"mlock"},
    {"munlock"},
    // Listening sockets, interfaces, syslog, service manager.
    {"socket"},
    {"socketpair"},
    {"bind"},
    {"connect"},
    {"listen"},
    {"getsockname"},
    {"getpeername"},
    {"setsockopt"},
    {"getsockopt"},
    {"sendto"},
    {"sendmsg"},
    {"recvmsg"},
    {"recvfrom"},
    {"shutdown"},
    {"epoll_create1"},
    {"epoll_ctl"},
    {"epoll_wait"},
    {"epoll_pwait"},
    {"eventfd2"},
    {"pipe2"},
    {"timerfd_create"},
    {"timerfd_settime"},
    {"signalfd4"},
    // Children.
    {"clone", Masked(0, CLONE_NEWUSER, 0)},
    {"fork"},
    {"vfork"},
    {"wait4"},
    {"waitid"},
    {"kill"},
    {"pidfd_open"},
    {"pidfd_send_signal"},
    {"uname"},
    {"sysinfo"},
    {"getuid"},
    {"geteuid"},
    {"getgid"},
    {"getegid"},
    {"getppid"},
    {"setsid"},
    {"chdir"},
    {"clock_nanosleep"},
    {"nanosleep"},
    {"memfd_create"},
    // Accounts are looked up through name service modules.
    {"mmap"},
    {"mprotect"},
};

constexpr SyscallRule kRoleStart[] = {
    {"execveat"},
    {"execve"},
    {"arch_prctl"},
    {"set_tid_address"},
    {"set_robust_list"},
    {"rseq"},
    {"prlimit64"},
    {"getrlimit"},
    {"setrlimit"},
    {"dup"},
    {"dup2"},
    {"dup3"},
    {"close_range"},
    {"setpgid"},
    {"sigaltstack"},
    {"sched_getaffinity"},
    {"prctl"},
    {"capget"},
    {"capset"},
    {"setgroups"},
    {"setresuid"},
    {"setresgid"},
    {"setuid"},
    {"setgid"},
    {"getresuid"},
    {"getresgid"},
    {"getgroups"},
    {"unshare", None(0, CLONE_NEWUSER)},
    {"setns"},
    {"mlock2"},
    // Each role's abort(); its own filter narrows it to itself.
    {"tgkill"},
    {"landlock_create_ruleset"},
    {"landlock_add_rule"},
    {"landlock_restrict_self"},
    {"seccomp"},
    // The roles' own calls: a filter that lacked them would kill the role later.
    {"clock_adjtime", Equals(0, CLOCK_REALTIME)},
    {"clock_settime", Equals(0, CLOCK_REALTIME)},
    {"recvmmsg"},
    {"sendmmsg"},
    {"epoll_pwait2"},
};

}  // namespace

Policy RuntimePolicy() { return kRuntime; }
Policy ClockPolicy() { return kClock; }
Policy KeysPolicy() { return kKeys; }
Policy ResolvePolicy() { return kResolve; }
Policy NetPolicy() { return kNet; }
Policy SupervisorPolicy() { return kSupervisor; }
Policy RoleStartPolicy() { return kRoleStart; }

}  // namespace ntpward
