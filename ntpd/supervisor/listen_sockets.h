// The UDP sockets that ntpd-net serves on: opened here, because that needs the right to port 123.
#pragma once

#include <string>
#include <vector>

#include "ntpd/config/config.h"
#include "ntpd/supervisor/options.h"
#include "privsep/base/address.h"
#include "privsep/base/log.h"
#include "privsep/base/result.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::supervisor {

inline constexpr uint16_t kNtpPort = 123;
// What a start says that fails for LeavesNoAddress().
inline constexpr const char* kNoAddress = "no address to listen on: see the interface lines and -I";

struct ListenSocket {
  uint16_t index = 0;
  SocketAddress local;
  std::string interface;
  uint16_t flags = 0;   // as ntpq's ifstats shows them
  IpAddress broadcast;  // of the interface; none without one
  bool drop = false;
  bool to_many = false;  // `local` is a broadcast address or a group: nothing leaves from it
  UniqueFd fd;
};

// One address of one interface.
struct InterfaceAddress {
  std::string interface;
  IpAddress address;
  uint16_t flags = 0;   // as ntpq's ifstats shows them
  IpAddress broadcast;  // none without one
  std::string device;   // that carries it, where `interface` is a label of it; else empty
  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

// The addresses that this host has now.
std::vector<InterfaceAddress> LocalAddresses();

// The number of the interface that carries it; 0 if that has just gone.
unsigned InterfaceIndex(const InterfaceAddress& address);

// What is sent to many and shall be heard: `broadcastclient`, `multicastclient`, `manycastserver`.
struct SentToMany {
  bool broadcasts = false;
  std::vector<IpAddress> groups;  // each once
};
SentToMany WantedOfMany(const config::Config& config);

// What the last matching `interface` line, or -I, says about an address; with neither, everything
// is listened to. With either, what neither names is not, but for loopback (as ntpd 4.2.8 does).
// Nor is ever what -4 or -6 leaves out.
config::InterfaceAction ActionFor(const InterfaceAddress& candidate, const config::System& system,
                                  const Options& options);

// Whether rules leave out every address that this host has now: a start would fail.
bool LeavesNoAddress(const config::System& system, const Options& options);

// Says of each interface line, and each -I, that names an interface or an address which this host
// does not have now: it may come, or be mistyped.
void WarnOfAbsent(const config::Config& config, const Options& options, Logger* log);

class ListenSockets {
 public:
  // `log` must outlive this object.
  ListenSockets(Logger* log, uint8_t dscp) : log_(log), dscp_(dscp) {}

  // Without interface rules: one wildcard socket a family, replies leave from the address that was
  // asked. With rules: one socket an address that they admit, and one for each broadcast address
  // and group that is to be heard there. Fails when port 123 is taken by another process, or when
  // nothing at all could be opened.
  Status Open(const config::Config& config, const Options& options);
  // A new configuration; Refresh then follows it. False when it cannot be followed: a wildcard
  // socket and those of single addresses exclude each other as long as ntpd-net holds either.
  bool SetConfiguration(const config::Config& config);
  // For what is open and for what will be.
  void SetDscp(uint8_t dscp);
  // Interfaces came or went, rules changed, or Renew lost something. Returns what was opened now,
  // or has a new index because it is used differently; `*gone` gets the indices that no longer
  // exist.
  std::vector<const ListenSocket*> Refresh(std::vector<uint16_t>* gone);

  // Closes all and binds each anew under its index, for the successor of an ntpd-net that died:
  // whatever that one did to them (connected them, say) ends here. No other process may hold one.
  // False when one could not be bound: the log says why, and it is gone until Refresh opens it.
  bool Renew();
  // Whether everything is open that Refresh would open.
  bool IsComplete() const;

  const std::vector<ListenSocket>& sockets() const { return sockets_; }

 private:
  // A socket that there should be.
  struct Wanted {
    InterfaceAddress where;
    bool drop = false;
    bool to_many = false;
  };

  std::vector<Wanted> WantedNow() const;
  void WantOfMany(const InterfaceAddress& listened, std::vector<Wanted>* wanted) const;
  void DropUnwanted(const std::vector<Wanted>& wanted, std::vector<uint16_t>* gone);
  void OpenOrTurn(const Wanted& wanted, std::vector<uint16_t>* gone);
  config::InterfaceAction ActionFor(const InterfaceAddress& candidate) const;
  Status OpenWildcards(const Options& options);
  Status Add(const Wanted& wanted);
  void SayOpened(const ListenSocket& socket) const;
  void SayGone(const ListenSocket& socket) const;
  Result<UniqueFd> Bind(const SocketAddress& local) const;
  bool has_rules() const { return !system_rules_.empty() || !options_.interfaces.empty(); }

  bool IsOpen(const Wanted& wanted) const;

  Logger* log_;
  uint8_t dscp_;
  uint16_t next_index_ = 0;
  std::vector<ListenSocket> sockets_;
  std::vector<Wanted> wildcards_;  // those that were opened; none with interface rules
  std::vector<config::InterfaceRule> system_rules_;
  SentToMany many_;
  Options options_;  // -I, -4 and -6 of it
};

}  // namespace ntpward::supervisor
