// ntpd-resolve: looks up the names of the configuration, and no others.
#include <poll.h>

#include <optional>

#include "ntpd/resolve/table.h"
#include "privsep/channel.h"
#include "privsep/fds.h"
#include "privsep/policies.h"
#include "privsep/role_start.h"
#include "privsep/supervisor_link.h"

namespace ntpward::resolve {
namespace {

class Role {
 public:
  Role()
      : supervisor_(UniqueFd(kSupervisorIn), UniqueFd(kSupervisorOut)),
        net_(UniqueFd(kNetIn), UniqueFd(kNetOut)),
        link_(&supervisor_) {}

  void SetSandbox(std::string sandbox) { sandbox_ = std::move(sandbox); }

  bool Turn() {
    pollfd fds[] = {{supervisor_.in_fd(), POLLIN, 0}, {net_.in_fd(), POLLIN, 0}};
    if (poll(fds, ready_ ? 2 : 1, -1) < 0) return true;
    if (fds[0].revents != 0 && !FromSupervisor()) return false;
    if (ready_ && fds[1].revents != 0) FromNet();
    return true;
  }

 private:
  bool FromSupervisor() {
    const auto bytes = supervisor_.Receive();
    if (!bytes) return !supervisor_.peer_gone();
    if (link_.AnswersLiveness(*bytes)) return true;
    msg::ResolveName name;
    msg::ResolveEnd end;
    if (!ready_ && msg::Decode(*bytes, &name)) return table_.Add(name);
    if (ready_ || !msg::Decode(*bytes, &end) || end.count != table_.size()) return false;
    rate_.emplace(table_.size());
    ready_ = true;
    link_.Ready(sandbox_);
    return true;
  }

  // One a turn: each may take minutes, and the supervisor wants to hear of us in between.
  void FromNet() {
    const auto bytes = net_.Receive();
    if (!bytes) return;
    msg::ResolveRequest request;
    const msg::ResolveName* name = nullptr;
    if (msg::Decode(*bytes, &request)) name = table_.Find(request.index);
    if (name == nullptr) return link_.Accuse(msg::Role::kNet, *bytes);
    (void)net_.Send(Answer(*name, &*rate_, MonotonicNow()));
  }

  Channel supervisor_;
  Channel net_;
  SupervisorLink link_;
  std::string sandbox_;
  NameTable table_;
  std::optional<LookUpRate> rate_;  // once all names are there
  bool ready_ = false;
};

int Main(int argc, char** argv) {
  const RoleIdentity identity = IdentityOrExit(argc, argv);
  Role role;
  const Policy policies[] = {RuntimePolicy(), ResolvePolicy()};
  role.SetSandbox(EnterCageOrExit("ntpd-resolve", {.identity = identity, .policies = policies}));
  while (role.Turn()) {
  }
  return 0;
}

}  // namespace
}  // namespace ntpward::resolve

int main(int argc, char** argv) { return ntpward::resolve::Main(argc, argv); }
