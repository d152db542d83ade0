// One JSON document: what became of one command at one host. docs/ntpq-json.md describes it.
#pragma once

#include <time.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/wire/control_message.h"
#include "ntpq/json_writer.h"

namespace ntpward::ntpq {

// Why a command failed, or is incomplete.
enum class ErrorKind : uint8_t {
  kUsage,        // not a command, or its arguments are wrong
  kHost,         // no such host, or none was chosen
  kCredentials,  // no usable key or password
  kRefused,      // the server reports an error
  kTimeout,      // no answer in time
  kIncomplete,   // parts of an answer in time
  kTooMuch,      // more than is taken
  kAnswer,       // the answer makes no sense
  kTransport,    // the kernel refused
  kInterrupted,  // the user does not want it any more
  kFile,         // a file cannot be read
  kUnavailable,  // the command does nothing, or not here
};

// Who was asked; written before the result.
struct DocumentHead {
  std::optional<std::string> host;     // as the user knows it
  std::optional<std::string> address;  // that was asked
  timespec time{};                     // Unix time
};

class Document {
 public:
  Document(std::string command, JsonWriter::Sink sink)
      : command_(std::move(command)), json_(std::move(sink)) {}

  const std::string& command() const { return command_; }
  // The result, which the caller writes as one JSON value. Asked for once at most.
  JsonWriter& Result(const DocumentHead& head);
  // Text that a command printed instead of a result.
  void AddText(std::string_view text) { text_ += text; }
  // The first error is the document's, the others become warnings. `text` as it would go to
  // standard error: marks and line ends are taken off.
  void Fail(ErrorKind kind, std::string_view text,
            std::optional<wire::ControlError> code = std::nullopt);
  void Warn(std::string_view text);
  bool failed() const { return error_.has_value(); }
  // Writes what is missing, and the line end.
  void Finish(const DocumentHead& head);

 private:
  struct FailureToTell {
    ErrorKind kind;
    std::string text;
    std::optional<wire::ControlError> code;
  };
  void WriteHead(const DocumentHead& head);
  void WriteError();
  void WriteText();

  std::string command_;
  JsonWriter json_;
  bool has_result_ = false;
  std::string text_;
  std::optional<FailureToTell> error_;
  std::vector<std::string> warnings_;
};

// The words of "kind" in a document's error, by number.
std::span<const std::string_view> ErrorKindNames();

}  // namespace ntpward::ntpq
