#include "ntpd/config/association.h"

#include <algorithm>

#include "ntpd/config/directive.h"
#include "ntpd/config/host.h"
#include "ntpd/config/options.h"

namespace ntpward::config {
namespace {

constexpr uint32_t kRefclockPoll = 6;   // log2 s, both limits, as ntpd 4.2.8
constexpr uint32_t kBroadcastPoll = 6;  // log2 s
constexpr uint8_t kMaxTtlIndex = 7;
constexpr uint8_t kMaxWrittenTtl = 255;  // in files of ntpd 4.2.8

template <typename T>
void Set(Line& line, Setting<T>& setting, T value) {
  setting.Set(value, line.where());
}

void TakeKey(Line& line, Association& a) {
  a.key.value = KeyId{static_cast<uint32_t>(line.Integer("key number", 1, 65535))};
  a.key.where = line.where();
  if (a.autokey) line.Fail("key and autokey exclude each other: expected one of them");
}

void TakeAutokey(Line& line, Association& a) {
  a.autokey = true;
  if (a.key.is_set()) line.Fail("key and autokey exclude each other: expected one of them");
}

void TakeIdentity(Line& line, Association& a) {
  if (!line.Accept("optional")) return line.FailNext("'optional' after 'identity'");
  a.identity_optional = true;
}

void TakeTtl(Line& line, Association& a) {
  int64_t index =
      line.Integer("index into the ttl list", 0, line.remote() ? kMaxTtlIndex : kMaxWrittenTtl);
  if (index > kMaxTtlIndex) {
    line.Warn("ttl is an index into the ttl list: " + std::to_string(kMaxTtlIndex) + " is used");
    index = kMaxTtlIndex;
  }
  Set(line, a.ttl, static_cast<uint8_t>(index));
}

void RefuseNts(Line& line, Association&) {
  line.Fail("NTS is not supported: expected key or autokey, or no authentication at all");
}

void IgnoreOption(Line& line, Association&) { line.Warn(line.Cite() + " has no effect"); }

// Of ntpd 4.1, where each server's public key was a file.
void TakePublicKey(Line& line, Association&) {
  (void)line.String("file name");
  line.Warn("no effect: the server's public key comes in its certificate");
}

constexpr auto kOptions = std::to_array<Option<Association>>({
    {"key", TakeKey},
    {"autokey", TakeAutokey},
    {"ident", [](Line& l, Association& a) { a.ident = l.String("group name"); }},
    {"identity", TakeIdentity},
    {"publickey", TakePublicKey},
    {"minpoll",
     [](Line& l, Association& a) {
       const auto poll = static_cast<uint32_t>(l.Integer("log2 of seconds", 0, 255));
       Set(l, a.minpoll, poll);
     }},
    {"maxpoll",
     [](Line& l, Association& a) {
       const auto poll = static_cast<uint32_t>(l.Integer("log2 of seconds", 0, 255));
       Set(l, a.maxpoll, poll);
     }},
    {"iburst", [](Line&, Association& a) { a.iburst = true; }},
    {"burst", [](Line&, Association& a) { a.burst = true; }},
    {"prefer", [](Line&, Association& a) { a.prefer = true; }},
    {"noselect", [](Line&, Association& a) { a.noselect = true; }},
    {"true", [](Line&, Association& a) { a.always_true = true; }},
    {"preempt", [](Line&, Association& a) { a.preempt = true; }},
    {"xleave", [](Line&, Association& a) { a.xleave = true; }},
    {"version",
     [](Line& l, Association& a) {
       const auto version = static_cast<uint8_t>(l.Integer("protocol version", 1, 4));
       Set(l, a.version, version);
     }},
    {"mode",
     [](Line& l, Association& a) {
       a.mode = static_cast<uint32_t>(l.Integer("mode", 0, 0xffffffff));
       if (!a.is_refclock()) l.Warn("mode has no effect: it is for reference clocks");
     }},
    {"ttl", TakeTtl},
    // The transmit timestamp of a request is always random here.
    {"xmtnonce", [](Line&, Association&) {}},
    {"nts", RefuseNts},
    {"dynamic", IgnoreOption},
    {"skew", IgnoreOption},
    {"novolley", IgnoreOption},
    {"limited", IgnoreOption},
});

void CheckKind(Line& line, const Association& a) {
  if (!a.is_refclock()) return;
  if (a.kind != AssociationKind::kServer)
    line.Fail("a reference clock is named by 'server': expected an address of the network");
  if (a.is_authenticated()) line.Fail("a reference clock takes neither key nor autokey");
  if (a.ttl.is_set()) line.Fail("a reference clock takes no ttl");
}

void SetDefaultPolls(Association& a) {
  if (a.is_refclock()) {
    a.minpoll.value = kRefclockPoll;
    a.maxpoll.value = kRefclockPoll;
  } else if (a.kind == AssociationKind::kBroadcast) {
    a.minpoll.value = kBroadcastPoll;
  }
}

// No single host has such an address.
bool IsNobodys(const IpAddress& address) {
  return address.is_wildcard() || address.is_multicast() ||
         address == IpAddress::V4(255, 255, 255, 255);
}

// fe80::/10 (RFC 4291 section 2.5.6).
bool IsLinkLocal(const IpAddress& address) {
  return address.family == Family::kIpv6 && address.octets[0] == 0xfe &&
         (address.octets[1] & 0xc0) == 0x80;
}

template <AssociationKind kKind>
void ParseAssociation(Line& line, Config& config) {
  Association a;
  a.where = line.where();
  a.kind = kKind;
  Host host = TakeHost(line, "address or host name");
  const bool names_a_host = kKind == AssociationKind::kServer || kKind == AssociationKind::kPeer;
  if (names_a_host && host.address && IsNobodys(*host.address))
    line.Fail(line.Cite() + " is no address of a single host");
  if (host.address && IsLinkLocal(*host.address) && host.address->scope == 0)
    line.Warn("a link-local address needs its interface to be reached: expected " + host.name +
              "%INTERFACE");
  a.host_where = host.where;
  a.family = host.family;
  a.host = std::move(host.name);
  a.address = host.address;
  SetDefaultPolls(a);
  TakeOptions(line, a, kOptions, "option");
  if (!line.failed()) CheckKind(line, a);
  if (line.Finish()) config.associations.push_back(std::move(a));
}

// --- groups -----------------------------------------------------------------------------------

void TakeGroups(Line& line, std::vector<Group>& groups) {
  while (!line.AtEnd()) {
    const Host host = TakeHost(line, "multicast address");
    if (line.failed()) return;
    if (!host.address || !host.address->is_multicast())
      line.Fail(line.Cite() + " is no multicast address");
    else
      groups.push_back({host.where, *host.address});
  }
}

void ParseManycastServer(Line& line, Config& config) {
  std::vector<Group> groups;
  if (line.AtEnd()) line.FailNext("multicast addresses");
  TakeGroups(line, groups);
  if (!line.Finish()) return;
  config.manycast_groups.insert(config.manycast_groups.end(), groups.begin(), groups.end());
}

void ParseMulticastClient(Line& line, Config& config) {
  std::vector<Group> groups;
  // The group that IANA assigned to NTP.
  if (line.AtEnd()) groups.push_back({line.where(), IpAddress::V4(224, 0, 1, 1)});
  TakeGroups(line, groups);
  if (!line.Finish()) return;
  config.multicast_groups.insert(config.multicast_groups.end(), groups.begin(), groups.end());
}

void ParseBroadcastClient(Line& line, Config& config) {
  const Location where = line.where();
  const bool novolley = line.Accept("novolley");
  const Location option = line.where();
  if (!line.Finish()) return;
  config.broadcastclient.Set(true, where);
  if (novolley) config.novolley.Set(true, option);
}

void ParseUnpeer(Line& line, Config& config) {
  Unpeer unpeer{line.where()};
  const Family family = TakeFamily(line);
  const std::string word = line.String("address, host name or association");
  if (line.failed()) return;
  const bool number = word.find_first_not_of("0123456789") == std::string::npos;
  if (!number) {
    unpeer.host = CheckHost(line, family, word).name;
  } else {
    unsigned value = 0;
    for (char c : word) value = std::min(value * 10 + static_cast<unsigned>(c - '0'), 100000U);
    if (value < 1 || value > 65535) line.Fail("association out of range: expected 1 to 65535");
    unpeer.assoc = AssocId{static_cast<uint16_t>(value)};
  }
  if (line.Finish()) config.unpeers.push_back(std::move(unpeer));
}

// --- reference clocks -------------------------------------------------------------------------

constexpr double kMaxFudge = 1e9;  // s

void TakeRefid(Line& line, Fudge& fudge) {
  fudge.refid = line.String("reference identifier");
  for (char c : fudge.refid) {
    if (c <= 0x20 || c >= 0x7f) return line.Fail("a reference identifier is printable ASCII");
  }
  if (fudge.refid.size() <= 4) return;
  if (line.remote()) return line.Fail(line.Cite() + " is too long: expected at most 4 characters");
  line.Warn("a reference identifier has at most four characters: the rest is ignored");
  fudge.refid.resize(4);
}

template <size_t kFlag>
void TakeFlag(Line& line, Fudge& fudge) {
  fudge.flags[kFlag] = line.Boolean("flag");
}

constexpr auto kFudgeOptions = std::to_array<Option<Fudge>>({
    {"time1", [](Line& l, Fudge& f) { f.time1 = l.Number("seconds", -kMaxFudge, kMaxFudge); }},
    {"time2", [](Line& l, Fudge& f) { f.time2 = l.Number("seconds", -kMaxFudge, kMaxFudge); }},
    {"stratum",
     [](Line& l, Fudge& f) { f.stratum = static_cast<uint8_t>(l.Integer("stratum", 0, 16)); }},
    {"refid", TakeRefid},
    {"abbrev", TakeRefid},
    {"flag1", TakeFlag<0>},
    {"flag2", TakeFlag<1>},
    {"flag3", TakeFlag<2>},
    {"flag4", TakeFlag<3>},
    {"minjitter",
     [](Line& l, Fudge&) {
       (void)l.Number("seconds", 0, kMaxFudge);
       l.Warn("minjitter has no effect");
     }},
});

Fudge FudgeOf(const Config& config, const IpAddress& clock, Location where) {
  if (const Fudge* earlier = config.FudgeFor(clock)) return *earlier;
  Fudge fudge;
  fudge.where = where;
  fudge.clock = clock;
  return fudge;
}

void StoreFudge(Config& config, Fudge fudge) {
  for (Fudge& earlier : config.fudges)
    if (earlier.clock == fudge.clock) {
      earlier = std::move(fudge);
      return;
    }
  config.fudges.push_back(std::move(fudge));
}

void ParseFudge(Line& line, Config& config) {
  const Location where = line.where();
  const Host host = TakeHost(line, "address of a reference clock (127.127.TYPE.UNIT)");
  if (!line.failed() && !(host.address && host.address->is_refclock()))
    line.Fail(line.Cite() + " is no reference clock: expected 127.127.TYPE.UNIT");
  if (line.failed()) return;
  Fudge fudge = FudgeOf(config, *host.address, where);
  TakeOptions(line, fudge, kFudgeOptions, "option");
  if (line.Finish()) StoreFudge(config, std::move(fudge));
}

constexpr auto kDirectives = std::to_array<Directive>({
    {"server", ParseAssociation<AssociationKind::kServer>, Weight::kAssociation},
    {"pool", ParseAssociation<AssociationKind::kPool>, Weight::kAssociation},
    {"peer", ParseAssociation<AssociationKind::kPeer>, Weight::kAssociation},
    {"broadcast", ParseAssociation<AssociationKind::kBroadcast>, Weight::kAssociation},
    {"manycastclient", ParseAssociation<AssociationKind::kManycastClient>, Weight::kAssociation},
    {"manycastserver", ParseManycastServer},
    {"multicastclient", ParseMulticastClient},
    {"broadcastclient", ParseBroadcastClient},
    {"unpeer", ParseUnpeer},
    {"unconfig", ParseUnpeer},
    {"fudge", ParseFudge},
});

}  // namespace

std::string_view KindName(AssociationKind kind) {
  switch (kind) {
    case AssociationKind::kServer:
      return "server";
    case AssociationKind::kPool:
      return "pool";
    case AssociationKind::kPeer:
      return "peer";
    case AssociationKind::kBroadcast:
      return "broadcast";
    case AssociationKind::kManycastClient:
      return "manycastclient";
  }
  return "server";
}

std::span<const Directive> AssociationDirectives() { return kDirectives; }

}  // namespace ntpward::config
