// ntp_genkeys: makes the key files that the guide of ntpd 4.1 describes, with its names and
// formats.
//
// Of a run all is made first, then written under names that carry one NTP second, then linked: in
// each directory all of it or nothing.
// Nothing in use is replaced without -f, and nothing is removed without -t. Its MD5 keys serve
// every ntpd; the RSA pair and the Diffie-Hellman parameters are for Autokey version 1.
//
// Source: the documentation of ntpd 4.1 ("ntp-genkeys").
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "keys/directory_lock.h"
#include "keys/genkeys_options.h"
#include "keys/keygen.h"
#include "keys/openssl.h"

namespace ntpward::keys {

class Genkeys {
 public:
  // Of `environment` all but `err` is used: what is done goes to `out`.
  Genkeys(GenkeysOptions options, GenkeysPlaces places, KeygenEnvironment environment)
      : options_(std::move(options)),
        places_(std::move(places)),
        environment_(std::move(environment)) {}

  // An error names the file and what is wrong with it.
  Status Run();

 private:
  struct File {
    std::string place;  // the name in use: where the link is
    std::string stem;   // of the dated name
    std::string title;
    mode_t mode;
    LockedBytes text;  // without its first two lines
  };

  bool Wanted(const std::string& what, const std::vector<std::string>& places);
  void Say(const std::string& line) const;
  std::string DatedName(const File& file) const;
  void ChooseSecond();
  Status Make();
  Status MakeRsa();
  Status MakeParameters();
  // Of all places of files that are asked for.
  Status LockDirectories(DirectoryLocks* locks) const;
  std::string DirectoryOf(const std::string& place) const;
  void SayWouldDo() const;
  Status Write();

  GenkeysOptions options_;
  GenkeysPlaces places_;
  KeygenEnvironment environment_;
  int64_t now_ = 0;
  std::vector<File> files_;
};

}  // namespace ntpward::keys
