// The text of mode 6: lists of `name=value`, written for clients and read from servers.
//
// RFC 1305 appendix B, RFC 9327 section 4; line width and quoting as ntpd 4.2.8 does, since scripts
// match its text. There is no escape mechanism, so the writer replaces what would need one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ntpd/wire/control_message.h"
#include "privsep/base/bytes.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::wire {

// Collects items; each separator is a comma and then a blank, or CR LF where the line would reach
// 72 columns. An item that would push the text past the limit is left out whole.
class VariableListWriter {
 public:
  // `limit` octets; without it, what every client puts together (kMaxControlPayload).
  explicit VariableListWriter(size_t limit = kMaxControlPayload);

  // `name=value`; in `value` every octet that is no printable ASCII becomes '?'.
  void Add(std::string_view name, std::string_view value);
  // `name="value"`; a double quote in `value` becomes '?' as well.
  void AddQuoted(std::string_view name, std::string_view value);
  void AddUnsigned(std::string_view name, uint64_t value);
  void AddSigned(std::string_view name, int64_t value);
  // `name=0x1f`: lower case, no leading zeros.
  void AddHex(std::string_view name, uint64_t value);
  // Fixed point with `digits` decimals and no plus sign; not a finite number: 0. The caller has
  // scaled the value (milliseconds and ppm are the units on the wire).
  void AddFixed(std::string_view name, double value, int digits);
  // `name=0x%08x.%08x`.
  void AddTimestamp(std::string_view name, NtpTimestamp value);
  // A blank and two decimals for each value: the filter registers, milliseconds, newest first.
  void AddSeries(std::string_view name, std::span<const double> values);

  bool empty() const { return text_.empty(); }
  // Ends the list with CR LF (an empty list stays empty). Nothing may be added afterwards.
  void Finish();
  // What was written, and the offsets at which a fragment may end; see BuildControlReply.
  const std::string& text() const { return text_; }
  const std::vector<size_t>& cuts() const { return cuts_; }
  // The offsets, which are gone from here then.
  std::vector<size_t> TakeCuts() { return std::move(cuts_); }

 private:
  // `text` is printable.
  void AddPlain(std::string_view name, std::string_view text);
  // Appends `name=` to the text, where the value follows.
  void BeginItem(std::string_view name);
  void AppendPrintable(std::string_view value);
  void AppendHex(uint32_t value);
  // Puts the separator before the item, or takes the item back when it does not fit.
  void EndItem();

  size_t limit_;
  std::string text_;
  size_t item_ = 0;  // where the last item begins
  std::vector<size_t> cuts_;
  size_t line_ = 0;  // columns of the current line
};

// Longest name and value that a reader passes on; longer ones are an error of that item.
struct VariableLimits {
  size_t name = 255;
  size_t value = 2047;
};

// One item; the views point into the text. `value` is none for a bare name. Quotes are kept: see
// Unquoted().
struct Variable {
  std::string_view name;
  std::optional<std::string_view> value;
};

enum class VariableReject : uint8_t {
  kNameTooLong,     // nothing can be read after it
  kValueTooLong,    // that item is skipped, the next can be read
  kNoClosingQuote,  // nothing can be read after it
};

// Takes a list apart. The text may hold any octet and is not owned.
class VariableListReader {
 public:
  explicit VariableListReader(std::string_view text, VariableLimits limits = {})
      : rest_(text), limits_(limits) {}

  // The next item, or none at the end. Names end at a comma, an equals sign or a line end; values
  // at a comma or line end outside double quotes. Blanks around both are stripped.
  Result<std::optional<Variable>, VariableReject> Next();
  // What has not been read.
  std::string_view rest() const { return rest_; }

 private:
  Result<std::string_view, VariableReject> TakeValue();

  std::string_view rest_;
  VariableLimits limits_;
};

// The value without its enclosing double quotes, if it has both.
std::string_view Unquoted(std::string_view value);

}  // namespace ntpward::wire
