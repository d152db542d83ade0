#include "ntpq/autokey.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "ntpd/wire/variable_values.h"
#include "ntpq/json_variables.h"
#include "ntpq/processes.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kLabel = 15;
constexpr size_t kWidth = 78;
constexpr size_t kMostSteps = 16;
constexpr uint64_t kSoon = 30 * 86400;  // seconds before a certificate's end

// A bit, and what to say of it.
struct BitText {
  uint32_t bit;
  std::string_view text;
};

// The steps of a dance in their order: what is missing when the bit is not set.
constexpr BitText kDance[] = {
    {0x0100, "its certificate and the trail to a trusted one have not been verified"},
    {0x0200, "it has not proved that it belongs to the group"},
    {0x0400, "its signature has not been verified"},
    {kAutokeyCookie, "it has not given us a cookie"},
    {0x1000, "its key list is not known"},
    {0x2000, "it has not signed our certificate, which does no harm to time"},
    {0x4000, "it has sent no table of leap seconds, which does no harm to time"},
};

constexpr BitText kSchemes[] = {{0x10, "PC"}, {0x20, "IFF"}, {0x40, "GQ"}, {0x80, "MV"}};

// cryptostats' names, and what they mean to somebody who has to mend it.
struct Cause {
  std::string_view name;
  std::string_view text;
};
constexpr Cause kCauses[] = {
    {"bad_field_format_or_length", "It sent a message that is none: damaged, or forged."},
    {"bad_timestamp",
     "Its message was older than one that we have (a replay), or it has no time of its own yet: "
     "wait "
     "until it is synchronised."},
    {"bad_filestamp",
     "Its keys are of another generation than ours: one side has made new keys, and the other has "
     "old files. Export the group key there again and install it here, if it is of our group."},
    {"bad_or_missing_public_key", "Its certificate has a key that cannot be used here."},
    {"unsupported_digest_type",
     "It signs by a scheme that is not known here: make its certificate anew, with ntp-keygen -c "
     "RSA-SHA256."},
    {"unsupported_identity_type",
     "It and this host do not agree on an identity scheme, or it is of another group: compare "
     "`crypto ident` and the group key files of both."},
    {"bad_signature_length", "Its signature has not the length of its key: damaged, or forged."},
    {"signature_not_verified",
     "A signature was not made by the key in its certificate: it has made new keys, or somebody "
     "speaks in its name."},
    {"certificate_not_verified",
     "A certificate of its trail was not signed by its issuer: the issuer has made new keys since. "
     "Have it sign the certificate again."},
    {"host_certificate_expired",
     "A certificate is not valid any more: renew it there with ntp-keygen -q, and look at the "
     "clocks "
     "of both hosts."},
    {"host_certificate_not_yet_valid",
     "A certificate begins later than now: the clock that it was made by was ahead, or one of both "
     "hosts is wrong. Set the clocks right, and renew it there with ntp-keygen -q."},
    {"bad_or_missing_cookie",
     "Its cookie could not be opened with our host key: our key was made anew in between, or its "
     "answer is damaged. It is asked again."},
    {"bad_or_missing_leapseconds",
     "It has no table of leap seconds, or an expired one. That does no harm to time."},
    {"bad_or_missing_certificate",
     "It sent another certificate than the one that was asked for, or a trail that leads nowhere: "
     "no certificate on the way is trusted (ntp-keygen -T on the trusted host)."},
    {"bad_or_missing_group key",
     "It did not prove that it has the group key that we have: export it there (ntp-keygen -e), "
     "and "
     "install it here."},
    {"protocol_error",
     "It answered that it cannot, or what was not asked: it lacks what that step needs, or has "
     "just "
     "been started."},
    {"crypto_nak",
     "It did not know our cookie any more (crypto-NAK): it was started anew or has rolled its "
     "seed. "
     "Everything was asked again."},
    {"bad_mac",
     "A packet was not made with the cookie that we share: forged, damaged, or the server has "
     "rolled "
     "its seed."},
};

// A label and a text beside it, broken between words.
std::string Entry(std::string_view label, std::string_view text) {
  std::string lines = "  " + PadRight(label, kLabel - 2);
  size_t column = kLabel;
  bool first = true;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!first && column + 1 + word.size() > kWidth) {
      lines += "\n" + std::string(kLabel, ' ');
      column = kLabel;
    } else if (!first) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += word.size();
    first = false;
  }
  return lines + "\n";
}

std::string Offered(uint32_t flags) {
  std::string names;
  for (const BitText& scheme : kSchemes)
    if ((flags & scheme.bit) != 0) names += (names.empty() ? "" : ", ") + std::string(scheme.text);
  return names;
}

// The whole in one line.
std::string State(const AutokeyState& state, uint32_t flags) {
  if (flags == 0 && Find(state.variables, "autokeycause"))
    return "refused, for the cause below; it is asked again at each poll";
  if (flags == 0) return "has not begun: it has not answered, or does not speak Autokey";
  if (const std::string_view loop = TrailLoop(state.variables); !loop.empty())
    return std::string(loop);
  const uint32_t needed = IsSymmetric(state.variables) ? kAutokeyOfPeers : kAutokeyOfServers;
  if ((flags & needed) != needed) return "under way: " + std::string(MissingStep(flags)) + " yet";
  if (const std::string_view missing = MissingStep(flags); !missing.empty())
    return "authenticated; " + std::string(missing);
  return "authenticated";
}

std::string Identity(const AutokeyState& state, uint32_t flags) {
  const std::string identity = TextOf(state.variables, "identity");
  const std::string group = TextOf(state.variables, "ident");
  const std::string of = group.empty() ? "" : " of group " + group;
  const std::string offered = Offered(flags);
  const std::string offers = offered.empty() ? "" : " (the server offers " + offered + ")";
  if (identity == "TC")
    return "TC: the certificate trail alone; no group key proved who it is" + offers;
  if (identity == "PC") return "PC: both have the group's private certificate" + of;
  if (!identity.empty() && identity != "none")
    return identity + ": it proved that it has the group key" + of;
  if (identity.empty() && (flags & 0x0200) != 0)
    return "accepted; this daemon does not tell by which scheme" + offers;
  return "not proved" + of + offers;
}

std::string Signature(const AutokeyState& state, uint32_t flags) {
  const std::string name = TextOf(state.variables, "signature");
  return name.empty() ? "scheme " + std::to_string(flags >> 16) : name;
}

std::string Expiry(const TrailStep& step, int64_t now_unix_s) {
  const auto until = ReadMinute(step.until);
  if (!until) return "until " + (step.until.empty() ? "?" : step.until);
  std::string text = "until " + until->text;
  if (until->unix_s <= now_unix_s) return text + ", EXPIRED";
  const auto left = static_cast<uint64_t>(until->unix_s - now_unix_s);
  return text + (left < kSoon ? ", SOON: in " : ", in ") + Duration(left);
}

std::string TrailText(const AutokeyState& state, uint32_t flags, int64_t now_unix_s) {
  if (state.trail.empty()) {
    if ((flags & 0x10) != 0) return Entry("certificates", "none: scheme PC has no trail");
    return Entry("certificates", state.tells_all ? "none yet" : "this daemon does not tell");
  }
  std::string text;
  for (const TrailStep& step : state.trail) {
    const bool root = step.subject == step.issuer;
    text += Entry(text.empty() ? "certificates" : "",
                  step.subject + (root ? ", trusted root, " : ", signed by " + step.issuer + ", ") +
                      Expiry(step, now_unix_s));
  }
  if (state.trail_is_guess)
    text += Entry("", "(put together from the certificates that this daemon holds)");
  return text;
}

std::string Cookie(const AutokeyState& state, uint32_t flags) {
  if ((flags & kAutokeyCookie) == 0) return "none";
  const auto age = NumberOf(state.variables, "cookieage");
  return age ? Duration(*age) + " old" : "there is one; this daemon does not tell how old it is";
}

// Only broadcast servers and peers have one.
std::string KeyList(const AutokeyState& state) {
  const auto age = NumberOf(state.variables, "keylistage");
  const bool listed = Find(state.variables, "initsequence").has_value();
  if (!age && !listed) return "";
  const std::string sequence = TextOf(state.variables, "initsequence");
  return (age ? "signed " + Duration(*age) + " ago" : "there is one") +
         (sequence.empty() ? "" : ", " + sequence + " keys after the first");
}

std::string Failure(const AutokeyState& state) {
  if (!state.tells_all)
    return Entry("last failure", "this daemon does not tell; see its cryptostats");
  const std::string name = TextOf(state.variables, "autokeyerror");
  if (name.empty()) return Entry("last failure", "none");
  const auto age = NumberOf(state.variables, "autokeyerrorage");
  std::string text =
      Entry("last failure", name + (age ? ", " + Duration(*age) + " ago" : std::string()));
  std::string cause = TextOf(state.variables, "autokeycause");
  if (!cause.empty()) return text + Entry("", cause + ".");
  for (const Cause& known : kCauses)
    if (known.name == name) text += Entry("", known.text);
  return text;
}

}  // namespace

std::string_view MissingStep(uint32_t flags) {
  for (const BitText& step : kDance)
    if ((flags & step.bit) == 0) return step.text;
  return "";
}

std::string_view TrailLoop(const Values& variables) {
  if (NumberOf(variables, "trailloop").value_or(0) == 0) return "";
  return "shows no trail but one that comes back to this host: it may follow us, and its time is "
         "not taken before another host signs it";
}

bool IsSymmetric(const Values& variables) {
  const auto mode = Find(variables, "hmode").value_or("");
  return mode == "1" || mode == "2";
}

// A session key is larger than any symmetric one.
bool UsesAutokey(const Values& variables) {
  return NumberOf(variables, "flags").value_or(0) != 0 ||
         NumberOf(variables, "keyid").value_or(0) > 0xffff;
}

std::vector<TrailStep> ReadTrail(const Values& variables) {
  std::vector<TrailStep> trail;
  for (size_t i = 0; i < kMostSteps; ++i) {
    const auto item = Find(variables, "trail." + std::to_string(i));
    if (!item) break;
    const size_t first = item->find(' ');
    const size_t last = item->rfind(' ');
    if (first == std::string_view::npos || first == last) break;
    trail.push_back({Printable(item->substr(0, first)),
                     Printable(item->substr(first + 1, last - first - 1)),
                     Printable(item->substr(last + 1))});
  }
  return trail;
}

// Each is followed by its end: cert="SUBJECT ISSUER 0xFLAGS", until=YYYYMMDDhhmm.
std::vector<TrailStep> GuessTrail(std::string_view certificates, std::string_view host) {
  std::vector<TrailStep> known;
  for (const NamedValue& value : ReadValues(certificates)) {
    const size_t blank = value.value.find(' ');
    if (value.name == "cert" && blank != std::string::npos) {
      const size_t end = value.value.find(' ', blank + 1);
      known.push_back({Printable(value.value.substr(0, blank)),
                       Printable(value.value.substr(blank + 1, end - blank - 1)), ""});
    } else if (value.name == "until" && !known.empty()) {
      known.back().until = Printable(value.value);
    }
  }
  std::vector<TrailStep> trail;
  std::string wanted = Printable(host);
  while (!wanted.empty() && trail.size() < kMostSteps) {
    const auto step = std::find_if(known.begin(), known.end(),
                                   [&](const TrailStep& one) { return one.subject == wanted; });
    if (step == known.end()) return trail;
    trail.push_back(*step);
    if (step->issuer == wanted) return trail;
    wanted = step->issuer;
  }
  return trail;
}

std::optional<Minute> ReadMinute(std::string_view digits) {
  const auto number = wire::DecodeUnsigned(digits);
  if (digits.size() != 12 || !number) return std::nullopt;
  using namespace std::chrono;
  const auto part = [&](uint64_t divisor, uint64_t modulus) {
    return static_cast<unsigned>(*number / divisor % modulus);
  };
  const year_month_day date(year(static_cast<int>(part(100000000, 10000))),
                            month(part(1000000, 100)), day(part(10000, 100)));
  const unsigned hour = part(100, 100);
  const unsigned minute = part(1, 100);
  if (!date.ok() || hour > 23 || minute > 59) return std::nullopt;
  const auto days = sys_days(date).time_since_epoch().count();
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02u:%02u UTC", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), hour,
                minute);
  return Minute{text, int64_t{days} * 86400 + hour * 3600 + minute * 60};
}

std::string AutokeyText(const AutokeyState& state, int64_t now_unix_s) {
  const auto flags = static_cast<uint32_t>(NumberOf(state.variables, "flags").value_or(0));
  const std::string host = TextOf(state.variables, "host");
  std::string text = Printable(state.name) + ", association " + std::to_string(state.id) +
                     (host.empty() ? "" : ", calls itself " + host) + "\n";
  text += Entry("state", State(state, flags));
  if (flags != 0) {
    text += Entry("identity", Identity(state, flags));
    text += Entry("signatures", Signature(state, flags));
    text += TrailText(state, flags, now_unix_s);
    text += Entry("cookie", Cookie(state, flags));
  }
  if (const std::string list = KeyList(state); !list.empty()) text += Entry("key list", list);
  return text + Failure(state);
}

void WriteAutokey(JsonWriter& json, const AutokeyState& state) {
  const Values& variables = state.variables;
  const auto text = [&](std::string_view name, std::string_view variable) {
    const auto value = Find(variables, variable);
    json.Key(name).OptionalText(value ? std::optional(std::string(*value)) : std::nullopt);
  };
  const auto number = [&](std::string_view name, std::string_view variable) {
    const auto value = NumberOf(variables, variable);
    json.Key(name);
    value ? json.Unsigned(*value) : json.Null();
  };
  const auto flags = static_cast<uint32_t>(NumberOf(variables, "flags").value_or(0));
  const uint32_t needed = IsSymmetric(variables) ? kAutokeyOfPeers : kAutokeyOfServers;
  json.BeginObject();
  json.Key("assid").Unsigned(state.id);
  json.Key("name").Text(state.name);
  text("host", "host");
  json.Key("flags").Unsigned(flags);
  json.Key("authenticated").Bool((flags & needed) == needed);
  json.Key("missing");
  const std::string_view missing = MissingStep(flags);
  missing.empty() ? json.Null() : json.Text(missing);
  text("identity", "identity");
  text("group", "ident");
  text("signature", "signature");
  json.Key("trail");
  json.BeginArray();
  for (const TrailStep& step : state.trail) {
    json.BeginObject();
    json.Key("subject").Text(step.subject);
    json.Key("issuer").Text(step.issuer);
    json.Key("not_after");
    WriteValue(json, "expire", step.until, {});
    json.EndObject();
  }
  json.EndArray();
  json.Key("trail_loops").Bool(!TrailLoop(variables).empty());
  json.Key("trail_is_guess").Bool(state.trail_is_guess);
  number("cookie_age_s", "cookieage");
  number("key_list_age_s", "keylistage");
  text("last_failure", "autokeyerror");
  number("last_failure_age_s", "autokeyerrorage");
  text("last_failure_cause", "autokeycause");
  json.EndObject();
}

}  // namespace ntpward::ntpq
