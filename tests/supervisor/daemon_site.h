// ntpd as it is started on a machine: a directory with its programs and files, and the running
// daemon, told by its log.
//
// It runs in a network namespace of its own, without the right to set the clock. ntpd-net and
// ntpd-keys are the test program itself, whose `main` calls RunFakeRole() first.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "privsep/base/unique_fd.h"

namespace ntpward::test {

inline constexpr const char* kConfig = "restrict default\nserver 192.0.2.1\n";

// A directory with ntpd, its roles and a configuration.
class Site {
 public:
  // With kConfig.
  Site();
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  void Configure(const std::string& text) { Write("ntp.conf", text); }
  // What ntpd-net or ntpd-keys is to do. Renamed into place, so that nobody reads half of it.
  void Script(const std::string& text);
  std::string Path(const std::string& name) const { return (directory_ / name).string(); }

 private:
  void Write(const std::string& name, const std::string& text);

  std::filesystem::path directory_;
};

// The supervisor, from its start on. Killed when the object goes.
class Ntpd {
 public:
  enum class SystemClock { kLeftAlone, kAskedFor };
  // Never with the right to set the clock: `kAskedFor` leaves out --no-clock alone.
  Ntpd(const Site& site, std::vector<std::string> options,
       SystemClock clock = SystemClock::kLeftAlone);
  ~Ntpd();
  Ntpd(const Ntpd&) = delete;
  Ntpd& operator=(const Ntpd&) = delete;

  // Waits until a line that was not seen before matches; its first group, or the whole match. The
  // test fails when none comes.
  std::string Expect(const std::string& pattern);
  // The log from where the last Expect() stopped, to the end of what is there within `ms`.
  std::string Rest(int ms);
  void Send(int signal) const;
  // Waits for its end: its exit status, or 1000 and the signal that killed it.
  int Wait();
  // All of its log that was read so far.
  const std::string& text() const { return text_; }

 private:
  // False at the end of file.
  bool ReadMore();

  pid_t pid_ = -1;
  UniqueFd log_;
  std::string text_;
  size_t seen_ = 0;
};

// The number that a match of Expect() is.
pid_t PidIn(const std::string& text);

// Started, with the pids of its roles.
struct Running {
  explicit Running(const Site& site, std::vector<std::string> options = {"-n", "-d"},
                   Ntpd::SystemClock system_clock = Ntpd::SystemClock::kLeftAlone);

  // The supervisor is killed, and so are the stand-ins for roles: they have no cage, and so no
  // death with their parent.
  void Crash();

  Ntpd ntpd;
  pid_t net, clock, keys, resolve;

 private:
  pid_t PidFromLog(const std::string& role) const;
};

}  // namespace ntpward::test
