// Reads ntp.conf and the files that it includes into a Config.
//
// Pure: file contents come from a FileSource. Contents may hold `crypto pw`, so they stay in
// Secrets and are wiped; the password is copied into Config::authentication.crypto.password and
// nowhere else.
#pragma once

#include <string_view>
#include <vector>

#include "ntpd/config/config.h"
#include "privsep/base/result.h"
#include "privsep/base/secret.h"

namespace ntpward::config {

inline constexpr size_t kMaxIncludeDepth = 5;
inline constexpr size_t kMaxWord = 1023;  // octets, as ntpd 4.2.8

// Who asks, and so what is allowed.
enum class ParsePolicy : uint8_t {
  kStartup,  // bad lines are dropped; only those that would weaken security refuse the start
  kStrict,   // --check-config and reload: any error refuses
  kRemote,   // lines that came by mode 6: those that name files or switch modules are refused too
};

// Opens files for the parser; the only way out of it.
class FileSource {
 public:
  virtual ~FileSource() = default;
  // The contents of `path`, which is as the configuration wrote it. The error's text is shown to
  // the operator and must not quote the contents.
  virtual Result<Secret> Read(std::string_view path) = 0;
};

struct Parsed {
  Config config;
  std::vector<Diagnostic> diagnostics;  // in the order in which they were found

  // Whether the caller of `policy` may use `config`: kStartup without a diagnostic that is
  // fatal_at_start, the others without any error.
  bool usable(ParsePolicy policy) const;
};

// Reads `path` and what it includes. Each line is applied whole or not at all; nothing is dropped
// without a diagnostic. Does not cross-check: see Load().
Parsed ParseFile(std::string_view path, FileSource& source, ParsePolicy policy);

// The same for text that is already here; `name` stands for the file in diagnostics. Wipes `text`.
Parsed ParseText(Secret text, std::string_view name, FileSource* includes, ParsePolicy policy);

// The same for one line that came by mode 6, read as if it followed what is in `config`.
Parsed ParseLine(std::string_view line, Config config);

// ParseFile and then Validate (validate.h): what a daemon uses.
Parsed Load(std::string_view path, FileSource& source, ParsePolicy policy);

}  // namespace ntpward::config
