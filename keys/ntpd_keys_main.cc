// ntpd-keys: holds every secret. No socket, no right over the clock, no parser of network input.
#include <poll.h>
#include <signal.h>

#include <cstdio>

#include "keys/crypto_setup.h"
#include "keys/service.h"
#include "privsep/channel.h"
#include "privsep/fds.h"
#include "privsep/memory_lock.h"
#include "privsep/policies.h"
#include "privsep/role_start.h"
#include "privsep/supervisor_link.h"

namespace ntpward::keys {
namespace {

class SystemTime : public TimeSource {
 public:
  NtpTimestamp System() override { return SystemTimeNow(); }
  MonoTime Monotonic() override { return MonotonicNow(); }
};

class PipeOutbox : public Outbox {
 public:
  PipeOutbox(Channel* supervisor, Channel* net) : supervisor_(*supervisor), net_(*net) {}

  void Send(const msg::ServeDone& message) override { (void)net_.Send(message); }
  void Send(const msg::Sealed& message) override { (void)net_.Send(message); }
  void Send(const msg::Verdict& message) override { (void)net_.Send(message); }
  void Send(const msg::HostMaterial& message) override { (void)net_.Send(message); }
  void Send(const msg::SignedValues& message) override { (void)net_.Send(message); }
  void Send(const msg::KeyCount& message) override { (void)net_.Send(message); }
  void Send(const msg::ValueAnswer& message) override { (void)net_.Send(message); }
  void Send(const msg::KeyListTaken& message) override { (void)net_.Send(message); }
  void Send(const msg::CommandNonce& message) override { (void)net_.Send(message); }
  void Send(const msg::CommandDone& message) override { (void)net_.Send(message); }
  void Send(const msg::LogLine& message) override { (void)supervisor_.Send(message); }
  void Send(const msg::RoleReady& message) override { (void)supervisor_.Send(message); }
  void Send(const msg::RoleFailed& message) override { (void)supervisor_.Send(message); }
  void Send(const msg::Misbehaviour& message) override { (void)supervisor_.Send(message); }
  void Send(const msg::KeysInherited& message) override { (void)supervisor_.Send(message); }
  bool Send(const msg::RuntimeTrust& message) override {
    return supervisor_.Send(message) == SendOutcome::kSent;
  }
  bool Send(const msg::RuntimeLine& message) override {
    return supervisor_.Send(message) == SendOutcome::kSent;
  }

 private:
  Channel& supervisor_;
  Channel& net_;
};

class Role {
 public:
  explicit Role(std::string sandbox)
      : supervisor_(UniqueFd(kSupervisorIn), UniqueFd(kSupervisorOut)),
        net_(UniqueFd(kNetIn), UniqueFd(kNetOut)),
        heritage_(UniqueFd(kHeritageIn), UniqueFd(kHeritageOut)),
        link_(&supervisor_),
        out_(&supervisor_, &net_),
        service_(&time_, std::move(sandbox)) {}

  // False when there is nothing left to serve.
  bool Turn() {
    pollfd fds[] = {{supervisor_.in_fd(), POLLIN, 0}, {net_.in_fd(), POLLIN, 0}};
    // Net is not listened to before there are keys to serve it with, nor beside a predecessor.
    const nfds_t count = service_.serves_net() && !net_.peer_gone() ? 2 : 1;
    if (poll(fds, count, service_.HasWork() ? 0 : kTickMs) < 0) return true;
    if (fds[0].revents != 0) FromSupervisor();
    if (service_.failed()) return false;
    if (service_.bequeaths()) (void)service_.Bequeath(WaitingSender(), out_);
    if (service_.inherits()) Inherit();
    if (count == 2 && fds[1].revents != 0) FromNet();
    // One slow operation a turn, so that the next MAC waits for one at most.
    service_.RunOne(out_);
    service_.Tick(out_);
    return !supervisor_.peer_gone();
  }

 private:
  static constexpr int kTickMs = 10000;
  // One turn takes this many messages: a flood must not keep the supervisor from being heard.
  static constexpr int kMessagesPerTurn = 100;

  // Both ends are there, and nobody else may act meanwhile: these are the only ones that wait.
  static constexpr double kHeritageSeconds = 0.5;
  static bool WaitFor(int fd, short what, MonoTime end) {
    pollfd ready{fd, what, 0};
    const double left = end - MonotonicNow();
    return left > 0 && poll(&ready, 1, static_cast<int>(left * 1000) + 1) == 1;
  }
  SendHeritage WaitingSender() {
    return [this, end = MonotonicNow() + kHeritageSeconds](Bytes message) {
      do {
        if (heritage_.SendEncoded(message, -1) == SendOutcome::kSent) return true;
      } while (WaitFor(heritage_.out_fd(), POLLOUT, end));
      return false;
    };
  }
  void Inherit() {
    const MonoTime end = MonotonicNow() + kHeritageSeconds;
    while (service_.inherits()) {
      if (const auto message = heritage_.Receive()) {
        service_.Inherit(*message, out_);
      } else if (!WaitFor(heritage_.in_fd(), POLLIN, end)) {
        service_.GiveUpHeritage(out_);
      }
    }
    heritage_.WipeReceived();
  }
  void FromSupervisor() {
    while (!service_.failed()) {
      const auto bytes = supervisor_.Receive();
      if (!bytes) return;
      if (!link_.AnswersLiveness(*bytes)) service_.HandleSupervisor(*bytes, out_);
    }
  }
  void FromNet() {
    for (int i = 0; i < kMessagesPerTurn; ++i) {
      const auto bytes = net_.Receive();
      if (!bytes) return;
      service_.HandleNet(*bytes, out_);
    }
  }

  Channel supervisor_;
  Channel net_;
  Channel heritage_;  // from the one before, to the one behind
  SupervisorLink link_;
  PipeOutbox out_;
  SystemTime time_;
  KeyService service_;
};

int Main(int argc, char** argv) {
  const RoleIdentity identity = IdentityOrExit(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  RaiseLockLimit();
  const auto crypto = CryptoSetup::ForRole();
  if (!crypto.ok()) return std::fprintf(stderr, "ntpd-keys: %s\n", crypto.error().text.c_str()), 3;
  const bool locked = LockWorkingMemory();
  const Policy policies[] = {RuntimePolicy(), KeysPolicy()};
  const std::string caged = EnterCageOrExit(
      "ntpd-keys",
      {.identity = identity, .own_network = true, .empty_root = true, .policies = policies});
  Role role(caged + (locked ? " memory=locked" : " memory=secrets-locked"));
  while (role.Turn()) {
  }
  return 0;
}

}  // namespace
}  // namespace ntpward::keys

int main(int argc, char** argv) { return ntpward::keys::Main(argc, argv); }
