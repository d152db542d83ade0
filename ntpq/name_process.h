// A process of its own that asks the system's resolver, so that the one which reads servers'
// answers needs no files and no other sockets.
//
// It gets one address or one name at a time and returns names or addresses of bounded size. It is
// confined to what look-ups need, and ends when its user does.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ntpq/names.h"
#include "ntpq/resolver.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::ntpq {

class NameProcess : public NameService {
 public:
  // Forks; call it before anything else is open that look-ups must not see. Fails when the kernel
  // allows no process or no channel.
  static Result<std::unique_ptr<NameProcess>> Start();
  NameProcess(const NameProcess&) = delete;
  NameProcess& operator=(const NameProcess&) = delete;

  // Asked once for each address; the number when there is no name within 10 s, when the names of
  // this command took a minute, or when the user interrupts.
  std::string NameOf(const IpAddress& address) override;
  // Gives the names of the next command their minute.
  void BeginCommand() override;
  // The end of the channel that this process holds.
  int descriptor() const { return channel_.get(); }
  // The address of what the user typed (a name, or a number with or without brackets) and its
  // canonical name; `family` kNone: either. The error is the resolver's text, also when it takes
  // longer than it is waited for.
  Result<ResolvedHost> Resolve(const std::string& name, Family family);

 private:
  // The other process ends when this end of the channel closes.
  explicit NameProcess(UniqueFd channel) : channel_(std::move(channel)) {}

  // One answer to `request`, or none in time.
  std::optional<std::vector<uint8_t>> Ask(Bytes request, int patience_ms);
  bool Wait(int patience_ms);

  UniqueFd channel_;
  uint32_t next_id_ = 1;
  int64_t left_ms_ = 0;  // for the names of this command
  std::map<IpAddress, std::string> known_;
};

}  // namespace ntpward::ntpq
