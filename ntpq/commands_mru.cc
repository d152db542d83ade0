// mrulist: who asked the server lately.
#include <algorithm>
#include <array>

#include "ntpq/command.h"
#include "ntpq/json_values.h"
#include "ntpq/mru_retrieval.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

using enum ArgumentKind;

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

// Why a list is not whole, for a person.
std::string_view Cause(MruEnd end) {
  switch (end) {
    case MruEnd::kRepeated:
      return "the server sends nothing new";
    case MruEnd::kFull:
      return "it is longer than ntpq keeps";
    case MruEnd::kTooLate:
      return "it takes longer than ten minutes";
    case MruEnd::kWhole:
    case MruEnd::kStopped:
    case MruEnd::kUnanswered:
      break;
  }
  return "the server stopped answering";
}

// What is to be said behind a list; empty when it is whole, or as much of it as was wanted.
std::string Shortfall(MruEnd end, std::optional<uint64_t> missing) {
  if (end == MruEnd::kWhole || end == MruEnd::kStopped) return "";
  return "***The list is not whole, " + std::string(Cause(end)) +
         (missing ? ": " + std::to_string(*missing) + " clients are missing\n" : "\n");
}

// What was asked for, and what came of it.
struct Retrieved {
  MruRequest request;
  MruList list;
  MruEnd end = MruEnd::kWhole;
  std::optional<uint64_t> missing;  // of the server's clients; empty when nobody knows
};

std::vector<MruEntry> Sorted(const Retrieved& retrieved) {
  std::vector<MruEntry> entries = retrieved.list.entries();
  SortMru(entries, retrieved.request.order, retrieved.request.reversed);
  return entries;
}

void WriteList(Session& session, const Retrieved& retrieved) {
  const MruList& list = retrieved.list;
  const std::vector<MruEntry> entries = Sorted(retrieved);
  const Display display = session.display();
  JsonWriter& json = session.BeginResult();
  json.BeginObject();
  json.Key("complete").Bool(list.complete());
  json.Key("missing");
  retrieved.missing || list.complete() ? json.Unsigned(retrieved.missing.value_or(0)) : json.Null();
  json.Key("updates").Unsigned(list.updates());
  json.Key("now");
  WriteTime(json, list.now(), display.now);
  json.Key("clients");
  json.BeginArray();
  for (const MruEntry& entry : entries) WriteMruEntry(json, entry, list.now(), display);
  json.EndArray();
  json.EndObject();
}

void PrintList(Session& session, const Retrieved& retrieved) {
  const Display display = session.display();
  session.Print(MruHeader());
  for (const MruEntry& entry : Sorted(retrieved))
    session.Print(MruRow(entry, retrieved.list.now(), display));
}

void Show(Session& session, const Retrieved& retrieved) {
  const MruList& list = retrieved.list;
  session.Notice("\rRetrieved " + std::to_string(list.size()) + " unique MRU entries and " +
                 std::to_string(list.updates()) + " updates.\n");
  if (session.settings.json)
    WriteList(session, retrieved);
  else if (!session.settings.raw)
    PrintList(session, retrieved);
  // Last, where it is seen.
  const std::string shortfall = Shortfall(retrieved.end, retrieved.missing);
  if (!shortfall.empty()) session.PrintError(shortfall, ErrorKind::kIncomplete);
}

void MruListCommand(Session& session, const Arguments& arguments) {
  session.Notice("Ctrl-C will stop MRU retrieval and display partial results.\n");
  auto request = ParseRequest(session, arguments);
  if (!request) return;
  Retrieved retrieved{std::move(*request), {}, MruEnd::kWhole, {}};
  session.platform().HoldInterrupt();
  retrieved.end = RetrieveMru(session, retrieved.request.filters, retrieved.list);
  session.platform().ReleaseInterrupt();
  const bool short_of = !Shortfall(retrieved.end, {}).empty();
  if (short_of && retrieved.list.size() == 0) return;
  // Nobody knows how many of them a filter would have let through.
  if (short_of && retrieved.request.filters.empty())
    retrieved.missing = MissingClients(session, retrieved.list);
  Show(session, retrieved);
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
