#include "ntpq/document.h"

#include <array>

#include "ntpq/json_values.h"
#include "ntpq/text.h"
#include "privsep/base/result.h"

namespace ntpward::ntpq {
namespace {

constexpr std::array<std::string_view, 12> kKinds = {
    "usage",    "host",      "credentials", "refused",     "timeout", "incomplete",
    "too_much", "malformed", "transport",   "interrupted", "file",    "unavailable"};

// Names of RFC 9327 section 3's error codes as our documents spell them.
constexpr std::array<std::string_view, 8> kRefusals = {
    "unspecified",     "permission",       "bad_format", "bad_operation",
    "bad_association", "unknown_variable", "bad_value",  "restricted"};

std::string_view RefusalName(wire::ControlError code) {
  const auto index = static_cast<size_t>(code);
  return index < kRefusals.size() ? kRefusals[index] : "unknown";
}

// Without what is there for the eye: "***", line ends and carriage returns.
std::string_view Bare(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  if (text.starts_with("***")) text.remove_prefix(3);
  return text;
}

}  // namespace

std::span<const std::string_view> ErrorKindNames() { return kKinds; }

JsonWriter& Document::Result(const DocumentHead& head) {
  CHECK(!has_result_);
  has_result_ = true;
  WriteHead(head);
  return json_.Key("result");
}

void Document::Fail(ErrorKind kind, std::string_view text, std::optional<wire::ControlError> code) {
  if (failed())
    Warn(text);
  else
    error_ = FailureToTell{kind, std::string(Bare(text)), code};
}

void Document::Warn(std::string_view text) {
  // A hostile server's damage is told as often as a terminal user would read it.
  constexpr size_t kMaxWarnings = 100;
  if (warnings_.size() < kMaxWarnings) warnings_.emplace_back(Bare(text));
}

void Document::Finish(const DocumentHead& head) {
  if (!has_result_) {
    Result(head);
    WriteText();
  }
  json_.Key("error");
  WriteError();
  json_.Key("warnings");
  json_.BeginArray();
  for (const std::string& warning : warnings_) json_.Text(warning);
  json_.EndArray();
  json_.EndObject();
  json_.EndLine();
}

void Document::WriteHead(const DocumentHead& head) {
  json_.BeginObject();
  json_.Key("command").Text(command_);
  json_.Key("host").OptionalText(head.host);
  json_.Key("address").OptionalText(head.address);
  json_.Key("time").Text(UnixTimeText(head.time));
}

void Document::WriteError() {
  if (!error_) return json_.Null();
  json_.BeginObject();
  json_.Key("kind").Text(kKinds[static_cast<size_t>(error_->kind)]);
  json_.Key("text").Text(error_->text);
  if (error_->code) {
    json_.Key("code");
    WriteCode(json_, static_cast<unsigned>(*error_->code), RefusalName(*error_->code));
  }
  json_.EndObject();
}

void Document::WriteText() {
  if (text_.empty()) return json_.Null();
  json_.BeginObject();
  json_.Key("text").Text(text_);
  json_.EndObject();
}

}  // namespace ntpward::ntpq
