#include "ntpq/json_variables.h"

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ntpd/wire/status_word.h"
#include "ntpd/wire/variable_list.h"
#include "ntpd/wire/variable_values.h"
#include "ntpq/cook.h"
#include "ntpq/json_values.h"
#include "ntpq/variable_forms.h"

namespace ntpward::ntpq {
namespace {

using Warn = std::function<void(std::string_view)>;

// All values of one name, in the order in which they came; views into the answer.
struct Member {
  std::string_view name;
  std::vector<std::optional<std::string_view>> values;
};

bool MayRepeat(std::string_view name) {
  const ValueForm form = FormOf(name);
  return form == ValueForm::kTexts || form == ValueForm::kMinutes;
}

// JSON's names differ, a server's need not.
std::vector<Member> Collect(std::string_view text, const Warn& warn) {
  std::vector<Member> members;
  std::unordered_map<std::string_view, size_t> places;
  wire::VariableListReader reader(text);
  while (true) {
    const auto next = reader.Next();
    if (!next.ok()) {
      warn(DamageText(next.error()));
      if (next.error() != wire::VariableReject::kValueTooLong) return members;
      continue;
    }
    if (!next->has_value()) return members;
    const wire::Variable& variable = **next;
    const auto [place, added] = places.try_emplace(variable.name, members.size());
    if (added) members.push_back({variable.name, {}});
    Member& member = members[place->second];
    if (added || MayRepeat(variable.name))
      member.values.push_back(variable.value);
    else
      warn("variable " + std::string(variable.name) + " came more than once");
  }
}

bool WriteFlashText(JsonWriter& json, std::string_view value) {
  const auto flash = wire::DecodeNumber(value);
  if (!flash || *flash > 0xffff) return false;
  WriteFlash(json, static_cast<uint16_t>(*flash));
  return true;
}

bool WriteNamedCode(JsonWriter& json, ValueForm form, std::string_view value) {
  const auto code = wire::DecodeUnsigned(value);
  if (!code || *code > 255 || (form == ValueForm::kLeap && *code > 3)) return false;
  if (form == ValueForm::kLeap)
    WriteCode(json, *code, wire::LeapName(static_cast<uint8_t>(*code)));
  else
    WriteCode(json, *code, ModeName(*code));
  return true;
}

// "202611212349"; what has no date, "0", is no time.
bool WriteMinute(JsonWriter& json, std::string_view value) {
  constexpr size_t kDigits = 12;
  if (!wire::DecodeUnsigned(value) || (value.size() != kDigits && value != "0")) return false;
  json.BeginObject();
  json.Key("minute").Text(value);
  json.Key("time");
  if (value.size() == kDigits) {
    const auto part = [&](size_t at, size_t count) { return std::string(value.substr(at, count)); };
    json.Text(part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + "T" + part(8, 2) + ":" +
              part(10, 2) + ":00Z");
  } else {
    json.Null();
  }
  json.EndObject();
  return true;
}

// The numbers with their own digits.
bool WriteSeries(JsonWriter& json, std::string_view value) {
  if (!wire::DecodeSeries(value)) return false;
  json.BeginArray();
  while (!value.empty()) {
    const size_t end = std::min(value.find(' '), value.size());
    if (end > 0) json.NumberText(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  json.EndArray();
  return true;
}

bool WriteTimestamp(JsonWriter& json, std::string_view value, const timespec& now) {
  const auto time = wire::DecodeTimestamp(value);
  if (time) WriteTime(json, *time, now);
  return time.has_value();
}

bool WriteBits(JsonWriter& json, std::string_view value) {
  const auto bits = wire::DecodeNumber(value);
  const bool exact = bits && *bits <= JsonWriter::kMaxExact;
  if (exact) json.Unsigned(*bits);
  return exact;
}

// False, and nothing written, when the value has not the form.
bool WriteForm(JsonWriter& json, ValueForm form, std::string_view value, const timespec& now) {
  switch (form) {
    case ValueForm::kText:
    case ValueForm::kTexts:
      return false;
    case ValueForm::kNumber:
      json.NumberText(value);
      return true;
    case ValueForm::kBits:
      return WriteBits(json, value);
    case ValueForm::kLeap:
    case ValueForm::kMode:
      return WriteNamedCode(json, form, value);
    case ValueForm::kFlash:
      return WriteFlashText(json, value);
    case ValueForm::kTimestamp:
      return WriteTimestamp(json, value, now);
    case ValueForm::kMinute:
    case ValueForm::kMinutes:
      return WriteMinute(json, value);
    case ValueForm::kSeries:
      return WriteSeries(json, value);
  }
  return false;
}

void WriteOptionalValue(JsonWriter& json, std::string_view name,
                        const std::optional<std::string_view>& value, const VariableStyle& style) {
  if (value)
    WriteValue(json, name, *value, style);
  else
    json.Null();
}

}  // namespace

void WriteVariables(JsonWriter& json, std::string_view text, const VariableStyle& style,
                    const Warn& warn) {
  json.BeginObject();
  for (const Member& member : Collect(text, warn)) {
    json.Key(member.name);
    const bool list = MayRepeat(member.name);
    if (list) json.BeginArray();
    for (const auto& value : member.values) WriteOptionalValue(json, member.name, value, style);
    if (list) json.EndArray();
  }
  json.EndObject();
}

void WriteValue(JsonWriter& json, std::string_view name, std::string_view value,
                const VariableStyle& style) {
  if (style.raw) return json.Text(value);
  value = wire::Unquoted(value);
  if (!WriteForm(json, FormOf(name), value, style.now)) json.Text(value);
}

}  // namespace ntpward::ntpq
