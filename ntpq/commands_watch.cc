// watch: the server's state on a screen that is drawn anew every few seconds.
#include <algorithm>
#include <array>
#include <memory>

#include "ntpq/command.h"
#include "ntpq/snapshot.h"
#include "ntpq/terminal.h"
#include "ntpq/watch_view.h"

namespace ntpward::ntpq {
namespace {

constexpr uint32_t kSeconds = 2;

// On a terminal. Keys are taken also while an answer is waited for.
class Watch {
 public:
  Watch(Session& session, std::unique_ptr<Terminal> terminal, uint32_t seconds)
      : session_(session), terminal_(std::move(terminal)), view_(session.host().name, seconds) {
    session_.host().transport->SetInterruption([this] { return WantsEnd(); });
  }
  ~Watch() { session_.host().transport->SetInterruption({}); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void Run() {
    Draw();
    while (!ended_) {
      Look();
      Rest();
    }
  }

 private:
  MonoTime Now() { return session_.host().transport->Now(); }
  void Draw() { terminal_->Draw(view_.Lines(terminal_->Size(), session_.platform().Now())); }

  void Look() {
    asked_ = waiting_drawn_ = Now();
    waiting_ = true;
    auto snapshot = TakeSnapshot(session_, identities_);
    waiting_ = false;
    if (ended_) return;
    if (snapshot.ok())
      view_.OnSnapshot(std::move(snapshot).value());
    else
      view_.OnFailure(snapshot.error().text, session_.platform().Now());
    Draw();
  }

  // Until the next look is due.
  void Rest() {
    again_ = false;
    while (!ended_ && !again_) {
      const double left = asked_ + view_.seconds() - Now();
      if (left <= 0) return;
      TakeKey(terminal_->Wait(left));
    }
  }

  void TakeKey(Key key) {
    if (key == Key::kNone) return;
    if (key == Key::kQuit) ended_ = true;
    if (key == Key::kAgain) again_ = true;
    if (ended_ || key == Key::kAgain) return;
    if (view_.OnKey(key, terminal_->Size()) || key == Key::kResize) Draw();
  }

  // Called by the transport while it waits.
  bool WantsEnd() {
    if (ended_) return true;
    for (Key key = terminal_->Wait(0); key != Key::kNone && !ended_; key = terminal_->Wait(0))
      TakeKey(key);
    if (!ended_ && waiting_ && Now() - waiting_drawn_ >= 1) {
      waiting_drawn_ = Now();
      view_.OnWaiting(waiting_drawn_ - asked_);
      Draw();
    }
    return ended_;
  }

  Session& session_;
  std::unique_ptr<Terminal> terminal_;
  WatchView view_;
  IdentityCache identities_;
  MonoTime asked_;
  MonoTime waiting_drawn_;
  bool waiting_ = false;
  bool ended_ = false;
  bool again_ = false;
};

// Anywhere else: one text after the other, until interrupted.
void WatchPlain(Session& session, uint32_t seconds) {
  WatchView view(session.host().name, seconds);
  IdentityCache identities;
  for (bool first = true; first || session.platform().Pause(seconds); first = false) {
    auto snapshot = TakeSnapshot(session, identities);
    const timespec now = session.platform().Now();
    if (!snapshot.ok()) {
      session.PrintError(LocalTime(now) + "  " + session.host().name + ": " +
                         snapshot.error().text + "\n");
      continue;
    }
    view.OnSnapshot(std::move(snapshot).value());
    session.Print(RenderText(view.PlainLines(now)) + "\n");
  }
}

void RunWatch(Session& session, const Arguments& arguments) {
  const uint32_t seconds = arguments.empty() ? kSeconds : arguments[0].number;
  if (seconds < 1 || seconds > WatchView::kMostSeconds) {
    session.PrintError("***1 to " + std::to_string(WatchView::kMostSeconds) + " seconds, please\n");
    return;
  }
  if (session.settings.json) {
    session.PrintError("***watch is for people: ask for peers as often as you like\n",
                       ErrorKind::kUnavailable);
    return;
  }
  if (!session.has_host()) {
    session.PrintError("***No host open, use `host' command\n", ErrorKind::kHost);
    return;
  }
  // A password is asked for while lines can still be typed.
  if (session.settings.authenticate && !session.Ask(wire::ControlOp::kReadStatus, AssocId{0}, ""))
    return;
  auto terminal = session.platform().TakeTerminal();
  if (terminal == nullptr) return WatchPlain(session, seconds);
  Watch(session, std::move(terminal), seconds).Run();
  // Who has seen enough of one server does not want the next one's screen.
  session.quit = session.quit || !session.at_prompt;
}

constexpr std::array kCommands = {
    Command{"watch",
            RunWatch,
            {{{ArgumentKind::kNumber, true, "seconds"}}},
            "show the system, its peers and how they are authenticated, again and again",
            true},
};

}  // namespace

std::span<const Command> WatchCommands() { return kCommands; }

}  // namespace ntpward::ntpq
