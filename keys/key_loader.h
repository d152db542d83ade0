// Collects what the supervisor sends at start and turns it into key material, or into words that
// tell the operator which file is wrong and which command mends it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "keys/group_loader.h"
#include "keys/key_material.h"
#include "privsep/kept_changes.h"
#include "privsep/msg/command.h"
#include "privsep/msg/keys.h"

namespace ntpward::keys {

class KeyLoader {
 public:
  // In the order of their arrival. A file is read and closed at once.
  void Start(const msg::KeysStart& message);
  Status Password(Bytes password);
  void File(const msg::KeysFile& message);
  void Trusted(const msg::KeysTrusted& message);
  void Runtime(const msg::RuntimeTrust& message);
  void Line(const msg::RuntimeLine& message);

  // `unix_now`: the system's clock, for the certificate's validity, which is warned about only:
  // ntpd 4.2.8 starts with an expired certificate, and the clock may be wrong. Once.
  Result<KeyMaterial> Load(int64_t unix_now);
  // After a failure: what was found besides the error itself.
  const std::vector<std::string>& further_errors() const { return further_errors_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  struct LoadedFile {
    msg::KeyFileKind kind = msg::KeyFileKind::kHost;
    std::string group;
    std::string name;
    bool world_readable = false;
    bool earlier = false;
    std::optional<Result<Secret>> content;  // empty: the file is missing
  };

  const LoadedFile* Find(msg::KeyFileKind kind) const;
  static std::string NameOf(const LoadedFile* file, const std::string& usual);
  static std::string HowToLink(const LoadedFile& file, const std::string& usual);
  Bytes password() const;

  Result<HostKeys> LoadHost(int64_t unix_now);
  Result<KeyPair> LoadKeyPair(const LoadedFile& file);
  Result<OwnCertificate> LoadCertificate(const LoadedFile& file, int64_t unix_now);
  Status LoadGroupFiles(HostKeys* host);
  Status JudgeUnusable(const std::vector<UnusableGroup>& unusable,
                       const std::vector<Group>& usable);
  bool IsOfOurGroup(const LoadedFile& file, const OwnCertificate& certificate) const;
  Result<Secret> LoadFarmSecret();
  Result<SymmetricKeys> LoadSymmetric();
  void ApplyRuntime(SymmetricKeys* keys);
  void WarnOfReaders(const LoadedFile& file);
  void Warn(std::string text) { warnings_.push_back(std::move(text)); }

  std::optional<msg::KeysStart> start_;
  Secret password_;
  std::vector<LoadedFile> files_;
  std::vector<msg::TrustedKey> trusted_;
  std::vector<msg::TrustedNow> runtime_;
  KeptChanges lines_;
  std::vector<std::string> further_errors_;
  std::vector<std::string> warnings_;
};

}  // namespace ntpward::keys
