#include "tests/support/scratch_directory.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "privsep/base/result.h"

namespace ntpward::test {

ScratchDirectory::ScratchDirectory() {
  char name[] = "/tmp/ntpward-test-XXXXXX";
  CHECK(mkdtemp(name) != nullptr);
  path = name;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

int MakeScratch(void** state) {
  *state = new ScratchDirectory;
  return 0;
}

int RemoveScratch(void** state) {
  delete static_cast<ScratchDirectory*>(*state);
  return 0;
}

const ScratchDirectory& In(void** state) { return *static_cast<ScratchDirectory*>(*state); }

void Put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

std::string Get(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

mode_t ModeOf(const std::string& path) {
  struct stat status {};
  CHECK(stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace ntpward::test
