// One variable made readable: times as dates, masks as words, addresses as names.
//
// The variable comes from the server; the text that leaves here is safe for a terminal. Which names
// are cooked, and how, is as ntpq 4.2.8 does.
#pragma once

#include <time.h>

#include <string>
#include <string_view>

#include "ntpd/wire/variable_list.h"
#include "ntpq/names.h"
#include "privsep/base/types.h"

namespace ntpward::ntpq {

enum class RefidStyle : uint8_t { kIpv4, kHash };

// How values are shown. `names` may be null: addresses stay numeric.
struct Display {
  NameService* names = nullptr;
  bool signs = false;  // '+' before positive offsets and frequencies
  RefidStyle refid = RefidStyle::kIpv4;
  timespec now{};  // Unix time; decides the era of timestamps: they lie within 68 years of it
};

// Whose variables they are: a clock's reference identifier is text even when it is sent as address.
enum class Scope : uint8_t { kSystem, kPeer, kClock };

// "name=value"; a value that is not what its name promises is shown as it came, with a '?'.
std::string CookVariable(const wire::Variable& variable, Scope scope, const Display& display);
// The value alone.
std::string CookValue(std::string_view name, std::string_view value, Scope scope,
                      const Display& display);

// What is said about a list that cannot be read on.
std::string DamageText(wire::VariableReject reject);

// "eeacac82.601ea377  Sat, Nov 21 2026 23:49:22.375" in the local time zone; "(no time)" for 0.
std::string PrettyTime(NtpTimestamp time, const timespec& now);
// A name unless display.names is null; reference clocks by driver.
std::string AddressName(const IpAddress& address, const Display& display);
// Fixed point; '+' in front when `sign` and it is not negative.
std::string FixedText(double value, int decimals, bool sign);

}  // namespace ntpward::ntpq
