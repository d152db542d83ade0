#include "ntpq/line_input.h"

#include <histedit.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

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

class EditedInput : public LineInput {
 public:
  EditedInput() : editor_(el_init("ntpq", stdin, stdout, stderr)), history_(history_init()) {
    HistEvent event;
    ::history(history_, &event, H_SETSIZE, kHistoryLines);
    el_set(editor_, EL_PROMPT, Prompt);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_SIGNAL, 1);
    el_set(editor_, EL_HIST, ::history, history_);
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
    int length = 0;
    const char* line = el_gets(editor_, &length);
    if (line == nullptr || length <= 0) return std::nullopt;
    std::string text = WithoutNewline(std::string(line, static_cast<size_t>(length)));
    // A password is not kept.
    if (!text.empty() && !text.starts_with("passwd")) {
      HistEvent event;
      ::history(history_, &event, H_ENTER, text.c_str());
    }
    return text;
  }

 private:
  EditLine* editor_;
  History* history_;
};

}  // namespace

std::unique_ptr<LineInput> MakeLineInput(bool interactive) {
  const bool terminal = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
  if (terminal) return std::make_unique<EditedInput>();
  return std::make_unique<PlainInput>(interactive);
}

}  // namespace ntpward::ntpq
