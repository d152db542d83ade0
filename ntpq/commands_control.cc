// Commands that change the server's configuration. All need its control key.
#include <algorithm>

#include "ntpd/wire/variable_values.h"
#include "ntpq/command.h"
#include "ntpq/text.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {
namespace {

using enum ArgumentKind;

constexpr size_t kNonceDigits = 32;

std::string_view StripEnd(std::string_view text) {
  while (!text.empty() && (IsBlank(text.back()) || text.back() == '\0')) text.remove_suffix(1);
  return text;
}

bool IsNonce(std::string_view text) {
  return text.size() == kNonceDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// What makes a line good once, for the end of it; empty from a server that has no such thing, which
// answers with a nonce for mrulist, or with an error.
Result<std::string, QueryError> NonceWord(Session& session) {
  const auto reply =
      session.Try(wire::ControlOp::kRequestNonce, AssocId{0}, "config", Auth::kAlways);
  if (!reply.ok()) {
    const QueryError& error = reply.error();
    const bool refused = error.kind == QueryError::Kind::kRefused;
    // Who says that our key may not has understood what it was asked.
    const bool not_allowed = refused && error.code == wire::ControlError::kPermission;
    if (!refused || (not_allowed && !session.settings.no_nonce)) return Fail(error);
    return std::string();
  }
  const auto values = ReadValues(reply->data);
  const auto nonce = Find(values, "config_nonce");
  return nonce && IsNonce(*nonce) ? " nonce=" + std::string(*nonce) : std::string();
}

// A line without a nonce can be sent again by whoever saw it, the server itself included, and any
// server can pretend to have no nonces: so it leaves only when the user says that this one has
// none.
Result<void, QueryError> MaySend(const Session& session, const std::string& line, bool has_nonce) {
  const auto refuse = [](const char* why) {
    return Fail(QueryError{QueryError::Kind::kNotSent, {}, why});
  };
  if (line.size() > wire::kMaxControlData) return refuse("***Line is longer than a request holds");
  if (!has_nonce && !session.settings.no_nonce)
    return refuse(
        "***Server gave no nonce, nothing was sent (one of another make needs option --no-nonce)");
  return {};
}

// One line, sent until it is answered. Of a line with a nonce the server may have done what an
// answer that got lost said, and would refuse it the second time: so each is sent once.
Result<Reply, QueryError> SendLine(Session& session, std::string_view line) {
  constexpr int kNonces = 2;
  for (int i = 1;; ++i) {
    const std::string nonce = TRY(NonceWord(session));
    const std::string whole = std::string(line) + nonce;
    TRY_VOID(MaySend(session, whole, !nonce.empty()));
    auto reply = session.Try(wire::ControlOp::kConfigure, AssocId{0}, whole, Auth::kAlways,
                             nonce.empty() ? 2 : 1);
    if (reply.ok() || nonce.empty() || i == kNonces ||
        reply.error().kind != QueryError::Kind::kNothing)
      return reply;
  }
}

// The server's answer to one line of configuration, as it came; none after a failure that has been
// told.
std::optional<std::string> Configure(Session& session, std::string_view line) {
  const auto reply = SendLine(session, line);
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
  const auto reply =
      session.Ask(wire::ControlOp::kSaveConfig, AssocId{0}, arguments[0].text, Auth::kAlways);
  if (!reply) return;
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
