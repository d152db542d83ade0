// ntp-keygen: makes and renews host keys, certificates and group keys, named as by
// ntp-keygen 4.2.8.
//
// All that is new in a run is made first, then written under names that carry one new filestamp,
// and only then do the links change, the certificate's last. A failure leaves the directory as it
// was (key_change.h). No password is ever printed.
#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "keys/certificate_file.h"
#include "keys/key_directory.h"
#include "keys/keygen_file.h"
#include "keys/keygen_groups.h"
#include "keys/keygen_options.h"
#include "keys/openssl.h"
#include "keys/private_key.h"

namespace ntpward::keys {

struct KeygenEnvironment {
  std::string host_name;              // gethostname()
  std::function<int64_t()> now;       // Unix seconds
  std::function<void()> wait_second;  // until the clock shows another second
  std::FILE* out = stdout;            // exported keys and nothing else
  std::FILE* err = stderr;            // what is done
  int lock_patience_s = 60;           // directory_lock.h; more than making keys takes as a rule
};

class Keygen {
 public:
  Keygen(KeygenOptions options, KeyDirectory directory, KeygenEnvironment environment)
      : options_(std::move(options)),
        directory_(std::move(directory)),
        environment_(std::move(environment)) {}

  // An error names the file and what is wrong with it.
  Status Run();

 private:
  void Say(const std::string& line) const;
  std::string Header(const std::string& file_name) const;
  std::string FileName(const NewFile& file) const;
  // The name that its first line tells, whose end is its filestamp.
  std::string StampedName(const NewFile& file) const;
  std::string LinkName(const char* kind) const {
    return std::string("ntpkey_") + kind + "_" + host_;
  }

  Status ReadOldCertificate();
  void ChooseNames();
  Status ChoosePassword();
  bool Opens(Bytes host_key_file, Bytes password) const;
  Status MakeSymmetricFile();
  Status MakeFarmFile();
  Status WriteSecretFile(NewFile file, const LockedBytes& content);
  Status TakeHostKey();
  Status TakeSignKey();
  Status TakeScheme();
  EVP_PKEY* signing_key() const;
  Status MakeNewCertificate();
  Status PrepareGroups();
  Result<std::string> Encrypted(const EVP_PKEY* key) const;
  Result<KeyPair> ReadPrivate(const std::string& name, Bytes content,
                              Result<KeyPair> (*read)(Bytes, Bytes)) const;
  Status MakeDsaSignKey();
  Result<SignatureScheme> ChooseScheme(bool dsa) const;
  Status MakeRsa(const char* kind, KeyPair* out);
  Status Export();
  void ChooseFilestamp();
  Status WriteAll();
  std::string SavedName(const NewFile& file) const;
  void SayLink(const NewFile& file, bool saved) const;

  KeygenOptions options_;
  KeyDirectory directory_;
  KeygenEnvironment environment_;

  std::string host_;
  std::string group_;
  std::string subject_;
  std::optional<OwnCertificate> old_certificate_;
  Secret password_;
  bool export_server_key_ = false;  // -q in the reference's meaning
  int64_t now_ = 0;
  NtpSeconds filestamp_;

  KeyPair host_key_;
  std::optional<KeyPair> sign_key_;
  SignatureScheme scheme_;  // of the new certificate
  std::optional<KeygenGroups> groups_;
  std::vector<NewFile> files_;
};

}  // namespace ntpward::keys
