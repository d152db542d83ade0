// A keys directory of its own with a clock of its own, and ntp-keygen run in it.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "keys/certificate_file.h"
#include "tests/support/scratch_directory.h"

namespace ntpward::keys::test {

class Workshop {
 public:
  // True when it succeeded. `out` and `err` hold what it wrote.
  bool Run(std::vector<std::string> words);

  std::vector<std::string> Names() const;
  std::map<std::string, std::string> Contents() const;
  std::string Text(const std::string& name) const;
  std::string Link(const std::string& name) const;
  void Put(const std::string& name, std::string_view text) const;
  mode_t Mode(const std::string& name) const;
  OwnCertificate Certificate() const;
  bool Opens(const std::string& name, std::string_view password) const;

  const ntpward::test::ScratchDirectory scratch;
  const std::string path = scratch.path;
  int64_t clock = 1795304898;  // NTP 4004293698
  int patience_s = 0;          // for the directory's lock
  std::string out, err, error, arguments_left;
};

// Fast keys; what they are does not matter here.
inline const std::vector<std::string> kSmall = {"-m", "512", "-b", "512", "-c", "RSA-MD5"};

std::vector<std::string> With(std::vector<std::string> words, const std::vector<std::string>& more);

}  // namespace ntpward::keys::test
