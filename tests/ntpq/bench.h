// A session of ntpq whose server is a recording.
#pragma once

#include <string>

#include "ntpq/command.h"
#include "tests/ntpq/recording.h"

namespace ntpward::ntpq::test {

// Without a recording nothing answers.
struct Bench {
  explicit Bench(Recording played = {}) : recording(std::move(played)) {
    platform.now = recording.start;
    session.OpenHost("127.0.0.1", Family::kNone);
  }

  // What a line prints to standard output, or to standard error.
  std::string Out(const std::string& line) {
    platform.out.clear();
    platform.err.clear();
    RunLine(session, line);
    return platform.out;
  }
  std::string Err(const std::string& line) {
    Out(line);
    return platform.err;
  }

  Recording recording;
  RecordingPlatform platform;
  RecordedNetwork network{recording, platform};
  RecordedNames names;
  Session session{platform, network, names, Settings{}};
};

}  // namespace ntpward::ntpq::test
