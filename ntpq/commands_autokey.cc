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

enum class Shown : uint8_t { kYes, kNoAutokey, kNoAnswer };

Shown ShowAssociation(Session& session, AssocId id, bool first) {
  const auto reply = session.Ask(wire::ControlOp::kReadVariables, id, "");
  if (!reply) return Shown::kNoAnswer;
  AutokeyState state;
  state.id = id.value;
  state.variables = ReadValues(reply->data);
  if (!UsesAutokey(state.variables)) return Shown::kNoAutokey;
  state.name = SourceName(state.variables, id, session.display());
  AddOwnVariables(session, id, state);
  session.Print((first ? "" : "\n") + session.HostPrefix() +
                AutokeyText(state, session.platform().Now().tv_sec));
  return Shown::kYes;
}

void ShowAllAutokey(Session& session) {
  if (!session.FetchAssociations()) return;
  size_t without = 0;
  bool first = true;
  const std::vector<Association> list = session.associations();
  for (const Association& association : list) {
    switch (ShowAssociation(session, association.id, first)) {
      case Shown::kNoAnswer:
        return;
      case Shown::kNoAutokey:
        ++without;
        break;
      case Shown::kYes:
        first = false;
        break;
    }
  }
  if (first)
    session.Print("No association uses Autokey\n");
  else if (without > 0)
    session.Print("\n" + std::to_string(without) +
                  (without == 1 ? " association is" : " associations are") + " without Autokey\n");
}

void ShowAutokey(Session& session, const Arguments& arguments) {
  if (arguments.empty()) return ShowAllAutokey(session);
  const uint32_t number = arguments[0].number;
  if (number == 0 || number > 0xffff) {
    session.PrintError("***Invalid association ID " + arguments[0].text + " specified\n");
    return;
  }
  const AssocId id{static_cast<uint16_t>(number)};
  if (ShowAssociation(session, id, true) == Shown::kNoAutokey)
    session.Print("Association " + arguments[0].text + " does not use Autokey\n");
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
