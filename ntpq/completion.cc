#include "ntpq/completion.h"

#include <algorithm>

#include "ntpq/command.h"
#include "ntpq/text.h"
#include "ntpq/variable_names.h"

namespace ntpward::ntpq {
namespace {

using Words = std::vector<std::string>;

Words Separated(std::string_view text, char separator) {
  Words words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// The line up to the cursor: whole words, and the one that is being typed.
struct Typed {
  Words before;
  std::string_view word;
};

Typed Take(std::string_view line) {
  Typed typed;
  while (!line.empty() && (IsBlank(line.front()) || line.front() == '~')) line.remove_prefix(1);
  while (true) {
    const auto blank = std::find_if(line.begin(), line.end(), IsBlank);
    if (blank == line.end()) break;
    if (blank != line.begin()) typed.before.emplace_back(line.begin(), blank);
    line.remove_prefix(static_cast<size_t>(blank - line.begin()) + 1);
  }
  typed.word = line;
  return typed;
}

Words CommandNames() {
  Words names;
  for (const Command* command : AllCommands()) names.emplace_back(command->name);
  return names;
}

Words AssociationNumbers(const Session& session) {
  Words numbers;
  for (const Association& association : session.associations())
    numbers.push_back(std::to_string(association.id.value));
  return numbers;
}

Words ListedNames(const Session& session) {
  Words names;
  for (const ListedVariable& listed : session.variables) names.push_back(listed.name);
  return names;
}

Words KeyTypeNames() {
  Words names;
  for (const KeyType& type : kKeyTypes) names.emplace_back(type.name);
  return names;
}

// Of the system, of a clock or of an association, as command and first argument say.
Words VariablesFor(const Command& command, const Words& before) {
  if (command.name.starts_with("c")) return Separated(VariableNames(Scope::kClock), ',');
  if (command.arguments[0].kind != ArgumentKind::kAssociation) {
    Words all = Separated(VariableNames(Scope::kSystem), ',');
    for (std::string& name : Separated(VariableNames(Scope::kPeer), ','))
      all.push_back(std::move(name));
    return all;
  }
  const bool system = before.size() > 1 && before[1] == "0";
  return Separated(VariableNames(system ? Scope::kSystem : Scope::kPeer), ',');
}

bool TakesVariables(const ArgumentSpec& spec) {
  return spec.name.starts_with("name") || spec.name.starts_with("varname");
}

Words ChoicesFor(const Session& session, const Command& command, const ArgumentSpec& spec,
                 const Words& before) {
  if (spec.kind == ArgumentKind::kAssociation) return AssociationNumbers(session);
  if (command.name == "rmvars") return ListedNames(session);
  if (TakesVariables(spec)) return VariablesFor(command, before);
  if (spec.name == "command") return CommandNames();
  if (spec.name == "digest-name") return KeyTypeNames();
  if (spec.name == "tag=value")
    return {"kod",          "laddr=",    "limited",     "maxlstint=",   "mincount=",
            "resall=",      "resany=",   "sort=",       "sort=-avgint", "sort=-count",
            "sort=-lstint", "sort=addr", "sort=avgint", "sort=count",   "sort=lstint"};
  // The words themselves: "yes|no".
  if (spec.name.find('|') != std::string_view::npos) return Separated(spec.name, '|');
  return {};
}

size_t CommonLength(const std::string& a, const std::string& b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                             a.begin());
}

// `end` follows a word that is the only one to fit.
Completion Among(Words words, std::string_view typed, std::string_view end) {
  Completion completion;
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  std::erase_if(words, [&](const std::string& word) { return !word.starts_with(typed); });
  if (words.empty()) return completion;
  const size_t common = CommonLength(words.front(), words.back());
  completion.insert = words.front().substr(typed.size(), common - typed.size());
  if (words.size() == 1 && !words[0].ends_with('='))
    completion.insert += end;
  else if (words.size() > 1)
    completion.choices = std::move(words);
  return completion;
}

}  // namespace

Completion Complete(const Session& session, std::string_view line) {
  const Typed typed = Take(line);
  if (typed.before.empty()) return Among(CommandNames(), typed.word, " ");
  const Found found = FindCommand(typed.before[0]);
  if (found.command == nullptr || found.ambiguous || typed.before.size() > kMaxArguments) return {};
  const ArgumentSpec& spec = found.command->arguments[typed.before.size() - 1];
  if (spec.kind == ArgumentKind::kNone) return {};
  // Of a list, the name after the last comma; another may follow.
  const bool list = TakesVariables(spec);
  const size_t comma = list ? typed.word.rfind(',') : std::string_view::npos;
  const std::string_view word =
      comma == std::string_view::npos ? typed.word : typed.word.substr(comma + 1);
  return Among(ChoicesFor(session, *found.command, spec, typed.before), word, list ? "" : " ");
}

}  // namespace ntpward::ntpq
