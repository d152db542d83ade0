// Configuration files as the parser wants them: whole, in locked memory.
#pragma once

#include "ntpd/config/parser.h"

namespace ntpward::supervisor {

class DiskFiles : public config::FileSource {
 public:
  // `caged`: Landlock is in force, so that a file that cannot be reached may only be in a new
  // place.
  explicit DiskFiles(bool caged = false) : caged_(caged) {}
  // Regular files of at most kMaxSize octets. Whatever could make us wait, such as a pipe, fails.
  static constexpr size_t kMaxSize = 4 << 20;
  Result<Secret> Read(std::string_view path) override;

 private:
  bool caged_;
};

}  // namespace ntpward::supervisor
