#include "ntpq/command.h"

#include <algorithm>

#include "ntpd/wire/variable_values.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kMaxLine = 512;

struct Line {
  std::vector<std::string> words;
  bool discard = false;  // a leading '~'
  std::optional<std::string> redirect;
};

// One word; double quotes keep blanks.
std::string TakeWord(std::string_view& rest) {
  std::string word;
  bool quoted = false;
  while (!rest.empty() && (quoted || !IsBlank(rest.front()))) {
    if (rest.front() == '"')
      quoted = !quoted;
    else
      word += rest.front();
    rest.remove_prefix(1);
  }
  return word;
}

void SkipBlanks(std::string_view& rest) {
  while (!rest.empty() && IsBlank(rest.front())) rest.remove_prefix(1);
}

std::vector<std::string> Split(std::string_view rest) {
  std::vector<std::string> words;
  SkipBlanks(rest);
  const bool takes_rest = rest.starts_with(':');
  while (!rest.empty()) {
    words.push_back(TakeWord(rest));
    SkipBlanks(rest);
    if (!takes_rest || rest.empty()) continue;
    while (IsBlank(rest.back())) rest.remove_suffix(1);
    words.emplace_back(rest);
    break;
  }
  return words;
}

// Removes "> FILE" from the end; false when the name is missing.
bool TakeRedirect(Line& line) {
  const size_t count = line.words.size();
  if (count == 0 || line.words.front().starts_with(':')) return true;
  if (line.words.back() == ">") return false;
  if (count >= 2 && line.words[count - 2] == ">") {
    line.redirect = line.words.back();
    line.words.resize(count - 2);
  } else if (count >= 2 && line.words.back().starts_with('>')) {
    line.redirect = line.words.back().substr(1);
    line.words.pop_back();
  }
  return true;
}

// None when a redirection lacks its file.
std::optional<Line> ParseLine(std::string_view text) {
  Line line;
  text = Cut(text, kMaxLine);
  SkipBlanks(text);
  line.discard = text.starts_with('~');
  if (line.discard) text.remove_prefix(1);
  line.words = Split(text);
  if (!TakeRedirect(line)) return std::nullopt;
  return line;
}

std::optional<uint32_t> ToNumber(std::string_view text) {
  const auto number = wire::DecodeUnsigned(text);
  if (!number || *number > 0xffffffffU) return std::nullopt;
  return static_cast<uint32_t>(*number);
}

bool IllegalNumber(Session& session, const std::string& text) {
  session.PrintError("***Illegal unsigned value " + text + "\n");
  return false;
}

// "&N": the Nth association of the sorted list, the last one when there are fewer.
bool ParseIndex(Session& session, Argument& argument) {
  const auto index = ToNumber(std::string_view(argument.text).substr(1));
  if (!index) {
    session.PrintError("***Association index `" + argument.text + "' invalid/undecodable\n");
    return false;
  }
  argument.number = 0;
  if (*index == 0) return true;
  if (session.associations().empty() && !session.FetchAssociations()) return false;
  const auto& list = session.associations();
  if (list.empty()) {
    session.PrintError("***Association for `" + argument.text + "' unknown\n");
    return false;
  }
  argument.number = list[std::min<size_t>(*index, list.size()) - 1].id.value;
  return true;
}

bool ParseAssociation(Session& session, Argument& argument) {
  if (argument.text.starts_with('&')) return ParseIndex(session, argument);
  // Scripts ask `rv 127.0.0.1` and mean the server's own variables.
  if (const auto address = IpAddress::Parse(argument.text); address && address->is_loopback())
    return true;
  const auto number = ToNumber(argument.text);
  if (!number) return IllegalNumber(session, argument.text);
  argument.number = *number;
  return true;
}

bool ParseArgument(Session& session, ArgumentKind kind, Argument& argument) {
  switch (kind) {
    case ArgumentKind::kNone:
    case ArgumentKind::kText:
      return true;
    case ArgumentKind::kAssociation:
      return ParseAssociation(session, argument);
    case ArgumentKind::kNumber: {
      const auto number = ToNumber(argument.text);
      if (!number) return IllegalNumber(session, argument.text);
      argument.number = *number;
      return true;
    }
    case ArgumentKind::kFamily:
      if (argument.text == "-4" || argument.text == "-6") {
        argument.number = argument.text == "-4" ? 4 : 6;
        return true;
      }
      session.PrintError("***Version must be either 4 or 6\n");
      return false;
  }
  return false;
}

// The arguments that `command` takes out of `words`; none after a complaint.
std::optional<Arguments> ParseArguments(Session& session, const Command& command,
                                        const std::vector<std::string>& words) {
  for (size_t i = kMaxArguments + 1; i < words.size(); ++i)
    session.PrintError("***Extra arg `" + words[i] + "' ignored\n");
  Arguments arguments;
  for (size_t i = 0; i < kMaxArguments; ++i) {
    const ArgumentSpec& spec = command.arguments[i];
    if (spec.kind == ArgumentKind::kNone) break;
    if (i + 1 >= words.size()) {
      if (spec.optional) break;
      session.PrintError("usage: " + Usage(command) + "\n");
      return std::nullopt;
    }
    Argument argument{words[i + 1], 0};
    if (!ParseArgument(session, spec.kind, argument)) return std::nullopt;
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

enum class Outcome : uint8_t { kUnknown, kBadArguments, kRan };

Outcome Execute(Session& session, const Found& found, const Line& line) {
  if (found.command == nullptr || found.ambiguous) {
    session.PrintError("***Command `" + line.words[0] + "' " +
                       (found.ambiguous ? "ambiguous" : "unknown") + "\n");
    return Outcome::kUnknown;
  }
  session.BeginCommand();
  const auto arguments = ParseArguments(session, *found.command, line.words);
  if (!arguments) return Outcome::kBadArguments;
  found.command->run(session, *arguments);
  session.TellDoubt();
  return Outcome::kRan;
}

// The same, with its document where one is wanted.
Outcome ExecuteAndTell(Session& session, const Line& line) {
  const Found found = FindCommand(line.words[0]);
  if (!session.settings.json) return Execute(session, found, line);
  const bool known = found.command != nullptr && !found.ambiguous;
  session.BeginDocument(known ? std::string(found.command->name) : line.words[0]);
  const Outcome outcome = Execute(session, found, line);
  session.EndDocument();
  return outcome;
}

Outcome ExecuteRedirected(Session& session, const Line& line) {
  session.BeginCapture();
  const Outcome outcome = ExecuteAndTell(session, line);
  const std::string text = session.EndCapture();
  if (line.discard || (text.empty() && outcome != Outcome::kRan)) return outcome;
  if (auto written = session.platform().WriteFile(*line.redirect, text); !written.ok())
    session.PrintError("***" + written.error().text + "\n");
  return outcome;
}

}  // namespace

std::vector<const Command*> AllCommands() {
  std::vector<const Command*> all;
  for (auto family : {LocalCommands(), VariableCommands(), PeerCommands(), TableCommands(),
                      ListCommands(), MruCommands(), ControlCommands(), ExplainingCommands(),
                      ProcessCommands(), AutokeyCommands(), WatchCommands()})
    for (const Command& command : family) all.push_back(&command);
  std::sort(all.begin(), all.end(),
            [](const Command* a, const Command* b) { return a->name < b->name; });
  return all;
}

Found FindCommand(std::string_view name) {
  if (name == "?") name = "help";
  Found found;
  for (const Command* command : AllCommands()) {
    if (command->name == name) return {command, false};
    if (!command->name.starts_with(name)) continue;
    found.ambiguous = found.command != nullptr;
    if (found.ambiguous) continue;
    found.command = command;
  }
  return found;
}

std::string Usage(const Command& command) {
  std::string usage(command.name);
  for (const ArgumentSpec& spec : command.arguments) {
    if (spec.kind == ArgumentKind::kNone) break;
    usage += spec.optional ? " [ " : " ";
    usage += spec.name;
    usage += spec.optional ? " ]" : "";
  }
  return usage;
}

NamedFiles FilesOf(std::string_view text) {
  const auto line = ParseLine(text);
  if (!line || line->words.empty()) return {};
  const Found found = FindCommand(line->words[0]);
  const bool reads = found.command != nullptr && found.command->name == "config-from-file" &&
                     line->words.size() > 1;
  return {line->redirect.value_or(""), reads ? line->words[1] : ""};
}

bool HoldsSecret(std::string_view text) {
  const auto line = ParseLine(text);
  return line && line->words.size() > 1 && std::string_view("passwd").starts_with(line->words[0]);
}

bool RunLine(Session& session, std::string_view text) {
  const auto line = ParseLine(text);
  if (!line) {
    if (session.settings.json) session.BeginDocument("");
    session.PrintError("***No file for redirect\n");
    if (session.settings.json) session.EndDocument();
    return false;
  }
  if (line->words.empty()) return false;
  if (line->discard || line->redirect) {
    ExecuteRedirected(session, *line);
    return false;
  }
  return ExecuteAndTell(session, *line) != Outcome::kUnknown;
}

bool VisitHost(Session& session, const HostArgument& host) {
  if (!session.settings.json) return session.OpenHost(host.name, host.family);
  session.BeginDocument("host", host.name);
  const bool opened = session.OpenHost(host.name, host.family);
  if (opened)
    session.DropDocument();
  else
    session.EndDocument();
  return opened;
}

void RunBatch(Session& session, const std::vector<HostArgument>& hosts,
              const std::vector<std::string>& commands) {
  size_t width = 0;
  for (const HostArgument& host : hosts) width = std::max(width, host.name.size());
  session.set_host_column(hosts.size() > 1 ? width : 0);
  bool printed = false;
  for (const HostArgument& host : hosts) {
    if (session.quit) return;
    if (!VisitHost(session, host)) continue;
    for (const std::string& command : commands) {
      if (session.quit) return;
      if (printed && !session.settings.json) session.Print("\n");
      printed = RunLine(session, command) || printed;
    }
  }
}

}  // namespace ntpward::ntpq
