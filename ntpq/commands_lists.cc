// Commands that show the server's interfaces and access rules. Both need its control key.
#include <algorithm>
#include <array>
#include <cstdio>

#include "ntpd/wire/variable_values.h"
#include "ntpq/change.h"
#include "ntpq/command.h"
#include "ntpq/text.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {
namespace {

constexpr std::string_view kRule =
    "==============================================================================\n";

uint64_t Number(const Values& row, std::string_view name) {
  return wire::DecodeNumber(Find(row, name).value_or("")).value_or(0);
}
std::string Text(const Values& row, std::string_view name) {
  return Printable(Find(row, name).value_or(""));
}
std::string Right(uint64_t number, size_t width) { return PadLeft(std::to_string(number), width); }

// Rows come complete and numbered from 0, or the list cannot be trusted.
bool IsComplete(const NumberedList& list, std::span<const std::string_view> fields) {
  for (size_t i = 0; i < list.rows.size(); ++i) {
    if (list.rows[i].number != i) return false;
    for (std::string_view field : fields)
      if (!Find(list.rows[i].values, field)) return false;
  }
  return true;
}

std::optional<NumberedList> AskForList(Session& session, std::string_view which,
                                       std::span<const std::string_view> fields) {
  const auto reply = AskForLongList(session, wire::ControlOp::kReadOrderedList, which);
  if (!reply.ok()) {
    session.Explain(reply.error(), AssocId{0});
    return std::nullopt;
  }
  if (session.settings.raw && !session.settings.json) {
    session.Print(PrintableLines(reply->data));
    return std::nullopt;
  }
  NumberedList list = ReadNumberedList(reply->data);
  if (IsComplete(list, fields)) return list;
  session.PrintError("***Server returned incomplete rows\n", ErrorKind::kAnswer);
  session.quit = !session.at_prompt;
  session.exit_status = 1;
  return std::nullopt;
}

std::string InterfaceRow(const NumberedRow& row) {
  const Values& values = row.values;
  std::array<char, 24> flags;
  std::snprintf(flags.data(), flags.size(), "%4llx",
                static_cast<unsigned long long>(Number(values, "flags")));
  std::string text = Right(row.number, 3) + " " + FitRight(Text(values, "name"), 24) + " " +
                     (Number(values, "en") != 0 ? '.' : 'D') + " " + flags.data() + " " +
                     Right(Number(values, "tl"), 3) + " " + Right(Number(values, "mc"), 2);
  for (const char* field : {"rx", "tx", "txerr"}) text += " " + Right(Number(values, field), 6);
  text += " " + Right(Number(values, "pc"), 5) + " " + Right(Number(values, "up"), 8) + "\n";
  text += "    " + Text(values, "addr") + "\n";
  const std::string broadcast = Text(values, "bcast");
  return broadcast.empty() ? text : text + "    " + broadcast + "\n";
}

// A number of a row; null when it is none.
void WriteNumber(JsonWriter& json, std::string_view key, const Values& row, std::string_view name) {
  const auto number = wire::DecodeNumber(Find(row, name).value_or(""));
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

void WriteInterfaces(JsonWriter& json, const NumberedList& list) {
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
  for (const NumberedRow& row : list.rows) {
    json.BeginObject();
    json.Key("index").Unsigned(row.number);
    WriteText(json, "name", row.values, "name");
    WriteText(json, "address", row.values, "addr");
    WriteText(json, "broadcast", row.values, "bcast");
    json.Key("enabled").Bool(Number(row.values, "en") != 0);
    for (const auto& [key, field] : kNumbers) WriteNumber(json, key, row.values, field);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

void InterfaceStats(Session& session, const Arguments&) {
  constexpr std::array<std::string_view, 12> kFields = {
      "addr", "bcast", "en", "name", "flags", "tl", "mc", "rx", "tx", "txerr", "pc", "up"};
  const auto list = AskForList(session, "", kFields);
  if (!list) return;
  if (session.settings.json) return WriteInterfaces(session.BeginResult(), *list);
  session.Print(
      "    interface name                                        send\n"
      " #  address/broadcast     drop flag ttl mc received sent failed peers   uptime\n");
  session.Print(kRule);
  for (const NumberedRow& row : list->rows) session.Print(InterfaceRow(row));
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
  return length ? Text(row, "addr") + "/" + std::to_string(*length)
                : Text(row, "addr") + " " + Text(row, "mask");
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

void WriteRules(JsonWriter& json, const NumberedList& list) {
  json.BeginObject();
  json.Key("rules");
  json.BeginArray();
  for (const NumberedRow& row : list.rows) {
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

void RestrictionList(Session& session, const Arguments&) {
  constexpr std::array<std::string_view, 4> kFields = {"addr", "mask", "hits", "flags"};
  const auto list = AskForList(session, "addr_restrictions", kFields);
  if (!list) return;
  if (session.settings.json) return WriteRules(session.BeginResult(), *list);
  session.Print(
      "   hits    addr/prefix or addr mask\n"
      "           restrictions\n");
  session.Print(kRule);
  for (const NumberedRow& row : list->rows)
    session.Print(Right(Number(row.values, "hits"), 10) + " " + Prefix(row.values) + "\n" +
                  std::string(11, ' ') + Text(row.values, "flags") + "\n");
}

constexpr std::array kCommands = {
    Command{"ifstats", InterfaceStats, {}, "show the server's interfaces and their packet counts"},
    Command{"reslist", RestrictionList, {}, "show the server's access rules"},
};

}  // namespace

std::span<const Command> ListCommands() { return kCommands; }

}  // namespace ntpward::ntpq
