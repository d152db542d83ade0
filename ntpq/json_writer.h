// JSON (RFC 8259) written piece by piece, in one line of ASCII.
//
// Text may hold any octet: each becomes the character of the same number (ISO 8859-1), and all but
// printable ASCII is escaped. So whatever a server sends, the output is valid UTF-8, is safe on a
// terminal, and gives the octets back.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ntpward::ntpq {

class JsonWriter {
 public:
  // Takes the text in pieces, so that a list of a million rows need not be held in memory.
  using Sink = std::function<void(std::string_view)>;
  // Up to here every reader holds integers exactly.
  static constexpr uint64_t kMaxExact = uint64_t{1} << 53;
  explicit JsonWriter(Sink sink) : sink_(std::move(sink)) {}

  void BeginObject() { Begin('{'); }
  void EndObject() { End('}'); }
  void BeginArray() { Begin('['); }
  void EndArray() { End(']'); }
  // The name of the member whose value follows. Names of one object must differ.
  JsonWriter& Key(std::string_view name);

  void Text(std::string_view octets);
  // Null without a value.
  void OptionalText(const std::optional<std::string>& octets);
  void Bool(bool value) { Scalar(value ? "true" : "false"); }
  void Null() { Scalar("null"); }
  // Null beyond kMaxExact: no true count comes near.
  void Unsigned(uint64_t value);
  void Signed(int64_t value);
  // The shortest text that reads back as the same double; null when it is not finite.
  void Real(double value);
  // Text that says a number: as number, with the very same digits, when it is one by JSON's grammar
  // and no reader has to round it; else as string.
  void NumberText(std::string_view text);

  // Ends a document: every bracket has been closed (CHECKed). Hands over what is left.
  void EndLine();

 private:
  void Begin(char bracket);
  void End(char bracket);
  void Scalar(std::string_view text);
  void Quote(std::string_view octets);
  void Separate();

  Sink sink_;
  std::string text_;
  size_t depth_ = 0;
  bool comma_ = false;  // a value stands before what comes next
};

}  // namespace ntpward::ntpq
