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

// The server's answer to one line of configuration; none after a failure that has been told.
std::optional<std::string> Configure(Session& session, std::string_view line) {
  const auto reply = SendLine(session, line);
  if (reply.ok()) return std::string(StripEnd(PrintableLines(reply->data)));
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

void Config(Session& session, const Arguments& arguments) {
  const std::string_view line = StripEnd(arguments[0].text);
  const auto answer = Configure(session, line);
  if (!answer) return;
  if (const auto column = ComplaintColumn(*answer); column && *column <= line.size() + 1) {
    // At the prompt the line is on the screen already: point at it.
    session.Print(session.at_prompt ? std::string(13, ' ') + "*" : Printable(line) + "\n");
    session.Print(std::string(*column, '_') + "^\n");
  }
  session.Print(*answer + "\n");
}

// False when the server answers no more.
bool SendFileLine(Session& session, size_t number, std::string_view line) {
  const std::string start = "Line No: " + std::to_string(number) + " ";
  const auto answer = Configure(session, line);
  if (!answer) {
    session.Print(start + "query failed: " + Printable(line) + "\nSubsequent lines not sent.\n");
    return false;
  }
  session.Print(start + *answer + ": " + Printable(line) + "\n");
  return true;
}

void ConfigFromFile(Session& session, const Arguments& arguments) {
  const auto file = session.platform().ReadFile(arguments[0].text);
  if (!file.ok()) {
    session.Print("ERROR!! Couldn't open file: " + arguments[0].text + "\n");
    return;
  }
  session.Print("Sending configuration file, one line at a time.\n");
  std::string_view rest = *file;
  for (size_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view whole = rest.substr(0, end);
    const std::string_view line = StripEnd(whole.substr(0, whole.find('#')));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.empty() && !SendFileLine(session, number, line)) return;
  }
  session.Print("Done sending file\n");
}

void SaveConfig(Session& session, const Arguments& arguments) {
  const auto reply =
      session.Ask(wire::ControlOp::kSaveConfig, AssocId{0}, arguments[0].text, Auth::kAlways);
  if (!reply) return;
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
