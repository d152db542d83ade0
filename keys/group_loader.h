// Turns the files of identity schemes into keys: a server's own, and those of the groups whose
// servers a client can demand proof of.
#pragma once

#include <string>
#include <vector>

#include "keys/key_material.h"
#include "privsep/msg/keys.h"

namespace ntpward::keys {

// A group key of others that cannot be used, and why.
struct UnusableGroup {
  std::string group;
  std::string reason;
};

// A file as the supervisor sent it.
struct GroupFile {
  msg::KeyFileKind kind = msg::KeyFileKind::kIffKey;
  std::string group;
  std::string name;  // for messages
  Bytes content;
};

class GroupLoader {
 public:
  // What it finds goes to `host`, `warnings` and `unusable`; all must outlive it.
  GroupLoader(Bytes password, HostKeys* host, std::vector<std::string>* warnings,
              std::vector<UnusableGroup>* unusable)
      : password_(password), host_(*host), warnings_(*warnings), unusable_(*unusable) {}

  // A server's group key that cannot be used is an error: it would be missed by every client.
  Status LoadServer(const GroupFile& file);
  // One of an earlier generation, after the one in use; newest first. What cannot be used is left
  // out: who wants its clients served sees that a warning says so.
  void LoadEarlier(const GroupFile& file);
  // A client's is left out, and said in `unusable`: an association that asks for it is refused.
  void LoadClient(const GroupFile& file);

 private:
  void AddGroup(const GroupFile& file, GroupParameters parameters, bool weak_encryption);
  void LoadClientIff(const GroupFile& file);
  void LoadClientGq(const GroupFile& file);
  void LoadClientMv(const GroupFile& file);
  void WarnOfWeakEncryption(const GroupFile& file, bool weak);
  void WarnOfSecret(const GroupFile& file);
  void Unusable(const GroupFile& file, const Error& error);
  void Warn(std::string text) { warnings_.push_back(std::move(text)); }

  Bytes password_;
  HostKeys& host_;
  std::vector<std::string>& warnings_;
  std::vector<UnusableGroup>& unusable_;
};

}  // namespace ntpward::keys
