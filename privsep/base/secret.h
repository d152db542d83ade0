// A secret's bytes: move-only, locked into memory, left out of core dumps, wiped when it goes.
//
// What it holds must not be copied into a std::string: use bytes() where it is needed and no
// longer.
#pragma once

#include <cstddef>

#include "privsep/base/bytes.h"
#include "privsep/base/result.h"

namespace ntpward {

// Overwrites memory in a way that the compiler may not remove.
void Wipe(MutableBytes memory);

class Secret {
 public:
  Secret() = default;
  // Copies `bytes` into locked pages of its own. The caller still has to wipe its copy.
  // Fails when the pages cannot be mapped or locked (RLIMIT_MEMLOCK).
  static Result<Secret> Copy(Bytes bytes);
  // `size` zero bytes to fill in.
  static Result<Secret> Zeros(size_t size);

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  Bytes bytes() const { return {data_, size_}; }
  MutableBytes bytes() { return {data_, size_}; }

 private:
  void Destroy();

  uint8_t* data_ = nullptr;  // own pages; null when empty
  size_t size_ = 0;
};

}  // namespace ntpward
