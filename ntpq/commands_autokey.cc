// autokey: what Autokey has proved of each association, and what failed.
#include <array>

#include "ntpq/autokey.h"
#include "ntpq/command.h"

namespace ntpward::ntpq {
namespace {

// Who does not know ntpward's variables refuses all of them.
constexpr std::string_view kAutokeyNames = "identity,trail,cookieage,keylistage,autokeyerror";

void AddOwnVariables(Session& session, AssocId id, AutokeyState& state) {
  const auto reply = session.Try(wire::ControlOp::kReadVariables, id, kAutokeyNames);
  state.tells_all = reply.ok();
  if (reply.ok())
    for (NamedValue& value : ReadValues(reply->data)) state.variables.push_back(std::move(value));
  state.trail = ReadTrail(state.variables);
  if (state.tells_all) return;
  const auto certificates = session.Try(wire::ControlOp::kReadVariables, AssocId{0}, "cert");
  const auto host = Find(state.variables, "host");
  if (!certificates.ok() || !host) return;
  state.trail = GuessTrail(certificates->data, *host);
  state.trail_is_guess = true;
}

// None without an answer, which was told.
std::optional<AutokeyState> Fetch(Session& session, AssocId id) {
  const auto reply = session.Ask(wire::ControlOp::kReadVariables, id, "");
  if (!reply) return std::nullopt;
  AutokeyState state;
  state.id = id.value;
  state.variables = ReadValues(reply->data);
  if (!UsesAutokey(state.variables)) return state;
  state.name = SourceName(state.variables, id, session.display());
  AddOwnVariables(session, id, state);
  return state;
}

// Those that use Autokey, and how many do not.
struct AutokeyList {
  std::vector<AutokeyState> states;
  size_t without = 0;
};

AutokeyList FetchAll(Session& session) {
  AutokeyList found;
  const std::vector<Association> list = session.associations();
  for (const Association& association : list) {
    auto state = Fetch(session, association.id);
    if (!state) break;
    if (UsesAutokey(state->variables))
      found.states.push_back(std::move(*state));
    else
      ++found.without;
  }
  return found;
}

void Print(Session& session, const AutokeyList& found) {
  bool first = true;
  for (const AutokeyState& state : found.states) {
    session.Print((first ? "" : "\n") + session.HostPrefix() +
                  AutokeyText(state, session.platform().Now().tv_sec));
    first = false;
  }
  if (found.without == 0) return;
  session.Print((first ? "" : "\n") + session.HostPrefix() + std::to_string(found.without) +
                (found.without == 1 ? " association is" : " associations are") +
                " without Autokey\n");
}

void Write(Session& session, const AutokeyList& found) {
  JsonWriter& json = session.BeginResult();
  json.BeginObject();
  json.Key("associations");
  json.BeginArray();
  for (const AutokeyState& state : found.states) WriteAutokey(json, state);
  json.EndArray();
  json.Key("without_autokey").Unsigned(found.without);
  json.EndObject();
}

void ShowAutokey(Session& session, const Arguments& arguments) {
  AutokeyList found;
  if (arguments.empty()) {
    if (!session.FetchAssociations()) return;
    found = FetchAll(session);
  } else {
    const uint32_t number = arguments[0].number;
    if (number == 0 || number > 0xffff) {
      session.PrintError("***Invalid association ID " + arguments[0].text + " specified\n");
      return;
    }
    auto state = Fetch(session, AssocId{static_cast<uint16_t>(number)});
    if (!state) return;
    found.without = UsesAutokey(state->variables) ? 0 : 1;
    if (found.without == 0) found.states.push_back(std::move(*state));
  }
  session.settings.json ? Write(session, found) : Print(session, found);
}

constexpr std::array kCommands = {
    Command{"autokey",
            ShowAutokey,
            {{{ArgumentKind::kAssociation, true, "assocID"}}},
            "show who proved what to whom by Autokey, and what failed",
            true},
};

}  // namespace

std::span<const Command> AutokeyCommands() { return kCommands; }

}  // namespace ntpward::ntpq
