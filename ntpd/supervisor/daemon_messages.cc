// What the roles say: any of them may have been taken over, so that all of it is bounded.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "ntpd/supervisor/daemon.h"
#include "ntpd/supervisor/state_file.h"
#include "privsep/supervisor_link.h"

namespace ntpward::supervisor {
namespace {

using msg::Role;

constexpr double kDriftInterval = 60;  // seconds between writes of the drift file
constexpr double kStatusInterval = 1;  // seconds between words to the service manager
constexpr double kSecondsPerDay = 86400;
// Accusations that come sooner after a start are about its predecessor: they were under way.
constexpr double kAccusationGrace = 0.5;
// So long after the start of an ntpd-net its predecessor's questions may still be under way:
// seconds, and more of them than it takes.
constexpr double kLateLine = 10;

// A local clock counts no requests.
bool AsksServers(const config::Config& config) {
  return std::any_of(config.associations.begin(), config.associations.end(),
                     [](const config::Association& line) { return !line.is_local_clock(); });
}

}  // namespace

void Daemon::LogFrom(const RoleSlot& from, LogLevel level, std::string_view line) {
  log_->LogFromRole(from.process->role(), level, line, MonotonicNow());
}

void Daemon::LogFrom(const RoleSlot& from, const msg::LogLine& line) {
  log_->LogFromRole(from.process->role(), static_cast<LogLevel>(line.level), line.text.text(),
                    MonotonicNow(), line.kind);
}

void Daemon::OnReadable(RoleSlot& from, int most) {
  for (int i = 0; i < most; ++i) {
    RoleProcess& process = *from.process;
    if (process.channel() == nullptr) return;
    // Whoever sent nonsense has nothing more to say.
    if (process.condemned()) return from.readable.reset();
    const auto bytes = process.channel()->Receive();
    if (bytes) {
      OnMessage(from, *bytes);
      // A candidate that was ready has moved to another slot.
      if (from.process.get() != &process) return;
      continue;
    }
    if (!process.channel()->peer_gone()) return;
    // It is dying, or it closed our channel, and then it can no longer be led.
    from.readable.reset();
    return process.Kill();
  }
}

// A Fatal() line, or what the C library or a sanitizer has to say.
void Daemon::OnErrors(RoleSlot& from) {
  if (from.process->errors_fd() < 0) return;
  char text[4096];
  const ssize_t size = read(from.process->errors_fd(), text, sizeof text);
  if (size > 0) {
    std::string_view rest(text, static_cast<size_t>(size));
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      if (!line.empty())
        LogFrom(from, LogLevel::kError,
                std::string("ntpd-") + RoleName(from.process->role()) + ": " + std::string(line));
    }
    return;
  }
  if (size == 0) from.errors.reset(), from.process->CloseErrors();
}

void Daemon::OnMessage(RoleSlot& from, Bytes bytes) {
  if (OnCommonMessage(from, bytes)) return;
  const Role role = from.process->role();
  if (role == Role::kNet && OnNetMessage(bytes)) return;
  if (role == Role::kKeys && OnKeysMessage(from, bytes)) return;
  msg::ClockMirror mirror;
  if (role == Role::kClock && msg::Decode(bytes, &mirror)) {
    return OnClockMirror(mirror);
  }
  log_->Log(LogLevel::kError,
            std::string("ntpd-") + RoleName(role) + " sent a malformed message: killed");
  ++from.refused;
  from.process->Condemn();
}

void Daemon::OnClockMirror(const msg::ClockMirror& mirror) {
  clock_mirror_ = mirror;
  if (!mirror.gate_shut) return;
  if (const Status written = first_step_marker_.Write(); !written.ok())
    log_->Log(LogLevel::kError, "a crash would allow another first step: " + written.error().text);
}

// What a condemned ntpd-clock has still to say: net's word may have been false, and it would undo
// what was spent. A mirror holds all of those before it.
void Daemon::TakeLastMirror(Channel* clock, int most) {
  msg::ClockMirror mirror;
  bool found = false;
  for (int i = 0; clock != nullptr && i < most; ++i) {
    const auto bytes = clock->Receive();
    if (!bytes) break;
    if (msg::ClockMirror later; msg::Decode(*bytes, &later)) mirror = later, found = true;
  }
  if (found) OnClockMirror(mirror);
}

bool Daemon::OnCommonMessage(RoleSlot& from, Bytes bytes) {
  const auto type = msg::PeekType(bytes);
  if (type == msg::Type::kLogLine) {
    msg::LogLine line;
    if (!msg::Decode(bytes, &line)) return false;
    LogFrom(from, line);
    return true;
  }
  if (type == msg::Type::kRoleReady) {
    msg::RoleReady ready;
    if (!msg::Decode(bytes, &ready) || from.process->ready) return false;
    if (&from == &candidate_) return OnCandidateReady(ready), true;
    OnReady(from, ready);
    return true;
  }
  if (type == msg::Type::kRoleFailed) {
    msg::RoleFailed failed;
    if (!msg::Decode(bytes, &failed)) return false;
    LogFrom(from, LogLevel::kError, failed.text.text());
    from.process->said_why = true;
    return true;
  }
  if (type == msg::Type::kLivenessAnswer) {
    msg::LivenessAnswer answer;
    return msg::Decode(bytes, &answer) && from.process->liveness().OnAnswer(answer);
  }
  msg::Misbehaviour message;
  return type == msg::Type::kMisbehaviour && msg::Decode(bytes, &message) &&
         OnMisbehaviour(from, message);
}

// Every channel between roles has net at one end, so that nobody else can have been spoken to.
bool Daemon::OnMisbehaviour(RoleSlot& from, const msg::Misbehaviour& message) {
  const Role accuser = from.process->role();
  if ((accuser == Role::kNet) == (message.culprit == Role::kNet)) return false;
  RoleProcess& culprit = *slot(message.culprit).process;
  if (!culprit.running() || culprit.condemned() ||
      MonotonicNow() - culprit.started() < kAccusationGrace)
    return true;
  log_->Log(LogLevel::kError, std::string("ntpd-") + RoleName(message.culprit) + " sent ntpd-" +
                                  RoleName(accuser) + " a message (type " +
                                  std::to_string(message.message_type) +
                                  ") that it must not send: killed");
  ++slot(message.culprit).refused;
  culprit.Condemn();
  return true;
}

// The date names a file, and net must not write into those of other days. One that was on its way
// while the clock was stepped is dropped, too. Where a virtual clock is, ntpd-clock has said.
bool Daemon::IsToday(NtpTimestamp when) const {
  const double ahead = !virtual_clock_ ? 0
                       : clock_mirror_ ? clock_mirror_->correction
                                       : clock_start_.initial_correction;
  return std::abs((when - SystemTimeNow()).seconds() - ahead) < kSecondsPerDay;
}

// A candidate at a reload serves nobody yet.
bool Daemon::OnKeysMessage(RoleSlot& from, Bytes bytes) {
  if (&from == &candidate_) return false;
  if (msg::RuntimeLine line; msg::Decode(bytes, &line)) return OnRuntimeLine(line);
  msg::RuntimeTrust change;
  if (!msg::Decode(bytes, &change)) return false;
  if (!kept_trust_.Take(change)) return true;
  if (const Status written = kept_trust_file_.Write(kept_trust_); !written.ok())
    log_->Log(LogLevel::kError, "a crash would undo the command: " + written.error().text);
  return true;
}

bool Daemon::OnRuntimeLine(const msg::RuntimeLine& line) {
  // Nothing of it is new, and what is written is waited for.
  if (!kept_lines_.lines().empty() && kept_lines_.lines().back() == line) return true;
  if (!kept_lines_.Take(line)) return false;
  if (const Status written = kept_lines_file_.Write(kept_lines_); !written.ok())
    log_->Log(LogLevel::kError, "a crash would undo the command: " + written.error().text);
  // Whoever asked for it may have died of it, or before it was told: its successor has got all
  // lines but this one. To hear it twice does no harm.
  const RoleSlot& net = slot(Role::kNet);
  if (!ending_ && net.restarts > 0 && net.process->running() &&
      MonotonicNow() - net.process->started() < kLateLine)
    SendNetConfiguration();
  return true;
}

bool Daemon::OnNetMessage(Bytes bytes) {
  const auto type = msg::PeekType(bytes);
  if (type == msg::Type::kNetStatistics) {
    msg::NetStatistics statistics;
    if (!msg::Decode(bytes, &statistics)) return false;
    if (!IsToday(statistics.when)) return true;
    statistics_.Write(statistics.file, statistics.when, statistics.line.text(), MonotonicNow());
    return true;
  }
  if (type == msg::Type::kNetDrift) {
    msg::NetDrift drift;
    if (!msg::Decode(bytes, &drift)) return false;
    OnDrift(drift.frequency);
    return true;
  }
  if (type == msg::Type::kNetStatus) {
    msg::NetStatus status;
    if (!msg::Decode(bytes, &status)) return false;
    OnStatus(status.text.text());
    return true;
  }
  if (type == msg::Type::kNetSaveConfig) {
    msg::NetSaveConfig save;
    if (!msg::Decode(bytes, &save)) return false;
    const InForce in_force{config_, kept_lines_, kept_trust_};
    Post(slot(Role::kNet), saver_.Save(save, in_force, MonotonicNow(), std::time(nullptr)));
    return true;
  }
  msg::NetQuit quit;
  if (type != msg::Type::kNetQuit || !msg::Decode(bytes, &quit)) return false;
  return OnQuit(quit);
}

// Each write is synced to the disk: a flood of them must not keep it busy.
void Daemon::OnDrift(Ppm frequency) {
  drift_ = frequency;
  const MonoTime now = MonotonicNow();
  drift_due_ = drift_saved_ && now - *drift_saved_ < kDriftInterval;
  if (drift_due_ && !ending_) return;
  drift_saved_ = now;
  SaveDrift();
}

void Daemon::SaveDrift() {
  drift_due_ = false;
  const std::string path = DriftPath();
  if (path.empty() || !drift_) return;
  if (const Status written = WriteDrift(path, *drift_); !written.ok())
    log_->Log(LogLevel::kError, "drift file: " + written.error().text);
}

void Daemon::OnStatus(std::string_view text) {
  const MonoTime now = MonotonicNow();
  if (text == status_ || (status_told_ && now - *status_told_ < kStatusInterval)) return;
  status_ = std::string(text);
  status_told_ = now;
  manager_->Tell("STATUS=" + Printable(text));
}

bool Daemon::OnQuit(const msg::NetQuit& message) {
  if (ending_) return true;
  const bool permitted = message.reason == msg::QuitReason::kPanic
                             ? config_.system.tinker.panic.value > 0
                             : options_.quit;
  std::string text = Printable(message.text.text());
  if (!permitted) {
    log_->Log(LogLevel::kError, "ntpd-net wants the daemon to end, which it may not: " + text);
    return false;
  }
  int status = msg::ExitStatus(message.reason);
  // A script that waits for the time to be set must hear of it; --no-clock asked for as much.
  if (options_.quit && status == 0 && virtual_clock_ && !options_.no_clock) {
    status = 1;
    text += " (no right to set it)";
  }
  if (options_.quit) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
  }
  log_->Log(status == 0 ? LogLevel::kNotice : LogLevel::kError, text);
  exit_status_ = status;
  may_linger_ = message.reason != msg::QuitReason::kUnheard && AsksServers(config_);
  BeginEnd(0);
  return true;
}

}  // namespace ntpward::supervisor
