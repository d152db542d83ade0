// What every role tells the supervisor, and the one question that it asks each of them.
//
// role -> supervisor, but for LivenessQuestion. A role's lines are text for the operator; the
// supervisor bounds how many bytes of them a second it writes, and makes them printable.
#pragma once

#include <string_view>

#include "privsep/base/log.h"
#include "privsep/msg/codec.h"
#include "privsep/msg/runtime_line.h"

namespace ntpward::msg {

// The roles in the order in which they are started. The supervisor is none of them.
enum class Role : uint8_t { kClock = 0, kKeys = 1, kResolve = 2, kNet = 3, kLast = kNet };
inline constexpr size_t kRoles = 4;

// Lines of an audit trail say what somebody who has the control key asked for. They have bounds of
// their own, by which ntpd-net sends them and the supervisor writes them: octets of a line (longer
// ones are cut), lines a second, and lines at once. A file of 200 lines, as many as stay in force,
// may go through ntpq's config-from-file twice.
inline constexpr size_t kLongestAudit = 600;
inline constexpr double kAuditPerSecond = 10, kAuditBurst = 500;

enum class LogKind : uint8_t { kOrdinary = 0, kAudit = 1, kLast = kAudit };

struct LogLine {
  static constexpr Type kType = Type::kLogLine;
  uint8_t level = 6;  // LogLevel, syslog's numbers 3..7
  LogKind kind = LogKind::kOrdinary;
  InlineText<1000> text;

  bool Valid() const {
    return level >= 3 && level <= 7 && (kind != LogKind::kAudit || text.size() <= kLongestAudit);
  }
  static auto Fields(auto& m) { return std::tie(m.level, m.kind, m.text); }
};
// Who asked ("ADDRESS%SCOPE config: ") or under which key, and the whole of the longest line.
static_assert(decltype(RuntimeLine::line)::kCapacity + 100 <= kLongestAudit);
static_assert(kLongestAudit <= decltype(LogLine::text)::kCapacity);

// `text` is cut to what a line of that kind may have.
inline LogLine MakeLogLine(LogLevel level, std::string_view text,
                           LogKind kind = LogKind::kOrdinary) {
  LogLine line{.level = static_cast<uint8_t>(level), .kind = kind};
  const size_t most = kind == LogKind::kAudit ? kLongestAudit : decltype(LogLine::text)::kCapacity;
  CHECK(line.text.Assign(AsBytes(text.substr(0, most))));
  return line;
}

// The role is caged, has read what it was started with, and serves. Carries what its own /proc
// entry said once the cage was shut, for the table that `make demo` prints.
struct RoleReady {
  static constexpr Type kType = Type::kRoleReady;
  InlineText<500> sandbox;  // e.g. "seccomp=2 no_new_privs=1 landlock=no netns=own"

  static auto Fields(auto& m) { return std::tie(m.sandbox); }
};

// The role cannot start with what it was given (wrong password, key file missing): the supervisor
// refuses to start, or keeps the old one at a reload.
struct RoleFailed {
  static constexpr Type kType = Type::kRoleFailed;
  InlineText<1000> text;

  static auto Fields(auto& m) { return std::tie(m.text); }
};

// The sender received a malformed or impermissible message from `culprit` and applied nothing of
// it. The supervisor kills the culprit. A role that accuses falsely is restarted like any other: it
// can cost availability, which a taken-over role can cost anyhow.
struct Misbehaviour {
  static constexpr Type kType = Type::kMisbehaviour;
  Role culprit = Role::kNet;
  uint16_t message_type = 0;

  static auto Fields(auto& m) { return std::tie(m.culprit, m.message_type); }
};

// supervisor -> every role that has said RoleReady: does it still read its messages?
struct LivenessQuestion {
  static constexpr Type kType = Type::kLivenessQuestion;
  uint32_t number = 0;

  static auto Fields(auto& m) { return std::tie(m.number); }
};

// role -> supervisor, at once, with the question's number.
struct LivenessAnswer {
  static constexpr Type kType = Type::kLivenessAnswer;
  uint32_t number = 0;

  static auto Fields(auto& m) { return std::tie(m.number); }
};

}  // namespace ntpward::msg
