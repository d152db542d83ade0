// Lines of configuration that ntpq gives while the daemon runs, on top of what the supervisor told.
//
// Their senders have shown the control key to ntpd-keys, which has the supervisor keep what stays
// in force: a successor of this process gets it from there. Nothing is kept here but the outcome.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/control/reset.h"
#include "ntpd/net/node.h"
#include "ntpd/net/upstreams.h"
#include "ntpd/settings/run_time_line.h"
#include "privsep/msg/runtime_line.h"

namespace ntpward::net {

// What would become of a line.
struct LinePlan {
  std::string refusal;  // the answer, if it is refused
  bool keep = false;    // it stays in force
  std::string subject;  // the host of the line that it ends by a number or an address
};

// What became of one.
struct LineOutcome {
  std::string text;  // the answer
  bool done = false;
};

class RunTimeLines {
 public:
  using OnChange = std::function<void(const settings::Change&)>;

  // Both must outlive this object.
  RunTimeLines(Node* node, Upstreams* upstreams) : node_(node), upstreams_(upstreams) {}
  // Who puts a change in force.
  void SetOnChange(OnChange on_change) { on_change_ = std::move(on_change); }

  // Who resets the counters of mode 6.
  void SetOnControlReset(std::function<void()> reset) { on_control_reset_ = std::move(reset); }

  // A whole configuration, with the lines that were kept. One that no longer applies is left out,
  // and the operator hears of it.
  void SetFile(settings::Settings file, const std::vector<msg::RuntimeLine>& kept);
  const settings::Settings& in_force() const { return now_; }

  // Changes nothing. `line`: without its nonce.
  LinePlan Plan(std::string_view line) const;
  // Does what an authorised line says, if it still can be done.
  LineOutcome Do(std::string_view line);

 private:
  struct Judged {
    LinePlan plan;
    std::optional<settings::Change> change;
    std::optional<AssocId> end;             // one that has no line of its own
    std::optional<IpAddress> source_entry;  // of the access list, to go
    std::optional<control::ResetGroups> reset;
  };
  Judged Judge(std::string_view line) const;
  // True when the line was about one association that is there, or that nobody knows.
  bool JudgeUnpeer(std::string_view line, Judged* judged) const;
  bool JudgeSourceEntry(std::string_view line, Judged* judged) const;
  std::optional<std::string> AddressRefused(const settings::Change& change) const;

  Node* node_;
  Upstreams* upstreams_;
  std::function<void()> on_control_reset_ = [] {};
  OnChange on_change_ = [](const settings::Change&) {};
  settings::Settings file_;
  settings::Settings now_;
};

}  // namespace ntpward::net
