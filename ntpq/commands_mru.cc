// mrulist: who asked the server lately.
#include <algorithm>
#include <array>

#include "ntpq/command.h"
#include "ntpq/json_values.h"
#include "ntpq/mru.h"
#include "ntpq/text.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {
namespace {

using enum ArgumentKind;

constexpr int kNonceUses = 4;
constexpr int kMaxStepsBack = 8;
constexpr size_t kMaxNonce = 64;
// Long enough for the largest list over a slow path.
constexpr double kRetrievalSeconds = 600;

struct MruRequest {
  std::string filters;
  MruOrder order = MruOrder::kLastInterval;
  bool reversed = false;
};

std::optional<MruOrder> OrderByName(std::string_view name) {
  if (name == "lstint") return MruOrder::kLastInterval;
  if (name == "avgint") return MruOrder::kAverageInterval;
  if (name == "addr") return MruOrder::kAddress;
  if (name == "count") return MruOrder::kCount;
  return std::nullopt;
}

bool TakeOrder(Session& session, std::string_view name, MruRequest& request) {
  request.reversed = name.starts_with('-');
  if (request.reversed) name.remove_prefix(1);
  const auto order = OrderByName(name);
  if (order)
    request.order = *order;
  else
    session.PrintError("unknown sort order " + Printable(name) + "\n");
  return order.has_value();
}

std::optional<MruRequest> ParseRequest(Session& session, const Arguments& arguments) {
  constexpr std::array<std::string_view, 5> kFilters = {
      "mincount=", "laddr=", "maxlstint=", "resany=", "resall="};
  MruRequest request;
  for (const Argument& argument : arguments) {
    const std::string_view text = argument.text;
    const bool filter = std::any_of(kFilters.begin(), kFilters.end(),
                                    [&](std::string_view name) { return text.starts_with(name); });
    if (filter)
      request.filters += ", " + argument.text;
    else if (text == "limited")
      request.filters += ", resany=0x40";
    else if (text == "kod")
      request.filters += ", resany=0x800";
    else if (text.starts_with("sort=")) {
      if (!TakeOrder(session, text.substr(5), request)) return std::nullopt;
    } else {
      session.Warn("ignoring unrecognized mrulist parameter: " + argument.text + "\n");
    }
  }
  return request;
}

// A nonce proves to the server that this address asks; it is valid for 16 s.
std::string FetchNonce(Session& session) {
  const auto reply = session.Ask(wire::ControlOp::kRequestNonce, AssocId{0}, "");
  const auto values = ReadValues(reply ? reply->data : "");
  const auto nonce = Find(values, "nonce").value_or("");
  if (!nonce.empty() && nonce.size() <= kMaxNonce) return std::string(nonce);
  session.PrintError("nonce request failed\n", ErrorKind::kAnswer);
  return "";
}

// Asks until the list is whole or the server stops answering; what came is in `list`.
bool Retrieve(Session& session, const MruRequest& request, MruList& list) {
  std::string nonce;
  int uses = 0;
  int steps_back = 0;
  while (!list.complete() && !session.platform().Interrupted()) {
    if (uses-- == 0 || nonce.empty()) {
      nonce = FetchNonce(session);
      if (nonce.empty()) return false;
      uses = kNonceUses - 1;
    }
    std::string question = "nonce=" + nonce + ", frags=32" + request.filters;
    if (question.size() > wire::kMaxControlData) return false;
    question += list.Position(wire::kMaxControlData - question.size());
    const auto reply = session.Try(wire::ControlOp::kReadMru, AssocId{0}, question);
    if (reply.ok()) {
      if (session.settings.raw && !session.settings.json)
        session.Print(PrintableLines(reply->data));
      if (!list.Take(reply->data)) return false;
      if (!list.nonce().empty() && list.nonce().size() <= kMaxNonce) nonce = list.nonce();
    } else if (reply.error().kind == QueryError::Kind::kRefused &&
               reply.error().code == wire::ControlError::kUnknownVariable &&
               ++steps_back <= kMaxStepsBack && list.StepBack()) {
      continue;
    } else {
      session.Explain(reply.error(), AssocId{0});
      return false;
    }
  }
  return true;
}

void WriteList(Session& session, const MruRequest& request, const MruList& list) {
  std::vector<MruEntry> entries = list.entries();
  SortMru(entries, request.order, request.reversed);
  const Display display = session.display();
  JsonWriter& json = session.BeginResult();
  json.BeginObject();
  json.Key("complete").Bool(list.complete());
  json.Key("updates").Unsigned(list.updates());
  json.Key("now");
  WriteTime(json, list.now(), display.now);
  json.Key("clients");
  json.BeginArray();
  for (const MruEntry& entry : entries) WriteMruEntry(json, entry, list.now(), display);
  json.EndArray();
  json.EndObject();
  if (!list.complete()) session.PrintError("the list is not whole", ErrorKind::kIncomplete);
}

void PrintList(Session& session, const MruRequest& request, const MruList& list) {
  std::vector<MruEntry> entries = list.entries();
  SortMru(entries, request.order, request.reversed);
  const Display display = session.display();
  session.Print(MruHeader());
  for (const MruEntry& entry : entries) session.Print(MruRow(entry, list.now(), display));
}

void MruListCommand(Session& session, const Arguments& arguments) {
  const auto request = ParseRequest(session, arguments);
  if (!request) return;
  session.BeginCommand(kRetrievalSeconds);
  session.Notice("Ctrl-C will stop MRU retrieval and display partial results.\n");
  session.platform().HoldInterrupt();
  MruList list;
  const bool retrieved = Retrieve(session, *request, list);
  session.platform().ReleaseInterrupt();
  if (!retrieved && list.size() == 0) return;
  session.Notice("\rRetrieved " + std::to_string(list.size()) + " unique MRU entries and " +
                 std::to_string(list.updates()) + " updates.\n");
  if (session.settings.json)
    WriteList(session, *request, list);
  else if (!session.settings.raw)
    PrintList(session, *request, list);
}

constexpr std::array kCommands = {
    Command{"mrulist",
            MruListCommand,
            {{{kText, true, "tag=value"},
              {kText, true, "tag=value"},
              {kText, true, "tag=value"},
              {kText, true, "tag=value"}}},
            "show the server's most recent clients, filtered and sorted as the tags say"},
};

}  // namespace

std::span<const Command> MruCommands() { return kCommands; }

}  // namespace ntpward::ntpq
