// Autokey's state of an association in an operator's words: what proved the server, by which
// certificates, how old its cookie and key list are, what went wrong last.
//
// Everything comes from the server's variables and is fit for a terminal when it leaves here; what
// it does not tell is said to be unknown. Status bits: RFC 5906 section 10; further variables:
// ntpd/control/variables.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ntpq/json_writer.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {

// The bits of `flags` that must be lit before time is taken from a server, or from a peer, which
// gives a cookie only when both have time.
inline constexpr uint32_t kAutokeyOfServers = 0x1f00;
inline constexpr uint32_t kAutokeyOfPeers = 0x1700;
inline constexpr uint32_t kAutokeyCookie = 0x0800;

// The first step of the dance that `flags` does not show as done, as a clause; empty when all are.
std::string_view MissingStep(uint32_t flags);
// What takes that step's place for a peer whose trail comes back to the host that is asked, as a
// sentence's end; empty for all others.
std::string_view TrailLoop(const Values& variables);
// Of the variable `hmode`: a symmetric mode.
bool IsSymmetric(const Values& variables);
// Whether `variables` (an association's) are of one that uses Autokey.
bool UsesAutokey(const Values& variables);

// One certificate on the way from a server to a trusted root.
struct TrailStep {
  std::string subject;
  std::string issuer;
  std::string until;  // YYYYMMDDhhmm, UTC
};
// The items trail.0, trail.1, … in their order.
std::vector<TrailStep> ReadTrail(const Values& variables);
// What the certificates of `rv 0 cert` (payload as it came) say of the way from `host`: what a
// server that tells no trail may have followed.
std::vector<TrailStep> GuessTrail(std::string_view certificates, std::string_view host);

// What is known of an association.
struct AutokeyState {
  std::string name;  // as the user knows it
  uint16_t id = 0;
  Values variables;
  std::vector<TrailStep> trail;
  bool trail_is_guess = false;
  bool tells_all = false;  // the server knows ntpward's own variables
};

// Several lines of at most 78 columns but for long names; `now_unix_s` is what expiry is counted
// from.
std::string AutokeyText(const AutokeyState& state, int64_t now_unix_s);

// The same as one JSON object; null for what is not told.
void WriteAutokey(JsonWriter& json, const AutokeyState& state);

// "2027-11-21 23:40 UTC" of YYYYMMDDhhmm, and its Unix time; none when it is no date.
struct Minute {
  std::string text;
  int64_t unix_s = 0;
};
std::optional<Minute> ReadMinute(std::string_view digits);

}  // namespace ntpward::ntpq
