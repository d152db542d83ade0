#include <algorithm>
#include <array>

#include "ntpd/control/variable_table.h"
#include "ntpd/control/variables.h"
#include "ntpd/wire/refid.h"

namespace ntpward::control {
namespace {

using Name = std::string_view;
using Out = wire::VariableListWriter;
using View = PeerView;
using Entry = VariableEntry<PeerView>;

std::string VariableNames();

void AddFilter(Out& out, Name name, const std::array<double, 8>& seconds) {
  std::array<double, 8> milliseconds;
  for (size_t i = 0; i < seconds.size(); ++i) milliseconds[i] = seconds[i] * 1e3;
  out.AddSeries(name, milliseconds);
}

// A reference clock's identifier is a name whatever its stratum.
void WriteRefid(Name name, const View& view, Out& out) {
  out.Add(name, wire::RefidText(view.refid, view.is_refclock ? uint8_t{0} : view.stratum));
}

// Autokey's session keys are told from symmetric ones by how they are written.
void WriteKeyId(Name name, const View& view, Out& out) {
  if (view.key.is_autokey())
    out.AddHex(name, view.key.value);
  else
    out.AddUnsigned(name, view.key.value);
}

void WriteKeyList(Name name, const View& view, Out& out) {
  if (!view.autokey || !view.autokey->key_list) return;
  out.AddSigned(name, view.autokey->key_list->sequence);
  out.AddHex("initkey", view.autokey->key_list->key.value);
  out.Add("timestamp", MinuteText(UnixSeconds(view.autokey->key_list->timestamp)));
}

std::string_view IdentityName(Identity identity) {
  switch (identity) {
    case Identity::kTrusted:
      return "TC";
    case Identity::kPrivate:
      return "PC";
    case Identity::kIff:
      return "IFF";
    case Identity::kGq:
      return "GQ";
    case Identity::kMv:
      return "MV";
    case Identity::kNone:
      break;
  }
  return "none";
}

void WriteIdentity(Name name, const View& view, Out& out) {
  out.AddQuoted(name, IdentityName(view.autokey ? view.autokey->identity : Identity::kNone));
}

// Names hold no blank.
void WriteTrail(Name name, const View& view, Out& out) {
  if (!view.autokey) return;
  const auto& trail = view.autokey->trail;
  for (size_t i = 0; i < trail.size(); ++i)
    out.AddQuoted(
        std::string(name) + '.' + std::to_string(i),
        trail[i].subject + ' ' + trail[i].issuer + ' ' + MinuteText(trail[i].not_after_unix_s));
  if (view.autokey->trail_loops) out.AddUnsigned("trailloop", 1);
}

// The writer has no escape for a double quote.
std::string WithSingleQuotes(std::string text) {
  std::replace(text.begin(), text.end(), '"', '\'');
  return text;
}

void WriteFailure(Name name, const View& view, Out& out) {
  if (!view.autokey || !view.autokey->failure) return;
  const PeerAutokeyView::Failure& failure = *view.autokey->failure;
  out.AddQuoted(name, failure.name);
  out.AddUnsigned("autokeyerrorage", failure.age_s);
  if (!failure.cause.empty()) out.AddQuoted("autokeycause", WithSingleQuotes(failure.cause));
}

// What the reference shows as `org` is the number that a symmetric peer's next packet must carry:
// whoever knows it can forge one (CVE-2015-8139). The name stays, the number does not.
void WriteOrigin(Name name, const View&, Out& out) { out.AddTimestamp(name, NtpTimestamp()); }

void WriteNothing(Name, const View&, Out&) {}

// The order is part of the protocol: named variables are answered in it.
constexpr Entry kTable[] = {
    {"config", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.status.configured); }},
    {"authenable", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.status.auth_enabled); }},
    {"authentic", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.status.authentic); }},
    {"srcadr",
     [](Name n, const View& v, Out& o) {
       o.Add(n, v.remote.ip.is_none() ? "0.0.0.0" : v.remote.ip.ToString());
     }},
    {"srcport", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.remote.port); }},
    {"dstadr",
     [](Name n, const View& v, Out& o) {
       o.Add(n, v.local.ip.is_none() ? "0.0.0.0" : v.local.ip.ToString());
     }},
    {"dstport", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.local.port); }},
    {"leap", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, static_cast<uint8_t>(v.leap)); }},
    {"hmode",
     [](Name n, const View& v, Out& o) { o.AddUnsigned(n, static_cast<uint8_t>(v.host_mode)); }},
    {"stratum", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.stratum); }},
    {"ppoll", [](Name n, const View& v, Out& o) { o.AddSigned(n, v.peer_poll); }},
    {"hpoll", [](Name n, const View& v, Out& o) { o.AddSigned(n, v.host_poll); }},
    {"precision", [](Name n, const View& v, Out& o) { o.AddSigned(n, v.precision); }},
    {"rootdelay", [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.root_delay_s); }},
    {"rootdisp", [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.root_dispersion_s); }},
    {"refid", WriteRefid},
    {"reftime", [](Name n, const View& v, Out& o) { o.AddTimestamp(n, v.reference); }},
    {"org", WriteOrigin},
    {"rec", [](Name n, const View& v, Out& o) { o.AddTimestamp(n, v.received_at); }},
    {"xleave",
     [](Name n, const View& v, Out& o) {
       if (v.interleave_delay_s != 0) AddMilliseconds(o, n, v.interleave_delay_s);
     }},
    {"reach", [](Name n, const View& v, Out& o) { o.AddHex(n, v.reach); }},
    {"unreach", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.unreach); }},
    {"timer", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.next_poll_s); }},
    {"delay", [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.delay_s); }},
    {"offset", [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.offset_s); }},
    {"jitter", [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.jitter_s); }},
    {"dispersion", [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.dispersion_s); }},
    {"keyid", WriteKeyId},
    {"filtdelay", [](Name n, const View& v, Out& o) { AddFilter(o, n, v.filter_delay_s); }},
    {"filtoffset", [](Name n, const View& v, Out& o) { AddFilter(o, n, v.filter_offset_s); }},
    {"pmode",
     [](Name n, const View& v, Out& o) { o.AddUnsigned(n, static_cast<uint8_t>(v.peer_mode)); }},
    {"received", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.received); }},
    {"sent", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.sent); }},
    {"filtdisp", [](Name n, const View& v, Out& o) { AddFilter(o, n, v.filter_dispersion_s); }},
    {"flash", [](Name n, const View& v, Out& o) { o.AddHex(n, v.flash); }},
    {"ttl",
     [](Name n, const View& v, Out& o) {
       if (v.is_refclock || v.ttl > 0) o.AddUnsigned(n, v.ttl);
     }},
    {"peer_var_list", [](Name n, const View&, Out& o) { o.AddQuoted(n, VariableNames()); }},
    // Rates of an interface, which are not configured here.
    {"in", WriteNothing},
    {"out", WriteNothing},
    {"headway", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.headway_s); }},
    {"bias",
     [](Name n, const View& v, Out& o) {
       if (v.bias_s != 0) AddMilliseconds(o, n, v.bias_s);
     }},
    {"srchost",
     [](Name n, const View& v, Out& o) {
       if (!v.remote_name.empty()) o.AddQuoted(n, v.remote_name);
     }},
    {"timerec", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.since_received_s); }},
    {"timereach", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.since_reach_s); }},
    {"badauth", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.bad_auth); }},
    {"bogusorg", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.bogus_origin); }},
    {"oldpkt", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.old_packets); }},
    {"seldisp", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.selection_dispersion); }},
    // What 4.2.8 counts and shows under these names, whatever they and ntpq's words for them say.
    {"selbroken", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.kisses); }},
    {"candidate",
     [](Name n, const View& v, Out& o) {
       o.AddUnsigned(n, static_cast<uint64_t>(v.status.selection));
     }},
    {"flags",
     [](Name n, const View& v, Out& o) {
       if (v.autokey && v.autokey->flags != 0) o.AddHex(n, v.autokey->flags);
     }},
    {"host",
     [](Name n, const View& v, Out& o) {
       if (v.autokey && !v.autokey->host.empty()) o.AddQuoted(n, v.autokey->host);
     }},
    {"valid", WriteNothing},
    {"initsequence", WriteKeyList},
    {"initkey", WriteNothing},
    {"timestamp", WriteNothing},
    {"signature",
     [](Name n, const View& v, Out& o) {
       if (v.autokey && !v.autokey->signature.empty()) o.AddQuoted(n, v.autokey->signature);
     }},
    {"ident",
     [](Name n, const View& v, Out& o) {
       if (v.autokey && !v.autokey->group.empty()) o.AddQuoted(n, v.autokey->group);
     }},
    {"identity", WriteIdentity},
    {"trail", WriteTrail},
    {"cookieage",
     [](Name n, const View& v, Out& o) {
       if (v.autokey && v.autokey->cookie_age_s) o.AddUnsigned(n, *v.autokey->cookie_age_s);
     }},
    {"keylistage",
     [](Name n, const View& v, Out& o) {
       if (v.autokey && v.autokey->key_list_age_s) o.AddUnsigned(n, *v.autokey->key_list_age_s);
     }},
    {"autokeyerror", WriteFailure},
    {"restrict",
     [](Name n, const View& v, Out& o) {
       if (!v.refused_by.empty()) o.AddQuoted(n, v.refused_by);
     }},
};

constexpr std::string_view kDefaults[] = {
    "srcadr",  "srcport",   "srchost",      "dstadr",    "dstport",    "out",      "in",
    "leap",    "stratum",   "precision",    "rootdelay", "rootdisp",   "refid",    "reftime",
    "rec",     "reach",     "unreach",      "hmode",     "pmode",      "hpoll",    "ppoll",
    "headway", "flash",     "keyid",        "ttl",       "offset",     "delay",    "dispersion",
    "jitter",  "xleave",    "bias",         "filtdelay", "filtoffset", "filtdisp", "host",
    "flags",   "signature", "initsequence", "ident"};
constexpr auto kDefaultPlaces = PlacesOf(kTable, kDefaults);

std::string VariableNames() { return JoinNames<View>(kTable); }

}  // namespace

Result<wire::VariableListWriter, wire::ControlError> ReadPeer(
    const PeerView& view, std::span<const std::string_view> names) {
  for (std::string_view name : names)
    if (FindVariable<View>(kTable, name) == nullptr)
      return Fail(wire::ControlError::kUnknownVariable);
  Out out;
  if (names.empty())
    WriteAt<View>(kTable, view, kDefaultPlaces, out);
  else
    WriteNamed<View>(kTable, view, names, out);
  out.Finish();
  return out;
}

}  // namespace ntpward::control
