// One look at a server for `watch`: its system variables and its associations, at one time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ntpd/wire/status_word.h"
#include "ntpq/associations.h"
#include "ntpq/session.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {

// One line of the billboard. All text is fit for a terminal.
struct WatchedSource {
  std::string row;             // as `peers` prints it, without line end
  std::string authentication;  // "none", "ok key 5", "ok IFF", "bad key 5", "wait"
  wire::Selection selection = wire::Selection::kReject;
  bool authenticated = false;
  bool authentication_failed = false;
};

struct Snapshot {
  timespec taken{};
  std::string status;  // "sync_ntp, leap_none, stratum 3, ..."
  std::string figures;
  bool synchronised = false;
  std::vector<WatchedSource> sources;
};

// What stands above the sources, two lines.
std::string BillboardLine();

// What is worth asking for once: by which scheme an Autokey server was proved.
class IdentityCache {
 public:
  // The variable `identity`, asked for anew when `flags` are others than before; empty when the
  // server does not tell. `ask` sends the question.
  std::string Get(Session& session, AssocId id, uint64_t flags);

 private:
  struct Known {
    uint64_t flags = 0;
    std::string identity;
  };
  std::map<AssocId, Known> known_;
  bool never_told_ = false;
};

// How an association is authenticated, in at most ten characters but for long key numbers.
WatchedSource DescribeAuthentication(wire::PeerStatus status, const Values& variables,
                                     const std::string& identity);

// Asks everything anew. The error is a few words: "no answer", "the server refuses".
Result<Snapshot> TakeSnapshot(Session& session, IdentityCache& identities);

}  // namespace ntpward::ntpq
