// What kind of value each variable of mode 6 has.
//
// Names and formats as ntpd 4.2.6 and 4.2.8 and ntpward send them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ntpward::ntpq {

enum class ValueForm : uint8_t {
  kText,       // anything, and what is not in the table
  kNumber,     // decimal
  kBits,       // a number, decimal or hexadecimal after 0x
  kLeap,       // 0..3
  kMode,       // an association mode
  kFlash,      // bits with names
  kTimestamp,  // 0x%08x.%08x
  kMinute,     // YYYYMMDDhhmm, UTC
  kSeries,     // up to eight decimals between blanks
  kTexts,      // text that one answer may hold several times
  kMinutes,    // so may this
};

struct NamedForm {
  std::string_view name;
  ValueForm form;
};

// All that are not kText, sorted by name.
std::span<const NamedForm> KnownForms();
// kText for a name that is not known.
ValueForm FormOf(std::string_view name);
// The word in docs/ntpq-json.schema.json for values of a form.
std::string_view FormName(ValueForm form);

}  // namespace ntpward::ntpq
