// why: what a source's state means, told in words.
#include <algorithm>
#include <array>

#include "ntpq/command.h"
#include "ntpq/json_values.h"
#include "ntpq/why.h"

namespace ntpward::ntpq {
namespace {

using enum ArgumentKind;

// Adds a variable that is sent only by name. Who does not know it refuses the whole request, so
// each is asked for alone.
void AddNamed(Session& session, AssocId id, std::string_view name, Values* variables) {
  const auto reply = session.Try(wire::ControlOp::kReadVariables, id, name);
  if (!reply.ok()) return;
  for (NamedValue& value : ReadValues(reply->data)) variables->push_back(std::move(value));
}

// The server's `peer`: which association its clock follows. Empty when it does not say.
std::optional<AssocId> SystemPeer(Session& session) {
  const auto reply = session.Try(wire::ControlOp::kReadVariables, AssocId{0}, "peer");
  if (!reply.ok()) return std::nullopt;
  const auto number = NumberOf(ReadValues(reply->data), "peer");
  if (!number || *number > 0xffff) return std::nullopt;
  return AssocId{static_cast<uint16_t>(*number)};
}

// The paragraph as one line: a reader breaks it where it likes.
void WriteExplanation(JsonWriter& json, AssocId id, uint16_t status, const std::string& name,
                      std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  json.BeginObject();
  json.Key("assid").Unsigned(id.value);
  json.Key("status");
  WriteStatus(json, Scope::kPeer, status);
  json.Key("name").Text(name);
  json.Key("explanation").Text(text);
  json.EndObject();
}

void Why(Session& session, const Arguments& arguments) {
  const uint32_t number = arguments[0].number;
  if (number == 0 || number > 0xffff) {
    session.PrintError("***Invalid association ID " + arguments[0].text + " specified\n");
    return;
  }
  const AssocId id{static_cast<uint16_t>(number)};
  const auto reply = session.Ask(wire::ControlOp::kReadVariables, id, "");
  if (!reply) return;
  Values variables = ReadValues(reply->data);
  for (const std::string_view name : {"identity", "trail", "autokeyerror", "received", "restrict"})
    AddNamed(session, id, name, &variables);
  const std::string name = SourceName(variables, id, session.display());
  const auto status = wire::PeerStatus::FromWord(reply->status);
  const bool rejected = status.selection == wire::Selection::kReject;
  const std::string text =
      Explanation(name, status, variables, rejected ? std::nullopt : SystemPeer(session));
  if (session.settings.json)
    WriteExplanation(session.BeginResult(), id, reply->status, name, text);
  else
    session.Print(session.HostPrefix() + text);
}

constexpr std::array kCommands = {
    Command{"why",
            Why,
            {{{kAssociation, false, "assocID"}}},
            "explain why a source is used or not",
            true},
};

}  // namespace

std::string SourceName(const Values& variables, AssocId id, const Display& display) {
  if (const auto host = Find(variables, "srchost"); host && !host->empty())
    return std::string(*host);
  const auto address = Find(variables, "srcadr");
  if (!address) return "association " + std::to_string(id.value);
  return CookValue("srcadr", *address, Scope::kPeer, display);
}

std::span<const Command> ExplainingCommands() { return kCommands; }

}  // namespace ntpward::ntpq
