#include "ntpd/control/configure.h"

#include <algorithm>
#include <array>

#include "privsep/base/nonce_word.h"
#include "privsep/base/text.h"

namespace ntpward::control {
namespace {

// What becomes of a directive that comes by mode 6.
enum class AtRunTime : uint8_t {
  kKeyTrust,  // ntpd-keys does it
  kByNet,     // ntpd-net does it, when ntpd-keys has said that it may
  kFileOnly,  // names a file or guards one: never by mode 6 (CVE-2015-5196, CVE-2015-7703)
  kReload,    // opens sockets or files, or says who is believed: other processes have to know
  kNoEffect,  // exists only so that old files load
};

struct Row {
  std::string_view directive;
  AtRunTime at_run_time;
};

constexpr Row kRows[] = {
    {"trustedkey", AtRunTime::kKeyTrust},
    {"untrustedkey", AtRunTime::kKeyTrust},

    {"controlkey", AtRunTime::kFileOnly},
    {"controlnonce", AtRunTime::kFileOnly},
    {"crypto", AtRunTime::kFileOnly},
    {"driftfile", AtRunTime::kFileOnly},
    {"filegen", AtRunTime::kFileOnly},
    {"includefile", AtRunTime::kFileOnly},
    {"keys", AtRunTime::kFileOnly},
    {"keysdir", AtRunTime::kFileOnly},
    {"leapfile", AtRunTime::kFileOnly},
    {"logfile", AtRunTime::kFileOnly},
    {"ntpsigndsocket", AtRunTime::kFileOnly},
    {"pidfile", AtRunTime::kFileOnly},
    {"saveconfigdir", AtRunTime::kFileOnly},
    {"statsdir", AtRunTime::kFileOnly},

    {"automax", AtRunTime::kByNet},
    {"broadcast", AtRunTime::kByNet},
    {"broadcastdelay", AtRunTime::kByNet},
    {"delrestrict", AtRunTime::kByNet},
    {"disable", AtRunTime::kByNet},
    {"discard", AtRunTime::kByNet},
    {"enable", AtRunTime::kByNet},
    {"fudge", AtRunTime::kByNet},
    {"logconfig", AtRunTime::kByNet},
    {"manycastclient", AtRunTime::kByNet},
    {"mru", AtRunTime::kByNet},
    {"peer", AtRunTime::kByNet},
    {"pool", AtRunTime::kByNet},
    {"reset", AtRunTime::kByNet},
    {"restrict", AtRunTime::kByNet},
    {"server", AtRunTime::kByNet},
    {"setvar", AtRunTime::kByNet},
    {"tinker", AtRunTime::kByNet},
    {"tos", AtRunTime::kByNet},
    {"ttl", AtRunTime::kByNet},
    {"unconfig", AtRunTime::kByNet},
    {"unpeer", AtRunTime::kByNet},
    {"unrestrict", AtRunTime::kByNet},

    {"broadcastclient", AtRunTime::kReload},
    {"dscp", AtRunTime::kReload},
    {"ident", AtRunTime::kReload},
    {"interface", AtRunTime::kReload},
    {"manycastserver", AtRunTime::kReload},
    {"multicastclient", AtRunTime::kReload},
    {"nic", AtRunTime::kReload},
    {"revoke", AtRunTime::kReload},
    {"statistics", AtRunTime::kReload},

    {"nonvolatile", AtRunTime::kNoEffect},
    {"requestkey", AtRunTime::kNoEffect},
    {"trap", AtRunTime::kNoEffect},
};

constexpr std::string_view kSucceeded = "Config Succeeded";
constexpr std::string_view kSyntaxError = "syntax error";

std::string_view FirstWord(std::string_view text) {
  return text.substr(0, text.find_first_of(" \t"));
}

const Row* FindRow(std::string_view directive) {
  const auto* row = std::find_if(std::begin(kRows), std::end(kRows),
                                 [&](const Row& r) { return r.directive == directive; });
  return row == std::end(kRows) ? nullptr : row;
}

bool IsText(std::string_view line) {
  return std::all_of(line.begin(), line.end(),
                     [](char c) { return (c >= ' ' && c < 0x7f) || c == '\t'; });
}

bool Mentions(std::string_view line, std::string_view word) {
  for (; line.size() >= word.size(); line.remove_prefix(1))
    if (EqualIgnoringCase(line.substr(0, word.size()), word)) return true;
  return false;
}

// `crypto pw` brings a password along, and a line may be one that its sender mistyped.
std::string Shown(std::string_view line) {
  for (const std::string_view word : {"crypto", "pw", "password"})
    if (Mentions(line, word)) return "(left out: it may hold a password)";
  return std::string(line);
}

std::string AtColumn(size_t column, std::string_view text) {
  return "column " + std::to_string(column) + " " + std::string(text);
}

// Empty: no text of ours is the answer.
std::string AnswerTo(std::string_view line) {
  const std::string_view directive = FirstWord(line);
  const Row* row = FindRow(directive);
  if (line.empty()) return std::string(kSucceeded);
  if (row == nullptr) return AtColumn(0, kSyntaxError);
  switch (row->at_run_time) {
    case AtRunTime::kKeyTrust:
    case AtRunTime::kByNet:
      break;
    case AtRunTime::kFileOnly:
      return AtColumn(0, std::string(directive) + " remote config ignored");
    case AtRunTime::kReload:
      return AtColumn(0, std::string(directive) +
                             " cannot be changed at run time: change ntp.conf and send SIGHUP");
    case AtRunTime::kNoEffect:
      return AtColumn(0, std::string(directive) + " has no effect here");
  }
  return "";
}

}  // namespace

bool IsForNet(const wire::ControlRequest& request) {
  if (request.header.op != wire::ControlOp::kConfigure) return false;
  const Row* row = FindRow(FirstWord(AsText(request.data)));
  return row != nullptr && row->at_run_time == AtRunTime::kByNet;
}

LineDecision JudgeLine(std::string_view data, const IpAddress& from, Rights rights) {
  const std::string_view line = SplitNonce(data).text;
  const std::string address = from.ToString();
  if (rights == Rights::kRead)
    return {"runtime configuration prohibited by restrict ... nomodify",
            "runtime config from " + address + " rejected due to nomodify restriction"};
  if (!IsText(line))
    return {
        "runtime configuration failed: request contains an unprintable character",
        "runtime config from " + address + " rejected: request contains an unprintable character"};
  return {AnswerTo(line), address + " config: " + Shown(line)};
}

std::string CommandText(std::string_view data, const CommandVerdict& verdict) {
  const std::string_view line = SplitNonce(data).text;
  const size_t column = std::min(verdict.column, line.size());
  const std::string key = "key " + std::string(FirstWord(line.substr(column)));
  switch (verdict.result) {
    case CommandResult::kDone:
      return std::string(kSucceeded);
    case CommandResult::kSyntax:
      return AtColumn(column, kSyntaxError);
    case CommandResult::kUnknownKey:
      return AtColumn(column, key + " is not in the key file");
    case CommandResult::kControlKey:
      return AtColumn(column, key + " is the control key: only ntp.conf can take it away");
    case CommandResult::kKeyInUse:
      return AtColumn(column, key + " is the control key: expected one that nobody else has");
    case CommandResult::kFull:
      return AtColumn(0, "too many lines are in force already: put them into ntp.conf and restart");
    case CommandResult::kDenied:
      break;
  }
  return "";
}

}  // namespace ntpward::control
