// Whether the daemon could write the files of its own that a configuration names.
#pragma once

#include <optional>
#include <string>

namespace ntpward::supervisor {

// Why this account could not write a file.
struct Hindrance {
  std::string text;         // behind the file's name, as a start says it: "Is a directory"
  bool of_account = false;  // it is the rights of this account, which is not root's, that lack
};

// All are empty when nothing speaks against it, or when the file's directory is missing, of which
// FindFileProblems() speaks. Nothing is created, opened or waited for.
//
// A file that is appended to (OpenForAppending): the log.
std::optional<Hindrance> HindersAppending(const std::string& path);
// The server's seed file, which is opened in place, by no link.
std::optional<Hindrance> HindersSeedFile(const std::string& path);
// A file that is replaced as a whole by a new one in its directory (ReplaceFile).
std::optional<Hindrance> HindersReplacing(const std::string& path);

}  // namespace ntpward::supervisor
