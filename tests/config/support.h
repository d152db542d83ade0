// Files that live in memory, and short ways to parse and to read diagnostics.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "ntpd/config/parser.h"

namespace ntpward::config {

class MemoryFiles : public FileSource {
 public:
  void Add(std::string path, std::string text) { files_[std::move(path)] = std::move(text); }
  Result<Secret> Read(std::string_view path) override;
  size_t reads() const { return reads_; }

 private:
  std::map<std::string, std::string, std::less<>> files_;
  size_t reads_ = 0;
};

// `text` as the file "ntp.conf", without includes.
Parsed ParseConf(std::string_view text, ParsePolicy policy = ParsePolicy::kStartup);
// The same, validated.
Parsed LoadConf(std::string_view text, ParsePolicy policy = ParsePolicy::kStartup);
// All diagnostics, one a line.
std::string Shown(const Parsed& parsed);
// Whether any diagnostic's text contains `text`.
bool Says(const Parsed& parsed, std::string_view text);
size_t Count(const Parsed& parsed, Severity severity);

}  // namespace ntpward::config
