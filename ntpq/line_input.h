// Where the commands of an interactive session come from: a line editor, or plain standard input.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace ntpward::ntpq {

class LineInput {
 public:
  virtual ~LineInput() = default;
  // The next line without its end, at most 512 characters of it; none at the end of input.
  virtual std::optional<std::string> Next() = 0;
  // Whether a prompt is shown: the user sees what was typed.
  virtual bool prompts() const = 0;
};

// Editing with history when standard input and standard error are terminals; a prompt then, or
// when `interactive`. Opens what the editor needs.
std::unique_ptr<LineInput> MakeLineInput(bool interactive);

}  // namespace ntpward::ntpq
