#include "ntpq/line_input.h"

#include <histedit.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "ntpq/command.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kMaxLine = 512;
constexpr int kHistoryLines = 128;
constexpr char kPrompt[] = "ntpq> ";

std::string WithoutNewline(std::string line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  line.resize(std::min(line.size(), kMaxLine));
  return line;
}

class PlainInput : public LineInput {
 public:
  explicit PlainInput(bool prompt) : prompt_(prompt) {}
  ~PlainInput() override { std::free(buffer_); }
  PlainInput(const PlainInput&) = delete;
  PlainInput& operator=(const PlainInput&) = delete;

  bool prompts() const override { return prompt_; }
  std::optional<std::string> Next() override {
    std::fflush(stdout);
    if (prompt_) std::fputs(kPrompt, stderr);
    const ssize_t length = getline(&buffer_, &size_, stdin);
    if (length < 0) return std::nullopt;
    return WithoutNewline(std::string(buffer_, static_cast<size_t>(length)));
  }

 private:
  bool prompt_;
  char* buffer_ = nullptr;  // getline's
  size_t size_ = 0;
};

char* Prompt(EditLine*) {
  static char prompt[] = "ntpq> ";
  return prompt;
}

// Several to a line, below the one that is edited.
void ShowChoices(const std::vector<std::string>& choices) {
  constexpr size_t kColumn = 20;
  constexpr size_t kPerRow = 4;
  std::fputc('\n', stdout);
  for (size_t i = 0; i < choices.size(); ++i) {
    const bool last = i + 1 == choices.size() || (i + 1) % kPerRow == 0;
    std::fputs((last ? choices[i] + "\n" : PadRight(choices[i], kColumn - 1) + " ").c_str(),
               stdout);
  }
  std::fflush(stdout);
}

// The editor fits itself to a new size of the window inside the signal's handler, also in the midst
// of its own work, and that crashes. So the size is taken before each line and not within one.
class WindowKept {
 public:
  WindowKept() {
    sigset_t resize;
    sigemptyset(&resize);
    sigaddset(&resize, SIGWINCH);
    sigprocmask(SIG_BLOCK, &resize, &before_);
  }
  ~WindowKept() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  WindowKept(const WindowKept&) = delete;
  WindowKept& operator=(const WindowKept&) = delete;

 private:
  sigset_t before_{};
};

class EditedInput : public LineInput {
 public:
  explicit EditedInput(Completer completer)
      : completer_(std::move(completer)),
        editor_(el_init("ntpq", stdin, stdout, stderr)),
        history_(history_init()) {
    HistEvent event;
    ::history(history_, &event, H_SETSIZE, kHistoryLines);
    el_set(editor_, EL_PROMPT, Prompt);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_SIGNAL, 1);
    el_set(editor_, EL_HIST, ::history, history_);
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_ADDFN, "ntpq-complete", "complete the word", OnTab);
    el_set(editor_, EL_BIND, "^I", "ntpq-complete", nullptr);
  }
  ~EditedInput() override {
    history_end(history_);
    el_end(editor_);
  }
  EditedInput(const EditedInput&) = delete;
  EditedInput& operator=(const EditedInput&) = delete;

  bool prompts() const override { return true; }
  std::optional<std::string> Next() override {
    std::fflush(stdout);
    const WindowKept kept;
    el_resize(editor_);
    // The editor shows its prompt before it takes the keys from the terminal, which would take a
    // Ctrl-D in between for itself.
    el_set(editor_, EL_PREP_TERM, 1);
    int length = 0;
    const char* line = el_gets(editor_, &length);
    if (line == nullptr || length <= 0) return std::nullopt;
    std::string text = WithoutNewline(std::string(line, static_cast<size_t>(length)));
    if (!text.empty() && !HoldsSecret(text)) {
      HistEvent event;
      ::history(history_, &event, H_ENTER, text.c_str());
    }
    return text;
  }

 private:
  static unsigned char OnTab(EditLine* editor, int) {
    void* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    const LineInfo* line = el_line(editor);
    const auto typed = static_cast<size_t>(line->cursor - line->buffer);
    const Completion completion =
        static_cast<EditedInput*>(self)->completer_(std::string_view(line->buffer, typed));
    if (!completion.insert.empty()) {
      if (el_insertstr(editor, completion.insert.c_str()) != 0) return CC_ERROR;
      return CC_REFRESH;
    }
    if (completion.choices.empty()) return CC_REFRESH_BEEP;
    ShowChoices(completion.choices);
    return CC_REDISPLAY;
  }

  Completer completer_;
  EditLine* editor_;
  History* history_;
};

}  // namespace

std::unique_ptr<LineInput> MakeLineInput(bool interactive, Completer completer) {
  const bool terminal = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
  if (terminal) return std::make_unique<EditedInput>(std::move(completer));
  return std::make_unique<PlainInput>(interactive);
}

}  // namespace ntpward::ntpq
