// Commands that show the server's interfaces and access rules. Both need its control key.
#include <algorithm>
#include <array>
#include <cstdio>

#include "ntpq/change.h"
#include "ntpq/command.h"
#include "ntpq/text.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {
namespace {

constexpr std::string_view kRule =
    "==============================================================================\n";

uint64_t NumberOrZero(const Values& row, std::string_view name) {
  return NumberOf(row, name).value_or(0);
}
std::string Right(uint64_t number, size_t width) { return PadLeft(std::to_string(number), width); }

// A list of the server, as a question names it.
struct ListQuestion {
  std::string_view plain;  // as ntpq 4.2.8 asks
  std::string_view name;   // before " from=N", N a row's number, which only ntpward knows
  std::span<const std::string_view> fields;  // of each row
};

using Rows = std::vector<NumberedRow>;

// Of a whole list, so that a hostile server cannot fill our memory: 65536 rows at their longest.
constexpr size_t kMostOctets = 16 << 20;

bool AreNumberedFrom(const Rows& rows, size_t first) {
  for (size_t i = 0; i < rows.size(); ++i)
    if (rows[i].number != first + i) return false;
  return true;
}

// Rows come complete and numbered from `first`, or the list cannot be trusted.
bool AreComplete(const Rows& rows, size_t first, std::span<const std::string_view> fields) {
  for (const NumberedRow& row : rows)
    for (std::string_view field : fields)
      if (!Find(row.values, field)) return false;
  return AreNumberedFrom(rows, first);
}

std::nullopt_t RefuseRows(Session& session) {
  session.PrintError("***Server returned incomplete rows\n", ErrorKind::kAnswer);
  session.quit = !session.at_prompt;
  session.exit_status = 1;
  return std::nullopt;
}

// Each of `fields` once, and nothing else that a server may have put there.
NumberedRow OnlyFields(const NumberedRow& row, std::span<const std::string_view> fields) {
  NumberedRow kept{row.number, {}};
  for (std::string_view field : fields)
    if (const auto value = Find(row.values, field))
      kept.values.push_back({std::string(field), std::string(*value)});
  return kept;
}

// What came of a list.
struct ListAnswer {
  Rows rows;
  uint64_t missing = 0;  // rows that the server has besides
};

// What has come of it so far.
struct Progress {
  uint64_t all = 0;  // rows that the server has; 0: those that came
  size_t rows = 0;
  size_t octets = 0;
  bool ended = false;
};

void Count(const Reply& reply, const NumberedList& piece, Progress* progress) {
  progress->all = NumberOf(piece.unnumbered, "rows").value_or(0);
  progress->ended = piece.rows.empty() || !AreNumberedFrom(piece.rows, progress->rows);
  progress->rows += piece.rows.size();
  progress->octets += reply.data.size();
  if (progress->rows >= progress->all) progress->ended = true;
}

// A server whose list is longer than an answer says so by `rows`, and is asked for the rest. None
// after a complaint, and when the answers were shown raw.
std::optional<ListAnswer> AskForList(Session& session, const ListQuestion& list) {
  const bool raw = session.settings.raw && !session.settings.json;
  LongListQuestions questions(session);
  ListAnswer answer;
  Progress progress;
  std::string question(list.plain);
  while (!progress.ended) {
    auto reply = questions.Ask(wire::ControlOp::kReadOrderedList, question);
    if (reply.ok() && progress.octets + reply->data.size() > kMostOctets)
      reply = Fail(QueryError{QueryError::Kind::kTooMuch, {}, {}});
    if (!reply.ok()) {
      session.Explain(reply.error(), AssocId{0});
      if (answer.rows.empty()) return std::nullopt;
      break;
    }
    if (raw) session.Print(PrintableLines(reply->data));
    const NumberedList piece = ReadNumberedList(reply->data);
    if (!raw && !AreComplete(piece.rows, progress.rows, list.fields)) return RefuseRows(session);
    Count(*reply, piece, &progress);
    // What is shown raw is not kept.
    for (const NumberedRow& row : piece.rows)
      if (!raw) answer.rows.push_back(OnlyFields(row, list.fields));
    question = std::string(list.name) + " from=" + std::to_string(progress.rows);
  }
  if (raw) return std::nullopt;
  const uint64_t all = progress.all;
  answer.missing = all - std::min<uint64_t>(all, answer.rows.size());
  return answer;
}

void TellMissing(Session& session, const ListAnswer& list) {
  if (list.missing > 0)
    session.PrintError("***" + std::to_string(list.missing) + " rows are missing\n",
                       ErrorKind::kIncomplete);
}

std::string InterfaceRow(const NumberedRow& row) {
  const Values& values = row.values;
  std::array<char, 24> flags;
  std::snprintf(flags.data(), flags.size(), "%4llx",
                static_cast<unsigned long long>(NumberOrZero(values, "flags")));
  std::string text = Right(row.number, 3) + " " + FitRight(TextOf(values, "name"), 24) + " " +
                     (NumberOrZero(values, "en") != 0 ? '.' : 'D') + " " + flags.data() + " " +
                     Right(NumberOrZero(values, "tl"), 3) + " " +
                     Right(NumberOrZero(values, "mc"), 2);
  for (const char* field : {"rx", "tx", "txerr"})
    text += " " + Right(NumberOrZero(values, field), 6);
  text += " " + Right(NumberOrZero(values, "pc"), 5) + " " + Right(NumberOrZero(values, "up"), 8) +
          "\n";
  text += "    " + TextOf(values, "addr") + "\n";
  const std::string broadcast = TextOf(values, "bcast");
  return broadcast.empty() ? text : text + "    " + broadcast + "\n";
}

// A number of a row; null when it is none.
void WriteNumber(JsonWriter& json, std::string_view key, const Values& row, std::string_view name) {
  const auto number = NumberOf(row, name);
  json.Key(key);
  if (number)
    json.Unsigned(*number);
  else
    json.Null();
}
void WriteText(JsonWriter& json, std::string_view key, const Values& row, std::string_view name) {
  json.Key(key).Text(Find(row, name).value_or(""));
}

struct NamedField {
  std::string_view key;
  std::string_view field;
};

void WriteInterfaces(JsonWriter& json, const Rows& rows) {
  constexpr std::array<NamedField, 8> kNumbers = {{{"flags", "flags"},
                                                   {"ttl", "tl"},
                                                   {"multicast_groups", "mc"},
                                                   {"received", "rx"},
                                                   {"sent", "tx"},
                                                   {"send_failed", "txerr"},
                                                   {"peers", "pc"},
                                                   {"uptime_s", "up"}}};
  json.BeginObject();
  json.Key("interfaces");
  json.BeginArray();
  for (const NumberedRow& row : rows) {
    json.BeginObject();
    json.Key("index").Unsigned(row.number);
    WriteText(json, "name", row.values, "name");
    WriteText(json, "address", row.values, "addr");
    WriteText(json, "broadcast", row.values, "bcast");
    json.Key("enabled").Bool(NumberOrZero(row.values, "en") != 0);
    for (const auto& [key, field] : kNumbers) WriteNumber(json, key, row.values, field);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

void PrintInterfaces(Session& session, const Rows& rows) {
  session.Print(
      "    interface name                                        send\n"
      " #  address/broadcast     drop flag ttl mc received sent failed peers   uptime\n");
  session.Print(kRule);
  for (const NumberedRow& row : rows) session.Print(InterfaceRow(row));
}

void InterfaceStats(Session& session, const Arguments&) {
  constexpr std::array<std::string_view, 12> kFields = {
      "addr", "bcast", "en", "name", "flags", "tl", "mc", "rx", "tx", "txerr", "pc", "up"};
  const auto list = AskForList(session, {"", "ifstats", kFields});
  if (!list) return;
  if (session.settings.json)
    WriteInterfaces(session.BeginResult(), list->rows);
  else
    PrintInterfaces(session, list->rows);
  TellMissing(session, *list);
}

// The length of the prefix that a mask stands for; none when it is no prefix.
std::optional<size_t> PrefixLength(const IpAddress& mask) {
  size_t length = 0;
  bool ended = false;
  for (uint8_t octet : mask.bytes()) {
    for (int bit = 7; bit >= 0; --bit) {
      const bool set = (octet >> bit & 1) != 0;
      if (set && ended) return std::nullopt;
      ended = ended || !set;
      length += set ? 1 : 0;
    }
  }
  return length;
}

std::string Prefix(const Values& row) {
  const auto mask = IpAddress::Parse(Find(row, "mask").value_or(""));
  const auto length = mask ? PrefixLength(*mask) : std::nullopt;
  return length ? TextOf(row, "addr") + "/" + std::to_string(*length)
                : TextOf(row, "addr") + " " + TextOf(row, "mask");
}

void WriteWords(JsonWriter& json, std::string_view text) {
  json.BeginArray();
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) json.Text(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  json.EndArray();
}

void WriteRules(JsonWriter& json, const Rows& rows) {
  json.BeginObject();
  json.Key("rules");
  json.BeginArray();
  for (const NumberedRow& row : rows) {
    const auto mask = IpAddress::Parse(Find(row.values, "mask").value_or(""));
    const auto length = mask ? PrefixLength(*mask) : std::nullopt;
    json.BeginObject();
    WriteText(json, "address", row.values, "addr");
    WriteText(json, "mask", row.values, "mask");
    json.Key("prefix");
    if (length)
      json.Unsigned(*length);
    else
      json.Null();
    WriteNumber(json, "hits", row.values, "hits");
    json.Key("flags");
    WriteWords(json, Find(row.values, "flags").value_or(""));
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

void PrintRules(Session& session, const Rows& rows) {
  session.Print(
      "   hits    addr/prefix or addr mask\n"
      "           restrictions\n");
  session.Print(kRule);
  for (const NumberedRow& row : rows)
    session.Print(Right(NumberOrZero(row.values, "hits"), 10) + " " + Prefix(row.values) + "\n" +
                  std::string(11, ' ') + TextOf(row.values, "flags") + "\n");
}

void RestrictionList(Session& session, const Arguments&) {
  constexpr std::array<std::string_view, 4> kFields = {"addr", "mask", "hits", "flags"};
  constexpr std::string_view kName = "addr_restrictions";
  const auto list = AskForList(session, {kName, kName, kFields});
  if (!list) return;
  if (session.settings.json)
    WriteRules(session.BeginResult(), list->rows);
  else
    PrintRules(session, list->rows);
  TellMissing(session, *list);
}

constexpr std::array kCommands = {
    Command{"ifstats", InterfaceStats, {}, "show the server's interfaces and their packet counts"},
    Command{"reslist", RestrictionList, {}, "show the server's access rules"},
};

}  // namespace

std::span<const Command> ListCommands() { return kCommands; }

}  // namespace ntpward::ntpq
