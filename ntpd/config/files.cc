#include "ntpd/config/files.h"

#include <algorithm>

#include "ntpd/config/directive.h"
#include "ntpd/config/options.h"

namespace ntpward::config {
namespace {

constexpr std::array<std::string_view, kStatisticCount> kStatisticNames = {
    "loopstats", "peerstats",  "clockstats",  "rawstats",
    "sysstats",  "protostats", "cryptostats", "timingstats"};
constexpr std::array<std::string_view, 7> kTypeNames = {"none",  "pid",  "day", "week",
                                                        "month", "year", "age"};
constexpr std::array<std::string_view, 4> kClassNames = {"sys", "peer", "clock", "sync"};
constexpr std::array<std::string_view, 4> kKindNames = {"info", "events", "status", "statistics"};
constexpr uint16_t kAllBits = 0xffff;

// Index of `word` in `names`, or the number of names.
template <size_t N>
size_t IndexOf(const std::array<std::string_view, N>& names, std::string_view word) {
  return static_cast<size_t>(std::find(names.begin(), names.end(), word) - names.begin());
}

// --- statistics, filegen ----------------------------------------------------------------------

// Takes one of `names`; fails the line otherwise.
template <size_t N>
size_t TakeName(Line& line, const std::array<std::string_view, N>& names, std::string_view what) {
  if (line.AtEnd()) line.FailNext(what);
  const std::string_view word = line.Next();
  if (line.failed()) return 0;
  const size_t index = line.last_was_quoted() ? N : IndexOf(names, word);
  if (index != N) return index;
  line.FailUnknown(what, names);
  return 0;
}

// Statistics that NTPsec has and ntpward does not.
bool IsForeignStatistic(Line& line) {
  for (std::string_view name : {"ntsstats", "ntskestats", "usestats", "refstats"})
    if (line.Accept(name)) {
      line.Warn("these statistics do not exist here");
      return true;
    }
  return false;
}

void ParseStatistics(Line& line, Config& config) {
  auto statistics = config.output.statistics;
  if (line.AtEnd()) line.FailNext("names of statistics");
  while (!line.AtEnd()) {
    if (IsForeignStatistic(line)) continue;
    Filegen& filegen = statistics[TakeName(line, kStatisticNames, "statistics")];
    filegen.enabled = true;
    filegen.where = line.where();
  }
  if (line.Finish()) config.output.statistics = std::move(statistics);
}

// The name is appended to statsdir: it must not lead out of it.
void TakeFilegenFile(Line& line, Filegen& filegen) {
  filegen.file = line.String("file name");
  if (filegen.file.find("..") != std::string::npos)
    line.Fail("the file name must stay below statsdir: expected no '..'");
}

constexpr auto kFilegenOptions = std::to_array<Option<Filegen>>({
    {"file", TakeFilegenFile},
    {"type",
     [](Line& l, Filegen& f) {
       f.type = static_cast<FilegenType>(TakeName(l, kTypeNames, "type of file name"));
     }},
    {"link", [](Line&, Filegen& f) { f.link = true; }},
    {"nolink", [](Line&, Filegen& f) { f.link = false; }},
    {"enable", [](Line&, Filegen& f) { f.enabled = true; }},
    {"disable", [](Line&, Filegen& f) { f.enabled = false; }},
});

void ParseFilegen(Line& line, Config& config) {
  const Location where = line.where();
  if (IsForeignStatistic(line)) {
    while (!line.AtEnd()) (void)line.NextString();
    (void)line.Finish();
    return;
  }
  const size_t index = TakeName(line, kStatisticNames, "statistics");
  Filegen filegen = config.output.statistics[index];
  filegen.where = where;
  filegen.enabled = true;  // unless the line says otherwise
  TakeOptions(line, filegen, kFilegenOptions, "option");
  if (line.Finish()) config.output.statistics[index] = std::move(filegen);
}

// --- logconfig --------------------------------------------------------------------------------

void ParseLogconfig(Line& line, Config& config) {
  uint16_t bits = config.output.logconfig.value.bits();
  const Location where = line.where();
  if (line.AtEnd()) line.FailNext("=, + or - and a class, e.g. =syncall +sysevents");
  while (!line.AtEnd()) {
    std::string_view word = line.NextString();
    if (line.failed()) break;
    char sign = '=';  // also where there is none
    if (word == "=") {
      word = line.NextString();  // "= all"
    } else if (word.find_first_of("=+-") == 0) {
      sign = word.front();
      word.remove_prefix(1);
    }
    const auto named = LogMask::Parse(word);
    if (!named) {
      line.Fail(line.Cite() +
                " is no log class: expected =, + or -, then sys, peer, clock, sync or "
                "all, then info, events, status, statistics or all, or none alone");
      break;
    }
    if (sign == '=') bits = *named;
    if (sign == '+') bits = static_cast<uint16_t>(bits | *named);
    if (sign == '-') bits = static_cast<uint16_t>(bits & ~*named);
  }
  if (line.Finish()) config.output.logconfig.Set(LogMask(bits), where);
}

// --- single files -----------------------------------------------------------------------------

template <Setting<std::string> Files::*kMember>
void ParsePath(Line& line, Config& config) {
  std::string path = line.String("file name");
  const Location where = line.where();
  if (line.Finish()) (config.output.*kMember).Set(std::move(path), where);
}

// `driftfile` alone, or with an empty name, means none.
void ParseDriftfile(Line& line, Config& config) {
  const Location where = line.where();
  std::string path;
  if (!line.AtEnd()) path = line.NextString();
  if (!line.AtEnd()) {
    (void)line.Number("drift", 0, 1e9);
    line.Warn("the number after the drift file's name has no effect");
  }
  if (line.Finish()) config.output.driftfile.Set(std::move(path), where);
}

void ParseNonvolatile(Line& line, Config& config) {
  const double threshold = line.Number("change of frequency", 0, 1);
  const Location where = line.where();
  if (line.Finish()) config.output.nonvolatile.Set(threshold, where);
}

void ParseLeapfile(Line& line, Config& config) {
  std::string path = line.String("file name");
  const Location where = line.where();
  bool check = true;
  if (line.Accept("ignorehash"))
    check = false;
  else
    (void)line.Accept("checkhash");
  if (!line.Finish()) return;
  config.output.leapfile.Set(std::move(path), where);
  config.output.leapfile_check_hash.Set(check, where);
}

constexpr auto kDirectives = std::to_array<Directive>({
    {"driftfile", ParseDriftfile, Weight::kPlain, true},
    {"nonvolatile", ParseNonvolatile},
    {"leapfile", ParseLeapfile, Weight::kPlain, true},
    {"logfile", ParsePath<&Files::logfile>, Weight::kPlain, true},
    {"logconfig", ParseLogconfig},
    {"statsdir", ParsePath<&Files::statsdir>, Weight::kPlain, true},
    {"statistics", ParseStatistics},
    {"filegen", ParseFilegen, Weight::kPlain, true},
    {"pidfile", ParsePath<&Files::pidfile>, Weight::kPlain, true},
    {"saveconfigdir", ParsePath<&Files::saveconfigdir>, Weight::kPlain, true},
});

}  // namespace

std::string_view StatisticName(Statistic statistic) {
  return kStatisticNames[static_cast<size_t>(statistic)];
}

std::optional<Statistic> FindStatistic(std::string_view name) {
  const size_t index = IndexOf(kStatisticNames, name);
  if (index == kStatisticCount) return std::nullopt;
  return static_cast<Statistic>(index);
}

std::string_view FilegenTypeName(FilegenType type) { return kTypeNames[static_cast<size_t>(type)]; }

std::optional<uint16_t> LogMask::Parse(std::string_view word) {
  if (word == "all") return kAllBits;
  if (word == "none") return uint16_t{0};
  uint16_t classes = 0;
  std::string_view kind;
  for (size_t c = 0; c < kClassNames.size(); ++c)
    if (word.starts_with(kClassNames[c])) {
      classes = static_cast<uint16_t>(0xfU << (c * 4));
      kind = word.substr(kClassNames[c].size());
    }
  if (word.starts_with("all")) {
    if (const size_t c = IndexOf(kClassNames, word.substr(3)); c != kClassNames.size())
      return static_cast<uint16_t>(0xfU << (c * 4));  // "allclock", as "clockall"
    classes = kAllBits;
    kind = word.substr(3);
  }
  if (classes == 0) return std::nullopt;
  if (kind == "all") return classes;
  const size_t k = IndexOf(kKindNames, kind);
  if (k == kKindNames.size()) return std::nullopt;
  return static_cast<uint16_t>(classes & (0x1111U << k));
}

std::string LogMask::ToString() const {
  std::string text;
  for (size_t c = 0; c < kClassNames.size(); ++c) {
    for (size_t k = 0; k < kKindNames.size(); ++k) {
      if (!Has(static_cast<LogClass>(c), static_cast<LogKind>(k))) continue;
      text += text.empty() ? "=" : " +";
      text += std::string(kClassNames[c]) + std::string(kKindNames[k]);
    }
  }
  return text.empty() ? "=all -all" : text;
}

std::span<const Directive> OutputDirectives() { return kDirectives; }

}  // namespace ntpward::config
