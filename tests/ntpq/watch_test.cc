// What `watch` shows, what keys do, and what it does without an answer: no terminal, no network.
#include <deque>

#include "ntpq/command.h"
#include "ntpq/keys.h"
#include "ntpq/screen.h"
#include "ntpq/watch_view.h"
#include "tests/ntpq/fake_server.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq {
namespace {

constexpr timespec kNow{1795391940, 0};  // 2026-11-22 23:59:00 UTC

bool Has(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return true;
  print_message("%s\nlacks: %s\n", text.c_str(), std::string(part).c_str());
  return false;
}

size_t Count(const std::string& text, std::string_view part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
  return count;
}

// ------------------------------------------------------------------------------- the screen

void OnlyOurOwnSequencesReachTheTerminal(void**) {
  const std::string hostile =
      "a\x1b[2Jb\x07\r\n\x9b"
      "c\x7f\xc3\xa9";
  const std::string screen = RenderScreen({{{hostile, Tint::kBad}}}, {24, 80}, true);
  assert_string_equal(screen.c_str(), "\x1b[H\x1b[1;31ma?[2Jb????c???\x1b[0m\x1b[K\r\n\x1b[J");
  assert_string_equal(RenderText({{{hostile, Tint::kBad}}}).c_str(), "a?[2Jb????c???\n");
}

void ADrawingNeverLeavesTheScreen(void**) {
  const std::vector<ScreenLine> lines(10, {{std::string(50, 'x')}, {std::string(50, 'y')}});
  for (size_t rows = 1; rows < 12; ++rows) {
    for (const size_t columns : {1U, 49U, 50U, 51U, 99U, 100U, 200U}) {
      const std::string screen = RenderScreen(lines, {rows, columns}, false);
      assert_true(Count(screen, "\r\n") <= rows - 1);
      assert_int_equal(Count(screen, "x") + Count(screen, "y"),
                       std::min<size_t>(rows, 10) * std::min<size_t>(columns, 100));
    }
  }
}

void ColourIsAMatterOfTheTerminalAndOfTaste(void**) {
  assert_false(CanRedraw(nullptr));
  assert_false(CanRedraw(""));
  assert_false(CanRedraw("dumb"));
  assert_true(CanRedraw("xterm"));
  assert_true(HasColour("xterm-256color", nullptr));
  assert_true(HasColour("linux", ""));
  assert_false(HasColour("xterm", "1"));
  assert_false(HasColour("vt100", nullptr));
  assert_false(HasColour("xterm-mono", nullptr));
  const std::vector<ScreenLine> lines = {{{"good", Tint::kGood}}, {{"title", Tint::kTitle}}};
  const std::string plain = RenderScreen(lines, {24, 80}, false);
  assert_int_equal(Count(plain, "\x1b[32m"), 0);
  assert_int_equal(Count(plain, "\x1b[7m"), 1);
}

// ------------------------------------------------------------------------------- keys

std::vector<Key> Keys(std::string_view bytes, size_t chunk) {
  KeyDecoder decoder;
  std::vector<Key> keys;
  for (size_t at = 0; at < bytes.size(); at += chunk) {
    decoder.Add(bytes.substr(at, chunk));
    for (Key key = decoder.Next(); key != Key::kNone; key = decoder.Next()) keys.push_back(key);
  }
  return keys;
}

void KeysAreReadHoweverTheirBytesArrive(void**) {
  const std::string_view bytes =
      "\x1b[A\x1bOBx\x1b[5~\x1b[6~\x1b[1;5C\x1b[C\x1b[D\x1b[H\x1b[4~ +-q";
  const std::vector<Key> expected = {Key::kUp,    Key::kDown,   Key::kPageUp, Key::kPageDown,
                                     Key::kRight, Key::kLeft,   Key::kHome,   Key::kEnd,
                                     Key::kAgain, Key::kSlower, Key::kFaster, Key::kQuit};
  for (size_t chunk = 1; chunk <= bytes.size(); ++chunk)
    assert_true(Keys(bytes, chunk) == expected);
  assert_true(Keys("\x03", 1) == std::vector<Key>{Key::kQuit});
  assert_true(Keys("\x1a", 1) == std::vector<Key>{Key::kSuspend});
  assert_true(Keys("\x1b", 1).empty());
  // A sequence without end is dropped in time.
  assert_true(Keys("\x1b[" + std::string(10000, ';'), 64).empty());
}

// ------------------------------------------------------------------------------- the view

Snapshot Seen(size_t sources) {
  Snapshot snapshot;
  snapshot.taken = kNow;
  snapshot.status = "sync_ntp, leap_none, stratum 3";
  snapshot.figures = "offset 0.1 ms";
  snapshot.synchronised = true;
  for (size_t i = 0; i < sources; ++i) {
    WatchedSource source;
    source.row = "*source-" + std::to_string(i) + "-";
    source.row.resize(70, '.');
    source.row += "  jitter";
    source.authentication = "ok key " + std::to_string(i);
    source.selection = wire::Selection::kSystemPeer;
    source.authenticated = true;
    snapshot.sources.push_back(source);
  }
  return snapshot;
}

std::string Screen(const WatchView& view, ScreenSize size, long later = 0) {
  const auto lines = view.Lines(size, {kNow.tv_sec + later, 0});
  assert_int_equal(lines.size(), size.rows);
  return RenderText(lines);
}

void AuthenticationIsInSightOnAnyWidth(void**) {
  WatchView view("server", 2);
  view.OnSnapshot(Seen(1));
  for (const size_t columns : {80U, 89U}) {
    const std::string screen = Screen(view, {24, columns});
    assert_true(Has(screen, ". ok key 0\n"));
    assert_int_equal(Count(screen, "jitter"), 0);
  }
  assert_true(Has(Screen(view, {24, 100}), "  jitter ok key 0\n"));
  assert_true(Has(RenderText(view.PlainLines(kNow)), "  jitter ok key 0\n"));
}

void KeysScrollWithinTheList(void**) {
  constexpr ScreenSize kSize{17, 80};  // ten sources
  WatchView view("server", 2);
  assert_true(view.OnKey(Key::kDown, kSize));
  view.OnSnapshot(Seen(25));
  const auto shows = [&](size_t first) {
    const std::string screen = Screen(view, kSize);
    return Count(screen, "*source-") == 10 &&
           Has(screen, "*source-" + std::to_string(first) + "-") &&
           Has(screen, "*source-" + std::to_string(first + 9) + "-");
  };
  assert_true(shows(0));
  (void)view.OnKey(Key::kUp, kSize);
  assert_true(shows(0));
  (void)view.OnKey(Key::kDown, kSize);
  assert_true(shows(1));
  (void)view.OnKey(Key::kPageDown, kSize);
  assert_true(shows(11));
  (void)view.OnKey(Key::kPageDown, kSize);
  assert_true(shows(15));
  (void)view.OnKey(Key::kHome, kSize);
  assert_true(shows(0));
  (void)view.OnKey(Key::kEnd, kSize);
  assert_true(shows(15));
  // The screen has grown, or the list has shrunk.
  assert_int_equal(Count(Screen(view, {40, 80}), "*source-"), 25);
  view.OnSnapshot(Seen(3));
  assert_int_equal(Count(Screen(view, kSize), "*source-"), 3);
  // Sideways on a narrow one, and back.
  (void)view.OnKey(Key::kRight, {17, 40});
  assert_int_equal(Count(Screen(view, {17, 40}), "*source-"), 0);
  (void)view.OnKey(Key::kLeft, {17, 40});
  assert_int_equal(Count(Screen(view, {17, 40}), "*source-"), 3);
}

void TheIntervalStaysWithinItsBounds(void**) {
  WatchView view("server", 2);
  for (int i = 0; i < 5; ++i) (void)view.OnKey(Key::kFaster, {});
  assert_int_equal(view.seconds(), 1);
  for (int i = 0; i < 4000; ++i) (void)view.OnKey(Key::kSlower, {});
  assert_int_equal(view.seconds(), WatchView::kMostSeconds);
}

void ASilentServerIsToldFromAnOldPicture(void**) {
  WatchView view("server", 2);
  view.OnFailure("no answer", kNow);
  assert_true(Has(Screen(view, {24, 80}, 5), "no answer for 5 s\n"));
  view.OnSnapshot(Seen(1));
  view.OnWaiting(3);
  assert_true(Has(Screen(view, {24, 80}), "no answer yet after 3 s"));
  view.OnFailure("no answer", {kNow.tv_sec + 10, 0});
  view.OnFailure("no answer", {kNow.tv_sec + 12, 0});
  const std::string screen = Screen(view, {24, 80}, 12);
  assert_true(Has(screen, "no answer for 12 s: this is what it was at"));
  assert_true(Has(screen, "*source-0-"));
  view.OnSnapshot(Seen(1));
  assert_int_equal(Count(Screen(view, {24, 80}, 12), "no answer"), 0);
}

void NoScreenIsTooSmall(void**) {
  WatchView view(std::string(300, 'h'), 2);
  view.OnSnapshot(Seen(3));
  for (size_t rows = 0; rows < 12; ++rows)
    for (size_t columns = 1; columns < 100; ++columns)
      (void)RenderScreen(view.Lines({rows, columns}, kNow), {rows, columns}, true);
}

void AuthenticationIsNamed(void**) {
  wire::PeerStatus status;
  const auto named = [&](std::string_view variables, const std::string& identity = "") {
    return DescribeAuthentication(status, ReadValues(variables), identity).authentication;
  };
  assert_string_equal(named("keyid=0").c_str(), "none");
  assert_string_equal(named("keyid=5").c_str(), "key 5");
  status.reachable = true;
  assert_string_equal(named("keyid=5").c_str(), "bad key 5");
  status.authentic = true;
  assert_string_equal(named("keyid=5").c_str(), "ok key 5");
  assert_string_equal(named("keyid=0x2ead7dd2").c_str(), "not begun");
  assert_string_equal(named("flags=0x80301, hmode=3").c_str(), "under way");
  assert_string_equal(named("flags=0x87f01, hmode=3").c_str(), "ok autokey");
  assert_string_equal(named("flags=0x87f01, hmode=3", "IFF").c_str(), "ok IFF");
  status.authentic = false;
  assert_string_equal(named("flags=0x87f01, hmode=3", "IFF").c_str(), "wait IFF");
  status.authentic = true;
  assert_string_equal(named("flags=0x87701, hmode=1", "TC").c_str(), "ok TC");
}

// ------------------------------------------------------------------------------- the command

// A server of one association that answers every question but the next `deaf` ones.
struct WatchedServer : test::FakeServer {
  WatchedServer() {
    on_request = [this](const wire::ControlRequest& request) {
      if (deaf > 0) {
        --deaf;
        return;
      }
      const bool system = request.header.assoc.value == 0;
      if (request.header.op == wire::ControlOp::kReadStatus)
        Answer(request, "\x30\x39\xf6\x14", 0x0615);
      else if (system)
        Answer(request, "stratum=3, refid=10.77.0.1, offset=0.125", 0x0615);
      else
        Answer(request, "srcadr=10.77.0.1, keyid=5, stratum=2, hmode=3, refid=10.77.0.9", 0xf614);
    };
  }
  size_t deaf = 0;
};

// What happens at a terminal: at each wait that takes time, the next thing.
struct Script {
  WatchedServer server;
  std::vector<std::string> drawn;
  std::deque<Key> keys;
  std::function<void(size_t wait)> at_wait = [](size_t) {};
  size_t waits = 0;
};

class FakeTerminal : public Terminal {
 public:
  explicit FakeTerminal(Script& script) : script_(script) {}
  ScreenSize Size() override { return {24, 100}; }
  void Draw(const std::vector<ScreenLine>& lines) override {
    script_.drawn.push_back(RenderText(lines));
  }
  Key Wait(double seconds) override {
    if (seconds > 0) {
      script_.at_wait(script_.waits++);
      assert_true(script_.waits < 100);
    }
    if (!script_.keys.empty()) {
      const Key key = script_.keys.front();
      script_.keys.pop_front();
      return key;
    }
    script_.server.now = script_.server.now + seconds;
    return Key::kNone;
  }

 private:
  Script& script_;
};

class FakePlatform : public test::RecordingPlatform {
 public:
  explicit FakePlatform(Script& script) : script_(script) { now = kNow; }
  std::unique_ptr<Terminal> TakeTerminal() override {
    return terminal ? std::make_unique<FakeTerminal>(script_) : nullptr;
  }
  bool Pause(uint32_t) override {
    script_.at_wait(script_.waits++);
    return script_.waits < 4;
  }
  bool terminal = true;

 private:
  Script& script_;
};

struct World {
  Script script;
  FakePlatform platform{script};
  test::FakeNetwork network{script.server};
  test::RecordedNames names;
  Session session{platform, network, names, {.numeric = true}};
  void Run(const std::string& line) { RunBatch(session, {{"server", Family::kNone}}, {line}); }
};

void ShowsTheServerUntilQuit(void**) {
  World world;
  world.script.at_wait = [&](size_t wait) {
    if (wait == 2) world.script.keys.push_back(Key::kQuit);
  };
  world.Run("watch 5");
  const std::string& last = world.script.drawn.back();
  assert_true(Has(last, " ntpq watch server"));
  assert_true(Has(last, "every 5 s"));
  assert_true(Has(last, "sync_ntp, leap_none, stratum 3, refid 10.77.0.1"));
  assert_true(Has(last, "*10.77.0.1 "));
  assert_true(Has(last, "ok key 5"));
  assert_true(world.platform.out.empty() && world.platform.err.empty());
  assert_true(world.session.quit);
}

void AServerThatComesBackIsShownAgain(void**) {
  World world;
  world.script.at_wait = [&](size_t wait) {
    // Two looks of two questions each.
    if (wait == 1) world.script.server.deaf = 4;
    if (wait == 3) world.script.keys.push_back(Key::kQuit);
  };
  world.Run("watch");
  bool waited = false;
  bool gone = false;
  bool back = false;
  for (const std::string& screen : world.script.drawn) {
    waited = waited || screen.find("no answer yet after") != std::string::npos;
    gone = gone || screen.find("no answer for") != std::string::npos;
    back = gone && screen.find("no answer") == std::string::npos;
  }
  assert_true(waited && gone && back);
}

void QuitsWhileAnAnswerIsWaitedFor(void**) {
  World world;
  world.script.server.deaf = 1000;
  world.script.keys = {Key::kDown, Key::kQuit};
  world.Run("watch");
  assert_int_equal(world.script.waits, 0);
  // Nobody is left who would be asked.
  assert_false(world.script.server.Interrupted());
}

void PrintsOneTextAfterTheOtherWithoutATerminal(void**) {
  World world;
  world.platform.terminal = false;
  world.script.at_wait = [&](size_t wait) {
    if (wait == 1) world.script.server.deaf = 2;
  };
  world.Run("watch 1");
  assert_int_equal(Count(world.platform.out, "ok key 5\n"), 3);
  assert_int_equal(Count(world.platform.out, "\x1b"), 0);
  assert_int_equal(Count(world.platform.err, "server: no answer\n"), 1);
}

void RefusesIntervalsThatAreNone(void**) {
  for (const char* line : {"watch 0", "watch 3601"}) {
    World world;
    world.Run(line);
    assert_true(Has(world.platform.err, "***1 to 3600 seconds, please\n"));
    assert_true(world.script.drawn.empty());
  }
}

}  // namespace
}  // namespace ntpward::ntpq

int main() {
  using namespace ntpward::ntpq;
  const CMUnitTest tests[] = {
      cmocka_unit_test(OnlyOurOwnSequencesReachTheTerminal),
      cmocka_unit_test(ADrawingNeverLeavesTheScreen),
      cmocka_unit_test(ColourIsAMatterOfTheTerminalAndOfTaste),
      cmocka_unit_test(KeysAreReadHoweverTheirBytesArrive),
      cmocka_unit_test(AuthenticationIsInSightOnAnyWidth),
      cmocka_unit_test(KeysScrollWithinTheList),
      cmocka_unit_test(TheIntervalStaysWithinItsBounds),
      cmocka_unit_test(ASilentServerIsToldFromAnOldPicture),
      cmocka_unit_test(NoScreenIsTooSmall),
      cmocka_unit_test(AuthenticationIsNamed),
      cmocka_unit_test(ShowsTheServerUntilQuit),
      cmocka_unit_test(AServerThatComesBackIsShownAgain),
      cmocka_unit_test(QuitsWhileAnAnswerIsWaitedFor),
      cmocka_unit_test(PrintsOneTextAfterTheOtherWithoutATerminal),
      cmocka_unit_test(RefusesIntervalsThatAreNone),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
