#include "ntpd/control/variable_table.h"
#include "ntpd/control/variables.h"
#include "ntpd/wire/refid.h"

namespace ntpward::control {
namespace {

using Name = std::string_view;
using Out = wire::VariableListWriter;
using View = ClockView;
using Entry = VariableEntry<ClockView>;

std::string VariableNames();

// Written by default only when there is something to tell; by name, 0 stands for "not set".
void WriteOptional(Name name, const std::optional<double>& seconds, Out& out) {
  AddMilliseconds(out, name, seconds.value_or(0));
}

// The order is part of the protocol: named variables are answered in it.
constexpr Entry kTable[] = {
    {"type", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.type); }},
    {"timecode", [](Name n, const View& v, Out& o) { o.AddQuoted(n, v.timecode); }},
    {"poll", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.polls); }},
    {"noreply", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.no_reply); }},
    {"badformat", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.bad_format); }},
    {"baddata", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.bad_data); }},
    {"fudgetime1", [](Name n, const View& v, Out& o) { WriteOptional(n, v.fudge_time1_s, o); }},
    {"fudgetime2", [](Name n, const View& v, Out& o) { WriteOptional(n, v.fudge_time2_s, o); }},
    {"stratum", [](Name n, const View& v, Out& o) { o.AddSigned(n, v.stratum.value_or(0)); }},
    {"refid",
     [](Name n, const View& v, Out& o) { o.Add(n, wire::RefidText(v.refid.value_or(0), 0)); }},
    {"flags", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.flags); }},
    {"device", [](Name n, const View& v, Out& o) { o.AddQuoted(n, v.device); }},
    {"clock_var_list", [](Name n, const View&, Out& o) { o.AddQuoted(n, VariableNames()); }},
    {"minjitter", [](Name n, const View& v, Out& o) { WriteOptional(n, v.min_jitter_s, o); }},
};

std::string VariableNames() { return JoinNames<View>(kTable); }

std::vector<std::string_view> Defaults(const View& view) {
  std::vector<std::string_view> names = {view.device.empty() ? "type" : "device"};
  for (std::string_view name : {"timecode", "poll", "noreply", "badformat", "baddata"})
    names.push_back(name);
  if (view.min_jitter_s) names.push_back("minjitter");
  if (view.fudge_time1_s) names.push_back("fudgetime1");
  if (view.fudge_time2_s) names.push_back("fudgetime2");
  if (view.stratum) names.push_back("stratum");
  if (view.refid) names.push_back("refid");
  names.push_back("flags");
  return names;
}

}  // namespace

Result<wire::VariableListWriter, wire::ControlError> ReadClock(
    const ClockView& view, std::span<const std::string_view> names) {
  for (std::string_view name : names)
    if (FindVariable<View>(kTable, name) == nullptr)
      return Fail(wire::ControlError::kUnknownVariable);
  Out out;
  if (names.empty())
    WriteInOrder<View>(kTable, view, Defaults(view), out);
  else
    WriteNamed<View>(kTable, view, names, out);
  out.Finish();
  return out;
}

}  // namespace ntpward::control
