// Where the commands of an interactive session come from: a line editor, or plain standard input.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ntpq/completion.h"

namespace ntpward::ntpq {

class LineInput {
 public:
  virtual ~LineInput() = default;
  // The next line without its end, at most 512 characters of it; none at the end of input.
  virtual std::optional<std::string> Next() = 0;
  // Whether a prompt is shown: the user sees what was typed.
  virtual bool prompts() const = 0;
};

// What TAB adds after a text.
using Completer = std::function<Completion(std::string_view)>;

// Editing with history and completion when standard input and standard error are terminals; a
// prompt then, or when `interactive`. Opens what the editor needs.
std::unique_ptr<LineInput> MakeLineInput(bool interactive, Completer completer);

}  // namespace ntpward::ntpq
