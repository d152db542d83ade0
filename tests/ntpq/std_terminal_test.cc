// The live terminal, on a pseudo-terminal and inside ntpq's cage: given back whatever happens.
#include "ntpq/std_terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "ntpq/cage.h"
#include "privsep/base/unique_fd.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq {
namespace {

constexpr std::string_view kEnter = "\x1b[?1049h";
constexpr std::string_view kLeave = "\x1b[?1049l";
constexpr int kPatienceMs = 10000;
constexpr unsigned kLifeSeconds = 60;

// Draws once, and again for each key but a quit.
void ShowUntilQuit() {
  const auto terminal = StdTerminal::Take(STDIN_FILENO);
  if (terminal == nullptr) _exit(90);
  terminal->Draw({{{"drawn", Tint::kGood}}});
  while (true) {
    const Key key = terminal->Wait(60);
    if (key == Key::kQuit) return;
    terminal->Draw({{{key == Key::kResize ? "resized" : "again", Tint::kGood}}});
  }
}

// A session on a pseudo-terminal, whose foreground program is `body` in ntpq's cage. A shell's
// part, which tells us of stops and ends, is played in between.
class PtySession {
 public:
  explicit PtySession(const std::function<void()>& body, const char* term = "xterm") {
    int master = -1;
    int slave = -1;
    CHECK(openpty(&master, &slave, nullptr, nullptr, nullptr) == 0);
    master_ = UniqueFd(master);
    slave_ = UniqueFd(slave);
    CHECK(tcgetattr(slave, &before_) == 0);
    int ends[2];
    CHECK(pipe(ends) == 0);
    news_ = UniqueFd(ends[0]);
    const UniqueFd news(ends[1]);
    shell_ = fork();
    if (shell_ == 0) Shell(body, term, news.get());
    program_ = static_cast<pid_t>(Next());
  }
  ~PtySession() {
    kill(program_, SIGKILL);
    kill(shell_, SIGKILL);
    waitpid(shell_, nullptr, 0);
  }
  PtySession(const PtySession&) = delete;
  PtySession& operator=(const PtySession&) = delete;

  // Reads what is drawn until `text` has come.
  bool Sees(std::string_view text) {
    size_t from = seen_;
    while (true) {
      const size_t at = output.find(text, from);
      if (at != std::string::npos) {
        seen_ = at + text.size();
        return true;
      }
      pollfd wait{master_.get(), POLLIN, 0};
      char bytes[4096];
      const ssize_t size =
          ::poll(&wait, 1, kPatienceMs) > 0 ? read(master_.get(), bytes, sizeof bytes) : -1;
      if (size <= 0) return false;
      output.append(bytes, static_cast<size_t>(size));
    }
  }
  void Type(std::string_view keys) {
    CHECK(write(master_.get(), keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
  }
  void Resize(uint16_t rows, uint16_t columns) {
    const winsize size{rows, columns, 0, 0};
    CHECK(ioctl(master_.get(), TIOCSWINSZ, &size) == 0);
  }
  void Signal(int number) { CHECK(kill(program_, number) == 0); }
  // The program's next stop or end, as waitpid(2) has it.
  int Next() {
    int status = -1;
    CHECK(read(news_.get(), &status, sizeof status) == sizeof status);
    return status;
  }
  // The modes that were there before.
  bool IsGivenBack() const {
    termios now;
    CHECK(tcgetattr(slave_.get(), &now) == 0);
    return now.c_lflag == before_.c_lflag && now.c_iflag == before_.c_iflag &&
           now.c_oflag == before_.c_oflag;
  }

  std::string output;

 private:
  [[noreturn]] void Shell(const std::function<void()>& body, const char* term, int news) {
    // A failed test jumps past the destructor: both end by themselves then.
    alarm(kLifeSeconds);
    setsid();
    for (int fd = 0; fd < 3; ++fd) dup2(slave_.get(), fd);
    ioctl(0, TIOCSCTTY, 0);
    signal(SIGTTOU, SIG_IGN);
    setenv("TERM", term, 1);
    unsetenv("NO_COLOR");
    pid_t program = fork();
    if (program == 0) {
      alarm(kLifeSeconds);
      setpgid(0, 0);
      tcsetpgrp(0, getpid());
      // Whoever runs the tests in the background ignores some of them.
      for (const int number : {SIGTTOU, SIGINT, SIGTERM, SIGHUP, SIGQUIT}) signal(number, SIG_DFL);
      if (!EnterQueryCage(FileAccess::kNone).ok()) _exit(91);
      body();
      _exit(0);
    }
    (void)!write(news, &program, sizeof program);
    int status = 0;
    while (waitpid(program, &status, WUNTRACED) == program) {
      (void)!write(news, &status, sizeof status);
      if (!WIFSTOPPED(status)) break;
    }
    // Keeps the session until it was looked at.
    pause();
    _exit(0);
  }

  UniqueFd master_;
  UniqueFd slave_;
  UniqueFd news_;
  termios before_{};
  pid_t shell_ = -1;
  pid_t program_ = -1;
  size_t seen_ = 0;
};

bool EndsAt(const PtySession& session, std::string_view text) {
  return session.output.find(text) + text.size() == session.output.size();
}

void GivesTheTerminalBackAtTheEnd(void**) {
  for (const char* keys : {"q", "\x03"}) {
    PtySession session(ShowUntilQuit);
    assert_true(session.Sees(kEnter));
    assert_true(session.Sees("\x1b[32mdrawn"));
    assert_false(session.IsGivenBack());
    session.Type(std::string("\x1b[A") + keys);
    assert_true(session.Sees("again"));
    assert_true(session.Sees(kLeave));
    assert_int_equal(session.Next(), 0);
    assert_true(session.IsGivenBack());
    assert_true(EndsAt(session, kLeave));
  }
}

void ASignalEndsItBehindTheScreen(void**) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    PtySession session(ShowUntilQuit);
    assert_true(session.Sees("drawn"));
    session.Signal(number);
    assert_true(session.Sees(kLeave));
    const int status = session.Next();
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), number);
    assert_true(session.IsGivenBack());
  }
}

void ACrashLeavesTheTerminalUsable(void**) {
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE}) {
    PtySession session(ShowUntilQuit);
    assert_true(session.Sees("drawn"));
    session.Signal(number);
    assert_true(session.Sees(kLeave));
    // The first is taken by the handler; what crashed does so again.
    session.Signal(number);
    const int status = session.Next();
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), number);
    assert_true(session.IsGivenBack());
  }
}

void StopsAndGoesOnLikeAnyProgram(void**) {
  const auto stop_by = [](const std::function<void(PtySession&)>& stop) {
    PtySession session(ShowUntilQuit);
    assert_true(session.Sees("drawn"));
    stop(session);
    assert_true(session.Sees(kLeave));
    assert_true(WIFSTOPPED(session.Next()));
    assert_true(session.IsGivenBack());
    session.Signal(SIGCONT);
    assert_true(session.Sees(kEnter));
    assert_true(session.Sees("resized"));
    assert_false(session.IsGivenBack());
    session.Type("q");
    assert_true(session.Sees(kLeave));
    assert_int_equal(session.Next(), 0);
    assert_true(session.IsGivenBack());
  };
  stop_by([](PtySession& session) { session.Type("\x1a"); });
  stop_by([](PtySession& session) { session.Signal(SIGTSTP); });
}

void NoticesAnotherSize(void**) {
  PtySession session(ShowUntilQuit);
  assert_true(session.Sees("drawn"));
  session.Resize(1, 3);
  // Cut to the new width.
  assert_true(session.Sees("\x1b[32mres\x1b[0m"));
  session.Type("q");
  assert_int_equal(session.Next(), 0);
}

void ATerminalThatHangsUpEndsIt(void**) {
  PtySession session(ShowUntilQuit);
  assert_true(session.Sees("drawn"));
  // Ctrl-D, as the end of what can be typed.
  session.Type("\x04");
  assert_int_equal(session.Next(), 0);
}

void TakesNoTerminalThatCannotBeRedrawn(void**) {
  const auto body = [] { _exit(StdTerminal::Take(STDIN_FILENO) == nullptr ? 7 : 8); };
  PtySession session(body, "dumb");
  const int status = session.Next();
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 7);
  assert_true(session.IsGivenBack());
}

}  // namespace
}  // namespace ntpward::ntpq

int main() {
  using namespace ntpward::ntpq;
  const CMUnitTest tests[] = {
      cmocka_unit_test(GivesTheTerminalBackAtTheEnd),
      cmocka_unit_test(ASignalEndsItBehindTheScreen),
      cmocka_unit_test(ACrashLeavesTheTerminalUsable),
      cmocka_unit_test(StopsAndGoesOnLikeAnyProgram),
      cmocka_unit_test(NoticesAnotherSize),
      cmocka_unit_test(ATerminalThatHangsUpEndsIt),
      cmocka_unit_test(TakesNoTerminalThatCannotBeRedrawn),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
