// privsep: the processes of a server of ntpward.
#include <array>

#include "ntpq/command.h"
#include "ntpq/processes.h"

namespace ntpward::ntpq {
namespace {

constexpr std::string_view kProcesses = "privsep";

void ExplainNoProcesses(Session& session, const QueryError& error) {
  const bool refused = error.kind == QueryError::Kind::kRefused;
  const std::string name = session.has_host() ? session.host().name : "";
  if (refused && error.code == wire::ControlError::kUnknownVariable) {
    session.PrintError(session.HostPrefix() + "***" + name +
                           " does not tell of its processes: it is no ntpward, or an older one\n",
                       ErrorKind::kRefused);
  } else if (refused && error.code == wire::ControlError::kPermission) {
    session.PrintError(
        session.HostPrefix() + "***" + name +
            " tells of its processes only on its own host (ntpq 127.0.0.1), or to who has "
            "its control key\n    (keyid, passwd, authenticate yes)\n",
        ErrorKind::kRefused);
  } else {
    session.Explain(error, AssocId{0});
  }
}

void ShowProcesses(Session& session, const Arguments&) {
  const auto reply = session.Try(wire::ControlOp::kReadVariables, AssocId{0}, kProcesses);
  if (!reply.ok()) return ExplainNoProcesses(session, reply.error());
  const auto rows = ReadProcesses(ReadValues(reply->data));
  if (rows.empty())
    session.PrintError(session.HostPrefix() + "***" + session.host().name +
                           " does not know yet how its processes are\n",
                       ErrorKind::kAnswer);
  else if (session.settings.json)
    WriteProcesses(session.BeginResult(), rows);
  else
    session.Print(ProcessTable(rows));
}

constexpr std::array kCommands = {
    Command{"privsep",
            ShowProcesses,
            {},
            "show the daemon's processes, and how the kernel says that they are confined",
            true},
};

}  // namespace

std::span<const Command> ProcessCommands() { return kCommands; }

}  // namespace ntpward::ntpq
