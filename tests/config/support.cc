#include "tests/config/support.h"

namespace ntpward::config {

Result<Secret> MemoryFiles::Read(std::string_view path) {
  ++reads_;
  const auto found = files_.find(path);
  if (found == files_.end()) return Fail("No such file or directory");
  return Secret::Copy(AsBytes(found->second));
}

Parsed ParseConf(std::string_view text, ParsePolicy policy) {
  MemoryFiles files;
  files.Add("ntp.conf", std::string(text));
  return ParseFile("ntp.conf", files, policy);
}

Parsed LoadConf(std::string_view text, ParsePolicy policy) {
  MemoryFiles files;
  files.Add("ntp.conf", std::string(text));
  return Load("ntp.conf", files, policy);
}

std::string Shown(const Parsed& parsed) {
  std::string text;
  for (const Diagnostic& diagnostic : parsed.diagnostics) text += ToString(diagnostic) + "\n";
  return text;
}

bool Says(const Parsed& parsed, std::string_view text) {
  return Shown(parsed).find(text) != std::string::npos;
}

size_t Count(const Parsed& parsed, Severity severity) {
  size_t count = 0;
  for (const Diagnostic& diagnostic : parsed.diagnostics) count += diagnostic.severity == severity;
  return count;
}

}  // namespace ntpward::config
