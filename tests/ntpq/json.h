// JSON read strictly, and held against a JSON Schema: what checks the documents of `ntpq --json`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ntpward::ntpq::test {

// One value. Numbers keep their text.
struct Json {
  enum class Kind { kNull, kBool, kNumber, kText, kArray, kObject };
  Kind kind = Kind::kNull;
  bool flag = false;
  std::string text;  // of a number; of a string its octets, one for each character
  std::vector<Json> items;
  std::map<std::string, Json> members;

  // The whole of `text` as RFC 8259 has it; nothing outside printable ASCII, no name twice in an
  // object, no number that a double would not hold exactly, no character beyond U+00FF.
  static std::optional<Json> Parse(std::string_view text);
  // A member, or a null when there is none. "result.peers" goes two objects down, "a.0" into an
  // array.
  const Json& At(std::string_view path) const;
  // Of a string or a number its text; "true", "false", "null"; "[...]" and "{...}" otherwise.
  std::string Shown() const;
};

// A JSON Schema (2020-12) of the keywords that docs/ntpq-json.schema.json uses. Any other is an
// error.
class Schema {
 public:
  explicit Schema(Json root) : root_(std::move(root)) {}
  const Json& root() const { return root_; }
  // Empty, or what is wrong and where.
  std::string Validate(const Json& value) const { return Check(root_, value, "$"); }

 private:
  std::string Check(const Json& schema, const Json& value, const std::string& where) const;
  std::string CheckKeyword(const std::string& keyword, const Json& argument, const Json& schema,
                           const Json& value, const std::string& where) const;
  std::string CheckMembers(const Json& schema, const Json& value, const std::string& where) const;
  std::string CheckChoices(const Json& choices, const Json& value, const std::string& where) const;

  Json root_;
};

}  // namespace ntpward::ntpq::test
