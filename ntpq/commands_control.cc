// Commands that change the server's configuration. All need its control key.
#include <algorithm>

#include "ntpd/wire/variable_values.h"
#include "ntpq/change.h"
#include "ntpq/command.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

using enum ArgumentKind;

std::string_view StripEnd(std::string_view text) {
  while (!text.empty() && (IsBlank(text.back()) || text.back() == '\0')) text.remove_suffix(1);
  return text;
}

// The server's answer to one line of configuration, as it came; none after a failure that has been
// told.
std::optional<std::string> Configure(Session& session, std::string_view line) {
  const auto reply = SendChange(session, wire::ControlOp::kConfigure, line);
  if (reply.ok()) return std::string(StripEnd(reply->data));
  session.Explain(reply.error(), AssocId{0});
  return std::nullopt;
}

// The column that a complaint starts with.
std::optional<size_t> ComplaintColumn(std::string_view answer) {
  constexpr std::string_view kStart = "column ";
  if (!answer.starts_with(kStart)) return std::nullopt;
  answer.remove_prefix(kStart.size());
  const auto column = wire::DecodeUnsigned(answer.substr(0, answer.find(' ')));
  if (!column || *column > wire::kMaxControlData) return std::nullopt;
  return static_cast<size_t>(*column);
}

void WriteConfigured(JsonWriter& json, std::string_view line, const std::string& answer) {
  const auto column = ComplaintColumn(answer);
  json.BeginObject();
  json.Key("line").Text(line);
  json.Key("answer").Text(answer);
  json.Key("column");
  if (column && *column <= line.size() + 1)
    json.Unsigned(*column);
  else
    json.Null();
  json.EndObject();
}

void Config(Session& session, const Arguments& arguments) {
  const std::string_view line = StripEnd(arguments[0].text);
  const auto answer = Configure(session, line);
  if (!answer) return;
  if (session.settings.json) {
    JsonWriter& json = session.BeginResult();
    WriteConfigured(json, line, *answer);
    return;
  }
  if (const auto column = ComplaintColumn(*answer); column && *column <= line.size() + 1) {
    // At the prompt the line is on the screen already: point at it.
    session.Print(session.at_prompt ? std::string(13, ' ') + "*" : Printable(line) + "\n");
    session.Print(std::string(*column, '_') + "^\n");
  }
  session.Print(PrintableLines(*answer) + "\n");
}

// False when the server answers no more.
bool SendFileLine(Session& session, size_t number, std::string_view line) {
  const std::string start = "Line No: " + std::to_string(number) + " ";
  const auto answer = Configure(session, line);
  if (!answer) {
    session.Print(start + "query failed: " + Printable(line) + "\nSubsequent lines not sent.\n");
    return false;
  }
  session.Print(start + PrintableLines(*answer) + ": " + Printable(line) + "\n");
  return true;
}

// Hands the lines that hold something to `send`, with their numbers, until it says no. False then.
template <typename Send>
bool ForEachLine(std::string_view text, const Send& send) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = text.substr(0, end);
    const std::string_view line = StripEnd(whole.substr(0, whole.find('#')));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && !send(number, line)) return false;
  }
  return true;
}

void WriteFileLines(Session& session, std::string_view text) {
  JsonWriter& json = session.BeginResult();
  json.BeginObject();
  json.Key("lines");
  json.BeginArray();
  const bool sent = ForEachLine(text, [&](size_t number, std::string_view line) {
    const auto answer = Configure(session, line);
    json.BeginObject();
    json.Key("number").Unsigned(number);
    json.Key("line").Text(line);
    json.Key("answer").OptionalText(answer);
    json.EndObject();
    return answer.has_value();
  });
  json.EndArray();
  json.Key("complete").Bool(sent);
  json.EndObject();
}

void ConfigFromFile(Session& session, const Arguments& arguments) {
  const auto file = session.platform().ReadFile(arguments[0].text);
  if (!file.ok()) {
    const std::string text = "ERROR!! Couldn't open file: " + arguments[0].text + "\n";
    if (session.settings.json)
      session.PrintError(text, ErrorKind::kFile);
    else
      session.Print(text);
    return;
  }
  if (session.settings.json) return WriteFileLines(session, *file);
  session.Print("Sending configuration file, one line at a time.\n");
  const bool sent = ForEachLine(*file, [&](size_t number, std::string_view line) {
    return SendFileLine(session, number, line);
  });
  if (sent) session.Print("Done sending file\n");
}

void SaveConfig(Session& session, const Arguments& arguments) {
  const auto reply = SendChange(session, wire::ControlOp::kSaveConfig, arguments[0].text);
  if (!reply.ok()) return session.Explain(reply.error(), AssocId{0});
  if (session.settings.json) {
    JsonWriter& json = session.BeginResult();
    json.BeginObject();
    json.Key("answer").Text(StripEnd(reply->data));
    json.EndObject();
    return;
  }
  const std::string answer(StripEnd(PrintableLines(reply->data)));
  session.Print((answer.empty() ? "(no response message, curiously)" : answer) + "\n");
}

constexpr std::array kCommands = {
    Command{":config",
            Config,
            {{{kText, false, "<configuration command line>"}}},
            "send one line of configuration to the server"},
    Command{"config-from-file",
            ConfigFromFile,
            {{{kText, false, "<configuration filename>"}}},
            "send a file to the server, line by line"},
    Command{"saveconfig",
            SaveConfig,
            {{{kText, false, "filename"}}},
            "have the server write its configuration to a file"},
};

}  // namespace

std::span<const Command> ControlCommands() { return kCommands; }

}  // namespace ntpward::ntpq
