// The life of one role's process: its pipes, its starts, its deaths and the back-off between them.
#pragma once

#include <sys/types.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "ntpd/supervisor/accounts.h"
#include "ntpd/supervisor/liveness.h"
#include "ntpd/supervisor/outbox.h"
#include "privsep/channel.h"
#include "privsep/msg/role.h"

namespace ntpward::supervisor {

// The way between net and one other role: two pipes whose ends the supervisor keeps, so that a role
// that starts anew finds its peers where they were. The roles hold the same pipes with file status
// flags of their own (WithOwnFlags).
struct PeerLink {
  Pipe to_net;
  Pipe from_net;

  static Result<PeerLink> Make();
  // Throws away what a dead role left unread or half done: at most what the pipes hold, at once.
  void Drain();
};

// Clock, keys and resolve each have one; the index is msg::Role.
using PeerLinks = std::array<PeerLink, 3>;

// How long to wait before the next start, from how often it died lately: at once, then 1 s,
// doubling to 60 s. A role that keeps dying ends the daemon, but for ntpd-resolve: addresses that
// are known are asked without it.
class BackOff {
 public:
  enum class Patience : uint8_t { kBounded, kEndless };

  static constexpr double kGoodLife = 60;  // seconds after which a death counts as the first
  static constexpr int kMostDeaths = 12;   // without a good life in between

  explicit BackOff(Patience patience) : patience_(patience) {}

  // A process that lived `lifetime` seconds is dead, or (0) could not be started; seconds to wait,
  // or none: give up, which one of endless patience never does.
  std::optional<double> AfterDeath(double lifetime);

 private:
  Patience patience_;
  int deaths_ = 0;
};

class RoleProcess {
 public:
  // `program` is opened now and exec'd at every start.
  static Result<std::unique_ptr<RoleProcess>> Open(msg::Role role, const std::string& directory,
                                                   const Account& account);
  // Another process of the same role and program, not started.
  Result<std::unique_ptr<RoleProcess>> Sibling() const;

  // What else the role inherits: descriptors for this start, by the number they get.
  using Inherited = std::vector<std::pair<int, int>>;
  // Starts it with fresh supervisor channels, /dev/null as standard input and output, and a pipe of
  // ours as standard error. `empty_root` may be -1.
  Status Start(PeerLinks& links, const Inherited& inherit, int empty_root, MonoTime now);
  // waitpid said so. Closes the channel; the text says how it ended.
  std::string Ended(int status);
  void Kill() const;
  // It misbehaved: killed, and what it said is no longer listened to.
  void Condemn();
  // It is to be replaced: killed, and its end is no failure.
  void Retire();

  msg::Role role() const { return role_; }
  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  // Its /proc/PID/status; -1 where that cannot be read.
  int status_fd() const { return status_.get(); }
  Channel* channel() { return channel_ ? &*channel_ : nullptr; }
  // Where its standard error comes out; -1 when nobody holds the other end.
  int errors_fd() const { return errors_.get(); }
  void CloseErrors() { errors_.Close(); }
  Outbox& outbox() { return outbox_; }
  MonoTime started() const { return started_; }
  BackOff& back_off() { return back_off_; }
  Liveness& liveness() { return liveness_; }
  bool condemned() const { return condemned_; }
  bool retired() const { return retired_; }
  bool ready = false;      // said RoleReady since its last start
  bool was_ready = false;  // ever
  bool said_why = false;   // said RoleFailed since its last start
  std::string sandbox;     // what it said of its cage

 private:
  RoleProcess(msg::Role role, UniqueFd program, const Account& account)
      : role_(role),
        program_(std::move(program)),
        account_(account),
        back_off_(role == msg::Role::kResolve ? BackOff::Patience::kEndless
                                              : BackOff::Patience::kBounded),
        liveness_(role) {}

  msg::Role role_;
  UniqueFd program_;
  Account account_;
  pid_t pid_ = -1;
  std::optional<Channel> channel_;
  UniqueFd errors_;
  UniqueFd status_;
  Outbox outbox_;
  MonoTime started_;
  BackOff back_off_;
  Liveness liveness_;
  bool condemned_ = false;
  bool retired_ = false;
};

}  // namespace ntpward::supervisor
