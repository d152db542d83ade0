// Landlock: which directories a process and all its children may still reach, for good.
//
// Where the kernel has none nothing is restricted, and the caller is told. Rules name directories,
// never files: an editor's rename breaks a rule on a file. A restricted process can no longer mount
// or pivot_root (landlock(7)); it can still enter a namespace that was made before (namespaces.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "privsep/base/result.h"

namespace ntpward {

enum class DirectoryAccess : uint8_t {
  kRead,     // read files, list directories
  kExecute,  // and execute
  kDevices,  // read, and write what is there
  kWrite,    // read, write, make, rename and remove files
};

// One directory and all below it.
struct DirectoryGrant {
  std::string path;
  DirectoryAccess access = DirectoryAccess::kRead;
};

// The kernel's Landlock version; 0: none.
int LandlockVersion();

// Leaves this process `grants` and nothing else of the file system; what is already open stays
// usable. Needs no_new_privs. Directories that do not exist are put into `*missing` and stay out of
// reach even when they are made later. False without Landlock: nothing is restricted then.
Result<bool> RestrictDirectories(std::span<const DirectoryGrant> grants,
                                 std::vector<std::string>* missing);

// No file, no TCP, and, where the kernel knows how, no signal and no abstract socket beyond this
// process. False without Landlock.
bool ForbidReachingOut();

}  // namespace ntpward
