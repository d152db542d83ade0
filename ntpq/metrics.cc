#include "ntpq/metrics.h"

#include <algorithm>
#include <vector>

#include "ntpd/wire/status_word.h"
#include "ntpq/json_values.h"
#include "ntpq/metric_tables.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {
namespace {

// One association and what it said.
struct Source {
  Association association;
  Values variables;
};

// What one server said.
struct Findings {
  bool up = false;
  bool whole = true;   // nothing is missing but what the server does not know
  double seconds = 0;  // that the questions took
  timespec now{};
  uint16_t status = 0;
  Values variables;
  size_t associations = 0;
  std::vector<Source> sources;
};

// --- asking

void Append(Values& all, std::string_view payload) {
  for (NamedValue& value : ReadValues(payload)) all.push_back(std::move(value));
}

// A page without a part would look like one of a server that lacks it. Always false.
bool Lose(Session& session, AssocId assoc, const QueryError& error, Findings& findings) {
  session.Explain(error, assoc);
  findings.whole = false;
  return false;
}

bool IsRefused(const QueryError& error, wire::ControlError code) {
  return error.kind == QueryError::Kind::kRefused && error.code == code;
}

// A server that lacks one of the names refuses them all: then each is asked for alone, unless they
// are ours, of which it lacks all. False, after a complaint, when it gives no answer or does not
// allow it.
bool AddNamed(Session& session, AssocId assoc, std::span<const VariableMetric> set, Values& all,
              Findings& findings) {
  std::string names;
  for (const VariableMetric& metric : set) {
    names += names.empty() ? "" : ",";
    names += metric.variable;
  }
  const auto reply = session.Try(wire::ControlOp::kReadVariables, assoc, names);
  if (reply.ok()) {
    Append(all, reply->data);
    return true;
  }
  // It has gone since it was asked for all that it has.
  if (IsRefused(reply.error(), wire::ControlError::kBadAssociation)) return true;
  if (!IsRefused(reply.error(), wire::ControlError::kUnknownVariable))
    return Lose(session, assoc, reply.error(), findings);
  if (set.size() == 1 || IsOurs(set.front().variable)) return true;
  for (size_t i = 0; i < set.size(); ++i)
    if (!AddNamed(session, assoc, set.subspan(i, 1), all, findings)) return false;
  return true;
}

bool AddSystem(Session& session, Findings& findings) {
  const auto reply = session.Ask(wire::ControlOp::kReadVariables, AssocId{0}, "");
  if (!reply) return false;
  findings.up = true;
  findings.status = reply->status;
  Append(findings.variables, reply->data);
  for (const auto set : NamedSystemMetrics())
    if (!AddNamed(session, AssocId{0}, set, findings.variables, findings)) return false;
  return true;
}

// An association that has gone since the list was made is left out. False, after a complaint, when
// the server keeps another back.
bool AddSource(Session& session, Association association, Findings& findings) {
  const auto reply = session.Try(wire::ControlOp::kReadVariables, association.id, "");
  if (!reply.ok())
    return IsRefused(reply.error(), wire::ControlError::kBadAssociation) ||
           Lose(session, association.id, reply.error(), findings);
  association.status = reply->status;
  Source source{association, {}};
  Append(source.variables, reply->data);
  const bool go_on =
      AddNamed(session, association.id, NamedAssociationMetrics(), source.variables, findings);
  findings.sources.push_back(std::move(source));
  return go_on;
}

void AddSources(Session& session, Findings& findings) {
  const auto list = session.TryAssociationTable();
  if (!list.ok()) {
    Lose(session, AssocId{0}, list.error(), findings);
    return;
  }
  auto associations = DecodeAssociations(list->data);
  const auto same = [](const Association& a, const Association& b) { return a.id == b.id; };
  associations.erase(std::unique(associations.begin(), associations.end(), same),
                     associations.end());
  findings.associations = associations.size();
  for (size_t i = 0; i < std::min(associations.size(), kMaxMetricAssociations); ++i)
    if (!AddSource(session, associations[i], findings)) return;
}

Findings Ask(Session& session) {
  Findings findings;
  session.BeginCommand();
  const MonoTime start = session.host().transport->Now();
  if (AddSystem(session, findings)) AddSources(session, findings);
  findings.seconds = session.host().transport->Now() - start;
  findings.now = session.platform().Now();
  return findings;
}

// --- writing

constexpr MetricFamily kUp = {"ntpward_up", MetricType::kGauge, "",
                              "1 when the server answered all mode 6 queries."};
constexpr MetricFamily kDuration = {"ntpward_query_duration_seconds", MetricType::kGauge, "seconds",
                                    "How long the questions took."};
constexpr MetricFamily kServer = {"ntpward_server", MetricType::kInfo, "",
                                  "The server's version and reference."};
constexpr MetricFamily kSynchronized = {"ntpward_synchronized", MetricType::kGauge, "",
                                        "1 when the clock is synchronised."};
constexpr MetricFamily kAssociations = {"ntpward_associations", MetricType::kGauge, "",
                                        "Associations that the server has."};
constexpr MetricFamily kSourceInfo = {"ntpward_association", MetricType::kInfo, "",
                                      "What a source is."};
constexpr MetricFamily kSelection = {
    "ntpward_association_selection", MetricType::kGauge, "",
    "0 reject, 1 falseticker, 2 excess, 3 outlier, 4 candidate, 5 backup, 6 system peer, 7 PPS."};
constexpr MetricFamily kReachable = {"ntpward_association_reachable", MetricType::kGauge, "",
                                     "1 when one of the last eight polls was answered."};
constexpr MetricFamily kConfigured = {"ntpward_association_authentication_configured",
                                      MetricType::kGauge, "",
                                      "1 when packets of the source have to be authenticated."};
constexpr MetricFamily kAuthentic = {"ntpward_association_authenticated", MetricType::kGauge, "",
                                     "1 when the last packet of the source was authentic."};

// As the server sent it: the writer escapes it.
std::string RawText(const Values& values, std::string_view name) {
  return std::string(Find(values, name).value_or(""));
}

void WriteVariable(MetricsWriter& out, const VariableMetric& metric, const Values& values,
                   std::span<const MetricLabel> labels, const timespec& now) {
  const auto text = Find(values, metric.variable);
  const auto value = text ? MetricValue(*text, metric.scale, now) : std::nullopt;
  if (value) out.Sample(labels, *value);
}

void WriteSet(MetricsWriter& out, std::span<const VariableMetric> set, const Findings& findings) {
  for (const VariableMetric& metric : set) {
    out.Begin(metric.family);
    WriteVariable(out, metric, findings.variables, {}, findings.now);
  }
}

void WriteSystem(MetricsWriter& out, const Findings& findings) {
  const MetricLabel labels[] = {{"version", RawText(findings.variables, "version")},
                                {"refid", RawText(findings.variables, "refid")}};
  out.Begin(kServer);
  out.Sample(labels, 1);
  out.Begin(kSynchronized);
  out.Sample({}, wire::SystemStatus::FromWord(findings.status).leap == 3 ? 0 : 1);
  WriteSet(out, SystemMetrics(), findings);
  for (const auto set : NamedSystemMetrics()) WriteSet(out, set, findings);
  out.Begin(kAssociations);
  out.Sample({}, static_cast<double>(findings.associations));
}

// The number makes them differ, whatever the server says.
std::vector<MetricLabel> LabelsOf(const Source& source) {
  return {{"assid", std::to_string(source.association.id.value)},
          {"remote", RawText(source.variables, "srcadr")}};
}

void WriteSourceInfo(MetricsWriter& out, const Source& source) {
  std::vector<MetricLabel> labels = LabelsOf(source);
  labels.push_back({"name", RawText(source.variables, "srchost")});
  labels.push_back({"refid", RawText(source.variables, "refid")});
  const auto mode = MetricValue(RawText(source.variables, "hmode"), MetricScale::kPlain, {});
  const bool known = mode && *mode >= 0 && *mode < 9;
  labels.push_back({"mode", known ? std::string(ModeName(static_cast<uint64_t>(*mode))) : ""});
  out.Sample(labels, 1);
}

template <typename Value>
void WriteStatus(MetricsWriter& out, const MetricFamily& family, const Findings& findings,
                 const Value& value) {
  out.Begin(family);
  for (const Source& source : findings.sources)
    out.Sample(LabelsOf(source), value(wire::PeerStatus::FromWord(source.association.status)));
}

void WriteSources(MetricsWriter& out, const Findings& findings) {
  using Status = const wire::PeerStatus&;
  out.Begin(kSourceInfo);
  for (const Source& source : findings.sources) WriteSourceInfo(out, source);
  WriteStatus(out, kSelection, findings,
              [](Status status) { return static_cast<double>(status.selection); });
  WriteStatus(out, kReachable, findings, [](Status status) { return status.reachable ? 1 : 0; });
  WriteStatus(out, kConfigured, findings,
              [](Status status) { return status.auth_enabled ? 1 : 0; });
  WriteStatus(out, kAuthentic, findings, [](Status status) { return status.authentic ? 1 : 0; });
  for (const auto set : {AssociationMetrics(), NamedAssociationMetrics()}) {
    for (const VariableMetric& metric : set) {
      out.Begin(metric.family);
      for (const Source& source : findings.sources)
        WriteVariable(out, metric, source.variables, LabelsOf(source), findings.now);
    }
  }
}

void Write(Session& session, MetricsFormat format, const Findings& findings) {
  MetricsWriter out(format);
  out.Begin(kUp);
  out.Sample({}, findings.up ? 1 : 0);
  out.Begin(kDuration);
  out.Sample({}, findings.seconds);
  if (findings.up) {
    WriteSystem(out, findings);
    WriteSources(out, findings);
  }
  session.Print(out.Finish());
}

}  // namespace

void PrintMetrics(Session& session, MetricsFormat format) {
  Findings findings = Ask(session);
  if (!findings.whole) findings.up = false;
  Write(session, format, findings);
}

void PrintDown(Session& session, MetricsFormat format) { Write(session, format, {}); }

}  // namespace ntpward::ntpq
