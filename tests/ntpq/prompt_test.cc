// The prompt on a terminal, in the cage: keys are typed, and what shows is read.
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "ntpq/cage.h"
#include "ntpq/command.h"
#include "ntpq/line_input.h"
#include "privsep/base/unique_fd.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

constexpr int kPatienceMs = 20000;

// Prints to the terminal.
class TerminalPlatform : public RecordingPlatform {
 public:
  void Out(std::string_view text) override { std::fwrite(text.data(), 1, text.size(), stdout); }
  void Err(std::string_view text) override { Out(text); }
};

[[noreturn]] void RunPrompt() {
  alarm(kPatienceMs / 1000);  // what waits for nobody ends, so that the test fails
  setenv("TERM", "xterm", 1);
  const Recording recording = Recording::Load("to-4.2.8-as");
  TerminalPlatform platform;
  platform.now = recording.start;
  RecordedNetwork network(recording, platform);
  RecordedNames names;
  Session session(platform, network, names, Settings{});
  const auto complete = [&](std::string_view line) { return Complete(session, line); };
  const auto input = MakeLineInput(false, complete);
  if (!input->prompts() || !EnterQueryCage(FileAccess::kOpen).ok()) _exit(100);
  session.OpenHost("127.0.0.1", Family::kNone);
  while (!session.quit) {
    const auto line = input->Next();
    if (!line) break;
    RunLine(session, *line);
  }
  std::fflush(stdout);
  _exit(7);
}

struct Terminal {
  UniqueFd master;
  pid_t child = -1;
  std::string seen;

  void Type(std::string_view keys) {
    assert_int_equal(write(master.get(), keys.data(), keys.size()), keys.size());
  }
  // Waits until `text` shows, and takes what came up to it.
  void WaitFor(const std::string& text) {
    while (true) {
      if (const size_t at = seen.find(text); at != std::string::npos) {
        seen.erase(0, at + text.size());
        return;
      }
      pollfd wait{master.get(), POLLIN, 0};
      std::array<char, 4096> buffer;
      const ssize_t size = ::poll(&wait, 1, kPatienceMs) == 1
                               ? ::read(master.get(), buffer.data(), buffer.size())
                               : -1;
      if (size <= 0) fail_msg("no '%s' after '%s'", text.c_str(), seen.c_str());
      seen.append(buffer.data(), static_cast<size_t>(size));
    }
  }
};

int Begin(void** state) {
  auto* terminal = new Terminal;
  *state = terminal;
  int master = -1;
  winsize size{50, 120, 0, 0};
  terminal->child = forkpty(&master, nullptr, nullptr, &size);
  if (terminal->child == 0) RunPrompt();
  terminal->master = UniqueFd(master);
  return terminal->child > 0 ? 0 : -1;
}

int End(void** state) {
  auto* terminal = static_cast<Terminal*>(*state);
  if (terminal->child > 0) {
    kill(terminal->child, SIGKILL);
    waitpid(terminal->child, nullptr, 0);
  }
  delete terminal;
  return 0;
}

void LeavesByItself(Terminal& terminal) {
  terminal.Type("quit\n");
  int status = 0;
  assert_int_equal(waitpid(terminal.child, &status, 0), terminal.child);
  terminal.child = -1;
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 7);
}

void CompletesAtThePrompt(void** state) {
  auto& terminal = *static_cast<Terminal*>(*state);
  terminal.WaitFor("ntpq> ");
  // The editor shows what is new, not the line again.
  terminal.Type("hostn\tn\t\n");
  terminal.WaitFor("ames");
  terminal.WaitFor("ntpq> ");
  terminal.Type("hostnames\n");
  terminal.WaitFor("hostnames not being shown");
  terminal.WaitFor("ntpq> ");
  terminal.Type("pass\t");
  terminal.WaitFor("passociations");
  terminal.WaitFor("passwd");
  terminal.Type("o\t\n");
  terminal.WaitFor("No association ID's in list");
  terminal.WaitFor("ntpq> ");
  terminal.Type("as\n");
  terminal.WaitFor("12 35392");
  terminal.WaitFor("ntpq> ");
  terminal.Type("rv \t");
  terminal.WaitFor("353");
  terminal.Type("\t");
  terminal.WaitFor("35392");
  terminal.Type("\x15");  // forget the line
  LeavesByItself(terminal);
}

// In the signal's handler the editor would change what it is at work on, and crash now and then:
// the signal waits for the end of the line.
void AResizedWindowWaitsForTheNextLine(void** state) {
  auto& terminal = *static_cast<Terminal*>(*state);
  terminal.WaitFor("ntpq> ");
  terminal.Type("keyid");
  terminal.WaitFor("keyid");
  const winsize size{50, 20, 0, 0};
  assert_int_equal(ioctl(terminal.master.get(), TIOCSWINSZ, &size), 0);
  std::ifstream status("/proc/" + std::to_string(terminal.child) + "/status");
  const std::string text{std::istreambuf_iterator<char>(status), {}};
  constexpr std::string_view kBlocked = "\nSigBlk:\t";
  const size_t at = text.find(kBlocked);
  assert_true(at != std::string::npos);
  const uint64_t blocked = std::stoull(text.substr(at + kBlocked.size()), nullptr, 16);
  assert_true((blocked >> (SIGWINCH - 1) & 1) != 0);
  terminal.Type(" 51\nkeyid\n");
  terminal.WaitFor("keyid is 51");
  LeavesByItself(terminal);
}

// Up, twice; the password between the two is not there.
void RemembersLinesButNoPasswords(void** state) {
  auto& terminal = *static_cast<Terminal*>(*state);
  terminal.WaitFor("ntpq> ");
  terminal.Type("keyid 51\n");
  terminal.WaitFor("ntpq> ");
  terminal.Type(" ~passw sesame\n");
  terminal.WaitFor("ntpq> ");
  terminal.Type("keyid\n");
  terminal.WaitFor("keyid is 51");
  terminal.WaitFor("ntpq> ");
  terminal.Type("\x1b[A");
  terminal.WaitFor("keyid");
  terminal.Type("\x1b[A");
  terminal.WaitFor("51");
  terminal.Type("\n");
  terminal.WaitFor("ntpq> ");
  LeavesByItself(terminal);
}

void EditsALine(void** state) {
  auto& terminal = *static_cast<Terminal*>(*state);
  terminal.WaitFor("ntpq> ");
  terminal.Type(
      "eyid 6\x01k\x05"
      "2\n");
  terminal.WaitFor("ntpq> ");
  terminal.Type("keyid\n");
  terminal.WaitFor("keyid is 62");
  // Before the prompt the terminal would take it for itself.
  terminal.WaitFor("ntpq> ");
  terminal.Type("\x04");
  int status = 0;
  assert_int_equal(waitpid(terminal.child, &status, 0), terminal.child);
  terminal.child = -1;
  assert_true(WIFEXITED(status));
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(CompletesAtThePrompt, Begin, End),
      cmocka_unit_test_setup_teardown(RemembersLinesButNoPasswords, Begin, End),
      cmocka_unit_test_setup_teardown(EditsALine, Begin, End),
      cmocka_unit_test_setup_teardown(AResizedWindowWaitsForTheNextLine, Begin, End),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
