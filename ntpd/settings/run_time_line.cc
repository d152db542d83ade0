#include "ntpd/settings/run_time_line.h"

#include <algorithm>

#include "ntpd/config/host.h"
#include "ntpd/config/parser.h"
#include "ntpd/config/validate.h"
#include "ntpd/settings/lines.h"
#include "ntpd/settings/overlay.h"
#include "privsep/msg/same.h"

namespace ntpward::settings {
namespace {

using config::Config;

// A line on its way into the settings.
struct Work {
  std::string_view line;
  std::string_view subject;
  const Settings& file;
  Config config;
  Change change;
};
using Outcome = Result<void, Refusal>;

size_t ColumnOf(const config::Location& where) { return where.column == 0 ? 0 : where.column - 1; }

Failure<Refusal> Refuse(const config::Location& where, std::string text) {
  return Fail(Refusal{ColumnOf(where), std::move(text)});
}

// Of the word after the directive.
size_t ColumnOfArgument(std::string_view line) {
  constexpr std::string_view kBlanks = " \t";
  const size_t blank = line.find_first_of(kBlanks);
  const size_t word = line.find_first_not_of(kBlanks, std::min(blank, line.size()));
  return std::min(word, line.size());
}

// --- associations -----------------------------------------------------------------------------

bool Names(const msg::NetAssociation& line, std::string_view host) {
  if (line.label.text() == host) return true;
  const auto address = IpAddress::Parse(host);
  return address.has_value() && !line.address.is_none() && line.address == *address;
}

bool SameTarget(const msg::NetAssociation& a, const msg::NetAssociation& b) {
  return a.kind == b.kind && a.address == b.address && a.name == b.name;
}

// ntpd-resolve knows the names of ntp.conf and no other: what comes by the network must not make it
// ask for anything.
Result<NameIndex, Refusal> NameOf(const config::Association& line, const Settings& file) {
  if (line.address || IsGroupKind(line.kind)) return NameIndex();
  for (const msg::NetAssociation& known : file.associations)
    if (known.name && known.label.text() == line.host) return known.name;
  return Refuse(line.host_where,
                "a name is looked up only if ntp.conf has it: expected a numeric address");
}

Outcome AddAssociation(Work& work) {
  const config::Association& line = work.config.associations.front();
  Settings& after = work.change.after;
  const NameIndex name = TRY(NameOf(line, work.file));
  const auto made = AssociationOf(line, name, after.start.ttls.span(), nullptr);
  if (!made.ok()) return Refuse(made.error().where, made.error().text);
  for (const msg::NetAssociation& known : after.associations) {
    if (msg::Same(known, *made)) return {};
    if (SameTarget(known, *made))
      return Refuse(line.host_where, line.host +
                                         " is configured with other options: expected 'unconfig " +
                                         line.host + "' first");
  }
  after.associations.push_back(*made);
  return {};
}

Outcome RemoveAssociation(Work& work) {
  const config::Unpeer& unpeer = work.config.unpeers.front();
  const std::string_view host = work.subject.empty() ? unpeer.host : work.subject;
  const size_t gone = std::erase_if(
      work.change.after.associations,
      [&](const msg::NetAssociation& known) { return !host.empty() && Names(known, host); });
  if (gone == 0) return Fail(Refusal{ColumnOfArgument(work.line), "there is no such association"});
  return {};
}

Outcome FudgeClock(Work& work) {
  const config::Fudge& fudge = work.config.fudges.front();
  for (msg::NetAssociation& known : work.change.after.associations) {
    if (known.kind != msg::NetAssociationKind::kLocalClock || known.address != fudge.clock)
      continue;
    if (fudge.stratum) known.stratum = *fudge.stratum;
    if (!fudge.refid.empty()) Show(&known.refid, fudge.refid);
    return {};
  }
  return Fail(Refusal{ColumnOfArgument(work.line),
                      "there is no 'server " + fudge.clock.ToString() + "' to apply this to"});
}

// --- access -----------------------------------------------------------------------------------

bool SameTarget(const msg::NetRestriction& a, const msg::NetRestriction& b) {
  if (a.source || b.source) return a.source == b.source;
  return !a.name && !b.name && a.address == b.address && a.mask == b.mask;
}

bool SameEntry(const msg::NetRestriction& a, const msg::NetRestriction& b) {
  return SameTarget(a, b) && a.flags == b.flags && a.port == b.port &&
         a.ippeerlimit == b.ippeerlimit;
}

Outcome Restrict(Work& work, const config::Restriction& line) {
  const auto entry = RestrictionOf(line, std::nullopt);
  if (!entry.ok()) return Refuse(entry.error().where, entry.error().text);
  auto& entries = work.change.after.restrictions;
  if (!line.remove) {
    // Of several lines for one target the last decides about some things: one of before that is
    // said again moves there.
    const auto last = std::find_if(entries.rbegin(), entries.rend(), [&](const auto& e) {
      return SameTarget(e, *entry) && e.port == entry->port;
    });
    if (last != entries.rend() && SameEntry(*last, *entry)) return {};
    std::erase_if(entries, [&](const auto& e) { return SameEntry(e, *entry); });
    entries.push_back(*entry);
  } else if (std::erase_if(entries, [&](const msg::NetRestriction& e) {
               return SameTarget(e, *entry);
             }) == 0) {
    return Fail(Refusal{ColumnOfArgument(work.line), "there is no such entry"});
  }
  work.change.access.push_back({line.remove, *entry});
  return {};
}

Outcome RestrictOrNot(Work& work) {
  config::Restriction line = work.config.restrictions.front();
  if (line.target == config::RestrictTarget::kHost)
    return Fail(Refusal{ColumnOfArgument(work.line),
                        "a name is looked up only if ntp.conf has it: expected a numeric address"});
  if (line.target == config::RestrictTarget::kSource && !line.address.is_none())
    return Fail(Refusal{ColumnOfArgument(work.line),
                        "there is no such entry: those of 'restrict source' come and go with "
                        "their associations"});
  // A line for everybody is two here, so that one of them can go.
  const bool everybody = line.target == config::RestrictTarget::kDefault;
  if (!everybody || line.family != Family::kNone) return Restrict(work, line);
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    line.family = family;
    TRY_VOID(Restrict(work, line));
  }
  return {};
}

// --- single values ----------------------------------------------------------------------------

Outcome SetValues(Work& work) {
  if (const auto error = Overlay(work.config, &work.change.after.start))
    return Refuse(error->where, error->text);
  return {};
}

struct Directive {
  std::string_view name;
  Outcome (*apply)(Work& work);
};

constexpr Directive kDirectives[] = {
    {"automax", SetValues},
    {"broadcast", AddAssociation},
    {"broadcastdelay", SetValues},
    {"delrestrict", RestrictOrNot},
    {"disable", SetValues},
    {"discard", SetValues},
    {"enable", SetValues},
    {"fudge", FudgeClock},
    {"logconfig", SetValues},
    {"manycastclient", AddAssociation},
    {"mru", SetValues},
    {"peer", AddAssociation},
    {"pool", AddAssociation},
    {"restrict", RestrictOrNot},
    {"server", AddAssociation},
    {"setvar", SetValues},
    {"tinker", SetValues},
    {"tos", SetValues},
    {"ttl", SetValues},
    {"unconfig", RemoveAssociation},
    {"unpeer", RemoveAssociation},
    {"unrestrict", RestrictOrNot},
};

const Directive* Find(std::string_view line) {
  const std::string_view name = line.substr(0, line.find_first_of(" \t"));
  const auto* found = std::find_if(std::begin(kDirectives), std::end(kDirectives),
                                   [&](const Directive& d) { return d.name == name; });
  return found == std::end(kDirectives) ? nullptr : found;
}

// What the line's parser and checks have to know of the lines before it.
Config Before(const Settings& now) {
  Config config;
  if (now.start.crypto_enabled) config.authentication.crypto.where.line = 1;
  config.output.logconfig.value = MaskOf(now.start.log_classes);
  return config;
}

Result<Config, Refusal> Parse(std::string_view line, const Settings& now,
                              std::vector<std::string>* warnings) {
  config::Parsed parsed = config::ParseLine(line, Before(now));
  const auto take = [&](const config::Diagnostic& d) {
    if (d.severity != config::Severity::kError) warnings->push_back(d.text);
    return d.severity == config::Severity::kError;
  };
  for (const config::Diagnostic& d : parsed.diagnostics)
    if (take(d)) return Fail(Refusal{d.column == 0 ? 0 : d.column - 1, "syntax error: " + d.text});
  for (const config::Diagnostic& d : config::ValidateAlone(parsed.config))
    if (take(d)) return Fail(Refusal{d.column == 0 ? 0 : d.column - 1, d.text});
  return std::move(parsed.config);
}

}  // namespace

Result<Change, Refusal> Apply(std::string_view line, std::string_view subject, const Settings& file,
                              const Settings& now) {
  const Directive* directive = Find(line);
  if (directive == nullptr) return Fail(Refusal{0, "syntax error"});
  Work work{line, subject, file, {}, {now, {}, {}}};
  work.config = TRY(Parse(line, now, &work.change.warnings));
  TRY_VOID(directive->apply(work));
  if (!work.change.after.start.Valid())
    return Fail(Refusal{ColumnOfArgument(line), "a value is out of range"});
  return std::move(work.change);
}

std::optional<config::Unpeer> UnpeerOf(std::string_view line) {
  const Directive* directive = Find(line);
  if (directive == nullptr || directive->apply != RemoveAssociation) return std::nullopt;
  config::Parsed parsed = config::ParseLine(line, {});
  if (!parsed.diagnostics.empty() || parsed.config.unpeers.empty()) return std::nullopt;
  return std::move(parsed.config.unpeers.front());
}

std::optional<IpAddress> SourceEntryOf(std::string_view line) {
  const Directive* directive = Find(line);
  if (directive == nullptr || directive->apply != RestrictOrNot) return std::nullopt;
  const config::Parsed parsed = config::ParseLine(line, {});
  if (!parsed.diagnostics.empty() || parsed.config.restrictions.empty()) return std::nullopt;
  const config::Restriction& gone = parsed.config.restrictions.front();
  const bool is_host = !gone.address.is_none() &&
                       config::PrefixOfMask(gone.mask) == config::FullPrefix(gone.address.family);
  if (!gone.remove || gone.target != config::RestrictTarget::kSource || !is_host)
    return std::nullopt;
  return gone.address;
}

bool IsRunTimeDirective(std::string_view directive) { return Find(directive) != nullptr; }

}  // namespace ntpward::settings
