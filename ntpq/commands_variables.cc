// Commands that read variables of the system, of associations and of clocks, and show all of them.
#include <algorithm>
#include <array>
#include <cstdio>

#include "ntpd/wire/variable_list.h"
#include "ntpq/change.h"
#include "ntpq/command.h"
#include "ntpq/json_values.h"
#include "ntpq/json_variables.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

using enum ArgumentKind;

// What is asked, and how an empty answer is called.
struct Question {
  wire::ControlOp op = wire::ControlOp::kReadVariables;
  AssocId assoc;
  std::string names;

  Scope scope() const {
    if (op == wire::ControlOp::kReadClock) return Scope::kClock;
    return assoc.value == 0 ? Scope::kSystem : Scope::kPeer;
  }
};

std::string StatusText(Scope scope, uint16_t status) {
  switch (scope) {
    case Scope::kSystem:
      return wire::Describe(wire::SystemStatus::FromWord(status));
    case Scope::kPeer:
      return wire::Describe(wire::PeerStatus::FromWord(status));
    case Scope::kClock:
      return wire::Describe(wire::ClockStatus::FromWord(status));
  }
  return "";
}

std::string NothingText(const Question& question) {
  if (question.assoc.value != 0)
    return "No information returned for association " + std::to_string(question.assoc.value) + "\n";
  return question.scope() == Scope::kClock ? "No system clock variables returned\n"
                                           : "No system variables returned\n";
}

void PrintVariables(Session& session, const Question& question, const Reply& reply) {
  if (session.settings.raw) {
    session.Print(PrintableLines(reply.data));
    return;
  }
  const Display display = session.display();
  ItemLines lines;
  wire::VariableListReader reader(reply.data);
  while (true) {
    const auto next = reader.Next();
    if (!next.ok()) {
      session.Warn(DamageText(next.error()));
      if (next.error() != wire::VariableReject::kValueTooLong) break;
      continue;
    }
    if (!next->has_value()) break;
    lines.Add(CookVariable(**next, question.scope(), display));
  }
  session.Print(lines.Finish());
}

void PrintAnswer(Session& session, const Question& question, const Reply& reply) {
  if (reply.data.empty()) {
    session.Print(session.HostPrefix() + NothingText(question));
    return;
  }
  if (question.names.empty() || session.settings.old_rv)
    PrintStatusLine(session, question.assoc, question.scope(), reply.status);
  else
    session.Print(session.HostPrefix());
  PrintVariables(session, question, reply);
}

bool AskAndPrint(Session& session, const Question& question) {
  const auto reply = session.Ask(question.op, question.assoc, question.names);
  if (!reply) return false;
  if (session.settings.json)
    WriteAnswer(session, session.BeginResult(), question.assoc, question.scope(), *reply);
  else
    PrintAnswer(session, question, *reply);
  return true;
}

// Arguments from `first` on as one list.
std::string JoinNames(const Arguments& arguments, size_t first) {
  std::string names;
  for (size_t i = first; i < arguments.size(); ++i)
    names += (names.empty() ? "" : ",") + arguments[i].text;
  return names;
}

std::string ListedNames(const Session& session, bool values) {
  std::string names;
  for (const ListedVariable& listed : session.variables) {
    names += (names.empty() ? "" : ",") + listed.name;
    if (values && !listed.value.empty()) names += "=" + listed.value;
  }
  return names;
}

// The optional first argument.
std::optional<AssocId> AssociationOf(Session& session, const Arguments& arguments) {
  const uint32_t number = arguments.empty() ? 0 : arguments[0].number;
  if (number <= 0xffff) return AssocId{static_cast<uint16_t>(number)};
  session.PrintError("***Invalid association ID " + arguments[0].text + " specified\n");
  return std::nullopt;
}

void Read(Session& session, wire::ControlOp op, const Arguments& arguments, std::string names) {
  if (const auto assoc = AssociationOf(session, arguments))
    AskAndPrint(session, Question{op, *assoc, std::move(names)});
}

void ReadVariables(Session& session, const Arguments& arguments) {
  Read(session, wire::ControlOp::kReadVariables, arguments, JoinNames(arguments, 1));
}
void ReadList(Session& session, const Arguments& arguments) {
  Read(session, wire::ControlOp::kReadVariables, arguments, ListedNames(session, false));
}
void ClockVariables(Session& session, const Arguments& arguments) {
  Read(session, wire::ControlOp::kReadClock, arguments, JoinNames(arguments, 1));
}
void ClockList(Session& session, const Arguments& arguments) {
  Read(session, wire::ControlOp::kReadClock, arguments, ListedNames(session, false));
}

// The position of an association in the list, which has been fetched; none after a complaint.
std::optional<size_t> PositionOf(Session& session, const Argument& argument) {
  const uint32_t number = argument.number;
  if (number == 0 || number > 0xffff) {
    session.PrintError("***Invalid association ID " + std::to_string(number) + " specified\n");
    return std::nullopt;
  }
  const auto& list = session.associations();
  const auto found = std::find_if(list.begin(), list.end(), [&](const Association& association) {
    return association.id.value == number;
  });
  if (found != list.end()) return static_cast<size_t>(found - list.begin());
  session.PrintError("***Association ID " + std::to_string(number) + " not found in list\n");
  return std::nullopt;
}

// The associations of a range, both ends included; none after a complaint.
std::vector<Association> Range(Session& session, const Arguments& arguments) {
  if (session.associations().empty() && !session.FetchAssociations()) return {};
  const auto low = PositionOf(session, arguments[0]);
  const auto high = low ? PositionOf(session, arguments[1]) : std::nullopt;
  if (!high) return {};
  const auto [first, last] = std::minmax(*low, *high);
  const auto begin = session.associations().begin();
  return {begin + static_cast<std::ptrdiff_t>(first),
          begin + static_cast<std::ptrdiff_t>(last) + 1};
}

void WriteRange(Session& session, const std::vector<Association>& range, const std::string& names) {
  JsonWriter& json = session.BeginResult();
  json.BeginObject();
  json.Key("associations");
  json.BeginArray();
  for (const Association& association : range) {
    const auto reply = session.Ask(wire::ControlOp::kReadVariables, association.id, names);
    if (!reply) break;
    WriteAnswer(session, json, association.id, Scope::kPeer, *reply);
  }
  json.EndArray();
  json.EndObject();
}

void ReadRange(Session& session, const Arguments& arguments, const std::string& names,
               std::string_view separator) {
  const std::vector<Association> range = Range(session, arguments);
  if (range.empty()) return;
  if (session.settings.json) return WriteRange(session, range, names);
  for (size_t i = 0; i < range.size(); ++i) {
    if (i > 0) session.Print(separator);
    const Question question{wire::ControlOp::kReadVariables, range[i].id, names};
    if (!AskAndPrint(session, question)) return;
  }
}

void ReadMany(Session& session, const Arguments& arguments) {
  ReadRange(session, arguments, JoinNames(arguments, 2), "");
}
void ReadManyLists(Session& session, const Arguments& arguments) {
  ReadRange(session, arguments, ListedNames(session, false), "\n");
}

void Write(Session& session, AssocId assoc, const std::string& values) {
  // Nothing of an association can be written: such a request is refused, and good for nothing.
  constexpr auto kOp = wire::ControlOp::kWriteVariables;
  const auto reply = assoc.value == 0 ? SendChange(session, kOp, values)
                                      : session.Try(kOp, assoc, values, Auth::kAlways);
  if (!reply.ok()) return session.Explain(reply.error(), assoc);
  const Question question{wire::ControlOp::kReadVariables, assoc, {}};
  if (session.settings.json) {
    WriteAnswer(session, session.BeginResult(), assoc, question.scope(), *reply);
  } else if (reply->data.empty()) {
    session.Print("done! (no data returned)\n");
  } else {
    PrintStatusLine(session, question.assoc, question.scope(), reply->status);
    PrintVariables(session, question, *reply);
  }
}

void WriteVariable(Session& session, const Arguments& arguments) {
  if (const auto assoc = AssociationOf(session, arguments))
    Write(session, *assoc, JoinNames(arguments, 1));
}

void WriteList(Session& session, const Arguments& arguments) {
  if (session.variables.empty()) {
    session.PrintError("No variables on list\n");
    return;
  }
  if (const auto assoc = AssociationOf(session, arguments))
    Write(session, *assoc, ListedNames(session, true));
}

constexpr ArgumentSpec kOptionalAssociation = {kAssociation, true, "assocID"};
constexpr ArgumentSpec kValues = {kText, true, "name=value[,...]"};
constexpr std::array<ArgumentSpec, kMaxArguments> kReadArguments = {{kOptionalAssociation,
                                                                     {kText, true, "varname1"},
                                                                     {kText, true, "varname2"},
                                                                     {kText, true, "varname3"}}};
constexpr std::array<ArgumentSpec, kMaxArguments> kRange = {
    {{kAssociation, false, "assocIDlow"}, {kAssociation, false, "assocIDhigh"}}};
constexpr std::array<ArgumentSpec, kMaxArguments> kRangeNames = {
    {{kAssociation, false, "assocIDlow"}, {kAssociation, false, "assocIDhigh"}, kValues}};

constexpr std::string_view kReadPurpose = "read system or peer variables";
constexpr std::string_view kListPurpose =
    "read the system or peer variables included in the variable list";
constexpr std::string_view kManyPurpose = "read variables of a range of associations";
constexpr std::string_view kManyListPurpose =
    "read the listed variables of a range of associations";
constexpr std::string_view kClockPurpose = "read the variables of a reference clock";
constexpr std::string_view kClockListPurpose = "read the listed variables of a reference clock";

constexpr std::array kCommands = {
    Command{"readvar", ReadVariables, kReadArguments, kReadPurpose},
    Command{"rv", ReadVariables, kReadArguments, kReadPurpose},
    Command{"readlist", ReadList, {{kOptionalAssociation}}, kListPurpose},
    Command{"rl", ReadList, {{kOptionalAssociation}}, kListPurpose},
    Command{"mreadvar", ReadMany, kRangeNames, kManyPurpose},
    Command{"mrv", ReadMany, kRangeNames, kManyPurpose},
    Command{"mreadlist", ReadManyLists, kRange, kManyListPurpose},
    Command{"mrl", ReadManyLists, kRange, kManyListPurpose},
    Command{"clockvar", ClockVariables, {{kOptionalAssociation, kValues}}, kClockPurpose},
    Command{"cv", ClockVariables, {{kOptionalAssociation, kValues}}, kClockPurpose},
    Command{"clocklist", ClockList, {{kOptionalAssociation}}, kClockListPurpose},
    Command{"cl", ClockList, {{kOptionalAssociation}}, kClockListPurpose},
    Command{"writevar",
            WriteVariable,
            {{{kAssociation, false, "assocID"}, {kText, false, "name=value,[...]"}}},
            "write system or peer variables"},
    Command{"writelist",
            WriteList,
            {{kOptionalAssociation}},
            "write the variables included in the variable list"},
};

}  // namespace

void WriteAnswer(Session& session, JsonWriter& json, AssocId assoc, Scope scope,
                 const Reply& reply) {
  json.BeginObject();
  json.Key("assid").Unsigned(assoc.value);
  json.Key("status");
  WriteStatus(json, scope, reply.status);
  json.Key("variables");
  WriteVariables(json, reply.data, {session.settings.raw, session.platform().Now()},
                 [&](std::string_view text) { session.Warn(text); });
  json.EndObject();
}

void PrintStatusLine(Session& session, AssocId assoc, Scope scope, uint16_t status) {
  std::array<char, 8> word;
  std::snprintf(word.data(), word.size(), "%04x", status);
  const std::string start =
      session.HostPrefix() + "associd=" + std::to_string(assoc.value) + " status=";
  if (session.settings.raw)
    session.Print(start + "0x" + word.data() + ",\n");
  else
    session.Print(start + word.data() + " " + StatusText(scope, status) + ",\n");
}

std::span<const Command> VariableCommands() { return kCommands; }

}  // namespace ntpward::ntpq
