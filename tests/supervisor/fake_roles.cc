#include "tests/supervisor/fake_roles.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "privsep/channel.h"
#include "privsep/fds.h"
#include "privsep/msg/clock.h"
#include "privsep/msg/command.h"
#include "privsep/msg/control.h"
#include "privsep/msg/keys.h"
#include "privsep/msg/runtime_line.h"
#include "privsep/supervisor_link.h"

namespace ntpward::test {
namespace {

std::string ReadScript() {
  char path[4096] = "";
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 8);
  if (size <= 0) return "";
  std::string script(path, static_cast<size_t>(size));
  script.resize(script.rfind('/'));
  const UniqueFd file(open((script + "/script").c_str(), O_RDONLY | O_CLOEXEC));
  char text[256];
  const ssize_t got = file.valid() ? read(file.get(), text, sizeof text) : 0;
  return got > 0 ? std::string(text, static_cast<size_t>(got)) : "";
}

class FakeKeys {
 public:
  [[noreturn]] void Run() {
    for (;;) {
      pollfd readable{supervisor_.in_fd(), POLLIN, 0};
      poll(&readable, 1, -1);
      while (const auto bytes = supervisor_.Receive()) Take(*bytes);
      if (supervisor_.peer_gone()) _exit(0);
    }
  }

 private:
  void Take(Bytes bytes) {
    if (link_.AnswersLiveness(bytes)) return;
    msg::KeysFile file;
    msg::KeysPassword password;
    msg::KeysEnd end;
    if (msg::Decode(bytes, &file)) ++files_;
    if (msg::Decode(bytes, &password)) password_size_ = password.password.size();
    msg::RuntimeTrust kept;
    if (msg::Decode(bytes, &kept))
      for (const msg::TrustedNow& key : kept.keys)
        kept_ += std::to_string(key.key.value) + (key.trusted ? "+" : "-");
    if (msg::KeysHandOver hand_over; ready_ && msg::Decode(bytes, &hand_over))
      (void)supervisor_.Send(msg::KeysInherited{.whole = ReadScript() == "keys-inherit"});
    msg::KeysServe serve;
    if (msg::Decode(bytes, &serve)) return Serve();
    if (!msg::Decode(bytes, &end)) return;
    link_.Log(LogLevel::kNotice, "fake keys: files=" + std::to_string(files_) + " password=" +
                                     std::to_string(password_size_) + " kept=" + kept_ + ".");
    if (ReadScript() == "keys-hang") return;
    if (ReadScript() == "keys-fail") {
      link_.Failed("fake keys: wrong password");
      _exit(1);
    }
    ready_ = true;
    link_.Ready("fake");
  }
  void Serve() {
    ready_ = false;
    link_.Log(LogLevel::kNotice, "fake keys: serves, kept=" + kept_ + ".");
    if (ReadScript() == "keys-command") Command();
    if (ReadScript() == "keys-line") Line();
  }
  // As if a command had come.
  void Command() {
    msg::RuntimeTrust change;
    CHECK(change.keys.Push({KeyId{5}, true}) && change.keys.Push({KeyId{6}, false}));
    (void)supervisor_.Send(change);
    link_.Log(LogLevel::kNotice, "fake keys: commanded");
  }

  void Line() {
    msg::RuntimeLine line;
    CHECK(line.line.Assign(AsBytes("unconfig 4711")) &&
          line.subject.Assign(AsBytes("ntp.example")));
    (void)supervisor_.Send(line);
    link_.Log(LogLevel::kNotice, "fake keys: told a line");
  }

  Channel supervisor_{UniqueFd(kSupervisorIn), UniqueFd(kSupervisorOut)};
  SupervisorLink link_{&supervisor_};
  bool ready_ = false;  // ... and serves nobody yet
  size_t files_ = 0;
  size_t password_size_ = 0;
  std::string kept_;
};

class FakeNet {
 public:
  [[noreturn]] void Run() {
    for (;;) {
      pollfd readable[] = {{supervisor_.in_fd(), POLLIN, 0}, {clock_.in_fd(), POLLIN, 0}};
      poll(readable, 2, 50);
      while (const auto message = supervisor_.ReceiveWithFd()) Take(*message);
      if (supervisor_.peer_gone()) _exit(0);
      while (const auto bytes = clock_.Receive()) TakeFromClock(*bytes);
      if (const std::string script = ReadScript(); ready_ && script != done_) {
        done_ = script;
        Do(script);
      }
    }
  }

 private:
  void Say(const std::string& text) { link_.Log(LogLevel::kNotice, "fake net: " + text); }

  void Take(const Channel::WithFd& message) {
    if (link_.AnswersLiveness(message.bytes)) return;
    msg::NetAssociation association;
    msg::NetRestrict restrictions;
    msg::NetRoleRestarted restarted;
    msg::NetTerminate terminate;
    msg::NetEnd end;
    if (msg::Decode(message.bytes, &start_)) associations_ = restrictions_ = 0;
    if (msg::Decode(message.bytes, &association)) ++associations_;
    if (msg::Decode(message.bytes, &restrictions)) restrictions_ += restrictions.entries.size();
    msg::NetSocket socket;
    msg::NetSocketGone gone;
    if (message.fd.valid() && msg::Decode(message.bytes, &socket))
      Say("socket " + std::to_string(socket.index) + " " + socket.local.ToString() +
          (socket.drop ? " drop" : "") + (IsSpoilt(message.fd.get()) ? " spoilt" : ""));
    if (message.fd.valid()) listening_.emplace_back(dup(message.fd.get()));
    if (msg::RuntimeLine line; msg::Decode(message.bytes, &line))
      Say("line " + std::string(line.line.text()) + " of " + std::string(line.subject.text()));
    if (msg::Decode(message.bytes, &gone)) Say("socket gone " + std::to_string(gone.index));
    if (msg::Decode(message.bytes, &restarted))
      Say((restarted.continues ? "continued " : "restarted ") +
          std::to_string(static_cast<int>(restarted.role)));
    if (msg::Decode(message.bytes, &terminate)) {
      (void)supervisor_.Send(msg::NetDrift{.frequency = Ppm{-7.5}});
      _exit(0);
    }
    if (msg::Decode(message.bytes, &end)) Configured();
  }

  void Configured() {
    // What its predecessor did must not be done again by a successor.
    if (!ready_) done_ = ReadScript();
    Say("associations=" + std::to_string(associations_) + " restrictions=" +
        std::to_string(restrictions_) + " gate=" + (start_.allow_panic ? "open" : "shut") +
        " minclock=" + std::to_string(start_.minclock));
    if (!ready_) link_.Ready("fake");
    ready_ = true;
  }

  void TakeFromClock(Bytes bytes) {
    msg::ClockState state;
    if (!msg::Decode(bytes, &state)) return Say("nonsense from the clock");
    char text[100];
    std::snprintf(text, sizeof text, "clock request=%u refusal=%d correction=%.3f", state.request,
                  static_cast<int>(state.refusal), msg::CorrectionAt(state, MonotonicNow()));
    Say(text);
  }

  void Do(const std::string& script) {
    if (script.starts_with("step ")) {
      msg::ClockAdjust request{.request = 77};
      request.step = std::atof(script.c_str() + 5);
      (void)clock_.Send(request);
    } else if (script.starts_with("statistics ")) {
      msg::NetStatistics statistics;
      statistics.when = SystemTimeNow() + NtpDuration::FromSeconds(std::atof(script.c_str() + 11));
      CHECK(statistics.line.Assign(AsBytes("of this day")));
      (void)supervisor_.Send(statistics);
      Say("statistics sent");
    } else if (script == "garbage-to-clock") {
      for (int i = 0; i < 5; ++i) (void)clock_.Send(msg::NetEnd{});
    } else if (script == "garbage-to-supervisor") {
      (void)supervisor_.Send(msg::KeysEnd{});
      Say("this comes after the nonsense");
    } else if (script == "answer-nothing") {
      (void)supervisor_.Send(msg::LivenessAnswer{.number = 1000});
    } else if (script == "accuse-itself") {
      link_.Accuse(msg::Role::kNet, {});
    } else if (script == "step-and-accuse") {
      StepAndAccuse();
    } else if (script == "spoil-sockets") {
      SpoilSockets();
      _exit(1);
    } else if (script == "leave-sockets") {
      LeaveSocketsBehind();
    } else if (script == "close") {
      close(kSupervisorIn);
      for (;;) poll(nullptr, 0, -1);
    } else if (script == "abort") {
      std::fprintf(stderr, "fake words on standard error\n");
      std::abort();
    } else if (script.starts_with("debug ")) {
      link_.Log(LogLevel::kDebug, "fake net: of debugging");
      Say("said " + script);
    } else if (script == "flood") {
      for (int i = 0; i < 3000; ++i) {
        Say("flood " + std::string(500, 'x'));
        (void)supervisor_.Send(msg::NetDrift{.frequency = Ppm{i / 100.0}});
      }
    } else if (script.starts_with("quit ")) {
      msg::NetQuit quit;
      quit.reason = script == "quit panic"     ? msg::QuitReason::kPanic
                    : script == "quit failed"  ? msg::QuitReason::kFailed
                    : script == "quit unheard" ? msg::QuitReason::kUnheard
                                               : msg::QuitReason::kDone;
      CHECK(quit.text.Assign(AsBytes("ntpd: time \x1b[2Jset")));
      (void)supervisor_.Send(quit);
    }
  }

  // Deaf for ever to all but one.
  void SpoilSockets() {
    for (const UniqueFd& fd : listening_) {
      sockaddr_storage far{};
      const socklen_t length = sizeof far;
      socklen_t own_length = sizeof far;
      CHECK(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&far), &own_length) == 0);
      const IpAddress loopback = *IpAddress::Parse(far.ss_family == AF_INET ? "127.0.0.9" : "::1");
      (void)SocketAddress{loopback, 9}.ToSockaddr(&far);
      CHECK(connect(fd.get(), reinterpret_cast<sockaddr*>(&far), length) == 0);
    }
  }

  static bool IsSpoilt(int fd) {
    sockaddr_storage far{};
    socklen_t length = sizeof far;
    return getpeername(fd, reinterpret_cast<sockaddr*>(&far), &length) == 0;
  }

  // As another process that has the port. It ends when the script is another, or soon.
  void LeaveSocketsBehind() {
    if (fork() != 0) _exit(1);
    for (int fd = 0; fd < 100; ++fd)
      if (std::none_of(listening_.begin(), listening_.end(),
                       [fd](const UniqueFd& kept) { return kept.get() == fd; }))
        close(fd);
    for (int i = 0; i < 400 && ReadScript() == done_; ++i) poll(nullptr, 0, 50);
    _exit(0);
  }

  // The clock has answered, and so told the supervisor, when the supervisor wakes; and our channel
  // has something for it before the clock's has.
  void StepAndAccuse() {
    kill(getppid(), SIGSTOP);
    Say("accuses falsely");
    msg::ClockAdjust request{.request = 78};
    request.step = 900;
    (void)clock_.Send(request);
    pollfd answer{clock_.in_fd(), POLLIN, 0};
    poll(&answer, 1, 5000);
    link_.Accuse(msg::Role::kClock, {});
    kill(getppid(), SIGCONT);
  }

  Channel supervisor_{UniqueFd(kSupervisorIn), UniqueFd()};
  Channel clock_{UniqueFd(kClockIn), UniqueFd(kClockOut)};
  SupervisorLink link_{&supervisor_};
  msg::NetStart start_;
  std::vector<UniqueFd> listening_;
  size_t associations_ = 0;
  size_t restrictions_ = 0;
  bool ready_ = false;
  std::string done_;
};

}  // namespace

void RunFakeRole(int argc, char** argv) {
  if (argc != 4) return;
  if (std::strcmp(argv[0], "ntpd-net") == 0) FakeNet().Run();
  if (std::strcmp(argv[0], "ntpd-keys") == 0) FakeKeys().Run();
}

}  // namespace ntpward::test
