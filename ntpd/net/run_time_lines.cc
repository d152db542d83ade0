#include "ntpd/net/run_time_lines.h"

#include <algorithm>

#include "ntpd/net/system_counters.h"

namespace ntpward::net {
namespace {

constexpr std::string_view kSucceeded = "Config Succeeded";
constexpr std::string_view kResetSyntax =
    "syntax error: expected allpeers, auth, ctl, io, mem, sys or timer";

std::string Refused(const settings::Refusal& refusal) {
  return "column " + std::to_string(refusal.column) + " " + refusal.text;
}

}  // namespace

void RunTimeLines::SetFile(settings::Settings file, const std::vector<msg::RuntimeLine>& kept) {
  file_ = std::move(file);
  now_ = file_;
  for (const msg::RuntimeLine& line : kept) {
    auto change = settings::Apply(line.line.text(), line.subject.text(), file_, now_);
    if (change.ok()) {
      now_ = std::move(change->after);
    } else {
      node_->reporter.Log(LogLevel::kNotice, "config that ntpq gave earlier is left out: " +
                                                 std::string(line.line.text()) + ": " +
                                                 change.error().text);
    }
  }
}

// By its number, or by an address that no line names: a pool's, a name's, or one that came by
// itself.
bool RunTimeLines::JudgeUnpeer(std::string_view line, Judged* judged) const {
  const auto unpeer = settings::UnpeerOf(line);
  if (!unpeer) return false;
  const bool by_number = unpeer->assoc.value != 0;
  if (!by_number && settings::Apply(line, "", file_, now_).ok()) return false;
  std::optional<AssocId> id;
  if (by_number) {
    id = unpeer->assoc;
  } else if (const auto address = IpAddress::Parse(unpeer->host)) {
    id = upstreams_->FindAddress(*address);
  }
  const auto origin = id ? upstreams_->OriginOf(*id) : std::nullopt;
  if (!origin) return false;
  if (origin->own_line) {
    judged->plan.subject = origin->label;
    return false;
  }
  judged->end = id;
  return true;
}

// True when the line takes an entry away that is there.
bool RunTimeLines::JudgeSourceEntry(std::string_view line, Judged* judged) const {
  const auto address = settings::SourceEntryOf(line);
  if (!address) return false;
  const auto entries = node_->access.Entries();
  const bool there = std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
    return entry.origin == core::AccessOrigin::kSource && entry.address == *address;
  });
  if (there) judged->source_entry = address;
  return there;
}

// A pool or a name may have brought it: it must not get two votes. Nor must this host follow
// itself.
std::optional<std::string> RunTimeLines::AddressRefused(const settings::Change& change) const {
  if (change.after.associations.size() <= now_.associations.size()) return std::nullopt;
  const msg::NetAssociation& line = change.after.associations.back();
  const IpAddress& address = line.address;
  if (address.is_none()) return std::nullopt;
  if (upstreams_->Has(address)) return "column 0 " + address.ToString() + " is followed already";
  using Kind = msg::NetAssociationKind;
  const bool follows =
      line.kind == Kind::kServer || line.kind == Kind::kPeer || line.kind == Kind::kPool;
  if (!follows || !upstreams_->IsThisHost(address)) return std::nullopt;
  return "column 0 " + address.ToString() + " is an address of this host: expected another host's";
}

RunTimeLines::Judged RunTimeLines::Judge(std::string_view line) const {
  Judged judged;
  if (control::IsReset(line)) {
    const auto groups = control::ParseReset(line);
    if (groups.ok())
      judged.reset = *groups;
    else
      judged.plan.refusal = Refused({groups.error(), std::string(kResetSyntax)});
    return judged;
  }
  if (JudgeUnpeer(line, &judged) || JudgeSourceEntry(line, &judged)) return judged;
  auto change = settings::Apply(line, judged.plan.subject, file_, now_);
  if (!change.ok()) {
    judged.plan.refusal = Refused(change.error());
  } else if (auto refused = AddressRefused(*change)) {
    judged.plan.refusal = std::move(*refused);
  } else {
    judged.plan.keep = true;
    judged.change = std::move(change).value();
  }
  return judged;
}

LinePlan RunTimeLines::Plan(std::string_view line) const { return Judge(line).plan; }

LineOutcome RunTimeLines::Do(std::string_view line) {
  const Judged judged = Judge(line);
  if (!judged.plan.refusal.empty()) return {judged.plan.refusal};
  if (judged.reset) {
    ResetCounters(*judged.reset, node_);
    if (judged.reset->control) on_control_reset_();
  }
  if (judged.end) upstreams_->End(*judged.end);
  if (judged.source_entry) (void)node_->access.RemoveSourceEntry(*judged.source_entry);
  std::string answer(kSucceeded);
  if (judged.change) {
    for (const std::string& warning : judged.change->warnings) {
      node_->reporter.Audit(LogLevel::kWarning, "config: " + warning);
      answer += "\r\nwarning: " + warning;
    }
    now_ = judged.change->after;
    on_change_(*judged.change);
  }
  return {std::move(answer), true};
}

}  // namespace ntpward::net
