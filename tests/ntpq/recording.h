// A recorded run of the reference ntpq, played back to ours without a network.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ntpq/names.h"
#include "ntpq/platform.h"
#include "ntpq/transport.h"

namespace ntpward::ntpq::test {

// One answer datagram and when it came.
struct Response {
  timespec when;
  std::vector<uint8_t> datagram;
};
struct Exchange {
  std::vector<uint8_t> request;
  std::vector<Response> responses;
  std::string failure = {};  // what the kernel said instead of an answer
};

// tests/ntpq/data/README has the format.
struct Recording {
  std::string name;
  std::vector<std::string> arguments;
  timespec start{};
  std::vector<Exchange> exchanges;
  std::map<std::string, std::string> files;  // for config-from-file
  std::string unreachable;                   // what the kernel says of every address
  std::string out;
  std::string err;
  int exit_status = 0;

  // All of tests/ntpq/data/FILE.txt.
  static std::vector<Recording> LoadAll(const std::string& file);
  // "FILE-NAME": the one of that name.
  static Recording Load(const std::string& name);
};

// Keeps what is printed; its clock stands at the last answer.
class RecordingPlatform : public Platform {
 public:
  timespec Now() override { return now; }
  void Out(std::string_view text) override { out += text; }
  void Err(std::string_view text) override { err += text; }
  std::optional<std::string> Ask(std::string_view prompt, bool secret) override;
  Status WriteFile(const std::string& path, std::string_view text) override;
  Result<std::string> ReadFile(const std::string& path) override;
  void HoldInterrupt() override {}
  void ReleaseInterrupt() override {}
  bool Interrupted() override { return false; }

  timespec now{};
  std::string out;
  std::string err;
  std::vector<std::string> answers;  // to Ask, first to last
  std::map<std::string, std::string> files;
};

// Answers each request as recorded. A request that differs from the recorded one in more than its
// sequence number and MAC gets no answer, and `mismatch` says so.
class RecordedNetwork : public Network {
 public:
  RecordedNetwork(const Recording& recording, RecordingPlatform& platform)
      : recording_(recording), platform_(platform) {}

  Result<Host, OpenError> Open(const std::string& name, Family family) override;

  std::string mismatch;
  size_t asked = 0;  // requests so far, without those for a nonce
  size_t nonces_asked = 0;
  std::string nonce_answer = "nonce=eead1d407cad7e69c4cb583a\r\n";

 private:
  friend class RecordedTransport;

  const Recording& recording_;
  RecordingPlatform& platform_;
};

// The names of the test network.
class RecordedNames : public NameService {
 public:
  RecordedNames();
  std::string NameOf(const IpAddress& address) override;

 private:
  std::map<std::string, std::string> names_;
};

// What became of a recording that was played.
struct Played {
  std::string out;
  std::string err;
  std::string mismatch;
  size_t asked = 0;
  int exit_status = 0;
};
// Runs our ntpq with `extra` options and the recorded arguments against the recorded answers.
Played Play(const Recording& recording, const std::vector<std::string>& extra);

}  // namespace ntpward::ntpq::test
