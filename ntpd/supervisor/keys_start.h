// What ntpd-keys is started with: descriptors, password, file list. Lives only as long as one
// start.
#pragma once

#include <utility>
#include <vector>

#include "ntpd/config/config.h"
#include "ntpd/config/parser.h"
#include "ntpd/supervisor/key_files.h"
#include "ntpd/supervisor/outbox.h"
#include "privsep/base/log.h"
#include "privsep/channel.h"
#include "privsep/msg/command.h"
#include "privsep/msg/runtime_line.h"

namespace ntpward::supervisor {

class KeysStartBundle {
 public:
  // `config` is the one in force, `fresh` the one just read, from which only the password is taken.
  // Fails when the password cannot be had, when more files are there than can be passed on, and,
  // where `policy` is strict, when one that is there cannot be opened; ntpd-keys is then strict
  // with what is in them, too.
  static Result<KeysStartBundle> Make(const config::Config& config, config::Config& fresh,
                                      bool virtual_clock, config::ParsePolicy policy, Logger* log);
  // The same, strict, for a process that only has to say whether it could start: its seed is a copy
  // in memory. What cannot be opened is in Problems() and no failure.
  static Result<KeysStartBundle> MakeForCheck(config::Config& config);

  // Files that are there and cannot be used, with the reason; for the operator.
  std::vector<std::string> Problems() const;
  // Descriptors and their numbers in the role.
  std::vector<std::pair<int, int>> Inherit() const;
  // Sends the password at once, wipes it, and queues everything else behind it. The channel must be
  // fresh: an empty pipe always has room for the password.
  void Send(Channel* keys, Outbox* outbox, const std::vector<msg::KeysTrusted>& trusted,
            const std::vector<msg::RuntimeTrust>& kept = {},
            const std::vector<msg::RuntimeLine>& lines = {});

 private:
  Status Fill(const config::Config& config, config::Config& fresh);

  msg::KeysStart start_;
  Secret password_;
  std::vector<KeyFile> files_;
  std::vector<std::string> left_out_;
  UniqueFd seed_;
};

}  // namespace ntpward::supervisor
