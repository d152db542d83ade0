// A Config out of text, as the supervisor gets it from a file without errors.
#pragma once

#include <string>
#include <utility>

#include "ntpd/config/parser.h"

namespace ntpward::supervisor::test {

class OneFile : public config::FileSource {
 public:
  explicit OneFile(std::string text) : text_(std::move(text)) {}
  Result<Secret> Read(std::string_view) override { return Secret::Copy(AsBytes(text_)); }

 private:
  std::string text_;
};

inline config::Config Parse(const std::string& text) {
  OneFile file(text);
  config::Parsed parsed = config::Load("/etc/ntp.conf", file, config::ParsePolicy::kStrict);
  CHECK(parsed.usable(config::ParsePolicy::kStrict));
  return std::move(parsed.config);
}

}  // namespace ntpward::supervisor::test
