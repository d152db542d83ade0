#include "tests/ntpq/json.h"

#include <algorithm>
#include <charconv>

#include "ntpd/wire/variable_values.h"

namespace ntpward::ntpq::test {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  bool Document(Json& value) { return Value(value, 0) && rest_.empty(); }

 private:
  bool Take(std::string_view word) {
    SkipBlanks();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void SkipBlanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  char Next() {
    if (rest_.empty()) return '\0';
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }

  bool Value(Json& value, int depth) {
    const bool parsed = depth < 32 && AnyValue(value, depth);
    SkipBlanks();
    return parsed;
  }
  bool AnyValue(Json& value, int depth) {
    if (Take("null")) return true;
    value.flag = Take("true");
    if (value.flag || Take("false")) {
      value.kind = Json::Kind::kBool;
      return true;
    }
    if (Take("{")) return Object(value, depth);
    if (Take("[")) return Array(value, depth);
    if (Take("\"")) {
      value.kind = Json::Kind::kText;
      return Text(value.text);
    }
    value.kind = Json::Kind::kNumber;
    return Number(value.text);
  }

  bool Object(Json& value, int depth) {
    value.kind = Json::Kind::kObject;
    if (Take("}")) return true;
    do {
      std::string name;
      Json member;
      if (!Take("\"") || !Text(name) || !Take(":") || !Value(member, depth + 1)) return false;
      if (!value.members.emplace(std::move(name), std::move(member)).second) return false;
    } while (Take(","));
    return Take("}");
  }
  bool Array(Json& value, int depth) {
    value.kind = Json::Kind::kArray;
    if (Take("]")) return true;
    do {
      if (!Value(value.items.emplace_back(), depth + 1)) return false;
    } while (Take(","));
    return Take("]");
  }

  // Behind the opening quote.
  bool Text(std::string& text) {
    while (true) {
      const char c = Next();
      if (c == '"') return true;
      if (c < 0x20 || c >= 0x7f) return false;
      if (c != '\\')
        text += c;
      else if (!Escape(text))
        return false;
    }
  }
  bool Escape(std::string& text) {
    const char c = Next();
    if (c == '"' || c == '\\' || c == '/') {
      text += c;
      return true;
    }
    const auto number = wire::DecodeHex(rest_.substr(0, 4));
    if (c != 'u' || rest_.size() < 4 || rest_[1] == 'x' || !number || *number > 0xff) return false;
    text += static_cast<char>(*number);
    rest_.remove_prefix(4);
    return true;
  }

  size_t Digits() {
    size_t count = 0;
    while (count < rest_.size() && IsDigit(rest_[count])) ++count;
    rest_.remove_prefix(count);
    return count;
  }
  bool Number(std::string& text) {
    const std::string_view start = rest_;
    Take("-");
    const bool zero = rest_.starts_with('0');
    const size_t whole = Digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (Take(".") && Digits() == 0) return false;
    if (Take("e") && ((Take("-") || Take("+")), Digits() == 0)) return false;
    text = start.substr(0, start.size() - rest_.size());
    return whole <= 16;
  }

  std::string_view rest_;
};

bool HasType(const Json& value, std::string_view type) {
  switch (value.kind) {
    case Json::Kind::kNull:
      return type == "null";
    case Json::Kind::kBool:
      return type == "boolean";
    case Json::Kind::kNumber:
      return type == "number" ||
             (type == "integer" && value.text.find_first_of(".e") == std::string::npos);
    case Json::Kind::kText:
      return type == "string";
    case Json::Kind::kArray:
      return type == "array";
    case Json::Kind::kObject:
      return type == "object";
  }
  return false;
}

// Of simple values.
bool Same(const Json& a, const Json& b) { return a.kind == b.kind && a.Shown() == b.Shown(); }

bool Contains(const std::vector<Json>& list, const Json& value) {
  return std::any_of(list.begin(), list.end(), [&](const Json& item) { return Same(item, value); });
}

// What the schema says about a value that it does not accept.
std::string Wrong(const std::string& where, const Json& value, const std::string& wanted) {
  return where + ": " + value.Shown() + " is not " + wanted;
}

}  // namespace

std::optional<Json> Json::Parse(std::string_view text) {
  Json value;
  if (!Parser(text).Document(value)) return std::nullopt;
  return value;
}

const Json& Json::At(std::string_view path) const {
  static const Json kNothing;
  const size_t dot = std::min(path.find('.'), path.size());
  const std::string_view name = path.substr(0, dot);
  const std::string_view rest = path.substr(std::min(dot + 1, path.size()));
  const auto member = members.find(std::string(name));
  const Json* found = member == members.end() ? &kNothing : &member->second;
  if (kind == Kind::kArray) {
    const auto index = wire::DecodeUnsigned(name);
    if (index && *index < items.size()) found = &items[static_cast<size_t>(*index)];
  }
  return rest.empty() ? *found : found->At(rest);
}

std::string Json::Shown() const {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return flag ? "true" : "false";
    case Kind::kNumber:
    case Kind::kText:
      return text;
    case Kind::kArray:
      return "[...]";
    case Kind::kObject:
      return "{...}";
  }
  return "";
}

std::string Schema::Check(const Json& schema, const Json& value, const std::string& where) const {
  if (schema.kind == Json::Kind::kBool)
    return schema.flag ? "" : Wrong(where, value, "to be there");
  for (const auto& [keyword, argument] : schema.members) {
    const std::string wrong = CheckKeyword(keyword, argument, schema, value, where);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string Schema::CheckKeyword(const std::string& keyword, const Json& argument,
                                 const Json& schema, const Json& value,
                                 const std::string& where) const {
  if (keyword == "$schema" || keyword == "$id" || keyword == "title" || keyword == "description" ||
      keyword == "$defs")
    return "";
  if (keyword == "$ref") {
    constexpr std::string_view kPlace = "#/$defs/";
    if (!argument.text.starts_with(kPlace)) return where + ": cannot follow " + argument.text;
    const Json& target = root_.At("$defs").At(argument.text.substr(kPlace.size()));
    if (target.kind == Json::Kind::kNull) return where + ": nothing at " + argument.text;
    return Check(target, value, where);
  }
  if (keyword == "type") {
    if (argument.kind == Json::Kind::kText)
      return HasType(value, argument.text) ? "" : Wrong(where, value, argument.text);
    for (const Json& type : argument.items)
      if (HasType(value, type.text)) return "";
    return Wrong(where, value, "of the listed types");
  }
  if (keyword == "const") return Same(value, argument) ? "" : Wrong(where, value, argument.Shown());
  if (keyword == "enum")
    return Contains(argument.items, value) ? "" : Wrong(where, value, "in the list");
  if (keyword == "anyOf") return CheckChoices(argument, value, where);
  if (keyword == "items") {
    for (size_t i = 0; i < value.items.size(); ++i) {
      const std::string wrong =
          Check(argument, value.items[i], where + "[" + std::to_string(i) + "]");
      if (!wrong.empty()) return wrong;
    }
    return "";
  }
  if (keyword == "required") {
    for (const Json& name : argument.items)
      if (!value.members.contains(name.text)) return where + ": has no " + name.text;
    return "";
  }
  if (keyword == "properties" || keyword == "additionalProperties")
    return CheckMembers(schema, value, where);
  return where + ": unknown keyword " + keyword;
}

std::string Schema::CheckMembers(const Json& schema, const Json& value,
                                 const std::string& where) const {
  const Json& known = schema.At("properties");
  const Json& others = schema.At("additionalProperties");
  for (const auto& [name, member] : value.members) {
    const auto found = known.members.find(name);
    const std::string place = where + "." + name;
    std::string wrong;
    if (found != known.members.end())
      wrong = Check(found->second, member, place);
    else if (others.kind != Json::Kind::kNull)
      wrong = Check(others, member, place);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string Schema::CheckChoices(const Json& choices, const Json& value,
                                 const std::string& where) const {
  std::string all;
  for (const Json& choice : choices.items) {
    const std::string wrong = Check(choice, value, where);
    if (wrong.empty()) return "";
    all += "\n  " + wrong;
  }
  return where + ": fits none of the choices:" + all;
}

}  // namespace ntpward::ntpq::test
