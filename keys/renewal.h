// ntp-keygen --renew: a new certificate in the place of one that a daemon uses, under the same
// keys.
//
// Who calls names the files that the daemon reads (`ntpd --renew-certificate` does). Subject with
// its group, trust or private use, and signature scheme are the old certificate's; the GQ value is
// that of the GQ key which the daemon would use. Nothing else is made, and what cannot be renewed
// stays as it is.
#pragma once

#include "keys/certificate_file.h"
#include "keys/certificate_maker.h"
#include "keys/key_directory.h"
#include "keys/keygen.h"
#include "keys/keygen_options.h"
#include "keys/private_key.h"

namespace ntpward::keys {

class Renewal {
 public:
  // `options.renewal` is set. `directory` is keysdir: relative names and group keys are in it.
  Renewal(KeygenOptions options, KeyDirectory directory, KeygenEnvironment environment)
      : options_(std::move(options)),
        directory_(std::move(directory)),
        environment_(std::move(environment)),
        host_(options_.renewal->name.empty() ? environment_.host_name : options_.renewal->name) {}

  // An error names the file and what is wrong with it; then nothing has changed.
  Status Run();

 private:
  struct Place {
    KeyDirectory directory;
    std::string link;
  };

  void Say(const std::string& line) const;
  Result<Secret> Content(const std::string& path, const char* what) const;
  Result<KeyPair> ReadKey(const std::string& path, const char* what,
                          Result<KeyPair> (*read)(Bytes, Bytes)) const;
  Result<OwnCertificate> ReadCertificate() const;
  Result<std::vector<uint8_t>> GroupValue(const OwnCertificate& old) const;
  Result<std::string> GqGroup(const OwnCertificate& old) const;
  // Of the certificate, which need not lie in keysdir.
  Result<Place> OpenPlace() const;
  // A second in which the new file's name is free.
  int64_t ChooseSecond(const Place& place, const OwnCertificate& old) const;
  std::string DatedName(const Place& place, const OwnCertificate& old, int64_t now) const;
  Status Write(const Place& place, const std::string& name, int64_t now, Bytes der) const;

  KeygenOptions options_;
  KeyDirectory directory_;
  KeygenEnvironment environment_;
  std::string host_;  // H of the names of files; without a password it is the password
};

}  // namespace ntpward::keys
