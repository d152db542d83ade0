// Single lines of ntp.conf as the messages that tell ntpd-net about them. Pure.
//
// The supervisor does this for the lines of its file, ntpd-net for those that come by mode 6.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ntpd/config/config.h"
#include "privsep/base/result.h"
#include "privsep/msg/control.h"

namespace ntpward::settings {

// Why a line cannot be served, and where in it.
struct LineError {
  config::Location where;
  std::string text;
};

// True when it fitted.
template <size_t N>
[[nodiscard]] bool Fits(InlineText<N>* field, std::string_view text) {
  return field->Assign(AsBytes(text));
}
// For texts that are only shown: cut to size.
template <size_t N>
void Show(InlineText<N>* field, std::string_view text) {
  CHECK(field->Assign(AsBytes(text.substr(0, N))));
}
template <size_t N>
std::string TooLong(const InlineText<N>&) {
  return "too long: expected at most " + std::to_string(N) + " octets";
}

// What a line with a name has in place of an address: the name's index in ntpd-resolve.
using NameIndex = std::optional<uint16_t>;

// Whether the line stands for a group or a network and not for one host.
bool IsGroupKind(config::AssociationKind kind);

// `hops`: the hop limits of `ttl` by their index; empty: none is set. `fudge`: of the line's
// reference clock, or null.
Result<msg::NetAssociation, LineError> AssociationOf(const config::Association& line,
                                                     NameIndex name, Bytes hops,
                                                     const config::Fudge* fudge);
// `line.family` of a line for everybody is one family: there is an entry for each.
Result<msg::NetRestriction, LineError> RestrictionOf(const config::Restriction& line,
                                                     NameIndex name);

// The bits of one restrict line as mode 6 numbers them.
uint16_t AccessBits(config::RestrictFlags flags);

// The bits of msg::LogClassBit that a mask leaves on.
uint8_t LogClasses(config::LogMask mask);

// How many clients `mru` lets ntpd-net remember.
uint32_t ClientsOf(const config::MruLimits& mru);

// As NetStart has it: "name=value", with a star before it when it is shown without being asked for.
std::string VariableItem(const config::SystemVariable& variable);

}  // namespace ntpward::settings
