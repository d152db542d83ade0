// Configuration by mode 6 (CONFIGURE): who decides about a line, and how the answer is worded.
//
// A line comes from whoever has the control key. Each directive of ntp.conf has a row that says
// what becomes of it at run time; what no row permits changes nothing. Texts are those of
// ntpd 4.2.8 where it has any; columns count from 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ntpd/wire/control_message.h"
#include "privsep/base/address.h"

namespace ntpward::control {

// What the access rules let the requester do.
enum class Rights : uint8_t {
  kRead,  // restrict ... nomodify
  kModify,
};

struct LineDecision {
  // What its sender is to read, if the key process finds that he may ask; empty: what the line says
  // may be done.
  std::string answer;
  std::string log;  // for the operator, on the same condition
};

// What becomes of one line whose MAC is right; `data` is the line and, perhaps, its nonce, which
// is never in the log.
LineDecision JudgeLine(std::string_view data, const IpAddress& from, Rights rights);

// Whether it is a line of configuration that net carries out, once the key process has said that
// its sender may.
bool IsForNet(const wire::ControlRequest& request);

// What the key process made of a line.
enum class CommandResult : uint8_t {
  kDone,
  kDenied,      // the MAC, or the nonce
  kSyntax,      // at `column`
  kUnknownKey,  // the word at `column` is no key of the key file
  kControlKey,  // the word at `column` is the key under which all this is done
  kKeyInUse,    // the same, and an association was to use it
  kFull,        // no more lines are kept
};

struct CommandVerdict {
  CommandResult result = CommandResult::kDenied;
  size_t column = 0;
};

// The answer to such data; nothing for kDenied, which is an error of the protocol.
std::string CommandText(std::string_view data, const CommandVerdict& verdict);

}  // namespace ntpward::control
