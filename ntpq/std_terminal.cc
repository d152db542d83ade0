#include "ntpq/std_terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace ntpward::ntpq {
namespace {

// Alternate screen, cleared; no cursor; no wrapping of long lines.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[2J\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
// A held signal or a new size wakes nobody: they are looked for.
constexpr int kLookMs = 100;

constexpr std::array kEnding = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr std::array kCrashes = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

sigset_t HeldSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kEnding) sigaddset(&set, number);
  sigaddset(&set, SIGTSTP);
  return set;
}

void WriteAll(std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(STDOUT_FILENO, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    text.remove_prefix(static_cast<size_t>(size));
  }
}

// In a signal handler, without knowledge of what the terminal was like: as a shell wants it.
void GiveBack(int) {
  WriteAll(kLeave);
  termios modes;
  if (tcgetattr(STDOUT_FILENO, &modes) != 0) return;
  modes.c_lflag |= ICANON | ECHO | ISIG | IEXTEN;
  modes.c_iflag |= ICRNL | IXON;
  tcsetattr(STDOUT_FILENO, TCSANOW, &modes);
}

void OnCrash(void (*handler)(int)) {
  for (const int number : kCrashes) {
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(number, &action, nullptr);
  }
}

}  // namespace

std::unique_ptr<StdTerminal> StdTerminal::Take(int keyboard) {
  termios before;
  if (isatty(STDOUT_FILENO) != 1 || !CanRedraw(std::getenv("TERM")) ||
      tcgetattr(keyboard, &before) != 0)
    return nullptr;
  return std::unique_ptr<StdTerminal>(new StdTerminal(keyboard, before));
}

StdTerminal::StdTerminal(int keyboard, const termios& before)
    : keyboard_(keyboard),
      before_(before),
      colour_(HasColour(std::getenv("TERM"), std::getenv("NO_COLOR"))) {
  std::fflush(stdout);
  const sigset_t held = HeldSignals();
  sigprocmask(SIG_BLOCK, &held, &mask_before_);
  OnCrash(GiveBack);
  Enter();
}

// A signal that was held ends us now, behind everything else.
StdTerminal::~StdTerminal() {
  Leave();
  OnCrash(SIG_DFL);
  sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
}

void StdTerminal::Enter() {
  termios modes = before_;
  modes.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG | IEXTEN);
  modes.c_iflag &= ~static_cast<tcflag_t>(ICRNL | IXON);
  modes.c_cc[VMIN] = 1;
  modes.c_cc[VTIME] = 0;
  tcsetattr(keyboard_, TCSADRAIN, &modes);
  WriteAll(kEnter);
  drawn_ = {0, 0};
}

void StdTerminal::Leave() const {
  WriteAll(kLeave);
  tcsetattr(keyboard_, TCSADRAIN, &before_);
}

// Until somebody continues us.
void StdTerminal::Suspend() {
  Leave();
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  sigprocmask(SIG_UNBLOCK, &stop, nullptr);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
  Enter();
}

ScreenSize StdTerminal::Size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
    return {};
  return {size.ws_row, size.ws_col};
}

void StdTerminal::Draw(const std::vector<ScreenLine>& lines) {
  drawn_ = Size();
  WriteAll(RenderScreen(lines, drawn_, colour_));
}

Key StdTerminal::TakeSignal() {
  sigset_t pending;
  if (sigpending(&pending) != 0) return Key::kNone;
  for (const int number : kEnding)
    if (sigismember(&pending, number) == 1) return Key::kQuit;
  return sigismember(&pending, SIGTSTP) == 1 ? Key::kSuspend : Key::kNone;
}

Key StdTerminal::ReadKey(int timeout_ms) {
  pollfd wait{keyboard_, POLLIN, 0};
  if (::poll(&wait, 1, timeout_ms) <= 0) return Key::kNone;
  std::array<char, 64> bytes;
  const ssize_t size = ::read(keyboard_, bytes.data(), bytes.size());
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return Key::kNone;
  if (size <= 0) return Key::kQuit;
  decoder_.Add({bytes.data(), static_cast<size_t>(size)});
  return decoder_.Next();
}

Key StdTerminal::Wait(double seconds) {
  for (int left_ms = static_cast<int>(std::ceil(seconds * 1000));; left_ms -= kLookMs) {
    Key key = TakeSignal();
    if (key == Key::kNone) key = decoder_.Next();
    if (key == Key::kNone) key = ReadKey(std::clamp(left_ms, 0, kLookMs));
    if (key == Key::kSuspend) {
      // To all that the terminal would have stopped.
      (void)kill(0, SIGTSTP);
      Suspend();
      key = Key::kResize;
    }
    if (key == Key::kNone && drawn_ != Size()) key = Key::kResize;
    if (key != Key::kNone || left_ms <= kLookMs) return key;
  }
}

}  // namespace ntpward::ntpq
