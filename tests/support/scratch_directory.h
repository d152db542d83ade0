// A directory of its own for a test that works with real files.
#pragma once

#include <sys/types.h>

#include <string>

namespace ntpward::test {

// Made below /tmp, removed with all that is in it.
struct ScratchDirectory {
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  std::string At(const std::string& name) const { return path + "/" + name; }

  std::string path;
};

// cmocka's set-up and tear-down: the test's state is a ScratchDirectory.
int MakeScratch(void** state);
int RemoveScratch(void** state);
const ScratchDirectory& In(void** state);

// A file's whole content.
void Put(const std::string& path, const std::string& text);
std::string Get(const std::string& path);
// Its permissions.
mode_t ModeOf(const std::string& path);

}  // namespace ntpward::test

#define IN_A_DIRECTORY(claim) \
  cmocka_unit_test_setup_teardown(claim, ntpward::test::MakeScratch, ntpward::test::RemoveScratch)
