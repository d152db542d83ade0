#include "ntpd/config/access.h"

#include <array>

#include "ntpd/config/directive.h"
#include "ntpd/config/host.h"
#include "ntpd/config/options.h"
#include "ntpd/config/suggest.h"

namespace ntpward::config {
namespace {

struct FlagName {
  std::string_view name;
  RestrictFlag flag;
};
constexpr auto kFlagNames = std::to_array<FlagName>({
    {"ignore", RestrictFlag::kIgnore},
    {"noserve", RestrictFlag::kNoServe},
    {"noquery", RestrictFlag::kNoQuery},
    {"nomodify", RestrictFlag::kNoModify},
    {"nopeer", RestrictFlag::kNoPeer},
    {"noepeer", RestrictFlag::kNoEpeer},
    {"notrap", RestrictFlag::kNoTrap},
    {"notrust", RestrictFlag::kNoTrust},
    {"limited", RestrictFlag::kLimited},
    {"kod", RestrictFlag::kKod},
    {"nomrulist", RestrictFlag::kNoMruList},
    {"version", RestrictFlag::kVersion},
    {"ntpport", RestrictFlag::kNtpPort},
    {"non-ntpport", RestrictFlag::kNonNtpPort},
    {"mssntp", RestrictFlag::kMsSntp},
    {"flake", RestrictFlag::kFlake},
    {"lowpriotrap", RestrictFlag::kLowPrioTrap},
    {"epeer", RestrictFlag::kEpeer},
});
constexpr std::string_view kServerResponse = "serverresponse";

// Names of everything that may follow the address.
std::vector<std::string_view> OptionNames() {
  std::vector<std::string_view> names = {"mask", "ippeerlimit"};
  for (const FlagName& flag : kFlagNames) names.push_back(flag.name);
  names.push_back(kServerResponse);
  return names;
}

bool IsWithoutEffect(RestrictFlag flag) {
  return flag == RestrictFlag::kMsSntp || flag == RestrictFlag::kFlake ||
         flag == RestrictFlag::kLowPrioTrap || flag == RestrictFlag::kServerResponseFuzz;
}

// 0.0.0.0/0 and ::/0 are the default entries by another name.
void NormaliseDefault(Restriction& r) {
  if (r.target != RestrictTarget::kAddress || !r.mask.is_wildcard()) return;
  r.target = RestrictTarget::kDefault;
  r.family = r.address.family;
  r.address = r.mask = {};
}

void TakeMask(Line& line, Restriction& r) {
  const std::string word = line.String("network mask");
  if (line.failed()) return;
  const Host host = CheckHost(line, Family::kNone, word);
  if (line.failed()) return;
  if (r.target != RestrictTarget::kAddress)
    return line.Fail("a mask needs a numeric address before it");
  if (PrefixOfMask(r.mask) != FullPrefix(r.address.family))
    return line.Fail("the address has a prefix length already: expected no mask");
  if (!host.address || host.address->family != r.address.family)
    return line.Fail(line.Cite() + " is no mask of this address's family");
  r.mask = *host.address;
  if (!PrefixOfMask(r.mask))
    line.Warn("the mask " + line.Cite() + " has gaps: it is taken as it is, but is that meant?");
  if (ClearHostBits(r.address, r.mask))
    line.Warn("bits past the mask are ignored: " + NetworkText(r.address, r.mask) + " is meant");
}

// Taken for a host that nobody finds it would leave everybody let in. "force" and "course" are
// names that hosts have, so that `source` allows for one mistyping only.
std::string_view MisspeltTarget(std::string_view word) {
  constexpr std::string_view kDefault[] = {"default"};
  constexpr std::string_view kSource[] = {"source"};
  const std::string_view meant = Nearest(word, kDefault);
  return meant.empty() ? Nearest(word, kSource, 1) : meant;
}

// default, source, an address or network, or a host name.
void TakeTarget(Line& line, Restriction& r) {
  r.family = TakeFamily(line);
  if (line.Accept("default")) {
    r.target = RestrictTarget::kDefault;
    return;
  }
  if (line.Accept("source")) {
    r.target = RestrictTarget::kSource;
    return;
  }
  const std::string word = line.String("'default', 'source', an address or a host name");
  if (line.failed()) return;
  const auto network = TakeNetwork(line, word);
  if (line.failed()) return;
  if (!network) {
    const std::string_view meant = MisspeltTarget(word);
    if (!meant.empty() && !line.last_was_quoted())
      return line.Fail(line.Cite() + " is no address: did you mean " + Quoted(meant) +
                       "? A host of that name is named in quotation marks");
    r.target = RestrictTarget::kHost;
    r.host = CheckHost(line, r.family, word).name;
    return;
  }
  if (r.family != Family::kNone && r.family != network->address.family)
    line.Fail(line.Cite() + " is not an address of the family that was asked for");
  r.target = RestrictTarget::kAddress;
  r.family = Family::kNone;
  r.address = network->address;
  r.mask = MaskOfPrefix(r.address.family, network->prefix);
}

void TakeFlag(Line& line, Restriction& r) {
  const std::string_view word = line.Next();
  if (line.failed()) return;
  std::optional<RestrictFlag> flag;
  if (!line.last_was_quoted()) flag = FindRestrictFlag(word);
  if (word == kServerResponse && !line.last_was_quoted()) {
    if (!line.Accept("fuzz")) return line.FailNext("'fuzz' after 'serverresponse'");
    flag = RestrictFlag::kServerResponseFuzz;
  }
  if (!flag) return line.FailUnknown("flag", OptionNames());
  if (IsWithoutEffect(*flag)) line.Warn(line.Cite() + " has no effect");
  r.flags.Add(*flag);
}

void ParseRestrict(Line& line, Config& config) {
  Restriction r;
  r.where = line.where();
  TakeTarget(line, r);
  while (!line.AtEnd()) {
    if (line.Accept("mask")) {
      TakeMask(line, r);
    } else if (line.Accept("ippeerlimit")) {
      r.ippeerlimit = static_cast<int32_t>(line.Integer("associations per address", -1, 65535));
    } else {
      TakeFlag(line, r);
    }
  }
  NormaliseDefault(r);
  if (line.Finish()) config.restrictions.push_back(std::move(r));
}

void ParseDelrestrict(Line& line, Config& config) {
  Restriction r;
  r.where = line.where();
  r.remove = true;
  const bool of_source = line.Accept("source");
  TakeTarget(line, r);
  if (!line.failed() && line.Accept("mask")) TakeMask(line, r);
  if (of_source && !line.failed()) {
    if (r.target != RestrictTarget::kAddress) line.Fail("expected an address after 'source'");
    r.target = RestrictTarget::kSource;
  }
  NormaliseDefault(r);
  if (line.Finish()) config.restrictions.push_back(std::move(r));
}

// --- discard, mru -----------------------------------------------------------------------------

constexpr int64_t kMaxSeconds = 86400 * 366;

constexpr auto kDiscardOptions = std::to_array<Option<Discard>>({
    {"average",
     [](Line& l, Discard& d) {
       const auto value = static_cast<uint8_t>(l.Integer("log2 of seconds", 0, 17));
       d.average.Set(value, l.where());
     }},
    {"minimum",
     [](Line& l, Discard& d) {
       const auto value = static_cast<uint32_t>(l.Integer("seconds", 0, kMaxSeconds));
       d.minimum.Set(value, l.where());
     }},
    {"monitor",
     [](Line& l, Discard& d) {
       const auto value = static_cast<uint32_t>(l.Integer("seconds", 0, kMaxSeconds));
       d.monitor.Set(value, l.where());
     }},
});

void ParseDiscard(Line& line, Config& config) {
  Discard discard = config.discard;
  TakeSomeOptions(line, discard, kDiscardOptions, "option");
  if (line.Finish()) config.discard = discard;
}

constexpr int64_t kMaxEntries = 0x7fffffff;

void IgnoreMruSize(Line& line, MruLimits&) {
  (void)line.Integer("size", 0, kMaxEntries);
  line.Warn("memory is taken as it is needed: this option has no effect");
}

constexpr auto kMruOptions = std::to_array<Option<MruLimits>>({
    {"maxdepth",
     [](Line& l, MruLimits& m) {
       const auto value = static_cast<uint32_t>(l.Integer("entries", 0, kMaxEntries));
       m.maxdepth.Set(value, l.where());
       m.maxmem = {};
     }},
    {"maxmem",
     [](Line& l, MruLimits& m) {
       const auto value = static_cast<uint32_t>(l.Integer("kibibytes", 0, kMaxEntries));
       m.maxmem.Set(value, l.where());
       m.maxdepth = {};
     }},
    {"mindepth",
     [](Line& l, MruLimits& m) {
       const auto value = static_cast<uint32_t>(l.Integer("entries", 0, kMaxEntries));
       m.mindepth.Set(value, l.where());
     }},
    {"maxage",
     [](Line& l, MruLimits& m) {
       const auto value = static_cast<int32_t>(l.Integer("seconds", -1, kMaxSeconds));
       m.maxage.Set(value, l.where());
     }},
    {"initalloc", IgnoreMruSize},
    {"initmem", IgnoreMruSize},
    {"incalloc", IgnoreMruSize},
    {"incmem", IgnoreMruSize},
});

void ParseMru(Line& line, Config& config) {
  MruLimits mru = config.mru;
  TakeSomeOptions(line, mru, kMruOptions, "option");
  if (line.Finish()) config.mru = mru;
}

constexpr auto kDirectives = std::to_array<Directive>({
    {"restrict", ParseRestrict, Weight::kGuard},
    {"delrestrict", ParseDelrestrict, Weight::kGuard},
    {"unrestrict", ParseDelrestrict, Weight::kGuard},
    {"discard", ParseDiscard},
    {"mru", ParseMru},
});

}  // namespace

std::optional<RestrictFlag> FindRestrictFlag(std::string_view name) {
  for (const FlagName& flag : kFlagNames)
    if (flag.name == name) return flag.flag;
  return std::nullopt;
}

std::string RestrictFlags::ToString() const {
  std::string text;
  for (const FlagName& flag : kFlagNames)
    if (Has(flag.flag)) text += (text.empty() ? "" : " ") + std::string(flag.name);
  if (Has(RestrictFlag::kServerResponseFuzz))
    text += (text.empty() ? "" : " ") + std::string(kServerResponse) + " fuzz";
  return text;
}

std::span<const Directive> AccessDirectives() { return kDirectives; }

}  // namespace ntpward::config
