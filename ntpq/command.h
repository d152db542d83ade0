// The command language: what a line means, which commands there are, what arguments they take.
//
// Lines come from the user; the table says all that is known about a command but what it does.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ntpq/session.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {

inline constexpr size_t kMaxArguments = 4;

enum class ArgumentKind : uint8_t {
  kNone,
  kText,
  kNumber,       // decimal
  kAssociation,  // a number, &N for the Nth of the list, or a loopback address for the system
  kFamily,       // -4 or -6
};

struct ArgumentSpec {
  ArgumentKind kind = ArgumentKind::kNone;
  bool optional = false;
  std::string_view name;  // as help shows it
};

struct Argument {
  std::string text;     // as typed
  uint32_t number = 0;  // of kNumber, kAssociation and kFamily (4 or 6)
};
using Arguments = std::vector<Argument>;

struct Command {
  std::string_view name;
  void (*run)(Session&, const Arguments&);
  std::array<ArgumentSpec, kMaxArguments> arguments;
  std::string_view purpose;
  bool own = false;  // the reference's ntpq does not have it
};

// All commands, by family.
std::span<const Command> LocalCommands();       // commands_local.cc
std::span<const Command> VariableCommands();    // commands_variables.cc
std::span<const Command> PeerCommands();        // commands_peers.cc
std::span<const Command> TableCommands();       // commands_tables.cc
std::span<const Command> ListCommands();        // commands_lists.cc
std::span<const Command> MruCommands();         // commands_mru.cc
std::span<const Command> ControlCommands();     // commands_control.cc
std::span<const Command> ExplainingCommands();  // commands_why.cc
std::span<const Command> ProcessCommands();     // commands_privsep.cc
std::span<const Command> AutokeyCommands();     // commands_autokey.cc
std::span<const Command> WatchCommands();       // commands_watch.cc
// The whole table, sorted by name.
std::vector<const Command*> AllCommands();

// Exact name, else unique prefix.
struct Found {
  const Command* command = nullptr;
  bool ambiguous = false;
};
Found FindCommand(std::string_view name);

// "ntpq 4.2.8 (ntpward X.Y)": the protocol level first, and no second number with two dots, since
// monitoring plugins compare it. `ntpq --help` has all of ours.
std::string VersionText();

// "peers [ -4|-6 ]".
std::string Usage(const Command& command);

// "associd=0 status=0615 leap_none, ...,": what precedes the variables of a whole answer.
void PrintStatusLine(Session& session, AssocId assoc, Scope scope, uint16_t status);

// The same for documents, variables included: {"assid": ..., "status": ..., "variables": ...}.
void WriteAnswer(Session& session, JsonWriter& json, AssocId assoc, Scope scope,
                 const Reply& reply);

// As the billboard calls an association with these variables; as the server sent it.
std::string SourceName(const Values& variables, AssocId id, const Display& display);

// The files that a line names, for opening them ahead; empty when it names none.
struct NamedFiles {
  std::string written;  // by redirection
  std::string read;     // by config-from-file
};
NamedFiles FilesOf(std::string_view line);

// Whether a line holds a password, or would if its first word were whole: it must not be kept.
bool HoldsSecret(std::string_view line);

// Runs one line; everything there is to say has been said. True when the line named a command that
// printed to standard output (which decides about the empty line after it in batch mode).
bool RunLine(Session& session, std::string_view line);

// A server to visit, as the user named it.
struct HostArgument {
  std::string name;
  Family family = Family::kNone;  // kNone: either
};

// Opens a host that the command line named. With settings.json a failure is a document, of `host`.
bool VisitHost(Session& session, const HostArgument& host);

// Runs the commands for each host, with an empty line between outputs.
void RunBatch(Session& session, const std::vector<HostArgument>& hosts,
              const std::vector<std::string>& commands);

}  // namespace ntpward::ntpq
